/**
 * The log of a run as curves.
 *
 * @since 0.1.0
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Metrics } from '../edge/Metrics.js'

/**
 * A curve: what it is called, its values by step, and half the width of its band, where it has one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Curve {
  readonly title: string
  readonly points: ReadonlyArray<{ readonly step: number; readonly value: number; readonly half: number }>
}

const curve = (
  title: string,
  metrics: ReadonlyArray<Metrics>,
  value: (one: Metrics) => number,
  half: (one: Metrics) => number
): Curve => ({
  title,
  points: metrics
    .map((one) => ({ step: one.step, value: value(one), half: half(one) }))
    .filter((point) => Number.isFinite(point.value))
})

/**
 * The curves that a log has numbers for: the mean reward of each step's batch with two standard errors, the divergence from
 * the base model where it has a price, and the norm of the gradient.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const curvesOf = (reward: string, metrics: ReadonlyArray<Metrics>): ReadonlyArray<Curve> =>
  [
    curve(
      reward,
      metrics,
      ({ rewardMean }) => rewardMean,
      ({ rewardStandardError }) => 2 * rewardStandardError
    ),
    curve(
      'divergence from the base',
      metrics,
      ({ klMean }) => klMean,
      () => 0
    ),
    curve(
      'norm of the gradient',
      metrics,
      ({ gradientNorm }) => gradientNorm,
      () => 0
    )
  ].filter(({ points }) => points.length > 0)

/**
 * A curve as SVG. What it shows is said by `said`, to those who do not see it.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const draw = ({ points }: Curve): string => {
  const { document } = parseHTML('<html><body></body></html>')
  const svg = Plot.plot({
    document,
    width: 560,
    height: 240,
    marginLeft: 56,
    style: { background: 'none', fontSize: '13px' },
    x: { label: 'step' },
    y: { label: null, grid: true },
    marks: [
      Plot.areaY(
        points.filter(({ half }) => Number.isFinite(half)),
        {
          x: 'step',
          y1: ({ value, half }: Curve['points'][number]) => value - half,
          y2: ({ value, half }: Curve['points'][number]) => value + half,
          fill: '#4269d0',
          fillOpacity: 0.2
        }
      ),
      Plot.lineY(points, { x: 'step', y: 'value', stroke: '#4269d0', strokeWidth: 2 }),
      ...(points.length === 1 ? [Plot.dot(points, { x: 'step', y: 'value', fill: '#4269d0' })] : [])
    ]
  })
  svg.setAttribute('aria-hidden', 'true')
  return svg.outerHTML
}

/**
 * Where a curve is, in words.
 *
 * @category utils
 * @since 0.1.0
 */
export const said = ({ title, points }: Curve): string => {
  const last = points.at(-1)
  return `${title} by step${last === undefined ? '' : `: ${Number(last.value.toPrecision(4))} at step ${last.step}`}`
}
