/**
 * Expressions computed element by element, with broadcasting by the rule of NumPy.
 *
 * @since 0.1.0
 */
import type { MapName } from './Op.js'
import { type Expr, type Scalar, advice, broadcastTo, invalid, node, scalar } from './Node.js'
import * as Sh from './Shape.js'
import type { Broadcast, CheckBroadcast, Shape } from './Shape.js'

// -------------------------------------------------------------------------------------
// elementwise
// -------------------------------------------------------------------------------------

const elementwise = (name: MapName, args: ReadonlyArray<Expr>): Expr => {
  let shape: Shape = []
  for (const arg of args) {
    const joint = Sh.broadcast(shape, arg.shape)
    if (joint === undefined) {
      return invalid(args, shape, name, `a shape that broadcasts with ${Sh.show(shape)}`, Sh.show(arg.shape), advice)
    }
    shape = joint
  }
  const joint = shape
  return node(
    { _tag: 'Map', name },
    args.map((arg) => broadcastTo(arg, joint)),
    joint
  )
}

/**
 * An elementwise operation of one argument.
 *
 * @category model
 * @since 0.1.0
 */
export interface Unary {
  <S extends Shape>(a: Expr<S>): Expr<S>
}

/**
 * An elementwise operation of two arguments of one shape, or of shapes that broadcast.
 *
 * @category model
 * @since 0.1.0
 */
export interface Binary {
  <S extends Shape>(a: Expr<S>, b: Expr<NoInfer<S>> | Scalar): Expr<S>
  <A extends Shape, B extends Shape>(a: Expr<A>, b: Expr<B> & CheckBroadcast<A, B>): Expr<Broadcast<A, B>>
}

// The shape of an elementwise result is computed by `broadcast`, which is the value of the type `Broadcast`: that is
// what makes the assertions in these two functions true.
const unary = (name: MapName): Unary => ((a: Expr) => elementwise(name, [a])) as Unary
const binary =
  (name: MapName): Binary =>
  (a: Expr, b: Expr) =>
    elementwise(name, [a, b])

/** Elementwise `-a`. @category elementwise @since 0.1.0 */
export const neg: Unary = /*#__PURE__*/ unary('neg')
/** Elementwise absolute value. @category elementwise @since 0.1.0 */
export const abs: Unary = /*#__PURE__*/ unary('abs')
/** Elementwise `e^a`. @category elementwise @since 0.1.0 */
export const exp: Unary = /*#__PURE__*/ unary('exp')
/** Elementwise natural logarithm. @category elementwise @since 0.1.0 */
export const log: Unary = /*#__PURE__*/ unary('log')
/** Elementwise hyperbolic tangent. @category elementwise @since 0.1.0 */
export const tanh: Unary = /*#__PURE__*/ unary('tanh')
/** Elementwise logistic function `1 / (1 + e^-a)`. @category elementwise @since 0.1.0 */
export const sigmoid: Unary = /*#__PURE__*/ unary('sigmoid')
/** Elementwise error function. @category elementwise @since 0.1.0 */
export const erf: Unary = /*#__PURE__*/ unary('erf')
/** Elementwise square root. @category elementwise @since 0.1.0 */
export const sqrt: Unary = /*#__PURE__*/ unary('sqrt')
/** Elementwise sine of radians. @category elementwise @since 0.1.0 */
export const sin: Unary = /*#__PURE__*/ unary('sin')
/** Elementwise cosine of radians. @category elementwise @since 0.1.0 */
export const cos: Unary = /*#__PURE__*/ unary('cos')
/** Elementwise `a + b`, broadcasting. @category elementwise @since 0.1.0 */
export const add: Binary = /*#__PURE__*/ binary('add')
/** Elementwise `a - b`, broadcasting. @category elementwise @since 0.1.0 */
export const sub: Binary = /*#__PURE__*/ binary('sub')
/** Elementwise `a * b`, broadcasting. @category elementwise @since 0.1.0 */
export const mul: Binary = /*#__PURE__*/ binary('mul')
/** Elementwise `a / b`, broadcasting. @category elementwise @since 0.1.0 */
export const div: Binary = /*#__PURE__*/ binary('div')
/** Elementwise larger of two, broadcasting. @category elementwise @since 0.1.0 */
export const max: Binary = /*#__PURE__*/ binary('max')
/** Elementwise smaller of two, broadcasting. @category elementwise @since 0.1.0 */
export const min: Binary = /*#__PURE__*/ binary('min')
/** Elementwise 1 where `a < b`, else 0, broadcasting. @category elementwise @since 0.1.0 */
export const less: Binary = /*#__PURE__*/ binary('less')
/** Elementwise 1 where `a = b`, else 0, broadcasting. @category elementwise @since 0.1.0 */
export const equal: Binary = /*#__PURE__*/ binary('equal')

/**
 * Elementwise `a` where the condition is not 0, else `b`. All of one shape, or scalars.
 *
 * @category elementwise
 * @since 0.1.0
 */
export const select = <S extends Shape>(
  condition: Expr<S>,
  a: Expr<NoInfer<S>> | Scalar,
  b: Expr<NoInfer<S>> | Scalar
): Expr<S> => {
  const result: Expr = elementwise('select', [condition, a, b])
  return broadcastTo(result, condition.shape)
}

/**
 * Elementwise `a weight`, where a weight of 0 drops what it weighs, whatever that is: a product would make `0 Infinity`, which
 * is no number. The weight has the shape of `a`, or one that broadcasts to it.
 *
 * @category elementwise
 * @since 0.1.0
 */
export const weigh = <S extends Shape>(a: Expr<S>, weight: Expr): Expr<S> => {
  const whole = broadcastTo(weight, a.shape)
  return select(whole, mul(a, whole), scalar(0))
}

/**
 * Multiplies by a literal number.
 *
 * @category elementwise
 * @since 0.1.0
 */
export const scale = <S extends Shape>(a: Expr<S>, factor: number): Expr<S> => mul(a, scalar(factor))
