/**
 * What there is to know of an estimator by name: one row, from which configurations, help, tables and comparisons are read.
 *
 * A file of this folder that exports a `row` is an estimator that has a name; nothing else lists it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import type * as t from 'io-ts'
import { decodeWith, type DocumentError } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import type { Objective } from '../Objective.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What an estimator must know of the chain and the reward that it is for: the number of steps, whether step 1 has noise, and
 * so a score, whether the reward has a gradient, and whether the chain predicts its clean output. `noisy` are the steps that have
 * noise, in order: where it is left out, all above the first. `discrete`: steps keep discrete outcomes, which nothing can be
 * differentiated through; then `differentiable` is false, whatever the reward is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Facts {
  readonly T: number
  readonly noisyFirst: boolean
  readonly differentiable: boolean
  readonly clean: boolean
  readonly noisy?: ReadonlyArray<number>
  readonly discrete?: boolean
  readonly window?: number
}

/**
 * The steps that have noise, in order.
 *
 * @category readings
 * @since 0.1.0
 */
export const noisySteps = ({ T, noisyFirst, noisy }: Facts): ReadonlyArray<number> =>
  noisy ?? C.range(noisyFirst ? 1 : 2, T)

/**
 * Why a named estimator is none of a chain and a reward: its cells are no cover of the chain, it pulls back the gradient of
 * a reward that has none, or it differentiates states that are discrete outcomes. `instead` names what would do.
 *
 * @category model
 * @since 0.1.0
 */
export type BuildError =
  | CoverError
  | { readonly _tag: 'NoGradient'; readonly name: string; readonly instead: ReadonlyArray<string> }
  | { readonly _tag: 'NoPath'; readonly name: string; readonly instead: ReadonlyArray<string> }

/**
 * One option: what it is, in a few words, and how a value of a document becomes one of it. A decoded value is decoded to itself.
 *
 * @category model
 * @since 0.1.0
 */
export interface Field<out A> {
  readonly prose: string
  readonly decode: (given: unknown, path: string) => E.Either<DocumentError, A>
}

/**
 * The options of an estimator by name, in the order in which they are shown.
 *
 * @category model
 * @since 0.1.0
 */
export type Fields<O> = { readonly [K in keyof O]-?: Field<O[K]> }

/**
 * What an estimator's terms are terms of, whatever its options (see `Objective.Objective`); or what its bias is. `J and J_s` is the
 * weakest: some options may leave terms of one of the two alone.
 *
 * @category model
 * @since 0.1.0
 */
export type Claim = Objective | { readonly bias: string }

/**
 * One form in which an estimator is measured: some options, the others being the defaults, or the cells of a cover that no
 * options stand for. `name` tells it apart in tables where the estimator's own name does not. `part` is what it is there for:
 * the `reference` that others are compared with, or `plain`, without the baseline that an advantage takes off.
 *
 * @category model
 * @since 0.1.0
 */
export type Variant<O> = { readonly part?: Part } & (
  | { readonly name?: string; readonly options: Partial<O> }
  | { readonly name: string; readonly cells: ReadonlyArray<C.Cell> }
)

/**
 * What a form is measured for.
 *
 * @category model
 * @since 0.1.0
 */
export type Part = 'reference' | 'plain'

/**
 * A form in which `verify` tests an estimator: with the expected reward taken off in its likelihood-ratio terms, without, or both.
 *
 * @category model
 * @since 0.1.0
 */
export type Verified<O> = Variant<O> & { readonly baseline: 'with' | 'without' | 'both' }

/**
 * What is said of an estimator.
 *
 * - `prose`: one line, without a full stop.
 * - `cover`: its cells, as tables show them.
 * - `options` and their `defaults`; an option without a default must be given.
 * - `make`: the estimator of some options. Where facts decide by which cell a step is paid, `prose` says so.
 * - `compared`: the forms that `halforder compare` measures, for a chain, a reward, and a `radius` of zeroth-order cells that fits
 *   the parameters; `verified`: those that `halforder verify` tests. Forms that do not fit the chain are left out there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Definition<N extends string, O extends object> {
  readonly name: N
  readonly prose: string
  readonly cover: string
  readonly unbiasedFor: Claim
  readonly options: Fields<O>
  readonly defaults: Partial<NoInfer<O>>
  readonly make: (facts: Facts, options: NoInfer<O>) => E.Either<BuildError, Estimator>
  readonly compared: (on: Facts & { readonly radius: number }) => ReadonlyArray<Variant<NoInfer<O>>>
  readonly verified: (facts: Facts) => ReadonlyArray<Verified<NoInfer<O>>>
}

/**
 * A form of an estimator on a chain and a reward, under the name that tables show, with the document that stands for it where one
 * does. Left: why it is none there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trial {
  readonly name: string
  readonly document?: Document
  readonly part?: Part
  readonly estimator: E.Either<BuildError, Estimator>
}

/**
 * An estimator that has a name. `decode` reads the options of a document, those that it leaves out from `beneath` where that has
 * one that fits, else from the defaults; other fields are not looked at. `build` makes the estimator of what `decode` gave.
 *
 * @category model
 * @since 0.1.0
 */
export interface Row<N extends string, O extends object> {
  readonly name: N
  readonly prose: string
  readonly cover: string
  readonly unbiasedFor: Claim
  readonly options: Fields<O>
  readonly defaults: Partial<O>
  readonly decode: (given: Document, beneath: Document, path: string) => E.Either<DocumentError, Described<N, O>>
  readonly build: (facts: Facts, description: Document) => E.Either<BuildError, Estimator>
  readonly compared: (on: Facts & { readonly radius: number }) => ReadonlyArray<Trial>
  readonly verified: (facts: Facts) => ReadonlyArray<Trial & Pick<Verified<O>, 'baseline'>>
}

/**
 * A name and its options.
 *
 * @category model
 * @since 0.1.0
 */
export type Described<N extends string, O extends object> = { readonly name: N } & Readonly<O>

/**
 * A group of fields, of any kind.
 *
 * @category model
 * @since 0.1.0
 */
export type Document = Readonly<Record<string, unknown>>

/**
 * The descriptions that a row decodes.
 *
 * @category model
 * @since 0.1.0
 */
export type DescriptionOf<R> = R extends Row<infer N, infer O> ? Described<N, O> : never

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * An option that an io-ts codec decodes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const field = <A>(prose: string, codec: t.Type<A, unknown, unknown>): Field<A> => ({
  prose,
  decode: (given, path) => decodeWith(codec, given, path)
})

/**
 * The row of what is said of an estimator.
 *
 * @category constructors
 * @since 0.1.0
 */
export const define = <N extends string, O extends object>(definition: Definition<N, O>): Row<N, O> => {
  const { name, options, defaults, make, ...said } = definition
  const fields: ReadonlyArray<readonly [string, Field<unknown>]> = Object.entries(options)
  const usual: Document = { ...defaults }
  const valueOf = (given: Document, beneath: Document, key: string, { decode }: Field<unknown>): unknown => {
    if (Object.hasOwn(given, key)) return given[key]
    const under = beneath[key]
    return under !== undefined && E.isRight(decode(under, key)) ? under : usual[key]
  }
  const decode: Row<N, O>['decode'] = (given, beneath, path) => {
    const decoded: Record<string, unknown> = { name }
    for (const [key, one] of fields) {
      const value = one.decode(valueOf(given, beneath, key, one), path === '' ? key : `${path}.${key}`)
      if (E.isLeft(value)) return value
      decoded[key] = value.right
    }
    // each option of O has been decoded by its own field, and `name` is N
    return E.right(decoded as Described<N, O>)
  }
  const build: Row<N, O>['build'] = (facts, description) =>
    pipe(
      decode(description, {}, ''),
      E.mapLeft(({ path, expected, got }): BuildError => ({ _tag: 'BadOption', option: path, expected, got })),
      E.flatMap((described) => make(facts, described)),
      facts.discrete === true ? undrawn(name) : identity
    )
  const trial =
    (facts: Facts, beneath: Document) =>
    (variant: Variant<O>): Trial => {
      const part = variant.part === undefined ? {} : { part: variant.part }
      if ('cells' in variant)
        return { ...part, name: variant.name, estimator: Est.fromCells(variant.name, facts.T, variant.cells) }
      const under = Object.fromEntries(Object.entries(beneath).filter(([key]) => Object.hasOwn(options, key)))
      const estimator = build(facts, { ...under, ...variant.options })
      const called =
        variant.name ?? (E.isRight(estimator) ? estimator.right.name : showOptions(name, { ...variant.options }))
      return {
        ...part,
        name: called,
        document: { name, ...under, ...variant.options },
        estimator: pipe(
          estimator,
          E.map((one) => ({ ...one, name: called }))
        )
      }
    }
  return {
    name,
    options,
    defaults,
    prose: said.prose,
    cover: said.cover,
    unbiasedFor: said.unbiasedFor,
    decode,
    build,
    compared: (on) => said.compared(on).map(trial(on, { radius: on.radius })),
    verified: (facts) => said.verified(facts).map((one) => ({ ...trial(facts, {})(one), baseline: one.baseline }))
  }
}

/** What of an estimator can stand on a chain of discrete outcomes: all of it, or nothing. */
const undrawn =
  (name: string) =>
  (built: E.Either<BuildError, Estimator>): E.Either<BuildError, Estimator> => {
    const refused: BuildError = { _tag: 'NoPath', name, instead: ['reinforce', 'evolutionStrategies'] }
    return E.isLeft(built)
      ? E.left(built.left._tag === 'NoGradient' ? refused : built.left)
      : built.right.covers.some(({ cover }) => cover.cells.some(C.passes))
        ? E.left(refused)
        : built
  }

/**
 * The refusal of a reward without a gradient, with names that do without one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noGradient = (
  name: string,
  ...instead: readonly [string, ...ReadonlyArray<string>]
): E.Either<BuildError, never> => E.left({ _tag: 'NoGradient', name, instead })

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * Words in a row for a person: `a, b or c`.
 *
 * @category readings
 * @since 0.1.0
 */
export const either = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.slice(-1).join('')}`

/**
 * A name with options, as text: `rlr(h = 3, form = central)`.
 *
 * @category readings
 * @since 0.1.0
 */
export const showOptions = (name: string, options: Document): string => {
  const shown = Object.entries(options).map(([key, value]) => `${key} = ${showValue(value)}`)
  return shown.length === 0 ? name : `${name}(${shown.join(', ')})`
}

/**
 * The value of an option as text: words bare, all else as JSON.
 *
 * @category readings
 * @since 0.1.0
 */
export const showValue = (value: unknown): string =>
  typeof value === 'string' && /^[A-Za-z]\w*$/.test(value) ? value : JSON.stringify(value)

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category readings
 * @since 0.1.0
 */
export const showError = (error: BuildError): string =>
  error._tag === 'NoGradient'
    ? `${error.name} pulls back the reward's gradient, and this reward has none; choose ${either(error.instead)}`
    : error._tag === 'NoPath'
      ? `${error.name} differentiates states, and those of this chain are drawn categories; choose ${either(error.instead)}, or segments of one step`
      : C.showError(error)

/**
 * What a claim says in tables.
 *
 * @category readings
 * @since 0.1.0
 */
export const showClaim = (claim: Claim): string =>
  typeof claim === 'string' ? claim : `nothing: its bias is ${claim.bias}`
