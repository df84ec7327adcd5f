/**
 * How a program depends on the rows of a batch: which values belong to single rows, which are sums over rows, and which
 * are neither. A program of the first two kinds can be run block by block.
 *
 * @since 0.1.0
 */
import type { Op } from '../Op.js'
import type { Instruction, Program } from '../Program.js'
import type { Dim, Shape } from '../Shape.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a value is to the rows of a batch.
 *
 * - `Rows`: each entry along the axis of the batch depends on its own row only.
 * - `Fixed`: it does not depend on any row. `Sum`: the sum over all rows of what depends on one.
 * - `Mixed`: anything else.
 *
 * @category model
 * @since 0.1.0
 */
export type RowKind = 'Rows' | 'Fixed' | 'Sum' | 'Mixed'

/**
 * A program that can be run block by block: the axis of the batch in each input and output, or undefined where it has
 * none. An output without one is a `Sum` of the blocks' values or `Fixed`, the same for all of them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Split {
  readonly inputs: Readonly<Record<string, number | undefined>>
  readonly outputs: Readonly<
    Record<string, { readonly kind: 'Rows' | 'Fixed' | 'Sum'; readonly axis: number | undefined }>
  >
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * How to split a program along a named dimension, or undefined where a value mixes rows, or nothing depends on them.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const split = (program: Program, dim: string): Split | undefined => {
  const kinds = kindsOf(program, dim)
  const outputs = program.outputs.map(({ name, shape, node }) => {
    const kind = kinds[node] ?? 'Mixed'
    return [name, { kind, axis: axisOf(shape, dim) }] as const
  })
  const inputs = program.inputs.map(({ name, shape }) => [name, axisOf(shape, dim)] as const)
  const possible: Split['outputs'] = Object.fromEntries(
    outputs.flatMap(([name, { kind, axis }]) => (kind === 'Mixed' ? [] : [[name, { kind, axis }] as const]))
  )
  const whole = program.inputs.every(({ shape }) => shape.filter((d) => d === dim).length <= 1)
  const useful = outputs.some(([, { kind }]) => kind === 'Rows' || kind === 'Sum')
  return whole && useful && Object.keys(possible).length === outputs.length
    ? { inputs: Object.fromEntries(inputs), outputs: possible }
    : undefined
}

/**
 * The program of one block: the size of the dimension, where the program reads it as a number, is that of the whole
 * batch.
 *
 * @category combinators
 * @since 0.1.0
 */
export const ofBlock = (program: Program, dim: string, size: number): Program => ({
  ...program,
  instructions: program.instructions.map((instruction) =>
    instruction.op._tag === 'Size' && instruction.op.dim === dim
      ? { ...instruction, op: { _tag: 'Scalar', value: size } }
      : instruction
  )
})

/**
 * The kind of every instruction.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const kindsOf = (program: Program, dim: string): ReadonlyArray<RowKind> => {
  const kinds: Array<RowKind> = []
  program.instructions.forEach((instruction) => {
    const args = instruction.args.map(
      (arg): Argument => ({
        kind: kinds[arg] ?? 'Mixed',
        shape: program.instructions[arg]?.shape ?? [],
        zero: isZero(program, arg)
      })
    )
    kinds.push(kindOf(instruction, args, dim))
  })
  return kinds
}

interface Argument {
  readonly kind: RowKind
  readonly shape: Shape
  /** is it the literal 0 everywhere? */
  readonly zero: boolean
}

const isZero = (program: Program, at: number): boolean => {
  const instruction = program.instructions[at]
  if (instruction === undefined) return false
  if (instruction.op._tag === 'Scalar') return instruction.op.value === 0
  if (isLessThanItself(instruction)) return true
  return instruction.op._tag === 'Broadcast' && isZero(program, instruction.args[0] ?? -1)
}

/** What orders one value behind others (`Expr.after`): 0 whatever they are, NaN and infinities too. */
const isLessThanItself = ({ op, args: [a, b] }: Instruction): boolean =>
  op._tag === 'Map' && op.name === 'less' && a === b

const axisOf = (shape: Shape, dim: string): number | undefined => {
  const axis = shape.indexOf(dim)
  return axis < 0 ? undefined : axis
}

const kindOf = (instruction: Instruction, args: ReadonlyArray<Argument>, dim: string): RowKind => {
  const { op, shape } = instruction
  const [a = { kind: 'Mixed', shape: [], zero: false }, b] = args
  const rows = shape.includes(dim)
  if (shape.filter((d) => d === dim).length > 1) return 'Mixed'
  switch (op._tag) {
    case 'Input':
    case 'Constant':
      return rows ? 'Rows' : 'Fixed'
    case 'Scalar':
    case 'Size':
      return 'Fixed'
    case 'Map':
      return isLessThanItself(instruction) ? (rows ? 'Rows' : 'Fixed') : mapped(op.name, args, rows)
    case 'Broadcast':
      return a.kind === 'Fixed' ? (rows ? 'Rows' : 'Fixed') : a.kind === 'Sum' && rows ? 'Mixed' : a.kind
    case 'Reshape':
      return a.kind === 'Rows' && !sameRows(a.shape, shape, dim) ? 'Mixed' : a.kind
    case 'Permute':
    case 'Slice':
    case 'Pad':
    case 'Window':
      return a.kind
    case 'Take':
      return b?.kind === 'Fixed' && a.shape[op.axis] !== dim ? a.kind : 'Mixed'
    case 'Concat':
      return args.every(({ kind }) => kind === a.kind) ? a.kind : 'Mixed'
    case 'Reduce':
      if (a.kind === 'Rows') return rows ? 'Rows' : op.name === 'sum' ? 'Sum' : 'Mixed'
      return a.kind === 'Sum' && op.name !== 'sum' ? 'Mixed' : a.kind
    case 'Contract':
      return contracted(op, args, rows, dim)
    case 'Invalid':
      return 'Mixed'
  }
}

const mapped = (name: string, args: ReadonlyArray<Argument>, rows: boolean): RowKind => {
  const kinds = args.map(({ kind }) => kind)
  const [a, b, c] = kinds
  if (kinds.every((kind) => kind === 'Fixed')) return 'Fixed'
  if (name === 'mul' && args.some(({ zero }) => zero)) return rows ? 'Rows' : 'Fixed'
  // arguments have the shape of the result, so that `Rows` stand beside what was repeated along the rows
  if (rows) return kinds.every((kind) => kind === 'Rows') ? 'Rows' : 'Mixed'
  const zeroes = args.map(({ kind, zero }) => kind === 'Sum' || zero)
  switch (name) {
    case 'neg':
      return a ?? 'Mixed'
    case 'add':
    case 'sub':
      return zeroes.every((fits) => fits) ? 'Sum' : 'Mixed'
    case 'mul':
      return (a === 'Sum' && b === 'Fixed') || (a === 'Fixed' && b === 'Sum') ? 'Sum' : 'Mixed'
    case 'div':
      return a === 'Sum' && b === 'Fixed' ? 'Sum' : 'Mixed'
    case 'select':
      return a === 'Fixed' && b !== 'Mixed' && c !== 'Mixed' && zeroes.slice(1).every((fits) => fits) ? 'Sum' : 'Mixed'
    default:
      return 'Mixed'
  }
}

/** Does a reshape keep each row where it was? Then as many elements lie before the axis of the rows as before. */
const sameRows = (from: Shape, to: Shape, dim: string): boolean => {
  const before = (shape: Shape): string => {
    const outer: ReadonlyArray<Dim> = shape.slice(0, shape.indexOf(dim))
    const size = outer.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1)
    return [size, ...outer.filter((d) => typeof d === 'string').sort()].join()
  }
  return before(from) === before(to)
}

const contracted = (
  op: Extract<Op, { _tag: 'Contract' }>,
  args: ReadonlyArray<Argument>,
  rows: boolean,
  dim: string
): RowKind => {
  const [a, b] = args
  if (a === undefined || b === undefined || a.kind === 'Mixed' || b.kind === 'Mixed') return 'Mixed'
  const label = (arg: Argument, labels: string): string | undefined => labels[arg.shape.indexOf(dim)]
  const found = [label(a, op.labels[0]), label(b, op.labels[1])].filter((x) => x !== undefined)
  const kinds = [a.kind, b.kind]
  if (kinds.includes('Rows')) return new Set(found).size > 1 || kinds.includes('Sum') ? 'Mixed' : rows ? 'Rows' : 'Sum'
  return kinds.every((kind) => kind === 'Sum') ? 'Mixed' : kinds.includes('Sum') ? 'Sum' : 'Fixed'
}
