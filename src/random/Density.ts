/**
 * Densities of noise: those that the library knows, by name, and those of a user's own; and draws of them.
 *
 * @since 0.1.0
 */
import type { Density as Declared } from '../tensor/Program.js'
import { map, toFloat32, type Tensor } from '../tensor/Tensor.js'
import * as Draw from './Draw.js'
import * as Key from './Key.js'
import { ofQuantile, type Rule } from './Nodes.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A density that the library draws from by its name.
 *
 * @category model
 * @since 0.1.0
 */
export type Known = Exclude<Declared, { readonly named: string }>

/**
 * A density of your own on the line. `draw` takes that many independent uniforms of (0, 1) to one draw: one, by the
 * quantile function, or several. `rule(n)` is a quadrature rule of about `n` nodes, whose expectations converge as
 * `n` grows; laws integrate by it. `symmetric` tells that `-eps` has the law of `eps`, which antithetic pairs need.
 *
 * @category model
 * @since 0.1.0
 */
export interface Custom {
  readonly _tag: 'Custom'
  readonly name: string
  readonly symmetric: boolean
  readonly uniforms: number
  readonly draw: (uniforms: ReadonlyArray<number>) => number
  readonly rule: (n: number) => Rule
}

/**
 * The density of a chain's noise: independent elements, one draw each.
 *
 * @category model
 * @since 0.1.0
 */
export type Density = Known | Custom

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A density by its quantile function, the inverse of its distribution function on (0, 1). The default `rule` splits
 * at the median, where densities such as Laplace's have a kink. Say that it is `symmetric` if `quantile(1 - p) =
 * -quantile(p)`: the upper half is then read off the lower one, which reaches much further into the tail.
 *
 * @example
 * import { Density } from 'halforder/random'
 *
 * // the hyperbolic secant, 1 / (2 cosh(pi x / 2))
 * export const secant = Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
 *   symmetric: true
 * })
 *
 * @category constructors
 * @since 0.1.0
 */
export const byQuantile = (
  name: string,
  quantile: (p: number) => number,
  options: { readonly symmetric?: boolean; readonly rule?: (n: number) => Rule } = {}
): Custom => {
  const symmetric = options.symmetric ?? false
  return {
    _tag: 'Custom',
    name,
    symmetric,
    uniforms: 1,
    draw: ([p = 0.5]) => quantile(p),
    rule: options.rule ?? ofQuantile(quantile, symmetric)
  }
}

/**
 * A density by a function of several independent uniforms, with a quadrature rule for it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofUniforms = (
  name: string,
  uniforms: number,
  draw: (uniforms: ReadonlyArray<number>) => number,
  options: { readonly symmetric: boolean; readonly rule: (n: number) => Rule }
): Custom => ({ _tag: 'Custom', name, uniforms, draw, ...options })

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * What a program says of a noise input with this density: plain data.
 *
 * @category readings
 * @since 0.1.0
 */
export const declared = (density: Density): Declared =>
  isCustom(density) ? { named: density.name, symmetric: density.symmetric } : density

/**
 * Is a density one of a user's own?
 *
 * @category readings
 * @since 0.1.0
 */
export const isCustom = (density: Density): density is Custom => typeof density === 'object' && '_tag' in density

/**
 * Has `-eps` the law of `eps`? Every density that the library knows is even.
 *
 * @category readings
 * @since 0.1.0
 */
export const isSymmetric = (density: Declared): boolean =>
  typeof density !== 'object' || !('named' in density) || density.symmetric

/**
 * What to call a density.
 *
 * @category readings
 * @since 0.1.0
 */
export const nameOf = (density: Declared): string => {
  if (typeof density !== 'object') return density
  return 'named' in density ? density.named : `studentT(${density.studentT})`
}

/**
 * How one draw is made of uniforms: how many there are, and the function of them. Normals of the library come from
 * words and not from uniforms, so they have none.
 *
 * @category readings
 * @since 0.1.0
 */
export const fromUniforms = (
  density: Exclude<Density, 'normal'>
): { readonly uniforms: number; readonly draw: (uniforms: ReadonlyArray<number>) => number } => {
  if (isCustom(density)) return density
  if (density === 'laplace') return { uniforms: 1, draw: ([p = 0.5]) => laplace(p) }
  if (density === 'logistic') return { uniforms: 1, draw: ([p = 0.5]) => Math.log(p / (1 - p)) }
  const { studentT: nu } = density
  return {
    uniforms: 2,
    draw: ([p = 0.5, v = 0.5]) => Math.sqrt(nu * (p ** (-2 / nu) - 1)) * Math.cos(2 * Math.PI * v)
  }
}

// -------------------------------------------------------------------------------------
// draws
// -------------------------------------------------------------------------------------

/**
 * Independent standard draws of a density, in f64. Element `i` depends on the key and on `i` only.
 *
 * Normals have the same bits on every engine. The others use the host's `Math.log`, `Math.cos` and `Math.pow`, which
 * engines may round differently in the last place: Laplace and logistic by inverting their distribution functions,
 * Student's t by Bailey's polar form, `sqrt(nu (u^(-2 / nu) - 1)) cos(2 pi v)` (Bailey, *Mathematics of Computation*
 * 62, 1994).
 *
 * @category draws
 * @since 0.1.0
 */
export const draw = (density: Density, key: Key.Key, shape: ReadonlyArray<number>): Tensor =>
  density === 'normal' ? Draw.normal(key, shape) : drawRows(density, key, shape, { from: 0, to: shape[0] ?? 1 })

/**
 * The rows `from..to-1` of some.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rows {
  readonly from: number
  readonly to: number
}

/** Rows of draws that are made of uniforms, without making the others. */
const drawRows = (
  density: Exclude<Density, 'normal'>,
  key: Key.Key,
  shape: ReadonlyArray<number>,
  { from, to }: Rows
): Tensor => {
  const { uniforms, draw: one } = fromUniforms(density)
  const others = Array.from({ length: uniforms - 1 }, (_, k) =>
    Draw.uniformRows(Key.foldInString(key, k === 0 ? 'angle' : `uniform ${k + 1}`), shape, from, to)
  )
  return map((p, i) => one([p, ...others.map(({ data }) => data[i] ?? 0.5)]))(Draw.uniformRows(key, shape, from, to))
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
 * Rows `from..to-1` of the draws in f32, without making the others: `shape` is that of all of them.
 *
 * @category draws
 * @since 0.1.0
 */
export const drawRows32 = (density: Density, key: Key.Key, shape: ReadonlyArray<number>, rows: Rows): Tensor =>
  density === 'normal'
    ? Draw.normalRows32(key, shape, rows.from, rows.to)
    : toFloat32(drawRows(density, key, shape, rows))

/** The quantile of the standard Laplace. */
const laplace = (p: number): number => (p < 0.5 ? Math.log(2 * p) : -Math.log(2 * (1 - p)))
