/**
 * Operators that compute each number by itself.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import * as E from 'fp-ts/lib/Either.js'
import { type Call, constant, dimsAt, knownAt, number, one, refuse, type Row, word } from '../graph/Operator.js'

const c = X.scalar

/** The number `value` in the shape of `x`. */
const full = (x: Expr, value: number): Expr => X.fill(x.shape, value)

// -------------------------------------------------------------------------------------
// one input
// -------------------------------------------------------------------------------------

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

// -------------------------------------------------------------------------------------
// two inputs
// -------------------------------------------------------------------------------------

/** Two expressions in their joint shape; those that have none in their own, which the operation then refuses. */
const joint = (a: Expr, b: Expr): readonly [Expr, Expr] => {
  const shape = Sh.broadcast(a.shape, b.shape)
  return shape === undefined ? [a, b] : [X.broadcastTo(a, shape), X.broadcastTo(b, shape)]
}

type Sides = (a: Expr, b: Expr, y: Expr, bar: Expr) => readonly [Expr, Expr]

const binary = (
  name: string,
  f: (a: Expr, b: Expr) => Expr,
  sides: Sides,
  dims?: (a: Dim, b: Dim) => Dim | undefined
): Row => ({
  name,
  build: (call) => {
    const built = one((first, second = first) => {
      const [a, b] = joint(first, second)
      const y = f(a, b)
      return [
        y,
        (bar) => {
          const [aBar, bBar] = sides(a, b, y, bar)
          return [X.sumTo<Shape>(aBar, first.shape), X.sumTo<Shape>(bBar, second.shape)]
        }
      ]
    })
    const sizes = dims === undefined ? undefined : symbolic(call, dims)
    if (E.isRight(built) && sizes !== undefined) return E.right({ ...built.right, dims: sizes })
    return built
  }
})

/** Arithmetic on lists of sizes, where one side may be a single number. */
const symbolic = (call: Call, f: (a: Dim, b: Dim) => Dim | undefined): ReadonlyArray<Dim> | undefined => {
  const [a, b] = [dimsAt(call, 0), dimsAt(call, 1)]
  if (a === undefined || b === undefined || (call.inputs[0]?.dims ?? call.inputs[1]?.dims) === undefined)
    return undefined
  const count = Math.max(a.length, b.length)
  const results = Array.from({ length: count }, (_, i) => {
    const [x, y] = [a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]]
    return x === undefined || y === undefined ? undefined : f(x, y)
  })
  const found = results.filter((d) => d !== undefined)
  return found.length === count ? found : undefined
}

const times = (a: Dim, b: Dim): Dim | undefined =>
  [a, b].every((d) => typeof d === 'string' || d >= 0) ? Sh.product([a, b]) : undefined

/** A quotient that is whole whatever the names stand for. */
const quotient = (a: Dim, b: Dim): Dim | undefined => {
  const [top, bottom] = [Sh.factors(a), Sh.factors(b)]
  const rest = [...top.names]
  for (const name of bottom.names) {
    const at = rest.indexOf(name)
    if (at < 0) return undefined
    rest.splice(at, 1)
  }
  return bottom.count > 0 && top.count % bottom.count === 0
    ? Sh.product([top.count / bottom.count, ...rest])
    : undefined
}

const only =
  (f: (a: number, b: number) => number) =>
  (a: Dim, b: Dim): Dim | undefined => {
    if (b === 0) return a
    return typeof a === 'number' && typeof b === 'number' ? f(a, b) : undefined
  }

/** `a^b`: by multiplication where the power is a small whole number or a half, else through the logarithm. */
const power = (call: Call): ReturnType<Row['build']> => {
  const exponents = knownAt(call, 1)
  const p = exponents?.[0] ?? Number.NaN
  const literal = exponents !== undefined && exponents.every((other) => other === p)
  if (literal && [0.5, 1, 2, 3, 4, -1, -0.5].includes(p)) {
    return one((x, second = x) => {
      const y = byProducts(x, p)
      const wide = Sh.broadcast(x.shape, second.shape) ?? x.shape
      return [
        X.broadcastTo(y, wide),
        (bar) => [X.mul(X.sumTo<Shape>(bar, x.shape), X.scale(byProducts(x, p - 1), p)), undefined]
      ]
    })
  }
  return one((first, second = first) => {
    const [a, b] = joint(first, second)
    // a negative base has a power where the exponent is whole: its sign is that of the parity, which a cosine has
    const size = X.exp(X.mul(b, X.log(X.abs(a))))
    const signed = X.select(X.less<Shape, Shape>(a, full(a, 0)), X.mul(size, parity(b)), size)
    const zero = X.select(X.equal<Shape, Shape>(b, full(b, 0)), full(a, 1), signed)
    const y = X.select(
      X.equal<Shape, Shape>(a, full(a, 0)),
      X.select(X.equal<Shape, Shape>(b, full(b, 0)), full(a, 1), full(a, 0)),
      zero
    )
    return [
      y,
      (bar) => {
        const aBar = X.mul(bar, X.div(X.mul(b, y), a))
        const bBar = X.mul(bar, X.mul(y, X.log(X.abs(a))))
        return [X.sumTo<Shape>(aBar, first.shape), X.sumTo<Shape>(bBar, second.shape)]
      }
    ]
  })
}

/** 1 for even whole numbers and -1 for odd ones. */
const parity = (b: Expr): Expr => {
  const sine = X.sin(X.scale(b, Math.PI / 2))
  return X.sub(full(b, 1), X.scale(X.mul(sine, sine), 2))
}

const byProducts = (x: Expr, p: number): Expr => {
  switch (p) {
    case 0:
      return full(x, 1)
    case 0.5:
      return X.sqrt(x)
    case 1:
      return x
    case 2:
      return X.mul(x, x)
    case 3:
      return X.mul(x, X.mul(x, x))
    case 4:
      return X.mul(X.mul(x, x), X.mul(x, x))
    default:
      return X.div(full(x, 1), byProducts(x, -p))
  }
}

/** What is shared where two are the same: half each, the mean of both one-sided derivatives. */
const larger: Sides = (a, b, _, bar) => {
  const same = X.scale(X.equal<Shape, Shape>(a, b), 0.5)
  return [X.weigh(bar, X.add(X.less<Shape, Shape>(b, a), same)), X.weigh(bar, X.add(X.less<Shape, Shape>(a, b), same))]
}
const smaller: Sides = (a, b, y, bar) => {
  const [aBar, bBar] = larger(b, a, y, bar)
  return [bBar, aBar] satisfies readonly [Expr, Expr]
}

/** An operator of any number of inputs, from one of two. */
const folded = (name: string, row: Row, after?: (value: Expr, count: number) => Expr): Row => ({
  name,
  build: (call) => {
    const [first, ...rest] = call.inputs
    if (first === undefined) return refuse('an input', 'none')
    const pair = row.build({ ...call, inputs: [first, first] })
    if (E.isLeft(pair)) return pair
    const count = rest.length + 1
    const finish = (value: Expr): Expr => (after === undefined ? value : after(value, count))
    return one((x, ...more) => {
      const steps: Array<(bar: Expr) => readonly [Expr | undefined, Expr | undefined]> = []
      let value = x
      for (const next of more) {
        const { values, back } = pair.right.apply([value, next])
        steps.push((bar) => {
          const [aBar, bBar] = back?.([bar]) ?? []
          return [aBar, bBar]
        })
        value = values[0] ?? value
      }
      return [
        finish(value),
        (bar) => {
          const bars: Array<Expr | undefined> = []
          let rest: Expr | undefined = finish(bar)
          for (const step of steps.toReversed()) {
            if (rest === undefined) break
            const [aBar, bBar]: readonly [Expr | undefined, Expr | undefined] = step(rest)
            bars.unshift(bBar)
            rest = aBar
          }
          return [rest, ...bars]
        }
      ]
    })
  }
})

const addition = binary(
  'Add',
  X.add,
  (_a, _b, _y, bar) => [bar, bar],
  (a, b) => (a === 0 ? b : only((x, y) => x + y)(a, b))
)
const maximum = binary('Max', X.max, larger)
const minimum = binary('Min', X.min, smaller)

const binaries: ReadonlyArray<Row> = [
  addition,
  binary(
    'Sub',
    X.sub,
    (_a, _b, _y, bar) => [bar, X.neg(bar)],
    only((x, y) => x - y)
  ),
  binary('Mul', X.mul, (a, b, _, bar) => [X.mul(bar, b), X.mul(bar, a)], times),
  {
    name: 'Div',
    build: (call) => {
      const whole = call.inputs[0]?.kind !== 'float'
      const row = binary('Div', X.div, (_, b, y, bar) => [X.div(bar, b), X.neg(X.div(X.mul(bar, y), b))], quotient)
      const built = row.build(call)
      if (!whole || E.isLeft(built)) return built
      const [a, b] = [knownAt(call, 0), knownAt(call, 1)]
      if (built.right.dims !== undefined) return built
      if (a === undefined || b === undefined)
        return refuse('floats, or whole numbers that are known', 'a division of others')
      const [shape = []] = [Sh.broadcast(shapeOf(call, 0), shapeOf(call, 1))]
      const data = Float64Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
        Math.trunc((a[a.length === 1 ? 0 : i] ?? 0) / (b[b.length === 1 ? 0 : i] ?? 1))
      )
      return E.right({ ...built.right, known: { shape: shape.map(Number), data } })
    }
  },
  { name: 'Pow', fixed: [], build: power },
  {
    name: 'PRelu',
    build: () =>
      one((first, second = first) => {
        const [x, slope] = joint(first, second)
        const below = X.less<Shape, Shape>(x, full(x, 0))
        return [
          X.select(below, X.mul(x, slope), x),
          (bar) => [
            X.sumTo<Shape>(X.select(below, X.mul(bar, slope), bar), first.shape),
            X.sumTo<Shape>(X.select(below, X.mul(bar, x), full(bar, 0)), second.shape)
          ]
        ]
      })
  },
  folded('Max', maximum),
  folded('Min', minimum),
  folded('Sum', addition),
  folded('Mean', addition, (value, count) => X.scale(value, 1 / count))
]

const shapeOf = (call: Call, at: number): Shape => call.inputs[at]?.expr.shape ?? []

// -------------------------------------------------------------------------------------
// comparisons and choices
// -------------------------------------------------------------------------------------

const comparison = (name: string, f: (a: Expr, b: Expr) => Expr): Row => ({
  name,
  build: () => constant(([a = c(0), b = a]) => f(...joint(a, b)), 'bool')
})

const not = (a: Expr): Expr => X.sub(full(a, 1), a)

const comparisons: ReadonlyArray<Row> = [
  comparison('Less', (a, b) => X.less<Shape, Shape>(a, b)),
  comparison('Greater', (a, b) => X.less<Shape, Shape>(b, a)),
  comparison('Equal', (a, b) => X.equal<Shape, Shape>(a, b)),
  // not `b < a`, which is also true of what is no number
  comparison('LessOrEqual', (a, b) => X.max(X.less<Shape, Shape>(a, b), X.equal<Shape, Shape>(a, b))),
  comparison('GreaterOrEqual', (a, b) => X.max(X.less<Shape, Shape>(b, a), X.equal<Shape, Shape>(a, b))),
  comparison('And', (a, b) => X.mul(a, b)),
  comparison('Or', (a, b) => X.max(a, b)),
  comparison('Xor', (a, b) => X.abs(X.sub(a, b))),
  { name: 'Not', build: () => constant(([a = c(0)]) => not(a), 'bool') }
]

const where: Row = {
  name: 'Where',
  build: (call) => {
    const shape = [0, 1, 2]
      .map((at) => shapeOf(call, at))
      .reduce<Shape | undefined>((sofar, next) => sofar && Sh.broadcast(sofar, next), [])
    if (shape === undefined)
      return refuse('shapes that broadcast', [0, 1, 2].map((at) => Sh.show(shapeOf(call, at))).join(', '))
    const chosen = chosenDims(call)
    const built = one(
      (condition, a = condition, b = condition) => {
        const wide = X.broadcastTo(condition, shape)
        const zero = X.zeros(shape)
        return [
          X.select(wide, X.broadcastTo(a, shape), X.broadcastTo(b, shape)),
          (bar) => [
            undefined,
            X.sumTo<Shape>(X.select(wide, bar, zero), a.shape),
            X.sumTo<Shape>(X.select(wide, zero, bar), b.shape)
          ]
        ]
      },
      [call.inputs[1]?.kind ?? 'float']
    )
    return E.isRight(built) && chosen !== undefined ? E.right({ ...built.right, dims: chosen }) : built
  }
}

/** A list of sizes chosen entry by entry, by a condition that is known. */
const chosenDims = (call: Call): ReadonlyArray<Dim> | undefined => {
  const [condition, a, b] = [knownAt(call, 0), dimsAt(call, 1), dimsAt(call, 2)]
  if (condition === undefined || a === undefined || b === undefined) return undefined
  if ((call.inputs[1]?.dims ?? call.inputs[2]?.dims) === undefined) return undefined
  const at = (list: ReadonlyArray<Dim>, i: number): ReadonlyArray<Dim> =>
    list.slice(list.length === 1 ? 0 : i).slice(0, 1)
  const count = Math.max(condition.length, a.length, b.length)
  return Array.from({ length: count }, (_, i) =>
    at((condition[condition.length === 1 ? 0 : i] ?? 0) === 0 ? b : a, i)
  ).flat()
}

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
export const rows: ReadonlyArray<Row> = [
  ...unaries,
  ...binaries.filter((row) => row !== maximum && row !== minimum),
  ...comparisons,
  where,
  clip
]
