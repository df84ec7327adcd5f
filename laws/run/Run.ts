/**
 * Runners: laws lifted to fast-check properties that throw what a test framework shows.
 *
 * Each takes what is under test and runs every law of its structure, the weaker structure's first. Whatever a law draws comes
 * from a key that fast-check chose, so a failure is replayed by its seed and shrunk.
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
import type { Setting } from '../Setting.js'
import type { Case } from '../law/Tensor.js'
import * as Tensor from '../law/Tensor.js'
import * as V from '../Verdict.js'
import type { Verdict } from '../Verdict.js'
import type { Batched } from '../../src/tensor/Shape.js'

/**
 * fast-check's parameters of a run.
 *
 * @category model
 * @since 0.1.0
 */
export type Parameters = fc.Parameters<unknown>

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
    parameters
  )

/**
 * The laws of a chain: segments compose at every step, a rollout is its segments, the density ratio is 1 on-policy, the score
 * is the gradient of the log-density, and a key replays on a target.
 *
 * @category runners
 * @since 0.1.0
 */
export const chain = <P extends Params, S extends Batched, C extends Exprs>(
  subject: Chain.Subject<P, S, C>,
  parameters?: Parameters,
  target: Target = reference
): Promise<void> => {
  const { T, sigma, name } = subject.chain
  const noisy = sigma.some((s, t) => t > 0 && s > 0)
  return forAll(
    Arbitrary.key,
    async (key) =>
      V.all(name, [
        ...Array.from({ length: T - 1 }, (_, i) => Chain.segmentsCompose(subject)(i + 1, key)),
        Chain.rolloutIsSegments(subject)(key),
        await Chain.replays(subject, target)(key)(),
        ...(noisy ? [Chain.onPolicy(subject)(key), Chain.scoreIsGradient(subject)(key)] : [])
      ]),
    parameters
  )
}

/**
 * The laws of an estimator on a setting: weights, refusal where there is no score, the formula for each noise, the order of
 * cells; then unbiased if it claims so, else that its bias is what is unpaid; and, if it has a baseline, that it leaves the
 * expectation alone. A batch-dependent baseline changes the formula of a row by the others and is judged by batches of two.
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
      { numRuns: 1, ...parameters }
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
    parameters
  )
