/**
 * The primitives of the tensor language: what a node of an expression does to its arguments, and, for elementwise
 * operations, one row each of meaning and forward error.
 *
 * @since 0.1.0
 */
import type { Shape, ShapeError } from './Shape.js'
import type { Tensor } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The names of the elementwise operations. Comparisons answer 1 or 0; `select(c, a, b)` is `a` where `c` is not 0.
 *
 * @category model
 * @since 0.1.0
 */
export type MapName =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'less'
  | 'equal'
  | 'select'

/**
 * How a reduction combines the elements along its axes.
 *
 * @category model
 * @since 0.1.0
 */
export type ReduceName = 'sum' | 'max' | 'min'

/**
 * What one node does. Its arguments and its shape are kept beside it, in the node.
 *
 * - `Input`: a named input of the program. `Scalar`: a literal. `Constant`: a literal tensor. `Size`: the bound size of
 *   a named dimension, as a scalar.
 * - `Map`: an elementwise operation on arguments of equal shape. `Reduce`: over axes, which disappear.
 * - `Contract`: a sum of products over the labels that the result lacks, e.g. `['ij', 'jk', 'ik']`.
 * - `Reshape`, `Permute`, `Broadcast`, `Slice` (of one axis; its length is the node's), `Pad` (with zeros): views.
 * - `Window`: the axis becomes two, position and place in the window: entry `(p, s)` is entry `p stride + s dilation`.
 * - `Take`: one entry along an axis, by a run-time index. `Concat`: along an axis.
 * - `Invalid`: a node that could not be built; the error comes out when the program is closed.
 *
 * @category model
 * @since 0.1.0
 */
export type Op =
  | { readonly _tag: 'Input'; readonly name: string }
  | { readonly _tag: 'Scalar'; readonly value: number }
  | { readonly _tag: 'Constant'; readonly value: Tensor }
  | { readonly _tag: 'Size'; readonly dim: string }
  | { readonly _tag: 'Map'; readonly name: MapName }
  | { readonly _tag: 'Reduce'; readonly name: ReduceName; readonly axes: ReadonlyArray<number> }
  | { readonly _tag: 'Contract'; readonly labels: readonly [string, string, string] }
  | { readonly _tag: 'Reshape' }
  | { readonly _tag: 'Permute'; readonly permutation: ReadonlyArray<number> }
  | { readonly _tag: 'Broadcast' }
  | { readonly _tag: 'Slice'; readonly axis: number; readonly start: number }
  | { readonly _tag: 'Pad'; readonly axis: number; readonly before: number; readonly after: number }
  | { readonly _tag: 'Window'; readonly axis: number; readonly stride: number; readonly dilation: number }
  | { readonly _tag: 'Take'; readonly axis: number }
  | { readonly _tag: 'Concat'; readonly axis: number }
  | { readonly _tag: 'Invalid'; readonly error: ShapeError }

/**
 * One elementwise operation.
 *
 * - `meaning`: its value in f64.
 * - `bound`: how far an f32 device's value may lie from the exact one, given the argument values, how far each of
 *   them may be off, the exact value, and how accurate the device is. Forward error analysis (Higham, *Accuracy and
 *   Stability of Numerical Algorithms*, 2002, chapter 3).
 *
 * @category model
 * @since 0.1.0
 */
export interface MapRow {
  readonly arity: 1 | 2 | 3
  readonly meaning: (a: number, b: number, c: number) => number
  readonly bound: (args: Triple, errors: Triple, value: number, accuracy: Accuracy) => number
}

/**
 * How accurate a device is: the largest relative errors, in units of `unitRoundoff`.
 *
 * - `rounding`: of one addition, subtraction or multiplication. `division`, `sqrt`: of those.
 * - `exp` and `growth`: the error of e^x is `exp + growth |x|`.
 * - `log`: relative to the larger of the value and 1.
 * - `functions`: of tanh, sigmoid (plus `growth |x|`) and erf; of sin and cos relative to the larger of the argument and 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Accuracy {
  readonly rounding: number
  readonly division: number
  readonly sqrt: number
  readonly exp: number
  readonly growth: number
  readonly log: number
  readonly functions: number
}

/**
 * Three numbers; unused ones are 0.
 *
 * @category model
 * @since 0.1.0
 */
export type Triple = readonly [number, number, number]

/**
 * A node with the shape it was built with. Kept apart from the typed expression so that interpreters need no types.
 *
 * @category model
 * @since 0.1.0
 */
export interface Node {
  readonly op: Op
  readonly args: ReadonlyArray<Node>
  readonly shape: Shape
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * Half a unit in the last place of f32: the relative error of one rounding.
 *
 * @category constants
 * @since 0.1.0
 */
export const unitRoundoff: number = 2 ** -24

/**
 * The largest relative error allowed to a processor's exp, log, tanh, sigmoid, erf, sin or cos at an exact argument, in
 * units of `unitRoundoff`. The polynomials of the webasm target stay within it; tests measure them.
 *
 * @category constants
 * @since 0.1.0
 */
export const functionError = 8

/**
 * A processor: every operation rounds to nearest (IEEE 754), and functions stay within `functionError`.
 *
 * @category constants
 * @since 0.1.0
 */
export const processor: Accuracy = {
  rounding: 1,
  division: 3,
  sqrt: 3,
  exp: functionError,
  growth: 1,
  log: functionError,
  functions: functionError
}

/**
 * A GPU, as the WebGPU Shading Language promises (section "Floating Point Accuracy"; Vulkan's and GLSL ES 3.20's tables
 * have the same numbers), one unit in the last place (ULP) being at most 2 units of `unitRoundoff`:
 *
 * - sums and products are correctly rounded in a direction that is not said: 1 ULP. Quotients: 2.5 ULP.
 * - sqrt is `1 / inverseSqrt`: 2 ULP and 2.5 ULP.
 * - e^x: 3 + 2 |x| ULP. log: an absolute 2^-21 between 1/2 and 2, which is 8 units, and 3 ULP elsewhere.
 *
 * tanh, sin and cos are promised absolute errors only, so kernels compute them, and erf, from sums, products, quotients
 * and e^x. Their errors follow: tanh is worst at 0.625, where `1 - 2 / (e^(2x) + 1)` takes over from a polynomial, with
 * 15 units; sigmoid has the 6 of e^x, 2 of the sum and 5 of the quotient.
 *
 * @category constants
 * @since 0.1.0
 */
export const shader: Accuracy = {
  rounding: 2,
  division: 5,
  sqrt: 9,
  exp: 6,
  growth: 4,
  log: functionError,
  functions: 2 * functionError
}

/**
 * The least normal number of f32: below it relative precision is lost, so every operation may also be off by this much.
 *
 * @category constants
 * @since 0.1.0
 */
export const underflow: number = 2 ** -126

const rounded = (error: number, value: number, units: number): number =>
  error + units * unitRoundoff * (Math.abs(value) + error) + underflow

// -------------------------------------------------------------------------------------
// the table
// -------------------------------------------------------------------------------------

/**
 * The error function to f64 precision: the Maclaurin series for small arguments, a continued fraction for large ones
 * (Abramowitz and Stegun, 7.1.5 and 7.1.14).
 *
 * @category utils
 * @since 0.1.0
 */
export const erf = (x: number): number => {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    let term = z
    let total = z
    for (let n = 1; n < 80; n++) {
      term *= (-z * z) / n
      total += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let k = 100; k >= 1; k--) fraction = k / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

const unary = (
  meaning: (a: number) => number,
  bound: (a: number, error: number, value: number, accuracy: Accuracy) => number
): MapRow => ({
  arity: 1,
  meaning: (a) => meaning(a),
  bound: ([a], [e], value, accuracy) => bound(a, e, value, accuracy)
})

const binary = (
  meaning: (a: number, b: number) => number,
  bound: (a: number, b: number, ea: number, eb: number, value: number, accuracy: Accuracy) => number
): MapRow => ({
  arity: 2,
  meaning: (a, b) => meaning(a, b),
  bound: ([a, b], [ea, eb], value, accuracy) => bound(a, b, ea, eb, value, accuracy)
})

const circular = (a: number, e: number, _value: number, { functions }: Accuracy): number =>
  rounded(Math.min(e, 2), Math.max(1, Math.abs(a)), functions)

const comparison = (a: number, b: number, ea: number, eb: number): number =>
  Math.abs(a - b) <= ea + eb && ea + eb > 0 ? 1 : 0

/**
 * Every elementwise operation, one row each.
 *
 * @category the table
 * @since 0.1.0
 */
export const maps: Readonly<Record<MapName, MapRow>> = {
  neg: unary(
    (a) => -a,
    (_a, e) => e
  ),
  abs: unary(Math.abs, (_a, e) => e),
  exp: unary(Math.exp, (a, e, v, { exp, growth }) => rounded(v * Math.expm1(e), v, exp + growth * (Math.abs(a) + e))),
  log: unary(Math.log, (a, e, v, { log }) =>
    rounded(e >= a ? Infinity : -Math.log1p(-e / a), Math.max(Math.abs(v), 1), log)
  ),
  tanh: unary(Math.tanh, (_a, e, v, { functions }) => rounded(Math.min(e, 2), v, functions)),
  sigmoid: unary(sigmoid, (a, e, v, { functions, growth }) =>
    rounded(Math.min(e / 4, 1), v, functions + growth * (Math.abs(a) + e))
  ),
  erf: unary(erf, (_a, e, v, { functions }) => rounded(Math.min(1.1283791670955126 * e, 2), v, functions)),
  sqrt: unary(Math.sqrt, (a, e, v, { sqrt: units }) =>
    rounded(e === 0 ? 0 : Math.max(v - Math.sqrt(Math.max(a - e, 0)), Math.sqrt(a + e) - v), v, units)
  ),
  // sine and cosine are accurate to an absolute, not a relative, error, which grows with the argument
  sin: unary(Math.sin, circular),
  cos: unary(Math.cos, circular),
  add: binary(
    (a, b) => a + b,
    (_a, _b, ea, eb, v, { rounding }) => rounded(ea + eb, v, rounding)
  ),
  sub: binary(
    (a, b) => a - b,
    (_a, _b, ea, eb, v, { rounding }) => rounded(ea + eb, v, rounding)
  ),
  mul: binary(
    (a, b) => a * b,
    (a, b, ea, eb, v, { rounding }) => rounded(Math.abs(a) * eb + Math.abs(b) * ea + ea * eb, v, rounding)
  ),
  div: binary(
    (a, b) => a / b,
    (_a, b, ea, eb, v, { division }) =>
      rounded(eb >= Math.abs(b) ? Infinity : (ea + Math.abs(v) * eb) / (Math.abs(b) - eb), v, division)
  ),
  max: binary(Math.max, (_a, _b, ea, eb) => Math.max(ea, eb)),
  min: binary(Math.min, (_a, _b, ea, eb) => Math.max(ea, eb)),
  less: binary((a, b) => (a < b ? 1 : 0), comparison),
  equal: binary((a, b) => (a === b ? 1 : 0), comparison),
  select: {
    arity: 3,
    meaning: (c, a, b) => (c !== 0 ? a : b),
    bound: ([c, a, b], [ec, ea, eb]) =>
      ec === 0 ? (c !== 0 ? ea : eb) : (a === b ? 0 : Math.abs(a - b)) + Math.max(ea, eb)
  }
}
