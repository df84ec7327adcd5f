import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import { laplace, normal, type Noise } from '../../src/chain/Noise.js'
import * as Algebra from '../../src/estimator/Algebra.js'
import type * as Sampler from '../../src/estimator/Sampler.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Density from '../../src/random/Density.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const length = 4
const rlr = Algebra.of(right(Catalogue.rlr({ T: length, h: 2 })))
const full = Algebra.of(right(Catalogue.fullBackprop(length)))
const truncated = Algebra.of(right(Catalogue.truncatedBackprop({ T: length, k: 1 })))
const rest = Algebra.of(right(Est.fromCells('rest', length, [C.halfOrder(2, 4)])))

describe('what is paid', () => {
  it('adds up in sums, scales, and stays in averages, antithetic pairs and mixtures', () => {
    expect(Algebra.paid(truncated)).toEqual([1, 0, 0, 0])
    expect(Algebra.paid(Algebra.sum(truncated, rest))).toEqual([1, 1, 1, 1])
    expect(Algebra.paid(Algebra.scale(0.25)(full))).toEqual([0.25, 0.25, 0.25, 0.25])
    expect(Algebra.paid(Algebra.average(3)(truncated))).toEqual([1, 0, 0, 0])
    expect(Algebra.paid(Algebra.antithetic(rlr))).toEqual([1, 1, 1, 1])
    expect(
      Algebra.paid(
        Algebra.mixture([
          [1, truncated],
          [3, full],
          [0, rest]
        ])
      )
    ).toEqual([1, 0.75, 0.75, 0.75])
  })

  it('tells exact from biased', () => {
    const control = Algebra.sum(full, Algebra.scale(2)(rest), Algebra.scale(-2)(rest))
    expect(
      [rlr, full, truncated, Algebra.sum(truncated, rest), Algebra.sum(full, full), control].map(Algebra.isExact)
    ).toEqual([true, true, false, true, false, true])
  })

  it('is shown, and costs what its parts cost', () => {
    const all = Algebra.average(2)(Algebra.antithetic(Algebra.sum(truncated, rest)))
    expect(Algebra.show(all)).toBe('average(2, antithetic(truncated backpropagation(k = 1) + rest))')
    // a rollout of 4 and one step again, and a rollout of 4 and three steps again, four times
    expect(Algebra.cost(all)).toEqual({
      rollouts: 8,
      networkEvaluations: 4 * (5 + 7),
      pullbackSteps: 4 * 4,
      rewardEvaluations: 8,
      activationSteps: 3
    })
  })
})

describe('evaluations', () => {
  const middle: Sampler.Uniforms = () => 0.5

  it('share the noise in sums, draw anew in averages, and negate it in antithetic pairs', () => {
    const drawn = Algebra.evaluations(Algebra.average(2)(Algebra.antithetic(Algebra.sum(truncated, rest))), middle)
    expect(drawn.map(({ coefficient, stream, sign }) => [coefficient, stream, sign])).toEqual(
      ['noise.0', 'noise.1'].flatMap((stream) => [
        [0.25, stream, 1],
        [0.25, stream, 1],
        [0.25, stream, -1],
        [0.25, stream, -1]
      ])
    )
  })

  it('of a mixture are one part by its weight', () => {
    const mixture = Algebra.mixture([
      [1, truncated],
      [3, full]
    ])
    const at = (u: number): string =>
      Algebra.evaluations(mixture, () => u)
        .map(({ cover }) => C.show(cover))
        .join()
    expect([0, 0.2499, 0.25, 0.999].map(at)).toEqual(['FO(1..1)', 'FO(1..1)', 'FO(1..4)', 'FO(1..4)'])
  })
})

describe('a run', () => {
  it('adds up the parts: truncated and the rest is their cover, and antithetic is the mean of both signs', async () => {
    const rows = 3
    const all = Algebra.sum(Algebra.antithetic(full), Algebra.sum(truncated, rest))
    const problem = Gradient.problem(
      tanhChain({ T: length, alpha: 0.5, sigma: 0.5 }),
      quadraticReward(1),
      rows
    )(right(Algebra.support(all)))
    const gradients = right(Gradient.compile(problem, reference))
    const request = (stream: string, cover: C.Cover): Gradient.Request => {
      const [a, b] = Key.split(Key.foldInString(Key.make(1), stream), 2)
      return {
        cover,
        params: { theta: T.tabulate([rows, 2], (i) => i / 8) },
        condition: {},
        xT: Draw.normal(a ?? Key.make(0), [rows, 1]),
        eps: Draw.normal(b ?? Key.make(0), [length, rows, 1]),
        xi: {},
        weights: [1, 1, 1],
        advantageState: 0
      }
    }
    const gradientOf = async (cells: ReadonlyArray<C.Cell>, sign: 1 | -1): Promise<ReadonlyArray<number>> => {
      const asked = request('noise', right(C.cover(length, cells)))
      const negate = T.map((v) => sign * v)
      const signed = { ...asked, xT: negate(asked.xT), eps: negate(asked.eps) }
      return Array.from(right(await gradients.run(signed)()).gradient['theta']?.data ?? [])
    }
    const plus = await gradientOf([C.firstOrder(4)], 1)
    const minus = await gradientOf([C.firstOrder(4)], -1)
    const low = await gradientOf([C.firstOrder(1)], 1)
    const high = await gradientOf([C.halfOrder(2, 4)], 1)
    const { gradient } = right(await Algebra.run(gradients, all, () => 0.5, request)())
    expect(plus).not.toEqual(minus)
    gradient['theta']?.data.forEach((g: number, i: number) => {
      const expected = ((plus[i] ?? 0) + (minus[i] ?? 0)) / 2 + (low[i] ?? 0) + (high[i] ?? 0)
      // five roundings of numbers below 100
      expect(Math.abs(g - expected)).toBeLessThan(5 * 100 * 2 ** -52)
    })
  })
})

describe('an antithetic pair', () => {
  const gumbel = { ...normal, density: Density.byQuantile('gumbel', (p) => -Math.log(-Math.log(p))) }
  const drawn = (cover: C.Cover): Gradient.Request => ({
    cover,
    params: { theta: T.fill([2, 2], 0.5) },
    condition: {},
    xT: T.fill([2, 1], 0.5),
    eps: T.fill([length, 2, 1], 0.5),
    xi: {},
    weights: [1, 1],
    advantageState: 0
  })
  const said = async (noise: Noise, self: Algebra.Algebra): Promise<string> => {
    const chain = { ...tanhChain({ T: length, alpha: 0.5, sigma: 0.5 }), noise }
    const gradients = right(
      Gradient.compile(Gradient.problem(chain, quadraticReward(1), 2)(right(Algebra.support(self))), reference)
    )
    const result = await Algebra.run(
      gradients,
      self,
      () => 0.5,
      (_, cover) => drawn(cover)
    )()
    return E.isLeft(result) ? Gradient.showError(result.left) : 'ran'
  }

  it('of noise that is not symmetric is refused wherever it stands, and of other noise it is not', async () => {
    const refusal =
      "the noise 'gumbel' is not symmetric, so an antithetic pair, whose second half negates it, would be biased; use 'average(2)', or declare the density symmetric if it is"
    const pairs = [
      Algebra.antithetic(full),
      Algebra.scale(2)(Algebra.average(2)(Algebra.antithetic(full))),
      Algebra.sum(full, Algebra.mixture([[1, Algebra.antithetic(truncated)]]))
    ]
    for (const pair of pairs) {
      expect(await said(gumbel, pair)).toBe(refusal)
      expect(await said(normal, pair)).toBe('ran')
      expect(await said(laplace, pair)).toBe('ran')
    }
    expect(await said(gumbel, Algebra.average(2)(full))).toBe('ran')
  })
})
