/**
 * WebGPU in Node, which has none of its own: from the package `webgpu`, if it is there. It is no dependency of this package.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import type { Mode } from 'halforder/kernel'
import { type Failure, type Step, usage } from './Failure.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What `navigator.gpu` is asked for before anything runs on it. */
const Gpu = t.type({ requestAdapter: t.Function })

/** The package, as far as it is used: `create` makes a `navigator.gpu` from flags. */
const Package = t.type({ create: t.Function })

const name = 'webgpu'

const elsewhere = "or use the mode 'webasm', which runs anywhere"

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * Makes sure that there is a `navigator.gpu` where the mode is `webgpu`: the one that is there, or that of the package
 * `webgpu`. Left: a package that is not installed or does not load, or no driver for it. `load` imports the package.
 *
 * @category effects
 * @since 0.1.0
 */
export const webGpu = (mode: Mode, load: () => Promise<unknown> = () => import(name)): Step<void> =>
  mode !== 'webgpu' || present()
    ? TE.right(undefined)
    : pipe(
        TE.tryCatch(load, unloaded),
        TE.filterOrElse(Package.is, () => strange),
        TE.flatMap(({ create }) =>
          TE.tryCatch(async (): Promise<unknown> => Reflect.apply(create, undefined, [[]]), unloaded)
        ),
        TE.filterOrElse(Gpu.is, () => strange),
        TE.chainFirst((gpu) =>
          pipe(
            TE.tryCatch(async (): Promise<unknown> => Reflect.apply(gpu.requestAdapter, gpu, []), unloaded),
            TE.filterOrElse(
              (adapter) => typeof adapter === 'object' && adapter !== null,
              () =>
                usage(`mode webgpu: the package '${name}' found no adapter; install a driver of your GPU, ${elsewhere}`)
            )
          )
        ),
        TE.map((gpu) => {
          // Node 20 has no navigator
          if (typeof navigator === 'undefined')
            Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
          Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
        })
      )

const present = (): boolean => typeof navigator !== 'undefined' && Gpu.is(Reflect.get(navigator, 'gpu'))

const unloaded = (error: unknown): Failure => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return code === 'ERR_MODULE_NOT_FOUND'
    ? usage(
        `mode webgpu: Node has no WebGPU, and the package '${name}' is not installed; npm install ${name}, ${elsewhere}`
      )
    : usage(
        `mode webgpu: the package '${name}' does not load: ${error instanceof Error ? error.message : String(error)}; ` +
          `npm install ${name}@latest, ${elsewhere}`
      )
}

const strange: Failure = usage(
  `mode webgpu: the package '${name}' has no create() that gives a GPU; npm install ${name}@latest, ${elsewhere}`
)
