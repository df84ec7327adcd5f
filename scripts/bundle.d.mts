/** A program that a page might have. */
export interface PageProgram {
  readonly name: string
  readonly about: string
  readonly text: string
}
export const programs: ReadonlyArray<PageProgram>
export const partOf: (id: string) => string
export const bundle: (program: Pick<PageProgram, 'name' | 'text'>) => Promise<{
  readonly code: string
  readonly bytes: number
  readonly compressed: number
  readonly parts: ReadonlyArray<readonly [name: string, bytes: number]>
  readonly absent: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}>
