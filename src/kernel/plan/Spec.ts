/**
 * What one kernel computes: an elementwise term, a reduction or a contraction, over strided reads of flat buffers.
 *
 * A spec knows neither JavaScript nor WebAssembly; `KernelText` and the `Code` files of `wasm` are its two
 * interpreters. Buffers are flat and row-major, offsets and strides are counted in elements and never negative.
 *
 * @since 0.1.0
 */
import type { MapName, ReduceName } from '../../tensor/Op.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A strided read: element `offset + parameter + sum(strides[d] * index[d]) + sum(entry * stride)` of a buffer, over the
 * axes of the index space that the term lives in. `parameter` names a run-time integer, `moves` are run-time entries.
 *
 * @category model
 * @since 0.1.0
 */
export interface Access {
  readonly buffer: number
  readonly offset: number
  readonly strides: ReadonlyArray<number>
  readonly moves: ReadonlyArray<Move>
  readonly parameter?: number
}

/**
 * A run-time entry along an axis: `stride` times `index` rounded down and held within `[0, size)`. The index is a term
 * over the empty index space.
 *
 * @category model
 * @since 0.1.0
 */
export interface Move {
  readonly index: ElementTerm
  readonly size: number
  readonly stride: number
}

/**
 * The value of one element as a function of its index. Terms are graphs: a term that occurs twice is one object.
 *
 * - `Literal`: a number, known now. `Parameter`: a number that is an argument of the kernel.
 * - `Read`: an element of a buffer. `Result`: what the core computed at this element (in epilogues only).
 * - `Apply`: an elementwise operation.
 *
 * @category model
 * @since 0.1.0
 */
export type ElementTerm =
  | { readonly _tag: 'Literal'; readonly value: number }
  | { readonly _tag: 'Parameter'; readonly index: number }
  | { readonly _tag: 'Read'; readonly access: Access }
  | { readonly _tag: 'Result' }
  | { readonly _tag: 'Apply'; readonly name: MapName; readonly args: ReadonlyArray<ElementTerm> }

/**
 * Part of the output of an elementwise kernel: `length` columns from `start` on, of each row; `body` lives over `dims`,
 * whose product is rows times `length`, and `strides` say where its elements lie in the output, from `start`.
 *
 * @category model
 * @since 0.1.0
 */
export interface OutputPart {
  readonly start: number
  readonly length: number
  readonly dims: ReadonlyArray<number>
  readonly strides: ReadonlyArray<number>
  readonly body: ElementTerm
}

/**
 * Elementwise: the parts lie side by side in rows of `rowLength` and fill the output.
 *
 * @category model
 * @since 0.1.0
 */
export interface ElementwiseCore {
  readonly _tag: 'Elementwise'
  readonly rowLength: number
  readonly parts: ReadonlyArray<OutputPart>
}

/**
 * A box in an output that is 0 elsewhere. The strides of the part fall, the last of them is the smallest, and the box
 * spans less than a stride along each axis behind the first.
 *
 * @category model
 * @since 0.1.0
 */
export interface PaddingCore {
  readonly _tag: 'Padding'
  readonly part: OutputPart
}

/**
 * A reduction of `body` over `dims`, of which the first `kept` remain, row-major, in the output.
 *
 * @category model
 * @since 0.1.0
 */
export interface ReductionCore {
  readonly _tag: 'Reduction'
  readonly name: ReduceName
  readonly dims: ReadonlyArray<number>
  readonly kept: number
  readonly body: ElementTerm
}

/**
 * A sum of products over `dims = [...outer, m, n, ...taps, k]`: `out[outer, m, n] = sum over taps and k of a * b`. The
 * output's last stride, along n, is 1 unless n is 1, and `strides` has one for each of outer, m and n: what `dims` has
 * more are the axes of the sum. `a` does not move along n, nor `b` along m.
 *
 * A matrix product has no taps. A convolution has: the places in its window that do not lie in memory as one axis.
 *
 * - `rows`: `b` is contiguous along n (or n is 1): multiply scalars of `a` by rows of `b`.
 * - `dots`: `a` and `b` are contiguous along k: inner products.
 *
 * @category model
 * @since 0.1.0
 */
export interface ContractionCore {
  readonly _tag: 'Contraction'
  readonly form: 'rows' | 'dots'
  readonly dims: ReadonlyArray<number>
  readonly strides: ReadonlyArray<number>
  readonly a: Access
  readonly b: Access
}

/**
 * How a kernel computes its output before the epilogue.
 *
 * @category model
 * @since 0.1.0
 */
export type Core = ElementwiseCore | PaddingCore | ReductionCore | ContractionCore

/**
 * One kernel with `cells` output elements. The epilogue is applied elementwise to the result of the core.
 *
 * @category model
 * @since 0.1.0
 */
export interface Spec {
  readonly cells: number
  readonly core: Core
  readonly epilogue: OutputPart | undefined
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A known number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const literal = (value: number): ElementTerm => ({ _tag: 'Literal', value })

/**
 * A strided read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (access: Access): ElementTerm => ({ _tag: 'Read', access })

/**
 * What the core computed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const result: ElementTerm = { _tag: 'Result' }

/**
 * An elementwise operation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const apply = (name: MapName, args: ReadonlyArray<ElementTerm>): ElementTerm => ({ _tag: 'Apply', name, args })

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Rebuilds a term from its leaves; equal objects stay one object. Leaves are every term but `Apply`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapLeaves = (f: (leaf: ElementTerm) => ElementTerm): ((term: ElementTerm) => ElementTerm) => {
  const known = new Map<ElementTerm, ElementTerm>()
  const go = (term: ElementTerm): ElementTerm => {
    const before = known.get(term)
    if (before !== undefined) return before
    const after = term._tag === 'Apply' ? apply(term.name, term.args.map(go)) : f(term)
    known.set(term, after)
    return after
  }
  return go
}

/**
 * Rebuilds a spec from the leaves of its terms and from its accesses: `Read` leaves and operands.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapSpec = (
  onAccess: (access: Access) => Access,
  onLeaf: (leaf: ElementTerm) => ElementTerm,
  spec: Spec
): Spec => {
  const leaf = (term: ElementTerm): ElementTerm => (term._tag === 'Read' ? read(access(term.access)) : onLeaf(term))
  const term = mapLeaves(leaf)
  const access = (source: Access): Access =>
    onAccess({ ...source, moves: source.moves.map((move) => ({ ...move, index: term(move.index) })) })
  const part = (p: OutputPart): OutputPart => ({ ...p, body: term(p.body) })
  const core = (c: Core): Core => {
    switch (c._tag) {
      case 'Elementwise':
        return { ...c, parts: c.parts.map(part) }
      case 'Padding':
        return { ...c, part: part(c.part) }
      case 'Reduction':
        return { ...c, body: term(c.body) }
      case 'Contraction':
        return { ...c, a: access(c.a), b: access(c.b) }
    }
  }
  return { cells: spec.cells, core: core(spec.core), epilogue: spec.epilogue && part(spec.epilogue) }
}

/**
 * The reads over a term's own index space, each once.
 *
 * @category combinators
 * @since 0.1.0
 */
export const surface = (root: ElementTerm): ReadonlyArray<Access> => {
  const found = new Set<Access>()
  const seen = new Set<ElementTerm>()
  const go = (term: ElementTerm): void => {
    if (seen.has(term)) return
    seen.add(term)
    if (term._tag === 'Apply') term.args.forEach(go)
    if (term._tag === 'Read') found.add(term.access)
  }
  go(root)
  return [...found]
}

/**
 * The accesses of a term, those of run-time indices included.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accesses = (term: ElementTerm): ReadonlyArray<Access> =>
  surface(term).flatMap((access) => [...access.moves.flatMap((move) => accesses(move.index)), access])

/**
 * The accesses of a spec.
 *
 * @category combinators
 * @since 0.1.0
 */
export const specAccesses = ({ core, epilogue }: Spec): ReadonlyArray<Access> => {
  const rest = epilogue === undefined ? [] : accesses(epilogue.body)
  switch (core._tag) {
    case 'Elementwise':
      return [...core.parts.flatMap((part) => accesses(part.body)), ...rest]
    case 'Padding':
      return [...accesses(core.part.body), ...rest]
    case 'Reduction':
      return [...accesses(core.body), ...rest]
    case 'Contraction':
      return [...accesses(read(core.a)), ...accesses(read(core.b)), ...rest]
  }
}
