/**
 * Options that several estimators have, with one meaning each.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { decodeWith, fault, finite, isRecord, numberThat, oneOf, positive32, whole } from '../../document/Document.js'
import type { Below, Form, HalfOrderOptions, Memory, Perturbation } from '../Cover.js'
import * as Start from '../Start.js'
import * as StateValue from '../StateValue.js'
import type { Facts, Field, Fields, Verified } from './Row.js'
import { field } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How zeroth-order cells perturb, as constructors take it: `form` (default `central`), `perturbation` (`shared`),
 * `radius` (0.05).
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
 * The options of a zeroth-order cell by name. `directions`: an independent one for each `row` of the batch, or one for
 * all of the `batch`; `auto` is `row` where what is trained are vectors, of which rows can have copies.
 *
 * @category model
 * @since 0.1.0
 */
export interface Zeroth {
  readonly form: Form
  readonly perturbation: Perturbation
  readonly directions: 'auto' | 'row' | 'batch'
  readonly radius: number
}

/**
 * Where a half-order segment may start: anywhere (null), at the steps from the first to the second number, or by
 * weights, of which the first is that of step 1.
 *
 * @category model
 * @since 0.1.0
 */
export type StartOption =
  | null
  | readonly [lowest: number, highest: number]
  | { readonly weights: ReadonlyArray<number> }

/**
 * A value of the state in words: the reward of the chain's clean prediction, a critic that a fine-tune fits as it goes, a value that the problem knows by name, a polynomial of
 * the state (lowest degree first), or none.
 *
 * @category model
 * @since 0.1.0
 */
export type ValueOption =
  | 'none'
  | 'clean'
  | 'critic'
  | { readonly value: string }
  | { readonly state: ReadonlyArray<number> }

/**
 * What half-order cells look at besides the return: `baseline` is taken off at the state that their noise has not reached yet
 * (`auto`: the clean prediction's reward, where the chain has one and no control is given); `control` at the state that it has,
 * and its gradient is put back in.
 *
 * @category model
 * @since 0.1.0
 */
export interface StateOptions {
  readonly baseline: ValueOption | 'auto'
  readonly control: ValueOption
}

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
 * What noise siblings have below the step that is scored.
 *
 * @category codecs
 * @since 0.1.0
 */
export const below: t.Type<Below, unknown, unknown> = /*#__PURE__*/ oneOf('fresh', 'shared')

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
 * Where segments start: null, `[lowest, highest]` or `{ weights }`; `"uniform"` and `{ interval }` are other words for
 * the first two.
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
 * Some steps in a row: null for all, or `[lowest, highest]`.
 *
 * @category fields
 * @since 0.1.0
 */
export const steps = (prose: string): Field<null | readonly [lowest: number, highest: number]> => ({
  prose,
  decode: (given, path) =>
    given === null
      ? E.right(null)
      : pipe(
          decodeWith(interval, given, path),
          E.flatMap(([lowest, highest, ...more]) =>
            lowest === undefined || highest === undefined || more.length > 0
              ? E.left(fault(path, 'a list of 2 (the lowest and the highest step)', given, 'give it 2'))
              : E.right([lowest, highest] as const)
          )
        )
})

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

const ByName = /*#__PURE__*/ t.type({ value: t.string }, 'a group of fields')
const Polynomial = /*#__PURE__*/ t.type(
  { state: /*#__PURE__*/ t.readonlyArray(finite, 'a list of numbers') },
  'a group of fields'
)

/** A value of the state, or one of some more words. */
const valueField = <W extends 'auto' = never>(prose: string, ...words: ReadonlyArray<W>): Field<ValueOption | W> => ({
  prose,
  decode: (given, path) => {
    const bare = (['none', 'clean', 'critic', ...words] as const).find((word) => word === given)
    if (bare !== undefined) return E.right(bare)
    if (isRecord(given) && 'value' in given) return decodeWith(ByName, given, path)
    if (isRecord(given) && 'state' in given) return decodeWith(Polynomial, given, path)
    return E.left(
      fault(
        path,
        `${[...words, 'clean', 'critic', 'none'].join(', ')}, {"state": [..]} or {"value": NAME}`,
        given,
        'choose one of them'
      )
    )
  }
})

/**
 * The baseline of one cell.
 *
 * @category fields
 * @since 0.1.0
 */
export const cellValue: Field<ValueOption> = /*#__PURE__*/ valueField<never>('a value of the state')

/**
 * The options of half-order cells.
 *
 * @category fields
 * @since 0.1.0
 */
export const state: Fields<StateOptions> = {
  baseline: /*#__PURE__*/ valueField(
    "what half-order cells take off the return: the reward of the chain's clean prediction, clean (auto: where there is one); critic, which a fine-tune fits as it goes; none",
    'auto' as const
  ),
  control: /*#__PURE__*/ valueField<never>(
    'what half-order cells take off after their noise, putting its gradient back in: clean, critic, or none'
  )
}

/**
 * The clean prediction where there is one, and no control.
 *
 * @category fields
 * @since 0.1.0
 */
export const stateDefaults: StateOptions = { baseline: 'auto', control: 'none' }

/**
 * The value of the state that an option stands for; undefined for none.
 *
 * @category fields
 * @since 0.1.0
 */
export const valueOf = (option: ValueOption): StateValue.StateValue | undefined => {
  if (option === 'none') return undefined
  if (option === 'clean') return StateValue.clean
  if (option === 'critic') return StateValue.learned('critic')
  return 'value' in option ? StateValue.learned(option.value) : StateValue.polynomial(option.state)
}

/**
 * What half-order cells are told of the state.
 *
 * @category model
 * @since 0.1.0
 */
export type Looking = Pick<HalfOrderOptions, 'baseline' | 'control'>

/**
 * What half-order cells are told, on a chain.
 *
 * @category fields
 * @since 0.1.0
 */
export const looking = ({ clean }: Pick<Facts, 'clean'>, { baseline, control }: StateOptions): Looking => {
  const controlled = valueOf(control)
  const automatic = clean && controlled === undefined ? StateValue.clean : undefined
  const taken = baseline === 'auto' ? automatic : valueOf(baseline)
  return {
    ...(taken === undefined ? {} : { baseline: taken }),
    ...(controlled === undefined ? {} : { control: controlled })
  }
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
    'a zeroth-order direction for each row of the batch (if only vectors are trained), or one for the batch; auto chooses',
    /*#__PURE__*/ oneOf('auto', 'row', 'batch')
  ),
  radius: /*#__PURE__*/ field(
    'standard deviation of zeroth-order perturbations, in units of the parameters',
    perturbing.radius
  )
}

/**
 * Central differences along one direction for all steps, another for each row where that can be, of radius 0.05.
 *
 * @category fields
 * @since 0.1.0
 */
export const zerothDefaults: Zeroth = { form: 'central', perturbation: 'shared', directions: 'auto', radius: 0.05 }

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
 * Every form and perturbation of an estimator, to be verified. A difference of rewards has no use for a baseline, but
 * `scored` cells beside it have.
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
