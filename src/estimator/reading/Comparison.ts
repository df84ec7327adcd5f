/**
 * Measured estimators side by side: in two orders, against REINFORCE, and against finite differences.
 *
 * @since 0.1.0
 */
import { ofEstimator } from '../Objective.js'
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
const places = (rows: ReadonlyArray<Line>, read: (row: Line) => number): ReadonlyMap<Line, number> =>
  new Map(
    [...rows]
      .filter(({ estimator }) => estimator._tag === 'exact')
      .sort((a, b) => read(a) - read(b))
      .map((row, i) => [row, i + 1])
  )

const figure = (x: number): string => (x >= 1e5 || x < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3))))

const ranged = (given: Ranged | undefined): string =>
  given === undefined ? '-' : `${figure(given.value)} (${given.interval.map(figure).join(' .. ')})`

const along = (given: Along | undefined): string =>
  given === undefined ? '-' : `${given.value.toFixed(2)} +- ${given.error.toFixed(2)}`

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
 * A comparison as a table for a person, with a legend. First the unbiased estimators, by variance times evaluations, with
 * how many times the best one's they have and their place, by evaluations alone and by evaluations and pullbacks; then the
 * biased ones, which have no place: a small variance about the wrong mean is no merit.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = (rows: ReadonlyArray<Line>): string => {
  const unbiased = (row: Line): boolean => row.estimator._tag === 'exact'
  const sorted = [...rows].sort((a, b) => Number(unbiased(b)) - Number(unbiased(a)) || a.efficiency - b.efficiency)
  const orderings = [(row: Line) => row.efficiency, (row: Line) => row.efficiencyWithPullbacks].map((read) => {
    const place = places(rows, read)
    const best = Math.min(...sorted.filter(unbiased).map(read))
    return (row: Line): string => {
      const at = place.get(row)
      return at === undefined ? '-' : `${(read(row) / best).toPrecision(3)} (${at})`
    }
  })
  const cells = sorted.map((row) => {
    const { estimator, baseline, control, gradient, cost, pullbacks, peakBytes } = row
    return [
      estimator.name,
      control === 'none' ? baseline : `control ${control}`,
      unbiased(row) ? ofEstimator(estimator) : 'biased',
      gradient.variance.toExponential(2),
      gradient.interval.map((end) => end.toExponential(2)).join(' .. '),
      String(Math.round(cost.networkEvaluations)),
      String(Math.round(pullbacks)),
      (peakBytes / 2 ** 20).toFixed(1),
      ...orderings.map((show) => show(row)),
      ranged(row.better),
      along(row.slopeRatio),
      tail(gradient.tailIndex)
    ]
  })
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((text, i) => (i < 3 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
  return [...[header, ...cells].map(line), legend].join('\n')
}
