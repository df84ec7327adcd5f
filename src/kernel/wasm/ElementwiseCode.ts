/**
 * Elementwise kernels and reductions as WebAssembly: loop nests whose inner loops take four elements at a time.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import { neutral } from '../plan/Cores.js'
import { type Access, type OutputPart, type ReductionCore, surface } from '../plan/Spec.js'
import { type Code, code, type VectorName } from './Encoder.js'
import { type Lanes, type Addresses, type Nest, nest, outputBuffer, type TermValues, termValues } from './TermCode.js'

// -------------------------------------------------------------------------------------
// elementwise
// -------------------------------------------------------------------------------------

/**
 * Writes one part of the output, element by element.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const elementwiseCode = (addresses: Addresses, { start, dims, strides, body }: OutputPart): Code => {
  const out = code()
  const target: Access = { buffer: outputBuffer, offset: start, strides, moves: [] }
  const loops = nest(out, addresses, [...surface(body), target])
  const terms = termValues(out, loops, addresses, [body], target)
  const write = (axis: number, width: 1 | 4) => (): void =>
    terms.scope(() => {
      const lanes: Lanes = { along: axis, width, shift: 0 }
      const stride = target.strides[axis] ?? 1
      store(out, loops, target, stride, lanes, () => terms.push(body, lanes))
    })
  const loop = (axis: number): void => {
    terms.hoist(body, axis)
    const count = dims[axis]
    if (count === undefined) return write(-1, 1)()
    loops.enter(axis, () => {
      if (axis < dims.length - 1) return loops.advance(axis, count, 1, () => terms.scope(() => loop(axis + 1)))
      loops.advance(axis, Math.floor(count / 4), 4, write(axis, 4))
      loops.advance(axis, count % 4, 1, write(axis, 1))
    })
  }
  loop(0)
  return out
}

/** Stores the value that `push` leaves: four lanes, `stride` elements apart, or one. */
const store = (
  out: Code,
  loops: Nest,
  target: Access,
  stride: number,
  { width, shift }: Lanes,
  push: () => void
): void => {
  const offset = loops.offsetOf(target) + 4 * shift * stride
  if (width === 4 && stride !== 1) {
    const value = out.local('v128')
    push()
    out.set(value)
    for (let lane = 0; lane < 4; lane++) {
      loops.push(target)
      out.get(value)
      out.storeLane(offset + 4 * lane * stride, lane)
    }
    return
  }
  loops.push(target)
  push()
  if (width === 4) out.store(offset)
  else out.storeLane(offset, 0)
}

// -------------------------------------------------------------------------------------
// reductions
// -------------------------------------------------------------------------------------

const combine: Readonly<Record<ReductionCore['name'], VectorName>> = {
  sum: 'f32x4.add',
  max: 'f32x4.max',
  min: 'f32x4.min'
}

/** How many vectors are accumulated side by side, so that additions do not wait for each other. */
const unrolled = 4

/**
 * Writes a reduction. Vectors run along the last kept axis where the operands are contiguous there, else along the last
 * reduced axis. The order of the additions depends on the shape only.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reductionCode = (addresses: Addresses, core: ReductionCore): Code => {
  const { dims, kept, body } = core
  const out = code()
  const target: Access = { buffer: outputBuffer, offset: 0, strides: contiguous(dims.slice(0, kept)), moves: [] }
  const reads = surface(body)
  const loops = nest(out, addresses, [...reads, target])
  const terms = termValues(out, loops, addresses, [body], undefined)
  const context: Context = { out, loops, terms, core, target }
  const score = (axis: number): number =>
    reads.reduce((n, { strides }) => n + ((strides[axis] ?? 0) === 1 ? 1 : (strides[axis] ?? 0) > 1 ? -1 : 0), 0)
  const alongKept = kept > 0 && dims.length > kept && score(kept - 1) > score(dims.length - 1)
  const depth = alongKept ? kept - 1 : kept
  const loop = (axis: number): void => {
    terms.hoist(body, axis)
    if (axis === depth) return alongKept ? keptVectors(context) : reducedVectors(context)
    loops.enter(axis, () => loops.advance(axis, dims[axis] ?? 1, 1, () => terms.scope(() => loop(axis + 1))))
  }
  loop(0)
  return out
}

interface Context {
  readonly out: Code
  readonly loops: Nest
  readonly terms: TermValues
  readonly core: ReductionCore
  readonly target: Access
}

/** New accumulators at the neutral element. */
const accumulators = ({ out, core }: Context, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, () => {
    const local = out.local('v128')
    out.splat(neutral[core.name])
    out.set(local)
    return local
  })

/** Combines one value into each accumulator. */
const accumulate = ({ out, terms, core }: Context, into: ReadonlyArray<number>, along: number, width: 1 | 4): void =>
  terms.scope(() =>
    into.forEach((local, i) => {
      out.get(local)
      terms.push(core.body, { along, width, shift: 4 * i })
      out.vector(combine[core.name])
      out.set(local)
    })
  )

/** Four results at a time; the reduced axes are walked for each. */
const keptVectors = (context: Context): void => {
  const { out, loops, terms, core, target } = context
  const along = core.kept - 1
  const count = core.dims[along] ?? 1
  const block = (vectors: number, width: 1 | 4) => (): void =>
    terms.scope(() => {
      const sums = accumulators(context, vectors)
      const walk = (axis: number): void => {
        if (axis === core.dims.length) return accumulate(context, sums, along, width)
        loops.enter(axis, () => loops.advance(axis, core.dims[axis] ?? 1, 1, () => walk(axis + 1)))
      }
      walk(core.kept)
      sums.forEach((sum, i) => store(out, loops, target, 1, { along, width, shift: 4 * i }, () => out.get(sum)))
    })
  const wide = 4 * unrolled
  loops.enter(along, () => {
    loops.advance(along, Math.floor(count / wide), wide, block(unrolled, 4))
    loops.advance(along, Math.floor((count % wide) / 4), 4, block(1, 4))
    loops.advance(along, count % 4, 1, block(1, 1))
  })
}

/** One result from vectors of partial results and a rest. */
const reducedVectors = (context: Context): void => {
  const { out, loops, core, target } = context
  const along = core.dims.length - 1
  const sums = accumulators(context, unrolled)
  const rest = accumulators(context, 1)
  const wide = 4 * unrolled
  const walk = (axis: number): void => {
    const count = core.dims[axis]
    if (count === undefined) return accumulate(context, rest, -1, 1)
    loops.enter(axis, () => {
      if (axis < along) return loops.advance(axis, count, 1, () => walk(axis + 1))
      loops.advance(along, Math.floor(count / wide), wide, () => accumulate(context, sums, along, 4))
      loops.advance(along, Math.floor((count % wide) / 4), 4, () => accumulate(context, sums.slice(0, 1), along, 4))
      loops.advance(along, count % 4, 1, () => accumulate(context, rest, along, 1))
    })
  }
  walk(core.kept)
  const [total = 0, ...others] = sums
  const fold = (push: () => void): void => {
    out.get(total)
    push()
    out.vector(combine[core.name])
    out.set(total)
  }
  others.forEach((other) => fold(() => out.get(other)))
  const moved = (lanes: ReadonlyArray<number>) => (): void => {
    out.get(total)
    out.get(total)
    out.shuffle(lanes)
  }
  fold(moved([2, 3, 0, 1]))
  fold(moved([1, 0, 3, 2]))
  rest.forEach((other) => fold(() => out.get(other)))
  store(out, loops, target, 1, { along, width: 1, shift: 0 }, () => out.get(total))
}
