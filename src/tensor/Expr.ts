/**
 * Expressions: immutable trees of tensor operations with their shape in the type.
 *
 * Building an expression computes nothing. Operations are total: one that does not fit its arguments gives an
 * `Invalid` node, and closing the program (`Program.make`) reports every one of them at once. Typed callers meet the
 * same rules as compile errors.
 *
 * @since 0.1.0
 */
import type { MapName, Node, Op, ReduceName } from './Op.js'
import * as Sh from './Shape.js'
import type {
  Broadcast,
  CheckBroadcast,
  CheckEinsum,
  Dim,
  DropAxes,
  Einsum,
  PermuteAxes,
  ReplaceAxis,
  Shape,
  SplitAxis
} from './Shape.js'
import type { Tensor } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A tensor-valued expression of shape `S`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Expr<out S extends Shape = Shape> extends Node {
  readonly shape: S
}

/**
 * An expression of one number.
 *
 * @category model
 * @since 0.1.0
 */
export type Scalar = Expr<readonly []>

const node = <S extends Shape>(op: Op, args: ReadonlyArray<Node>, shape: S): Expr<S> => ({ op, args, shape })

const invalid = <S extends Shape>(
  args: ReadonlyArray<Node>,
  shape: S,
  operation: string,
  expected: string,
  got: string,
  remedy: string
): Expr<S> => node({ _tag: 'Invalid', error: { _tag: 'ShapeError', operation, expected, got, remedy } }, args, shape)

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A named input. Programs make these; use it directly only to build an expression outside of `Program.make`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const input = <const S extends Shape>(name: string, shape: S): Expr<S> =>
  node({ _tag: 'Input', name }, [], shape)

/**
 * A literal number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scalar = (value: number): Scalar => node({ _tag: 'Scalar', value }, [], [])

/**
 * A literal tensor, part of the program. The declared shape must be the tensor's own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const constant = <const S extends ReadonlyArray<number>>(value: Tensor, shape: S): Expr<S> =>
  Sh.equals(value.shape, shape)
    ? node({ _tag: 'Constant', value }, [], shape)
    : invalid([], shape, 'constant', Sh.show(shape), Sh.show(value.shape), "declare the tensor's own shape")

/**
 * The size of a named dimension as a number, known when the program is compiled: `size('batch')`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const size = (dim: Dim): Scalar => (typeof dim === 'number' ? scalar(dim) : node({ _tag: 'Size', dim }, [], []))

/**
 * A tensor of one repeated literal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fill = <const S extends Shape>(shape: S, value: number): Expr<S> => broadcastTo(scalar(value), shape)

/**
 * Zeros of a shape.
 *
 * @category constructors
 * @since 0.1.0
 */
export const zeros = <const S extends Shape>(shape: S): Expr<S> => fill(shape, 0)

// -------------------------------------------------------------------------------------
// combinators: elementwise
// -------------------------------------------------------------------------------------

/**
 * Repeats an expression along missing or unit axes until it has the shape (NumPy's rule).
 *
 * @category combinators
 * @since 0.1.0
 */
export const broadcastTo = <const S extends Shape>(a: Expr, shape: S): Expr<S> => {
  if (Sh.equals(a.shape, shape)) return node(a.op, a.args, shape)
  const joint = Sh.broadcast(a.shape, shape)
  return joint !== undefined && Sh.equals(joint, shape)
    ? node({ _tag: 'Broadcast' }, [a], shape)
    : invalid([a], shape, 'broadcastTo', `a shape that broadcasts to ${Sh.show(shape)}`, Sh.show(a.shape), advice)
}

const advice = 'shapes align from the right, and each pair of sizes must be equal or have a 1: reshape one of them'

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
 * Multiplies by a literal number.
 *
 * @category elementwise
 * @since 0.1.0
 */
export const scale = <S extends Shape>(a: Expr<S>, factor: number): Expr<S> => mul(a, scalar(factor))

// -------------------------------------------------------------------------------------
// combinators: reductions and contractions
// -------------------------------------------------------------------------------------

const reduce = (name: ReduceName, a: Expr, axes: ReadonlyArray<number>): Expr => {
  const outside = axes.filter((axis) => !Number.isInteger(axis) || axis < 0 || axis >= a.shape.length)
  const shape = a.shape.filter((_, i) => !axes.includes(i))
  if (outside.length > 0) {
    return invalid([a], shape, name, `axes of ${Sh.show(a.shape)}`, `[${outside.join(', ')}]`, 'count axes from 0')
  }
  return axes.length === 0 ? a : node({ _tag: 'Reduce', name, axes: [...axes].sort((x, y) => x - y) }, [a], shape)
}

/**
 * A reduction over the given axes, which disappear from the shape.
 *
 * @category model
 * @since 0.1.0
 */
export interface Reduction {
  <S extends Shape, const A extends ReadonlyArray<number>>(a: Expr<S>, axes: A): Expr<DropAxes<S, A[number]>>
}

// `reduce` drops the axes that `DropAxes` drops: the assertion states that for the type checker
const reduction = (name: ReduceName): Reduction =>
  ((a: Expr, axes: ReadonlyArray<number>) => reduce(name, a, axes)) as Reduction

/** Sum over axes. @category reductions @since 0.1.0 */
export const sum: Reduction = /*#__PURE__*/ reduction('sum')
/** Largest element over axes. @category reductions @since 0.1.0 */
export const maximum: Reduction = /*#__PURE__*/ reduction('max')
/** Smallest element over axes. @category reductions @since 0.1.0 */
export const minimum: Reduction = /*#__PURE__*/ reduction('min')

/**
 * Sums an expression down to a shape that broadcasts to its own: the adjoint of `broadcastTo`.
 *
 * @category reductions
 * @since 0.1.0
 */
export const sumTo = <const S extends Shape>(a: Expr, shape: S): Expr<S> => {
  const joint = Sh.broadcast(a.shape, shape)
  if (joint === undefined || !Sh.equals(joint, a.shape)) {
    return invalid([a], shape, 'sumTo', `a shape that ${Sh.show(shape)} broadcasts to`, Sh.show(a.shape), advice)
  }
  const lead = a.shape.length - shape.length
  const axes = a.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []))
  return reshape(reduce('sum', a, axes), shape)
}

/**
 * A sum of products by labels, one letter an axis: `einsum('ij,jk->ik', a, b)` is the matrix product. A label that the
 * result lacks is summed over; one that all three have is a batch axis.
 *
 * @category contractions
 * @since 0.1.0
 */
export const einsum = <Spec extends string, A extends Shape, B extends Shape>(
  spec: Spec,
  a: Expr<A>,
  b: Expr<B> & CheckEinsum<Spec, A, B>
): Expr<Einsum<Spec, A, B>> =>
  // the labels are resolved below exactly as `Einsum` resolves them in the types
  contract(spec, a, b) as Expr<Einsum<Spec, A, B>>

const contract = (spec: string, a: Expr, b: Expr): Expr => {
  const match = /^([a-zA-Z]*),([a-zA-Z]*)->([a-zA-Z]*)$/.exec(spec)
  const [, left = '', right = '', out = ''] = match ?? []
  const dims = new Map<string, Dim>()
  const clashes: Array<string> = []
  const read = (labels: string, shape: Shape): void =>
    [...labels].forEach((label, i) => {
      const d = shape[i] ?? 0
      const known = dims.get(label)
      if (known !== undefined && known !== d) clashes.push(`${label} = ${known} and ${d}`)
      dims.set(label, d)
    })
  read(left, a.shape)
  read(right, b.shape)
  const repeated = [left, right, out].some((labels) => new Set(labels).size !== labels.length)
  const shape = [...out].map((label) => dims.get(label) ?? 0)
  const got = `${Sh.show(a.shape)} and ${Sh.show(b.shape)}`
  if (match === null || repeated || [...out].some((label) => !dims.has(label))) {
    const remedy = 'write one distinct letter an axis and take the result from them'
    return invalid([a, b], shape, `einsum '${spec}'`, "a form such as 'ij,jk->ik'", got, remedy)
  }
  if (left.length !== a.shape.length || right.length !== b.shape.length) {
    return invalid(
      [a, b],
      shape,
      `einsum '${spec}'`,
      `${left.length} and ${right.length} axes`,
      got,
      'one letter an axis'
    )
  }
  if (clashes.length > 0) {
    return invalid(
      [a, b],
      shape,
      `einsum '${spec}'`,
      'one size a label',
      `${got} (${clashes.join('; ')})`,
      'transpose or reshape an operand'
    )
  }
  return node({ _tag: 'Contract', labels: [left, right, out] }, [a, b], shape)
}

/**
 * The matrix product, `[M, K] x [K, N] -> [M, N]`.
 *
 * @category contractions
 * @since 0.1.0
 */
export const matmul = <M extends Dim, K extends Dim, N extends Dim>(
  a: Expr<readonly [M, K]>,
  b: Expr<readonly [NoInfer<K>, N]>
): Expr<readonly [M, N]> => retype(contract('ij,jk->ik', a, b), [a.shape[0], b.shape[1]])

// -------------------------------------------------------------------------------------
// combinators: views
// -------------------------------------------------------------------------------------

/**
 * Gives the same elements, in row-major order, another shape with the same number of elements.
 *
 * @category views
 * @since 0.1.0
 */
export const reshape = <const S extends Shape>(a: Expr, shape: S): Expr<S> => {
  if (Sh.equals(a.shape, shape)) return node(a.op, a.args, shape)
  const count = (s: Shape): string => {
    const names = s.filter((d) => typeof d === 'string').sort()
    return [s.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1), ...names].join(' x ')
  }
  return count(a.shape) === count(shape)
    ? node({ _tag: 'Reshape' }, [a], shape)
    : invalid(
        [a],
        shape,
        'reshape',
        `${count(a.shape)} elements, as ${Sh.show(a.shape)} has`,
        `${count(shape)} in ${Sh.show(shape)}`,
        'keep the number of elements'
      )
}

/**
 * Reorders axes: axis `i` of the result is axis `permutation[i]` of the argument.
 *
 * @category views
 * @since 0.1.0
 */
export const permute = <S extends Shape, const P extends ReadonlyArray<number>>(
  a: Expr<S>,
  permutation: P
): Expr<PermuteAxes<S, P>> => {
  const shape = permutation.map((axis) => a.shape[axis] ?? 0)
  const legal = [...permutation].sort((x, y) => x - y).every((axis, i) => axis === i)
  const result: Expr =
    legal && permutation.length === a.shape.length
      ? node({ _tag: 'Permute', permutation }, [a], shape)
      : invalid(
          [a],
          shape,
          'permute',
          `a permutation of the ${a.shape.length} axes of ${Sh.show(a.shape)}`,
          `[${permutation.join(', ')}]`,
          'name each axis once'
        )
  // `PermuteAxes` reads the same sizes off the same axes
  return result as Expr<PermuteAxes<S, P>>
}

/**
 * The transpose of a matrix.
 *
 * @category views
 * @since 0.1.0
 */
export const transpose = <M extends Dim, N extends Dim>(a: Expr<readonly [M, N]>): Expr<readonly [N, M]> =>
  retype(permute<Shape, readonly [1, 0]>(a, [1, 0]), [a.shape[1], a.shape[0]])

/**
 * `length` entries along an axis from `start` on.
 *
 * @category views
 * @since 0.1.0
 */
export const slice = <S extends Shape, const Axis extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  start: number,
  length: N
): Expr<ReplaceAxis<S, Axis, N>> => {
  const shape = a.shape.map((d, i) => (i === axis ? length : d))
  const d = a.shape[axis]
  const fits = start >= 0 && length > 0 && typeof d === 'number' && start + length <= d
  const result: Expr = fits
    ? node({ _tag: 'Slice', axis, start }, [a], shape)
    : invalid(
        [a],
        shape,
        'slice',
        `a range within axis ${axis} of ${Sh.show(a.shape)}, of literal size`,
        `${start} to ${start + length}`,
        'shorten the range'
      )
  // only the size at `axis` differs, as in `ReplaceAxis`
  return result as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Zeros before and after along an axis: the adjoint of `slice`. `length` is the padded size.
 *
 * @category views
 * @since 0.1.0
 */
export const pad = <S extends Shape, const Axis extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  before: number,
  length: N
): Expr<ReplaceAxis<S, Axis, N>> => {
  const shape = a.shape.map((d, i) => (i === axis ? length : d))
  const d = a.shape[axis]
  const after = typeof d === 'number' ? length - before - d : -1
  const result: Expr =
    before >= 0 && after >= 0
      ? node({ _tag: 'Pad', axis, before, after }, [a], shape)
      : invalid(
          [a],
          shape,
          'pad',
          `room in ${length} for axis ${axis} of ${Sh.show(a.shape)} after ${before}`,
          `${after} zeros after it`,
          'make the padded size larger'
        )
  // only the size at `axis` differs, as in `ReplaceAxis`
  return result as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Sliding windows along an axis of literal size, which becomes two: entry `(p, s)` is entry `p stride + s dilation` of the
 * axis, for `positions` windows of `size` entries each. Windows may overlap and nothing is copied: a convolution is an
 * `einsum` over a windowed view.
 *
 * @category views
 * @since 0.1.0
 */
export const window = <S extends Shape, const Axis extends number, const P extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  positions: P,
  size: N,
  stride = 1,
  dilation = 1
): Expr<SplitAxis<S, Axis, P, N>> => {
  const shape = [...a.shape.slice(0, axis), positions, size, ...a.shape.slice(axis + 1)]
  const d = a.shape[axis]
  const whole = [axis, positions, size, stride, dilation].every(Number.isInteger)
  const reach = (positions - 1) * stride + (size - 1) * dilation + 1
  const fits = whole && positions > 0 && size > 0 && stride > 0 && dilation > 0 && typeof d === 'number' && reach <= d
  const result: Expr = fits
    ? node({ _tag: 'Window', axis, stride, dilation }, [a], shape)
    : invalid(
        [a],
        shape,
        'window',
        `windows within axis ${axis} of ${Sh.show(a.shape)}, of literal size`,
        `${positions} of ${size}, which reach ${reach}`,
        'take fewer or smaller windows, or pad the axis'
      )
  // the axis gives way to the two new ones, as in `SplitAxis`
  return result as Expr<SplitAxis<S, Axis, P, N>>
}

/**
 * The entry along an axis at a run-time index, a scalar expression. The axis disappears. The index is rounded down and
 * held within the axis, so that the operation is total.
 *
 * @category views
 * @since 0.1.0
 */
export const take = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  index: Scalar
): Expr<DropAxes<S, Axis>> => {
  const shape = a.shape.filter((_, i) => i !== axis)
  const fits = axis >= 0 && axis < a.shape.length && index.shape.length === 0
  const result: Expr = fits
    ? node({ _tag: 'Take', axis }, [a, index], shape)
    : invalid(
        [a, index],
        shape,
        'take',
        `an axis of ${Sh.show(a.shape)} and a scalar index`,
        `axis ${axis}, index ${Sh.show(index.shape)}`,
        'count axes from 0'
      )
  // one axis is dropped, as in `DropAxes`
  return result as Expr<DropAxes<S, Axis>>
}

/**
 * Joins expressions along an axis of literal size. All other sizes must be equal.
 *
 * @category views
 * @since 0.1.0
 */
export const concat = <S extends Shape, const Axis extends number>(
  parts: ReadonlyArray<Expr<S>>,
  axis: Axis
): Expr<ReplaceAxis<S, Axis, number>> => {
  const [first] = parts
  const base: Shape = first?.shape ?? []
  const sizes = parts.map((part) => part.shape[axis])
  const total = sizes.reduce<number>((n, d) => n + (typeof d === 'number' ? d : 0), 0)
  const shape = base.map((d, i) => (i === axis ? total : d))
  const fits =
    axis in base &&
    parts.every((p) =>
      Sh.equals(
        p.shape.map((d, i) => (i === axis ? 0 : d)),
        base.map((d, i) => (i === axis ? 0 : d))
      )
    ) &&
    sizes.every((d) => typeof d === 'number')
  const result: Expr = fits
    ? node({ _tag: 'Concat', axis }, parts, shape)
    : invalid(
        parts,
        shape,
        'concat',
        `shapes that agree but for a literal axis ${axis}`,
        parts.map((p) => Sh.show(p.shape)).join(', ') || 'nothing',
        'reshape the parts'
      )
  // sizes along `axis` add up, the others stay
  return result as Expr<ReplaceAxis<S, Axis, number>>
}

/**
 * Joins expressions of one shape along a new first axis.
 *
 * @category views
 * @since 0.1.0
 */
export const stack = <S extends Shape>(parts: ReadonlyArray<Expr<S>>): Expr<readonly [number, ...S]> => {
  const raised: ReadonlyArray<Expr> = parts.map((part) => reshape(part, [1, ...part.shape]))
  // `concat` along the new axis of size one each
  return concat(raised, 0) as Expr<readonly [number, ...S]>
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The same values as an expression, but another node that can not be computed before the others are: what is built on it
 * is computed anew, after them, instead of being shared with an earlier use. This is how activations are recomputed on
 * purpose. Where one of the others starts with something that is not finite, so does the result.
 *
 * @category utils
 * @since 0.1.0
 */
export const after = <S extends Shape>(a: Expr<S>, others: ReadonlyArray<Expr>): Expr<S> => {
  const corner = (other: Expr): Scalar =>
    retype(
      other.shape.reduce<Expr>((rest) => take<Shape, 0>(rest, 0, scalar(0)), other),
      []
    )
  return others.length === 0
    ? a
    : add(
        a,
        scale(
          others.map(corner).reduce((x, y) => add(x, y)),
          0
        )
      )
}

/**
 * Asserts a shape that the type checker could not follow: the same node where the run-time shape is the given one,
 * else an `Invalid` node. It costs nothing in the program.
 *
 * @category utils
 * @since 0.1.0
 */
export const retype = <const S extends Shape>(a: Expr, shape: S): Expr<S> =>
  Sh.equals(a.shape, shape)
    ? node(a.op, a.args, shape)
    : invalid([a], shape, 'retype', Sh.show(shape), Sh.show(a.shape), 'state the shape that the expression has')
