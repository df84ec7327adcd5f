import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { quadraticReward, scalarChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// x_0 = b + sigma eps and R = -(x - m)^2: J = -(b - m)^2 - sigma^2, so the gradient is -2 (b - m), L = 2 and the gap (b - m)^2
const m = 1
const start = -1
const smoothness = 2
const zero = (): X.Expr<readonly ['batch', 1]> => X.fill(['batch', 1], 0)
const chain = scalarChain('constant', { T: 1, alpha: 0, sigma: 0.5 }, zero, zero)
const runs = 500
const iterations = 40

/** Gradient ascent from one start in many independent runs, one a row: the squared gradients and the gradient's variances. */
const ascend = async (
  estimator: Estimator,
  rate: number,
  sign: 1 | -1
): Promise<{ readonly squared: number; readonly variance: number }> => {
  const problem = Gradient.problem(chain, quadraticReward(m), runs, { advantage: Advantage.constant(-1) })(estimator)
  const gradients = right(Gradient.compile(problem, reference))
  const b = new Float64Array(runs).fill(start)
  let squared = 0
  let variance = 0
  for (let k = 0; k < iterations; k++) {
    const key = Key.foldIn(Key.make(31), k)
    const result = await gradients.run({
      cover: estimator.covers[0].cover,
      params: { theta: T.tabulate([runs, 2], (i) => (i % 2 === 0 ? 0 : (b[(i - 1) / 2] ?? 0))) },
      condition: {},
      xT: Draw.normal(Key.foldInString(key, 'xT'), [runs, 1]),
      eps: Draw.normal(Key.foldInString(key, 'eps'), [1, runs, 1]),
      xi: { theta: Draw.normal(Key.foldInString(key, 'xi'), [runs, 2]) },
      weights: new Array<number>(runs).fill(1),
      advantageState: 0
    })()
    // an ascent that diverges overflows, which is refused
    if (E.isLeft(result) && result.left._tag === 'NotFiniteRow') return { squared: Infinity, variance: Infinity }
    const { gradient } = right(result)
    let noise = 0
    for (let row = 0; row < runs; row++) {
      const exact = -2 * ((b[row] ?? 0) - m)
      const estimate = gradient['theta']?.data[2 * row + 1] ?? Number.NaN
      squared += exact ** 2 / runs / iterations
      noise += (estimate - exact) ** 2 / runs
      b[row] = (b[row] ?? 0) + sign * rate * estimate
    }
    variance = Math.max(variance, noise)
  }
  return { squared, variance }
}

describe('Theorem 6.4: the mean squared gradient of ascent', () => {
  const gap = (start - m) ** 2
  const estimators = [
    ['reinforce', right(Catalogue.reinforce(1))],
    ['evolution strategies', right(Catalogue.evolutionStrategies({ T: 1 }))],
    ['full backpropagation', right(Catalogue.fullBackprop(1))]
  ] as const

  const bound = (variance: number): number =>
    (2 * smoothness * gap) / iterations + Math.sqrt((8 * smoothness * gap * variance) / iterations)
  const rateFor = (variance: number): number =>
    Math.min(1 / smoothness, Math.sqrt((2 * gap) / (smoothness * variance * iterations)))

  it.each(estimators)(
    'is below 2 L D / n + sqrt(8 L D sigma^2 / n) for %s, with the variance that was met',
    async (_, estimator) => {
      // the variance is measured along a first ascent; the second one, with the rate that follows, must not meet a larger one
      const { variance: guess } = await ascend(estimator, 0.01, 1)
      const { squared, variance } = await ascend(estimator, rateFor(2 * guess), 1)
      expect(variance).toBeLessThanOrEqual(2 * guess)
      expect(squared).toBeLessThan(bound(2 * guess))
    }
  )

  it('is not for a gradient with its sign flipped', async () => {
    const [[, estimator]] = estimators
    const { variance } = await ascend(estimator, 0.01, 1)
    const { squared } = await ascend(estimator, rateFor(2 * variance), -1)
    expect(squared).toBeGreaterThan(bound(2 * variance))
  })
})
