/** The browser to drive. It throws where there is none. */
export const browserPath: () => string
export const flags: ReadonlyArray<string>
