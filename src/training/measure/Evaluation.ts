/**
 * Measuring a model on held-out noise: the same noise and conditions for every model that is measured with one key.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Chain } from '../../chain/Chain.js'
import type { EstimatorError, Problem } from '../../estimator/Gradient.js'
import * as Programs from '../../estimator/program/Programs.js'
import type { Params } from '../../lens/Lens.js'
import * as Key from '../../random/Key.js'
import { evaluate, type Reward } from '../../reward/Reward.js'
import type { StepLens } from '../../reward/StepReward.js'
import * as Build from '../../tensor/Build.js'
import { firstIn, isFiniteIn } from '../../tensor/Finite.js'
import { under, type Values } from '../../tensor/Program.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Executable, Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Conditions } from '../Conditions.js'
import { noise } from '../Requests.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The outputs on held-out noise, and their rewards; `skipped` are how many have none, because it is not finite. `also` are what
 * the other rewards say of the same samples, those that were skipped left out, and `stepRewards` the sums of the rewards on the way,
 * zeros where they were not asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly rewards: ReadonlyArray<number>
  readonly also: ReadonlyArray<ReadonlyArray<number>>
  readonly stepRewards: ReadonlyArray<number>
  readonly skipped: number
  readonly images: Tensor
}

/**
 * A compiled measurement: of parameters, by a key, on `n` samples; with the rewards on the way where `steps` is said.
 *
 * @category model
 * @since 0.1.0
 */
export interface Evaluator {
  readonly run: (
    params: Values,
    key: Key.Key,
    n: number,
    options?: { readonly steps?: boolean }
  ) => TE.TaskEither<EstimatorError, Measured>
  readonly dispose: () => Promise<void>
}

/**
 * What is measured beside the reward: other rewards of the same samples, and rewards on the way.
 *
 * @category model
 * @since 0.1.0
 */
export interface Beside<P extends Params, S extends Batched, C extends Exprs> {
  readonly also?: ReadonlyArray<Reward<Params, S, C>>
  readonly steps?: ReadonlyArray<StepLens<P, S, C>>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Compiles a measurement of a problem's chain and reward on a target. Left: what did not compile, and why.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  conditions: Conditions,
  target: Target,
  { also = [], steps = [] }: Beside<P, S, C> = {}
): E.Either<EstimatorError, Evaluator> => {
  const build = Build.build(target, { batch: problem.batch })
  const plain = { perturbation: 'none', keep: false, trained: problem.trained } as const
  return pipe(
    E.Do,
    E.bind('rollout', () => build('rollout', Programs.rollout(problem.chain, plain))),
    E.bind('walk', () =>
      steps.length === 0
        ? E.right(undefined)
        : build('rollout with the rewards of its steps', Programs.rollout(problem.chain, { ...plain, steps }))
    ),
    E.bind('score', () => scoring(problem, target)(problem.reward)),
    E.bind('others', () => pipe(also, RA.traverse(E.Applicative)(scoring(problem, target)))),
    E.map(({ rollout, walk, score, others }) => ({
      run: (params, key, n, options = {}) =>
        measure(
          {
            problem,
            conditions,
            scores: [score, ...others],
            ...(options.steps === true && walk !== undefined
              ? { rollout: walk, inputs: stepInputs(steps) }
              : { rollout, inputs: {} })
          },
          params,
          key,
          n
        ),
      dispose: async () => {
        for (const one of [rollout, ...(walk === undefined ? [] : [walk]), score, ...others]) await one.dispose()
      }
    }))
  )
}

interface Score {
  readonly score: (x0: Tensor, condition: Values) => TE.TaskEither<EstimatorError, ReadonlyArray<number>>
  readonly dispose: () => Promise<void>
}

const scoring =
  <P extends Params, S extends Batched, C extends Exprs>(
    { chain, batch }: { readonly chain: Chain<P, S, C>; readonly batch: number },
    target: Target
  ) =>
  <R extends Params>(reward: Reward<R, S, C>): E.Either<EstimatorError, Score> =>
    reward._tag === 'BlackBox'
      ? E.right({
          score: (x0, condition) => evaluate(reward)(x0, { condition }),
          dispose: () => Promise.resolve()
        })
      : pipe(
          Build.build(target, { batch })('reward', Programs.reward(chain, reward)),
          E.map((executable) => ({ score: scoreWith(executable, reward.parameters), dispose: executable.dispose }))
        )

const scoreWith =
  (executable: Executable, parameters: Values): Score['score'] =>
  (x0, condition) =>
    pipe(
      { ...under('reward', parameters), ...condition, x0, weights: T.fill([x0.shape[0] ?? 0], 0) },
      Build.run('reward', executable),
      TE.map((out) => Array.from(out['reward']?.data ?? []))
    )

/** The rollout that is measured, with what it is given beside noise and parameters, and what scores its outputs. */
interface Rolling<P extends Params, S extends Batched, C extends Exprs, R extends Params> {
  readonly problem: Problem<P, S, C, R>
  readonly conditions: Conditions
  readonly rollout: Executable
  readonly inputs: Values
  readonly scores: ReadonlyArray<Score>
}

/** The values of the step rewards' own parameters, as a rollout names them. */
const stepInputs = (steps: ReadonlyArray<{ readonly parameters: Values }>): Values =>
  Object.fromEntries(steps.flatMap(({ parameters }, i) => Object.entries(under(`step.${i}`, parameters))))

const measure = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { problem, conditions, rollout, inputs, scores }: Rolling<P, S, C, R>,
  params: Values,
  key: Key.Key,
  n: number
): TE.TaskEither<EstimatorError, Measured> => {
  const batches = Array.from({ length: Math.ceil(n / problem.batch) }, (_, i) => Key.foldIn(key, i))
  const one = (batchKey: Key.Key): TE.TaskEither<EstimatorError, Batch> => {
    const condition = conditions(Key.foldInString(batchKey, 'condition'), problem.batch)
    return pipe(
      { ...under('params', params), ...inputs, ...condition, ...noise(problem, batchKey) },
      Build.run('rollout', rollout),
      TE.map((out) => ({ images: out['x0'] ?? T.fill([0], 0), stepRewards: columnSums(out['steps'], problem.batch) })),
      TE.bind('columns', ({ images }) =>
        pipe(
          scores,
          TE.traverseSeqArray(({ score }) => score(images, condition))
        )
      )
    )
  }
  return pipe(
    batches,
    TE.traverseSeqArray(one),
    TE.map((parts) => ({
      columns: scores.map((_, i) => parts.flatMap(({ columns }) => columns[i] ?? []).slice(0, n)),
      stepRewards: parts.flatMap(({ stepRewards }) => stepRewards).slice(0, n),
      images: firstRows(
        parts.map(({ images }) => images),
        n
      )
    })),
    TE.flatMapEither(judged(problem))
  )
}

/** What is known of some samples: `columns` are their rewards, first that of the problem. */
interface Batch {
  readonly images: Tensor
  readonly stepRewards: ReadonlyArray<number>
  readonly columns: ReadonlyArray<ReadonlyArray<number>>
}

/** The sums over the rows of `[T, batch]`; zeros where there is none. */
const columnSums = (steps: Tensor | undefined, batch: number): ReadonlyArray<number> => {
  const sums = new Array<number>(batch).fill(0)
  steps?.data.forEach((value: number, at: number) => {
    sums[at % batch] = (sums[at % batch] ?? 0) + value
  })
  return sums
}

/** Left: the first sample or reward that is not finite, unless such rows are skipped; or if all are. */
const judged =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>({
    reward: { name: reward },
    nonFinite
  }: Problem<P, S, C, R>) =>
  ({ columns: [rewards = [], ...also], stepRewards, images }: Batch): E.Either<EstimatorError, Measured> => {
    const isFinite = isFiniteIn(images.data)
    const sample = firstIn('sample')(images)
    const worst = rewards.findIndex((reward) => !isFinite(reward))
    if (sample === undefined && worst < 0) return E.right({ rewards, also, stepRewards, images, skipped: 0 })
    const kept = rewards.flatMap((reward, row) => (isFinite(reward) ? [row] : []))
    const rowsOf = (column: ReadonlyArray<number>): ReadonlyArray<number> => kept.map((row) => column[row] ?? NaN)
    if (nonFinite === 'skipRow')
      return kept.length === 0
        ? E.left({ _tag: 'AllSkipped', reward, rows: rewards.length })
        : E.right({
            rewards: rowsOf(rewards),
            also: also.map(rowsOf),
            stepRewards: rowsOf(stepRewards),
            images,
            skipped: rewards.length - kept.length
          })
    return E.left(
      sample === undefined
        ? { _tag: 'NotFiniteRow', of: 'reward', reward, row: worst, value: rewards[worst] ?? Number.NaN }
        : { _tag: 'NotFiniteRow', of: 'sample', reward, row: sample.place[0] ?? 0, value: sample.value }
    )
  }

const firstRows = (parts: ReadonlyArray<Tensor>, n: number): Tensor => {
  const row = parts[0]?.shape.slice(1) ?? []
  const data = new Float32Array(parts.reduce((total, { data: part }) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return T.rows(0, n)({ shape: [parts.length * (parts[0]?.shape[0] ?? 0), ...row], data })
}

// -------------------------------------------------------------------------------------
// statistics
// -------------------------------------------------------------------------------------

/**
 * The mean of some numbers and its standard error, `sqrt(variance / n)` with the unbiased variance; the error of fewer
 * than two numbers is NaN.
 *
 * @category statistics
 * @since 0.1.0
 */
export const summary = (values: ReadonlyArray<number>): { readonly mean: number; readonly standardError: number } => {
  const n = values.length
  const mean = values.reduce((a, b) => a + b, 0) / n
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0)
  return { mean, standardError: n < 2 ? NaN : Math.sqrt(squares / (n - 1) / n) }
}
