/**
 * The plot of a study: means over seeds with their intervals, one line a condition, told apart by colour, dash and mark.
 *
 * @since 0.1.0
 */
import * as Plot from '@observablehq/plot'
import { parseHTML } from 'linkedom'
import { escaped } from '../edge/Markup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A place of a line, with its interval.
 *
 * @category model
 * @since 0.1.0
 */
export interface Place {
  readonly line: string
  readonly x: number
  readonly y: number
  readonly half: number
}

/**
 * What the axes say, and whether they are logarithmic.
 *
 * @category model
 * @since 0.1.0
 */
export interface Axes {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly logX: boolean
  readonly logY: boolean
}

/**
 * What is drawn: the lines by name, in the order of their colours, and their places.
 *
 * @category model
 * @since 0.1.0
 */
export interface Chart {
  readonly axes: Axes
  readonly lines: ReadonlyArray<string>
  readonly places: ReadonlyArray<Place>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/** Colours that everyone tells apart (Okabe and Ito 2008), the darkest first. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#e69f00', '#56b4e9']

/** Where colours come again, dashes tell. */
const dashes = ['', '7 4', '2 3']

const symbols = ['circle', 'square', 'triangle', 'diamond', 'star', 'cross', 'wye'] as const

const size = { width: 860, height: 460, legend: 22, font: 15 } as const

/** How far lines are drawn beside one another, in pixels, so that intervals at one place do not hide each other: no more than a mark, all together. */
const beside = (lines: number): number => Math.min(3, 18 / Math.max(1, lines))

/**
 * The values that a plot has room for: those farther from the middle half than ten times its width would make all others one line. They
 * are left out, and the axis says how many.
 */
const near = (values: ReadonlyArray<number>): { readonly low: number; readonly high: number } => {
  const sorted = [...values].sort((a, b) => a - b)
  const quantile = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN
  const reach = 10 * (quantile(0.75) - quantile(0.25))
  return reach > 0 ? { low: quantile(0.25) - reach, high: quantile(0.75) + reach } : { low: -Infinity, high: Infinity }
}

/** Characters of a name that half a line of the legend has room for. */
const longest = 44

/**
 * The plot as SVG.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const plot = ({ axes, lines, places }: Chart): string => {
  const { document } = parseHTML('<html><body></body></html>')
  const index = new Map(lines.map((line, i) => [line, i]))
  const at = (line: string): number => index.get(line) ?? 0
  const colour = (line: string): string => colours[at(line) % colours.length] ?? ''
  const symbol = (line: string): (typeof symbols)[number] => symbols[at(line) % symbols.length] ?? 'circle'
  const shift = (line: string): number => beside(lines.length) * (at(line) - (lines.length - 1) / 2)
  const drawn = places
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && (!axes.logX || x > 0) && (!axes.logY || y > 0))
    .map((place) => {
      const half = Number.isFinite(place.half) ? place.half : 0
      const low = place.y - half
      // an interval that reaches 0 has no place on a logarithmic axis
      return { ...place, low: axes.logY ? Math.max(low, place.y / 10) : low, high: place.y + half }
    })
  const room = axes.logY ? { low: -Infinity, high: Infinity } : near(drawn.map(({ y }) => y))
  const inside = drawn.filter(({ y }) => y >= room.low && y <= room.high)
  const far = drawn.length - inside.length
  const shown = inside.map((place) => ({
    ...place,
    low: Math.max(place.low, room.low),
    high: Math.min(place.high, room.high)
  }))
  const svg = Plot.plot({
    document,
    width: size.width,
    height: size.height,
    marginLeft: 78,
    marginRight: 40,
    marginBottom: 48,
    marginTop: 36,
    style: { background: 'white', fontFamily: 'DejaVu Sans', fontSize: `${size.font}px` },
    x: { label: axes.x, ...(axes.logX ? { type: 'log', ticks: 6, tickFormat: tickOf } : {}) },
    y: {
      label:
        far === 0
          ? axes.y
          : `${axes.y} (${far} of ${drawn.length} places are far ${drawn.every(({ y }) => y <= room.high) ? 'below' : 'off'})`,
      grid: true,
      ...(axes.logY ? { type: 'log', tickFormat: '~g' } : {}),
      nice: true
    },
    marks: [
      ...lines.map((line, i) =>
        Plot.lineY(
          shown.filter((place) => place.line === line),
          {
            x: 'x',
            y: 'y',
            sort: 'x',
            dx: shift(line),
            stroke: colour(line),
            strokeWidth: 2.2,
            strokeDasharray: dashes[Math.floor(i / colours.length) % dashes.length] ?? ''
          }
        )
      ),
      ...lines.map((line) =>
        Plot.ruleX(
          shown.filter((place) => place.line === line),
          { x: 'x', y1: 'low', y2: 'high', stroke: colour(line), strokeWidth: 1.4, dx: shift(line) }
        )
      ),
      ...lines.map((line) =>
        Plot.dot(
          shown.filter((place) => place.line === line),
          { x: 'x', y: 'y', r: 4.5, fill: colour(line), symbol: symbol(line), dx: shift(line) }
        )
      )
    ]
  })
  // long names have a line of the legend to themselves
  const columns = lines.some((line) => line.length > longest) ? 1 : 2
  const rows = Math.ceil(lines.length / columns)
  const height = size.height + 40 + rows * size.legend
  const legend = lines.map((line, i) => {
    const x = 78 + (i % columns) * 390
    const y = 34 + Math.floor(i / columns) * size.legend
    const dash = dashes[Math.floor(i / colours.length) % dashes.length] ?? ''
    return (
      `<line x1="${x}" x2="${x + 34}" y1="${y}" y2="${y}" stroke="${colour(line)}" stroke-width="2.5" stroke-dasharray="${dash}"/>` +
      `<path transform="translate(${x + 17},${y})" d="${shape(symbol(line))}" fill="${colour(line)}"/>` +
      `<text x="${x + 42}" y="${y + 5}" font-size="14">${escaped(line)}</text>`
    )
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" viewBox="0 0 ${size.width} ${height}" font-family="DejaVu Sans">` +
    `<rect width="100%" height="100%" fill="white"/><text x="78" y="18" font-size="16">${escaped(axes.title)}</text>` +
    `${legend.join('')}<g font-size="${size.font}" transform="translate(0,${40 + rows * size.legend})">${svg.innerHTML}</g></svg>\n`
  )
}

/** Numbers below 1 as they are, and thousands by a letter. */
const tickOf = (value: number): string =>
  value >= 1000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(3)))

/** Paths of the marks, of about the same area. */
const shape = (name: (typeof symbols)[number]): string => {
  switch (name) {
    case 'circle':
      return 'M5,0A5,5,0,1,1,-5,0A5,5,0,1,1,5,0Z'
    case 'square':
      return 'M-4.4,-4.4H4.4V4.4H-4.4Z'
    case 'triangle':
      return 'M0,-6L5.4,4H-5.4Z'
    case 'diamond':
      return 'M0,-6.5L4.2,0L0,6.5L-4.2,0Z'
    case 'star':
      return 'M0,-6.8L1.6,-2.1L6.5,-2.1L2.5,0.8L4,5.5L0,2.6L-4,5.5L-2.5,0.8L-6.5,-2.1L-1.6,-2.1Z'
    case 'cross':
      return 'M-6,-2H-2V-6H2V-2H6V2H2V6H-2V2H-6Z'
    case 'wye':
      return 'M-1.6,-0.6L-5.6,-3.4L-4,-5.6L0,-2.8L4,-5.6L5.6,-3.4L1.6,-0.6V5.6H-1.6Z'
  }
}
