/**
 * Continuations of a rollout from one of its states, with fresh noise below: the prefix above is run once for all of them.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Values } from '../tensor/Program.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as C from './Cover.js'
import type { Cover } from './Cover.js'
import { branches, stepName } from './Plan.js'
import type { EstimatorError, Request } from './Problem.js'
import type { Rolled } from './Returns.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A trajectory at or below the state that it shares with its siblings, and the noises of its steps, those of step 1 first.
 *
 * @category model
 * @since 0.1.0
 */
export interface Continuation {
  readonly rolled: Rolled
  readonly eps: Tensor
}

/**
 * The continuations from one state: the base rollout is the first.
 *
 * @category model
 * @since 0.1.0
 */
export type Family = ReadonlyArray<Continuation>

/**
 * What running a continuation takes: programs by name, and from the states of a continuation `x_0, ..., x_at`, with what its steps were
 * paid, to a rollout that is scored.
 *
 * @category model
 * @since 0.1.0
 */
export interface Runs {
  readonly run: (name: string, values: Values) => TE.TaskEither<EstimatorError, Values>
  readonly score: (at: number, states: ReadonlyArray<Tensor>, paid: ReadonlyArray<Tensor>) => Scoring
}

type Scoring = TE.TaskEither<EstimatorError, Rolled>

/** A continuation under way: its states and what its steps were paid, lowest first. */
interface Run {
  readonly states: readonly [Tensor, ...ReadonlyArray<Tensor>]
  readonly paid: ReadonlyArray<Tensor>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The families of a cover, by the names of their branches. Left: a request without noise for them, or what a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const families = (
  cover: Cover,
  { eps, fresh }: Pick<Request, 'eps' | 'fresh'>,
  base: Rolled | undefined,
  runs: Runs
): TE.TaskEither<EstimatorError, ReadonlyMap<string, Family>> =>
  pipe(
    branches(cover),
    RA.traverse(TE.ApplicativeSeq)(({ name, at, below, count }) => {
      if (base?.trajectory === undefined || fresh === undefined) {
        return TE.left<EstimatorError, readonly [string, Family]>({ _tag: 'NoFreshNoise', at })
      }
      const from = T.at(at)(base.trajectory)
      const first: Continuation = { rolled: base, eps }
      return pipe(
        C.range(1, count - 1),
        RA.traverse(TE.ApplicativeSeq)((k) => {
          const own = fresh(at, k)
          return continued(runs, at, from, below === 'fresh' ? own : withTop(T.rows(0, at)(eps), own))
        }),
        TE.map((others) => [name, [first, ...others]] as const)
      )
    }),
    TE.map((all) => new Map(all))
  )

/** Noises with the last one of others. */
const withTop = (below: Tensor, other: Tensor): Tensor => {
  const count = below.shape[0] ?? 0
  return T.stack([...C.range(0, count - 2).map((i) => T.at(i)(below)), T.at(count - 1)(other)])
}

const continued = (runs: Runs, at: number, from: Tensor, eps: Tensor): TE.TaskEither<EstimatorError, Continuation> =>
  pipe(
    C.range(1, at).reduceRight<TE.TaskEither<EstimatorError, Run>>(
      (above, t) =>
        pipe(
          above,
          TE.flatMap(({ states, paid }) =>
            pipe(
              runs.run(stepName, { x: states[0], eps: T.at(t - 1)(eps), high: T.scalar(t) }),
              TE.map(({ x = states[0], steps }) => ({
                states: [x, ...states] as const,
                paid: steps === undefined ? paid : [steps, ...paid]
              }))
            )
          )
        ),
      TE.right({ states: [from], paid: [] })
    ),
    TE.flatMap(({ states, paid }) => runs.score(at, states, paid)),
    TE.map((rolled) => ({ rolled, eps }))
  )
