/**
 * The chains that a configuration may name, on any base model.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { withoutLastNoise } from '../chain/Chain.js'
import { guided, heldInput } from '../chain/Denoiser.js'
import { samplers } from '../chain/sampler/All.gen.js'
import type { Base, Options, RowChain, SamplerRow } from '../chain/SamplerRow.js'
import { type DocumentError, fault } from '../document/Document.js'

/**
 * The name of a chain.
 *
 * @category model
 * @since 0.1.0
 */
export type ChainName = (typeof samplers)[number]['name']

/**
 * Steps that have noise: the lowest and the highest, or so many at a time, which move: `down` from the top by one in `every` steps of a run,
 * and from the top again at the end, as in MixGRPO (arXiv 2507.21802); or to a place at `random` in each.
 *
 * @category model
 * @since 0.1.0
 */
export type Window =
  | readonly [lowest: number, highest: number]
  | { readonly size: number; readonly moves: 'down' | 'random'; readonly every: number }

/**
 * Does a window move?
 *
 * @category readings
 * @since 0.1.0
 */
export const moves = (window: Window | null): window is Exclude<Window, readonly [number, number]> =>
  window !== null && 'size' in window

/**
 * A chain by name, with its options: a `clip` of 0 is none, without `lastNoise` step 1 has no noise, and a `window` keeps the noise
 * to some steps (null: to none in particular).
 *
 * @category model
 * @since 0.1.0
 */
export interface NamedChain extends Omit<Options, 'window'> {
  readonly kind: ChainName
  readonly clip: number
  readonly lastNoise: boolean
  readonly window: Window | null
}

/**
 * The names of all chains.
 *
 * @category table
 * @since 0.1.0
 */
export const names: ReadonlyArray<ChainName> = samplers.map(({ name }) => name)

/** Those whose noise can be kept to a window. */
const listed = samplers.flatMap((row: SamplerRow<ChainName>) => (row.windows === true ? [row.name] : [])).join(', ')

const within = (window: Window, T: number): boolean =>
  moves(window) ? window.size <= T : window[0] >= 1 && window[0] <= window[1] && window[1] <= T

/**
 * The chain of a name and its options on a base, with guidance. Left: a chain that the base cannot serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (
  base: Base,
  { kind, clip, lastNoise, window, ...options }: NamedChain
): E.Either<DocumentError, RowChain> => {
  const row: SamplerRow<ChainName> | undefined = samplers.find(({ name }) => name === kind)
  return row === undefined
    ? E.left(fault('chain.kind', `one of ${names.join(', ')}`, kind, 'choose one of them'))
    : window !== null && row.windows !== true
      ? E.left(fault('chain.window', `null for ${kind}`, window, `leave it out, or choose ${listed}`))
      : base.denoiser.alphabet !== undefined && kind !== 'masked'
        ? E.left(fault('chain.kind', "'masked', since the model is one of tokens", kind, 'choose it'))
        : window !== null && !within(window, options.T)
          ? E.left(
              moves(window)
                ? fault('chain.window.size', `a number within 1..${options.T}`, window.size, 'choose another')
                : fault('chain.window', `two steps within 1..${options.T}, the lowest first`, window, 'choose others')
            )
          : pipe(
              E.Do,
              E.let('denoiser', () => guided(options.guidance)(base.denoiser)),
              E.let('all', () => ({
                ...options,
                ...(clip === 0 ? {} : { clip }),
                ...(window === null ? {} : { window: moves(window) ? ('moving' as const) : window })
              })),
              E.bind('made', ({ all, denoiser }) => row.build({ ...base, denoiser }, all)),
              E.bind('holding', ({ all, denoiser }) => row.build({ ...base, denoiser: heldInput(denoiser) }, all)),
              E.map(({ made, holding }) => ({ ...made, held: holding.mean })),
              E.map((made) => (lastNoise ? made : withoutLastNoise(made)))
            )
}
