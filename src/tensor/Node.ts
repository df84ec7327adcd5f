/**
 * What an expression is, and the ones that are made of nothing else.
 *
 * @since 0.1.0
 */
import type { Node, Op } from './Op.js'
import * as Sh from './Shape.js'
import type { Dim, Shape, ShapeError } from './Shape.js'
import { size as count, type Tensor } from './Tensor.js'

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

/**
 * A node with the shape in its type. A shape with a size that is none makes it an `Invalid` one, unless it is that of an
 * argument, where it was reported.
 *
 * @category utils
 * @since 0.1.0
 */
export const node = <S extends Shape>(op: Op, args: ReadonlyArray<Node>, shape: S): Expr<S> =>
  op._tag === 'Invalid' || Sh.isShape(shape) || !args.every((arg) => Sh.isShape(arg.shape))
    ? { op, args, shape }
    : { op: { _tag: 'Invalid', error: Sh.noShape(nameOf(op), shape) }, args, shape }

/** What an operation is called by whoever builds it. */
const nameOf = (op: Op): string => {
  switch (op._tag) {
    case 'Input':
      return inputName(op.name)
    case 'Map':
    case 'Reduce':
      return op.name
    case 'Broadcast':
      return 'broadcastTo'
    default:
      return op._tag.toLowerCase()
  }
}

/**
 * What an error calls an input.
 *
 * @category utils
 * @since 0.1.0
 */
export const inputName = (name: string): string => `input '${name}'`

/**
 * A node that says why there is none.
 *
 * @category utils
 * @since 0.1.0
 */
export const invalid = <S extends Shape>(
  args: ReadonlyArray<Node>,
  shape: S,
  operation: string,
  expected: string,
  got: string,
  remedy: string
): Expr<S> => node({ _tag: 'Invalid', error: { _tag: 'ShapeError', operation, expected, got, remedy } }, args, shape)

/**
 * An expression of a shape that says why it can not be had, for what is known to be wrong before any operation is: a layer's
 * own numbers, a name that is taken. Zeros where nothing is wrong.
 *
 * @category utils
 * @since 0.1.0
 */
export const ill = <const S extends Shape>(
  args: ReadonlyArray<Node>,
  shape: S,
  errors: ReadonlyArray<ShapeError>
): Expr<S> => {
  const [first, ...rest] = errors
  if (first === undefined) return zeros(shape)
  const start = node({ _tag: 'Invalid', error: first }, args, shape)
  return rest.reduce((inner, error) => node({ _tag: 'Invalid', error }, [inner], shape), start)
}

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
 * A literal tensor, part of the program. The declared shape must be the tensor's own, and its numbers must fill it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const constant = <const S extends ReadonlyArray<number>>(value: Tensor, shape: S): Expr<S> => {
  if (!Sh.equals(value.shape, shape)) {
    return invalid([], shape, 'constant', Sh.show(shape), Sh.show(value.shape), "declare the tensor's own shape")
  }
  return value.data.length === count(shape)
    ? node({ _tag: 'Constant', value }, [], shape)
    : invalid(
        [],
        shape,
        'constant',
        `${count(shape)} numbers, as ${Sh.show(shape)} has`,
        `${value.data.length}`,
        'make tensors by `Tensor.make`, which checks'
      )
}

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

/**
 * What to do about shapes that do not broadcast.
 *
 * @category utils
 * @since 0.1.0
 */
export const advice =
  'shapes align from the right, and each pair of sizes must be equal or have a 1: reshape one of them'

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
