/**
 * A kernel as a whole compute shader in WGSL, in the place that gpu.js has for one: numbers and sizes first, then the
 * arrays that it reads, then the one that it writes.
 *
 * @since 0.1.0
 */
import type { OutputPart, Spec } from '../plan/Spec.js'
import type { Kernel } from '../plan/Template.js'
import { type BlockShape, contractionGroups, contractionWays } from './Blocks.js'
import { contracted } from './ContractionWgsl.js'
import { framed, inFours, joined } from './ElementwiseWgsl.js'
import * as P from './Position.js'
import type { Position } from './Position.js'
import { reduced, reductionPlaces, type ReductionWay, reductionWays } from './ReductionWgsl.js'
import { type Block, define, element, empty, type Facts, term } from './TermWgsl.js'
import { groupSize } from './Workgroup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A way to compute a kernel: all give the same numbers, up to the order of sums.
 *
 * @category model
 * @since 0.1.0
 */
export type Way =
  | { readonly _tag: 'Elements'; readonly wide: boolean }
  | ({ readonly _tag: 'Reduction' } & ReductionWay)
  | ({ readonly _tag: 'Contraction' } & BlockShape)

/**
 * The text of a shader, how many workgroups of it there are, and the numbers that it reads (see `alike`), if any.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shader {
  readonly text: string
  readonly groups: number
  readonly numbers: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// ways
// -------------------------------------------------------------------------------------

/**
 * The ways that are open to a kernel, the one to take first.
 *
 * @category utils
 * @since 0.1.0
 */
export const ways = ({ spec: { cells, core } }: Kernel, facts: Facts): ReadonlyArray<Way> => {
  switch (core._tag) {
    case 'Elementwise':
    case 'Padding': {
      const wide = facts.arrays.at(-1) === true && cells % 4 === 0 && inFours(core)
      return [...(wide ? [{ _tag: 'Elements', wide } as const] : []), { _tag: 'Elements', wide: false }]
    }
    case 'Reduction':
      return reductionWays(core, facts).map((way) => ({ _tag: 'Reduction', ...way }))
    case 'Contraction':
      return contractionWays(core, facts).map((way) => ({ _tag: 'Contraction', ...way }))
  }
}

/**
 * A way in words.
 *
 * @category utils
 * @since 0.1.0
 */
export const wayName = (way: Way): string => {
  switch (way._tag) {
    case 'Elements':
      return way.wide ? 'four elements a thread' : 'an element a thread'
    case 'Reduction':
      return `${way.tree ? 'a tree' : 'a thread'}, vectors ${way.lanes === 'none' ? 'nowhere' : `of what is ${way.lanes}`}`
    case 'Contraction':
      return (
        `${way.rows} x ${way.columns} a thread${way.split === 1 ? '' : `, the sum in ${way.split} parts`}` +
        (way.shared ? ', four share what they read' : '')
      )
  }
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The shader of a kernel that is computed in one of its ways.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const kernelWgsl = (kernel: Kernel, facts: Facts, way: Way): Shader => {
  const block = empty()
  const { cells, core } = kernel.spec
  const name = (value: string): string => define(block, value)
  const store = (inner: Block, position: Position, value: string, wide: boolean): void =>
    finish(inner, facts, kernel.spec, position, value, wide)
  /** A thread for each of `places`. */
  const each = (places: number, unit: number): Position => {
    const thread = name(`wg * ${groupSize}u + lid`)
    if (places % groupSize !== 0) block.lines.push(`if (${thread} >= ${places}u) { return; }`)
    return P.multiple(thread, places, unit)
  }
  const made = ((): { readonly groups: number; readonly declarations: ReadonlyArray<string> } => {
    if (core._tag === 'Contraction') {
      const shape = way._tag === 'Contraction' ? way : { rows: 1, columns: 1, split: 1, shared: false }
      const declarations = contracted(block, facts, core, shape, store)
      return { groups: contractionGroups(core, facts, shape), declarations }
    }
    if (core._tag === 'Reduction') {
      const chosen: ReductionWay = way._tag === 'Reduction' ? way : { lanes: 'none', tree: false }
      const places = reductionPlaces(core, chosen)
      const unit = chosen.lanes === 'kept' ? 4 : 1
      const at = chosen.tree ? P.multiple('wg', places, unit) : each(places, unit)
      const { value, declarations } = reduced(block, facts, core, chosen, at)
      if (chosen.tree) block.lines.push('if (lid != 0u) { return; }')
      store(block, at, value, unit === 4)
      return { groups: chosen.tree ? places : Math.ceil(places / groupSize), declarations }
    }
    const wide = way._tag === 'Elements' && way.wide
    const places = wide ? cells / 4 : cells
    const at = each(places, wide ? 4 : 1)
    const value =
      core._tag === 'Elementwise' ? joined(block, facts, core, at, wide) : framed(block, facts, core, at, wide)
    store(block, at, value, wide)
    return { groups: Math.ceil(places / groupSize), declarations: [] }
  })()
  const shared = way._tag === 'Contraction' && way.shared
  const text = shader(kernel, facts, made.declarations, made.groups, shared, block.lines)
  return { groups: made.groups, text, numbers: [] }
}

/** Applies the epilogue to what a core computed, and writes it: one element, or four from a position on. */
const finish = (block: Block, facts: Facts, { epilogue }: Spec, at: Position, value: string, wide: boolean): void => {
  const vectors = facts.arrays.at(-1) === true
  const after = (part: OutputPart | undefined, position: Position, result: string, lanes: boolean): string => {
    if (part === undefined) return result
    const index = P.indices((v) => define(block, v), part.dims, position)
    return term(block, facts, part.body, { index, lanes: lanes ? part.dims.length - 1 : undefined, result })
  }
  if (!wide) {
    block.lines.push(`${element('result', vectors, at)} = ${after(epilogue, at, value, false)};`)
    return
  }
  if (vectors && P.divides(4, at) && (epilogue === undefined || (epilogue.dims.at(-1) ?? 1) % 4 === 0)) {
    const finished = after(epilogue, at, value, true)
    block.lines.push(`result[${P.text(P.divided(at, 4))}] = ${finished};`)
    return
  }
  const four = define(block, value)
  ;['x', 'y', 'z', 'w'].forEach((letter, i) => {
    const position = P.sum([at, P.at(i)])
    block.lines.push(
      `${element('result', vectors, position)} = ${after(epilogue, position, `${four}.${letter}`, false)};`
    )
  })
}

// along one axis; then another one takes the rest, and the last of its rows may be too long
const mostGroups = 65535

const shader = (
  { buffers, parameters }: Kernel,
  { arrays }: Facts,
  declarations: ReadonlyArray<string>,
  groups: number,
  shared: boolean,
  lines: ReadonlyArray<string>
): string => {
  const type = (i: number): string => (arrays[i] === true ? 'array<vec4f>' : 'array<f32>')
  const members = [
    'size : vec4u',
    ...Array.from({ length: buffers }, (_, i) => `d${i} : vec4u`),
    ...parameters.map((kind, i) => `p${i} : ${kind === 'Integer' ? 'i32' : 'f32'}`)
  ]
  const thread = shared
    ? '@builtin(subgroup_id) team : u32, @builtin(subgroup_size) mates : u32, @builtin(subgroup_invocation_id) mate : u32'
    : '@builtin(local_invocation_index) lid : u32'
  return [
    ...(shared ? ['enable subgroups;'] : []),
    `struct Params { ${members.join(', ')} }`,
    '@group(0) @binding(0) var<uniform> params : Params;',
    ...Array.from({ length: buffers }, (_, i) => `@group(0) @binding(${i + 1}) var<storage, read> b${i} : ${type(i)};`),
    `@group(0) @binding(${buffers + 1}) var<storage, read_write> result : ${type(buffers)};`,
    ...declarations,
    `@compute @workgroup_size(${groupSize})`,
    `fn main(${thread}, @builtin(workgroup_id) w : vec3u, @builtin(num_workgroups) all : vec3u) {`,
    // threads that hand values to each other are neighbours in their subgroup, which need not be so by the index in the workgroup
    ...(shared ? ['let lid = team * mates + mate;'] : []),
    // gpu.js writes the output's height, 1, into the second of the sizes; a run that is cut begins further on
    'let wg = w.x + w.y * all.x + (params.size.y - 1u);',
    ...(groups > mostGroups ? [`if (wg >= ${groups}u) { return; }`] : []),
    ...lines,
    '}'
  ].join('\n')
}
