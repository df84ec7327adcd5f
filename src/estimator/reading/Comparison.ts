/**
 * Measured estimators side by side: in two orders, against REINFORCE, and against finite differences.
 *
 * @since 0.1.0
 */
import { ofEstimator, type Objective } from '../Objective.js'
import { ratio, type Ranged } from './Spread.js'
import type { Along, Measured } from './Variance.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A measured estimator among others. `slopeRatio`: its slope over that of finite differences (`Slope.ratio`), 1 where it
 * is unbiased for J and its samples show it. `better`: how many times its variance times evaluations and pullbacks that of
 * a reference is, REINFORCE with leave-one-out say: above 1 is better than it. It is to be left out for what is biased.
 *
 * @category model
 * @since 0.1.0
 */
export interface Line extends Measured {
  readonly slopeRatio?: Along
  readonly better?: Ranged
}

/**
 * What a table says of a measured estimator. `objective`: what it is unbiased for, null for a biased one. `evaluations` and `pullbacks` are
 * those of a sample, `peakBytes` those of activations.
 *
 * @category model
 * @since 0.1.0
 */
export interface Entry {
  readonly estimator: string
  readonly objective: Objective | null
  readonly baseline: string
  readonly control: string
  readonly variance: number
  readonly interval: readonly [low: number, high: number]
  readonly evaluations: number
  readonly pullbacks: number
  readonly peakBytes: number
  readonly efficiency: number
  readonly efficiencyWithPullbacks: number
  readonly better: Ranged | null
  readonly slopeRatio: Along | null
  readonly tailIndex: number
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * How many times a reference's variance times evaluations and pullbacks is another's, of what was measured on the same
 * draws: the interval is a bootstrap of pairs (`Spread.ratio`).
 *
 * @category readings
 * @since 0.1.0
 */
export const better = (reference: Measured, one: Measured): Ranged => {
  const cost = ({ cost: { networkEvaluations }, pullbacks }: Measured): number => networkEvaluations + pullbacks
  const times = cost(reference) / cost(one)
  const {
    value,
    interval: [low, high]
  } = ratio(reference.gradient, one.gradient)
  return { value: value * times, interval: [low * times, high * times] }
}

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

/** The place of each among the unbiased ones by some number, the least first. */
const places = (entries: ReadonlyArray<Entry>, read: (entry: Entry) => number): ReadonlyMap<Entry, number> =>
  new Map(
    [...entries]
      .filter(({ objective }) => objective !== null)
      .sort((a, b) => read(a) - read(b))
      .map((entry, i) => [entry, i + 1])
  )

const figure = (x: number): string => (x >= 1e5 || x < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3))))

const ranged = (given: Ranged | null): string =>
  given === null ? '-' : `${figure(given.value)} (${given.interval.map(figure).join(' .. ')})`

const along = (given: Along | null): string =>
  given === null ? '-' : `${given.value.toFixed(2)} +- ${given.error.toFixed(2)}`

const tail = (index: number): string => (Number.isNaN(index) ? '-' : index > 9.95 ? '> 10' : index.toFixed(1))

const header = [
  'estimator',
  'baseline',
  'unbiased for',
  'variance',
  '95 % interval',
  'E',
  'P',
  'MiB',
  'x E',
  'x (E + P)',
  'better',
  'slope',
  'tail'
]

const legend = [
  'E, P: network evaluations and pullbacks a sample; MiB: activations at the peak. x: variance times E, or times E + P, over',
  "the least among the unbiased ones, and the place; better: REINFORCE's with leave-one-out over it. slope: along a direction, over",
  'that of finite differences. tail: near 2 or below, rare samples carry the variance, and none of this can be trusted.'
].join('\n')

/**
 * What a table says of a measured estimator.
 *
 * @category readings
 * @since 0.1.0
 */
export const entry = (row: Line): Entry => ({
  estimator: row.estimator.name,
  objective: row.estimator._tag === 'exact' ? ofEstimator(row.estimator) : null,
  baseline: row.baseline,
  control: row.control,
  variance: row.gradient.variance,
  interval: row.gradient.interval,
  evaluations: row.cost.networkEvaluations,
  pullbacks: row.pullbacks,
  peakBytes: row.peakBytes,
  efficiency: row.efficiency,
  efficiencyWithPullbacks: row.efficiencyWithPullbacks,
  better: row.better ?? null,
  slopeRatio: row.slopeRatio ?? null,
  tailIndex: row.gradient.tailIndex
})

/**
 * A comparison as a table for a person, with a legend. First the unbiased estimators, by variance times evaluations, with
 * how many times the best one's they have and their place, by evaluations alone and by evaluations and pullbacks; then the
 * biased ones, which have no place: a small variance about the wrong mean is no merit.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = (rows: ReadonlyArray<Line>): string => tableOf(rows.map(entry))

/**
 * As `table`, of entries.
 *
 * @category utils
 * @since 0.1.0
 */
export const tableOf = (entries: ReadonlyArray<Entry>): string => {
  const unbiased = ({ objective }: Entry): boolean => objective !== null
  const sorted = [...entries].sort((a, b) => Number(unbiased(b)) - Number(unbiased(a)) || a.efficiency - b.efficiency)
  const orderings = [(one: Entry) => one.efficiency, (one: Entry) => one.efficiencyWithPullbacks].map((read) => {
    const place = places(entries, read)
    const best = Math.min(...sorted.filter(unbiased).map(read))
    return (one: Entry): string => {
      const at = place.get(one)
      return at === undefined ? '-' : `${(read(one) / best).toPrecision(3)} (${at})`
    }
  })
  const cells = sorted.map((one) => [
    one.estimator,
    one.control === 'none' ? one.baseline : `control ${one.control}`,
    one.objective ?? 'biased',
    one.variance.toExponential(2),
    one.interval.map((end) => end.toExponential(2)).join(' .. '),
    String(Math.round(one.evaluations)),
    String(Math.round(one.pullbacks)),
    (one.peakBytes / 2 ** 20).toFixed(1),
    ...orderings.map((show) => show(one)),
    ranged(one.better),
    along(one.slopeRatio),
    tail(one.tailIndex)
  ])
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((text, i) => (i < 3 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
  return [...[header, ...cells].map(line), legend].join('\n')
}
