/**
 * What follows a contraction, done to its register tiles before they are written: what a tile computed need not be read again.
 *
 * @since 0.1.0
 */
import type { MapName } from '../../tensor/Op.js'
import { type Access, type ElementTerm, mapLeaves, type OutputPart, read, surface } from '../plan/Spec.js'
import { type Addresses, baseOf, termValues } from './TermCode.js'
import type { Finish } from './Tile.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is done to a tile: `reads` are the arrays that it reads at the places of the tile, over the axes of the output of the
 * contraction; positions in them are the further arguments of a tile's function.
 *
 * @category model
 * @since 0.1.0
 */
export interface Finishing {
  readonly reads: ReadonlyArray<Access>
  readonly finish: Finish
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/** Operations that take about as many instructions as they have arguments. */
const short: ReadonlySet<MapName> = new Set([
  'neg',
  'abs',
  'add',
  'sub',
  'mul',
  'div',
  'sqrt',
  'max',
  'min',
  'less',
  'equal',
  'select'
])

/** A function holds what follows once for each vector of a tile: a few short operations, and a long one. */
const mostShort = 12
const mostLong = 0

/** Fewer columns leave lanes of vectors empty, which a walk over the whole output does not. */
const fewestColumns = 16

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nothing: Finishing = { reads: [], finish: () => undefined }

/**
 * An epilogue as what is done to tiles of an output with these axes, the last two of which are a tile's rows and columns; or
 * undefined where it is too long, or reads in an order that these axes do not follow.
 *
 * @category constructors
 * @since 0.1.0
 */
export const finishing = (
  addresses: Addresses,
  epilogue: OutputPart,
  dims: ReadonlyArray<number>,
  strides: ReadonlyArray<number>
): Finishing | undefined => {
  const [rows, columns] = [dims.length - 2, dims.length - 1]
  const body = along(epilogue, dims, strides)
  if (body === undefined || (dims[columns] ?? 1) < fewestColumns || isLong(body)) return undefined
  const reads = surface(body)
  const walks = reads.every(({ strides: own }) => (own[columns] ?? 0) <= 1)
  if (!walks) return undefined
  return {
    reads,
    finish: (out, row, column, sum) => {
      const loops = {
        push: (access: Access) => out.get(3 + reads.indexOf(access)),
        offsetOf: (access: Access) =>
          baseOf(addresses, access).offset + 4 * (access.offset + row * (access.strides[rows] ?? 0))
      }
      const values = termValues(out, loops, addresses, [body], undefined, () => out.get(sum))
      values.push(body, { along: columns, width: 4, shift: column })
      out.set(sum)
    }
  }
}

/** Does a term take more instructions than it is worth to repeat? */
const isLong = (root: ElementTerm): boolean => {
  const seen = new Set<ElementTerm>()
  const count = { short: 0, long: 0 }
  const go = (term: ElementTerm): void => {
    if (term._tag !== 'Apply' || seen.has(term)) return
    seen.add(term)
    count[short.has(term.name) ? 'short' : 'long']++
    term.args.forEach(go)
  }
  go(root)
  return count.short > mostShort || count.long > mostLong
}

/** The body of an epilogue over other axes of the same output, each of which has to lie within one of its own. */
const along = (
  { dims: own, strides: walk, body }: OutputPart,
  dims: ReadonlyArray<number>,
  strides: ReadonlyArray<number>
): ElementTerm | undefined => {
  const within = dims.map((size, axis) => {
    const stride = strides[axis] ?? 0
    const at = own.findIndex((length, i) => {
      const step = walk[i] ?? 1
      return step <= stride && stride % step === 0 && stride * size <= step * length
    })
    return size === 1 ? { at: undefined, by: 0 } : { at, by: stride / (walk[at] ?? 1) }
  })
  if (within.some(({ at }) => at === -1)) return undefined
  const moved = (access: Access): Access => ({
    ...access,
    strides: within.map(({ at, by }) => (at === undefined ? 0 : by * (access.strides[at] ?? 0)))
  })
  return mapLeaves((leaf) => (leaf._tag === 'Read' ? read(moved(leaf.access)) : leaf))(body)
}
