/**
 * Measuring a model on held-out noise: the same noise and conditions for every model that is measured with one key.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { EstimatorError, Problem } from '../estimator/Gradient.js'
import * as Programs from '../estimator/program/Programs.js'
import type { Params } from '../lens/Lens.js'
import * as Key from '../random/Key.js'
import { evaluate } from '../reward/Reward.js'
import * as Build from '../tensor/Build.js'
import { firstIn, isFiniteIn } from '../tensor/Finite.js'
import { under, type Values } from '../tensor/Program.js'
import type { Batched } from '../tensor/Shape.js'
import type { Executable, Target } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Conditions } from './Conditions.js'
import { noise } from './Requests.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The outputs on held-out noise, and their rewards; `skipped` are how many have none, because it is not finite.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly rewards: ReadonlyArray<number>
  readonly skipped: number
  readonly images: Tensor
}

/**
 * A compiled measurement: of parameters, by a key, on `n` samples.
 *
 * @category model
 * @since 0.1.0
 */
export interface Evaluator {
  readonly run: (params: Values, key: Key.Key, n: number) => TE.TaskEither<EstimatorError, Measured>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Compiles a measurement of a problem's chain and reward on a target.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  conditions: Conditions,
  target: Target
): E.Either<EstimatorError, Evaluator> => {
  const build = Build.build(target, { batch: problem.batch })
  const { reward } = problem
  return pipe(
    E.Do,
    E.bind('rollout', () =>
      build('rollout', Programs.rollout(problem.chain, { perturbation: 'none', keep: false, trained: problem.trained }))
    ),
    E.bind('score', (): E.Either<EstimatorError, Score> => {
      if (reward._tag === 'BlackBox') return E.right({ score: evaluate(reward), dispose: () => Promise.resolve() })
      return pipe(
        build('reward', Programs.reward(problem.chain, reward)),
        E.map((executable) => ({ score: scoreWith(executable, reward.parameters), dispose: executable.dispose }))
      )
    }),
    E.map(({ rollout, score }) => ({
      run: (params, key, n) => measure(problem, conditions, rollout, score, params, key, n),
      dispose: async () => {
        await rollout.dispose()
        await score.dispose()
      }
    }))
  )
}

interface Score {
  readonly score: (x0: Tensor, condition: Values) => TE.TaskEither<EstimatorError, ReadonlyArray<number>>
  readonly dispose: () => Promise<void>
}

const scoreWith =
  (executable: Executable, parameters: Values): Score['score'] =>
  (x0, condition) =>
    pipe(
      { ...under('reward', parameters), ...condition, x0, weights: T.fill([x0.shape[0] ?? 0], 0) },
      Build.run('reward', executable),
      TE.map((out) => Array.from(out['reward']?.data ?? []))
    )

const measure = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  conditions: Conditions,
  rollout: Executable,
  { score }: Score,
  params: Values,
  key: Key.Key,
  n: number
): TE.TaskEither<EstimatorError, Measured> => {
  const batches = Array.from({ length: Math.ceil(n / problem.batch) }, (_, i) => Key.foldIn(key, i))
  const one = (batchKey: Key.Key): TE.TaskEither<EstimatorError, Omit<Measured, 'skipped'>> => {
    const condition = conditions(Key.foldInString(batchKey, 'condition'), problem.batch)
    return pipe(
      { ...under('params', params), ...condition, ...noise(problem, batchKey) },
      Build.run('rollout', rollout),
      TE.map((out) => out['x0'] ?? T.fill([0], 0)),
      TE.bindTo('images'),
      TE.bind('rewards', ({ images }) => score(images, condition))
    )
  }
  return pipe(
    batches,
    TE.traverseSeqArray(one),
    TE.map((parts) => ({
      rewards: parts.flatMap(({ rewards }) => rewards).slice(0, n),
      images: firstRows(
        parts.map(({ images }) => images),
        n
      )
    })),
    TE.flatMapEither(judged(problem))
  )
}

/** Left: the first sample or reward that is not finite, unless such rows are skipped; or if all are. */
const judged =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>({
    reward: { name: reward },
    nonFinite
  }: Problem<P, S, C, R>) =>
  ({ rewards, images }: Omit<Measured, 'skipped'>): E.Either<EstimatorError, Measured> => {
    const isFinite = isFiniteIn(images.data)
    const sample = firstIn('sample')(images)
    const worst = rewards.findIndex((reward) => !isFinite(reward))
    if (sample === undefined && worst < 0) return E.right({ rewards, images, skipped: 0 })
    const kept = rewards.filter(isFinite)
    if (nonFinite === 'skipRow')
      return kept.length === 0
        ? E.left({ _tag: 'AllSkipped', reward, rows: rewards.length })
        : E.right({ rewards: kept, images, skipped: rewards.length - kept.length })
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
