/**
 * The meaning of a program: a plain interpreter in f64, and beside it a running forward error bound for f32 devices.
 * Every target is checked against it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { strides, walk } from './Strides.js'
import * as Bound from './Bound.js'
import { type Bounds, type Cell, empty, join, leaf, view, widen } from './Cell.js'
import { maps, processor } from './Op.js'
import type { Accuracy, Op, Triple } from './Op.js'
import * as Program from './Program.js'
import type { BoundInstruction, BoundProgram, Values } from './Program.js'
import { fault } from './Need.js'
import { show as showShape, type ShapeError, type Sizes } from './Shape.js'
import { size } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Outputs in f64, each with a bound on how far an f32 device may be from them, element by element.
 *
 * @category model
 * @since 0.1.0
 */
export interface Bounded {
  readonly values: Values
  readonly bounds: Values
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Runs a program in f64. Left: unbound dimensions, missing or misshaped inputs.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const run = (
  program: Program.Program,
  sizes: Sizes,
  values: Values
): E.Either<ReadonlyArray<ShapeError>, Values> =>
  pipe(
    Program.bind(program, sizes),
    E.flatMap((bound) => runBound(bound, values))
  )

// places are counted in 32 bits
const most = 2 ** 31 - 1

/** The program, if its tensors can be addressed and its inputs are there. */
const checked = (program: BoundProgram, values: Values): E.Either<ReadonlyArray<ShapeError>, BoundProgram> => {
  const large = program.instructions.find(({ shape }) => size(shape) > most)
  return large === undefined
    ? pipe(
        Program.checkValues(program, values),
        E.map(() => program)
      )
    : E.left(
        fault(
          'reference',
          `tensors of at most ${most} elements`,
          showShape(large.shape),
          'make the program smaller, or its sizes'
        )
      )
}

/**
 * Runs a program whose sizes are known, in f64. Left: missing or misshaped inputs.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const runBound = (program: BoundProgram, values: Values): E.Either<ReadonlyArray<ShapeError>, Values> =>
  pipe(
    checked(program, values),
    E.flatMap(() => evaluated(program, values, undefined)),
    E.map((cells) => outputs(program, cells, (cell) => cell.value))
  )

/**
 * Runs a program in f64 and bounds the error of an f32 device that rounds its inputs to f32 and then each operation:
 * running error analysis, with `n u / (1 - n u)` times the sum of absolute terms for sums of `n` terms in any order
 * (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, sections 3.1 and 3.3). `accuracy` says how well the
 * device computes; default: `Op.processor`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const runWithBounds = (
  program: Program.Program,
  sizes: Sizes,
  values: Values,
  accuracy: Accuracy = processor
): E.Either<ReadonlyArray<ShapeError>, Bounded> =>
  pipe(
    Program.bind(program, sizes),
    E.flatMap((bound) => checked(bound, values)),
    E.flatMap((bound) =>
      pipe(
        evaluated(bound, values, accuracy),
        E.map((cells) => ({
          values: outputs(bound, cells, (cell) => cell.value),
          bounds: outputs(bound, cells, (cell) => cell.error ?? new Float64Array(cell.value.length))
        }))
      )
    )
  )

const outputs = (
  program: BoundProgram,
  cells: ReadonlyArray<Cell | undefined>,
  read: (cell: Cell) => Float64Array
): Values =>
  Object.fromEntries(
    program.outputs.flatMap(({ name, shape, node }) => {
      const cell = cells[node]
      return cell === undefined ? [] : [[name, { shape, data: read(cell) }]]
    })
  )

/** Evaluates a program, if there is memory for it. */
const evaluated = (
  program: BoundProgram,
  values: Values,
  bounded: Bounds
): E.Either<ReadonlyArray<ShapeError>, ReadonlyArray<Cell | undefined>> =>
  E.tryCatch(
    () => evaluate(program, values, bounded),
    (thrown) => {
      if (!(thrown instanceof RangeError)) throw thrown
      return fault('reference', 'memory for its tensors', thrown.message, 'make the program smaller, or its sizes')
    }
  )

/** Evaluates all nodes in order, dropping each value after its last reader. */
const evaluate = (program: BoundProgram, values: Values, bounded: Bounds): ReadonlyArray<Cell | undefined> => {
  const { instructions } = program
  const lastReader = new Map<number, number>()
  instructions.forEach(({ args }, i) => args.forEach((arg) => lastReader.set(arg, i)))
  program.outputs.forEach(({ node }) => lastReader.set(node, instructions.length))
  const cells = new Array<Cell | undefined>(instructions.length)
  instructions.forEach((instruction, i) => {
    const args = instruction.args.map((arg) => cells[arg] ?? empty)
    cells[i] = step(instruction, args, values, bounded)
    instruction.args.forEach((arg) => {
      if (lastReader.get(arg) === i) cells[arg] = undefined
    })
  })
  return cells
}

const step = ({ op, shape }: BoundInstruction, args: ReadonlyArray<Cell>, values: Values, bounded: Bounds): Cell => {
  const [a = empty, b = empty] = args
  switch (op._tag) {
    case 'Input':
      return leaf(shape, new Float64Array(values[op.name]?.data ?? []), bounded)
    case 'Constant':
      return leaf(shape, new Float64Array(op.value.data), bounded)
    case 'Scalar':
      return leaf(shape, Float64Array.of(op.value), bounded)
    case 'Map':
      return elementwise(op, shape, args, bounded)
    case 'Reduce':
      return reduce(op, shape, a, bounded)
    case 'Contract':
      return contract(op, shape, a, b, bounded)
    case 'Reshape':
      return { ...a, shape }
    case 'Permute': {
      const source = strides(a.shape)
      return view(
        shape,
        a,
        op.permutation.map((axis) => source[axis] ?? 0),
        0
      )
    }
    case 'Broadcast': {
      const lead = shape.length - a.shape.length
      const source = strides(a.shape)
      return view(
        shape,
        a,
        shape.map((_, i) => (i < lead || a.shape[i - lead] === 1 ? 0 : (source[i - lead] ?? 0))),
        0
      )
    }
    case 'Slice':
      return view(shape, a, strides(a.shape), op.start * (strides(a.shape)[op.axis] ?? 0))
    case 'Window': {
      const source = strides(a.shape)
      const along = source[op.axis] ?? 0
      const windowed = [
        ...source.slice(0, op.axis),
        op.stride * along,
        op.dilation * along,
        ...source.slice(op.axis + 1)
      ]
      return view(shape, a, windowed, 0)
    }
    case 'Take': {
      const stride = strides(a.shape)
      const entryAt = (index: number): Cell => {
        const entry = Math.min(Math.max(Math.floor(index), 0), (a.shape[op.axis] ?? 1) - 1)
        return view(
          shape,
          a,
          stride.filter((_, i) => i !== op.axis),
          entry * (stride[op.axis] ?? 0)
        )
      }
      const [index = 0] = b.value
      const off = b.error?.[0] ?? 0
      // an index that may be off may also pick a neighbour
      const last = (a.shape[op.axis] ?? 1) - 1
      const [low, high] = [index - off, index + off].map((i) => Math.min(Math.max(Math.floor(i), 0), last))
      const reach = Array.from({ length: (high ?? 0) - (low ?? 0) + 1 }, (_, i) => (low ?? 0) + i)
      return widen(entryAt(index), off === 0 ? [] : reach.map(entryAt))
    }
    case 'Pad':
      return join(shape, op.axis, [{ cell: a, at: op.before }])
    case 'Concat': {
      let at = 0
      return join(
        shape,
        op.axis,
        args.map((cell) => {
          const part = { cell, at }
          at += cell.shape[op.axis] ?? 0
          return part
        })
      )
    }
    // `make` refuses programs with invalid nodes and `bind` replaces sizes
    case 'Size':
    case 'Invalid':
      return leaf(shape, new Float64Array(size(shape)), bounded)
  }
}

const elementwise = (
  op: Extract<Op, { _tag: 'Map' }>,
  shape: ReadonlyArray<number>,
  args: ReadonlyArray<Cell>,
  bounded: Bounds
): Cell => {
  const { meaning } = maps[op.name]
  const [a = empty, b = empty, c = empty] = args
  const n = size(shape)
  const value = new Float64Array(n)
  // an argument that is not there is not read: a place beyond an array is slow to find out
  if (args.length === 1) for (let i = 0; i < n; i++) value[i] = meaning(a.value[i] ?? 0, 0, 0)
  else if (args.length === 2) for (let i = 0; i < n; i++) value[i] = meaning(a.value[i] ?? 0, b.value[i] ?? 0, 0)
  else for (let i = 0; i < n; i++) value[i] = meaning(a.value[i] ?? 0, b.value[i] ?? 0, c.value[i] ?? 0)
  if (bounded === undefined) return { shape, value, error: undefined }
  const error = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const x: Triple = [a.value[i] ?? 0, b.value[i] ?? 0, c.value[i] ?? 0]
    const e: Triple = [a.error?.[i] ?? 0, b.error?.[i] ?? 0, c.error?.[i] ?? 0]
    error[i] = Bound.ofMap(op.name, x, e, value[i] ?? 0, bounded)
  }
  return { shape, value, error }
}

/** An absolute value, but nothing for an infinite one. */
const finiteSize = (x: number): number => (Math.abs(x) < Infinity ? Math.abs(x) : 0)

const reduce = (op: Extract<Op, { _tag: 'Reduce' }>, shape: ReadonlyArray<number>, a: Cell, bounded: Bounds): Cell => {
  const target = strides(shape)
  let kept = 0
  // the stride of each source axis in the result: reduced axes do not move it
  const stride = a.shape.map((_, axis) => (op.axes.includes(axis) ? 0 : (target[kept++] ?? 0)))
  const fold = (source: Float64Array, start: number, f: (x: number, y: number) => number): Float64Array => {
    const out = new Float64Array(size(shape)).fill(start)
    walk(a.shape, stride, 0, (flat, at) => {
      out[at] = f(out[at] ?? 0, source[flat] ?? 0)
    })
    return out
  }
  const plus = (x: number, y: number): number => x + y
  if (op.name !== 'sum') {
    const value = op.name === 'max' ? fold(a.value, -Infinity, Math.max) : fold(a.value, Infinity, Math.min)
    return { shape, value, error: a.error && fold(a.error, 0, Math.max) }
  }
  const value = fold(a.value, 0, plus)
  if (bounded === undefined) return { shape, value, error: undefined }
  const magnitude = fold(a.value, 0, (x, y) => x + finiteSize(y))
  const carried = fold(a.error ?? new Float64Array(a.value.length), 0, plus)
  const n = op.axes.reduce((total, axis) => total * (a.shape[axis] ?? 1), 1)
  return { shape, value, error: carried.map((e, i) => Bound.ofSum(n, value[i] ?? 0, magnitude[i] ?? 0, e, bounded)) }
}

const contract = (
  op: Extract<Op, { _tag: 'Contract' }>,
  shape: ReadonlyArray<number>,
  a: Cell,
  b: Cell,
  bounded: Bounds
): Cell => {
  const [left, right, out] = op.labels
  const summed = [...new Set([...left, ...right])].filter((label) => !out.includes(label))
  const dim = (label: string): number => a.shape[left.indexOf(label)] ?? b.shape[right.indexOf(label)] ?? 1
  const along = (labels: string, shape_: ReadonlyArray<number>, over: ReadonlyArray<string>): ReadonlyArray<number> => {
    const stride = strides(shape_)
    return over.map((label) => (labels.includes(label) ? (stride[labels.indexOf(label)] ?? 0) : 0))
  }
  const positions = (dims: ReadonlyArray<number>, stride: ReadonlyArray<number>): Int32Array => {
    const at = new Int32Array(size(dims))
    walk(dims, stride, 0, (flat, source) => {
      at[flat] = source
    })
    return at
  }
  const inner = summed.map(dim)
  const aInner = positions(inner, along(left, a.shape, summed))
  const bInner = positions(inner, along(right, b.shape, summed))
  const aOuter = positions(shape, along(left, a.shape, [...out]))
  const bOuter = positions(shape, along(right, b.shape, [...out]))
  const n = size(shape)
  const value = new Float64Array(n)
  const error = bounded && new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const p = aOuter[i] ?? 0
    const q = bOuter[i] ?? 0
    let total = 0
    let magnitude = 0
    let carried = 0
    for (let k = 0; k < aInner.length; k++) {
      const at = p + (aInner[k] ?? 0)
      const bt = q + (bInner[k] ?? 0)
      const x = a.value[at] ?? 0
      const y = b.value[bt] ?? 0
      total += x * y
      if (error !== undefined) {
        const ex = a.error?.[at] ?? 0
        const ey = b.error?.[bt] ?? 0
        magnitude += finiteSize(x * y)
        carried += Math.abs(x) * ey + Math.abs(y) * ex + ex * ey
      }
    }
    value[i] = total
    if (error !== undefined && bounded) error[i] = Bound.ofSum(aInner.length, total, magnitude, carried, bounded)
  }
  return { shape, value, error }
}
