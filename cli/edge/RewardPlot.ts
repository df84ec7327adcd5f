/**
 * The reward of a run against its steps, as SVG.
 *
 * @since 0.1.0
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import type { Metrics } from './Metrics.js'

/**
 * Draws the mean reward of each step with a band of two standard errors.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const rewardPlot = (title: string, metrics: ReadonlyArray<Metrics>): string => {
  const { document } = parseHTML('<html><body></body></html>')
  const rows = metrics.map(({ step, rewardMean, rewardStandardError }) => ({
    step,
    reward: rewardMean,
    low: rewardMean - 2 * rewardStandardError,
    high: rewardMean + 2 * rewardStandardError
  }))
  const svg = Plot.plot({
    document,
    width: 720,
    height: 360,
    marginLeft: 56,
    style: { background: 'white', fontSize: '13px' },
    x: { label: 'step' },
    y: { label: title, grid: true },
    marks: [
      Plot.areaY(rows, { x: 'step', y1: 'low', y2: 'high', fill: '#4269d0', fillOpacity: 0.2 }),
      Plot.lineY(rows, { x: 'step', y: 'reward', stroke: '#4269d0', strokeWidth: 2 })
    ]
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return svg.outerHTML
}
