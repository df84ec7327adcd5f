/**
 * Categorical steps: the noise of a chain whose states are one-hot codes.
 *
 * A step of location noise keeps `y = mean + sigma eps` itself. A categorical step keeps, of each group of `alphabet` numbers, only
 * which one is the largest:
 *
 *     x' = onehot(argmax_k y_k),    eps_k independent standard Gumbels,
 *
 * so `x'` is a draw of `p = softmax(mean / sigma)` (Gumbel 1954; Maddison, Mnih and Teh, arXiv 1611.00712): the means are logits, and
 * sigma is a temperature. Nothing that `mean` does to `x'` can be differentiated: `x'` is constant almost everywhere and jumps
 * elsewhere. What is left is the score of the law of `x'`,
 *
 *     d log p(x') / d mean = (x' - p) / sigma.
 *
 * It is the score of the Gumbels, `(1 - e^-eps) / sigma`, averaged over those that lead to the same `x'`, so it varies less.
 *
 * @since 0.1.0
 */
import * as Density from '../random/Density.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import type { Shape } from '../tensor/Shape.js'
import { tabulate } from '../tensor/Tensor.js'
import type { Noise, Outcome } from './Noise.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The standard Gumbel density `exp(-eps - e^-eps)`: what is added to logits before the largest is kept.
 *
 * @category constants
 * @since 0.1.0
 */
export const gumbel: Density.Custom = /*#__PURE__*/ Density.byQuantile('gumbel', (p) => -Math.log(-Math.log(p)))

/**
 * Categories: each group of `alphabet` neighbours along a state's last axis is a one-hot code, drawn from the softmax of the
 * step's mean over sigma. A state of several places has several groups, drawn independently. Of equally large numbers, which
 * rounding makes about once in 1e7 draws, the first is kept. A category is forbidden by a mean of `forbidden`. Programs do not
 * close where the last axis is no multiple of the alphabet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const categorical = (alphabet: number): Noise => ({
  density: gumbel,
  score: (eps) => X.sub(X.fill(eps.shape, 1), X.exp(X.neg(eps))),
  logDensity: (eps) => X.neg(X.add(eps, X.exp(X.neg(eps)))),
  outcome: outcome(alphabet)
})

/**
 * The mean of a category that is never drawn, where others are near 0: its probability is 0 in every number format, and nothing
 * overflows.
 *
 * @category constants
 * @since 0.1.0
 */
export const forbidden = -1e4

const outcome = (alphabet: number): Outcome => ({
  name: `one of ${alphabet} categories`,
  of: (noisy) =>
    grouped(alphabet, noisy, (y) => {
      const largest = X.maximum<Shape, ReadonlyArray<number>>(y, [y.shape.length - 1])
      const places = X.broadcastTo(
        X.constant(
          tabulate([alphabet], (i) => i),
          [alphabet]
        ),
        y.shape
      )
      const hot = X.equal<Shape>(y, over(largest, y.shape))
      const first = X.minimum<Shape, ReadonlyArray<number>>(X.select(hot, places, X.scalar(alphabet)), [
        y.shape.length - 1
      ])
      // 0, but where the largest is no finite number, which the samples are to show
      const finite = X.sub<Shape>(largest, largest)
      return X.add<Shape>(X.equal<Shape>(places, over(first, y.shape)), over(finite, y.shape))
    }),
  mean: (location) => grouped(alphabet, location, (m) => X.exp(logSoftmax(m))),
  pullMean: (location, bar) => {
    const p = grouped(alphabet, location, (m) => X.exp(logSoftmax(m)))
    return X.mul(p, X.sub(bar, grouped(alphabet, X.mul(p, bar), total)))
  },
  logProbability: (location, kept) => X.weigh(grouped(alphabet, location, logSoftmax), kept),
  score: (location, kept) =>
    X.sub(
      kept,
      grouped(alphabet, location, (m) => X.exp(logSoftmax(m)))
    ),
  divergence: (a, b) => {
    const logA = grouped(alphabet, a, logSoftmax)
    const logB = grouped(alphabet, b, logSoftmax)
    const [p, q] = [X.exp(logA), X.exp(logB)]
    const value = X.mul(p, X.sub(logA, logB))
    return [value, X.sub(value, X.mul(p, grouped(alphabet, value, total))), X.sub(q, p)]
  }
})

// -------------------------------------------------------------------------------------
// groups
// -------------------------------------------------------------------------------------

/** Something of each group of `alphabet` neighbours along the last axis. */
const grouped = <S extends Shape>(alphabet: number, x: Expr<S>, each: (groups: Expr) => Expr): Expr<S> => {
  const last = x.shape.at(-1)
  const whole = typeof last === 'number' && Number.isSafeInteger(alphabet) && alphabet > 0 && last % alphabet === 0
  if (!whole) {
    const expected = `a last axis that is a multiple of the alphabet, ${alphabet}`
    return X.ill([x], x.shape, Need.fault('categorical', expected, String(last ?? 'none'), 'change either'))
  }
  return X.reshape(each(X.reshape(x, [...x.shape.slice(0, -1), last / alphabet, alphabet])), x.shape)
}

/** A number of each group, spread over it. */
const over = (numbers: Expr, shape: Shape): Expr => X.broadcastTo(X.reshape(numbers, [...shape.slice(0, -1), 1]), shape)

const total = (x: Expr): Expr => over(X.sum<Shape, ReadonlyArray<number>>(x, [x.shape.length - 1]), x.shape)

/** Log-probabilities, of which the largest mean is taken off first so that nothing overflows. */
const logSoftmax = (x: Expr): Expr => {
  const largest = X.maximum<Shape, ReadonlyArray<number>>(x, [x.shape.length - 1])
  const shifted = X.sub<Shape>(x, over(largest, x.shape))
  return X.sub<Shape>(shifted, X.log(total(X.exp(shifted))))
}
