/**
 * Weights under other tools' names and layouts: a small language of rules that is read in both directions.
 *
 * A mapping is a list of rules, each from a pattern of paths here to a pattern of names there with a layout. For each
 * parameter that a lens declares, the first rule whose pattern fits says where it is found and how its axes lie. Lists
 * of rules are joined by concatenation; what stands first wins.
 *
 *     const mapping = [...Foreign.linear('net.0', 'in'), ...Foreign.normalization('norms.*', 'blocks.*.norm')]
 *     Foreign.fromForeign(mapping)(lens.parameters, tensors): Either<ForeignError, Values>
 *     Foreign.toForeign(mapping)(lens.parameters, values): Either<ForeignError, Values>
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { near } from '../document/Nearest.js'
import { captures } from '../document/Pattern.js'
import type { Values } from '../tensor/Program.js'
import { equals } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Finding, ForeignError } from './ForeignError.js'
import * as Layout from './Layout.js'

export { type Finding, type ForeignError, showError } from './ForeignError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One rule. `Rename`: parameters whose path fits `ours` are stored under `theirs` in a layout. `Fill`: parameters whose
 * path fits `ours` are stored nowhere; all of their numbers are `value`. `Ignore`: tensors whose name fits `theirs` are no
 * parameters.
 *
 * In a pattern `*` stands for one key and `**` for any number; what they stand for in `ours` is put in their places in
 * `theirs`, in order.
 *
 * @category model
 * @since 0.1.0
 */
export type Rule =
  | { readonly _tag: 'Rename'; readonly theirs: string; readonly ours: string; readonly layout: Layout.Layout }
  | { readonly _tag: 'Fill'; readonly ours: string; readonly value: number }
  | { readonly _tag: 'Ignore'; readonly theirs: string }

/**
 * Rules, of which the first that fits a parameter or a tensor holds.
 *
 * @category model
 * @since 0.1.0
 */
export type Mapping = ReadonlyArray<Rule>

/**
 * A parameter, of which a mapping needs the shape. Dimensions with a name count as 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shaped {
  readonly shape: ReadonlyArray<number | string>
}

/**
 * The parameters that are to be found, by key: those that a lens declares, or any others.
 *
 * @category model
 * @since 0.1.0
 */
export type Declared = { readonly [key: string]: Tree.Tree<Shaped> }

const isShaped = (tree: unknown): tree is Shaped =>
  typeof tree === 'object' && tree !== null && 'shape' in tree && Array.isArray(tree.shape)

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Parameters that fit `ours` are stored under `theirs`, in the same layout unless another is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rename = (theirs: string, ours: string, layout: Layout.Layout = Layout.same): Mapping => [
  { _tag: 'Rename', theirs, ours, layout }
]

/**
 * Parameters that fit `ours` are not stored: all of their numbers are `value`. A layer without a bias has one of zeros.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fill = (ours: string, value = 0): Mapping => [{ _tag: 'Fill', ours, value }]

/**
 * Tensors that fit `theirs` are left alone, such as counters of batches.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ignore = (theirs: string): Mapping => [{ _tag: 'Ignore', theirs }]

/**
 * PyTorch's `Linear`: a weight `[out, in]`, and a bias.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linear = (theirs: string, ours: string): Mapping => [
  ...rename(`${theirs}.weight`, `${ours}.weight`, Layout.reversed),
  ...rename(`${theirs}.bias`, `${ours}.bias`)
]

/**
 * PyTorch's `Conv1d`, `Conv2d` and `Conv3d`: a weight `[out, in, ...window]`, and a bias.
 *
 * @category constructors
 * @since 0.1.0
 */
export const convolution = (theirs: string, ours: string): Mapping => [
  ...rename(`${theirs}.weight`, `${ours}.weight`, Layout.channelsFirst),
  ...rename(`${theirs}.bias`, `${ours}.bias`)
]

/**
 * PyTorch's convolution with a window of one, `[out, in, 1, ...]`, for a dense layer here. `rank` is the number of its
 * window's axes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pointwise = (theirs: string, ours: string, rank = 2): Mapping => [
  ...rename(`${theirs}.weight`, `${ours}.weight`, Layout.pointwise(rank)),
  ...rename(`${theirs}.bias`, `${ours}.bias`)
]

/**
 * PyTorch's `LayerNorm` and `GroupNorm`: what is a gain here is called a weight there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normalization = (theirs: string, ours: string): Mapping => [
  ...rename(`${theirs}.weight`, `${ours}.gain`),
  ...rename(`${theirs}.bias`, `${ours}.bias`)
]

/**
 * PyTorch's `Embedding`: a weight `[labels, features]`, and no bias.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embedding = (theirs: string, ours: string): Mapping => [
  ...rename(`${theirs}.weight`, `${ours}.weight`),
  ...fill(`${ours}.bias`)
]

/**
 * PyTorch's names and layouts for any lens of this library, under its own paths: a weight of two axes as `Linear`'s, of more
 * as a convolution's, and a gain as a weight.
 *
 * @category constructors
 * @since 0.1.0
 */
export const torch: Mapping = [
  { _tag: 'Rename', theirs: '**.weight', ours: '**.weight', layout: Layout.channelsFirst },
  { _tag: 'Rename', theirs: '**.weight', ours: '**.gain', layout: Layout.same },
  { _tag: 'Rename', theirs: '**', ours: '**', layout: Layout.same }
]

// -------------------------------------------------------------------------------------
// patterns
// -------------------------------------------------------------------------------------

/** A pattern with texts in the places of its stars. A star without one stays. */
const substitute = (pattern: string, texts: ReadonlyArray<string>): string => {
  const left = [...texts]
  return (
    pattern
      .split('.')
      .map((key) => (key === '*' || key === '**' ? (left.shift() ?? key) : key))
      // no keys at all
      .filter((key) => key !== '')
      .join('.')
  )
}

// -------------------------------------------------------------------------------------
// plans
// -------------------------------------------------------------------------------------

type Sizes = ReadonlyArray<number>

/** Where one parameter comes from. */
type Source =
  | { readonly _tag: 'Stored'; readonly parameter: string; readonly name: string; readonly view: Layout.View }
  | { readonly _tag: 'Filled'; readonly parameter: string; readonly shape: Sizes; readonly value: number }

const sourceOf = (mapping: Mapping, parameter: string, shape: Sizes): E.Either<Finding, Source> => {
  for (const rule of mapping) {
    if (rule._tag === 'Ignore') continue
    const texts = captures(rule.ours, parameter)
    if (texts === undefined) continue
    if (rule._tag === 'Fill') return E.right({ _tag: 'Filled', parameter, shape, value: rule.value })
    const view = rule.layout.view(shape)
    return view === undefined
      ? E.left({ _tag: 'Unfit', parameter, shape, layout: rule.layout.name })
      : E.right({ _tag: 'Stored', parameter, name: substitute(rule.theirs, texts), view })
  }
  return E.left({ _tag: 'Unmapped', parameter, shape })
}

/** The sources of all declared parameters, and what is wrong with the mapping itself. */
const plan = (
  mapping: Mapping,
  parameters: Declared
): { readonly findings: ReadonlyArray<Finding>; readonly sources: ReadonlyArray<Source> } => {
  const { left, right } = pipe(
    Tree.leaves<Shaped>(isShaped, parameters),
    RA.partitionMap(([path, { shape }]) =>
      sourceOf(
        mapping,
        path,
        // a dimension with a name counts as 1, as it does where training starts
        shape.map((d) => (typeof d === 'number' ? d : 1))
      )
    )
  )
  const named = new Map<string, Array<string>>()
  for (const source of right) {
    if (source._tag !== 'Stored') continue
    const others = named.get(source.name)
    if (others === undefined) named.set(source.name, [source.parameter])
    else others.push(source.parameter)
  }
  const shared = [...named].flatMap(
    ([name, paths]): ReadonlyArray<Finding> => (paths.length > 1 ? [{ _tag: 'Shared', name, parameters: paths }] : [])
  )
  return { findings: [...left, ...shared], sources: right }
}

// each of them is compared with all names there are
const mostHints = 20

/** Findings with the names near one that is missing or left over, for the first of them. */
const hinted = (
  findings: ReadonlyArray<Finding>,
  unused: ReadonlyArray<string>,
  missing: ReadonlyArray<string>
): ReadonlyArray<Finding> =>
  findings.map((finding, i) => {
    if (i >= mostHints) return finding
    if (finding._tag === 'Missing') return { ...finding, nearest: near(finding.name, unused) }
    return finding._tag === 'Unused' ? { ...finding, nearest: near(finding.name, missing) } : finding
  })

const settled = <A>(findings: ReadonlyArray<Finding>, entries: ReadonlyArray<readonly [string, A]>) =>
  findings.length > 0
    ? E.left<ForeignError, Readonly<Record<string, A>>>({ _tag: 'ForeignError', findings })
    : // not assignment: a tensor may be called `__proto__`
      E.right<ForeignError, Readonly<Record<string, A>>>(Object.fromEntries(entries))

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The values of a lens's parameters, by path, from tensors under other names and layouts. Numbers are moved and never
 * changed.
 *
 * Left with everything at once: parameters that no rule maps or whose tensors are missing or of another shape, tensors
 * that no parameter takes, and names that two parameters take.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const fromForeign =
  (mapping: Mapping) =>
  (parameters: Declared, tensors: Values): E.Either<ForeignError, Values> => {
    const { findings, sources } = plan(mapping, parameters)
    const wanted = new Set(sources.flatMap((source) => (source._tag === 'Stored' ? [source.name] : [])))
    const names = Object.keys(tensors)
    const ignored = (name: string): boolean =>
      mapping.some((rule) => rule._tag === 'Ignore' && captures(rule.theirs, name) !== undefined)
    const unused = names.filter((name) => !wanted.has(name) && !ignored(name))
    const missing = [...wanted].filter((name) => !Object.hasOwn(tensors, name))
    const { left, right } = pipe(
      sources,
      RA.partitionMap((source): E.Either<Finding, readonly [string, Tensor]> => {
        const { parameter } = source
        if (source._tag === 'Filled') return E.right([parameter, filled(source)])
        const { name, view } = source
        const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined
        if (tensor === undefined) {
          return E.left({ _tag: 'Missing', parameter, name, shape: view.theirs, nearest: [] })
        }
        return equals(tensor.shape, view.theirs)
          ? E.right([parameter, Layout.toOurs(view, tensor)])
          : E.left({ _tag: 'Misshapen', name, expected: view.theirs, got: tensor.shape })
      })
    )
    const surplus = unused.map((name): Finding => {
      const shape = tensors[name]?.shape ?? []
      return { _tag: 'Unused', name, shape, nearest: [] }
    })
    return settled([...findings, ...hinted(left, unused, []), ...hinted(surplus, [], missing)], right)
  }

const filled = ({ shape, value }: Source & { readonly _tag: 'Filled' }): Tensor => ({
  shape,
  data: new Float32Array(shape.reduce((n, d) => n * d, 1)).fill(value)
})

/**
 * The tensors of a lens's parameters under other names and layouts: `fromForeign` with the same mapping gives the values
 * back.
 *
 * Left with everything at once: parameters that no rule maps or that have no value or one of another shape, names that
 * two parameters take, and values that a `fill` would lose.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const toForeign =
  (mapping: Mapping) =>
  (parameters: Declared, values: Values): E.Either<ForeignError, Values> => {
    const { findings, sources } = plan(mapping, parameters)
    const declared = new Set(sources.map(({ parameter }) => parameter))
    const unused = Object.keys(values).filter((path) => !declared.has(path))
    const { left, right } = pipe(
      sources,
      RA.partitionMap((source): E.Either<Finding, ReadonlyArray<readonly [string, Tensor]>> => {
        const { parameter } = source
        const expected = source._tag === 'Stored' ? source.view.ours : source.shape
        const tensor = Object.hasOwn(values, parameter) ? values[parameter] : undefined
        if (tensor === undefined) {
          return E.left({ _tag: 'Missing', parameter, name: parameter, shape: expected, nearest: [] })
        }
        if (!equals(tensor.shape, expected)) {
          return E.left({ _tag: 'Misshapen', name: parameter, expected, got: tensor.shape })
        }
        if (source._tag === 'Stored') return E.right([[source.name, Layout.toTheirs(source.view, tensor)]])
        const lost = Array.from(tensor.data).find((x) => x !== source.value)
        return lost === undefined ? E.right([]) : E.left({ _tag: 'Lost', parameter, expected: source.value, got: lost })
      })
    )
    return settled([...findings, ...hinted(left, unused, [])], right.flat())
  }

/**
 * The tensors of a lens's parameters under PyTorch's names and layouts, as `torch` has them: what `load_state_dict` of a
 * module with the same paths takes. Left: a parameter without a value, or of another shape.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const toTorch: (parameters: Declared, values: Values) => E.Either<ForeignError, Values> =
  /*#__PURE__*/ toForeign(torch)

/**
 * The values of a lens's parameters from PyTorch's names and layouts, as `torch` has them. Inverts `toTorch`.
 * Left: a tensor that is missing, too many, or of another shape.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const fromTorch: (parameters: Declared, tensors: Values) => E.Either<ForeignError, Values> =
  /*#__PURE__*/ fromForeign(torch)
