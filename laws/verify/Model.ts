/**
 * Models to verify estimators on: a chain and a reward, the exact terms of the gradient, and samples of compiled
 * estimators.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as A from '../../src/estimator/Advantage.js'
import type { Facts } from '../../src/estimator/catalogue/Row.js'
import * as Cost from '../../src/estimator/reading/Cost.js'
import * as C from '../../src/estimator/Cover.js'
import type { Cell, Cover } from '../../src/estimator/Cover.js'
import type { Estimator, Weighted } from '../../src/estimator/Estimator.js'
import type { EstimatorError, Problem } from '../../src/estimator/Gradient.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { facts } from '../../src/estimator/Named.js'
import { moments, rowsOf, type Matrix, type Moments, varianceError } from '../../src/estimator/reading/Spread.js'
import type { Params } from '../../src/lens/Lens.js'
import { draw as drawOf } from '../../src/random/Density.js'
import * as Draw from '../../src/random/Draw.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn, foldInString } from '../../src/random/Key.js'
import type { Differentiable } from '../../src/reward/Reward.js'
import { lenses, type StepReward } from '../../src/reward/StepReward.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Uncertain } from '../exact/Expectation.js'
import { unitRoundoff } from '../exact/Rounding.js'
import { rowParams, type Smoothing } from '../Setting.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An estimator under test, with the constant that its likelihood-ratio terms take off the rewards.
 *
 * @category model
 * @since 0.1.0
 */
export interface Contender {
  readonly name: string
  readonly estimator: Estimator
  readonly baseline: number
}

/**
 * Rows of random numbers for one batch: directions of each step `[T, rows, P]`, of which the first are the shared ones; `fresh` are the
 * noises of siblings, as a request has them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Noise {
  readonly xT: Tensor
  readonly eps: Tensor
  readonly xi: Values
  readonly fresh: (at: number, k: number) => Tensor
}

/**
 * Samples under one cover: their moments, the standard error of their variance, and how far rounding may have moved the mean of each component.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sampled {
  readonly cover: Weighted
  readonly spread: Moments
  readonly varianceError: number
  readonly rounding: ReadonlyArray<number>
}

/**
 * All samples of a contender, cover by cover, and the most bytes of activations that one sample holds on its target.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly covers: ReadonlyArray<Sampled>
  readonly peakBytes: number
}

/**
 * How much is sampled: so many samples at least, on the rows of noise of each batch number.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plan {
  readonly samples: number
  readonly noise: (batch: number) => Noise
}

/**
 * What a cell pays of each sample of a batch: a row of the gradient for each.
 *
 * @category model
 * @since 0.1.0
 */
export interface Part {
  readonly cell: Cell
  readonly rows: Matrix
}

/**
 * A compiled contender, whose batches have a fixed number of rows: `run` gives moments, `rows` the gradients of
 * one batch under one cover, sample by sample, and `parts` what they are sums of, cell by cell.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sampler {
  readonly run: (plan: Plan) => TE.TaskEither<EstimatorError, Measured>
  readonly rows: (cover: Cover, noise: Noise) => TE.TaskEither<EstimatorError, Matrix>
  readonly parts: (cover: Cover, noise: Noise) => TE.TaskEither<EstimatorError, ReadonlyArray<Part>>
  readonly dispose: () => Promise<void>
}

/**
 * A model, without the types of its chain. `facts` are what a named estimator must know of it. `terms` gives the
 * exact term of each step, `t = 1..T` at positions `0..T-1`; `stepCalls` how many times its step rewards evaluate the network;
 * `lookahead` whether its clean prediction is the rest of the chain; `check` why a contender can not stand on it; `noise` the
 * same rows for the same batch number; `baseline` is near the expected reward, for contenders that use one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Model {
  readonly name: string
  readonly T: number
  readonly facts: Facts
  readonly components: number
  readonly networkCalls: number
  readonly stepCalls: number
  readonly lookahead: boolean
  readonly baseline: number
  readonly terms: (smoothing?: Smoothing) => E.Either<string, ReadonlyArray<Uncertain>>
  readonly check: (contender: Contender) => E.Either<EstimatorError, unknown>
  readonly noise: (key: Key, rows: number) => (batch: number) => Noise
  readonly sampler: (contender: Contender, target: Target, rows: number) => E.Either<EstimatorError, Sampler>
}

/**
 * What a model is made of. Every number of `params` must be a row's own: the parameters have a batch axis, and
 * `params` are given for one row. `prior` takes a standard normal `[rows, ...]` to the first state, which else is a
 * draw of the chain's noise.
 *
 * @category model
 * @since 0.1.0
 */
export interface Parts<P extends Params, S extends Batched, R extends Params> {
  readonly name: string
  readonly chain: Chain<P, S, Readonly<Record<never, never>>>
  readonly reward: Differentiable<R, S, Exprs>
  readonly steps?: ReadonlyArray<StepReward<P, S, Readonly<Record<never, never>>>>
  readonly params: Values
  readonly baseline: number
  readonly prior?: (z: Tensor) => Tensor
  readonly terms: Model['terms']
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A model of its parts. Terms are remembered by smoothing, and up to 64 batches of noise by number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <P extends Params, S extends Batched, R extends Params>(parts: Parts<P, S, R>): Model => {
  const { chain, reward, params, prior, steps = [] } = parts
  const problem = (
    { estimator, baseline }: Contender,
    batch: number
  ): Problem<P, S, Readonly<Record<never, never>>, R> => ({
    chain,
    reward,
    steps,
    estimator,
    advantage: baseline === 0 ? A.none : A.constant(baseline),
    trained: () => true,
    batch
  })
  const known = new Map<string, ReturnType<Model['terms']>>()
  const noise: Model['noise'] = (key, rows) => {
    const drawn = new Map<number, Noise>()
    return (batch) => {
      const one = drawn.get(batch) ?? draw(chain, params, prior, foldIn(key, batch), rows)
      if (drawn.size < mostBatches) drawn.set(batch, one)
      return one
    }
  }
  return {
    name: parts.name,
    T: chain.T,
    // what looks ahead is dear, and is asked for by name
    facts: { ...facts(chain, reward), ...(chain.lookahead === true ? { clean: false } : {}) },
    components: Object.values(params).reduce((n, { data }) => n + data.length, 0),
    networkCalls: chain.networkCalls,
    stepCalls: lenses(steps).reduce((total, one) => total + one.networkCalls, 0),
    lookahead: chain.lookahead === true,
    baseline: parts.baseline,
    terms: (smoothing) => {
      const name = JSON.stringify(smoothing ?? null)
      const found = known.get(name) ?? parts.terms(smoothing)
      known.set(name, found)
      return found
    },
    check: (contender) => Gradient.check(problem(contender, 1)),
    noise,
    sampler: (contender, target, rows) =>
      pipe(
        E.Do,
        E.bind('bytes', () => peakBytes(problem(contender, 1), target)),
        E.bind('gradients', () => Gradient.compile(problem(contender, rows), target)),
        E.map(({ bytes, gradients }) => {
          const operations = Object.values(gradients.executables).reduce((n, e) => n + e.program.instructions.length, 0)
          const values = rowParams(chain.parameters, params, rows)
          const weights = new Array<number>(rows).fill(1)
          const estimate = (cover: Cover, { xT, eps, xi, fresh }: Noise): TE.TaskEither<EstimatorError, Estimated> => {
            const shared = C.zerothOrderCell(cover)?.perturbation !== 'perStep'
            return pipe(
              gradients.run({
                cover,
                params: values,
                condition: {},
                xT,
                eps,
                xi: shared ? first(xi) : xi,
                fresh,
                weights,
                advantageState: 0
              }),
              TE.map((one) => ({
                matrix: rowsOf(one.gradient, rows),
                parts: one.terms.map(({ cell, gradient }) => ({ cell, rows: rowsOf(gradient, rows) })),
                reward: mean(one.rewards, rows) + mean(one.stepRewards, rows),
                single: Object.values(one.gradient).some(({ data }) => data instanceof Float32Array)
              }))
            )
          }
          const run: Sampler['run'] = ({ samples, noise: at }) => {
            let used = 0
            return pipe(
              contender.estimator.covers,
              RA.map((cover) => {
                const count = Math.max(1, Math.ceil((samples * cover.weight) / rows))
                used += count
                return { cover, batches: C.range(used - count, used - 1) }
              }),
              RA.traverse(TE.ApplicativeSeq)(({ cover, batches }) =>
                pipe(
                  batches,
                  RA.traverse(TE.ApplicativeSeq)((batch) => pipe(estimate(cover.cover, at(batch)), TE.map(sized))),
                  TE.map((all): Sampled => {
                    const matrices = all.map(({ matrix }) => matrix)
                    const spread = moments(matrices)
                    return {
                      cover,
                      spread,
                      varianceError: varianceError(matrices, spread),
                      rounding: rounding(cover.cover, all, operations, spread.mean.length)
                    }
                  })
                )
              ),
              TE.map((covers) => ({ covers, peakBytes: bytes }))
            )
          }
          return {
            run,
            rows: (cover, at) =>
              pipe(
                estimate(cover, at),
                TE.map(({ matrix }) => matrix)
              ),
            parts: (cover, at) =>
              pipe(
                estimate(cover, at),
                TE.map(({ parts }) => parts)
              ),
            dispose: gradients.dispose
          }
        })
      )
  }
}

const mostBatches = 64

/** One batch, as estimated. */
interface Estimated {
  readonly matrix: Matrix
  readonly parts: ReadonlyArray<Part>
  readonly reward: number
  readonly single: boolean
}

/** What is kept of one batch. */
interface Batch extends Omit<Estimated, 'parts'> {
  readonly sizes: ReadonlyArray<number>
}

const sized = ({ parts, ...one }: Estimated): Batch => ({ ...one, sizes: magnitudes(parts.map(({ rows }) => rows)) })

const mean = (values: ReadonlyArray<number>, n: number): number =>
  values.reduce((sum, value) => sum + Math.abs(value), 0) / n

/** The mean over rows of the magnitudes of some terms, added up, for each component. */
const magnitudes = (terms: ReadonlyArray<Matrix>): ReadonlyArray<number> => {
  const size = new Array<number>(terms[0]?.width ?? 0).fill(0)
  for (const { width, data } of terms) {
    for (let i = 0; i < data.length; i++) {
      size[i % width] = (size[i % width] ?? 0) + (Math.abs(data[i] ?? 0) * width) / data.length
    }
  }
  return size
}

const first = (xi: Values): Values => Object.fromEntries(Object.entries(xi).map(([path, one]) => [path, T.at(0)(one)]))

const draw = <P extends Params, S extends Batched, C_ extends Exprs>(
  chain: Chain<P, S, C_>,
  params: Values,
  prior: ((z: Tensor) => Tensor) | undefined,
  key: Key,
  rows: number
): Noise => {
  const state = [rows, ...chain.state.slice(1).map(Number)]
  const { density } = chain.noise
  return {
    xT: prior === undefined ? drawOf(density, foldIn(key, 0), state) : prior(Draw.normal(foldIn(key, 0), state)),
    eps: drawOf(density, foldIn(key, 1), [chain.T, ...state]),
    fresh: (at, k) => drawOf(density, foldIn(foldIn(foldIn(key, 3), at), k), [at, ...state]),
    xi: Object.fromEntries(
      Object.entries(params).map(([path, { shape }]) => [
        path,
        Draw.normal(foldInString(foldIn(key, 2), path), [chain.T, rows, ...shape])
      ])
    )
  }
}

/**
 * A unit for each operation, of the mean magnitude of the cells' terms; and where a cell takes differences of rewards,
 * of the rewards times the mean magnitude of what multiplies them.
 */
const rounding = (
  cover: Cover,
  batches: ReadonlyArray<Batch>,
  operations: number,
  width: number
): ReadonlyArray<number> => {
  const unit = operations * (batches.some(({ single }) => single) ? 2 ** -24 : unitRoundoff)
  const cell = C.zerothOrderCell(cover)
  const copies = cell === undefined ? 0 : cell.perturbation === 'shared' ? 1 : cell.steps.length
  const reward = batches.reduce((total, one) => total + one.reward, 0) / batches.length
  const differences =
    cell === undefined || cell.form === 'onePoint' ? 0 : (reward * Math.sqrt((2 * copies) / Math.PI)) / cell.radius
  return Array.from({ length: width }, (_, i) => {
    const size = batches.reduce((total, { sizes }) => total + (sizes[i] ?? 0), 0) / batches.length
    return unit * (size + differences)
  })
}

const peakBytes = <P extends Params, S extends Batched, C_ extends Exprs, R extends Params>(
  problem: Problem<P, S, C_, R>,
  target: Target
): E.Either<EstimatorError, number> =>
  pipe(
    Gradient.compile(problem, target),
    E.map((gradients) => {
      const { bytes } = Cost.peakActivationBytes(gradients)
      void gradients.dispose()
      return bytes
    })
  )
