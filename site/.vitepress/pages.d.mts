/** The page of a file of the repository, or `undefined` where it is none. */
export const pageOf: (file: string) => string | undefined

/** What a link in a file leads to. It throws where there is nothing. */
export const linkFrom: (file: string, href: string) => string

/** The picture that a file shows: those of the repository are shown from it. */
export const pictureFrom: (file: string, src: string) => string
