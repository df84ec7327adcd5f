/**
 * Elementwise and padding kernels as text of WGSL: a thread computes four neighbours of the output where they lie in one
 * row of everything that is read, and one element elsewhere.
 *
 * @since 0.1.0
 */
import type { ElementwiseCore, OutputPart, PaddingCore } from '../plan/Spec.js'
import * as P from './Position.js'
import type { Position } from './Position.js'
import { type Block, define, type Facts, fresh, inside, term } from './TermWgsl.js'

// -------------------------------------------------------------------------------------
// predicates
// -------------------------------------------------------------------------------------

const fours = (numbers: ReadonlyArray<number>): boolean => numbers.every((n) => n % 4 === 0)

const lastOf = ({ dims }: OutputPart): number => dims.at(-1) ?? 1

/**
 * May four neighbours be computed at once, where they begin at a multiple of four in the output?
 *
 * @category predicates
 * @since 0.1.0
 */
export const inFours = (core: ElementwiseCore | PaddingCore): boolean =>
  core._tag === 'Elementwise'
    ? fours([core.rowLength, ...core.parts.flatMap((part) => [part.start, part.length, lastOf(part)])])
    : core.part.strides.at(-1) === 1 && fours([core.part.start, lastOf(core.part), ...core.part.strides.slice(0, -1)])

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The value of an elementwise core at a position of the output, or of the four elements from there on.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const joined = (
  block: Block,
  facts: Facts,
  { rowLength, parts }: ElementwiseCore,
  at: Position,
  wide: boolean
): string => {
  const zero = wide ? 'vec4f()' : '0.0'
  const body = (inner: Block, { dims, body: root }: OutputPart, position: Position): string => {
    const index = P.indices((value) => define(inner, value), dims, position)
    // a single number has no axis: four of them are the same
    const lanes = wide ? dims.length - 1 : undefined
    return term(inner, facts, root, { index, lanes, result: zero })
  }
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return body(block, only, at)
  const [row, column] = P.divide((value) => define(block, value), at, rowLength)
  const value = fresh(block, 'j')
  const across = define(block, P.text(column))
  block.lines.push(`var ${value} = ${zero};`)
  parts.forEach((part, i) => {
    const text = inside(block, (inner) => {
      const offset = P.multiple(define(inner, `${across} - ${part.start}u`), part.length)
      // what is left of the subtraction is a multiple of four where everything is
      const start = wide ? P.multiple(define(inner, `${P.text(offset)} >> 2u`), part.length / 4, 4) : offset
      inner.lines.push(`${value} = ${body(inner, part, P.sum([P.scale(row, part.length), start]))};`)
    })
    const test = i === parts.length - 1 ? '' : ` if (${across} < ${part.start + part.length}u)`
    block.lines.push(`${i === 0 ? '' : 'else'}${test} {\n${text}\n}`)
  })
  return value
}

/**
 * The value of a padding core at a position of the output, or of the four elements from there on.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const framed = (
  block: Block,
  facts: Facts,
  { part: { start, dims, strides, body } }: PaddingCore,
  at: Position,
  wide: boolean
): string => {
  const zero = wide ? 'vec4f()' : '0.0'
  const value = fresh(block, 'f')
  // before the start the difference wraps around to a number that is larger than any index may be
  let rest = define(block, `${P.text(at)} - ${start}u`)
  const index = dims.map((size, axis) => {
    const stride = strides[axis] ?? 1
    const whole = stride === 1 ? rest : define(block, `${rest} / ${stride}u`)
    if (stride !== 1) rest = define(block, `${rest} % ${stride}u`)
    return [whole, size] as const
  })
  const within = [
    ...index.map(([i, size]) => `${i} < ${size}u`),
    ...((strides.at(-1) ?? 0) === 1 ? [] : [`${rest} == 0u`])
  ]
  const text = inside(block, (inner) => {
    const places = index.map(([name, size], axis) =>
      wide && axis === dims.length - 1
        ? P.multiple(define(inner, `${name} >> 2u`), size / 4, 4)
        : P.multiple(name, size)
    )
    const lanes = wide ? dims.length - 1 : undefined
    inner.lines.push(`${value} = ${term(inner, facts, body, { index: places, lanes, result: zero })};`)
  })
  block.lines.push(`var ${value} = ${zero};`, `if (${within.join(' && ')}) {\n${text}\n}`)
  return value
}
