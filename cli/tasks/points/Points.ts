/**
 * Distributions of points in the plane, each point with the name of the part that it belongs to.
 *
 * @since 0.1.0
 */
import * as O from 'fp-ts/lib/Option.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Tensor } from 'halforder/tensor/Tensor'
import type { Labelled } from 'halforder/training/Batches'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A distribution: the names of its parts, which are equally likely, and a point of a part from four numbers: `u` and `v` uniform
 * on (0, 1), `a` and `b` standard normal.
 *
 * @category model
 * @since 0.1.0
 */
export interface Distribution {
  readonly about: string
  readonly parts: ReadonlyArray<string>
  readonly point: (part: number, uv: Pair, ab: Pair) => Pair
}

/**
 * Two numbers.
 *
 * @category model
 * @since 0.1.0
 */
export type Pair = readonly [number, number]

// -------------------------------------------------------------------------------------
// distributions
// -------------------------------------------------------------------------------------

const compass = ['east', 'north-east', 'north', 'north-west', 'west', 'south-west', 'south', 'south-east']

/** The dark squares of a board of four by four, as in chess. */
const squares = ['a1', 'c1', 'b2', 'd2', 'a3', 'c3', 'b4', 'd4']

/**
 * Eight normals of standard deviation 0.1 on a circle of radius 1.4.
 *
 * @category constants
 * @since 0.1.0
 */
export const eightGaussians: Distribution = {
  about: 'eight normals of standard deviation 0.1 on a circle of radius 1.4',
  parts: compass,
  point: (part, _, [a, b]) => {
    const angle = (2 * Math.PI * part) / compass.length
    return [1.4 * Math.cos(angle) + 0.1 * a, 1.4 * Math.sin(angle) + 0.1 * b]
  }
}

/**
 * The distributions by name. Each has mean 0, and coordinates of a variance between 0.35 and 1.3.
 *
 * @category constants
 * @since 0.1.0
 */
export const distributions: Readonly<Record<string, Distribution>> = {
  'eight-gaussians': eightGaussians,
  moons: {
    about: 'two half circles of radius 1.3 that reach into each other, with noise of standard deviation 0.1',
    parts: ['upper', 'lower'],
    point: (part, [u], [a, b]) => {
      const [sign, shift] = part === 0 ? [1, -0.65] : [-1, 0.65]
      const angle = Math.PI * u
      return [1.3 * sign * Math.cos(angle) + shift + 0.1 * a, sign * (1.3 * Math.sin(angle) - 0.4) + 0.1 * b]
    }
  },
  checkerboard: {
    about: 'the eight dark squares of a board of four by four, which covers [-1.8, 1.8]^2',
    parts: squares,
    point: (part, [u, v]) => {
      const name = squares[part] ?? ''
      const column = 'abcd'.indexOf(name[0] ?? 'a')
      const row = Number(name[1] ?? '1') - 1
      return [0.9 * (column - 2 + u), 0.9 * (row - 2 + v)]
    }
  }
}

/**
 * `n` points of a distribution with the one-hot codes of their parts, from a key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const draw =
  ({ parts, point }: Distribution) =>
  (key: Key.Key, n: number): Labelled => {
    const which = Draw.uniform(Key.foldInString(key, 'part'), [n]).data
    const along = Draw.uniform(Key.foldInString(key, 'along'), [n, 2]).data
    const noise = Draw.normal(Key.foldInString(key, 'noise'), [n, 2]).data
    const x0 = new Float32Array(2 * n)
    const labels = new Float32Array(n * parts.length)
    for (let row = 0; row < n; row++) {
      const part = Math.floor((which[row] ?? 0) * parts.length)
      x0.set(point(part, pair(along, row), pair(noise, row)), 2 * row)
      labels[row * parts.length + part] = 1
    }
    return { x0: { shape: [n, 2], data: x0 }, labels: { shape: [n, parts.length], data: labels } }
  }

const pair = (data: ArrayLike<number>, row: number): Pair => [data[2 * row] ?? 0, data[2 * row + 1] ?? 0]

/**
 * The energy distance of two samples of points, `2 E|X - Y| - E|X - X'| - E|Y - Y'|` (Székely and Rizzo, 2013): 0 for equal
 * distributions. Means of other pairs only, so it is unbiased and may be below 0. None where a sample has fewer than two
 * points, and so no pair.
 *
 * @category statistics
 * @since 0.1.0
 */
export const energyDistance = (a: Tensor, b: Tensor): O.Option<number> =>
  Math.min(a.shape[0] ?? 0, b.shape[0] ?? 0) < 2 ? O.none : O.some(2 * between(a, b) - within(a) - within(b))

const distance = (a: Tensor, i: number, b: Tensor, j: number): number =>
  Math.hypot((a.data[2 * i] ?? 0) - (b.data[2 * j] ?? 0), (a.data[2 * i + 1] ?? 0) - (b.data[2 * j + 1] ?? 0))

const between = (a: Tensor, b: Tensor): number => {
  const [n = 0, m = 0] = [a.shape[0], b.shape[0]]
  let total = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) total += distance(a, i, b, j)
  return total / (n * m)
}

const within = (a: Tensor): number => {
  const [n = 0] = a.shape
  let total = 0
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) total += distance(a, i, a, j)
  return (2 * total) / (n * (n - 1))
}
