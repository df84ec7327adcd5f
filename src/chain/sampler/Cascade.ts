/**
 * A cascade as one ordinary chain: a small image first, then the image, on one state with one isotropic noise a step.
 *
 * The orthonormal Haar transform of an image has a low band, `2 x 2` sums over 2, and details. Isotropic noise is isotropic in
 * both, so bands may follow different processes as long as each step gives both the same deviation. Three phases:
 *
 * 1. *low*, steps `T .. H + 2`: the low band runs a diffusion of the small image (side halved), while the details stay
 *    stationary noise: their mean is `sqrt(1 - sigma^2)` times what they were, so they stay standard normal.
 * 2. *hand-over*, step `H + 1`, the small image's last: its mean `z` is the small image, and the image without details has the low
 *    band `2 z`. It is put to the level `a` of step `H` of the image's schedule: the low band's mean is `2 sqrt(a) z`, the
 *    details' is 0, and `sigma = sqrt(1 - a)`. That is the noise augmentation of Ho et al. (arXiv 2106.15282).
 * 3. *high*, steps `H .. 1`: the image's diffusion from there.
 *
 * The hand-over leaves out what the details of the data would be at that level, a share `a` of their variance: exact for data
 * without details, and the less it matters the noisier level `H` is.
 *
 * A small image's network can be one of its own, `lifted` to the state; or the image's network itself, since the low band of
 * its prediction is a prediction of the low band.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import * as L from '../../lens/Lens.js'
import type { Lens, Params } from '../../lens/Lens.js'
import * as X from '../../tensor/Expr.js'
import type { Scalar } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import { lookup, refused, type Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import type { Coefficients } from '../EpsilonSampler.js'
import { average, type Layout } from '../Haar.js'
import { normal } from '../Noise.js'
import { check, sound, type Schedule } from '../Schedule.js'
import * as E from 'fp-ts/lib/Either.js'
import { type Build, refuse, type SamplerRow } from '../SamplerRow.js'
import { schedules } from '../Share.js'
import { maps, matched } from '../TimeMap.js'
import * as Ddim from './Ddim.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A sampler on a schedule: `Ddim.coefficients` or others', with their options given.
 *
 * @category model
 * @since 0.1.0
 */
export interface Phase {
  readonly schedule: Schedule
  readonly coefficients: (schedule: Schedule, t: number) => Coefficients
}

/** What a step does to each band: `mean = state x + epsilon eps`, where the network reads `input x` at `time`. */
interface Band {
  readonly input: number
  readonly state: number
  readonly epsilon: number
}

interface Row {
  readonly time: number
  readonly sigma: number
  readonly low: Band
  readonly detail: Band
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** The numbers of steps `1..T`. `reads` is how the network of the low phase reads the bands at its step `t`. */
const rows = (low: Phase, high: Phase, reads: (t: number) => Reading): ReadonlyArray<Row> => {
  const both = (band: Band): Pick<Row, 'low' | 'detail'> => ({ low: band, detail: band })
  const above = Array.from({ length: high.schedule.T }, (_, i): Row => {
    const { state, epsilon, sigma } = high.coefficients(high.schedule, i + 1)
    return { time: high.schedule.time[i + 1] ?? 1, sigma, ...both({ input: 1, state, epsilon }) }
  })
  const level = high.schedule.alphaBar[high.schedule.T] ?? 1
  const below = Array.from({ length: low.schedule.T }, (_, i): Row => {
    const { state, epsilon, sigma } = low.coefficients(low.schedule, i + 1)
    const reading = reads(i + 1)
    const still = { input: reading.detail, epsilon: 0 }
    const time = low.schedule.time[i + 1] ?? 1
    if (i > 0) {
      const detail = { ...still, state: Math.sqrt(Math.max(1 - sigma * sigma, 0)) }
      return { time, sigma, low: { input: reading.low, state, epsilon }, detail }
    }
    const scale = 2 * Math.sqrt(level)
    return {
      time,
      sigma: Math.sqrt(1 - level),
      low: { input: reading.low, state: scale * state, epsilon: scale * epsilon },
      detail: { ...still, state: 0 }
    }
  })
  return [...above, ...below]
}

/** The phases with schedules that tables can be made of, and what is wrong with those that they have. */
const soundPhases = (phases: {
  readonly low: Phase
  readonly high: Phase
}): { readonly faults: Need.Faults; readonly low: Phase; readonly high: Phase } => {
  const { low, high } = phases
  return {
    faults: [...check(low.schedule), ...check(high.schedule)],
    low: { ...low, schedule: sound(low.schedule) },
    high: { ...high, schedule: sound(high.schedule) }
  }
}

/** The details stay standard noise in the low phase only where no step has more noise than that. */
const bandFaults = (table: ReadonlyArray<Row>): Need.Faults =>
  table.flatMap(({ sigma }, i) => (sigma > 1 ? Need.between('cascade', `deviation of step ${i + 1}`, sigma, 0, 1) : []))

interface Reading {
  readonly low: number
  readonly detail: number
}

/** The chain of a table and a network that reads a state at a step. */
const fromRows = <P extends Params, D extends number, K extends number>(
  name: string,
  table: ReadonlyArray<Row>,
  { features, labels, networkCalls }: Pick<Denoiser<P, D, K>, 'features' | 'labels' | 'networkCalls'>,
  layout: Layout,
  network: (t: Scalar) => Lens<P, { readonly x: Rows<D>; readonly time: Rows<1>; readonly c: Rows<K> }, Rows<D>>,
  /** the share of data at which the network reads its input, by step, where its prediction is of the image */
  shares?: ReadonlyArray<number>
): Chain<P, readonly ['batch', D], Rows<K>> => {
  const column = (f: (row: Row) => number): ReadonlyArray<number> => [0, ...table.map(f)]
  const { parameters } = network(X.scalar(1))
  const smooth = (x: Rows<D>): Rows<D> => average(layout, features)(x)
  /** A factor for the low band and one for the details; it is its own transpose. */
  const weigh =
    (f: (band: Band) => number) =>
    (t: Scalar, x: Rows<D>): Rows<D> =>
      X.add(
        X.mul(
          x,
          lookup(
            column((row) => f(row.detail)),
            t
          )
        ),
        X.mul(
          smooth(x),
          lookup(
            column((row) => f(row.low) - f(row.detail)),
            t
          )
        )
      )
  const input = weigh((band) => band.input)
  const state = weigh((band) => band.state)
  const epsilon = weigh((band) => band.epsilon)
  const timeOf = (t: Scalar): Rows<1> =>
    X.broadcastTo(
      lookup(
        column((row) => row.time),
        t
      ),
      ['batch', 1]
    )
  /** The clean image that the network's own input and prediction imply at its share of data. */
  const cleanBy =
    (share: ReadonlyArray<number>): NonNullable<Chain<P, readonly ['batch', D], Rows<K>>['clean']> =>
    (t) =>
      L.make(parameters, (p, { x, c }) => {
        const [prediction, back] = network(t).run(p, { x: input(t, x), time: timeOf(t), c })
        const signal = lookup([1, ...share.map((a) => 1 / Math.sqrt(a))], t)
        const noise = lookup([0, ...share.map((a) => -Math.sqrt((1 - a) / a))], t)
        return [
          X.add(X.mul(input(t, x), signal), X.mul(prediction, noise)),
          (bar) => {
            const [pBar, inner] = back(X.mul(bar, noise))
            return [pBar, { x: input(t, X.add(X.mul(bar, signal), inner.x)), c: inner.c }]
          }
        ]
      })
  return {
    name,
    T: table.length,
    state: ['batch', features],
    condition: ['batch', labels],
    parameters,
    sigma: column((row) => row.sigma),
    noise: normal,
    networkCalls,
    mean: (t) =>
      L.make(parameters, (p, { x, c }) => {
        const [prediction, back] = network(t).run(p, { x: input(t, x), time: timeOf(t), c })
        return [
          X.add(state(t, x), epsilon(t, prediction)),
          (bar) => {
            const [pBar, inner] = back(epsilon(t, bar))
            return [pBar, { x: X.add(state(t, bar), input(t, inner.x)), c: inner.c }]
          }
        ]
      }),
    ...(shares === undefined ? {} : { clean: cleanBy(shares) })
  }
}

/**
 * The cascade on one network, the image's, with schedules of that network for both phases. At its share of data `a` the low band
 * `2 z` has the signal-to-noise ratio that `z` has at the share `b = 4 a / (1 + 3 a)`, so that is the small image's schedule. The
 * network reads the low band multiplied by `sqrt((1 - a) / (1 - b)) = sqrt(1 + 3 a)`, which is the image's scale, and the details,
 * noise alone, by `sqrt(1 - a)`; of what it predicts the low band is taken.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cascade = <P extends Params, D extends number, K extends number>(options: {
  readonly denoiser: Denoiser<P, D, K>
  readonly layout: Layout
  readonly low: Phase
  readonly high: Phase
}): Chain<P, readonly ['batch', D], Rows<K>> => {
  const { denoiser, layout } = options
  const { faults, low, high } = soundPhases(options)
  const alphaBar = low.schedule.alphaBar.map((a) => (4 * a) / (1 + 3 * a))
  const small = { ...low, schedule: { ...low.schedule, alphaBar } }
  const table = rows(small, high, (t) => {
    const a = low.schedule.alphaBar[t] ?? 1
    return { low: Math.sqrt(1 + 3 * a), detail: Math.sqrt(1 - a) }
  })
  const shares = [...high.schedule.alphaBar.slice(1), ...low.schedule.alphaBar.slice(1)]
  return refused([...faults, ...bandFaults(table)])(
    fromRows('cascade', table, denoiser, layout, () => denoiser.lens, shares)
  )
}

/**
 * The cascade on two networks, with their parameters side by side as `low` and `high`: the small image's, `lifted` to the state,
 * and the image's. Both are evaluated at every step, since one program serves all steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cascadeOfTwo = <P extends Params, Q extends Params, D extends number, K extends number>(options: {
  readonly small: Denoiser<P, D, K>
  readonly denoiser: Denoiser<Q, D, K>
  readonly layout: Layout
  readonly low: Phase
  readonly high: Phase
}): Chain<{ readonly low: P } & { readonly high: Q }, readonly ['batch', D], Rows<K>> => {
  const { small, denoiser } = options
  const { faults, low, high } = soundPhases(options)
  const table = rows(low, high, () => ({ low: 1, detail: 1 }))
  const pair = L.fanout(L.at('low', small.lens), L.at('high', denoiser.lens))
  const isHigh = [0, ...table.map((_, i) => (i < high.schedule.T ? 1 : 0))]
  const networkCalls = small.networkCalls + denoiser.networkCalls
  const chain = fromRows('cascade', table, { ...denoiser, networkCalls }, options.layout, (t) => {
    const above = lookup(isHigh, t)
    const below = lookup(
      isHigh.map((h) => 1 - h),
      t
    )
    return L.compose(
      pair,
      L.pure(({ first, second }) => [
        // not a sum of products: the network that is not asked may give anything
        X.select(X.broadcastTo(above, second.shape), second, first),
        (bar) => ({ first: X.weigh(bar, below), second: X.weigh(bar, above) })
      ])
    )
  })
  return refused([...faults, ...bandFaults(table)])(chain)
}

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * The time at which a cascade hands over to the image: at 0.7 of the cosine schedule a fifth of the data's variance is left, so
 * that the details, which the hand-over leaves out, are mostly noise there.
 *
 * @category constants
 * @since 0.1.0
 */
export const handOver = 0.7

/** Half of the steps for the small image, the rest for the image; each phase is DDIM with the same eta. */
const build: Build = ({ denoiser, share, latent, levels }, { T, eta, clip }) => {
  if (levels !== undefined) {
    return refuse('chain.kind', "a chain on the model's levels", 'one on its own', "choose 'ddpm' or 'ddim'")
  }
  const side = Math.sqrt(denoiser.features / 3)
  if (latent || side % 2 !== 0) {
    const got = latent ? 'latents' : `rows of ${denoiser.features}`
    return refuse('chain.kind', 'a model of square images of three channels for cascade', got, 'choose ddim')
  }
  if (clip !== undefined) return refuse('chain.clip', '0 for cascade', String(clip), 'leave it out, or choose ddim')
  if (T < 2) return refuse('chain.T', 'at least 2 steps for cascade', String(T), 'raise it')
  const map = maps[share]
  const lowSteps = Math.floor(T / 2)
  const highSteps = T - lowSteps
  const coefficients: Phase['coefficients'] = (schedule, t) => Ddim.coefficients(schedule, eta, t)
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

/**
 * `cascade` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'cascade'> = {
  name: 'cascade',
  prose: 'DDIM (`eta`) of a small image, then of the image, with one network',
  build
}
