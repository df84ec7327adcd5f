/**
 * Sums of products: matrix products, `Gemm` and `Einsum`.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Shape } from '../../tensor/Shape.js'
import { tabulate } from '../../tensor/Tensor.js'
import * as A from '../graph/Axes.js'
import { number, one, refuse, type Row, shapeAt, word } from '../graph/Operator.js'

// -------------------------------------------------------------------------------------
// matrix products
// -------------------------------------------------------------------------------------

/** `a b` and its pullback for factors with the same leading axes, or `b` without any. */
const product = (a: Expr, b: Expr): readonly [Expr, (bar: Expr) => readonly [Expr, Expr]] => {
  const lead = A.letters(a.shape.length - 2)
  const own = b.shape.length === 2 ? '' : lead
  const [left, right, out] = [`${lead}xy`, `${own}yz`, `${lead}xz`]
  return [
    A.einsum(`${left},${right}->${out}`, a, b),
    (bar) => [A.einsum(`${out},${right}->${left}`, bar, b), A.einsum(`${left},${out}->${right}`, a, bar)]
  ]
}

const matmul: Row = {
  name: 'MatMul',
  build: (call) => {
    const [first, second] = [shapeAt(call), shapeAt(call, 1)]
    if (first.length === 0 || second.length === 0)
      return refuse('factors with axes', `${Sh.show(first)} and ${Sh.show(second)}`)
    // a vector is a row on the left and a column on the right, and its axis is dropped again
    const left = first.length === 1 ? [1, ...first] : first
    const right = second.length === 1 ? [...second, 1] : second
    const lead = Sh.broadcast(left.slice(0, -2), right.slice(0, -2))
    const plain = right.length === 2 || lead?.length === 0
    if (lead === undefined) return refuse('leading axes that broadcast', `${Sh.show(first)} and ${Sh.show(second)}`)
    const result = [
      ...lead,
      ...(first.length === 1 ? [] : left.slice(-2, -1)),
      ...(second.length === 1 ? [] : right.slice(-1))
    ]
    const wide = [...lead, ...left.slice(-2)]
    const wideRight = plain ? right.slice(-2) : [...lead, ...right.slice(-2)]
    return one((a, b = a) => {
      const [x, y] = [X.reshape<Shape>(a, left), X.reshape<Shape>(b, right)]
      const [value, back] = product(X.broadcastTo(x, wide), X.broadcastTo(y, wideRight))
      return [
        X.reshape<Shape>(value, result),
        (bar) => {
          const [aBar, bBar] = back(X.reshape<Shape>(bar, [...lead, ...left.slice(-2, -1), ...right.slice(-1)]))
          return [
            X.reshape<Shape>(X.sumTo<Shape>(aBar, left), first),
            X.reshape<Shape>(X.sumTo<Shape>(bBar, right), second)
          ]
        }
      ]
    })
  }
}

const gemm: Row = {
  name: 'Gemm',
  build: (call) => {
    const [alpha, beta] = [number(call, 'alpha', 1), number(call, 'beta', 1)]
    const left = number(call, 'transA', 0) === 1 ? 'yx' : 'xy'
    const right = number(call, 'transB', 0) === 1 ? 'zy' : 'yz'
    const scaled = (x: Expr, factor: number): Expr => (factor === 1 ? x : X.scale(x, factor))
    return one((a, b = a, c) => {
      const value = scaled(A.einsum(`${left},${right}->xz`, a, b), alpha)
      return [
        c === undefined ? value : X.add(value, X.broadcastTo(scaled(c, beta), value.shape)),
        (bar) => {
          const g = scaled(bar, alpha)
          return [
            A.einsum(`xz,${right}->${left}`, g, b),
            A.einsum(`${left},xz->${right}`, a, g),
            c && X.sumTo<Shape>(scaled(bar, beta), c.shape)
          ]
        }
      ]
    })
  }
}

// -------------------------------------------------------------------------------------
// einsum
// -------------------------------------------------------------------------------------

interface Labels {
  readonly operands: ReadonlyArray<string>
  readonly out: string
}

/** The labels of an equation, where those that dots stand for are capitals, which equations of tools do not have with dots. */
const labelsOf = (equation: string, ranks: ReadonlyArray<number>): Labels | undefined => {
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const dotted = ranks.map((rank, i) => rank - (terms[i] ?? '').replace('...', '').length)
  const most = Math.max(0, ...dotted.filter((_, i) => (terms[i] ?? '').includes('...')))
  const capitals = 'ABCDEFGH'.slice(0, most)
  if (left.includes('...') && /[A-H]/.test(equation)) return undefined
  const filled = (term: string, count: number): string => term.replace('...', capitals.slice(most - count))
  const operands = terms.map((term, i) => filled(term, dotted[i] ?? 0))
  const once = [...new Set(operands.join(''))].filter((c) => operands.join('').split(c).length === 2).sort()
  const out = right === undefined ? capitals + once.filter((c) => !capitals.includes(c)).join('') : filled(right, most)
  return operands.every((labels, i) => labels.length === ranks[i]) ? { operands, out } : undefined
}

/** The diagonals of axes with one label, and the labels that are left; and the adjoint. */
const diagonal = (x: Expr, labels: string): readonly [Expr, string, (bar: Expr) => Expr] => {
  const second = [...labels].findIndex((c, i) => labels.indexOf(c) < i)
  if (second < 0) return [x, labels, (bar) => bar]
  const first = labels.indexOf(labels[second] ?? '')
  const size = A.length(x.shape, first)
  const eye = X.constant(
    tabulate([size, size], (i) => (Math.floor(i / size) === i % size ? 1 : 0)),
    [size, size]
  )
  const wide = X.broadcastTo(
    X.reshape<Shape>(
      eye,
      x.shape.map((_, i) => (i === first || i === second ? size : 1))
    ),
    x.shape
  )
  const left = labels.slice(0, second) + labels.slice(second + 1)
  const [value, rest, back] = diagonal(A.sum(X.select(wide, x, X.zeros(x.shape)), [second]), left)
  return [value, rest, (bar) => X.mul(A.spread(back(bar), x.shape, [second]), wide)]
}

/** The axes of one operand in the order of the result, the others summed; and the adjoint. */
const single = (x: Expr, labels: string, out: string): readonly [Expr, (bar: Expr) => Expr] => {
  const [part, rest, back] = diagonal(x, labels)
  const summed = [...rest].flatMap((c, i) => (out.includes(c) ? [] : [i]))
  const left = [...rest].filter((c) => out.includes(c)).join('')
  const order = [...out].map((c) => left.indexOf(c))
  return [A.permute(A.sum(part, summed), order), (bar) => back(A.spread(A.unpermute(bar, order), part.shape, summed))]
}

const einsum: Row = {
  name: 'Einsum',
  build: (call) => {
    const equation = word(call, 'equation', '')
    const shapes = call.inputs.map((_, at) => shapeAt(call, at))
    const labels = labelsOf(
      equation,
      shapes.map((shape) => shape.length)
    )
    const [left = '', right, ...more] = labels?.operands ?? []
    if (labels === undefined || more.length > 0) return refuse('an equation of one or two operands', equation)
    const { out } = labels
    if (right === undefined) {
      return one((x) => {
        const [value, back] = single(x, left, out)
        return [value, (bar) => [back(bar)]]
      })
    }
    return one((first, second = first) => {
      const [a, aLabels, backA] = diagonal(first, left)
      const [b, bLabels, backB] = diagonal(second, right)
      const value = A.einsum(`${aLabels},${bLabels}->${out}`, a, b)
      return [
        value,
        (bar) => [backA(adjoint(bar, out, b, bLabels, a, aLabels)), backB(adjoint(bar, out, a, aLabels, b, bLabels))]
      ]
    })
  }
}

/** What comes back to an operand: labels that only it has were summed, so that each entry takes the same. */
const adjoint = (bar: Expr, out: string, other: Expr, labels: string, own: Expr, wanted: string): Expr => {
  const present = [...wanted].filter((c) => out.includes(c) || labels.includes(c)).join('')
  const back = A.einsum(`${out},${labels}->${present}`, bar, other)
  return A.spread(
    back,
    own.shape,
    [...wanted].flatMap((c, i) => (present.includes(c) ? [] : [i]))
  )
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [matmul, gemm, einsum]
