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
import type * as Rates from './Rates.js'
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
  readonly rates: Rates.Rates
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

/** How they stand after a lap. Who may go on does, where there is `time` for them: work for a next lap of theirs. */
const after = <A>(
  { race }: Lap<A>,
  racing: ReadonlyArray<Seen<A>>,
  { out, spent }: Pick<State<A>, 'out' | 'spent'>,
  time: (some: ReadonlyArray<Seen<A>>) => boolean
): E.Either<EstimatorError, State<A>> => {
  const { entries, leader: at, may, on, settled, rates } = race(racing)
  const leader = entries[at]
  if (leader === undefined) return E.left({ _tag: 'NotCompiled', program: 'a candidate' })
  const some = new Set(may)
  const going = time(racing.filter((_, k) => some.has(k))) ? some : new Set(on)
  return E.right({
    racing: racing.filter((_, k) => going.has(k)),
    leader,
    others: entries.filter((_, k) => going.has(k) && k !== at),
    out: [...entries.filter((_, k) => !going.has(k)), ...out],
    spent,
    settled,
    rates
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

/** How many samples a first look takes, of how many rows, the better ones first. */
const looks: ReadonlyArray<readonly [samples: number, rows: number]> = [
  [8, 8],
  [4, 8],
  [4, 4],
  [2, 4]
]

/**
 * In which order they are looked at where not all can be: those that are believed, and last those that perturb several steps at once. A
 * difference along a direction has about as many times the variance as there are numbers in it (Nesterov and Spokoiny, 2017).
 */
const turn = ({ racer: { plain, candidate } }: Seen<Named>): number =>
  plain ? 0 : candidate.estimator.covers.some(({ cover }) => (C.zerothOrderCell(cover)?.steps.length ?? 0) > 1) ? 2 : 1

/**
 * Draws whose covers are spread evenly: the numbers that choose them go on by the golden ratio from the first, so
 * that none that is drawn now and then is missed for long.
 */
const rotated = (draws: Variance.Draws): Variance.Draws => ({
  uniform: (i) => (draws.uniform(0) + (i * (Math.sqrt(5) - 1)) / 2) % 1,
  request: draws.request
})

const total = (some: ReadonlyArray<number>): number => some.reduce((sum, one) => sum + one, 0)

/**
 * The race: a first look at all that can be afforded, those that are believed first, for half of what there is at most; and then those
 * that are left for twice as long each time, until it is settled or there is no more work to be done. Left: less work than a look at
 * one takes, or what a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const raced = <A extends Named>(
  track: Track<A>,
  all: ReadonlyArray<Seen<A>>
): TE.TaskEither<TooLittleWork | EstimatorError, State<A>> => {
  const plain = all.filter(({ racer }) => racer.plain)
  const limit = Math.min(...(plain.length > 0 ? plain : all).map(({ racer }) => track.allowed(racer)))
  const order = [...all].sort((a, b) => turn(a) - turn(b) || a.racer.work - b.racer.work)
  const first = order.slice(0, 1)
  const soon = order.filter((one) => turn(one) < 2)
  const batchesOf = (samples: number, rows: number): number => (track.isMean ? samples : Math.ceil(samples / rows))
  const lookOf = (samples: number, rows: number): Look<A> => {
    const draws = rotated(track.options.draws(rows))
    const takes = workOf(track, draws, rows)
    const batches = batchesOf(samples, rows)
    return { rows, draws, takes, batches, taken: (some) => total(takes(some, 0, batches)) }
  }
  const choices = looks.map(([samples, rows]) => lookOf(samples, rows))
  const look = choices.find(({ taken }) => taken(soon.length > 0 ? soon : order) <= limit / 4) ?? choices.at(-1)
  if (look === undefined) return TE.left({ _tag: 'TooLittleWork', needed: 0, got: 0 })
  const needed = look.taken(first)
  if (needed > limit) return TE.left({ _tag: 'TooLittleWork', needed: Math.ceil(needed), got: Math.floor(limit) })
  const looked = order.slice(1).reduce((some, one) => {
    const more = [...some, one]
    return look.taken(more) > limit / 3 ? some : more
  }, first)
  const begin = { out: order.filter((one) => !looked.includes(one)).map(unseen), spent: look.taken(looked) }
  return Build.bracket(
    TE.fromEither(track.share(look.rows, looked)),
    (shared) => {
      const lap = lapOf(track, shared, looked, look.draws, look.rows)
      return pipe(
        lap.run(looked, 0, look.batches),
        TE.flatMapEither((seen) => after(lap, seen, begin, (some) => 4 * look.taken(some) <= limit - begin.spent)),
        TE.flatMap((state) => further(track, look.takes, lap, state, look.batches))
      )
    },
    (shared) => shared.dispose
  )
}

/** How a first look is had: on batches of so many rows, so many of them; what batches take, and what the look does. */
interface Look<A> {
  readonly rows: number
  readonly draws: Variance.Draws
  readonly takes: ReturnType<typeof workOf>
  readonly batches: number
  readonly taken: (some: ReadonlyArray<Seen<A>>) => number
}

/** The race from its `n`-th batch on. */
const further = <A extends Named>(
  track: Track<A>,
  takes: Look<A>['takes'],
  lap: Lap<A>,
  state: State<A>,
  n: number
): TE.TaskEither<EstimatorError, State<A>> => {
  const budget = leftOf(track, state)
  // as many as can be had
  const each = takes(state.racing, n, 2 * n).reduce<ReadonlyArray<number>>(
    (some, one) => (total(some) + one <= budget ? [...some, one] : some),
    []
  )
  const { measured = Number.POSITIVE_INFINITY } = track.options
  const to = n + each.length
  const isDone = track.options.measured === undefined ? state.settled : state.leader.samples >= measured
  if (to === n || state.racing.length < 2 || isDone) return TE.right(state)
  // whoever would have to be chosen for less is not waited for
  const work = state.spent + total(each)
  const patient = state.racing.filter(({ racer }) => track.allowed(racer) >= work)
  const gone = state.others.filter(({ candidate }) => !patient.some(({ racer }) => racer.candidate === candidate))
  const spent = state.spent + total(takes(patient, n, to))
  const time = (some: ReadonlyArray<Seen<A>>): boolean =>
    4 * total(takes(some, to, 2 * to)) <= leftOf(track, { ...state, spent })
  return pipe(
    lap.run(patient, n, to),
    TE.flatMapEither((seen) => after(lap, seen, { out: [...gone, ...state.out], spent }, time)),
    TE.flatMap((next) => (to < 2 * n ? TE.right(next) : further(track, takes, lap, next, to)))
  )
}
