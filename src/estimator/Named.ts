/**
 * Estimators by name: the one description of them that configurations, the command line, `verify`'s files and help
 * read.
 *
 *     { "name": "rlr", "h": 3, "radius": 0.1 }          a document, which may leave out what has a default
 *     rlr(h = 3, radius = 0.1)                          the same as text
 *     { "cells": [ { "kind": "firstOrder", "to": 1 } ] }    the cells of one cover
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type DocumentError, fault, isRecord } from '../document/Document.js'
import { near } from '../document/Nearest.js'
import { parse as parseNumber } from '../document/Numbers.js'
import { estimators } from './catalogue/All.gen.js'
import type { BuildError, DescriptionOf, Document, Facts } from './catalogue/Row.js'
import { either, showError, showOptions } from './catalogue/Row.js'
import type { Noise } from '../chain/Noise.js'
import { range } from './Cell.js'
import type { Estimator } from './Estimator.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An estimator by name, with every option that the name has.
 *
 * @category model
 * @since 0.1.0
 */
export type Description = DescriptionOf<(typeof estimators)[number]>

/**
 * The name of an estimator.
 *
 * @category model
 * @since 0.1.0
 */
export type Name = Description['name']

/**
 * Where a document stands. Options that it leaves out are taken from `beneath`, where that has one that fits, before
 * the defaults; so is the name. `beside` are fields of another reader, which errors name too; `path` is that of the
 * document.
 *
 * @category model
 * @since 0.1.0
 */
export interface Context {
  readonly beneath?: Document
  readonly beside?: ReadonlyArray<string>
  readonly path?: string
}

/**
 * The names of all estimators.
 *
 * @category model
 * @since 0.1.0
 */
export const names: ReadonlyArray<Name> = estimators.map(({ name }) => name)

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

const below = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)

const having = (key: string): ReadonlyArray<string> =>
  estimators.filter(({ options }) => Object.hasOwn(options, key)).map(({ name }) => name)

/** The first field of a document that its name does not have. */
const foreign = (
  given: Document,
  name: string,
  fields: ReadonlyArray<string>,
  path: string
): DocumentError | undefined => {
  const key = Object.keys(given).find((one) => !fields.includes(one))
  if (key === undefined) return undefined
  const others = having(key)
  return fault(
    below(path, key),
    `one of the fields of ${name} (${fields.join(', ')})`,
    key,
    others.length === 0 ? 'correct or remove it' : `remove it, or choose ${either(others)}`
  )
}

const unknownName = (name: unknown, path: string): DocumentError => {
  const close = typeof name === 'string' ? near(name, names) : []
  return fault(
    below(path, 'name'),
    `one of ${names.join(', ')}`,
    name,
    close.length > 0 ? `near it is ${close.join(', ')}` : 'choose one of them'
  )
}

/**
 * Decodes a document. Left: no group of fields, a name that is none, a field that the name does not have, a value that
 * does not fit its field.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  ({ beneath = {}, beside = [], path = '' }: Context = {}) =>
  (given: unknown): E.Either<DocumentError, Description> => {
    if (!isRecord(given)) return E.left(fault(path, 'a group of fields', given, 'write it as key: value pairs'))
    const name = given['name'] ?? ('cells' in given ? 'cells' : beneath['name'])
    const row = estimators.find((one) => one.name === name)
    if (row === undefined) return E.left(unknownName(name, path))
    const fault_ = foreign(given, row.name, [...new Set(['name', ...Object.keys(row.options), ...beside])], path)
    return fault_ === undefined ? row.decode(given, beneath, path) : E.left(fault_)
  }

// -------------------------------------------------------------------------------------
// text
// -------------------------------------------------------------------------------------

const called = /^\s*([A-Za-z]\w*)\s*(?:\(([\s\S]*)\)\s*)?$/
const assigned = /^\s*([A-Za-z]\w*)\s*=\s*([\s\S]*\S)\s*$/
const word = /^[A-Za-z]\w*$/

/** The parts between the commas that stand in no brackets and no quotes. */
const parts = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  let [start, depth, quoted] = [0, 0, false]
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '"' && text.charAt(i - 1) !== '\\') quoted = !quoted
    if (quoted) continue
    if (c === '[' || c === '{') depth++
    if (c === ']' || c === '}') depth--
    if (c !== ',' || depth > 0) continue
    found.push(text.slice(start, i))
    start = i + 1
  }
  return text.trim() === '' ? [] : [...found, text.slice(start)]
}

const json = (text: string): E.Either<unknown, unknown> => E.tryCatch((): unknown => JSON.parse(text), String)

/** A number, a JSON value, or a word. */
const valueOf = (text: string): E.Either<unknown, unknown> =>
  pipe(
    parseNumber({})(text),
    E.orElse(() => json(text)),
    E.orElse(() => (word.test(text) ? E.right(text) : E.left(undefined)))
  )

/**
 * The document that a text stands for: `NAME`, `NAME(field = value, ...)` or a JSON object. Values are numbers, words
 * or JSON. Left: a text of no such form, or a field that is given twice.
 *
 * @category text
 * @since 0.1.0
 */
export const document = (text: string, path = 'estimator'): E.Either<DocumentError, Document> => {
  const wrong = (got: string): E.Either<DocumentError, never> =>
    E.left(
      fault(
        path,
        'NAME, NAME(field = value, ...) or a JSON object',
        got,
        'write it as rlr or as rlr(h = 2, radius = 0.05)'
      )
    )
  if (text.trim().startsWith('{')) {
    const parsed = json(text)
    return E.isRight(parsed) && isRecord(parsed.right) ? E.right(parsed.right) : wrong(text)
  }
  const [, name, inside = ''] = called.exec(text) ?? []
  if (name === undefined) return wrong(text)
  const fields: Record<string, unknown> = { name }
  for (const part of parts(inside)) {
    const [, key, given = ''] = assigned.exec(part) ?? []
    const value = valueOf(given)
    if (key === undefined || E.isLeft(value)) return wrong(part.trim())
    if (Object.hasOwn(fields, key)) return E.left(fault(path, `${key} once`, text, 'give each field one value'))
    fields[key] = value.right
  }
  return E.right(fields)
}

/**
 * The estimator that a text stands for.
 * Left: what in the text is no name, no option or no value of one, with the nearest that is.
 *
 * @example
 * import { Named } from 'halforder/estimator'
 *
 * const parsed = Named.parse('rlr(h = 3, radius = 0.1)')
 *
 * @category text
 * @since 0.1.0
 */
export const parse = (text: string, context: Context = {}): E.Either<DocumentError, Description> =>
  pipe(document(text, context.path), E.flatMap(decode(context)))

/**
 * An estimator as text, without the options that are as the defaults: what `parse` takes back.
 *
 * @category text
 * @since 0.1.0
 */
export const show = (description: Description): string => {
  const usual: Document = estimators.find(({ name }) => name === description.name)?.defaults ?? {}
  const given = Object.entries(description).filter(
    ([key, value]) => key !== 'name' && JSON.stringify(value) !== JSON.stringify(usual[key])
  )
  return showOptions(description.name, Object.fromEntries(given))
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * What an estimator must know of a chain and a reward.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const facts = (
  chain: {
    readonly T: number
    readonly sigma: ReadonlyArray<number>
    readonly clean?: unknown
    readonly noise: Pick<Noise, 'outcome'>
  },
  reward: { readonly _tag: 'Differentiable' | 'BlackBox'; readonly jumps?: true }
): Facts => ({
  T: chain.T,
  noisyFirst: (chain.sigma[1] ?? 0) > 0,
  noisy: range(1, chain.T).filter((t) => (chain.sigma[t] ?? 0) > 0),
  // a gradient that misses the jumps is not one to pull back, and none gets past a drawn category
  differentiable: reward._tag === 'Differentiable' && reward.jumps !== true && chain.noise.outcome === undefined,
  clean: chain.clean !== undefined,
  discrete: chain.noise.outcome !== undefined
})

/**
 * The estimator of a description, for a chain and a reward. Left: cells that are no cover of so many steps, or a reward
 * that has no gradient where one is pulled back.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const build =
  (on: Facts) =>
  (description: Description): E.Either<BuildError, Estimator> => {
    const row = estimators.find(({ name }) => name === description.name)
    return row === undefined
      ? E.left({ _tag: 'BadOption', option: 'name', expected: `one of ${names.join(', ')}`, got: description.name })
      : row.build(on, description)
  }

/**
 * Why an estimator could not be built, as a fault of the document at a path that described it.
 *
 * @category errors
 * @since 0.1.0
 */
export const misfit =
  (path: string) =>
  (error: BuildError): DocumentError =>
    error._tag === 'NoGradient'
      ? fault(
          below(path, 'name'),
          'an estimator that needs no gradient of the reward, since this one has none',
          error.name,
          `choose ${either(error.instead)}`
        )
      : error._tag === 'NoPath'
        ? fault(
            below(path, 'name'),
            'an estimator that differentiates no state, since those of this chain are drawn categories',
            error.name,
            `choose ${either(error.instead)}`
          )
        : { ...fault(path, 'a cover of the chain', '', 'change the estimator or T'), got: showError(error) }
