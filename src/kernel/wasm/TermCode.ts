/**
 * Terms as WebAssembly: positions in buffers that loops move along, and the value of a term at the current position.
 *
 * @since 0.1.0
 */
import { type Access, surface, type ElementTerm } from '../plan/Spec.js'
import type { Code } from './Encoder.js'
import { functionCode } from './FunctionCode.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where an array begins, in bytes: at `offset`; where `told` is given, at the sum of it and the integer that lies at
 * `told` when the kernel runs, so that one kernel serves arrays in several places.
 *
 * @category model
 * @since 0.1.0
 */
export interface Base {
  readonly offset: number
  readonly told: number | undefined
}

/**
 * Where things are in the memory, in bytes: buffers and scalar parameters of the kernel, its output, and `scratchBytes`
 * from `scratch` on that any kernel may use while it runs, behind which lie 16 more that may be read. `fma`: does the
 * machine multiply and add in one instruction?
 *
 * @category model
 * @since 0.1.0
 */
export interface Addresses {
  readonly buffer: (index: number) => Base
  readonly parameter: (index: number) => number
  readonly output: Base
  readonly scratch: number
  readonly scratchBytes: number
  readonly fma: boolean
}

/**
 * A loop nest over some axes. Accesses with equal strides share one position, in a local, so that most loops advance
 * one or two of them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Nest {
  /** pushes the position of an access that a load or store with `offsetOf` bytes completes */
  readonly push: (access: Access) => void
  readonly offsetOf: (access: Access) => number
  /** runs over `count` entries of an axis, `by` at a time, from where the axis stands */
  readonly advance: (axis: number, count: number, by: number, body: () => void) => void
  /** enters an axis at its first entry; what follows in `body` may `advance` along it */
  readonly enter: (axis: number, body: () => void) => void
}

/**
 * How the value of a term is read: four elements along axis `along`, or one, `shift` elements further.
 *
 * @category model
 * @since 0.1.0
 */
export interface Lanes {
  readonly along: number
  readonly width: 1 | 4
  readonly shift: number
}

/**
 * The values of terms within one loop nest.
 *
 * @category model
 * @since 0.1.0
 */
export interface TermValues {
  /** pushes the value of a term */
  readonly push: (term: ElementTerm, lanes: Lanes) => void
  /** computes here, once, the largest subterms that move along none of the axes from `axis` on */
  readonly hoist: (root: ElementTerm, axis: number) => void
  /** forgets the values computed in a scope when it ends */
  readonly scope: (body: () => void) => void
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A loop nest for some accesses; run-time entries are computed where it is made.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nest = (code: Code, addresses: Addresses, all: ReadonlyArray<Access>): Nest => {
  // an access is a walk (what its position depends on) and a constant
  const walks = new Map<string, Walk>()
  const walkOf = new Map<Access, Walk>()
  for (const access of all) {
    const moved = access.moves.length > 0 || access.parameter !== undefined
    const { told } = baseOf(addresses, access)
    const key = `${access.strides.join(',')}|${moved ? all.indexOf(access) : ''}|${told ?? ''}`
    const walk = walks.get(key) ?? {
      strides: access.strides,
      position: moved || told !== undefined ? runtimeOffset(code, addresses, access) : undefined
    }
    walks.set(key, walk)
    walkOf.set(access, walk)
  }
  return {
    push: (access) => {
      const position = walkOf.get(access)?.position
      if (position === undefined) code.integer(0)
      else code.get(position)
    },
    offsetOf: (access) => baseOf(addresses, access).offset + 4 * access.offset,
    enter: (axis, body) => {
      const before = [...walks.values()].map((walk) => ({ walk, position: walk.position }))
      for (const { walk, position } of before) {
        if ((walk.strides[axis] ?? 0) === 0) continue
        const local = code.local('i32')
        if (position === undefined) code.integer(0)
        else code.get(position)
        code.set(local)
        walk.position = local
      }
      body()
      for (const { walk, position } of before) walk.position = position
    },
    advance: (axis, count, by, body) =>
      code.repeat(count, () => {
        body()
        for (const walk of walks.values()) {
          const stride = walk.strides[axis] ?? 0
          if (stride === 0 || walk.position === undefined) continue
          code.get(walk.position)
          code.integer(4 * by * stride)
          code.addInteger()
          code.set(walk.position)
        }
      })
  }
}

interface Walk {
  readonly strides: ReadonlyArray<number>
  position: number | undefined
}

/**
 * The buffer number that stands for the kernel's own output.
 *
 * @category constants
 * @since 0.1.0
 */
export const outputBuffer = -1

/**
 * Where the array that an access reads or writes begins.
 *
 * @category utils
 * @since 0.1.0
 */
export const baseOf = (addresses: Addresses, { buffer }: Access): Base =>
  buffer === outputBuffer ? addresses.output : addresses.buffer(buffer)

/**
 * Pushes the address of an array.
 *
 * @category utils
 * @since 0.1.0
 */
export const pushBase = (code: Code, { offset, told }: Base): void => {
  if (told === undefined) return code.integer(offset)
  code.integer(told)
  code.loadInteger(0)
  if (offset === 0) return
  code.integer(offset)
  code.addInteger()
}

/** The part of a position that is known only when the kernel runs, in a local, in bytes. */
const runtimeOffset = (code: Code, addresses: Addresses, access: Access): number => {
  const position = code.local('i32')
  const { told } = baseOf(addresses, access)
  if (access.parameter === undefined && access.moves.length === 0) {
    pushBase(code, { offset: 0, told })
    code.set(position)
    return position
  }
  code.integer(0)
  if (access.parameter !== undefined) {
    code.integer(addresses.parameter(access.parameter))
    code.loadInteger(0)
    code.addInteger()
  }
  for (const { index, size, stride } of access.moves) {
    const loops = nest(code, addresses, surface(index))
    termValues(code, loops, addresses, [index], undefined).push(index, single)
    // held within the axis first and rounded down after, which is the same; not a number becomes 0
    code.splat(size - 1)
    code.vector('f32x4.min')
    code.splat(0)
    code.vector('f32x4.max')
    code.firstToInteger()
    code.integer(stride)
    code.multiplyInteger()
    code.addInteger()
  }
  code.integer(4)
  code.multiplyInteger()
  if (told !== undefined) {
    pushBase(code, { offset: 0, told })
    code.addInteger()
  }
  code.set(position)
  return position
}

const single: Lanes = { along: -1, width: 1, shift: 0 }

/**
 * The values of some terms over a nest. What the core computed is read from `output`, where an epilogue reads what the core
 * wrote, or is pushed by `computed`, where it has not been written yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const termValues = (
  code: Code,
  loops: Pick<Nest, 'push' | 'offsetOf'>,
  addresses: Addresses,
  roots: ReadonlyArray<ElementTerm>,
  output: Access | undefined,
  computed?: () => void
): TermValues => {
  const uses = countUses(roots)
  const depths = new Map<ElementTerm, number>()
  let hoisted = new Map<ElementTerm, number>()
  let shared = new Map<string, number>()

  const depth = (term: ElementTerm): number => {
    const before = depths.get(term)
    if (before !== undefined) return before
    const deepest = ({ strides }: Access): number => strides.findLastIndex((stride) => stride !== 0)
    const value =
      term._tag === 'Apply'
        ? term.args.reduce((most, arg) => Math.max(most, depth(arg)), -1)
        : term._tag === 'Read'
          ? deepest(term.access)
          : term._tag === 'Result' && output !== undefined
            ? deepest(output)
            : -1
    depths.set(term, value)
    return value
  }

  const load = (access: Access, { along, width, shift }: Lanes): void => {
    const stride = access.strides[along] ?? 0
    const offset = loops.offsetOf(access) + 4 * shift * stride
    loops.push(access)
    if (width === 1 || stride === 0) return code.loadSplat(offset)
    if (stride === 1) return code.load(offset)
    for (let lane = 1; lane < 4; lane++) loops.push(access)
    code.loadZero(offset)
    for (let lane = 1; lane < 4; lane++) code.loadLane(offset + 4 * lane * stride, lane)
  }

  const compute = (term: ElementTerm, lanes: Lanes): void => {
    switch (term._tag) {
      case 'Literal':
        return code.splat(term.value)
      case 'Parameter':
        code.integer(addresses.parameter(term.index))
        return code.loadSplat(0)
      case 'Read':
        return load(term.access, lanes)
      case 'Result':
        if (computed !== undefined) return computed()
        return output === undefined ? code.splat(0) : load(output, lanes)
      case 'Apply':
        return functionCode(addresses.fma)[term.name](term.args.map((arg) => () => push(arg, lanes)))(code)
    }
  }

  const push = (term: ElementTerm, lanes: Lanes): void => {
    const early = hoisted.get(term)
    if (early !== undefined) return code.get(early)
    if (term._tag === 'Literal' || (uses.get(term)?.count ?? 0) < 2) return compute(term, lanes)
    const key = `${uses.get(term)?.id},${lanes.along},${lanes.width},${lanes.shift}`
    const local = shared.get(key)
    if (local !== undefined) return code.get(local)
    compute(term, lanes)
    const fresh = code.local('v128')
    shared.set(key, fresh)
    code.tee(fresh)
  }

  const hoist = (term: ElementTerm, axis: number): void => {
    if (term._tag === 'Literal' || hoisted.has(term)) return
    if (depth(term) >= axis) {
      if (term._tag === 'Apply') term.args.forEach((arg) => hoist(arg, axis))
      return
    }
    push(term, single)
    const local = code.local('v128')
    code.set(local)
    hoisted.set(term, local)
  }

  return {
    push,
    hoist,
    scope: (body) => {
      const [before, beforeShared] = [hoisted, shared]
      hoisted = new Map(hoisted)
      shared = new Map(shared)
      body()
      hoisted = before
      shared = beforeShared
    }
  }
}

/** How often each term occurs as an argument, and a number for it. */
const countUses = (
  roots: ReadonlyArray<ElementTerm>
): ReadonlyMap<ElementTerm, { readonly id: number; count: number }> => {
  const uses = new Map<ElementTerm, { readonly id: number; count: number }>()
  const go = (term: ElementTerm): void => {
    const known = uses.get(term)
    if (known !== undefined) {
      known.count++
      return
    }
    uses.set(term, { id: uses.size, count: 1 })
    if (term._tag === 'Apply') term.args.forEach(go)
  }
  roots.forEach(go)
  return uses
}
