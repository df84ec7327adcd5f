/**
 * A kernel as the text of a gpu.js kernel function, which computes one output element a call.
 *
 * The text keeps to what gpu.js compiles on every mode: flat buffers, loops bounded by constants, no helper functions.
 * Positions are whole numbers kept in floats, exact up to 2^24 in f32; for their quotients see `quotient`.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import { float, functionText } from './FunctionText.js'
import type {
  Access,
  ContractionCore,
  Core,
  ElementwiseCore,
  PaddingCore,
  OutputPart,
  ReductionCore,
  Spec,
  ElementTerm
} from '../plan/Spec.js'
import { argumentNames, type Kernel } from '../plan/Template.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** Statements so far, and names for what has been computed. */
interface Scope {
  readonly lines: Array<string>
  readonly kernel: Kernel
  /** numbers of names, shared by nested scopes */
  readonly names: { count: number }
  readonly known: Map<ElementTerm, string>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The source of a kernel.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const kernelText = (kernel: Kernel): string => {
  const scope: Scope = { lines: ['const at = this.thread.x;'], kernel, names: { count: 0 }, known: new Map() }
  const { core, epilogue }: Spec = kernel.spec
  const value = coreValue(scope, core)
  const end = epilogue === undefined ? value : finished(scope, epilogue, value, 'at')
  scope.lines.push(`return ${end};`)
  return `function (${argumentNames(kernel).join(', ')}) {\n${scope.lines.map((line) => `  ${line}`).join('\n')}\n}`
}

const coreValue = (scope: Scope, core: Core): string => {
  switch (core._tag) {
    case 'Elementwise':
      return joined(scope, core)
    case 'Padding':
      return framed(scope, core)
    case 'Reduction':
      return reduced(scope, core)
    case 'Contraction':
      return contracted(scope, core)
  }
}

const fresh = ({ names }: Scope, prefix: string): string => `${prefix}${names.count++}`

const define = (scope: Scope, prefix: string, value: string): string => {
  const name = fresh(scope, prefix)
  scope.lines.push(`const ${name} = ${value};`)
  return name
}

/** A scope for a block, whose statements come back as text. */
const block = (scope: Scope, body: (inner: Scope) => void): string => {
  const inner: Scope = { ...scope, lines: [], known: new Map(scope.known) }
  body(inner)
  return inner.lines.join(' ')
}

const finished = (scope: Scope, part: OutputPart, value: string, at: string): string =>
  term({ ...scope, known: new Map() }, part.body, indices(scope, part.dims, at), value)

// (at + 0.5) / n is at least 0.5 / n from a whole number: more than 2.5 units in the last place, by which a quotient
// may be off, while positions are below this
const exactQuotients = 2 ** 20

/**
 * The whole part of `at / n` and what is left: `floor((at + 0.5) / n)`, which is right also where division rounds. In
 * large outputs it may be off by a few; what is then left, in whole numbers, is small and tells by how many.
 */
const quotient = (scope: Scope, at: string, n: number): readonly [index: string, rest: string] => {
  const halves = (value: string): string => `Math.floor((${value} + 0.5) / ${n})`
  const left = (index: string): string => define(scope, 'r', `${at} - ${index} * ${n}`)
  const near = define(scope, 'i', halves(at))
  if (scope.kernel.spec.cells < exactQuotients) return [near, left(near)]
  const index = define(scope, 'i', `${near} + ${halves(left(near))}`)
  return [index, left(index)]
}

/** Splits a row-major position into indices. */
const indices = (scope: Scope, dims: ReadonlyArray<number>, at: string): ReadonlyArray<string> => {
  let rest = at
  return dims.map((_, axis) => {
    const stride = contiguous(dims)[axis] ?? 1
    if (stride === 1) return rest
    const [index, left] = quotient(scope, rest, stride)
    rest = left
    return index
  })
}

const joined = (scope: Scope, { rowLength, parts }: ElementwiseCore): string => {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return term(scope, only.body, indices(scope, only.dims, 'at'), '0.0')
  const [row, column] = quotient(scope, 'at', rowLength)
  const value = fresh(scope, 'v')
  scope.lines.push(`let ${value} = 0.0;`)
  parts.forEach((part, i) => {
    const body = block(scope, (inner) => {
      const at = define(inner, 'i', `${row} * ${part.length} + ${column} - ${part.start}`)
      inner.lines.push(`${value} = ${term(inner, part.body, indices(inner, part.dims, at), '0.0')};`)
    })
    const test = i === parts.length - 1 ? '' : ` if (${column} < ${part.start + part.length})`
    scope.lines.push(`${i === 0 ? '' : 'else'}${test} { ${body} }`)
  })
  return value
}

const framed = (scope: Scope, { part: { start, dims, strides, body } }: PaddingCore): string => {
  let rest = define(scope, 'r', `at - ${start}`)
  const index = dims.map((_, axis) => {
    const stride = strides[axis] ?? 1
    if (stride === 1) return rest
    const [i, left] = quotient(scope, rest, stride)
    rest = left
    return i
  })
  const inside = index.flatMap((i, axis) => [`${i} >= 0`, `${i} < ${dims[axis] ?? 1}`])
  const exact = (strides.at(-1) ?? 0) === 1 ? [] : [`${rest} > -0.5`, `${rest} < 0.5`]
  const value = fresh(scope, 'v')
  const within = block(scope, (inner) => {
    inner.lines.push(`${value} = ${term(inner, body, index, '0.0')};`)
  })
  scope.lines.push(`let ${value} = 0.0;`, `if (${[...inside, ...exact].join(' && ')}) { ${within} }`)
  return value
}

const reduced = (scope: Scope, { name, dims, kept, body }: ReductionCore): string => {
  const outer = indices(scope, dims.slice(0, kept), 'at')
  const inner = dims.slice(kept).map(() => fresh(scope, 'k'))
  const value = fresh(scope, 'v')
  // the first element, and not an infinity, starts a largest or smallest one: shading languages have no literal for it
  const start = block(scope, (first) => {
    first.lines.push(
      `let ${value} = ${name === 'sum' ? '0.0' : term(first, body, [...outer, ...inner.map(() => '0')], '0.0')};`
    )
  })
  scope.lines.push(start)
  const step = block(scope, (each) => {
    const next = term(each, body, [...outer, ...inner], '0.0')
    each.lines.push(name === 'sum' ? `${value} += ${next};` : `${value} = Math.${name}(${value}, ${next});`)
  })
  scope.lines.push(nested(inner, step))
  return value
}

const contracted = (scope: Scope, { dims, strides, a, b }: ContractionCore): string => {
  const axes = dims.slice(0, strides.length)
  // the output may order the axes in another way: the largest stride is split off first
  const order = axes
    .map((_, axis) => axis)
    .filter((axis) => (axes[axis] ?? 1) > 1)
    .sort((x, y) => (strides[y] ?? 0) - (strides[x] ?? 0))
  const split = indices(
    scope,
    order.map((axis) => axes[axis] ?? 1),
    'at'
  )
  const index = axes.map((_, axis) => split[order.indexOf(axis)] ?? '0')
  const left = define(scope, 'i', position(scope, { ...a, strides: a.strides.slice(0, axes.length) }, index))
  const right = define(scope, 'i', position(scope, { ...b, strides: b.strides.slice(0, axes.length) }, index))
  const value = fresh(scope, 'v')
  const inner = dims.slice(axes.length).map(() => fresh(scope, 'k'))
  const along = ({ strides: s }: Access): string => inner.map((k, i) => times(k, s[axes.length + i] ?? 0)).join(' + ')
  const step = `${value} += b${a.buffer}[${left} + ${along(a)}] * b${b.buffer}[${right} + ${along(b)}];`
  scope.lines.push(`let ${value} = 0.0;`, nested(inner, step))
  return value
}

const times = (index: string, stride: number): string => (stride === 1 ? index : `${index} * ${stride}`)

/** Loops around a statement, bounded by the constants of the kernel. */
const nested = (names: ReadonlyArray<string>, body: string): string =>
  names.reduceRight(
    (text, name, i) => `for (let ${name} = 0; ${name} < this.constants.n${i}; ${name}++) { ${text} }`,
    body
  )

/**
 * The constants that a kernel's source mentions: the bounds of its loops.
 *
 * @category utils
 * @since 0.1.0
 */
export const constants = ({ spec: { core } }: Kernel): Readonly<Record<string, number>> => {
  const bounds =
    core._tag === 'Reduction'
      ? core.dims.slice(core.kept)
      : core._tag === 'Contraction'
        ? core.dims.slice(core.strides.length)
        : []
  return Object.fromEntries(bounds.map((bound, i) => [`n${i}`, bound]))
}

// -------------------------------------------------------------------------------------
// terms
// -------------------------------------------------------------------------------------

const position = (scope: Scope, access: Access, index: ReadonlyArray<string>): string => {
  const moves = access.moves.map(({ index: entry, size, stride }) => {
    const value = term({ ...scope, known: new Map() }, entry, [], '0.0')
    return `Math.floor(Math.min(Math.max(${value}, 0.0), ${float(size - 1)})) * ${stride}`
  })
  const steps = access.strides.flatMap((stride, axis) => {
    const i = index[axis] ?? '0'
    return stride === 0 || i === '0' ? [] : [times(i, stride)]
  })
  const start = access.parameter === undefined ? [] : [`p${access.parameter}`]
  const all = [...start, ...moves, ...steps]
  return access.offset === 0 && all.length > 0 ? all.join(' + ') : [String(access.offset), ...all].join(' + ')
}

/** The text of a term's value; operations are named, so that each is computed once. */
const term = (scope: Scope, node: ElementTerm, index: ReadonlyArray<string>, core: string): string => {
  const known = scope.known.get(node)
  if (known !== undefined) return known
  switch (node._tag) {
    case 'Literal':
      return float(node.value)
    case 'Parameter':
      return `p${node.index}`
    case 'Result':
      return core
    case 'Read': {
      const name = define(scope, 'x', `b${node.access.buffer}[${position(scope, node.access, index)}]`)
      scope.known.set(node, name)
      return name
    }
    case 'Apply': {
      const [a = '', b = '', c = ''] = node.args.map((arg) => term(scope, arg, index, core))
      const value = functionText[node.name]((part) => define(scope, 'x', part), a, b, c)
      const name = define(scope, 'x', value)
      scope.known.set(node, name)
      return name
    }
  }
}
