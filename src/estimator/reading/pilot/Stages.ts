/**
 * The stages of a pilot: a first look at everyone, and the race of those that are left.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Build from '../../../tensor/Build.js'
import * as C from '../../Cover.js'
import type { EstimatorError } from '../../Gradient.js'
import type * as Variance from '../Variance.js'
import { type Entry, type Lap, lapOf, type Named, type Seen, type Track, workOf } from './Lap.js'

/**
 * Where a pilot is: who races, who leads, who else does and who was left behind, the latest first, the work that was done, and whether the
 * race is settled.
 *
 * @category model
 * @since 0.1.0
 */
export interface State<A> {
  readonly racing: ReadonlyArray<Seen<A>>
  readonly leader: Entry<A>
  readonly others: ReadonlyArray<Entry<A>>
  readonly out: ReadonlyArray<Entry<A>>
  readonly spent: number
  readonly settled: boolean
}

/** One that was not looked at. */
const unseen = <A>({ racer: { candidate, work } }: Seen<A>): Entry<A> => ({
  candidate,
  samples: 0,
  variance: Number.POSITIVE_INFINITY,
  missing: 0,
  seconds: Number.NaN,
  score: Number.POSITIVE_INFINITY,
  why: 'few',
  rounds: 0,
  work,
  peakBytes: 0
})

/** What is left for some, whichever of those that can be believed is chosen in the end. */
const leftOf = <A>({ allowed }: Track<A>, { racing, leader, spent }: State<A>): number =>
  Math.min(allowed(leader), ...racing.flatMap(({ racer }) => (racer.plain ? [allowed(racer)] : []))) - spent

/** How they stand after a lap. */
const after = <A>(
  { race }: Lap<A>,
  racing: ReadonlyArray<Seen<A>>,
  out: ReadonlyArray<Entry<A>>,
  spent: number
): E.Either<EstimatorError, State<A>> => {
  const { entries, leader: at, on, settled } = race(racing)
  const leader = entries[at]
  if (leader === undefined) return E.left({ _tag: 'NotCompiled', program: 'a candidate' })
  const going = new Set(on)
  const byScore = (some: ReadonlyArray<Entry<A>>): ReadonlyArray<Entry<A>> =>
    [...some].sort((a, b) => a.score - b.score)
  const behind = byScore(entries.filter((_, k) => !going.has(k)))
  return E.right({
    racing: racing.filter((_, k) => going.has(k)),
    leader,
    others: byScore(entries.filter((_, k) => going.has(k) && k !== at)),
    out: [...behind, ...out],
    spent,
    settled
  })
}

/**
 * Less work may be done than the first look at one takes.
 *
 * @category model
 * @since 0.1.0
 */
export interface TooLittleWork {
  readonly _tag: 'TooLittleWork'
  readonly needed: number
  readonly got: number
}

/**
 * A first look, on batches of so many rows, at all that can be afforded, those that are believed first, for half of what there is at most.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const screened = <A extends Named>(
  track: Track<A>,
  all: ReadonlyArray<Seen<A>>,
  rows: number
): TE.TaskEither<TooLittleWork | EstimatorError, State<A>> => {
  const draws = rotated(track.options.draws(rows), lot)
  const takes = workOf(track, draws, rows)
  const plain = all.filter(({ racer }) => racer.plain)
  const limit = Math.min(...(plain.length > 0 ? plain : all).map(({ racer }) => track.allowed(racer)))
  const order = [...all].sort((a, b) => Number(b.racer.plain) - Number(a.racer.plain) || a.racer.work - b.racer.work)
  const batchesOf = (n: number): number => (track.isMean ? n : Math.ceil(n / rows))
  const units = batchesOf([8, 4].find((n) => total(takes(order, 0, batchesOf(n))) <= limit / 5) ?? 2)
  const first = order.slice(0, 1)
  const taken = (some: ReadonlyArray<Seen<A>>): number => total(takes(some, 0, units))
  const needed = taken(first)
  if (needed > limit) return TE.left({ _tag: 'TooLittleWork', needed: Math.ceil(needed), got: Math.floor(limit) })
  const looked = order.slice(1).reduce((some, one) => {
    const more = [...some, one]
    return taken(more) > limit / 2 ? some : more
  }, first)
  return Build.bracket(
    TE.fromEither(track.share(rows, looked)),
    (shared) => {
      const lap = lapOf(track, shared, looked, draws, rows)
      return pipe(
        lap.run(looked, 0, units),
        TE.flatMapEither((seen) =>
          after(lap, seen, order.filter((one) => !looked.includes(one)).map(unseen), taken(looked))
        )
      )
    },
    (shared) => shared.dispose
  )
}

/**
 * Draws from the `from`-th on, whose covers are spread evenly: the numbers that choose them go on by the golden ratio from the first, so
 * that none that is drawn now and then is missed for long.
 */
const rotated = (draws: Variance.Draws, from: number): Variance.Draws => ({
  uniform: (i) => (draws.uniform(from) + (i * (Math.sqrt(5) - 1)) / 2) % 1,
  request: (i, cover) => draws.request(from + i, cover)
})

const total = (some: ReadonlyArray<number>): number => some.reduce((sum, one) => sum + one, 0)

/** So many draws of one lot that another lot's begin after them. */
const lot = 1_000_000

/**
 * The race of those that are left, for twice as long each time, until it is settled or there is no more work to be done. Batches have
 * the largest of some sizes that leaves enough of them.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const raced = <A extends Named>(
  track: Track<A>,
  start: State<A>,
  sizes: ReadonlyArray<number>
): TE.TaskEither<EstimatorError, State<A>> => {
  const fresh = start.racing.map((one) => ({ ...one, samples: [] }))
  const drawsOf = (rows: number): Variance.Draws => rotated(track.options.draws(rows), 0)
  const first = (rows: number): number => (track.isMean ? 4 : Math.ceil(4 / rows))
  const begin = (rows: number): number => total(workOf(track, drawsOf(rows), rows)(fresh, 0, first(rows)))
  const left = leftOf(track, start)
  const rows = sizes.find((size) => begin(size) <= left / 2) ?? Math.min(...sizes)
  if (fresh.length < 2 || begin(rows) > left) return TE.right(start)
  const draws = drawsOf(rows)
  const takes = workOf(track, draws, rows)
  const from = (lap: Lap<A>, state: State<A>, n: number): TE.TaskEither<EstimatorError, State<A>> => {
    const budget = leftOf(track, state)
    const wanted = n === 0 ? first(rows) : 2 * n
    // as many as can be had
    const each = takes(state.racing, n, wanted).reduce<ReadonlyArray<number>>(
      (some, one) => (total(some) + one <= budget ? [...some, one] : some),
      []
    )
    const to = n + each.length
    if (to === n || state.racing.length < 2 || state.settled) return TE.right(state)
    const work = state.spent + total(each)
    // whoever would have to be chosen for less is not waited for
    const patient = state.racing.filter(({ racer }) => track.allowed(racer) >= work)
    const gone = state.others.filter(({ candidate }) => !patient.some(({ racer }) => racer.candidate === candidate))
    return pipe(
      lap.run(patient, n, to),
      TE.flatMapEither((seen) => after(lap, seen, [...gone, ...state.out], state.spent + total(takes(patient, n, to)))),
      TE.flatMap((next) => (to < wanted ? TE.right(next) : from(lap, next, to)))
    )
  }
  return Build.bracket(
    TE.fromEither(track.share(rows, fresh)),
    (shared) => from(lapOf(track, shared, fresh, draws, rows), { ...start, racing: fresh, settled: false }, 0),
    (shared) => shared.dispose
  )
}
