/**
 * A model beside what another tool computed of it: values, and gradients of a weighed sum.
 *
 * A reference is a set of arrays: `in.NAME` for each input; `out` or `out64`, the output in f32 or f64; and, for the weights `w` of
 * the shape of the output, `grad.NAME` or `grad64.NAME`, the gradients of `sum(out w)` in inputs and parameters. With several outputs
 * `out.NAME`, `out64.NAME` and `w.NAME` say which.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import * as Build from '../tensor/Build.js'
import type { ProgramError } from '../tensor/Build.js'
import type { Expr } from '../tensor/Expr.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Sizes } from '../tensor/Shape.js'
import type { Target } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Imported, Named } from './graph/Import.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How one array compares: the largest error beside the array's largest value, and how large it may be. `error` is infinite where
 * the model has another shape, and `undefined` where it has no such thing.
 *
 * @category model
 * @since 0.1.0
 */
export interface Compared {
  readonly array: string
  readonly error: number | undefined
  readonly bound: number
  readonly verdict: 'equal' | 'off' | 'not there'
}

/**
 * What cannot be compared: a program that cannot be built or run, or a reference without an input or without an output.
 *
 * @category model
 * @since 0.1.0
 */
export type CheckError =
  | { readonly _tag: 'NotRun'; readonly error: ProgramError }
  | { readonly _tag: 'Lacking'; readonly expected: string; readonly got: ReadonlyArray<string> }

/**
 * How far an array may be off beside its largest value.
 *
 * - `single`: arrays in f32, of which both sides are rounded: 2^-24 for each operation, and networks are some hundred deep.
 * - `double`: arrays in f64. What a file says in f32, such as the epsilon of a norm, is rounded there already, and some tools keep
 *   parts, such as sines of times, in f32 whatever they compute in.
 *
 * @category model
 * @since 0.1.0
 */
export interface Bounds {
  readonly single: number
  readonly double: number
}

/**
 * The bounds where none are given.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultBounds: Bounds = { single: 2e-5, double: 1e-5 }

// -------------------------------------------------------------------------------------
// comparing
// -------------------------------------------------------------------------------------

/**
 * The largest error of an array beside its largest value.
 *
 * @category utils
 * @since 0.1.0
 */
export const errorOf = (got: Tensor, expected: Tensor): number => {
  const { data } = expected
  if (got.shape.join() !== expected.shape.join()) return Infinity
  let [largest, off] = [0, 0]
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    largest = Math.max(largest, Math.abs(value))
    const error = Math.abs(value - (got.data[i] ?? 0))
    off = Number.isNaN(error) ? Infinity : Math.max(off, error)
  }
  return off === 0 ? 0 : off / largest
}

const own = (values: Values, name: string): Tensor | undefined =>
  Object.hasOwn(values, name) ? values[name] : undefined

/** What a model computes: its outputs `out.*`, and the gradients `grad.*` where weights are given and there is a pullback. */
const programOf = (model: Imported, weighed: ReadonlyArray<string>): Build.Closed => {
  const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]))
  const weights = Object.fromEntries(
    model.outputs.flatMap(({ name, shape }) => (weighed.includes(name) ? [[name, shape] as const] : []))
  )
  const run = model._tag === 'Lens' ? model.lens : model.forward
  return Program.make({ p: L.shapesOf(run), in: shapes, w: weights }, ({ p, in: given, w }) => {
    if (model._tag === 'Forward' || weighed.length === 0) return { out: run.forward(p, given) }
    const [out, back] = model.lens.run(p, given)
    const bars: Named = Object.fromEntries(
      Object.entries(out).map(([name, value]): readonly [string, Expr] => [name, w[name] ?? X.zeros(value.shape)])
    )
    const [parameters, inputs] = back(bars)
    return { out, grad: { p: parameters, in: inputs } }
  })
}

/** The size of the batch, from an input whose first axis has it. */
const sizesOf = (model: Imported, arrays: Values): Sizes =>
  Object.fromEntries(
    model.inputs.flatMap(({ name, shape }) =>
      shape.flatMap((d, i) => {
        const size = own(arrays, `in.${name}`)?.shape[i]
        return typeof d === 'string' && size !== undefined ? [[d, size] as const] : []
      })
    )
  )

/** The gradient of an input or a parameter, by the name that either tool has for it. */
const gradient = (model: Imported, results: Values, name: string): Tensor | undefined => {
  const paths = Object.entries(model.names).flatMap(([path, called]) => (called === name ? [path] : []))
  return own(results, `grad.in.${name}`) ?? own(results, `grad.p.${paths[0] ?? name}`)
}

const compared = (model: Imported, results: Values, bounds: Bounds, array: string, expected: Tensor): Compared => {
  const [, kind = '', wide, , name = ''] = /^(out|grad)(64)?(\.(.*))?$/.exec(array) ?? []
  const first = model.outputs[0]?.name ?? ''
  const got = kind === 'out' ? own(results, `out.${name === '' ? first : name}`) : gradient(model, results, name)
  const bound = wide === undefined ? bounds.single : bounds.double
  if (got === undefined) return { array, error: undefined, bound, verdict: 'not there' }
  const error = errorOf(got, expected)
  return { array, error, bound, verdict: error <= bound ? 'equal' : 'off' }
}

/**
 * A model, run on a target, beside a reference: one row for each array of results. `values` are the parameters' numbers, by default
 * those of the file.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const check =
  (target: Target, bounds: Bounds = defaultBounds) =>
  (model: Imported, arrays: Values): TE.TaskEither<CheckError, ReadonlyArray<Compared>> => {
    const first = model.outputs[0]?.name ?? ''
    const weights = new Map(
      model.outputs.flatMap(({ name }) => {
        const weight = own(arrays, `w.${name}`) ?? (name === first ? own(arrays, 'w') : undefined)
        return weight === undefined ? [] : [[name, weight] as const]
      })
    )
    const missing = model.inputs.filter(({ name }) => own(arrays, `in.${name}`) === undefined)
    const wanted = Object.entries(arrays).filter(([array]) => /^(?:out|grad)(?:64)?(?:\.|$)/.test(array))
    const lacking = missing.length > 0 ? missing.map(({ name }) => `in.${name}`) : wanted.length === 0 ? ['out'] : []
    if (lacking.length > 0) {
      return TE.left({ _tag: 'Lacking', expected: lacking.join(', '), got: Object.keys(arrays) })
    }
    const values: Values = {
      ...Program.under('p', model.values),
      ...Program.under('in', Program.below('in', arrays)),
      ...Program.under('w', Object.fromEntries(weights))
    }
    const program = programOf(model, [...weights.keys()])
    return pipe(
      Build.using(target, sizesOf(model, arrays))('check', program)((run) => run(values)),
      TE.mapLeft((error: ProgramError): CheckError => ({ _tag: 'NotRun', error })),
      TE.map((results) => wanted.map(([array, expected]) => compared(model, results, bounds, array, expected)))
    )
  }

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showCheckError = (error: CheckError): string =>
  error._tag === 'NotRun'
    ? Build.showError(error.error)
    : `reference: expected the arrays ${error.expected}, got ${error.got.join(', ') || 'none'}; write them as in.NAME, out, w and grad.NAME`
