/**
 * Operators that compute each number of several inputs by itself.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import { joint } from '../graph/Axes.js'
import { type Call, dimsAt, knownAt, one, refuse, type Row, shapeAt } from '../graph/Operator.js'

/** The number `value` in the shape of `x`. */
const full = (x: Expr, value: number): Expr => X.fill(x.shape, value)

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
const smaller: Sides = (a, b, y, bar) => larger(b, a, y, bar)

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
      const [shape = []] = [Sh.broadcast(shapeAt(call, 0), shapeAt(call, 1))]
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

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = binaries
