/**
 * Reductions as text of WGSL. A thread reduces for one output, or for four neighbours; or a workgroup does for one, each
 * thread every 64th element, and a tree joins what they have. The order is fixed by the sizes alone, so that bits are the
 * same from run to run.
 *
 * @since 0.1.0
 */
import type { ReduceName } from '../../tensor/Op.js'
import { size } from '../../tensor/Tensor.js'
import { type ReductionCore, surface } from '../plan/Spec.js'
import * as P from './Position.js'
import type { Position } from './Position.js'
import { type Block, define, type Facts, fresh, gain, inside, term } from './TermWgsl.js'
import { groupSize } from './Workgroup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How outputs are shared out: along which axes four neighbours are vectors (`kept`: four outputs; `reduced`: four elements
 * of a sum), and whether a workgroup works on what else a thread would.
 *
 * @category model
 * @since 0.1.0
 */
export interface ReductionWay {
  readonly lanes: 'none' | 'kept' | 'reduced'
  readonly tree: boolean
}

/** Where a thread for each output would be fewer than these, and have more steps than that, a workgroup is. */
const fewThreads = 1024
const manySteps = 4 * groupSize

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The ways that are open to a reduction, the one to take first.
 *
 * @category utils
 * @since 0.1.0
 */
export const reductionWays = (core: ReductionCore, facts: Facts): ReadonlyArray<ReductionWay> => {
  const { dims, kept, body } = core
  const reads = surface(body)
  const gains = {
    kept: kept > 0 ? gain(reads, facts, dims, kept - 1) : undefined,
    reduced: kept < dims.length ? gain(reads, facts, dims, dims.length - 1) : undefined
  }
  const lanes = (['kept', 'reduced'] as const)
    .filter((one) => (gains[one] ?? 0) > 0)
    .sort((a, b) => (gains[b] ?? 0) - (gains[a] ?? 0))
  const outputs = size(dims.slice(0, kept))
  const steps = size(dims.slice(kept))
  return [...lanes, 'none' as const].flatMap((one) => {
    const threads = one === 'kept' ? outputs / 4 : outputs
    const long = threads < fewThreads && (one === 'reduced' ? steps / 4 : steps) > manySteps
    return [
      { lanes: one, tree: long },
      { lanes: one, tree: !long }
    ]
  })
}

/**
 * The outputs of which a thread, or a workgroup, computes one.
 *
 * @category utils
 * @since 0.1.0
 */
export const reductionPlaces = ({ dims, kept }: ReductionCore, { lanes }: ReductionWay): number =>
  size(dims.slice(0, kept)) / (lanes === 'kept' ? 4 : 1)

const join = (name: ReduceName, a: string, b: string): string =>
  name === 'sum' ? `${a} + ${b}` : `${name}(${a}, ${b})`

const across = (name: ReduceName, vector: string): string => {
  const pair = (a: string, b: string): string => `(${join(name, `${vector}.${a}`, `${vector}.${b}`)})`
  return join(name, pair('x', 'y'), pair('z', 'w'))
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The value of a reduction at a position of the output, and what it declares outside of functions.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reduced = (
  block: Block,
  facts: Facts,
  { name, dims, kept, body }: ReductionCore,
  { lanes, tree }: ReductionWay,
  at: Position
): { readonly value: string; readonly declarations: ReadonlyArray<string> } => {
  const type = lanes === 'none' ? 'f32' : 'vec4f'
  const axis = lanes === 'kept' ? kept - 1 : lanes === 'reduced' ? dims.length - 1 : undefined
  const outer = P.indices((value) => define(block, value), dims.slice(0, kept), at)
  const inner = dims.slice(kept)
  const value = fresh(block, 'r')
  const evaluate = (into: Block, index: ReadonlyArray<Position>): string =>
    term(into, facts, body, { index: [...outer, ...index], lanes: axis, result: '0.0' })
  const step = (into: Block, index: ReadonlyArray<Position>): void => {
    into.lines.push(`${value} = ${join(name, value, evaluate(into, index))};`)
  }
  const start =
    name === 'sum'
      ? `${type}()`
      : evaluate(
          block,
          inner.map(() => P.at(0))
        )
  block.lines.push(`var ${value} = ${start};`)
  if (tree) {
    const vectors = lanes === 'reduced'
    const count = size(inner) / (vectors ? 4 : 1)
    const counter = fresh(block, 'k')
    const text = inside(block, (each) => {
      const flat = P.multiple(counter, count, vectors ? 4 : 1)
      step(
        each,
        P.indices((part) => define(each, part), inner, flat)
      )
    })
    block.lines.push(`for (var ${counter} = lid; ${counter} < ${count}u; ${counter} += ${groupSize}u) {\n${text}\n}`)
    block.lines.push(
      `shares[lid] = ${value};`,
      'workgroupBarrier();',
      `for (var half = ${groupSize / 2}u; half > 0u; half /= 2u) {`,
      `if (lid < half) { shares[lid] = ${join(name, 'shares[lid]', 'shares[lid + half]')}; }`,
      'workgroupBarrier();',
      '}',
      `${value} = shares[0];`
    )
  } else {
    const counters = inner.map(() => fresh(block, 'k'))
    const last = inner.length - 1
    const places = inner.map((n, i) => {
      const vectors = lanes === 'reduced' && i === last
      return P.multiple(counters[i] ?? '', vectors ? n / 4 : n, vectors ? 4 : 1)
    })
    const text = inside(block, (each) => step(each, places))
    block.lines.push(
      counters.reduceRight((rest, counter, i) => {
        const bound = (inner[i] ?? 1) / (lanes === 'reduced' && i === last ? 4 : 1)
        return `for (var ${counter} = 0u; ${counter} < ${bound}u; ${counter}++) {\n${rest}\n}`
      }, text)
    )
  }
  return {
    value: lanes === 'reduced' ? define(block, across(name, value)) : value,
    declarations: tree ? [`var<workgroup> shares : array<${type}, ${groupSize}>;`] : []
  }
}
