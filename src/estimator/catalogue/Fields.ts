/**
 * Options that several estimators have, with one meaning each.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { decodeWith, fault, isRecord, numberThat, oneOf, positive32, whole } from '../../document/Document.js'
import type { Form, Memory, Perturbation } from '../Cover.js'
import * as Start from '../Start.js'
import type { Field, Fields, Verified } from './Row.js'
import { field } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How zeroth-order cells perturb, as constructors take it: `form` (default `central`), `perturbation` (`shared`), `radius`
 * (0.05).
 *
 * @category model
 * @since 0.1.0
 */
export interface ZerothOrderOptions {
  readonly form?: Form
  readonly perturbation?: Perturbation
  readonly radius?: number
}

/**
 * The options of a zeroth-order cell by name. `directions`: an independent one for each row of the batch, or one for all of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Zeroth {
  readonly form: Form
  readonly perturbation: Perturbation
  readonly directions: 'row' | 'batch'
  readonly radius: number
}

/**
 * Where a half-order segment may start: anywhere (null), at the steps from the first to the second number, or by weights, of which
 * the first is that of step 1.
 *
 * @category model
 * @since 0.1.0
 */
export type StartOption =
  | null
  | readonly [lowest: number, highest: number]
  | { readonly weights: ReadonlyArray<number> }

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

/**
 * Lists of numbers of at least 0.
 *
 * @category codecs
 * @since 0.1.0
 */
export const weights: t.Type<ReadonlyArray<number>, unknown, unknown> = /*#__PURE__*/ t.readonlyArray(
  /*#__PURE__*/ numberThat('a number of at least 0', (n) => n >= 0 && Number.isFinite(n)),
  'a list of weights'
)

/**
 * How segments keep their activations.
 *
 * @category codecs
 * @since 0.1.0
 */
export const memory: t.Type<Memory, unknown, unknown> = /*#__PURE__*/ oneOf('store', 'recompute')

/**
 * How zeroth-order cells perturb.
 *
 * @category codecs
 * @since 0.1.0
 */
export const perturbing: {
  readonly form: t.Type<Form, unknown, unknown>
  readonly perturbation: t.Type<Perturbation, unknown, unknown>
  readonly radius: t.Type<number, unknown, unknown>
} = {
  form: /*#__PURE__*/ oneOf('onePoint', 'forward', 'central'),
  perturbation: /*#__PURE__*/ oneOf('shared', 'perStep'),
  radius: positive32
}

// -------------------------------------------------------------------------------------
// fields
// -------------------------------------------------------------------------------------

/**
 * The length of half-order segments.
 *
 * @category fields
 * @since 0.1.0
 */
export const h: Field<number> = /*#__PURE__*/ field('steps of a half-order segment', whole)

const interval = /*#__PURE__*/ t.readonlyArray(whole, 'a list of steps')
const Interval = /*#__PURE__*/ t.type({ interval }, 'a group of fields')
const Weights = /*#__PURE__*/ t.type({ weights }, 'a group of fields')

const pair = (steps: ReadonlyArray<number>, path: string): ReturnType<Field<StartOption>['decode']> => {
  const [lowest, highest] = steps
  return lowest === undefined || highest === undefined || steps.length !== 2
    ? E.left(fault(path, 'a list of 2 (the lowest and the highest start)', steps, 'give it 2'))
    : E.right([lowest, highest])
}

/**
 * Where segments start: null, `[lowest, highest]` or `{ weights }`; `"uniform"` and `{ interval }` are other words for the first
 * two.
 *
 * @category fields
 * @since 0.1.0
 */
export const start: Field<StartOption> = {
  prose: 'the lowest and the highest step where a segment may start, such as [2, 17]; null for all',
  decode: (given, path) => {
    if (given === null || given === 'uniform') return E.right(null)
    if (Array.isArray(given)) {
      return pipe(
        decodeWith(interval, given, path),
        E.flatMap((steps) => pair(steps, path))
      )
    }
    if (isRecord(given) && 'interval' in given) {
      return pipe(
        decodeWith(Interval, given, path),
        E.flatMap(({ interval: steps }) => pair(steps, `${path}.interval`))
      )
    }
    return isRecord(given) && 'weights' in given
      ? decodeWith(Weights, given, path)
      : E.left(fault(path, 'null, [lowest, highest] or {"weights": [..]}', given, 'choose one of them'))
  }
}

/**
 * The start that an option stands for.
 *
 * @category fields
 * @since 0.1.0
 */
export const startOf = (option: StartOption): Start.Start => {
  if (option === null) return Start.uniform
  return 'weights' in option ? Start.weights(option.weights) : Start.interval(option[0], option[1])
}

/**
 * The options of zeroth-order cells.
 *
 * @category fields
 * @since 0.1.0
 */
export const zeroth: Fields<Zeroth> = {
  form: /*#__PURE__*/ field('how zeroth-order cells turn rewards into an estimate', perturbing.form),
  perturbation: /*#__PURE__*/ field(
    'one direction for all zeroth-order steps, or one for each',
    perturbing.perturbation
  ),
  directions: /*#__PURE__*/ field(
    'a zeroth-order direction for each row of the batch (if only vectors are trained), or one for the batch',
    /*#__PURE__*/ oneOf('row', 'batch')
  ),
  radius: /*#__PURE__*/ field(
    'standard deviation of zeroth-order perturbations, in units of the parameters',
    perturbing.radius
  )
}

/**
 * Central differences along one direction for all steps, another for each row, of radius 0.05.
 *
 * @category fields
 * @since 0.1.0
 */
export const zerothDefaults: Zeroth = { form: 'central', perturbation: 'shared', directions: 'row', radius: 0.05 }

// -------------------------------------------------------------------------------------
// variants
// -------------------------------------------------------------------------------------

const said: Readonly<Record<Form | Perturbation, string>> = {
  onePoint: 'one-point',
  forward: 'forward',
  central: 'central',
  perStep: 'per-step',
  shared: 'shared'
}

/**
 * Every form and perturbation of an estimator, to be verified. A difference of rewards has no use for a baseline, but `scored`
 * cells beside it have.
 *
 * @category variants
 * @since 0.1.0
 */
export const inForms = <O extends object>(
  name: string,
  options: (zeroth: Pick<Zeroth, 'form' | 'perturbation'>) => Partial<O>,
  scored: boolean
): ReadonlyArray<Verified<O>> =>
  (['onePoint', 'forward', 'central'] as const).flatMap((form) =>
    (['perStep', 'shared'] as const).map((perturbation) => ({
      name: `${name}, ${said[form]}, ${said[perturbation]}`,
      options: options({ form, perturbation }),
      baseline: form === 'onePoint' ? ('both' as const) : scored ? ('with' as const) : ('without' as const)
    }))
  )
