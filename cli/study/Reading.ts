/**
 * What pages, plots and reports read off the lines of a study.
 *
 * @since 0.1.0
 */
import type { Computing, Estimate, Point } from './Line.js'
import { meanOf } from './Means.js'
import type { Compare, Quantity } from './Study.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What was found out.
 *
 * @category model
 * @since 0.1.0
 */
export interface Lines {
  readonly points: ReadonlyArray<Point>
  readonly estimates: ReadonlyArray<Estimate>
  readonly computing: ReadonlyArray<Computing>
}

// -------------------------------------------------------------------------------------
// names
// -------------------------------------------------------------------------------------

/**
 * What is measured of a fine-tune, in words.
 *
 * @category constants
 * @since 0.1.0
 */
export const quantities: Readonly<Record<Quantity, string>> = {
  reward: 'reward',
  heldOut: 'held-out reward',
  objective: 'reward less the price of KL',
  kl: 'KL to the base, nats',
  diversity: 'diversity, of the base’s',
  frechet: 'Fréchet distance to the base'
}

/**
 * What is measured of an estimator where it stands, in words.
 *
 * @category constants
 * @since 0.1.0
 */
export const compared: Readonly<Record<Compare, string>> = {
  varianceTimesCost: 'variance × (evaluations + pullbacks)',
  variance: 'variance of a sample',
  tailIndex: 'tail index',
  slopeRatio: 'slope over finite differences'
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * A number as a list, which is empty where there is none.
 *
 * @category readings
 * @since 0.1.0
 */
export const knownIn = (value: number | null | undefined): ReadonlyArray<number> =>
  value === null || value === undefined ? [] : [value]

/**
 * The numbers that there are.
 *
 * @category readings
 * @since 0.1.0
 */
export const known = (values: ReadonlyArray<number | null | undefined>): ReadonlyArray<number> =>
  values.flatMap(knownIn)

/**
 * The last point of each seed of a condition.
 *
 * @category readings
 * @since 0.1.0
 */
export const lastOf = (points: ReadonlyArray<Point>, condition: string): ReadonlyArray<Point> => {
  const last = new Map<number, Point>()
  for (const point of points.filter((one) => one.condition === condition))
    if (point.steps >= (last.get(point.seed)?.steps ?? -1)) last.set(point.seed, point)
  return [...last.values()]
}

/**
 * A quantity by seed, of those that have it.
 *
 * @category readings
 * @since 0.1.0
 */
export const bySeed = (points: ReadonlyArray<Point>, quantity: Quantity): ReadonlyMap<number, number> =>
  new Map(points.flatMap((point) => knownIn(point[quantity]).map((value) => [point.seed, value] as const)))

/**
 * What tells who is better: what all of them were to raise where leaving the base has a price, else the held-out reward where there is one.
 *
 * @category readings
 * @since 0.1.0
 */
export const decisiveOf = (points: ReadonlyArray<Point>): Quantity => {
  if (points.some(({ objective }) => objective !== undefined)) return 'objective'
  return points.some(({ heldOut }) => heldOut !== null) ? 'heldOut' : 'reward'
}

/**
 * Seconds of the processor of a step of a condition, in the mean over seeds; not a number where none were told.
 *
 * @category readings
 * @since 0.1.0
 */
export const secondsOf = (computing: ReadonlyArray<Computing>, condition: string): number =>
  meanOf(computing.filter((one) => one.condition === condition).map(({ secondsOfStep }) => secondsOfStep)).mean
