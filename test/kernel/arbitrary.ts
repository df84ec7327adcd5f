/**
 * Random programs over random shapes, and their agreement with the reference.
 *
 * A program is drawn as a list of numbers that choose operations and arguments among what was built before, so that
 * fast-check shrinks it to a short one. Values stay in a range where f32 does not overflow: exponentials, quotients and
 * logarithms get bounded arguments.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import { type Accuracy, processor } from '../../src/tensor/Op.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Sizes } from '../../src/tensor/Shape.js'
import { showTargetError, type Target } from '../../src/tensor/Target.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'

export interface Case {
  readonly program: Program.Program
  readonly values: Values
  readonly sizes?: Sizes
}

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

type Choice = readonly [kind: number, a: number, b: number, c: number]

const most = 3000

const literalShape = (expr: Expr): ReadonlyArray<number> => expr.shape.map(Number)

const cells = (expr: Expr): number => size(literalShape(expr))

const unaries: ReadonlyArray<(x: Expr) => Expr> = [
  X.neg,
  X.abs,
  X.tanh,
  X.sigmoid,
  X.erf,
  X.sin,
  X.cos,
  (x) => X.exp(X.tanh(x)),
  (x) => X.sqrt(X.abs(x)),
  (x) => X.log(X.add(X.abs(x), X.scalar(0.25))),
  (x) => X.mul(x, X.sigmoid(x)),
  (x) => X.scale(x, -0.5)
]

const binaries: ReadonlyArray<(x: Expr, y: Expr) => Expr> = [
  X.add,
  X.sub,
  X.mul,
  X.max,
  X.min,
  (x, y) => X.div(x, X.add(X.abs(y), X.scalar(1))),
  (x, y) => X.less(x, y),
  (x, y) => X.equal(x, y),
  (x, y) => X.select(X.less(x, y), x, X.neg(y))
]

const pick = <A>(items: ReadonlyArray<A>, at: number, fallback: A): A => items[at % items.length] ?? fallback

const einsum = (x: Expr, y: Expr, c: number): Expr => {
  const left = 'abcdef'.slice(0, x.shape.length)
  const free = ['u', 'v', 'w', 'x', 'y', 'z']
  const taken = new Set<string>()
  // axes of equal size may share a label
  const right = literalShape(y).map((d, i) => {
    const same = [...left].find((label, j) => literalShape(x)[j] === d && !taken.has(label) && (c >> i) % 2 === 0)
    if (same !== undefined) taken.add(same)
    return same ?? free[i] ?? 'u'
  })
  const all = [...new Set([...left, ...right])]
  const kept = all.filter((label, i) => (c >> (i + 3)) % 3 !== 0 || (taken.has(label) && (c >> (i + 5)) % 4 === 0))
  const rotated = [...kept.slice(c % (kept.length + 1)), ...kept.slice(0, c % (kept.length + 1))]
  const dim = (label: string): number =>
    literalShape(x)[left.indexOf(label)] ?? literalShape(y)[right.indexOf(label)] ?? 1
  if (size(rotated.map(dim)) > most || size(all.map(dim)) > 30 * most) return x
  const spec: string = `${left},${right.join('')}->${rotated.join('')}`
  return X.einsum(spec, x, y)
}

/** One more expression from those before; axes may be of size 0. */
const grow = (exprs: ReadonlyArray<Expr>, entry: X.Scalar, [kind, a, b, c]: Choice): Expr => {
  const x = pick(exprs, a, X.scalar(1))
  const y = pick(exprs, b, X.scalar(1))
  const shape = literalShape(x)
  const rank = shape.length
  const axis = rank === 0 ? 0 : c % rank
  const d = shape[axis] ?? 1
  switch (kind % 14) {
    case 0:
    case 1:
      return pick(unaries, b, X.neg)(x)
    case 2:
    case 3: {
      const same = exprs.filter((e) => literalShape(e).join() === shape.join())
      return pick(binaries, c, X.add)(x, pick(same, b, x))
    }
    case 4: {
      // a row, a column or a scalar against the whole
      const axes = shape.flatMap((_, i) => ((b >> i) % 2 === 0 ? [i] : []))
      const reduced = X.scale(X.sum(x, axes), 0.25)
      const kept = shape.map((n, i) => (axes.includes(i) ? 1 : n))
      return pick(binaries, c, X.add)(x, X.broadcastTo(X.reshape(reduced, kept), shape))
    }
    case 5: {
      const axes = shape.flatMap((_, i) => ((b >> i) % 2 === 0 ? [i] : []))
      return [X.sum, X.maximum, X.minimum][c % 3]?.(x, axes) ?? x
    }
    case 6:
      return X.permute(
        x,
        [...shape.keys()].map((i) => (i + 1 + (c % Math.max(1, rank))) % rank)
      )
    case 7: {
      const n = cells(x)
      const factor = [2, 3, 4, 5].find((f) => n % f === 0 && (c + f) % 2 === 0) ?? 1
      return X.reshape(x, c % 3 === 0 ? [n] : [factor, n / factor])
    }
    case 8: {
      if (rank === 0) return X.broadcastTo(x, [1 + (c % 5)])
      if (d === 0) return X.pad(x, axis, 0, c % 4)
      const from = b % d
      return X.slice(x, axis, from, 1 + (c % (d - from)))
    }
    case 9:
      return rank === 0 || cells(x) > most / 3 ? x : X.pad(x, axis, b % 3, d + (b % 3) + (c % 4))
    case 10:
      return rank === 0 ? x : X.take(x, axis, b % 2 === 0 ? entry : X.add(X.scale(entry, 0.5), X.scalar(b % 5)))
    case 11:
      if (rank === 0 || cells(x) > most / 3) return x
      return X.concat([x, X.neg(x), d === 0 ? x : X.slice(x, axis, b % d, d - (b % d))], axis)
    case 12: {
      if (d === 0) return x
      const size = 1 + (b % d)
      const stride = 1 + (c % 3)
      const dilation = size === 1 ? 1 : Math.min(1 + (b % 2), Math.floor((d - 1) / (size - 1)))
      const positions = 1 + Math.floor((d - 1 - (size - 1) * dilation) / stride)
      if (rank === 0 || rank > 4 || (cells(x) / d) * positions * size > most) return x
      return X.window(x, axis, positions, size, { stride, dilation })
    }
    default:
      return rank + y.shape.length > 6 ? x : einsum(x, y, c)
  }
}

const dim = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 13, 16, 17)

const shapes = (dims: fc.Arbitrary<number>): fc.Arbitrary<ReadonlyArray<ReadonlyArray<number>>> =>
  fc.array(fc.array(dims, { maxLength: 3 }), { minLength: 1, maxLength: 3 })

const choice: fc.Arbitrary<Choice> = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(1000))

const data = (shape: ReadonlyArray<number>): fc.Arbitrary<Tensor> =>
  fc.infiniteStream(fc.integer({ min: -200, max: 200 })).map((stream) => ({
    shape,
    data: Float32Array.from({ length: size(shape) }, () => Number(stream.next().value) / 100)
  }))

/** A run-time index well between two whole numbers, where no rounding can move it to another entry. */
const index = fc
  .integer({ min: -2, max: 9 })
  .map((whole): Tensor => ({ shape: [], data: Float32Array.of(whole + 0.25) }))

const casesOf = (dims: fc.Arbitrary<number>): fc.Arbitrary<Case> =>
  fc.tuple(shapes(dims), fc.array(choice, { minLength: 1, maxLength: 14 })).chain(([inputs, choices]) => {
    const tensors: Readonly<Record<string, ReadonlyArray<number>>> = Object.fromEntries(
      inputs.map((shape, i) => [`x${i}`, shape])
    )
    const program = Program.make({ entry: [], tensors }, ({ entry, tensors: bound }) => {
      const exprs: Array<Expr> = Object.values(bound)
      for (const next of choices) exprs.push(grow(exprs, entry, next))
      const last = exprs.slice(-4)
      return Object.fromEntries([...last, last[0] ?? X.scalar(0)].map((expr, i) => [`y${i}`, expr]))
    })
    if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
    return fc.tuple(index, ...inputs.map(data)).map(([entry, ...values]) => ({
      program: program.right,
      values: Object.fromEntries<Tensor>([
        ['entry', entry],
        ...values.map((value, i) => [`tensors.x${i}`, value] as const)
      ])
    }))
  })

/** A random program with values for its inputs. */
export const cases: fc.Arbitrary<Case> = casesOf(dim)

/** A random program some of whose axes are of size 0. */
export const emptyCases: fc.Arbitrary<Case> = casesOf(fc.constantFrom(0, 0, 1, 2, 3, 5))

// -------------------------------------------------------------------------------------
// agreement
// -------------------------------------------------------------------------------------

/** Runs a program on a target; throws the error's text where it is a left. */
export const runOn = async (target: Target, { program, values, sizes = {} }: Case): Promise<Values> => {
  const compiled = target.compile(program, sizes)
  if (E.isLeft(compiled)) throw new Error(showTargetError(compiled.left))
  const result = await compiled.right.run(values)()
  await compiled.right.dispose()
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
  return result.right
}

/**
 * The largest |difference| / bound over the elements of all outputs, and where it is; 0 / 0 counts as 0. Nothing is
 * claimed where f32 may overflow: `claimed` is the share of the elements for which something is.
 */
export interface Agreement {
  readonly ratio: number
  readonly at: string
  readonly claimed: number
}

type Expected = ReturnType<typeof Reference.runWithBounds>

/** What is expected of a case is the same for all modes of an accuracy. */
const expectations = new WeakMap<Case, Map<Accuracy, Expected>>()

const expectation = (example: Case, accuracy: Accuracy): Expected => {
  const known = expectations.get(example) ?? new Map<Accuracy, Expected>()
  const { program, values, sizes = {} } = example
  const expected = known.get(accuracy) ?? Reference.runWithBounds(program, sizes, values, accuracy)
  expectations.set(example, known.set(accuracy, expected))
  return expected
}

/** How far outputs are from the reference. */
export const agreement = (example: Case, got: Values, accuracy: Accuracy = processor): Agreement => {
  const { program } = example
  const reference = expectation(example, accuracy)
  if (E.isLeft(reference)) throw new Error(JSON.stringify(reference.left))
  let [ratio, at, claimed, elements] = [0, '', 0, 0]
  for (const { name } of program.outputs) {
    const expected = reference.right.values[name]
    const bound = reference.right.bounds[name]
    const value = got[name]
    if (expected === undefined || bound === undefined || value === undefined) throw new Error(`no output '${name}'`)
    if (value.shape.join() !== expected.shape.join() || value.data.length !== expected.data.length) {
      throw new Error(`${name}: shape [${value.shape.join()}] with ${value.data.length} elements`)
    }
    elements += expected.data.length
    for (let i = 0; i < expected.data.length; i++) {
      const [want = 0, slack = 0, have = 0] = [expected.data[i], bound.data[i], value.data[i]]
      if (!Number.isFinite(slack) || !(Math.abs(want) + slack < 3e38)) continue
      claimed++
      const difference = Math.abs(want - have)
      const here = difference === 0 ? 0 : difference / slack
      // a NaN is kept too
      if (here <= ratio) continue
      ratio = here
      at = `${name}[${i}]: ${have}, expected ${want} to within ${slack}`
    }
  }
  return { ratio, at, claimed: elements === 0 ? 1 : claimed / elements }
}

/** An element that is infinite or not a number in the reference and something else here, or `undefined`. */
export const unlikeInfinity = ({ program, values, sizes = {} }: Case, got: Values): string | undefined => {
  const reference = Reference.run(program, sizes, values)
  if (E.isLeft(reference)) throw new Error(JSON.stringify(reference.left))
  for (const { name } of program.outputs) {
    const [expected, found] = [reference.right[name]?.data ?? [], got[name]?.data ?? []]
    const at = expected.findIndex((want, i) => !Number.isFinite(want) && !Object.is(want, found[i]))
    if (at >= 0) return `${name}[${at}]: ${found[at]}, expected ${expected[at]}`
  }
  return undefined
}

/** An element that lies outside of its error bound, or `undefined`. */
export const disagreement = (example: Case, got: Values, accuracy?: Accuracy): string | undefined => {
  const { ratio, at } = agreement(example, got, accuracy)
  return ratio <= 1 ? undefined : at
}
