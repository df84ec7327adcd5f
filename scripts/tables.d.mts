export const folders: ReadonlyArray<{ readonly folder: string; readonly rows?: string }>
export const table: (files: Readonly<Record<string, string>>, rows?: string) => string
export const filesOf: (folder: string) => ReadonlyArray<string>
