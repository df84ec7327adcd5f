/** What the page of the benchmark can do: `browser/page.ts`, which is compiled with modules that are installed for it alone. */

/** Who runs in the page: ours on two modes, and the others on WebGPU. */
export type Who = 'webgpu' | 'webasm' | 'tfjs' | 'jaxjs' | 'onnx'

/**
 * The functions that the driver calls. `parties`: who does a work, and forgets what was before. `first` makes one of them and
 * runs it: milliseconds, and how far the answer is from that of who came first, of the largest value. `again` runs it again.
 */
export interface Api {
  readonly names: ReadonlyArray<string>
  readonly parties: (name: string) => Promise<ReadonlyArray<Who>>
  readonly first: (name: string, who: Who) => Promise<readonly [elapsed: number, differs: number]>
  readonly again: (who: Who) => Promise<number>
  readonly adapter: () => Promise<string>
}
