/**
 * Runners: laws lifted to fast-check properties that throw what a test framework shows.
 *
 * Each takes what is under test and runs every law of its structure, the weaker structure's first. Whatever a law
 * draws comes from a key that fast-check chose, so a failure is replayed by its seed and shrunk.
 *
 * @example
 * import { Run } from 'halforder/laws'
 * import { Activation } from 'halforder/lens'
 *
 * await Run.lens({ name: 'silu', lens: Activation.silu(), argument: ['batch', 3], sizes: { batch: 2 } })
 *
 * @since 0.1.0
 */
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Target } from '../../src/tensor/Target.js'
import { reference } from '../../src/tensor/Target.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import * as Arbitrary from '../arbitrary/Toys.js'
import * as Chain from '../law/Chain.js'
import * as Estimator from '../law/Estimator.js'
import type { Subject as EstimatorSubject } from '../exact/Expectation.js'
import * as Lens from '../law/Lens.js'
import * as Noise from '../law/Noise.js'
import type { Setting } from '../Setting.js'
import type { Case } from '../law/Tensor.js'
import * as Tensor from '../law/Tensor.js'
import * as V from '../Verdict.js'
import type { Verdict } from '../Verdict.js'
import type { Batched } from '../../src/tensor/Shape.js'

/**
 * fast-check's parameters of a run. `numRuns` is 10 for lenses, 3 for chains, 1 for estimators and 100 for programs
 * unless it is given: what fits the five seconds that test frameworks allow. A wrong pullback shows in the first run;
 * more look at more places.
 *
 * @category model
 * @since 0.1.0
 */
export type Parameters = fc.Parameters<unknown>

/**
 * How often each runner tries by default.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultRuns = { lens: 10, chain: 3, estimator: 1, program: 100 } as const

/**
 * Throws the drawn violation if a verdict is one.
 *
 * @category runners
 * @since 0.1.0
 */
export const assert = (verdict: Verdict): void => {
  if (E.isLeft(verdict)) throw new Error(V.show(verdict.left))
}

/**
 * A law for all values of an arbitrary.
 *
 * @category runners
 * @since 0.1.0
 */
export const forAll = <A>(
  arbitrary: fc.Arbitrary<A>,
  law: (a: A) => Verdict | Promise<Verdict>,
  parameters: Parameters = {}
): Promise<void> =>
  fc.assert(
    fc.asyncProperty(arbitrary, async (a) => assert(await law(a))),
    // the violation is in the error, so it belongs in the report; parameters do not look at values, but for `examples`, which
    // no caller can build for a type it does not know
    { includeErrorInReport: true, ...parameters } as fc.Parameters<[A]>
  )

/**
 * The laws of a lens: identity, linear in the cotangent, adjoint.
 *
 * @category runners
 * @since 0.1.0
 */
export const lens = <P extends Params, A extends Exprs, B extends Exprs>(
  subject: Lens.Subject<P, A, B>,
  parameters?: Parameters
): Promise<void> =>
  forAll(
    fc.tuple(Arbitrary.key, Arbitrary.number(2), Arbitrary.number(2)),
    ([key, x, y]) =>
      V.all(subject.name, [Lens.identity(subject)(key), Lens.linear(subject)(key, x, y), Lens.adjoint(subject)(key)]),
    { numRuns: defaultRuns.lens, ...parameters }
  )

/**
 * The laws of a noise: its score is the gradient of its log-density and integrates by parts, and its quadrature rule
 * and its draws are of that density.
 *
 * @category runners
 * @since 0.1.0
 */
export const noise = (subject: Noise.Subject, parameters?: Parameters): Promise<void> =>
  forAll(Arbitrary.key, Noise.all(subject), { numRuns: defaultRuns.chain, ...parameters })

/**
 * The laws of a chain. Once: those of its noise, and that a key replays on a target. In each run, at some steps (all
 * of at most eight): the pullback of a step is its transposed derivative, in the state too; segments compose, a
 * rollout is its segments, the density ratio is 1 on-policy, and the score is the gradient of the log-density. Of a chain of
 * discrete outcomes there are no segments, and `Tokens` has the laws of its score.
 *
 * @category runners
 * @since 0.1.0
 */
export const chain = async <P extends Params, S extends Batched, C extends Exprs>(
  subject: Chain.Subject<P, S, C>,
  parameters?: Parameters,
  target: Target = reference
): Promise<void> => {
  const { T, sigma, name, noise: own } = subject.chain
  const noisy = sigma.some((s, t) => t > 0 && s > 0)
  const once = { ...parameters, numRuns: 1 }
  if (noisy) await noise({ name: `${name}, noise`, noise: own }, once)
  await forAll(Arbitrary.key, (key) => Chain.replays(subject, target)(key)(), once)
  if (own.outcome !== undefined) {
    return forAll(Arbitrary.key, (key) => Chain.adjoint(subject)(key), { numRuns: defaultRuns.chain, ...parameters })
  }
  // a short chain is looked at as a whole
  const reach = T <= 8 ? T : 2
  return forAll(
    Arbitrary.key,
    (key) =>
      V.all(name, [
        Chain.adjoint(subject)(key),
        ...Chain.someSteps(T - 1, key).map((k) => Chain.segmentsCompose(subject)(k, key, reach)),
        Chain.rolloutIsSegments(subject)(key, 2 * reach),
        ...(noisy ? [Chain.onPolicy(subject)(key), Chain.scoreIsGradient(subject)(key)] : [])
      ]),
    { numRuns: defaultRuns.chain, ...parameters }
  )
}

/**
 * The laws of an estimator on a setting: weights, refusal where there is no score, the formula for each noise, the
 * order of cells; then unbiased if it claims so, else that its bias is what is unpaid; and, if it has a baseline,
 * that it leaves the expectation alone. A batch-dependent baseline changes the formula of a row by the others and is
 * judged by batches of two.
 *
 * @category runners
 * @since 0.1.0
 */
export const estimator =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: EstimatorSubject, parameters?: Parameters): Promise<void> => {
    const { estimator: one, advantage } = subject
    const bias = one._tag === 'exact' ? Estimator.unbiased(setting) : Estimator.biasIsUnpaid(setting)
    const alone = advantage === undefined || !advantage.batchDependent
    return forAll(
      Arbitrary.key,
      async (key) =>
        V.all(one.name, [
          Estimator.weights(subject),
          Estimator.refusesNoScore(setting)(subject),
          await Estimator.isFormula(setting)(subject, key)(),
          await Estimator.orderOfCells(setting)(subject, key)(),
          alone ? await bias(subject)() : await Estimator.batchBaseline(setting)(subject)(),
          ...(advantage !== undefined && alone ? [await Estimator.baseline(setting)(subject)()] : [])
        ]),
      { numRuns: defaultRuns.estimator, ...parameters }
    )
  }

/**
 * The laws of a program on given values: shapes, wrong inputs are named, and a target agrees with the meaning.
 *
 * @category runners
 * @since 0.1.0
 */
export const program = (
  cases: fc.Arbitrary<Case>,
  target: Target = reference,
  parameters?: Parameters
): Promise<void> =>
  forAll(
    cases,
    async (one) =>
      V.all('program', [Tensor.shapes(one), Tensor.namesWrongInputs(one), await Tensor.compiledAgrees(target)(one)()]),
    { numRuns: defaultRuns.program, ...parameters }
  )
