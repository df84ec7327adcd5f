/**
 * Points of the plane as pictures: clouds side by side, and the ways that they came.
 *
 * @since 0.1.0
 */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import * as Plot from '@observablehq/plot'
import { Resvg } from '@resvg/resvg-js'
import type { Tensor } from 'halforder/tensor/Tensor'
import { parseHTML } from 'linkedom'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One cloud: points `[N, 2]`, under a title. `trail` are earlier positions of the same points, the first one first, drawn as
 * lines that end in them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Cloud {
  readonly title: string
  readonly points: Tensor
  readonly trail?: ReadonlyArray<Tensor>
}

// dark blue on white, told apart from the grey of the trails without color
const ink = '#1f4e9c'
const path = '#9aa0a6'

const size = 360
const margin = 36

/** The font of every picture: it ships, so that the same numbers are the same pixels everywhere. */
const font = join(
  dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')),
  'ttf',
  'DejaVuSans.ttf'
)

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * An SVG document as a PNG file.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const rasterise = (svg: string, width: number): Uint8Array =>
  new Resvg(svg, {
    fitTo: { mode: 'width', value: width },
    background: 'white',
    font: { loadSystemFonts: false, fontFiles: [font], defaultFontFamily: 'DejaVu Sans' }
  })
    .render()
    .asPng()

/** So many times the half width from the middle is as good as anywhere: the renderer ends the process over 1e20. */
const farthest = 1000

/** What a point at the edge covers of the picture: one further out is not seen, and the renderer fails if it is alone. */
const edge = 1.02

interface Place {
  readonly x: number
  readonly y: number
}

const panel = (document: Document, reach: number, { title, points, trail = [] }: Cloud): string => {
  const near = (value = 0): number => Math.min(Math.max(value, -farthest * reach), farthest * reach)
  const at = (tensor: Tensor, row: number): Place => ({
    x: near(tensor.data[2 * row]),
    y: near(tensor.data[2 * row + 1])
  })
  const isSeen = ({ x, y }: Place): boolean => Math.abs(x) <= edge * reach && Math.abs(y) <= edge * reach
  const rows = Array.from({ length: points.shape[0] ?? 0 }, (_, row) => row)
  const ways = rows
    .map((row) => [...trail, points].map((step) => ({ ...at(step, row), row })))
    .filter((way) => way.some(isSeen))
    .flat()
  const axis = { domain: [-reach, reach], ticks: 5, label: null, clamp: false } as const
  const svg = Plot.plot({
    document,
    width: size,
    height: size,
    margin,
    style: { background: 'white', fontFamily: 'DejaVu Sans', fontSize: '11px' },
    x: axis,
    y: axis,
    marks: [
      Plot.frame({ stroke: '#cccccc' }),
      ...(trail.length === 0 || ways.length === 0
        ? []
        : [
            Plot.line(ways, {
              x: 'x',
              y: 'y',
              z: 'row',
              stroke: path,
              strokeOpacity: 0.5,
              strokeWidth: 0.7,
              clip: true
            })
          ]),
      Plot.dot(rows.map((row) => at(points, row)).filter(isSeen), {
        x: 'x',
        y: 'y',
        r: 1.6,
        fill: ink,
        fillOpacity: 0.7,
        clip: true
      }),
      Plot.text([title], { text: (text: string) => text, frameAnchor: 'top', dy: -18, fontSize: 13, fill: '#222222' })
    ]
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return svg.outerHTML
}

/**
 * Clouds side by side, drawn where both coordinates are in `[-reach, reach]`, as one PNG file.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const scatter =
  (reach: number) =>
  (clouds: ReadonlyArray<Cloud>): Uint8Array => {
    const { document } = parseHTML('<html><body></body></html>')
    const panels = clouds.map(
      (cloud, i) => `<g transform="translate(${i * size}, 0)">${panel(document, reach, cloud)}</g>`
    )
    const width = size * clouds.length
    return rasterise(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${size}" viewBox="0 0 ${width} ${size}">${panels.join('')}</svg>`,
      2 * width
    )
  }
