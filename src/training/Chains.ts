/**
 * The chains that a configuration may name, on any base model.
 *
 * A model's denoiser was trained at times with shares of data by its own schedule. Each chain here has levels of noise of its own,
 * and tells the denoiser the times at which it has seen their signal-to-noise ratios (`TimeMap`).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { cascade } from '../chain/sampler/Cascade.js'
import type { Chain } from '../chain/Chain.js'
import { consistency } from '../chain/sampler/Consistency.js'
import * as Ddim from '../chain/sampler/Ddim.js'
import { ddpm } from '../chain/sampler/Ddpm.js'
import { guided, type Denoiser } from '../chain/Denoiser.js'
import * as Edm from '../chain/sampler/Edm.js'
import * as Flow from '../chain/sampler/Flow.js'
import type { Schedule } from '../chain/Schedule.js'
import { maps, matched, retimed, type TimeMap } from '../chain/TimeMap.js'
import * as VeSde from '../chain/sampler/VeSde.js'
import * as VpSde from '../chain/sampler/VpSde.js'
import type { Rows } from '../lens/Rows.js'
import type { Params } from '../lens/Lens.js'
import { type ShareName, schedules } from '../chain/Share.js'
import { type DocumentError, fault } from '../document/Document.js'
import type { ChainName, Config } from './Config.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a chain is built on: a denoiser, the schedule that it was trained on, and whether its outputs are latents.
 *
 * @category model
 * @since 0.1.0
 */
export interface Base {
  readonly denoiser: Denoiser<Params, number, number>
  readonly share: ShareName
  readonly latent: boolean
}

/**
 * The options of a chain; each reads those that it has.
 *
 * @category model
 * @since 0.1.0
 */
export type Options = Omit<Config['chain'], 'kind'>

/**
 * A chain on rows, of any parameters.
 *
 * @category model
 * @since 0.1.0
 */
export type RowChain = Chain<Params, readonly ['batch', number], Rows<number>>

type Build = (base: Base, options: Options) => E.Either<DocumentError, RowChain>

// -------------------------------------------------------------------------------------
// schedules
// -------------------------------------------------------------------------------------

/** The levels that the options name, at the model's times. */
const named = ({ share }: Base, { schedule, T }: Options): Schedule =>
  schedule === share ? schedules[share](T) : retimed(maps[share])(schedules[schedule](T))

/** A chain with a schedule of its own. */
const own =
  (
    schedule: (map: TimeMap) => (T: number) => Schedule,
    chain: (denoiser: Base['denoiser'], schedule: Schedule, options: Options) => RowChain
  ): Build =>
  ({ denoiser, share }, options) =>
    E.right(chain(denoiser, schedule(maps[share])(options.T), options))

/** A chain on the levels that the options name. */
const on =
  (chain: (denoiser: Base['denoiser'], schedule: Schedule, options: Options) => RowChain): Build =>
  (base, options) =>
    E.right(chain(base.denoiser, named(base, options), options))

// -------------------------------------------------------------------------------------
// cascade
// -------------------------------------------------------------------------------------

/**
 * The time at which a cascade hands over to the image: at 0.7 of the cosine schedule a fifth of the data's variance is left, so
 * that the details, which the hand-over leaves out, are mostly noise there.
 *
 * @category constants
 * @since 0.1.0
 */
export const handOver = 0.7

const wrong = (path: string, expected: string, got: string, remedy: string): DocumentError => ({
  ...fault(path, expected, undefined, remedy),
  got
})

/** Half of the steps for the small image, the rest for the image; each phase is DDIM with the same eta. */
const cascaded: Build = ({ denoiser, share, latent }, { T, eta }) => {
  const side = Math.sqrt(denoiser.features / 3)
  if (latent || side % 2 !== 0) {
    const got = latent ? 'latents' : `rows of ${denoiser.features}`
    return E.left(wrong('chain.kind', 'a model of square images of three channels for cascade', got, 'choose ddim'))
  }
  if (T < 2) return E.left(wrong('chain.T', 'at least 2 steps for cascade', String(T), 'raise it'))
  const map = maps[share]
  const lowSteps = Math.floor(T / 2)
  const highSteps = T - lowSteps
  const coefficients = (schedule: Schedule, t: number): ReturnType<typeof Ddim.coefficients> =>
    Ddim.coefficients(schedule, eta, t)
  const times = Array.from({ length: highSteps }, (_, i) => (handOver * (i + 1)) / highSteps)
  return E.right(
    cascade({
      denoiser,
      layout: { side, channels: 3 },
      low: { schedule: schedules[share](lowSteps), coefficients },
      high: { schedule: matched(map)(times.map(map.share)), coefficients }
    })
  )
}

// -------------------------------------------------------------------------------------
// table
// -------------------------------------------------------------------------------------

const ddim: Build = /*#__PURE__*/ on((denoiser, schedule, { eta }) => Ddim.ddim({ denoiser, schedule, eta }))

/**
 * How each chain is built.
 *
 * - `ddpm` (`variance`), `ddim` (`eta`), `consistency`: on the levels of `schedule`.
 * - `vp-sde`, `ve-sde`, `edm` (`eta`), `flow-ode`, `flow-sde` (`eta`): on levels of their own.
 * - `latent`: DDIM, for a model of latents. The other chains take such a model too, but for `cascade`.
 * - `cascade` (`eta`): DDIM of the small image, then of the image, with one network.
 *
 * @category table
 * @since 0.1.0
 */
export const table: Readonly<Record<ChainName, Build>> = {
  ddpm: /*#__PURE__*/ on((denoiser, schedule, { variance }) => ddpm({ denoiser, schedule, variance })),
  ddim,
  'vp-sde': /*#__PURE__*/ own(VpSde.schedule, (denoiser, schedule) => VpSde.vpSde({ denoiser, schedule })),
  've-sde': /*#__PURE__*/ own(VeSde.schedule, (denoiser, schedule) => VeSde.veSde({ denoiser, schedule })),
  edm: /*#__PURE__*/ own(Edm.schedule, (denoiser, schedule, { eta }) => Edm.edm({ denoiser, schedule, eta })),
  'flow-sde': (base, options) =>
    options.eta > 0
      ? own(Flow.schedule, (denoiser, schedule, { eta }) => Flow.flowSde({ denoiser, schedule, eta }))(base, options)
      : E.left(
          wrong('chain.eta', 'a number above 0 for flow-sde', String(options.eta), 'raise it, or choose flow-ode')
        ),
  'flow-ode': /*#__PURE__*/ own(Flow.schedule, (denoiser, schedule) => Flow.flowOde({ denoiser, schedule })),
  consistency: /*#__PURE__*/ on((denoiser, schedule) => consistency({ denoiser, schedule })),
  latent: (base, options) =>
    base.latent
      ? ddim(base, options)
      : E.left(
          wrong(
            'chain.kind',
            "a model of latents with a decoder for 'latent'",
            'a model of images',
            "set `model` to a file that `halforder pretrain` wrote for latents, or choose 'ddim'"
          )
        ),
  cascade: cascaded
}

/**
 * The chain of a name and its options on a base, with guidance. Left: a chain that the base cannot serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (base: Base, { kind, ...options }: Config['chain']): E.Either<DocumentError, RowChain> =>
  table[kind]({ ...base, denoiser: guided(options.guidance)(base.denoiser) }, options)
