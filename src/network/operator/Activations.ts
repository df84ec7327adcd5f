/**
 * Operators that compute each number of one input by itself.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Shape } from '../../tensor/Shape.js'
import { type Call, knownAt, number, one, type Row, word } from '../graph/Operator.js'

const c = X.scalar

/** The number `value` in the shape of `x`. */
const full = (x: Expr, value: number): Expr => X.fill(x.shape, value)

type Derivative = (x: Expr, y: Expr) => Expr

const unary = (
  name: string,
  f: (x: Expr, call: Call) => Expr,
  derivative: (x: Expr, y: Expr, call: Call) => Expr
): Row => ({
  name,
  build: (call) =>
    one((x) => {
      const y = f(x, call)
      return [y, (bar) => [X.mul(bar, derivative(x, y, call))]]
    })
})

/** A function whose derivative may be infinite where the cotangent is 0. */
const piecewise = (name: string, f: (x: Expr, call: Call) => Expr, weight: (x: Expr, call: Call) => Expr): Row => ({
  name,
  build: (call) => one((x) => [f(x, call), (bar) => [X.weigh(bar, weight(x, call))]])
})

const square: Derivative = (_, y) => X.sub(full(y, 1), X.mul(y, y))

/** `log(1 + e^x)` without overflow. */
const softplus = (x: Expr): Expr => X.add(X.max(x, c(0)), X.log(X.add(X.exp(X.neg(X.abs(x))), c(1))))

const normal = 1 / Math.sqrt(2 * Math.PI)
const curve = Math.sqrt(2 / Math.PI)

/** The distribution function of the standard normal. */
const cumulative = (x: Expr): Expr => X.scale(X.add(X.erf(X.scale(x, Math.SQRT1_2)), c(1)), 0.5)

const gelu = (x: Expr, call: Call): Expr =>
  word(call, 'approximate', 'none') === 'tanh'
    ? X.mul(x, X.scale(X.add(tanhOf(x), c(1)), 0.5))
    : X.mul(x, cumulative(x))

const tanhOf = (x: Expr): Expr => X.tanh(X.scale(X.add(x, X.scale(X.mul(x, X.mul(x, x)), 0.044715)), curve))

const geluDerivative = (x: Expr, _: Expr, call: Call): Expr => {
  if (word(call, 'approximate', 'none') !== 'tanh') {
    const density = X.scale(X.exp(X.scale(X.mul(x, x), -0.5)), normal)
    return X.add(cumulative(x), X.mul(x, density))
  }
  const t = tanhOf(x)
  const inner = X.scale(X.add(X.scale(X.mul(x, x), 3 * 0.044715), c(1)), curve)
  const slope = X.mul(X.sub(full(t, 1), X.mul(t, t)), inner)
  return X.scale(X.add(X.add(t, c(1)), X.mul(x, slope)), 0.5)
}

const hard = (x: Expr, call: Call): Expr =>
  X.min(X.max(X.add(X.scale(x, number(call, 'alpha', 0.2)), c(number(call, 'beta', 0.5))), c(0)), c(1))

const within = (x: Expr, low: Expr, high: Expr): Expr => X.mul(X.less(low, x), X.less(x, high))

const hardSlope = (x: Expr, alpha: number, beta: number): Expr => {
  const line = X.add(X.scale(x, alpha), c(beta))
  return X.scale(within(line, full(x, 0), full(x, 1)), alpha)
}

const hardSwish = (x: Expr): Expr => X.mul(x, X.min(X.max(X.add(X.scale(x, 1 / 6), c(0.5)), c(0)), c(1)))

const hardSwishDerivative: Derivative = (x) =>
  X.add(X.min(X.max(X.add(X.scale(x, 1 / 6), c(0.5)), c(0)), c(1)), X.mul(x, hardSlope(x, 1 / 6, 0.5)))

const positive = (x: Expr): Expr => X.less<Shape, Shape>(full(x, 0), x)

const elu = (x: Expr, call: Call): Expr =>
  X.select(positive(x), x, X.scale(X.sub(X.exp(X.min(x, c(0))), c(1)), number(call, 'alpha', 1)))

const seluScale = 1.0507009873554805
const seluAlpha = 1.6732632423543772

const unaries: ReadonlyArray<Row> = [
  unary('Neg', X.neg, (x) => full(x, -1)),
  unary('Abs', X.abs, (x) => X.sub(positive(x), X.less<Shape, Shape>(x, full(x, 0)))),
  unary('Exp', X.exp, (_, y) => y),
  unary('Log', X.log, (x) => X.div(full(x, 1), x)),
  unary('Sqrt', X.sqrt, (_, y) => X.div(full(y, 0.5), y)),
  unary(
    'Reciprocal',
    (x) => X.div(full(x, 1), x),
    (_, y) => X.neg(X.mul(y, y))
  ),
  unary('Tanh', X.tanh, square),
  unary('Sigmoid', X.sigmoid, (_, y) => X.mul(y, X.sub(full(y, 1), y))),
  unary('Erf', X.erf, (x) => X.scale(X.exp(X.neg(X.mul(x, x))), 2 / Math.sqrt(Math.PI))),
  unary('Sin', X.sin, (x) => X.cos(x)),
  unary('Cos', X.cos, (x) => X.neg(X.sin(x))),
  unary('Softplus', softplus, (x) => X.sigmoid(x)),
  unary(
    'Softsign',
    (x) => X.div(x, X.add(X.abs(x), c(1))),
    (x) => {
      const one = X.add(X.abs(x), c(1))
      return X.div(full(x, 1), X.mul(one, one))
    }
  ),
  unary('Gelu', gelu, geluDerivative),
  unary(
    'Mish',
    (x) => X.mul(x, X.tanh(softplus(x))),
    (x) => {
      const t = X.tanh(softplus(x))
      return X.add(t, X.mul(x, X.mul(X.sub(full(t, 1), X.mul(t, t)), X.sigmoid(x))))
    }
  ),
  unary('HardSigmoid', hard, (x, _, call) => hardSlope(x, number(call, 'alpha', 0.2), number(call, 'beta', 0.5))),
  unary('HardSwish', hardSwish, hardSwishDerivative),
  unary('Elu', elu, (x, y, call) => X.select(positive(x), full(x, 1), X.add(y, c(number(call, 'alpha', 1))))),
  unary(
    'Selu',
    (x, call) =>
      X.scale(
        X.select(positive(x), x, X.scale(X.sub(X.exp(X.min(x, c(0))), c(1)), number(call, 'alpha', seluAlpha))),
        number(call, 'gamma', seluScale)
      ),
    (x, y, call) => {
      const [alpha, gamma] = [number(call, 'alpha', seluAlpha), number(call, 'gamma', seluScale)]
      return X.select(positive(x), full(x, gamma), X.add(y, c(alpha * gamma)))
    }
  ),
  piecewise('Relu', (x) => X.max(x, c(0)), positive),
  piecewise(
    'LeakyRelu',
    (x, call) => X.select(X.less<Shape, Shape>(x, full(x, 0)), X.scale(x, number(call, 'alpha', 0.01)), x),
    (x, call) => X.select(X.less<Shape, Shape>(x, full(x, 0)), full(x, number(call, 'alpha', 0.01)), full(x, 1))
  ),
  piecewise(
    'ThresholdedRelu',
    (x, call) => X.mul(x, X.less<Shape, Shape>(full(x, number(call, 'alpha', 1)), x)),
    (x, call) => X.less<Shape, Shape>(full(x, number(call, 'alpha', 1)), x)
  )
]

const clip: Row = {
  name: 'Clip',
  fixed: [1, 2],
  build: (call) => {
    const bound = (at: number, attribute: string, otherwise: number): number =>
      knownAt(call, at)?.[0] ?? number(call, attribute, otherwise)
    const [low, high] = [bound(1, 'min', -Infinity), bound(2, 'max', Infinity)]
    return one((x) => {
      const above = low === -Infinity ? x : X.max(x, c(low))
      const value = high === Infinity ? above : X.min(above, c(high))
      // at a bound the number itself goes through, as it does in PyTorch
      const inside = X.equal<Shape, Shape>(value, x)
      return [value, (bar) => [X.weigh(bar, inside)]]
    })
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [...unaries, clip]
