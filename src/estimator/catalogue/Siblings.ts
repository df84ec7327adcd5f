/**
 * REINFORCE with siblings: each scored step's return is compared with what other noise makes of the same state.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import { whole } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator, Weighted } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Zeroth } from './Fields.js'
import { define, field, type Row } from './Row.js'
import { classes } from './Scores.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name: those of the zeroth-order cell are for a step 1 that nothing else can pay for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends Pick<Zeroth, 'form' | 'radius'> {
  readonly family: number
  readonly spacing: number
  readonly levels: ReadonlyArray<number> | null
  readonly below: C.Below
}

/**
 * `family`: so many siblings (4 by default, the trajectory itself among them). `spacing`: one step of so many is scored, drawn at random, and counts so
 * often (1). `levels`: the steps at which trajectories branch; a step is scored on those of the lowest level at or above it. Where they
 * are left out, each scored step has siblings of its own, and their noise below it may be `fresh` (the default) or `shared`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Family {
  readonly T: number
  readonly family?: number
  readonly spacing?: number
  readonly levels?: ReadonlyArray<number>
  readonly below?: C.Below
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A cell on step 1, and half-order on each other step by itself, with siblings: `family` continuations from one state with fresh noise below,
 * whose baseline is the mean of the others' returns. That is leave-one-out among samples that share all but the noise in question, so
 * it takes off what the state foretells without a model of it, and costs `(family - 1) t` more steps for a branch at `t`. Unbiased for J,
 * whatever `family`, `spacing` and `levels`. With `spacing = T - 1` one step branches, drawn at random, as in TempFlow-GRPO (arXiv 2508.04324),
 * where other steps have no noise at all, so that siblings share what is below; with `levels`, trajectories branch at these steps, as in BranchGRPO (arXiv 2509.06040), though siblings do not branch again.
 * Left: fewer than two siblings, levels that are no steps, or `spacing` together with levels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const siblings = (
  options: Family,
  lowest: C.Cell = C.firstOrder(1)
): E.Either<CoverError, Estimator<'exact'>> => {
  const { T, family: count = 4, spacing: n = 1, levels, below = 'fresh' } = options
  if (!Number.isInteger(n) || n < 1) {
    return E.left({ _tag: 'BadOption', option: 'spacing', expected: 'a whole number of at least 1', got: `${n}` })
  }
  if (levels !== undefined && n > 1) {
    return E.left({ _tag: 'BadOption', option: 'spacing', expected: '1 where levels are given', got: `${n}` })
  }
  const bad = levels?.find((t_) => !(Number.isInteger(t_) && t_ >= 1 && t_ <= T))
  if (bad !== undefined) {
    return E.left({ _tag: 'BadOption', option: 'levels', expected: `steps within 1..${T}`, got: `${bad}` })
  }
  const branch = (step: number): number =>
    levels === undefined ? step : levels.filter((level) => level >= step).reduce((a, b) => Math.min(a, b), T)
  const scored = (step: number): C.Cell =>
    C.halfOrder(step, step, {
      siblings: { count, at: branch(step), ...(below === 'fresh' ? {} : { below }) },
      ...(n === 1 ? {} : { shares: [n] })
    })
  const paid = C.steps(lowest)
  const above = C.range(1, T).filter((step) => !paid.includes(step))
  return pipe(
    classes(above, n),
    RA.traverse(E.Applicative)((steps) =>
      pipe(
        C.portion(T, [lowest, ...steps.map(scored)]),
        E.map((cover): Weighted => ({ weight: 1, cover }))
      )
    ),
    E.flatMap((covers) => Est.balanced(nameOf(options), covers))
  )
}

const nameOf = ({ family: count = 4, spacing: n = 1, levels, below = 'fresh' }: Family): string =>
  `siblings(family = ${count}${n === 1 ? '' : `, spacing = ${n}`}${levels === undefined ? '' : `, levels ${C.showSteps(levels)}`}${below === 'fresh' ? '' : ', below = shared'})`

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

const steps = /*#__PURE__*/ t.readonlyArray(whole, 'a list of steps')

/**
 * `siblings` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'siblings', Options> = /*#__PURE__*/ define({
  name: 'siblings',
  prose:
    'half-order on each step above the first, against siblings of one state; zeroth-order on step 1 if nothing else can pay (for J_s)',
  cover: 'FO(1) + HO(t..t; siblings from x_t) for every other t',
  unbiasedFor: 'J',
  options: {
    family: /*#__PURE__*/ field('siblings: continuations from one state, each the baseline of the others', whole),
    spacing: /*#__PURE__*/ field(
      'one step of so many has siblings in a sample, drawn at random, and counts so often; 1 for all',
      whole
    ),
    levels: /*#__PURE__*/ field(
      'the steps where trajectories branch, such as [10, 20]; null for each scored step',
      /*#__PURE__*/ t.union([t.null, steps], 'null, or a list of steps')
    ),
    below: /*#__PURE__*/ field(
      'the noise of siblings below the scored step: fresh, or shared, so that they differ in one',
      F.below
    ),
    form: F.zeroth.form,
    radius: F.zeroth.radius
  },
  defaults: {
    family: 4,
    spacing: 1,
    levels: null,
    below: 'fresh',
    form: F.zerothDefaults.form,
    radius: F.zerothDefaults.radius
  },
  make: ({ T, noisyFirst, differentiable }, { family, spacing: n, levels, below, form, radius }) => {
    const given = { ...(levels === null ? {} : { levels }), below }
    const at = levels?.reduce((a, b) => Math.min(a, b), T) ?? 1
    if (differentiable) return siblings({ T, family, spacing: n, ...given })
    return noisyFirst
      ? siblings({ T, family, spacing: n, ...given }, C.halfOrder(1, 1, { siblings: { count: family, at, below } }))
      : siblings({ T, family, spacing: n, ...given }, C.zerothOrder([1], { form, radius }))
  },
  compared: ({ T }) =>
    T < 7
      ? []
      : [
          { options: { spacing: T - 1 } },
          { options: { spacing: T - 1, below: 'shared' } },
          { options: { family: 2, spacing: 5, below: 'shared' } }
        ],
  verified: ({ T }) =>
    T < 3
      ? [{ options: { family: 2 }, baseline: 'without' }]
      : [
          { options: { family: 2 }, baseline: 'without' },
          { options: { family: 2, below: 'shared' }, baseline: 'without' },
          { options: { family: 3, spacing: 2 }, baseline: 'without' },
          { options: { family: 3, levels: [2, T] }, baseline: 'without' }
        ]
})
