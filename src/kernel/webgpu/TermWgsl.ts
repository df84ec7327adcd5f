/**
 * The values of terms as text of WGSL: of one element, or of four neighbours along an axis as a vector.
 *
 * Positions are whole numbers of 32 bits. An array whose size four divides is one of vectors, from which a single element
 * is read where that is what is needed.
 *
 * @since 0.1.0
 */
import { type Dialect, float, functionsIn } from '../gpujs/FunctionText.js'
import type { Access, ElementTerm } from '../plan/Spec.js'
import * as P from './Position.js'
import type { Position } from './Position.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is known of a kernel in all of its calls in a run: whether four divides the size of each array (the last of them is
 * the output), and the value of each number that is an argument; how many calls there are; how many threads go together on
 * the adapter, its subgroup; and whether four of those can hand values to each other.
 *
 * @category model
 * @since 0.1.0
 */
export interface Facts {
  readonly arrays: ReadonlyArray<boolean>
  readonly numbers: ReadonlyArray<boolean>
  readonly calls: number
  readonly subgroup: number
  readonly quads: boolean
}

/**
 * Statements so far; `known` are the names of values by their text, `count` numbers names and is shared by blocks inside.
 *
 * @category model
 * @since 0.1.0
 */
export interface Block {
  readonly lines: Array<string>
  readonly known: Map<string, string>
  readonly count: { value: number }
}

/**
 * Where a term is evaluated: an index for each of its axes, the axis along which four neighbours are (or `undefined` for
 * one element), and what the core computed there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Place {
  readonly index: ReadonlyArray<Position>
  readonly lanes: number | undefined
  readonly result: string
}

// -------------------------------------------------------------------------------------
// blocks
// -------------------------------------------------------------------------------------

/**
 * No statements yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (): Block => ({ lines: [], known: new Map(), count: { value: 0 } })

/**
 * A block inside of another one, whose names it knows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inside = (block: Block, write: (inner: Block) => void): string => {
  const inner: Block = { lines: [], known: new Map(block.known), count: block.count }
  write(inner)
  return inner.lines.join('\n')
}

/**
 * A name that no other value has.
 *
 * @category utils
 * @since 0.1.0
 */
export const fresh = ({ count }: Block, prefix: string): string => `${prefix}${count.value++}`

/**
 * Names a value; the same text has the same name.
 *
 * @category utils
 * @since 0.1.0
 */
export const define = (block: Block, value: string): string => {
  const before = block.known.get(value)
  if (before !== undefined) return before
  const name = fresh(block, 'v')
  block.known.set(value, name)
  block.lines.push(`let ${name} = ${value};`)
  return name
}

// -------------------------------------------------------------------------------------
// reading and writing
// -------------------------------------------------------------------------------------

/**
 * One element of an array.
 *
 * @category utils
 * @since 0.1.0
 */
export const element = (name: string, vectors: boolean, position: Position): string => {
  if (!vectors) return `${name}[${P.text(position)}]`
  const start = { ...position, offset: position.offset - (position.offset % 4) }
  if (P.divides(4, start)) return `${name}[${P.text(P.divided(start, 4))}][${position.offset % 4}]`
  const whole = P.text(position)
  return `${name}[${whole} >> 2u][${whole} & 3u]`
}

/**
 * The position to which an access leads; `index` may be of fewer axes than it has.
 *
 * @category utils
 * @since 0.1.0
 */
export const lead = (block: Block, facts: Facts, access: Access, index: ReadonlyArray<Position>): Position => {
  const moves = access.moves.map(({ index: entry, size, stride }) => {
    const value = term(block, facts, entry, { index: [], lanes: undefined, result: '0.0' })
    return P.multiple(define(block, `u32(clamp(${value}, 0.0, ${float(size - 1)}))`), size, stride)
  })
  const along = index.map((i, axis) => P.scale(i, access.strides[axis] ?? 0))
  const { parameter } = access
  const start =
    parameter === undefined
      ? []
      : facts.numbers[parameter] === true
        ? [P.multiple(define(block, `u32(params.p${parameter}) >> 2u`), 2 ** 30, 4)]
        : [P.multiple(define(block, `u32(params.p${parameter})`), 2 ** 31)]
  return P.sum([P.at(access.offset), ...start, ...moves, ...along])
}

const read = (block: Block, facts: Facts, access: Access, { index, lanes }: Place): string => {
  const name = `b${access.buffer}`
  const vectors = facts.arrays[access.buffer] === true
  const position = lead(block, facts, access, index)
  if (lanes === undefined) return define(block, element(name, vectors, position))
  const stride = access.strides[lanes] ?? 0
  if (stride === 0) return define(block, `vec4f(${element(name, vectors, position)})`)
  if (stride === 1 && vectors && P.divides(4, position))
    return define(block, `${name}[${P.text(P.divided(position, 4))}]`)
  const four = [0, 1, 2, 3].map((i) => element(name, vectors, P.sum([position, P.at(i * stride)])))
  return define(block, `vec4f(${four.join(', ')})`)
}

/**
 * How many reads of a term would be of vectors, were four neighbours along an axis computed at once, less those that would
 * be of four elements.
 *
 * @category utils
 * @since 0.1.0
 */
export const gain = (
  reads: ReadonlyArray<Access>,
  facts: Facts,
  dims: ReadonlyArray<number>,
  axis: number
): number | undefined => {
  if ((dims[axis] ?? 1) % 4 !== 0) return undefined
  return reads.reduce((n, access) => {
    const stride = access.strides[axis] ?? 0
    if (stride === 0) return n
    const whole =
      stride === 1 &&
      facts.arrays[access.buffer] === true &&
      access.offset % 4 === 0 &&
      (access.parameter === undefined || facts.numbers[access.parameter] === true) &&
      access.moves.every((move) => move.stride % 4 === 0) &&
      access.strides.every((other, i) => i === axis || (dims[i] ?? 1) === 1 || other % 4 === 0)
    return whole ? n + 1 : n - 1
  }, 0)
}

// -------------------------------------------------------------------------------------
// terms
// -------------------------------------------------------------------------------------

const operators = { '<': '<', '>': '>', '=': '==', '!=': '!=' } as const

const dialect = (number: Dialect['number']): Dialect => ({
  number,
  call: (name, ...args) => `${name}(${args.join(', ')})`,
  compare: (a, operator, b) => `(${a} ${operators[operator]} ${b})`,
  choose: (condition, yes, no) => `select(${no}, ${yes}, ${condition})`
})

const one = /*#__PURE__*/ functionsIn(/*#__PURE__*/ dialect(float))
const four = /*#__PURE__*/ functionsIn(/*#__PURE__*/ dialect((value) => `vec4f(${float(value)})`))

/**
 * The name or literal of a term's value; operations are named, so that each is computed once.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const term = (block: Block, facts: Facts, root: ElementTerm, place: Place): string => {
  const wide = place.lanes !== undefined
  const spread = (value: string): string => (wide ? `vec4f(${value})` : value)
  const functions = wide ? four : one
  const known = new Map<ElementTerm, string>()
  const value = (node: ElementTerm): string => {
    switch (node._tag) {
      case 'Literal':
        return spread(float(node.value))
      case 'Parameter':
        return spread(`params.p${node.index}`)
      case 'Result':
        return place.result
      case 'Read':
        return read(block, facts, node.access, place)
      case 'Apply': {
        const [a = '', b = '', c = ''] = node.args.map(go)
        return define(
          block,
          functions[node.name]((part) => define(block, part), a, b, c)
        )
      }
    }
  }
  const go = (node: ElementTerm): string => {
    const before = known.get(node)
    if (before !== undefined) return before
    const after = value(node)
    known.set(node, after)
    return after
  }
  return go(root)
}
