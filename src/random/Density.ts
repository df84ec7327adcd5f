/**
 * Draws of the densities that a program may declare for its noise inputs.
 *
 * @since 0.1.0
 */
import type { Density } from '../tensor/Program.js'
import { map, rows, toFloat32, type Tensor } from '../tensor/Tensor.js'
import * as Draw from './Draw.js'
import * as Key from './Key.js'

/**
 * Independent standard draws of a density, in f64. Element `i` depends on the key and on `i` only.
 *
 * Normals have the same bits on every engine. The others use the host's `Math.log`, `Math.cos` and `Math.pow`, which
 * engines may round differently in the last place: Laplace and logistic by inverting their distribution functions, Student's
 * t by Bailey's polar form, `sqrt(nu (u^(-2 / nu) - 1)) cos(2 pi v)` (Bailey, *Mathematics of Computation* 62, 1994).
 *
 * @category draws
 * @since 0.1.0
 */
export const draw = (density: Density, key: Key.Key, shape: ReadonlyArray<number>): Tensor => {
  if (density === 'normal') return Draw.normal(key, shape)
  const u = Draw.uniform(key, shape)
  if (typeof density !== 'object') return map(density === 'laplace' ? laplace : logistic)(u)
  const { studentT: nu } = density
  const v = Draw.uniform(Key.foldInString(key, 'angle'), shape).data
  return map((p, i) => Math.sqrt(nu * (p ** (-2 / nu) - 1)) * Math.cos(2 * Math.PI * (v[i] ?? 0)))(u)
}

/**
 * The same draws rounded to f32; normals are drawn so at once.
 *
 * @category draws
 * @since 0.1.0
 */
export const draw32 = (density: Density, key: Key.Key, shape: ReadonlyArray<number>): Tensor =>
  density === 'normal' ? Draw.normal32(key, shape) : toFloat32(draw(density, key, shape))

/**
 * Rows `from..to-1` of the draws in f32, whatever their number: `shape` is that of all of them.
 *
 * @category draws
 * @since 0.1.0
 */
export const drawRows32 = (
  density: Density,
  key: Key.Key,
  shape: ReadonlyArray<number>,
  from: number,
  to: number
): Tensor =>
  density === 'normal'
    ? Draw.normalRows32(key, shape, from, to)
    : rows(from, to)(draw32(density, key, [to, ...shape.slice(1)]))

/** The quantile of the standard Laplace. */
const laplace = (p: number): number => (p < 0.5 ? Math.log(2 * p) : -Math.log(2 * (1 - p)))

/** The quantile of the standard logistic. */
const logistic = (p: number): number => Math.log(p / (1 - p))
