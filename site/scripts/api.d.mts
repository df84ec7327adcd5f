/** An exported name: where it is, its declaration, and what is said of it. */
export interface Entry {
  readonly path: string
  readonly name: string
  readonly category: string
  readonly line: number
  readonly signature: string
  readonly prose: string
  readonly since: string | undefined
}
export const entries: () => ReadonlyArray<Entry>
