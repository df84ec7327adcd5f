/**
 * The adjoint law for one lens at random points: `<yBar, J v> = <J^T yBar, v>`, in f64.
 *
 * `J v` is the derivative of the value along `v`, from central differences at steps `h`, `h / 2` and `h / 4`, extrapolated
 * twice (Romberg). The two sides may differ by
 *
 * - the truncation of the extrapolation: at most the last correction, `|S - R|`, where the series has begun to
 *   converge;
 * - the rounding of the values: each difference quotient at `h` is off by `e / h` when a value is off by `e`, so
 *   `R(h) = (4 D(h / 2) - D(h)) / 3` by `3 e / h`, and `S = (16 R(h / 2) - R(h)) / 15` by `(96 + 3) / 15 e / h = 6.6 e / h`;
 * - the rounding of the pullback.
 *
 * `e` is the forward bound for f32 that the reference computes for the scalar product, times `2^-29`, which is the ratio
 * of the two unit roundoffs: the bounds are first-order in it. Points and directions are multiples of `2^-10`, so that
 * moving a point by `h` times a direction is exact.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, Params } from '../../src/lens/Lens.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

/** A right, or the test's failure with the left as its text. */
export const get = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left, null, 2))
  return either.right
}

const batch = 3

/** Normal values for a tree of shapes, by path, as multiples of 2^-10. */
export const values = (shapes: Shapes, prefix: string, key: Key.Key, deviation = 1): Values =>
  Object.fromEntries(
    Tree.leaves<Shape>(Tree.isShape, shapes, prefix).map(([path, shape]) => {
      const dims = shape.map((dim) => (typeof dim === 'number' ? dim : batch))
      const { data } = Draw.normal(Key.foldInString(key, path), dims)
      return [path, { shape: dims, data: data.map((x) => Math.round(x * deviation * 1024) / 1024) }]
    })
  )

/** The scalar product of two trees with the same keys. */
const dot = (a: Exprs, b: Exprs): X.Scalar => {
  const others = new Map(Tree.leaves(Tree.isExpr, b))
  return Tree.leaves(Tree.isExpr, a).reduce<X.Scalar>((total, [path, leaf]) => {
    const other = others.get(path)
    return other === undefined ? total : X.add(total, X.sumTo(X.mul(leaf, other), []))
  }, X.scalar(0))
}

const along = (a: Values, v: Values, h: number): Values =>
  Object.fromEntries(
    Object.entries(a).map(([name, t]): [string, Tensor] => {
      const d = v[name]?.data
      return [name, { ...t, data: Float64Array.from(t.data, (x, i) => x + h * (d?.[i] ?? 0)) }]
    })
  )

/**
 * Both sides of the law and how far they may differ, at a point drawn from the key. Parameters have the given deviation.
 * Inputs named in `fixed` are not moved: their pullback is zero by definition.
 */
export const adjoint = <P extends Params, A extends Exprs, B extends Expr>(
  lens: Lens<P, A, B>,
  argument: Shapes,
  value: Shape,
  key: Key.Key,
  fixed: ReadonlyArray<string> = [],
  draw: (inputs: Values) => Values = (inputs) => inputs
): { readonly left: number; readonly right: number; readonly tolerance: number } => {
  const p = L.shapes(lens.parameters)
  // the trees of inputs have the shapes that the lens declares
  const forward = get(
    Program.make({ p, a: argument, yBar: value }, (inputs) => ({
      product: dot({ y: lens.forward(L.inputsOf('p', lens), inputs.a as A) }, { y: inputs.yBar })
    }))
  )
  const backward = get(
    Program.make({ p, a: argument, yBar: value, v: { p, a: argument } }, (inputs) => {
      const [pBar, aBar] = lens.run(L.inputsOf('p', lens), inputs.a as A)[1](inputs.yBar as B)
      return { product: dot({ p: pBar, a: aBar }, inputs.v) }
    })
  )
  const sizes = { batch }
  const at = draw({
    ...values(p, 'p', Key.foldInString(key, 'at'), 0.5),
    ...values(argument, 'a', Key.foldInString(key, 'at'))
  })
  const v = Object.fromEntries(
    Object.entries({
      ...values(p, 'p', Key.foldInString(key, 'along')),
      ...values(argument, 'a', Key.foldInString(key, 'along'))
    }).map(([name, t]): [string, Tensor] => [name, fixed.includes(name) ? { ...t, data: t.data.map(() => 0) } : t])
  )
  const bar = values(value, 'yBar', Key.foldInString(key, 'bar'))
  const f = (h: number): number =>
    get(Reference.run(forward, sizes, { ...along(at, v, h), ...bar }))['product']?.data[0] ?? Number.NaN
  const D = (h: number): number => (f(h) - f(-h)) / (2 * h)
  const R = (h: number): number => (4 * D(h / 2) - D(h)) / 3
  const h = 2 ** -7
  const last = R(h / 2)
  const left = (16 * last - R(h)) / 15
  const there = get(Reference.runWithBounds(forward, sizes, { ...at, ...bar }))
  const directions = Object.fromEntries(Object.entries(v).map(([name, t]) => [`v.${name}`, t]))
  const pulled = get(Reference.runWithBounds(backward, sizes, { ...at, ...bar, ...directions }))
  const bound = ({ bounds }: Reference.Bounded): number => (bounds['product']?.data[0] ?? Number.NaN) * 2 ** -29
  return {
    left,
    right: pulled.values['product']?.data[0] ?? Number.NaN,
    tolerance: Math.abs(left - last) + (6.6 * bound(there)) / h + bound(pulled)
  }
}

/**
 * How far central differences at steps `2^-4`, `2^-5` and `2^-6` are from `<J^T yBar, v>`: without bounds, for networks of so
 * many norms that first-order bounds of f32 exceed their variances. If the pullback is right, halving the step divides the
 * error by 4; if it is wrong, the error tends to what it is wrong by.
 */
export const errorsOfDifferences = <P extends Params, A extends Exprs, B extends Expr>(
  lens: Lens<P, A, B>,
  argument: Shapes,
  value: Shape,
  key: Key.Key,
  fixed: ReadonlyArray<string> = [],
  draw: (inputs: Values) => Values = (inputs) => inputs
): ReadonlyArray<number> => {
  const p = L.shapes(lens.parameters)
  const program = get(
    Program.make({ p, a: argument, yBar: value, v: { p, a: argument } }, (inputs) => {
      // the trees of inputs have the shapes that the lens declares
      const [y, back] = lens.run(L.inputsOf('p', lens), inputs.a as A)
      const [pBar, aBar] = back(inputs.yBar as B)
      return { product: dot({ y }, { y: inputs.yBar }), pulled: dot({ p: pBar, a: aBar }, inputs.v) }
    })
  )
  const all = (of: string): Values => ({
    ...values(p, 'p', Key.foldInString(key, of), 0.5),
    ...values(argument, 'a', Key.foldInString(key, of))
  })
  const at = draw(all('at'))
  const v = Object.fromEntries(
    Object.entries(all('along')).map(([name, t]): [string, Tensor] => [
      name,
      fixed.includes(name) ? { ...t, data: t.data.map(() => 0) } : t
    ])
  )
  const given = {
    ...values(value, 'yBar', Key.foldInString(key, 'bar')),
    ...Object.fromEntries(Object.entries(v).map(([name, t]) => [`v.${name}`, t]))
  }
  const run = (name: string, h: number): number =>
    get(Reference.run(program, { batch }, { ...along(at, v, h), ...given }))[name]?.data[0] ?? Number.NaN
  const right = run('pulled', 0)
  return [2 ** -4, 2 ** -5, 2 ** -6].map((h) => Math.abs((run('product', h) - run('product', -h)) / (2 * h) - right))
}
