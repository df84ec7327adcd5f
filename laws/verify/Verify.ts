/**
 * Verification: is a compiled estimator's expectation what its type claims? By sampling, against exact gradients.
 *
 * An exact estimator claims the gradient of its target; a partial one claims that, less the terms of its unpaid
 * steps. All tests of one run share `alpha` (Bonferroni): the probability that any true claim of them all is refuted is at most that,
 * asymptotically (`exact/MeanTest`). Samples that are too few or too heavy-tailed for it decide nothing, and are said to.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { cost } from '../../src/estimator/reading/Cost.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import { ofEstimator, type Objective } from '../../src/estimator/Objective.js'
import type { EstimatorError } from '../../src/estimator/Gradient.js'
import { foldInString, type Key } from '../../src/random/Key.js'
import { bracket } from '../../src/tensor/Build.js'
import type { Target } from '../../src/tensor/Target.js'
import { allowance, leastSamples, stratified, undecided, unseen } from '../exact/MeanTest.js'
import { upperQuantile } from '../law/MonteCarlo.js'
import { type Claim, claimOf } from './Claim.js'
import type { Contender, Measured, Model, Plan, Sampler } from './Model.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What came of one claim. `undecided`: the samples do not tell. `skipped` estimators can not stand on the model.
 *
 * @category model
 * @since 0.1.0
 */
export type Outcome = 'unbiased' | 'biased as predicted' | 'refuted' | 'undecided' | 'skipped'

/**
 * One estimator on one model.
 *
 * - `target`: what the terms of the expectation are terms of, unpaid ones aside; `exactGradient` is the sum of these
 *   terms, the gradient of `J`, of `J_s`, or with `J and J_s` of neither: then the zeroth-order steps' terms are
 *   those of `J_s`, and the others' those of `J`.
 * - `expectation`: the mean of the samples, with `standardError`; `biasInf`: the largest distance of a component to
 *   `exactGradient`. `predictedBias` is minus what is missing of the terms of `unpaidSteps`.
 * - `variance`: the trace of the covariance of one sample's gradient, and `varianceError` its standard error within covers. `samples`: how many.
 * - `networkEvaluations`, `pullbacks` through the network and `peakBytes` of activations are those of one sample.
 * - `tolerance`: how far a component's expectation may be from what is claimed; a bias of `detectable` or more is
 *   missed with probability `1 - power` at most. Each the largest over the components; null where nothing was
 *   decided.
 * - `reason`: why an estimator was skipped, or nothing decided. What was not measured is null.
 *
 * @category model
 * @since 0.1.0
 */
export interface Row {
  readonly model: string
  readonly estimator: string
  readonly target: Objective
  readonly exactGradient: ReadonlyArray<number> | null
  readonly expectation: ReadonlyArray<number> | null
  readonly biasInf: number | null
  readonly unpaidSteps: ReadonlyArray<number>
  readonly variance: number | null
  readonly varianceError: number | null
  readonly networkEvaluations: number
  readonly pullbacks: number
  readonly peakBytes: number | null
  readonly verdict: Outcome
  readonly claim: 'exact' | 'partial'
  readonly cover: string
  readonly predictedBias: ReadonlyArray<number> | null
  readonly standardError: ReadonlyArray<number> | null
  readonly samples: number
  readonly tolerance: number | null
  readonly detectable: number | null
  readonly alpha: number
  readonly power: number
  readonly reason?: string
}

/**
 * How much is sampled, from which key, and where the programs run; the rates of false alarms of the whole run and of
 * misses of each claim, by default the constants `alpha` and `beta`. Where `samples` do not decide, eight times as
 * many are drawn, and again, until `most` (by default 2^20, or `samples` if that is more). Each look has half the
 * share of `alpha` of the one before. `part`: which estimators are sampled here, by their places among those of all models; the others
 * have no row, and count among the comparisons, so that the rows are those of a run of all.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly samples: number
  readonly key: Key
  readonly target: Target
  readonly alpha?: number
  readonly beta?: number
  readonly most?: number
  readonly part?: (place: number) => boolean
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * The probability that a run refutes any true claim, by default.
 *
 * @category constants
 * @since 0.1.0
 */
export const alpha = 1e-6

/**
 * The probability that a bias of `detectable` is missed, by default.
 *
 * @category constants
 * @since 0.1.0
 */
export const beta = 1e-6

/**
 * The most samples that are drawn of an estimator that fewer do not decide on.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostSamples: number = 2 ** 20

/** How many times as many samples the next look takes. */
const growth = 8

/** Rows of a batch: large enough that what a run costs besides its rows does not matter. */
const mostRows = 4096

// -------------------------------------------------------------------------------------
// rows
// -------------------------------------------------------------------------------------

const common = (
  model: Model,
  { name, estimator }: Contender,
  test: Test
): Pick<
  Row,
  | 'model'
  | 'estimator'
  | 'target'
  | 'unpaidSteps'
  | 'networkEvaluations'
  | 'pullbacks'
  | 'claim'
  | 'cover'
  | 'alpha'
  | 'power'
> => ({
  model: model.name,
  estimator: name,
  target: ofEstimator(estimator),
  unpaidSteps: [...Est.unpaid(estimator).keys()],
  networkEvaluations: cost(estimator, model.networkCalls, model.stepCalls, model.lookahead).networkEvaluations,
  pullbacks: model.networkCalls * cost(estimator, 1, 0, model.lookahead).pullbackSteps,
  claim: estimator._tag,
  cover: C.show(estimator.covers[0].cover),
  alpha: test.alpha,
  power: 1 - test.beta
})

const skipped = (model: Model, contender: Contender, test: Test, reason: string): Row => ({
  ...common(model, contender, test),
  exactGradient: null,
  expectation: null,
  biasInf: null,
  variance: null,
  varianceError: null,
  peakBytes: null,
  verdict: 'skipped',
  predictedBias: null,
  standardError: null,
  samples: 0,
  tolerance: null,
  detectable: null,
  reason
})

const largest = (values: ReadonlyArray<number>): number => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0)

/**
 * The verdict on samples, and whether more of them may change it. Covers were sampled each by itself, in proportion to their weights: the mean is the
 * weighted one, and one draw's variance is what is left within covers, and between them.
 */
const judge = (
  model: Model,
  { contender, exact, claimed }: Claim,
  { covers, peakBytes }: Measured,
  test: Test,
  look: number
): readonly [row: Row, more: boolean] => {
  const mix = (read: (one: Measured['covers'][number], weight: number) => number): number =>
    covers.reduce((total, one) => total + read(one, one.cover.weight), 0)
  const expectation = exact.value.map((_, i) => mix(({ spread }, w) => w * (spread.mean[i] ?? Number.NaN)))
  const means = exact.value.map((_, i) =>
    stratified(
      covers.map(({ cover, spread }) => ({
        weight: cover.weight,
        n: spread.n,
        standardError: spread.standardError[i] ?? Number.NaN,
        skewness: spread.skewness[i] ?? 0,
        heaviest: spread.heaviest[i] ?? 0
      }))
    )
  )
  const samples = covers.reduce((n, { spread }) => n + spread.n, 0)
  const p = test.alpha / (2 * Math.max(test.comparisons, 1) * 2 ** look)
  const allowed = means.map((one) => allowance(p, one))
  const missed = means.map((one) => allowance(test.beta, one))
  const slack = exact.value.map((_, i) => (claimed.error[i] ?? 0) + mix(({ rounding }, w) => w * (rounding[i] ?? 0)))
  const tolerance = means.map(({ standardError: s }, i) => (allowed[i] ?? Number.NaN) * s + (slack[i] ?? 0))
  const holds = expectation.every(
    (value, i) => Math.abs(value - (claimed.value[i] ?? Number.NaN)) <= (tolerance[i] ?? Number.NaN)
  )
  const variance = mix(
    ({ spread }, w) =>
      w * (spread.variance + spread.mean.reduce((sum, v, i) => sum + (v - (expectation[i] ?? 0)) ** 2, 0))
  )
  const lost = unseen(largest(slack), Math.max(largest(exact.value), Math.sqrt(variance)))
  const reason = lost ?? undecided(samples, means, p)
  const verdict = holds ? (contender.estimator._tag === 'exact' ? 'unbiased' : 'biased as predicted') : 'refuted'
  const row: Row = {
    ...common(model, contender, test),
    exactGradient: exact.value,
    expectation,
    biasInf: largest(expectation.map((value, i) => value - (exact.value[i] ?? 0))),
    variance,
    varianceError: Math.sqrt(mix(({ varianceError }, w) => (w * varianceError) ** 2)),
    peakBytes,
    verdict: reason === undefined ? verdict : 'undecided',
    predictedBias: claimed.value.map((value, i) => value - (exact.value[i] ?? 0)),
    standardError: means.map(({ standardError }) => standardError),
    samples,
    tolerance: reason === undefined ? largest(tolerance) : null,
    detectable:
      reason === undefined
        ? largest(
            means.map(({ standardError: s }, i) => ((allowed[i] ?? 0) + (missed[i] ?? 0)) * s + 2 * (slack[i] ?? 0))
          )
        : null,
    ...(reason === undefined ? {} : { reason })
  }
  return [row, reason !== undefined && lost === undefined]
}

/**
 * How many numbers a run compares, its rates, and how many standard errors each number may be off at least: `z` of a
 * normal; few or skewed samples have more.
 *
 * @category model
 * @since 0.1.0
 */
export interface Test {
  readonly comparisons: number
  readonly z: number
  readonly alpha: number
  readonly beta: number
}

/**
 * Verifies estimators on models, those of one model on the same noise. `show` is told each row as it comes, those that
 * were skipped first of their model. Left: what the target could not do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const verify = (
  cases: ReadonlyArray<{ readonly model: Model; readonly contenders: ReadonlyArray<Contender> }>,
  { samples, key, target, most, part = () => true, ...rates }: Options,
  show: (row: Row) => void = () => undefined
): TE.TaskEither<EstimatorError, { readonly rows: ReadonlyArray<Row>; readonly test: Test }> => {
  let place = 0
  const prepared = cases.map(({ model, contenders }) => ({
    model,
    claims: contenders.map((contender) =>
      pipe(
        claimOf(model, contender),
        E.mapLeft((reason) => ({ contender, reason }))
      )
    ),
    chosen: contenders.map(() => part(place++))
  }))
  const comparisons = prepared.reduce((n, { model, claims }) => n + model.components * RA.rights(claims).length, 0)
  const whole = { alpha, beta, ...rates }
  // the first look has half of alpha
  const test: Test = { comparisons, z: upperQuantile(whole.alpha / (4 * Math.max(comparisons, 1))), ...whole }
  const limit = Math.max(samples, most ?? mostSamples)
  const rows = Math.min(mostRows, samples)
  const tell = (row: Row): Row => {
    show(row)
    return row
  }
  const look = (
    model: Model,
    claim: Claim,
    noise: Plan['noise'],
    sampler: Sampler,
    at = 0
  ): TE.TaskEither<EstimatorError, Row> => {
    const count = Math.min(samples * growth ** at, limit)
    return pipe(
      sampler.run({ samples: count, noise }),
      TE.map((measured) => judge(model, claim, measured, test, at + 1)),
      TE.flatMap(([row, more]) =>
        more && count < limit && samples >= leastSamples ? look(model, claim, noise, sampler, at + 1) : TE.right(row)
      )
    )
  }
  const decide = (model: Model, claim: Claim, noise: Plan['noise']): TE.TaskEither<EstimatorError, Row> =>
    bracket(
      TE.fromEither(model.sampler(claim.contender, target, rows)),
      (sampler) => look(model, claim, noise, sampler),
      (sampler) => sampler.dispose
    )
  return pipe(
    prepared,
    RA.traverse(TE.ApplicativeSeq)(({ model, claims, chosen }) => {
      const noise = model.noise(foldInString(key, model.name), rows)
      return pipe(
        claims,
        RA.filterWithIndex((i) => chosen[i] === true),
        RA.traverse(TE.ApplicativeSeq)((claim) =>
          E.isLeft(claim)
            ? TE.fromIO(() => tell(skipped(model, claim.left.contender, test, claim.left.reason)))
            : pipe(decide(model, claim.right, noise), TE.map(tell))
        )
      )
    }),
    TE.map((all) => ({ rows: all.flat(), test }))
  )
}
