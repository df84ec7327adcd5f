/**
 * What there is to read of the named estimators: help for a terminal, and the tables of the guides.
 *
 * @since 0.1.0
 */
import { estimators } from '../catalogue/All.gen.js'
import type { Document, Field } from '../catalogue/Row.js'
import { showValue } from '../catalogue/Row.js'
import type { Name } from '../Named.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An option, the names that have it, and its default, which is undefined where it must be given.
 *
 * @category model
 * @since 0.1.0
 */
export interface Option {
  readonly key: string
  readonly prose: string
  readonly names: ReadonlyArray<Name>
  readonly usual: unknown
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const fieldsOf = (row: { readonly options: object }): ReadonlyArray<readonly [string, Field<unknown>]> =>
  Object.entries(row.options)

/**
 * Every option of every name, one entry where names share it.
 *
 * @category readings
 * @since 0.1.0
 */
export const options: ReadonlyArray<Option> = /*#__PURE__*/ estimators.reduce<ReadonlyArray<Option>>((known, row) => {
  const defaults: Document = { ...row.defaults }
  return fieldsOf(row).reduce(
    (all, [key, { prose }]) =>
      all.some((one) => one.key === key)
        ? all.map((one) => (one.key === key ? { ...one, names: [...one.names, row.name] } : one))
        : [...all, { key, prose, names: [row.name], usual: defaults[key] }],
    known
  )
}, [])

const call = (row: { readonly name: string; readonly options: object; readonly defaults: object }): string => {
  const defaults: Document = { ...row.defaults }
  const shown = Object.keys(row.options).map((key) => `${key} = ${key in defaults ? showValue(defaults[key]) : '..'}`)
  return shown.length === 0 ? row.name : `${row.name}(${shown.join(', ')})`
}

/**
 * The named estimators for a terminal: each with the defaults of its options, its cover, and what it is unbiased for;
 * then what the options are.
 *
 * @category readings
 * @since 0.1.0
 */
export const help = (): string => {
  const width = Math.max(...options.map(({ key }) => key.length))
  return [
    ...estimators.map((row) => {
      const { unbiasedFor: claim } = row
      const target = typeof claim === 'string' ? `unbiased for ${claim}` : `biased by ${claim.bias}`
      return [call(row), row.prose, `${row.cover}; ${target}`].join('\n    ')
    }),
    ['Options:', ...options.map(({ key, prose }) => `${key.padEnd(width)}  ${prose}`)].join('\n    ')
  ].join('\n\n')
}
