/**
 * Tests by sampling with declared error rates, for what is too large to integrate.
 *
 * A test of a mean that accepts a true claim with probability `1 - alpha`, and misses a bias of `effect` standard
 * deviations with probability at most `beta`, needs `((z_{alpha/2} + z_beta) / effect)^2` samples, asymptotically.
 * Its bound is Student's, widened for skewed samples (`exact/MeanTest`), and samples that are too heavy-tailed for it
 * decide nothing. Keys come from the caller, so a failure is replayed by its seed. Nothing is tuned until it passes.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as C from '../../src/estimator/Cover.js'
import type { Weighted } from '../../src/estimator/Estimator.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn } from '../../src/random/Key.js'
import { erf } from '../../src/tensor/Op.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { moments } from '../../src/estimator/reading/Spread.js'
import { run, smoothingOf, type Subject } from '../exact/Expectation.js'
import { allowance, stratified, undecided } from '../exact/MeanTest.js'
import { allBatched, byComponent, components, sample, type Setting } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'
import type { Batched } from '../../src/tensor/Shape.js'

/**
 * Declared error rates of a whole test, and the bias, in standard deviations of one sample, that it must not miss.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rates {
  readonly alpha: number
  readonly beta: number
  readonly effect: number
}

/**
 * A false alarm or a miss in a million tests, for a bias of a tenth of a standard deviation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standard: Rates = { alpha: 1e-6, beta: 1e-6, effect: 0.1 }

/**
 * The z that a standard normal exceeds with probability `p`, by bisection; `p` in (1e-12, 1/2].
 *
 * @category utils
 * @since 0.1.0
 */
export const upperQuantile = (p: number): number => {
  let low = 0
  let high = 8
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2
    if ((1 - erf(middle / Math.SQRT2)) / 2 > p) low = middle
    else high = middle
  }
  return high
}

/**
 * How many samples a test of `comparisons` means needs; alpha is split over them.
 *
 * @category utils
 * @since 0.1.0
 */
export const sampleSize = ({ alpha, beta, effect }: Rates, comparisons: number): number =>
  Math.ceil(((upperQuantile(alpha / (2 * comparisons)) + upperQuantile(beta)) / effect) ** 2)

/**
 * The test of a claimed mean on samples, as a comparison: the tolerance is so many standard errors, and infinite
 * where the samples do not decide.
 *
 * @category utils
 * @since 0.1.0
 */
export const zTest = (
  at: string,
  expected: number,
  samples: ReadonlyArray<number>,
  rates: Rates,
  comparisons: number
): Comparison => {
  const { n, mean, standardError, skewness, heaviest } = moments([{ width: 1, data: Float64Array.from(samples) }])
  const one = stratified([
    { weight: 1, n, standardError: standardError[0] ?? 0, skewness: skewness[0] ?? 0, heaviest: heaviest[0] ?? 0 }
  ])
  const p = rates.alpha / (2 * comparisons)
  const t = allowance(p, one)
  const reason = undecided(n, [one], p)
  return {
    at,
    expected,
    got: mean[0] ?? Number.NaN,
    tolerance: reason === undefined ? t * one.standardError : Number.POSITIVE_INFINITY,
    because:
      reason ??
      `a test of ${n} samples: ${t.toFixed(2)} standard errors, false alarms ${rates.alpha}, misses ${rates.beta} of a bias of ${rates.effect} deviations, asymptotically`
  }
}

/**
 * **Unbiased, by sampling.** Under each cover the mean of the per-sample gradients is the given vector, one number
 * for each trained component. It needs parameters with a batch axis, so that every row has its own gradient.
 *
 * @category laws
 * @since 0.1.0
 */
export const unbiased =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
    setting: Setting<P, S, D, R>,
    rates: Rates = standard
  ) =>
  (subject: Subject, expected: ReadonlyArray<number>, key: Key): Task<Verdict> => {
    const law = 'unbiased, by sampling'
    const { covers, name } = subject.estimator
    const tests = covers.length * components(setting).length
    const n = sampleSize(rates, tests)
    const able: E.Either<string, ReadonlyArray<Weighted>> = allBatched(setting)
      ? E.right(covers)
      : E.left('a trained parameter has no batch axis')
    return pipe(
      TE.fromEither(able),
      TE.flatMap(
        RA.traverseWithIndex(TE.ApplicativeSeq)((i, { cover }) =>
          pipe(
            run(setting, subject, cover, sample(setting, foldIn(key, i), n, smoothingOf(cover)?.perturbation)),
            TE.map(({ estimate }) =>
              byComponent(setting, estimate.gradient).map((row, k) =>
                zTest(
                  `${name}: ${C.show(cover)}, ${components(setting)[k]?.label ?? ''}`,
                  expected[k] ?? Number.NaN,
                  // each row carries its weight 1 / n
                  row.map((x) => x * n),
                  rates,
                  tests
                )
              )
            )
          )
        )
      ),
      TE.match(
        (reason) => V.stuck(law, reason),
        (all) => V.verdict(law, all.flat())
      )
    )
  }
