/**
 * Expressions that sum: reductions over axes, and sums of products.
 *
 * @since 0.1.0
 */
import type { ReduceName } from './Op.js'
import { type Expr, advice, invalid, node, retype } from './Node.js'
import * as Sh from './Shape.js'
import type { CheckEinsum, Dim, DropAxes, Einsum, Shape } from './Shape.js'
import { reshape } from './Views.js'

// -------------------------------------------------------------------------------------
// reductions and contractions
// -------------------------------------------------------------------------------------

const reduce = (name: ReduceName, a: Expr, axes: ReadonlyArray<number>): Expr => {
  const outside = axes.filter((axis) => !Number.isInteger(axis) || axis < 0 || axis >= a.shape.length)
  const twice = axes.filter((axis, i) => axes.indexOf(axis) !== i)
  const shape = a.shape.filter((_, i) => !axes.includes(i))
  if (outside.length > 0) {
    return invalid([a], shape, name, `axes of ${Sh.show(a.shape)}`, `[${outside.join(', ')}]`, 'count axes from 0')
  }
  if (twice.length > 0) {
    return invalid(
      [a],
      shape,
      name,
      'each axis once',
      `[${axes.join(', ')}]`,
      `leave out the second ${twice.join(', ')}`
    )
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
