import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import { type Cloud, rasterise, scatter } from '../../../cli/edge/Scatter.js'
import type { Tensor } from '../../../src/tensor/Tensor.js'

const tensor = (...rows: ReadonlyArray<readonly [number, number]>): Tensor => ({
  shape: [rows.length, 2],
  data: Float32Array.from(rows.flat())
})

const cloud = (...rows: ReadonlyArray<readonly [number, number]>): Cloud => ({
  title: 'samples',
  points: tensor(...rows)
})

type Pixel = readonly [x: number, y: number]

/** The pixels of a file of some kind. */
const pixels = (
  file: Uint8Array,
  holds: (red: number, green: number, blue: number) => boolean
): ReadonlyArray<Pixel> => {
  const { width, height, channels, data } = decode(file)
  return Array.from({ length: width * height }, (_, i) => i).flatMap(
    (i): ReadonlyArray<Pixel> =>
      holds(data[channels * i] ?? 0, data[channels * i + 1] ?? 0, data[channels * i + 2] ?? 0)
        ? [[i % width, Math.floor(i / width)]]
        : []
  )
}

/** Points are blue; axes, letters and ways are grey. */
const ink = (file: Uint8Array): ReadonlyArray<Pixel> => pixels(file, (red, _, blue) => blue - red > 40)

/** Ways are a light grey with a little blue in it, inside of the frame. */
const ways = (file: Uint8Array): ReadonlyArray<Pixel> =>
  pixels(file, (red, green, blue) => blue > red && blue - red < 16 && green < 235 && red > 150)

const reach = 2

/** Where a point of the plane lies in a file, whose panels are 720 pixels wide with 72 around their frame. */
const place = ([x, y]: readonly [number, number], panel = 0): Pixel => [
  720 * panel + 72 + ((x + reach) / (2 * reach)) * 576,
  72 + ((reach - y) / (2 * reach)) * 576
]

const near = ([x, y]: Pixel, [u, v]: Pixel, distance: number): boolean => Math.hypot(x - u, y - v) <= distance

describe('a scatter plot', () => {
  it('has a panel of one size for each cloud', () => {
    for (const clouds of [1, 2, 3]) {
      const { width, height } = decode(scatter(reach)(Array.from({ length: clouds }, () => cloud([0, 0]))))
      expect([width, height]).toEqual([720 * clouds, 720])
    }
  })

  it.each<readonly [readonly [number, number]]>([[[0, 0]], [[1, -0.5]], [[-1.5, 1.75]]])(
    'draws the point %j in its place, up is up, and nothing else',
    (at) => {
      const drawn = ink(scatter(reach)([cloud(at)]))
      expect(drawn.length).toBeGreaterThan(10)
      expect(drawn.filter((pixel) => !near(pixel, place(at), 6))).toEqual([])
    }
  )

  it('draws each cloud in its own panel', () => {
    const drawn = ink(scatter(reach)([cloud([1, 0]), cloud([-1, 1])]))
    const lost = drawn.filter((pixel) => !near(pixel, place([1, 0]), 6) && !near(pixel, place([-1, 1], 1), 6))
    expect(lost).toEqual([])
    expect(drawn.some((pixel) => near(pixel, place([1, 0]), 6))).toBe(true)
    expect(drawn.some((pixel) => near(pixel, place([-1, 1], 1), 6))).toBe(true)
  })

  it('leaves out what is outside of its square, or nowhere', () => {
    const empty = ink(scatter(reach)([cloud()]))
    expect(empty).toEqual([])
    const far: ReadonlyArray<readonly [number, number]> = [
      [2.5, 0],
      [0, -3],
      [1e30, 1e30],
      [Number.NaN, 0],
      [0, Infinity]
    ]
    expect(ink(scatter(reach)([cloud(...far)]))).toEqual([])
  })

  it('draws the way of each point as a line that ends in it', () => {
    const from: Cloud = { ...cloud([1, 1]), trail: [tensor([-1, 1]), tensor([-1, -1])] }
    const plain = new Set(ways(scatter(reach)([cloud([1, 1])])).map(String))
    const drawn = ways(scatter(reach)([from])).filter((pixel) => !plain.has(String(pixel)))
    // down the left, then up to the point: half way along each
    for (const at of [
      [-1, 0],
      [0, 0],
      [0.5, 0.5]
    ] as const) {
      expect(drawn.some((pixel) => near(pixel, place(at), 3))).toBe(true)
    }
    const off = drawn.filter(([x, y]) => {
      const [u, v] = [((x - 72) / 576) * 4 - 2, 2 - ((y - 72) / 576) * 4]
      const left = Math.abs(u + 1) < 0.05 && Math.abs(v) < 1.05
      return !left && !(Math.abs(u - v) < 0.05 && Math.abs(u) < 1.05)
    })
    expect(off).toEqual([])
  })

  it('does not join the ways of two points', () => {
    const two: Cloud = { ...cloud([1, 1], [1, -1]), trail: [tensor([-1, 1], [-1, -1])] }
    const plain = new Set(ways(scatter(reach)([cloud([1, 1], [1, -1])])).map(String))
    const drawn = ways(scatter(reach)([two])).filter((pixel) => !plain.has(String(pixel)))
    const on = (height: number): number => drawn.filter(([, y]) => Math.abs(y - place([0, height])[1]) < 3).length
    expect([on(1) > 100, on(-1) > 100]).toEqual([true, true])
    expect(drawn.length).toBe(on(1) + on(-1))
  })

  it('takes any title', () => {
    const wide = decode(scatter(reach)([{ ...cloud(), title: `<&> "ring's" ${'x'.repeat(200)}` }]))
    expect([wide.width, wide.height]).toEqual([720, 720])
    const written = (title: string): number =>
      pixels(scatter(reach)([{ ...cloud(), title }]), (red) => red < 120).length
    expect(written('<b>8</b> & more')).toBeGreaterThan(written(''))
  })

  it('is the same file for the same points, with the font that ships', () => {
    const file = (): Buffer => Buffer.from(scatter(reach)([cloud([1, 0.5])]))
    expect(file().equals(file())).toBe(true)
  })
})

describe('a drawing', () => {
  it('is as wide as asked, on white', () => {
    const file = rasterise('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"></svg>', 8)
    const { width, height, data } = decode(file)
    expect([width, height]).toEqual([8, 4])
    expect(Array.from(data).every((x) => x === 255)).toBe(true)
  })
})
