/**
 * By which means a page computes: WebGPU, WebAssembly on threads, or WebAssembly on one. Both a page and its worker ask what there
 * is; what is chosen is told in the address.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { GpuJsOptions } from 'halforder/kernel/Device'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** The means. */
export type Means = (typeof all)[number]
export const all = ['webgpu', 'threads', 'webasm'] as const

/** What a visitor chooses: one of them, or the usual one of the page. */
export type Choice = (typeof choices)[number]
export const choices = ['automatic', ...all] as const

/**
 * What a browser has. `webgpu`: an adapter, and whether it is `emulated` on the processor, which is slower than WebAssembly.
 * `shared`: memory that threads share, which a page has that is isolated from other origins. `cores`: of the machine.
 */
export interface Host {
  readonly webgpu: 'none' | 'emulated' | 'device'
  readonly shared: boolean
  readonly cores: number
}

// -------------------------------------------------------------------------------------
// choosing
// -------------------------------------------------------------------------------------

/** How many threads compute: all cores but one, which draws, and at least two; their number changes no bit. */
export const threadsOf = ({ cores }: Pick<Host, 'cores'>): number => Math.max(2, Math.min(8, cores - 1))

/** Why a means is not there, or `undefined` where it is. */
export const missing = (means: Means, host: Host): string | undefined => {
  switch (means) {
    case 'webgpu':
      return host.webgpu === 'none' ? 'this browser has no WebGPU' : undefined
    case 'threads':
      return host.shared
        ? undefined
        : 'this page shares no memory with threads, since it is not isolated from other origins'
    case 'webasm':
      return undefined
  }
}

/**
 * The usual means of pages, the first that is there. A batch of `small` programs is done before another thread or a device has heard of
 * it: `docs/results/playground.md` has the numbers.
 */
export type Work = keyof typeof usual
const usual = { small: ['webasm'], large: all } as const satisfies Readonly<Record<string, ReadonlyArray<Means>>>

/** The means of a choice on a page of some work. Left: it is not there, and what to choose instead. */
export const meansOf = (choice: Choice, host: Host, work: Work): E.Either<string, Means> => {
  if (choice === 'automatic') {
    const there = usual[work].find(
      (means) => missing(means, host) === undefined && !(means === 'webgpu' && emulated(host))
    )
    return E.right(there ?? 'webasm')
  }
  const why = missing(choice, host)
  return why === undefined ? E.right(choice) : E.left(`${why}; choose automatic kernels`)
}

const emulated = ({ webgpu }: Host): boolean => webgpu === 'emulated'

/** The options of a target. */
export const optionsOf = (means: Means, host: Host): GpuJsOptions => {
  switch (means) {
    case 'webgpu':
      return { mode: 'webgpu' }
    case 'threads':
      return { mode: 'webasm', threads: threadsOf(host) }
    case 'webasm':
      return { mode: 'webasm' }
  }
}

/** A means for people. */
export const show = (means: Means, host: Host): string => {
  switch (means) {
    case 'webgpu':
      return emulated(host) ? 'WebGPU, emulated' : 'WebGPU'
    case 'threads':
      return `WebAssembly on ${threadsOf(host)} threads`
    case 'webasm':
      return 'WebAssembly'
  }
}

/** A means in a word or two, beside its name. */
export const brief = (means: Means, host: Host): string => {
  switch (means) {
    case 'webgpu':
      return 'WebGPU'
    case 'threads':
      return `${threadsOf(host)} threads`
    case 'webasm':
      return 'one thread'
  }
}

/** The choice that an address says. */
export const choiceOf = (text: string | null): Choice => choices.find((one) => one === text) ?? 'automatic'

// -------------------------------------------------------------------------------------
// this browser
// -------------------------------------------------------------------------------------

/** What a browser says of its WebGPU; types of it come with none of the libraries here. */
interface Navigator {
  readonly hardwareConcurrency?: number
  readonly gpu?: {
    readonly requestAdapter: () => Promise<{
      readonly isFallbackAdapter?: boolean
      readonly info?: { readonly isFallbackAdapter?: boolean }
    } | null>
  }
}

/** What this browser has. */
export const hostOf = async (navigator: Navigator): Promise<Host> => {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null)
  const fallback = adapter?.info?.isFallbackAdapter ?? adapter?.isFallbackAdapter ?? false
  return {
    webgpu: adapter === null || adapter === undefined ? 'none' : fallback ? 'emulated' : 'device',
    shared: typeof SharedArrayBuffer === 'function',
    cores: navigator.hardwareConcurrency ?? 2
  }
}
