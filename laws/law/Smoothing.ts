/**
 * Laws of smoothing: how far the expectation of a zeroth-order cell is from the gradient of `J`.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { expectation, plus, terms, type Subject, type Uncertain } from '../exact/Expectation.js'
import { components, type Setting } from '../Setting.js'
import type { Comparison, Verdict } from '../Verdict.js'
import { compare, settle } from './Comparing.js'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Smoothing.** A zeroth-order cell is off the gradient of `J` by `O(s^2)`: between radii `s` and `s / 2` the bias
 * falls by a power that tends to 2, and extrapolating the sequence of local powers (their own error falls as `s^2`
 * too) gives 2 to the distance of the last two extrapolations. Where the expected reward is quadratic in the copies
 * of the parameters, jointly, there is no bias to measure: see `smoothingVanishes`.
 *
 * @category laws
 * @since 0.1.0
 */
export const smoothingOrder =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subjectAt: (radius: number) => Subject, radius: number): Task<Verdict> => {
    const radii = [0, 1, 2, 3].map((k) => radius / 2 ** k)
    return settle(
      'smoothing bias falls as the square of the radius',
      pipe(
        radii,
        RA.traverse(TE.ApplicativeSeq)((s) => smoothingBias(setting, subjectAt(s))),
        TE.map((biases) =>
          components(setting).map(({ label }, i): Comparison => {
            const bias = biases.map((b) => b.value[i] ?? 0)
            const powers = [0, 1, 2].map((k) => Math.log2(Math.abs((bias[k] ?? 0) / (bias[k + 1] ?? 0))))
            const [p0 = 0, p1 = 0, p2 = 0] = powers
            const first = p1 + (p1 - p0) / 3
            const second = p2 + (p2 - p1) / 3
            const noise = (biases[3]?.error[i] ?? 0) / Math.abs(bias[3] ?? 0)
            return {
              at: `power of the radius, ${label}`,
              expected: 2,
              got: second,
              tolerance: Math.abs(second - first) + 4 * noise,
              because: 'the distance of the last two extrapolations, and the relative error of the smallest bias'
            }
          })
        )
      )
    )
  }

/**
 * **No smoothing bias for quadratics.** Where the expected reward is quadratic in the copies of the parameters,
 * jointly, estimators with a zeroth-order cell have
 * the gradient of `J` itself for their expectation, at any radius.
 *
 * @category laws
 * @since 0.1.0
 */
export const smoothingVanishes =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Task<Verdict> =>
    settle(
      'no smoothing bias for quadratics',
      pipe(
        smoothingBias(setting, subject),
        TE.map((bias) =>
          compare(
            setting,
            `bias of ${subject.estimator.name}`,
            { value: bias.value.map(() => 0), error: bias.error },
            bias
          )
        )
      )
    )

/**
 * The expectation of an estimator, its covers weighted, less the gradient of the objective without any smoothing.
 *
 * @category utils
 * @since 0.1.0
 */
export const smoothingBias = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject
): TE.TaskEither<string, Uncertain> =>
  pipe(
    subject.estimator.covers,
    RA.traverse(TE.ApplicativeSeq)(({ weight, cover }) =>
      pipe(
        expectation(setting, subject, cover),
        TE.map((one) => ({ weight, one }))
      )
    ),
    TE.bindTo('means'),
    TE.bind('exact', () => TE.fromEither(terms(setting, () => 1))),
    TE.map(({ means, exact }) =>
      means.reduce(
        (total, { weight, one }) => plus(total, one, weight),
        plus({ value: exact.value.map(() => 0), error: exact.value.map(() => 0) }, exact, -1)
      )
    )
  )
