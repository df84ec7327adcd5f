/**
 * Laps of a pilot: candidates on some batches of the same draws, what these take, and how they stand.
 *
 * @since 0.1.0
 */
import type { IO } from 'fp-ts/lib/IO.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as E from 'fp-ts/lib/Either.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cost } from '../Cost.js'
import * as C from '../../Cover.js'
import type { Estimator } from '../../Estimator.js'
import * as Est from '../../Estimator.js'
import type { EstimatorError } from '../../Gradient.js'
import { creditName } from '../../Plan.js'
import type { Matrix } from '../Spread.js'
import type * as Variance from '../Variance.js'
import * as Race from './Race.js'
import * as Rates from './Rates.js'
import * as Runs from './Runs.js'
import type * as Shared from './Shared.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a pilot is run. `samples`: those of the whole run that it is for; `share`: what part of the run's network evaluations and
 * pullbacks the pilot may take, those of the run being what it would take with the one that is chosen. `peers`: among how many samples
 * an advantage of the run takes its baseline, those of a batch or of a group. With `measured`, as many samples of those that may be the
 * best are measured instead, whatever they take. `draws` are the draws of a batch of so many rows, and `clock` tells seconds.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly samples: number
  readonly share: number
  readonly peers: number
  readonly measured?: number
  readonly draws: (batch: number) => Variance.Draws
  readonly clock: IO<number>
}

/**
 * A candidate as the pilot has it after its last round: how many samples were measured, the variance of one, with what is `missing` of it
 * in the samples, the seconds that one takes, and the product of both; how many rounds it was in, none where the pilot could not afford
 * to look at it; what a sample takes, in evaluations and pullbacks; the bytes of its activations; and why it was not chosen.
 *
 * @category model
 * @since 0.1.0
 */
export interface Entry<A> {
  readonly candidate: A
  readonly samples: number
  readonly variance: number
  readonly missing: number
  readonly seconds: number
  readonly score: number
  readonly why: Race.Standing['why']
  readonly rounds: number
  readonly work: number
  readonly peakBytes: number
}

/**
 * A candidate on the problem: whether it is believed (`Race.isPlain`), what a sample takes, and whether the run's advantage takes the mean
 * of others off.
 *
 * @category model
 * @since 0.1.0
 */
export interface Racer<A> {
  readonly candidate: A
  readonly plain: boolean
  readonly cost: Cost
  readonly work: number
  readonly compared: boolean
}

/**
 * A racer and what was measured of it, batch by batch.
 *
 * @category model
 * @since 0.1.0
 */
export interface Seen<A> {
  readonly racer: Racer<A>
  readonly samples: ReadonlyArray<Matrix>
  readonly rounds: number
}

/**
 * What a candidate is, at least.
 *
 * @category model
 * @since 0.1.0
 */
export interface Named {
  readonly estimator: Estimator
}

/**
 * What laps are run on: `share` compiles what racers need for so many rows, and `allowed` is what a pilot may take that chooses one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Track<A> {
  readonly on: Runs.On
  readonly options: Options
  readonly isMean: boolean
  readonly sampling: (rows: number) => ReturnType<typeof Variance.sampling>
  readonly share: (rows: number, some: ReadonlyArray<Seen<A>>) => E.Either<EstimatorError, Shared.Shared>
  readonly allowed: (one: { readonly work: number }) => number
}

/**
 * Some racers on batches: `run` measures those from one to before another, and `race` tells how they stand.
 *
 * @category model
 * @since 0.1.0
 */
export interface Lap<A> {
  readonly run: (
    seen: ReadonlyArray<Seen<A>>,
    from: number,
    to: number
  ) => TE.TaskEither<EstimatorError, ReadonlyArray<Seen<A>>>
  readonly race: (seen: ReadonlyArray<Seen<A>>) => Race.Race & {
    readonly entries: ReadonlyArray<Entry<A>>
    readonly rates: Rates.Rates
  }
}

const coverAt =
  (draws: Variance.Draws) =>
  ({ racer: { candidate } }: Seen<Named>, i: number): C.Cover =>
    Est.draw(candidate.estimator, draws.uniform(i))

/**
 * What some racers take on each of the batches `from..to-1` of some draws: evaluations and pullbacks.
 *
 * @category readings
 * @since 0.1.0
 */
export const workOf = ({ on }: Pick<Track<Named>, 'on'>, draws: Variance.Draws, rows: number) => {
  const known = new Map<C.Cover, ReadonlyArray<Runs.Run>>()
  const runsOf = (cover: C.Cover): ReadonlyArray<Runs.Run> => {
    const runs = known.get(cover) ?? Runs.ofCover(cover, on)
    known.set(cover, runs)
    return runs
  }
  return (seen: ReadonlyArray<Seen<Named>>, from: number, to: number): ReadonlyArray<number> =>
    C.range(from, to - 1).map((i) => rows * Runs.together(seen.flatMap((one) => runsOf(coverAt(draws)(one, i)))))
}

/**
 * Laps of some racers, on draws of so many rows. Times of programs are kept as they come in.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lapOf = <A extends Named>(
  { on, options: { peers }, sampling }: Track<A>,
  shared: Shared.Shared,
  racers: ReadonlyArray<Seen<A>>,
  draws: Variance.Draws,
  rows: number
): Lap<A> => {
  const { size, drawn, samplesOf } = sampling(rows)
  const weighed = drawn(draws)
  const programs = new Map(
    racers.flatMap(({ racer: { candidate } }) =>
      candidate.estimator.covers.flatMap(({ cover }) =>
        Runs.ofCover(cover, on).map((run) => [run.program, run] as const)
      )
    )
  )
  const times = new Map<string, Rates.Timed>()
  const note = ({ program, seconds, fresh }: Shared.Call): void => {
    const { seconds: least = Number.POSITIVE_INFINITY, runs = 0 } = times.get(program) ?? {}
    if (fresh) times.set(program, { seconds: Math.min(least, seconds), runs: runs + 1 })
  }
  /** A batch of draws: what each of them makes of it. */
  const batch = (seen: ReadonlyArray<Seen<A>>, i: number): TE.TaskEither<EstimatorError, ReadonlyArray<Matrix>> =>
    pipe(
      TE.rightIO<EstimatorError, ReturnType<Shared.Shared['batch']>>(shared.batch),
      TE.flatMap((run) =>
        pipe(
          seen,
          RA.traverse(TE.ApplicativeSeq)((one) =>
            pipe(
              run(weighed.request(i, coverAt(draws)(one, i))),
              TE.map(({ estimate, calls }) => {
                calls.forEach(note)
                return samplesOf(estimate.gradient)
              })
            )
          )
        )
      )
    )
  /** What a baseline of few others adds to the variance, against one of those of the run. */
  const factorOf = ({ compared }: Racer<A>): number =>
    compared && peers > 1 ? (((rows - 1) / rows) * peers) / (peers - 1) : 1
  return {
    run: (seen, from, to) =>
      pipe(
        C.range(from, to - 1),
        RA.traverse(TE.ApplicativeSeq)((i) => batch(seen, i)),
        TE.map((batches) =>
          seen.map((one, k) => ({
            ...one,
            samples: [...one.samples, ...batches.flatMap((each) => each.slice(k, k + 1))],
            rounds: one.rounds + 1
          }))
        )
      ),
    race: (seen) => {
      const rates = Rates.fromTimes(times, programs, rows)
      const runners = seen.map(
        ({ racer, samples }): Race.Runner => ({
          plain: racer.plain,
          samples,
          size,
          draws: racer.candidate.estimator.covers.length > 1 ? samples.length : samples.length * rows,
          factor: factorOf(racer),
          seconds: Rates.secondsOf(rates)(racer.cost, on.networkCalls)
        })
      )
      const { standings, ...race } = Race.race(runners)
      const entries = standings.flatMap((standing, k): ReadonlyArray<Entry<A>> => {
        const [one, runner] = [seen[k], runners[k]]
        if (one === undefined || runner === undefined) return []
        const { candidate, work } = one.racer
        const n = one.samples.reduce((sum, { data, width }) => sum + data.length / Math.max(width, 1), 0)
        const peakBytes = bytesOf(shared, candidate)
        return [
          { candidate, samples: n * size, ...standing, seconds: runner.seconds, rounds: one.rounds, work, peakBytes }
        ]
      })
      return { standings, ...race, entries, rates }
    }
  }
}

const bytesOf = (shared: Shared.Shared, { estimator }: Named): number =>
  Math.max(
    0,
    ...estimator.covers.flatMap(({ cover }) =>
      cover.cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [] : [shared.peakBytes[creditName(cell)] ?? 0]))
    )
  )
