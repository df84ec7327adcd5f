/**
 * Which elementwise values are worth storing. A value that one kernel reads is computed inside of it; a value that
 * several read, that is repeated, or that a contraction walks many times is stored once, unless it is cheaper to
 * compute again.
 *
 * @since 0.1.0
 */
import type { MapName } from '../../tensor/Op.js'
import type { BoundInstruction, BoundProgram } from '../../tensor/Program.js'
import { size } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Positions of instructions.
 *
 * - `stored`: elementwise operations whose value gets a buffer.
 * - `alone`: contractions and reductions that exactly one kernel reads, which may take them in.
 * - `inner`: paddings that only another padding reads, which does the work of both.
 *
 * @category model
 * @since 0.1.0
 */
export interface Decisions {
  readonly stored: ReadonlySet<number>
  readonly alone: ReadonlySet<number>
  readonly inner: ReadonlySet<number>
}

/** The one kernel that reads a value, named by an instruction, or several. */
type Owner = number | 'several' | undefined

/** What is known of an instruction's readers. */
interface Readers {
  owner: Owner
  /** some reader needs the value in a buffer */
  whole: boolean
  /** some reader repeats the value */
  repeated: boolean
}

/** Operations that cost about as much as reading an element, and those that cost a few times as much. */
const light: ReadonlySet<MapName> = new Set([
  'neg',
  'abs',
  'add',
  'sub',
  'mul',
  'max',
  'min',
  'less',
  'equal',
  'select'
])
const medium: ReadonlySet<MapName> = new Set(['div', 'sqrt'])

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Decides for every instruction. Without fusion every elementwise operation is stored.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const decide = (program: BoundProgram, fuse: boolean): Decisions => {
  const { instructions } = program
  const prices = priceAll(program)
  const readers = instructions.map((): Readers => ({ owner: undefined, whole: false, repeated: false }))
  // outputs are readers without a position
  program.outputs.forEach(({ node }, i) => {
    const known = readers[node]
    if (known !== undefined) {
      known.owner = join(known.owner, instructions.length + i)
      known.whole = true
    }
  })
  const stored = new Set<number>()
  const alone = new Set<number>()
  for (let i = instructions.length - 1; i >= 0; i--) {
    const instruction = instructions[i]
    const own = readers[i]
    if (instruction === undefined || own === undefined) continue
    const { _tag } = instruction.op
    const rich = own.owner === 'several' || own.repeated
    if (_tag === 'Map' && (!fuse || own.whole || (rich && !cheap(prices[i], instruction)))) stored.add(i)
    const core = _tag === 'Contract' || _tag === 'Reduce'
    if (core && own.owner !== 'several') alone.add(i)
    const root = core || _tag === 'Concat' || _tag === 'Pad' || stored.has(i)
    const view = _tag !== 'Map' && !root
    instruction.args.forEach((arg, position) => {
      const target = readers[arg]
      const source = instructions[arg]
      if (target === undefined || source === undefined) return
      const index = _tag === 'Take' && position === 1
      target.owner = join(target.owner, root ? i : own.owner)
      target.whole ||= (root && !inPassing.has(_tag)) || (view && !index && own.whole)
      target.repeated ||= view && !index && (own.repeated || size(instruction.shape) > size(source.shape))
    })
  }
  return { stored, alone, inner: innerPads(program) }
}

/** What reads each element of its argument once, so that elementwise operations can be done on the way. */
const inPassing: ReadonlySet<string> = new Set(['Map', 'Reduce', 'Pad'])

const innerPads = ({ instructions, outputs }: BoundProgram): ReadonlySet<number> => {
  const readers = new Map<number, number>()
  instructions.forEach(({ args }) => args.forEach((arg) => readers.set(arg, (readers.get(arg) ?? 0) + 1)))
  outputs.forEach(({ node }) => readers.set(node, (readers.get(node) ?? 0) + 1))
  return new Set(
    instructions.flatMap(({ op, args: [arg = -1] }) =>
      op._tag === 'Pad' && instructions[arg]?.op._tag === 'Pad' && readers.get(arg) === 1 ? [arg] : []
    )
  )
}

const join = (a: Owner, b: Owner): Owner => (a === undefined || a === b ? b : b === undefined ? a : 'several')

/** What computing a value again costs: operations and buffers read. */
interface Price {
  readonly operations: number
  readonly buffers: number
}

const priceAll = ({ instructions }: BoundProgram): ReadonlyArray<Price> => {
  const prices: Array<Price> = []
  instructions.forEach((instruction) => prices.push(price(instruction, prices)))
  return prices
}

const price = ({ op, args, shape }: BoundInstruction, prices: ReadonlyArray<Price>): Price => {
  const total = args.reduce<Price>(
    (sum, arg) => ({
      operations: sum.operations + (prices[arg]?.operations ?? 0),
      buffers: sum.buffers + (prices[arg]?.buffers ?? 0)
    }),
    { operations: 0, buffers: 0 }
  )
  switch (op._tag) {
    case 'Map':
      return { ...total, operations: total.operations + (light.has(op.name) ? 1 : medium.has(op.name) ? 3 : 8) }
    case 'Scalar':
      return { operations: 0, buffers: 0 }
    case 'Reshape':
    case 'Permute':
    case 'Broadcast':
    case 'Slice':
    case 'Window':
    case 'Take':
      return total
    default:
      return { operations: 0, buffers: size(shape) > 1 ? 1 : 0 }
  }
}

const cheap = (value: Price | undefined, { shape }: BoundInstruction): boolean =>
  value !== undefined &&
  (size(shape) === 1 ? value.operations <= 24 && value.buffers <= 4 : value.operations <= 2 && value.buffers <= 2)
