/**
 * Charts as SVG that takes its colours from the page around it, light or dark.
 *
 * @since 0.1.0
 */
import { escaped } from '../edge/Markup.js'
import type { Chart } from './Report.js'

// -------------------------------------------------------------------------------------
// scales
// -------------------------------------------------------------------------------------

interface Scale {
  readonly at: (value: number) => number
  readonly ticks: ReadonlyArray<number>
}

const steps = [1, 2, 2.5, 5, 10]

/** A round step that has at most so many in a span. */
const roundStep = (span: number, most: number): number => {
  const power = 10 ** Math.floor(Math.log10(span / most))
  return power * (steps.find((one) => span / (one * power) <= most) ?? 10)
}

const linear = (low: number, high: number, from: number, to: number, most: number): Scale => {
  const span = high - low === 0 ? Math.abs(high) || 1 : high - low
  const [least, greatest] = high === low ? [low - span / 2, high + span / 2] : [low, high]
  const step = roundStep(greatest - least, most)
  const first = Math.ceil(least / step - 1e-9)
  const count = Math.floor(greatest / step + 1e-9) - first + 1
  return {
    at: (value) => from + ((value - least) / (greatest - least)) * (to - from),
    ticks: Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step)
  }
}

const logarithmic = (low: number, high: number, from: number, to: number, most: number): Scale => {
  const [a, b] = [Math.log10(low), Math.log10(high)]
  const scale = linear(a, b, from, to, most)
  const decades = Array.from(
    { length: Math.max(0, Math.floor(b) - Math.ceil(a) + 1) },
    (_, i) => 10 ** (Math.ceil(a) + i)
  )
  // below two decades the round numbers of a linear axis tell more
  const ticks = b - a < 2 ? linear(low, high, from, to, most).ticks : decades
  const every = Math.ceil(ticks.length / (most + 2))
  return { at: (value) => scale.at(Math.log10(value)), ticks: ticks.filter((one, i) => one > 0 && i % every === 0) }
}

/** A number as short as a tick has room for. */
const short = (value: number): string => {
  const size = Math.abs(value)
  if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(0).replace('e+', 'e')
  if (size >= 1e4) return `${Number((value / 1000).toPrecision(3))}k`
  return String(Number(value.toPrecision(4)))
}

// -------------------------------------------------------------------------------------
// the chart
// -------------------------------------------------------------------------------------

const size = { width: 460, height: 260, left: 50, right: 12, top: 6, bottom: 42 } as const

/** So many places of a line have bands in place of bars. */
const many = 12

/** How many colours there are; where they come again, dashes tell. */
const colours = 7

const n = (value: number): string => value.toFixed(1)

interface At {
  readonly x: number
  readonly y: number
  readonly low: number
  readonly high: number
}

const shapes = [
  'M4,0A4,4,0,1,1,-4,0A4,4,0,1,1,4,0Z',
  'M-3.6,-3.6H3.6V3.6H-3.6Z',
  'M0,-5L4.6,3.4H-4.6Z',
  'M0,-5.4L3.6,0L0,5.4L-3.6,0Z',
  'M-5,-1.6H-1.6V-5H1.6V-1.6H5V1.6H1.6V5H-1.6V1.6H-5Z'
]

const mark = (i: number): string => shapes[i % shapes.length] ?? ''

/** How a line is told from others: a class for its colour, and one for its dash. */
const classOf = (i: number): string => `c${i % colours} d${Math.floor(i / colours) % 3}`

const drawnLine = (places: ReadonlyArray<At>, i: number): string => {
  const line = places.map(({ x, y }, k) => `${k === 0 ? 'M' : 'L'}${n(x)},${n(y)}`).join('')
  const around =
    places.length > many
      ? `<path class="band" d="${places.map(({ x, high }, k) => `${k === 0 ? 'M' : 'L'}${n(x)},${n(high)}`).join('')}${[
          ...places
        ]
          .reverse()
          .map(({ x, low }) => `L${n(x)},${n(low)}`)
          .join('')}Z"/>`
      : places.map(({ x, low, high }) => `<path class="bar" d="M${n(x)},${n(low)}V${n(high)}"/>`).join('')
  const marks =
    places.length > many
      ? ''
      : places.map(({ x, y }) => `<path class="mark" transform="translate(${n(x)},${n(y)})" d="${mark(i)}"/>`).join('')
  return `<g class="${classOf(i)}">${around}<path class="line" d="${line}"/>${marks}</g>`
}

/**
 * The chart as SVG, with its legend below.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const draw = ({ axes, lines, places }: Chart): string => {
  const shown = places.filter(
    ({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && (!axes.logX || x > 0) && (!axes.logY || y > 0)
  )
  if (shown.length === 0) return `<p class="none">${escaped(axes.title)}: nothing yet</p>`
  const halves = shown.map((one) => {
    const half = one.half ?? 0
    // an interval that reaches 0 has no place on a logarithmic axis
    const low = axes.logY ? Math.max(one.y - half, one.y / 10) : one.y - half
    return { ...one, low, high: one.y + half }
  })
  const xs = halves.map(({ x }) => x)
  const [left, right] = [size.left, size.width - size.right]
  const [top, bottom] = [size.top, size.height - size.bottom]
  const scaled = (log: boolean): typeof linear => (log ? logarithmic : linear)
  const x = scaled(axes.logX)(Math.min(...xs), Math.max(...xs), left + 6, right - 6, 5)
  const y = scaled(axes.logY)(
    Math.min(...halves.map(({ low }) => low)),
    Math.max(...halves.map(({ high }) => high)),
    bottom - 6,
    top + 6,
    5
  )
  const grid = y.ticks.map(
    (tick) =>
      `<path class="grid" d="M${left},${n(y.at(tick))}H${right}"/><text x="${left - 6}" y="${n(y.at(tick) + 4)}" text-anchor="end">${short(tick)}</text>`
  )
  const below = x.ticks.map(
    (tick) =>
      `<path class="tick" d="M${n(x.at(tick))},${bottom}v4"/><text x="${n(x.at(tick))}" y="${bottom + 17}" text-anchor="middle">${short(tick)}</text>`
  )
  const drawn = lines.map((line, i) =>
    drawnLine(
      halves
        .filter((one) => one.line === line)
        .sort((a, b) => a.x - b.x)
        .map((one) => ({ x: x.at(one.x), y: y.at(one.y), low: y.at(one.low), high: y.at(one.high) })),
      i
    )
  )
  const legend = lines.map(
    (line, i) =>
      `<li><svg viewBox="-17 -7 34 14" width="34" height="14" aria-hidden="true"><g class="${classOf(i)}"><path class="line" d="M-16,0H16"/><path class="mark" d="${mark(i)}"/></g></svg>${escaped(line)}</li>`
  )
  return (
    `<figure><figcaption>${escaped(axes.title)}</figcaption><p class="y">↑ ${escaped(axes.y)}</p>` +
    `<svg class="chart" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escaped(`${axes.title}: ${axes.y} against ${axes.x}`)}">` +
    `<text class="axis" x="${left}" y="${size.height - 6}">${escaped(axes.x)}</text>` +
    `${grid.join('')}<path class="tick" d="M${left},${bottom}H${right}"/>${below.join('')}${drawn.join('')}</svg>` +
    `${lines.length < 2 ? '' : `<ul class="legend">${legend.join('')}</ul>`}</figure>`
  )
}
