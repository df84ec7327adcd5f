/**
 * What there is to know of a sampler by name: one row, from which configurations and help are read.
 *
 * A file of `sampler/` that exports a `row`, or some `rows`, is a chain that has a name; nothing else lists it. A
 * model's denoiser was trained at times with shares of data by its own schedule. Each chain has levels of noise of its
 * own, and tells the denoiser the times at which it has seen their signal-to-noise ratios (`TimeMap`).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { type DocumentError, fault } from '../document/Document.js'
import type { Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import type { Chain } from './Chain.js'
import type { Denoiser } from './Denoiser.js'
import type { Schedule } from './Schedule.js'
import { type ShareName, schedules } from './Share.js'
import { maps, retimed, type TimeMap } from './TimeMap.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a chain is built on: a denoiser, the schedule that it was trained on, and whether its outputs are latents. A denoiser that
 * was trained at levels of its own has `levels`, those of a chain of `T` steps, at its own times; then `share` says nothing. `own`: the
 * chain that it comes with, such as that of its scheduler.
 *
 * @category model
 * @since 0.1.0
 */
export interface Base {
  readonly denoiser: Denoiser<Params, number, number>
  readonly share: ShareName
  readonly latent: boolean
  readonly levels?: ((T: number) => Schedule) | undefined
  readonly own?: Own | undefined
}

/**
 * A chain that a model comes with: what its network predicts by itself, in the form of a denoiser, and the chain on that. Guidance is
 * its own to see to.
 *
 * @category model
 * @since 0.1.0
 */
export interface Own {
  readonly network: Denoiser<Params, number, number>
  readonly build: (network: Own['network'], options: Options) => E.Either<DocumentError, RowChain>
}

/**
 * The options of a chain; each reads those that it has: the number of steps, how much noise, which variance, the levels
 * of noise by name, where clean predictions are clipped (`Clipping`). The scale of guidance is in the denoiser already.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly T: number
  readonly eta: number
  readonly variance: 'small' | 'large'
  readonly schedule: ShareName
  readonly guidance: number
  readonly clip?: number
  readonly window?: readonly [lowest: number, highest: number] | 'moving'
}

/**
 * A chain on rows, of any parameters.
 *
 * @category model
 * @since 0.1.0
 */
export type RowChain = Chain<Params, readonly ['batch', number], Rows<number>>

/**
 * A chain of some options on a base. Left: a chain that the base cannot serve.
 *
 * @category model
 * @since 0.1.0
 */
export type Build = (base: Base, options: Options) => E.Either<DocumentError, RowChain>

/**
 * A chain that has a name. `prose`: one line, with the options that it reads. `windows`: may its noise be kept to a window of steps?
 *
 * @category model
 * @since 0.1.0
 */
export interface SamplerRow<N extends string> {
  readonly name: N
  readonly prose: string
  readonly windows?: true
  readonly build: Build
}

/** What makes a chain of a denoiser and a schedule. */
type Sampler = (denoiser: Base['denoiser'], schedule: Schedule, options: Options) => RowChain

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A chain on the levels of noise that the options name, at the model's times, or on those of the model itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onLevels =
  (chain: Sampler): Build =>
  ({ denoiser, share, levels }, options) => {
    const { schedule, T } = options
    const named = (): Schedule =>
      schedule === share ? schedules[share](T) : retimed(maps[share])(schedules[schedule](T))
    return E.right(chain(denoiser, levels === undefined ? named() : levels(T), options))
  }

/**
 * A chain with levels of its own. Left: a model with levels of its own, which are others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onItsOwn =
  (schedule: (map: TimeMap) => (T: number) => Schedule, chain: Sampler): Build =>
  ({ denoiser, share, levels }, options) =>
    levels === undefined
      ? E.right(chain(denoiser, schedule(maps[share])(options.T), options))
      : refuse('chain.kind', "a chain on the model's levels", 'one on its own', "choose 'ddpm' or 'ddim'")

/**
 * The refusal of an option or of a base: what was expected, what was found, and what to do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (path: string, expected: string, got: string, remedy: string): E.Either<DocumentError, never> =>
  E.left({ ...fault(path, expected, undefined, remedy), got })
