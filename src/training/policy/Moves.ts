/**
 * Updates of parameters: one along an estimate, or several from the same samples.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { AnyProblem, Estimate, EstimatorError, Problem, Request } from '../../estimator/Gradient.js'
import type { Cover } from '../../estimator/Cover.js'
import * as Surrogate from '../../estimator/policy/Surrogate.js'
import { combine } from '../../estimator/Sampler.js'
import type { Params } from '../../lens/Lens.js'
import type * as Key from '../../random/Key.js'
import * as Build from '../../tensor/Build.js'
import { first as firstNotFinite, type NotFinite } from '../../tensor/Finite.js'
import { below, under, type Values } from '../../tensor/Program.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Executable, Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Exprs } from '../../tensor/Tree.js'
import * as Requests from '../Requests.js'
import { statesIn } from '../Update.js'
import * as Inner from './Inner.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why a step was not made: what the estimator says, or the first number that is not finite. `step` is the one that
 * failed, counted from 1; the state before it is as it was.
 *
 * @category model
 * @since 0.1.0
 */
export type RunError =
  | { readonly _tag: 'AtStep'; readonly step: number; readonly error: EstimatorError }
  | { readonly _tag: 'NotFinite'; readonly step: number; readonly of: NotFiniteOf; readonly found: NotFinite }

/**
 * What holds a number that is not finite, in the order in which a step makes them.
 *
 * @category model
 * @since 0.1.0
 */
export type NotFiniteOf = 'gradient' | 'parameter' | 'optimizer' | 'critic'

/**
 * Where the parameters and the optimizer are after an update, and the Euclidean norm of its gradient.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moved {
  readonly params: Values
  readonly optimizer: Values
  readonly gradientNorm: number
}

/**
 * Updates from the same samples, of some rows at a time.
 *
 * @category model
 * @since 0.1.0
 */
export interface Reused {
  readonly inner: Inner.Inner
  readonly rows: number
  readonly surrogate: Surrogate.Surrogate
}

/**
 * What an update needs: the problem whose parameters move, and the program that moves them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moving {
  readonly problem: AnyProblem
  readonly update: Executable
}

/** What was asked, and what came of it. */
interface Asked {
  readonly request: Request
  readonly estimate: Estimate
}

// -------------------------------------------------------------------------------------
// updates
// -------------------------------------------------------------------------------------

/**
 * Compiles the updates of a problem. Left: cells without a ratio.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reusing = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  inner: Inner.Inner,
  target: Target
): E.Either<EstimatorError, Reused> => {
  const rows = Math.floor(problem.batch / inner.minibatches)
  return pipe(
    Surrogate.compile(problem, inner, rows, target),
    E.map((surrogate) => ({ inner, rows, surrogate }))
  )
}

/**
 * One update along a gradient, which is ascended. `number` is that of the step.
 *
 * @category updates
 * @since 0.1.0
 */
export const move =
  ({ update }: Moving, number: number) =>
  (from: Pick<Moved, 'params' | 'optimizer'>, gradient: Values): TE.TaskEither<RunError, Moved> =>
    pipe(
      finite(number, 'gradient', gradient),
      TE.flatMap(() =>
        pipe(
          { ...trainedOnly(from.params, gradient), ...under('gradient', gradient), ...from.optimizer },
          Build.run('update', update),
          TE.mapLeft(atStep(number))
        )
      ),
      TE.bindTo('updated'),
      TE.bind('params', ({ updated }) => finite(number, 'parameter', below('params', updated))),
      TE.chainFirst(({ updated: { gradientNorm = T.scalar(Number.NaN), ...updated } }) =>
        finite(number, 'optimizer', { ...statesIn(updated), 'norm of the gradient': gradientNorm })
      ),
      TE.map(({ updated, params }) => ({
        params: { ...from.params, ...params },
        optimizer: statesIn(updated),
        gradientNorm: updated['gradientNorm']?.data[0] ?? Number.NaN
      }))
    )

/**
 * An error of a step, by its number.
 *
 * @category updates
 * @since 0.1.0
 */
export const atStep =
  (step: number) =>
  (error: EstimatorError): RunError => ({ _tag: 'AtStep', step, error })

/**
 * All updates that are made from what was drawn, one after another, and the share of their terms that was dropped.
 *
 * @category updates
 * @since 0.1.0
 */
export const moves = (
  compiled: Moving & { readonly reused: Reused },
  key: Key.Key,
  state: Pick<Moved, 'params' | 'optimizer'> & { readonly step: number },
  seen: ReadonlyArray<Asked & { readonly coefficient: number }>
): TE.TaskEither<RunError, Moved & { readonly clippedShare: number }> => {
  const { problem, reused } = compiled
  const { inner, rows, surrogate } = reused
  const number = state.step + 1
  const copied = (params: Values, cover: Cover): Values =>
    Requests.switchedTo(problem, cover, Requests.copies(problem, rows, params))
  return pipe(
    seen,
    RA.traverse(TE.ApplicativeSeq)(({ request, estimate, coefficient }) =>
      pipe(
        surrogate.record(copied(state.params, request.cover), request, estimate),
        TE.map(Inner.shares(inner, problem.batch, key)),
        TE.map(RA.map((share) => ({ share, coefficient, cover: request.cover })))
      )
    ),
    TE.mapLeft(atStep(number)),
    TE.flatMap((streams) =>
      // one share of each stream an update
      Array.from({ length: Inner.updates(inner) }, (_, i) => streams.flatMap((all) => all.slice(i, i + 1))).reduce<
        TE.TaskEither<RunError, Moved & { readonly clippedShare: number }>
      >(
        (before, parts) =>
          pipe(
            before,
            TE.flatMap((at) =>
              pipe(
                parts,
                RA.traverse(TE.ApplicativeSeq)(({ share, coefficient, cover }) =>
                  pipe(
                    surrogate.gradient(copied(at.params, cover), share),
                    TE.map((updated) => ({ ...updated, coefficient }))
                  )
                ),
                TE.mapLeft(atStep(number)),
                TE.flatMap((terms) =>
                  pipe(
                    move(compiled, number)(at, Requests.gather(problem, combine(terms))),
                    TE.map((moved) => ({
                      ...moved,
                      clippedShare:
                        at.clippedShare +
                        terms.reduce((n, one) => n + one.clippedShare, 0) / terms.length / Inner.updates(inner)
                    }))
                  )
                )
              )
            )
          ),
        TE.right({ params: state.params, optimizer: state.optimizer, gradientNorm: Number.NaN, clippedShare: 0 })
      )
    )
  )
}

/**
 * Values, or a left that names the first number that is not finite.
 *
 * @category updates
 * @since 0.1.0
 */
export const finite = (step: number, of: NotFiniteOf, values: Values): TE.TaskEither<RunError, Values> => {
  const found = firstNotFinite(values)
  return found === undefined ? TE.right(values) : TE.left({ _tag: 'NotFinite', step, of, found })
}

const trainedOnly = (params: Values, gradient: Values): Values =>
  under('params', Object.fromEntries(Object.entries(params).filter(([path]) => path in gradient)))
