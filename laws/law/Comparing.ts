/**
 * What laws of estimators share: comparisons of uncertain vectors, cover by cover.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cover } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Subject, Uncertain } from '../exact/Expectation.js'
import { components, type Order, type Setting } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * What the tolerance of most comparisons is made of.
 *
 * @category utils
 * @since 0.1.0
 */
export const because = 'rounding, and the extrapolation error of differences'

/**
 * Two uncertain vectors, component by component.
 *
 * @category utils
 * @since 0.1.0
 */
export const compare = (
  setting: Parameters<typeof components>[0],
  where: string,
  expected: Uncertain,
  got: Uncertain,
  reason = because
): ReadonlyArray<Comparison> =>
  components(setting).map(({ label }, i) => ({
    at: `${where}, ${label}`,
    expected: expected.value[i] ?? Number.NaN,
    got: got.value[i] ?? Number.NaN,
    tolerance: (expected.error[i] ?? 0) + (got.error[i] ?? 0),
    because: reason
  }))

/**
 * The verdict on comparisons that could be made, or the reason why they could not.
 *
 * @category utils
 * @since 0.1.0
 */
export const settle = (law: string, comparisons: TE.TaskEither<string, ReadonlyArray<Comparison>>): Task<Verdict> =>
  pipe(
    comparisons,
    TE.match(
      (reason) => V.stuck(law, reason),
      (all) => V.verdict(law, all)
    )
  )

/** Adds the distance between two orders of quadrature to the error of the finer one. */
const refine = (coarse: Uncertain, fine: Uncertain): Uncertain => ({
  value: fine.value,
  error: fine.error.map((e, i) => e + (coarse.error[i] ?? 0) + Math.abs((fine.value[i] ?? 0) - (coarse.value[i] ?? 0)))
})

/**
 * A reading at an order of quadrature; with a `refined` order too, whose distance is added to the error.
 *
 * @category utils
 * @since 0.1.0
 */
export const withOrders = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  { refined }: Setting<P, S, D, R>,
  order: Order,
  read: (order: Order) => TE.TaskEither<string, Uncertain>
): TE.TaskEither<string, Uncertain> =>
  refined === undefined
    ? read(order)
    : pipe(
        read(order),
        TE.flatMap((coarse) =>
          pipe(
            read(refined),
            TE.map((fine) => refine(coarse, fine))
          )
        )
      )

/**
 * The comparisons of every cover of an estimator.
 *
 * @category utils
 * @since 0.1.0
 */
export const eachCover = (
  subject: Subject,
  read: (cover: Cover) => TE.TaskEither<string, ReadonlyArray<Comparison>>
): TE.TaskEither<string, ReadonlyArray<Comparison>> =>
  pipe(
    subject.estimator.covers,
    RA.traverse(TE.ApplicativeSeq)(({ cover }) => read(cover)),
    TE.map(RA.flatten)
  )

/**
 * An estimator and a cover of it, for reports.
 *
 * @category utils
 * @since 0.1.0
 */
export const at = (subject: Subject, cover: Cover): string => `${subject.estimator.name}: ${C.show(cover)}`
