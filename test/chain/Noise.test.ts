import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as MC from '../../laws/law/MonteCarlo.js'
import * as Run from '../../laws/run/Run.js'
import { scalarChain, tanhChain } from '../../laws/toy/Tanh.js'
import * as Noise from '../../src/chain/Noise.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { brightness } from '../../src/reward/Pixels.js'
import { draw } from '../../src/random/Density.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const noises = [
  ['normal', Noise.normal, 1],
  ['laplace', Noise.laplace, 2],
  ['logistic', Noise.logistic, Math.PI ** 2 / 3],
  ['student t, 9 degrees', Noise.studentT(9), 9 / 7]
] as const

describe.each(noises)('%s noise', (name, noise, variance) => {
  it('has the score that its log-density says, and density ratio 1 on-policy', () =>
    Run.chain(
      {
        chain: { ...tanhChain({ T: 3, alpha: 0.9, sigma: [0.5, 0.25, 0.75] }), noise },
        params: { theta: T.vector([0.25, -0.5]) },
        condition: {}
      },
      { numRuns: 5 }
    ))

  it('is drawn with mean 0 and its variance', () => {
    const n = 1 << 16
    const data = Array.from(draw(noise.density, Key.make(17), [n]).data)
    const mean = data.reduce((a, b) => a + b, 0) / n
    const second = data.reduce((a, b) => a + b * b, 0) / n
    const fourth = data.reduce((a, b) => a + b ** 4, 0) / n
    // z = 5.7 leaves a false alarm in a hundred million for each of the eight tests; the errors are the sample's own
    expect(Math.abs(mean)).toBeLessThan(5.7 * Math.sqrt(second / n))
    expect(Math.abs(second - variance)).toBeLessThan(5.7 * Math.sqrt((fourth - second * second) / n))
  })

  it('leaves likelihood-ratio estimators unbiased', async () => {
    // x_{t-1} = (alpha + a) x_t + b + sigma eps and R = x: J = (alpha + a) b + b for any noise of mean 0
    const linear = scalarChain(
      'linear',
      { T: 2, alpha: 0.5, sigma: [0.5, 0.75] },
      (x) => x,
      () => X.fill(['batch', 1], 1)
    )
    const setting = {
      chain: { ...linear, noise },
      reward: brightness(1),
      advantage: Advantage.constant(0.25),
      params: { theta: T.vector([0.25, 0.5]) },
      condition: {},
      trained: () => true,
      order: { xT: 2, eps: () => 2, xi: () => 2 }
    }
    for (const estimator of [
      right(Catalogue.reinforce(2)),
      right(Catalogue.segmented({ T: 2, h: 1 })),
      right(Catalogue.rlr({ T: 2, h: 1 }))
    ]) {
      Run.assert(await MC.unbiased(setting)({ estimator }, [0.5, 1.75], Key.foldInString(Key.make(23), name))())
    }
  })
})
