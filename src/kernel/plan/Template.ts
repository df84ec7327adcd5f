/**
 * Kernels that differ in numbers only become one kernel with parameters: the steps of an unrolled chain differ in their
 * coefficients and in the offsets of their noise, and compiling each anew would take longer than running them.
 *
 * @since 0.1.0
 */
import { type Access, literal, mapSpec, type OutputPart, type Spec, type ElementTerm } from './Spec.js'
import type { KernelStep } from './Sequence.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A kernel to compile. Accesses name its buffer arguments by position, `Parameter` terms and `parameter` fields its
 * scalar arguments, which come after the buffers.
 *
 * @category model
 * @since 0.1.0
 */
export interface Kernel {
  readonly spec: Spec
  readonly buffers: number
  readonly parameters: ReadonlyArray<'Float' | 'Integer'>
}

/**
 * A call of a kernel: which buffers and numbers it gets and which buffer it writes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Call {
  readonly kernel: number
  readonly buffers: ReadonlyArray<number>
  readonly parameters: ReadonlyArray<number>
  readonly output: number
}

/** A spec with every number replaced by a parameter, and the numbers. */
interface Abstract {
  readonly spec: Spec
  readonly key: string
  readonly numbers: ReadonlyArray<{ readonly type: 'Float' | 'Integer'; readonly value: number }>
  readonly buffers: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The names of a kernel's arguments: `b0`, `b1` and so on for its buffers, then `p0` and so on for its numbers.
 *
 * @category utils
 * @since 0.1.0
 */
export const argumentNames = ({ buffers, parameters }: Kernel): ReadonlyArray<string> => [
  ...Array.from({ length: buffers }, (_, i) => `b${i}`),
  ...parameters.map((_, i) => `p${i}`)
]

/**
 * The distinct kernels of some steps, and the steps as calls. A number that all calls of a kernel agree on is part of
 * the kernel, unless it is not finite: WGSL has no literal for it.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const distinct = (
  steps: ReadonlyArray<KernelStep>
): { readonly kernels: ReadonlyArray<Kernel>; readonly calls: ReadonlyArray<Call> } => {
  const groups = new Map<string, Array<Abstract>>()
  const abstracts = steps.map(({ spec }) => abstract(spec))
  for (const item of abstracts) {
    const group = groups.get(item.key)
    if (group === undefined) groups.set(item.key, [item])
    else group.push(item)
  }
  const kernels: Array<Kernel> = []
  const places = new Map<string, { readonly kernel: number; readonly varying: ReadonlyArray<number> }>()
  for (const [key, [first, ...others]] of groups) {
    if (first === undefined) continue
    const varying = first.numbers.flatMap(({ value }, i) =>
      !Number.isFinite(Math.fround(value)) || others.some((other) => !Object.is(other.numbers[i]?.value, value))
        ? [i]
        : []
    )
    const kernel = kernels.push({
      spec: specialise(first, varying),
      buffers: first.buffers.length,
      parameters: varying.map((i) => first.numbers[i]?.type ?? 'Float')
    })
    places.set(key, { kernel: kernel - 1, varying })
  }
  const calls = abstracts.map(({ key, numbers, buffers }, i): Call => {
    const { kernel, varying } = places.get(key) ?? { kernel: 0, varying: [] }
    return { kernel, buffers, parameters: varying.map((at) => numbers[at]?.value ?? 0), output: steps[i]?.output ?? 0 }
  })
  return { kernels, calls }
}

const abstract = (source: Spec): Abstract => {
  const numbers: Array<{ readonly type: 'Float' | 'Integer'; readonly value: number }> = []
  const buffers: Array<number> = []
  const slot = (buffer: number): number => {
    const known = buffers.indexOf(buffer)
    return known < 0 ? buffers.push(buffer) - 1 : known
  }
  const onAccess = (access: Access): Access => ({
    ...access,
    buffer: slot(access.buffer),
    offset: 0,
    parameter: numbers.push({ type: 'Integer', value: access.offset }) - 1
  })
  const onLeaf = (leaf: ElementTerm): ElementTerm =>
    leaf._tag === 'Literal'
      ? { _tag: 'Parameter', index: numbers.push({ type: 'Float', value: leaf.value }) - 1 }
      : leaf
  const spec = mapSpec(onAccess, onLeaf, source)
  return { spec, key: write(spec), numbers, buffers }
}

/** Puts the numbers back but for the varying ones, which become the parameters in their order. */
const specialise = ({ spec, numbers }: Abstract, varying: ReadonlyArray<number>): Spec => {
  const number = (i: number): number => numbers[i]?.value ?? 0
  const onAccess = ({ parameter = 0, ...access }: Access): Access => {
    const rank = varying.indexOf(parameter)
    return rank < 0 ? { ...access, offset: number(parameter) } : { ...access, parameter: rank }
  }
  const onLeaf = (leaf: ElementTerm): ElementTerm => {
    if (leaf._tag !== 'Parameter') return leaf
    const rank = varying.indexOf(leaf.index)
    return rank < 0 ? literal(number(leaf.index)) : { _tag: 'Parameter', index: rank }
  }
  return mapSpec(onAccess, onLeaf, spec)
}

/** A text that two specs have in common exactly when they are equal; a term that occurs twice is written once. */
const write = (spec: Spec): string => {
  const known = new Map<ElementTerm, number>()
  const lines: Array<string> = []
  const access = ({ buffer, offset, parameter, strides, moves }: Access): string =>
    `b${buffer}+${offset}+p${parameter}[${strides.join()}]${moves.map((m) => `{${term(m.index)},${m.size},${m.stride}}`).join('')}`
  const line = (node: ElementTerm): string => {
    switch (node._tag) {
      case 'Literal':
        return `l${node.value}`
      case 'Parameter':
        return `p${node.index}`
      case 'Result':
        return 'r'
      case 'Read':
        return access(node.access)
      case 'Apply':
        return `${node.name}(${node.args.map(term).join()})`
    }
  }
  const term = (node: ElementTerm): number => {
    const before = known.get(node)
    if (before !== undefined) return before
    const text = line(node)
    const index = lines.push(text) - 1
    known.set(node, index)
    return index
  }
  const part = (p: OutputPart): string => `${p.start},${p.length}:${p.dims.join()};${p.strides.join()};${term(p.body)}`
  const core = ((): string => {
    const c = spec.core
    switch (c._tag) {
      case 'Elementwise':
        return `e${c.rowLength}|${c.parts.map(part).join('|')}`
      case 'Padding':
        return `f${part(c.part)}`
      case 'Reduction':
        return `${c.name}|${c.dims.join()}|${c.kept}|${term(c.body)}`
      case 'Contraction':
        return `${c.form}|${c.dims.join()}|${c.strides.join()}|${access(c.a)}|${access(c.b)}`
    }
  })()
  const epilogue = spec.epilogue === undefined ? '' : part(spec.epilogue)
  return `${spec.cells}#${core}#${epilogue}#${lines.join('\n')}`
}
