/**
 * Which estimator to take, found out by a pilot: all that fit race on the same draws, sharing what they have in common
 * (`pilot/Shared`), and whoever falls behind is left there (racing: Maron and Moore, NeurIPS 1993). The best is the one with the least
 * variance times time of a sample: who is believed to be is what `pilot/Race` says.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import { lenses } from '../../reward/StepReward.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import type { Exprs } from '../../tensor/Tree.js'
import { cost as costOf } from './Cost.js'
import type { Estimator } from '../Estimator.js'
import * as Gradient from '../Gradient.js'
import type { EstimatorError, Problem } from '../Gradient.js'
import type { Entry, Named, Options, Racer, Seen, Track } from './pilot/Lap.js'
import * as Race from './pilot/Race.js'
import * as Rates from './pilot/Rates.js'
import type * as Runs from './pilot/Runs.js'
import * as Shared from './pilot/Shared.js'
import { raced, type State, type TooLittleWork } from './pilot/Stages.js'
import * as Variance from './Variance.js'

export type { Entry, Options } from './pilot/Lap.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a pilot found: the candidates, the chosen one first, then those that were in the race the longest; the work that it took, with
 * what of it was allowed; and the rates that times are of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Found<A> {
  readonly entries: readonly [Entry<A>, ...ReadonlyArray<Entry<A>>]
  readonly work: number
  readonly allowed: number
  readonly rates: Rates.Rates
}

/**
 * Why a pilot found nothing: none of the candidates is unbiased and can stand on the problem, or the least of a first round is more
 * than it may take.
 *
 * @category model
 * @since 0.1.0
 */
export type PilotError = EstimatorError | { readonly _tag: 'NoCandidate'; readonly reason: string } | TooLittleWork

// -------------------------------------------------------------------------------------
// who races
// -------------------------------------------------------------------------------------

/** The candidates that are unbiased and can stand on the problem, each once, or why there are none. */
const standing = <
  A extends { readonly estimator: Estimator },
  P extends Params,
  S extends Batched,
  C extends Exprs,
  R extends Params
>(
  problem: Omit<Problem<P, S, C, R>, 'estimator' | 'batch'>,
  candidates: ReadonlyArray<A>
): E.Either<PilotError, ReadonlyArray<A>> => {
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
  const all = RA.uniq<A>({
    equals: (a, b) => a === b || JSON.stringify(a.estimator.covers) === JSON.stringify(b.estimator.covers)
  })(RA.rights(checked))
  if (all.length > 0) return E.right(all)
  const [first] = RA.lefts(checked)
  return E.left({ _tag: 'NoCandidate', reason: first === undefined ? 'all are biased' : Gradient.showError(first) })
}

/** Does what it weighs scores with look at other samples? Siblings look at each other. */
const isCompared = ({ covers }: Estimator): boolean =>
  covers.some(({ cover }) => cover.cells.some((cell) => cell._tag === 'HalfOrder' && cell.siblings === undefined))

// -------------------------------------------------------------------------------------
// the pilot
// -------------------------------------------------------------------------------------

/**
 * Runs a pilot of some candidates on a problem. Those that are biased, or can not stand on it, are left out. Left: none is left,
 * too little work, or what a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const pilot = <A extends Named, P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Omit<Problem<P, S, C, R>, 'estimator' | 'batch'>,
  candidates: ReadonlyArray<A>,
  target: Target,
  options: Options
): TE.TaskEither<PilotError, Found<A>> => {
  const { chain, steps } = problem
  const { samples, share, clock } = options
  const on: Runs.On = {
    networkCalls: chain.networkCalls,
    stepCalls: lenses(steps).reduce((total, one) => total + one.networkCalls, 0),
    lookahead: chain.lookahead ?? false,
    discrete: chain.noise.outcome !== undefined,
    scores: Shared.isScaled(problem)
  }
  const track: Track<A> = {
    on,
    options,
    isMean: Variance.isShared(problem),
    sampling: (batch) => Variance.sampling({ ...problem, batch }),
    share: (batch, some) =>
      Shared.share(
        { ...problem, batch },
        some.map(({ racer }) => racer.candidate.estimator),
        target,
        clock
      ),
    allowed: ({ work }) => (options.measured === undefined ? share * samples * work : Number.POSITIVE_INFINITY)
  }
  const begun = (candidate: A): Seen<A> => {
    const { estimator } = candidate
    const cost = costOf(estimator, on.networkCalls, on.stepCalls, on.lookahead)
    const racer: Racer<A> = {
      candidate,
      plain: Race.isPlain(estimator),
      cost,
      work: cost.networkEvaluations + on.networkCalls * cost.pullbackSteps,
      compared: problem.advantage.batchDependent && isCompared(estimator)
    }
    return { racer, samples: [], rounds: 0 }
  }
  return pipe(
    TE.fromEither(standing(problem, candidates)),
    TE.flatMap((some): TE.TaskEither<PilotError, State<A>> => raced(track, some.map(begun))),
    TE.map(({ leader, others, out, spent, rates }) => {
      // at one rate, whenever they were left behind
      const timed = (entry: Entry<A>): Entry<A> => {
        const cost = costOf(entry.candidate.estimator, on.networkCalls, on.stepCalls, on.lookahead)
        const seconds = Rates.secondsOf(rates)(cost, on.networkCalls)
        return { ...entry, seconds, score: entry.variance * seconds }
      }
      const rest = [...others, ...out].map(timed).sort((a, b) => b.rounds - a.rounds || a.score - b.score)
      return { entries: [timed(leader), ...rest], work: spent, allowed: share * samples * leader.work, rates }
    })
  )
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const figure = (x: number): string => (x >= 1e5 || x < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3))))

/** Why one with a lower score, or none, was not chosen. */
const whys: Readonly<Record<Race.Standing['why'], string>> = {
  leads: 'chosen',
  behind: '',
  missing: 'its samples miss the mean',
  few: 'too few samples to tell',
  close: 'may be luck'
}

/**
 * What a pilot found as a table for a person, and what `samples` samples would take with each.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = <A extends { readonly estimator: Estimator }>(
  { entries, work, allowed }: Omit<Found<A>, 'rates'>,
  samples: number
): string => {
  const [best] = entries
  const header = ['estimator', 'samples', 'variance', 'E + P', 'ms', 'MiB', 'x time', 'rounds', 'run in s', '']
  const lines = entries.map((one) =>
    one.samples === 0
      ? [one.candidate.estimator.name, '0', '-', String(Math.round(one.work)), '-', '-', '-', '0', '-', 'not looked at']
      : [
          one.candidate.estimator.name,
          String(one.samples),
          one.variance.toExponential(2),
          String(Math.round(one.work)),
          figure(1000 * one.seconds),
          (one.peakBytes / 2 ** 20).toFixed(1),
          figure(one.score / best.score),
          String(one.rounds),
          figure(one.seconds * samples),
          one.why === 'behind' && one.score < best.score ? 'was behind on its draws' : whys[one.why]
        ]
  )
  const widths = header.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i]?.length ?? 0)))
  const isText = (i: number): boolean => i === 0 || i === header.length - 1
  const show = (line: ReadonlyArray<string>): string =>
    line
      .map((text, i) => (isText(i) ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  const share = (100 * work) / (best.work * samples)
  return [
    ...[header, ...lines].map(show),
    'best is the least variance times time; variance, E + P (network evaluations and pullbacks) and ms are of one sample, and x time is both over',
    'that of the chosen. ms is E, P and rewards at their measured rates. One that pulls back through several steps is chosen only where its samples',
    'have the mean that scores have: the variance has what they miss in it.',
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
