/** An entry of the sidebar, and those below it. */
export interface Entry {
  readonly text: string
  readonly link?: string
  readonly items?: ReadonlyArray<Entry>
}
export const pagesAt: (files: ReadonlyArray<string>) => ReadonlyArray<Entry>
export const group: (text: string, folder: string) => Entry
export const section: (folder: string, without?: ReadonlyArray<string>) => ReadonlyArray<Entry>
