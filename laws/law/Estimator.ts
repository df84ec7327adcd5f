/**
 * Laws of gradient estimators.
 *
 * Each compares the compiled estimator with what it is documented to compute, on a `Setting`. None samples: values are
 * compared noise by noise, or integrated exactly (see `MonteCarlo` for settings too large for that). Tolerances add up
 * rounding, the extrapolation error of differences and, where a `refined` order is given, quadrature truncation.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cover } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as A from '../../src/estimator/Advantage.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Key } from '../../src/random/Key.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import {
  expectation,
  freshOf,
  library,
  mixturePromise,
  only,
  plus,
  promise,
  run,
  smoothingOf,
  terms,
  type Subject,
  type Uncertain
} from '../exact/Expectation.js'
import { formula } from '../exact/Formula.js'
import { sum } from '../exact/Rounding.js'
import { byComponent, components, sample, type Draws, type Order, type Setting } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'
import type { Batched } from '../../src/tensor/Shape.js'
import { at, because, compare, eachCover, settle, withOrders } from './Comparing.js'
import { smoothingBias } from './Smoothing.js'

export { baseline, batchBaseline } from './Baseline.js'
export { smoothingOrder, smoothingVanishes } from './Smoothing.js'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Unbiased.** Under each cover of an exact estimator, hence under any mixture of them, the expectation over all
 * random numbers is the gradient that the cover promises: of `J`, or of `J_s` where the zeroth-order cell has a say.
 * A mixture whose covers pay for steps more or less than once keeps the promise on average over them. A partial
 * estimator claims nothing and is `Stuck`.
 *
 * @category laws
 * @since 0.1.0
 */
export const unbiased =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Task<Verdict> => {
    const law = 'unbiased'
    if (subject.estimator._tag === 'partial') {
      return settle(law, TE.left(`${subject.estimator.name} is partial: see 'biasIsUnpaid'`))
    }
    const { covers } = subject.estimator
    const whole = covers.length === 1 || covers.every(({ cover }) => C.paid(cover).every((paid) => paid === 1))
    return settle(law, whole ? byCover(setting, subject) : onAverage(setting, subject))
  }

/** Each cover against its own promise. */
const byCover = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject
): TE.TaskEither<string, ReadonlyArray<Comparison>> =>
  eachCover(subject, (cover) =>
    pipe(
      withOrders(setting, setting.order, (order) => expectation(setting, subject, cover, order)),
      TE.bindTo('got'),
      TE.bind('expected', () =>
        withOrders(setting, setting.objective ?? setting.order, (order) =>
          TE.fromEither(promise(setting, cover, [], order))
        )
      ),
      TE.map(({ got, expected }) => compare(setting, at(subject, cover), expected, got))
    )
  )

/** The mean of the covers against what the mixture promises. */
const onAverage = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject
): TE.TaskEither<string, ReadonlyArray<Comparison>> => {
  const { covers, name } = subject.estimator
  const mean = (order: Order): TE.TaskEither<string, Uncertain> =>
    pipe(
      covers,
      RA.traverse(TE.ApplicativeSeq)(({ weight, cover }) =>
        pipe(
          expectation(setting, subject, cover, order),
          TE.map((one) => ({ weight, one }))
        )
      ),
      TE.map((parts) => {
        const zero = components(setting).map(() => 0)
        return parts.reduce<Uncertain>((total, { weight, one }) => plus(total, one, weight), {
          value: zero,
          error: zero
        })
      })
    )
  return pipe(
    withOrders(setting, setting.order, mean),
    TE.bindTo('got'),
    TE.bind('expected', () =>
      withOrders(setting, setting.objective ?? setting.order, (order) =>
        TE.fromEither(mixturePromise(setting, subject.estimator, order))
      )
    ),
    TE.map(({ got, expected }) => compare(setting, `${name}, on average over its covers`, expected, got))
  )
}

/**
 * **Bias is what is unpaid** (Proposition 6.1 of arXiv 2502.00639). Under each cover the expectation less the whole
 * gradient is minus the sum of what is unpaid of the steps' terms.
 *
 * @category laws
 * @since 0.1.0
 */
export const biasIsUnpaid =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Task<Verdict> =>
    settle(
      'bias is what is unpaid',
      eachCover(subject, (cover) => {
        const paid = C.paid(cover)
        const missing = (t: number): number => 1 - (paid[t - 1] ?? 0)
        const cell = C.zerothOrderCell(cover)
        const smoothing = cell?.form === 'onePoint' ? smoothingOf(cover) : undefined
        return pipe(
          withOrders(setting, setting.order, (order) => expectation(setting, subject, cover, order)),
          TE.bindTo('mean'),
          TE.bind('whole', () =>
            withOrders(setting, setting.objective ?? setting.order, (order) =>
              TE.fromEither(promise(setting, cover, [], order))
            )
          ),
          TE.bind('unpaid', () =>
            withOrders(setting, setting.objective ?? setting.order, (order) =>
              TE.fromEither(terms(setting, missing, smoothing, order))
            )
          ),
          TE.map(({ mean, whole, unpaid }) => {
            const zero = { value: unpaid.value.map(() => 0), error: unpaid.error.map(() => 0) }
            return compare(setting, `bias of ${at(subject, cover)}`, plus(zero, unpaid, -1), plus(mean, whole, -1))
          })
        )
      })
    )

/**
 * **Formula.** For each noise, the estimate under each cover is the sum of its cells' printed formulas. On random draws
 * from a key; where parameters have a batch axis each of the `rows` is compared by itself, else their sum. The special
 * cases are full backpropagation, FO(1..T), and the terms of REINFORCE, HO(t..t).
 *
 * @category laws
 * @since 0.1.0
 */
export const isFormula =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject, key: Key, rows = 4): Task<Verdict> =>
    settle(
      'formula',
      eachCover(subject, (cover) => {
        const draws = sample(setting, key, rows, smoothingOf(cover)?.perturbation, freshOf(cover))
        const advantage = subject.advantage ?? A.none
        const advantages = (rewards: ReadonlyArray<number>): ReadonlyArray<number> =>
          advantage.apply(rewards, subject.advantageState ?? advantage.initial).advantages
        return pipe(
          TE.fromEither(formula(setting, cover, draws, advantages)),
          TE.bindTo('expected'),
          TE.bind('got', () => run(setting, subject, cover, draws)),
          TE.map(({ expected, got }) =>
            rowByRow(setting, draws, at(subject, cover), expected, byComponent(setting, got.estimate.gradient))
          )
        )
      })
    )

const rowByRow = (
  setting: Parameters<typeof components>[0],
  draws: Draws,
  where: string,
  expected: ReadonlyArray<Uncertain>,
  got: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<Comparison> =>
  components(setting).flatMap(({ label }, i) => {
    const weigh = (values: ReadonlyArray<number>): ReadonlyArray<number> =>
      values.map((x, r) => x * (draws.weights[r] ?? 0))
    const value = weigh(expected[i]?.value ?? [])
    const error = weigh(expected[i]?.error ?? [])
    const rows = got[i] ?? []
    return rows.length === value.length
      ? rows.map((x, r) => ({
          at: `${where}, ${label}, row ${r}`,
          expected: value[r] ?? 0,
          got: x,
          tolerance: 2 * (error[r] ?? 0),
          because
        }))
      : [
          {
            at: `${where}, ${label}`,
            expected: sum(value),
            got: rows[0] ?? Number.NaN,
            tolerance: 2 * sum(error),
            because
          }
        ]
  })

/**
 * **Order of cells.** A cover with its cells in the other order gives the same estimate, up to the rounding of one sum.
 *
 * @category laws
 * @since 0.1.0
 */
export const orderOfCells =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject, key: Key): Task<Verdict> =>
    settle(
      'order of cells',
      eachCover(subject, (cover) => {
        const draws = sample(setting, key, 3, smoothingOf(cover)?.perturbation, freshOf(cover))
        const reversed: Cover = { ...cover, cells: [...cover.cells].reverse() }
        return pipe(
          run(setting, subject, cover, draws),
          TE.bindTo('one'),
          TE.bind('other', () => run(setting, subject, reversed, draws)),
          TE.bind('parts', () =>
            pipe(
              cover.cells,
              RA.traverse(TE.ApplicativeSeq)((cell) => {
                // only its magnitude is read: a cell by itself may stand on another rollout
                const alone: Cover = { ...cover, cells: [cell] }
                return run(setting, subject, alone, draws)
              })
            )
          ),
          TE.map(({ one, other, parts }) => {
            const a = byComponent(setting, one.estimate.gradient)
            const b = byComponent(setting, other.estimate.gradient)
            const size = parts.map((part) => byComponent(setting, part.estimate.gradient))
            return components(setting).flatMap(({ label }, i) =>
              (a[i] ?? []).map((x, r) => ({
                at: `${at(subject, cover)}, ${label}, row ${r}`,
                expected: x,
                got: b[i]?.[r] ?? Number.NaN,
                tolerance:
                  2 ** -50 * parts.length * (Math.abs(x) + sum(size.map((part) => Math.abs(part[i]?.[r] ?? 0)))),
                because: 'the rounding of a sum of the cells'
              }))
            )
          })
        )
      })
    )

/**
 * **Excess.** The expectation of a cover built by hand, overlapping or not, exceeds the gradient of `J` by given
 * terms: those of `twice` (paid for twice) less those of `missing`. If the cover smooths, the expected reward must be
 * quadratic in the copies of the parameters, jointly.
 *
 * @category laws
 * @since 0.1.0
 */
export const excess =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject, twice: ReadonlyArray<number>, missing: ReadonlyArray<number>): Task<Verdict> =>
    settle(
      'excess is what is paid for twice, less what is unpaid',
      pipe(
        smoothingBias(setting, subject),
        TE.bindTo('bias'),
        TE.bind('twice', () => TE.fromEither(terms(setting, only(twice)))),
        TE.bind('missing', () => TE.fromEither(terms(setting, only(missing)))),
        TE.map(({ bias, twice: more, missing: less }) =>
          compare(setting, `bias of ${subject.estimator.name}`, plus(more, less, -1), bias)
        )
      )
    )

/**
 * **No score without noise.** Where a half-order cell stands on a step whose sigma is 0, compiling is a left that
 * names the cell's lowest step, and where none does, compiling succeeds: nothing is ever divided by 0.
 *
 * @category laws
 * @since 0.1.0
 */
export const refusesNoScore =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Verdict => {
    const { chain, reward, trained } = setting
    const silent = subject.estimator.covers
      .flatMap(({ cover }) => cover.cells)
      .filter((cell) => cell._tag === 'HalfOrder' && !((chain.sigma[cell.from] ?? 0) > 0))
      .flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell.from] : []))
    const compile = subject.interpreter ?? library
    const advantage = subject.advantage ?? A.none
    const result = compile({ chain, reward, estimator: subject.estimator, advantage, trained, batch: 1 })
    const said = E.isLeft(result) && result.left._tag === 'NoScore' ? result.left.step : 0
    const text = E.isLeft(result) ? Gradient.showError(result.left) : 'compiled'
    return V.verdict('no score without noise', [
      {
        at: `${subject.estimator.name}: ${text}; the step named`,
        expected: silent[0] ?? 0,
        got: said,
        tolerance: 0,
        because: 'steps are whole'
      },
      {
        at: 'is it refused',
        expected: silent.length > 0 ? 1 : 0,
        got: E.isLeft(result) ? 1 : 0,
        tolerance: 0,
        because: 'it is or it is not'
      }
    ])
  }

/**
 * **Weights.** An estimator's cover weights are positive and add up to 1, and `draw` gives each cover for an interval
 * of that length: the cumulative weights' own midpoints select the covers in order.
 *
 * @category laws
 * @since 0.1.0
 */
export const weights = (subject: Subject): Verdict => {
  const { estimator } = subject
  const total = sum(estimator.covers.map(({ weight }) => weight))
  let before = 0
  const draws = estimator.covers.flatMap(({ weight, cover }, i) => {
    const middle = before + weight / 2
    before += weight
    const drawn = estimator.covers.findIndex((one) => one.cover === Est.draw(estimator, middle))
    // a cover that is listed twice is drawn for the first of its intervals too
    const first = estimator.covers.findIndex((one) => one.cover === cover)
    return [
      {
        at: `${estimator.name}: cover drawn at ${middle} (${i})`,
        expected: first,
        got: drawn,
        tolerance: 0,
        because: 'inversion'
      }
    ]
  })
  return V.verdict('weights', [
    {
      at: `${estimator.name}: total weight`,
      expected: 1,
      got: total,
      tolerance: 2 ** -52 * estimator.covers.length,
      because: 'rounding'
    },
    ...draws
  ])
}
