/** The folder of the repository. */
export const root: string

/** The files of the modules that may be imported, from the folder of the repository. */
export const publicModules: () => ReadonlyArray<string>
