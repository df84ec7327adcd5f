/**
 * Which estimator to take, found out by a pilot: all that fit are measured on the same draws, and after each round the better half goes
 * on, on further draws, until two are left; each round takes as much of the pilot's share of the budget (successive halving: Karnin,
 * Koren and Somekh, ICML 2013; Jamieson and Talwalkar, arXiv 1502.07943). What counts is variance times the time that a sample
 * takes.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import { lenses } from '../../reward/StepReward.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import type { Exprs } from '../../tensor/Tree.js'
import { ofCover } from './Cost.js'
import type { Cover } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as Gradient from '../Gradient.js'
import type { EstimatorError, Problem } from '../Gradient.js'
import * as Variance from './Variance.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a pilot is run. `samples`: those of the whole run that it is for; `share`: what part of the run's network evaluations and
 * pullbacks the pilot may take, those of the run being what it would take with whichever of the candidates that are left is the
 * cheapest, unless a least first round takes more. `rows`: the batch sizes
 * that may be measured; of them the largest with which the first round takes no more than a third of what the dearest may. `draws` are the
 * draws of a batch of so many rows, and `clock` tells seconds.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly samples: number
  readonly share: number
  readonly rows?: ReadonlyArray<number>
  readonly draws: (batch: number) => Variance.Draws
  readonly clock: IO<number>
}

/**
 * A candidate as the pilot has it after its last round: how many samples were measured, the variance of one, the seconds that one
 * takes, and their product; how many rounds it was in; what a sample takes, in evaluations and pullbacks; the bytes of its
 * activations.
 *
 * @category model
 * @since 0.1.0
 */
export interface Entry<A> {
  readonly candidate: A
  readonly samples: number
  readonly variance: number
  readonly seconds: number
  readonly score: number
  readonly rounds: number
  readonly work: number
  readonly peakBytes: number
}

/**
 * What a pilot found: the candidates, the best first, and the work that it took, with what of it was allowed.
 *
 * @category model
 * @since 0.1.0
 */
export interface Found<A> {
  readonly entries: readonly [Entry<A>, ...ReadonlyArray<Entry<A>>]
  readonly work: number
  readonly allowed: number
}

/**
 * Why a pilot found nothing: none of the candidates is unbiased and can stand on the problem, or the least of a first round is more
 * than it may take.
 *
 * @category model
 * @since 0.1.0
 */
export type PilotError =
  | EstimatorError
  | { readonly _tag: 'NoCandidate'; readonly reason: string }
  | { readonly _tag: 'TooLittleWork'; readonly needed: number; readonly got: number }

// -------------------------------------------------------------------------------------
// the pilot
// -------------------------------------------------------------------------------------

/** Evaluations and pullbacks of a sample of one cover. */
const workOf = (cover: Cover, networkCalls: number, stepCalls: number): number => {
  const { networkEvaluations, pullbackSteps } = ofCover(cover, networkCalls, stepCalls)
  return networkEvaluations + networkCalls * pullbackSteps
}

/** What is known of a candidate so far, as sums that rounds add to. */
interface Known<A> {
  readonly candidate: A
  readonly work: number
  readonly units: number
  readonly samples: number
  readonly mean: ReadonlyArray<number>
  readonly squares: number
  readonly seconds: number
  readonly rounds: number
  readonly peakBytes: number
}

/** Moments of two lots of samples together. */
const pooled = <A>(known: Known<A>, measured: Variance.Measured, units: number): Known<A> => {
  const { n, mean, variance } = measured.gradient
  // of the mean of a batch, in units of one sample
  const [size, squares] = [measured.batch, measured.batch * (n > 1 ? variance * (n - 1) : 0)]
  const total = known.samples + n
  const gap = known.samples === 0 ? 0 : mean.reduce((sum, m, i) => sum + (m - (known.mean[i] ?? 0)) ** 2, 0)
  return {
    ...known,
    units: known.units + units,
    samples: total,
    mean: mean.map((m, i) => ((known.mean[i] ?? 0) * known.samples + m * n) / total),
    squares: known.squares + squares + (size * gap * known.samples * n) / total,
    // a single batch is the first of its programs, which takes longer than any later one
    seconds: units < 2 ? known.seconds : Math.min(known.seconds, measured.seconds ?? Number.POSITIVE_INFINITY),
    rounds: known.rounds + 1,
    peakBytes: measured.peakBytes
  }
}

/** Seconds that an evaluation or a pullback of a row takes: the median of those that were timed, or 1 where none was. */
const rateOf = <A>(known: ReadonlyArray<Known<A>>, rows: number): number => {
  const rates = known
    .map(({ seconds, work }) => seconds / (work * rows))
    .filter(Number.isFinite)
    .sort((a, b) => a - b)
  return rates[Math.floor(rates.length / 2)] ?? 1
}

/** What was never timed is taken to be as fast as the others are. */
const entryOf =
  (rows: number, rate: number) =>
  <A>({ candidate, samples, squares, seconds, rounds, work, peakBytes }: Known<A>): Entry<A> => {
    const variance = samples > 1 ? squares / (samples - 1) : Number.POSITIVE_INFINITY
    const each = Number.isFinite(seconds) ? seconds / rows : rate * work
    return { candidate, samples, variance, seconds: each, score: variance * each, rounds, work, peakBytes }
  }

/** Draws from the `from`-th on. */
const later = (draws: Variance.Draws, from: number): Variance.Draws => ({
  uniform: (i) => draws.uniform(from + i),
  request: (i, cover) => draws.request(from + i, cover)
})

/**
 * Runs a pilot of some candidates on a problem. Those that are biased, or can not stand on it, are left out. Left: none is left,
 * too little work, or what a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const pilot = <
  A extends { readonly estimator: Estimator },
  P extends Params,
  S extends Batched,
  C extends Exprs,
  R extends Params
>(
  problem: Omit<Problem<P, S, C, R>, 'estimator' | 'batch'>,
  candidates: ReadonlyArray<A>,
  target: Target,
  { samples, share, rows: sizes = [8, 4, 2], draws: drawsOf, clock }: Options
): TE.TaskEither<PilotError, Found<A>> => {
  const { networkCalls } = problem.chain
  const stepCalls = lenses(problem.steps).reduce((total, one) => total + one.networkCalls, 0)
  const checked = candidates.map((candidate) =>
    pipe(
      Gradient.check({ ...problem, batch: 2, estimator: candidate.estimator }),
      E.filterOrElseW(
        () => candidate.estimator._tag === 'exact',
        () => undefined
      ),
      E.map(() => candidate)
    )
  )
  // the same covers under two names are one candidate
  const standing = RA.uniq<A>({
    equals: (a, b) => a === b || JSON.stringify(a.estimator.covers) === JSON.stringify(b.estimator.covers)
  })(RA.rights(checked))
  if (standing.length === 0) {
    const [first] = RA.lefts(checked)
    return TE.left({ _tag: 'NoCandidate', reason: first === undefined ? 'all are biased' : Gradient.showError(first) })
  }
  const known = standing.map(
    (candidate): Known<A> => ({
      candidate,
      work: Est.mean(candidate.estimator, (cover) => workOf(cover, networkCalls, stepCalls)),
      units: 0,
      samples: 0,
      mean: [],
      squares: 0,
      seconds: Number.POSITIVE_INFINITY,
      rounds: 0,
      peakBytes: 0
    })
  )
  // means of batches are samples, of which a variance needs two
  const least = Variance.isShared(problem) ? 2 : 1
  const roundOf = (of: ReadonlyArray<Known<A>>, rows: number, units: number): number =>
    of.reduce((sum, { work }) => sum + work * rows * units, 0)
  const allowedBy = ({ work }: Known<A>): number => share * samples * work
  // before anything is known, a run with the one that takes the most
  const most = Math.max(...known.map(allowedBy))
  const rows = sizes.find((size) => roundOf(known, size, least) <= most / 3) ?? Math.min(...sizes)
  const needed = roundOf(known, rows, least)
  if (needed > most) return TE.left({ _tag: 'TooLittleWork', needed: Math.ceil(needed), got: Math.floor(most) })
  const draws = drawsOf(rows)
  const again = (one: Known<A>, units: number): TE.TaskEither<EstimatorError, Known<A>> =>
    pipe(
      Variance.measureAsTrained(
        { ...problem, batch: rows, estimator: one.candidate.estimator },
        target,
        later(draws, one.units),
        units,
        { clock }
      ),
      TE.map((measured) => pooled(one, measured, units))
    )
  const ranked = (all: ReadonlyArray<Known<A>>): ReadonlyArray<Known<A>> => {
    const entry = entryOf(rows, rateOf(all, rows))
    const scored = all.map((one) => ({ one, score: entry(one).score }))
    return scored.sort((a, b) => a.score - b.score).map(({ one }) => one)
  }
  /** How many batches of each: what is left is shared by the rounds to come, until two are left. */
  const unitsOf = (racing: ReadonlyArray<Known<A>>, left: number): number =>
    Math.floor(left / Math.max(1, Math.ceil(Math.log2(racing.length))) / roundOf(racing, rows, 1))
  /** Whichever of them is the best in the end, it is within its share. */
  const leftFor = (racing: ReadonlyArray<Known<A>>, taken: number): number => Math.min(...racing.map(allowedBy)) - taken
  /** So many of the first that a batch of each can be had for what is left: two, or there is no further round. */
  const affordable = (racing: ReadonlyArray<Known<A>>, taken: number): ReadonlyArray<Known<A>> =>
    racing.length < 2 || roundOf(racing, rows, 1) <= leftFor(racing, taken)
      ? racing
      : affordable(racing.slice(0, racing.length - 1), taken)
  const round = (
    racing: ReadonlyArray<Known<A>>,
    out: ReadonlyArray<Known<A>>,
    units: number,
    spent: number
  ): TE.TaskEither<EstimatorError, Found<A>> =>
    pipe(
      racing,
      RA.traverse(TE.ApplicativeSeq)((one) => again(one, units)),
      TE.flatMap((measured) => {
        const taken = spent + roundOf(racing, rows, units)
        const [best, ...others] = ranked(measured)
        if (best === undefined)
          return TE.left<EstimatorError, Found<A>>({ _tag: 'NotCompiled', program: 'a candidate' })
        const half = affordable([best, ...others].slice(0, Math.ceil(measured.length / 2)), taken)
        const more = Math.max(1, unitsOf(half, leftFor(half, taken)))
        const entry = entryOf(rows, rateOf(measured, rows))
        return half.length > 1
          ? round(half, [...others.slice(half.length - 1), ...out], more, taken)
          : TE.right({
              entries: [entry(best), ...[...others, ...out].map((one) => entry(one))],
              work: taken,
              allowed: allowedBy(best)
            })
      })
    )
  const cheapest = Math.min(...known.map(allowedBy))
  return round(known, [], Math.max(least, unitsOf(known, cheapest)), 0)
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const figure = (x: number): string => (x >= 1e5 || x < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3))))

/**
 * What a pilot found as a table for a person, and what `samples` samples would take with each.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = <A extends { readonly estimator: Estimator }>(
  { entries, work, allowed }: Found<A>,
  samples: number
): string => {
  const [best] = entries
  const header = ['estimator', 'samples', 'variance', 'E + P', 'ms', 'MiB', 'x time', 'rounds', 'run in s']
  const lines = entries.map((one) => [
    one.candidate.estimator.name,
    String(one.samples),
    one.variance.toExponential(2),
    String(Math.round(one.work)),
    figure(1000 * one.seconds),
    (one.peakBytes / 2 ** 20).toFixed(1),
    figure(one.score / best.score),
    String(one.rounds),
    figure(one.seconds * samples)
  ])
  const widths = header.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)))
  const show = (line: ReadonlyArray<string>): string =>
    line.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
  const share = (100 * work) / (best.work * samples)
  return [
    ...[header, ...lines].map(show),
    'variance, E + P (network evaluations and pullbacks) and ms are of one sample; x time: variance times time, over that of the first.',
    `the pilot took ${Math.round(work)} evaluations and pullbacks of ${Math.round(allowed)} that it may take: ${share.toPrecision(2)} % of the run's ${Math.round(best.work * samples)}`
  ].join('\n')
}

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: PilotError): string => {
  switch (error._tag) {
    case 'NoCandidate':
      return `no candidate is unbiased and can stand on the chain and the reward: ${error.reason}; name an estimator`
    case 'TooLittleWork':
      return `a pilot of every candidate takes ${error.needed} network evaluations and pullbacks, and may take ${error.got}; make the run longer, or name an estimator`
    default:
      return Gradient.showError(error)
  }
}
