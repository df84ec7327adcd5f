/**
 * What is verified by default: the toy models with exact gradients, and the catalogue's estimators in every form.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { CoverError, Form, Perturbation } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import { interval, weights } from '../../src/estimator/Start.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { dot, unitRoundoff } from '../exact/Rounding.js'
import type { ModelDescription, TanhDescription } from '../toy/Description.js'
import {
  closedForm,
  linearChain,
  quadraticReward as quadraticForm,
  type LinearGaussian
} from '../toy/LinearGaussian.js'
import { multiplicativeChain, polynomialChain } from '../toy/Polynomial.js'
import { quadraticReward, tanhChain, type ScalarChain } from '../toy/Tanh.js'
import { make, type Contender, type Model } from './Model.js'
import { expectedReward, terms, type Process } from '../exact/Terms.js'

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
  baseline?: number
): Model => {
  const process: Process = { ...functions, sigma: chain.sigma.slice(1), reward: (x) => -((x - m) ** 2) }
  return make({
    name,
    chain,
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

/** A linear-Gaussian model: `J` is quadratic, so that the terms of `J_s` are those of `J`. */
const linear = (
  name: string,
  numbers: LinearGaussian,
  prior: { readonly mean: ReadonlyArray<number>; readonly factor: ReadonlyArray<ReadonlyArray<number>> }
): Model => {
  const { A, B, c, m, Q, q, sigma, theta } = numbers
  // the state is what it is from a mean of 0, plus A^T mean: so the reward's centre is moved instead
  const power = sigma.reduce<ReadonlyArray<number>>((x) => A.map((row) => dot(row, x)), prior.mean)
  const centred = { ...numbers, m: m.map((v, i) => v - (power[i] ?? 0)) }
  const closed = closedForm(centred)
  const abs = (rows: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<ReadonlyArray<number>> =>
    rows.map((row) => row.map(Math.abs))
  // without any cancellation: with -Q and a centre opposite to all that is added up, everything has one sign
  const magnitudes = closedForm({
    A: abs(A),
    B: abs(B),
    c: c.map(Math.abs),
    sigma,
    theta: theta.map(Math.abs),
    m: centred.m.map((_, i) => -Math.abs(m[i] ?? 0) - Math.abs(power[i] ?? 0)),
    Q: Q.map((row) => row.map((v) => -Math.abs(v))),
    q: q.map(Math.abs)
  })
  const unit = unitRoundoff * sigma.length * 4 * (A.length + theta.length + 2)
  const exact = closed.terms.map((value, t) => ({ value, error: (magnitudes.terms[t] ?? []).map((s) => unit * s) }))
  return make({
    name,
    chain: linearChain(numbers),
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
  const { alpha, theta, m } = options
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
    baseline
  )
}

/**
 * The model that a document describes, under a name.
 *
 * @category models
 * @since 0.1.0
 */
export const described = (name: string, description: ModelDescription): Model =>
  description.kind === 'tanh' ? tanh(name, description) : linear(name, description.numbers, description.prior)

/**
 * The models that are verified by default. The tanh chain has ten steps; `feedback` is linear-quadratic control, with a gain and
 * an offset to learn; in the multiplicative chain the copies of the parameters interact.
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
      mean: [0.5, 0],
      factor: [
        [1, 0],
        [0.5, 0.8]
      ]
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

const forms: ReadonlyArray<Form> = ['onePoint', 'forward', 'central']
const perturbations: ReadonlyArray<Perturbation> = ['perStep', 'shared']
const said: Readonly<Record<Form | Perturbation, string>> = {
  onePoint: 'one-point',
  forward: 'forward',
  central: 'central',
  perStep: 'per-step',
  shared: 'shared'
}

/**
 * The catalogue's estimators on `T` steps: every form and perturbation, with and without a baseline where it matters, and the
 * partial covers of the literature. What does not fit so few steps is left out.
 *
 * @category estimators
 * @since 0.1.0
 */
export const contenders = (T: number, baseline: number): ReadonlyArray<Contender> => {
  const list: Array<Contender> = []
  const add = (
    built: E.Either<CoverError, Estimator>,
    options: { readonly name?: string; readonly baseline?: number } = {}
  ): void => {
    // a segment that is longer than the chain is no estimator of it
    if (E.isLeft(built)) return
    const { name = built.right.name, baseline: b = 0 } = options
    list.push({
      name: b === 0 ? name : `${name}, baseline ${Number(b.toPrecision(3))}`,
      estimator: built.right,
      baseline: b
    })
  }
  const inForms = (
    name: string,
    build: (zeroth: { readonly form: Form; readonly perturbation: Perturbation }) => E.Either<CoverError, Estimator>,
    scored: boolean
  ): void => {
    for (const form of forms) {
      // a difference of rewards has no use for a baseline, but a half-order cell beside it has
      for (const perturbation of perturbations) {
        const built = build({ form, perturbation })
        const full = `${name}, ${said[form]}, ${said[perturbation]}`
        if (form === 'onePoint' || !scored) add(built, { name: full })
        if (form === 'onePoint' || scored) add(built, { name: full, baseline })
      }
    }
  }
  const middle = Math.ceil(T / 2)
  add(Catalogue.fullBackprop(T))
  add(Catalogue.fullBackprop(T, { memory: 'recompute' }))
  for (const k of [1, 2]) if (k < T) add(Catalogue.truncatedBackprop({ T, k }))
  add(Catalogue.randomTruncation({ T, weight: () => 1 }))
  add(Catalogue.reinforce(T))
  add(Catalogue.reinforce(T), { baseline })
  add(Catalogue.reinforceAfterFirst(T), { name: 'reinforce after a first-order step', baseline })
  for (const h of [1, 2, 3, 9]) if (h < T) add(Catalogue.segmented({ T, h }), { baseline })
  for (const lambda of [0, 0.3, 0.5, 0.7, 0.9, 1]) add(Catalogue.geometricHalfOrder({ T, lambda }), { baseline })
  add(Catalogue.geometricHalfOrder({ T, lambda: 0.5, pathwise: 0.2 }), { baseline })
  inForms('rlr(h = 2)', (zeroth) => Catalogue.rlr({ T, h: 2, ...zeroth }), true)
  for (const h of [1, 4]) add(Catalogue.rlr({ T, h }), { baseline })
  add(Catalogue.rlr({ T, h: 2, start: interval(2, middle) }), { name: 'rlr(h = 2), start in the lower half', baseline })
  add(Catalogue.rlr({ T, h: 2, start: weights(C.range(1, T)) }), {
    name: 'rlr(h = 2), start by given weights',
    baseline
  })
  inForms('black-box rlr(h = 2)', (zeroth) => Catalogue.blackBoxRlr({ T, h: 2, ...zeroth }), true)
  inForms('evolution strategies', (zeroth) => Catalogue.evolutionStrategies({ T, ...zeroth }), false)
  // the paper's ablations: no zeroth-order cell, and no half-order cell
  add(
    Est.mixtureOf(
      'first- and half-order cell alone',
      C.range(2, T - 1).flatMap((j) => {
        const cover = C.cover(T, [C.firstOrder(1), C.halfOrder(j, j + 1)])
        return E.isRight(cover) ? [{ weight: 1, cover: cover.right }] : []
      })
    ),
    { baseline }
  )
  add(Est.fromCells('first- and zeroth-order cell', T, [C.firstOrder(1), C.zerothOrder(C.range(2, T))]))
  return list
}
