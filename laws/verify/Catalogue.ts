/**
 * What is verified by default: the toy models with exact gradients, and the catalogue's estimators in every form.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { CoverError } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import { verified } from '../../src/estimator/reading/Contenders.js'
import { ahead } from '../../src/chain/Ahead.js'
import type { Chain } from '../../src/chain/Chain.js'
import type { Params } from '../../src/lens/Lens.js'
import { klTo } from '../../src/reward/Kl.js'
import type { StepReward } from '../../src/reward/StepReward.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { dot, unitRoundoff } from '../exact/Rounding.js'
import type { Kl, LinearDescription, ModelDescription, TanhDescription } from '../toy/Description.js'
import {
  closedForm,
  linearChain,
  quadraticReward as quadraticForm,
  type LinearGaussian
} from '../toy/LinearGaussian.js'
import { multiplicativeChain, polynomialChain } from '../toy/Polynomial.js'
import { quadraticReward, tanhChain, type ScalarChain } from '../toy/Tanh.js'
import { make, type Contender, type Model } from './Model.js'
import { expectedReward, nearTo, terms, type Process } from '../exact/Terms.js'

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

/** A model of a scalar chain. Its baseline is by default the expected reward, or 0 where that is not known. */
const scalar = (
  name: string,
  chain: ScalarChain,
  theta: readonly [a: number, b: number],
  m: number,
  functions: Pick<Process, 'mean' | 'gradient' | 'steepest'>,
  { baseline, kl }: { readonly baseline?: number; readonly kl?: Kl } = {}
): Model => {
  const process: Process = {
    ...functions,
    sigma: chain.sigma.slice(1),
    reward: (x) => -((x - m) ** 2),
    ...(kl === undefined ? {} : { step: nearTo(functions, kl) })
  }
  return make({
    name,
    chain: ahead(chain),
    steps: stepsOf(chain, kl),
    reward: quadraticReward(m),
    params: { theta: T.vector(theta) },
    baseline:
      baseline ??
      pipe(
        expectedReward(process, theta),
        E.getOrElse(() => 0)
      ),
    terms: terms(process, theta)
  })
}

/** The step rewards of a description: none, or the price of leaving a reference. */
const stepsOf = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  kl: Kl | undefined
): ReadonlyArray<StepReward<P, S, C>> =>
  kl === undefined
    ? []
    : pipe(
        chain,
        klTo({ theta: T.vector(kl.reference) }, { beta: kl.beta }),
        // a description's price is above 0, and the noise of these chains is normal
        E.match(
          () => [],
          (one) => [one]
        )
      )

/** A linear-Gaussian model: quadratic in the copies of the parameters jointly, so that the terms of `J_s` are those of `J`. */
const linear = (
  name: string,
  numbers: LinearGaussian,
  { prior, kl }: Pick<LinearDescription, 'prior' | 'kl'>
): Model => {
  const { A, B, c, m, Q, q, sigma, theta } = numbers
  // the state is what it is from a mean of 0, plus A^T mean: so the reward's centre is moved instead
  const power = sigma.reduce<ReadonlyArray<number>>((x) => A.map((row) => dot(row, x)), prior.mean)
  const centred = { ...numbers, m: m.map((v, i) => v - (power[i] ?? 0)) }
  const closed = closedForm(centred, kl)
  const abs = (rows: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<ReadonlyArray<number>> =>
    rows.map((row) => row.map(Math.abs))
  // without any cancellation: with -Q and a centre opposite to all that is added up, everything has one sign
  const magnitudes = closedForm(
    {
      A: abs(A),
      B: abs(B),
      c: c.map(Math.abs),
      sigma,
      theta: theta.map(Math.abs),
      m: centred.m.map((_, i) => -Math.abs(m[i] ?? 0) - Math.abs(power[i] ?? 0)),
      Q: Q.map((row) => row.map((v) => -Math.abs(v))),
      q: q.map(Math.abs)
    },
    kl && { beta: -kl.beta, reference: kl.reference.map((v) => -Math.abs(v)) }
  )
  const unit = unitRoundoff * sigma.length * 4 * (A.length + theta.length + 2)
  const exact = closed.terms.map((value, t) => ({ value, error: (magnitudes.terms[t] ?? []).map((s) => unit * s) }))
  return make({
    name,
    chain: ahead(linearChain(numbers)),
    steps: stepsOf(linearChain(numbers), kl),
    reward: quadraticForm(numbers),
    params: { theta: T.vector(theta) },
    baseline: closed.J,
    prior: (z) => affine(z, prior),
    terms: () => E.right(exact)
  })
}

const affine = (
  z: Tensor,
  { mean, factor }: { readonly mean: ReadonlyArray<number>; readonly factor: ReadonlyArray<ReadonlyArray<number>> }
): Tensor => {
  const D = mean.length
  return T.tabulate(z.shape, (i) => {
    const start = i - (i % D)
    return (factor[i % D] ?? []).reduce((sum, f, k) => sum + f * (z.data[start + k] ?? 0), mean[i % D] ?? 0)
  })
}

const tanh = (name: string, { kind: _, ...options }: TanhDescription, baseline?: number): Model => {
  const { alpha, theta, m, kl } = options
  return scalar(
    name,
    tanhChain(options),
    theta,
    m,
    {
      mean: (x, [a = 0, b = 0]) => alpha * x + a * Math.tanh(x) + b,
      gradient: (x) => [Math.tanh(x), 1],
      steepest: Math.abs(alpha) + Math.abs(theta[0])
    },
    { ...(baseline === undefined ? {} : { baseline }), ...(kl === undefined ? {} : { kl }) }
  )
}

/**
 * The model that a document describes, under a name.
 *
 * @category models
 * @since 0.1.0
 */
export const described = (name: string, description: ModelDescription): Model =>
  description.kind === 'tanh' ? tanh(name, description) : linear(name, description.numbers, description)

/**
 * The models that are verified by default. The tanh chain has ten steps; `feedback` is linear-quadratic control, with a
 * gain and an offset to learn; in the multiplicative chain the copies of the parameters interact.
 *
 * @category models
 * @since 0.1.0
 */
export const models = (): ReadonlyArray<Model> => [
  tanh('tanh', { kind: 'tanh', T: 10, alpha: 0.9, theta: [0.3, 0.1], sigma: 0.3, m: 2 }, -4),
  linear(
    'linear-Gaussian',
    {
      A: [
        [0.8, 0.3],
        [-0.2, 0.9]
      ],
      B: [
        [1, 0, 0.5],
        [0, 1, -0.5]
      ],
      c: [0.1, -0.1],
      sigma: [0.3, 0.4, 0.5, 0.6, 0.7],
      theta: [0.2, -0.1, 0.3],
      m: [1, -1],
      Q: [
        [1, 0.2],
        [0.2, 0.5]
      ],
      q: [0.3, -0.2]
    },
    {
      prior: {
        mean: [0.5, 0],
        factor: [
          [1, 0],
          [0.5, 0.8]
        ]
      }
    }
  ),
  scalar('multiplicative', multiplicativeChain([0.4, 0.4, 0.4]), [0.8, 0.05], 1, {
    mean: (x, [a = 0, b = 0]) => a * x * (1 + b * x),
    gradient: (x, [a = 0, b = 0]) => [x * (1 + b * x), a * x * x],
    // states stay within 12 of 0
    steepest: 2
  }),
  scalar('feedback', polynomialChain(1, { T: 5, alpha: 1, sigma: 0.4 }), [-0.3, 0.2], 1, {
    mean: (x, [a = 0, b = 0]) => x + a * x + b,
    gradient: (x) => [x, 1],
    steepest: 1
  })
]

// -------------------------------------------------------------------------------------
// estimators
// -------------------------------------------------------------------------------------

/**
 * The named estimators on a model, in the forms in which their rows have themselves verified, with and without a
 * baseline where it matters, and two ablations of the paper: no zeroth-order cell, and no half-order cell.
 *
 * @category estimators
 * @since 0.1.0
 */
export const contenders = ({ facts, baseline }: Pick<Model, 'facts' | 'baseline'>): ReadonlyArray<Contender> => {
  const without = (estimator: Estimator): Contender => ({ name: estimator.name, estimator, baseline: 0 })
  const taking = (estimator: Estimator): Contender => ({
    name: baseline === 0 ? estimator.name : `${estimator.name}, baseline ${Number(baseline.toPrecision(3))}`,
    estimator,
    baseline
  })
  return [
    ...verified(facts).flatMap(({ estimator, baseline: asked }) =>
      asked === 'both'
        ? [without(estimator), taking(estimator)]
        : [asked === 'with' ? taking(estimator) : without(estimator)]
    ),
    ...RA.rights([withoutZeroth(facts.T)]).map(taking),
    ...RA.rights([withoutScores(facts.T)]).map(without)
  ]
}

const withoutZeroth = (length: number): E.Either<CoverError, Estimator> =>
  pipe(
    C.range(2, length - 1),
    RA.traverse(E.Applicative)((j) => C.cover(length, [C.firstOrder(1), C.halfOrder(j, j + 1)])),
    E.flatMap((covers) =>
      Est.mixtureOf(
        'first- and half-order cell alone',
        covers.map((cover) => ({ weight: 1, cover }))
      )
    )
  )

const withoutScores = (length: number): E.Either<CoverError, Estimator> =>
  Est.fromCells('first- and zeroth-order cell', length, [C.firstOrder(1), C.zerothOrder(C.range(2, length))])
