import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as MC from '../../laws/law/MonteCarlo.js'
import * as NoiseRule from '../../laws/exact/NoiseRule.js'
import * as Estimator from '../../laws/law/Estimator.js'
import * as NoiseLaws from '../../laws/law/Noise.js'
import * as Run from '../../laws/run/Run.js'
import * as Polynomial from '../../laws/toy/Polynomial.js'
import * as Verdict from '../../laws/Verdict.js'
import { scalarChain, tanhChain } from '../../laws/toy/Tanh.js'
import * as Noise from '../../src/chain/Noise.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as Density from '../../src/random/Density.js'
import { draw } from '../../src/random/Density.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** A density of one's own by its quantile function: the hyperbolic secant, of variance 1. */
const secant: Noise.Noise = {
  density: Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
    symmetric: true
  }),
  score: (eps) => X.scale(X.tanh(X.scale(eps, Math.PI / 2)), Math.PI / 2),
  logDensity: (eps) => {
    const size = X.scale(X.abs(eps), Math.PI / 2)
    return X.neg(X.add(size, X.log(X.add(X.exp(X.scale(size, -2)), X.scalar(1)))))
  }
}

/** Euler's constant, the mean of the standard Gumbel density. */
const euler = 0.5772156649015329

/** One that is not symmetric: Gumbel's, with its mean moved to 0. */
const gumbel: Noise.Noise = {
  density: Density.byQuantile('gumbel', (p) => -Math.log(-Math.log(p)) - euler),
  score: (eps) => X.sub(X.fill(eps.shape, 1), X.exp(X.scale(X.add(eps, X.scalar(euler)), -1))),
  logDensity: (eps) => {
    const z = X.add(eps, X.scalar(euler))
    return X.neg(X.add(z, X.exp(X.neg(z))))
  }
}

/** One by a function of two uniforms: the difference of two exponentials, which has Laplace's density. */
const difference: Noise.Noise = {
  ...Noise.laplace,
  density: Density.ofUniforms('difference of exponentials', 2, ([u = 0.5, v = 0.5]) => Math.log(u / v), {
    symmetric: true,
    rule: (n) => NoiseRule.ruleOf('laplace', n)
  })
}

const noises = [
  ['normal', Noise.normal, 1],
  ['laplace', Noise.laplace, 2],
  ['logistic', Noise.logistic, Math.PI ** 2 / 3],
  ['student t, 9 degrees', Noise.studentT(9), 9 / 7],
  ['hyperbolic secant', secant, 1],
  ['gumbel', gumbel, Math.PI ** 2 / 6],
  ['difference of exponentials', difference, 2]
] as const

describe.each(noises)('%s noise', (name, noise, variance) => {
  it('has the score that its log-density says, and density ratio 1 on-policy', () =>
    Run.chain(
      {
        chain: { ...tanhChain({ T: 3, alpha: 0.9, sigma: [0.5, 0.25, 0.75] }), noise },
        params: { theta: T.vector([0.25, -0.5]) },
        condition: {}
      },
      { numRuns: 3 }
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

describe('laws of noise', () => {
  it.each([0.5, 1, 2.5, 30, 100])('hold for Student t with %d degrees, however heavy its tails', (nu) =>
    Run.noise({ name: 'student t', noise: Noise.studentT(nu) }, { numRuns: 2 })
  )

  it('tell 8 degrees of freedom from 9', () => {
    const noise: Noise.Noise = { ...Noise.studentT(9), density: { studentT: 8 } }
    const verdict = NoiseLaws.draws({ name: 'student t', noise })(Key.make(1))
    expect(E.isLeft(verdict) ? Verdict.show(verdict.left) : 'holds').toMatch(
      /^student t: the draws are of the log-density: refuted in \d+ of 11 comparisons/
    )
  })
})

describe('the rule of a density', () => {
  const moments: ReadonlyArray<readonly [string, Density.Density, (k: number) => number]> = [
    ['laplace', 'laplace', (k) => Array.from({ length: k }, (_, i) => i + 1).reduce((a, b) => a * b, 1)],
    // 2 k! (1 - 2^(1-k)) zeta(k), for |x|^k of the logistic
    ['logistic', 'logistic', (k) => [1, 2 * Math.LN2, Math.PI ** 2 / 3][k] ?? Number.NaN]
  ]

  it.each(moments)('of the %s integrates powers on each side exactly, with few nodes', (_, density, moment) => {
    const { nodes, weights } = NoiseRule.ruleOf(density, 12)
    for (let k = 0; k <= (density === 'laplace' ? 11 : 2); k++) {
      const got = nodes.reduce((sum, x, i) => sum + (weights[i] ?? 0) * Math.abs(x) ** k, 0)
      // a node is off by a few units, and so its power by k times that
      expect(Math.abs(got / moment(k) - 1)).toBeLessThan(1e-12)
    }
    expect(nodes.length).toBe(12)
  })

  it('makes unbiasedness under any noise an equality', async () => {
    for (const noise of [Noise.laplace, Noise.logistic, secant, gumbel, difference, Noise.studentT(9)]) {
      const base = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5] }, [-1, 1, -0.5])
      const orders = [60, 90].map((n) => ({ xT: n, eps: () => n, xi: base.order.xi }))
      const setting = {
        ...base,
        chain: { ...base.chain, noise },
        order: orders[0] ?? base.order,
        objective: orders[0] ?? base.order,
        refined: orders[1] ?? base.order
      }
      const estimator = right(Catalogue.reinforce(1))
      Run.assert(await Estimator.unbiased(setting)({ estimator })())
      Run.assert(await Estimator.isFormula(setting)({ estimator }, Key.make(5))())
      // half of the score is half of the gradient, under every one of them
      const half = { ...noise, score: <S extends Shape>(eps: X.Expr<S>): X.Expr<S> => X.scale(noise.score(eps), 0.5) }
      const wrong = await Estimator.unbiased({ ...setting, chain: { ...setting.chain, noise: half } })({ estimator })()
      expect(E.isLeft(wrong) && wrong.left._tag).toBe('Refuted')
    }
  })
})
