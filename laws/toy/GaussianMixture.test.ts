import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { cosine } from '../../src/chain/Schedule.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as L from '../../src/lens/Lens.js'
import * as Programs from '../../src/estimator/program/Programs.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Reference from '../../src/tensor/Reference.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Run from '../run/Run.js'
import { mixtureChain } from './GaussianMixture.js'
import { quadraticReward } from './Tanh.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const mixture = [
  { weight: 0.25, mean: -2, variance: 0.04 },
  { weight: 0.75, mean: 1, variance: 0.09 }
]
const chain = mixtureChain(mixture, cosine(8))

describe('the chain on a mixture of normals', () => {
  it.each([1, 4, 8])('has the pullback of its step %i', (t) => {
    return Run.lens(
      { name: `step ${t}`, lens: L.given(chain.mean(X.scalar(t)), {}), argument: ['batch', 1], sizes: { batch: 2 } },
      { numRuns: 10 }
    )
  })

  it('draws from both modes, in their proportion', () => {
    const rows = 4000
    const fine = mixtureChain(mixture, cosine(200))
    const program = right(Programs.rollout(fine, { perturbation: 'none', keep: false, trained: () => true }))
    const out = right(
      Reference.run(
        program,
        { batch: rows },
        {
          'params.theta': T.fill([rows, 2], 0),
          xT: Draw.normal(Key.make(1), [rows, 1]),
          eps: Draw.normal(Key.make(2), [200, rows, 1])
        }
      )
    )
    const samples = Array.from(out['x0']?.data ?? [])
    const low = samples.filter((x) => x < -0.5).length / rows
    // six standard errors of a share of a quarter of 4000, and the first-order error of 200 steps
    expect(Math.abs(low - 0.25)).toBeLessThan(6 * Math.sqrt(0.1875 / rows) + 1 / 200)
    expect(samples.filter((x) => Math.abs(x - 1) < 1.5 || Math.abs(x + 2) < 1).length / rows).toBeGreaterThan(0.99)
  })

  it('is a chain on which likelihood ratios and backpropagation agree', async () => {
    const batch = 4000
    const draws: Variance.Draws = {
      uniform: () => 0,
      request: (i, cover) => ({
        cover,
        params: { theta: T.tabulate([batch, 2], (k) => (k % 2 === 0 ? 0.25 : -0.125)) },
        condition: {},
        xT: Draw.normal(Key.foldIn(Key.make(3), i), [batch, 1]),
        eps: Draw.normal(Key.foldIn(Key.make(4), i), [8, batch, 1]),
        xi: {},
        weights: new Array<number>(batch).fill(1),
        advantageState: 0
      })
    }
    const problem = { chain, reward: quadraticReward(1), advantage: Advantage.constant(-2), trained: () => true, batch }
    const estimators = [
      right(Catalogue.fullBackprop(8)),
      right(Catalogue.reinforce(8)),
      right(Catalogue.segmented({ T: 8, h: 2 }))
    ]
    const [full, ...others] = right(await Variance.compare(problem, estimators, reference, draws, 4)())
    for (const other of others) {
      other.gradient.mean.forEach((mean, i) => {
        const error = Math.hypot(other.gradient.standardError[i] ?? 0, full?.gradient.standardError[i] ?? 0)
        // z = 5.5: a false alarm in five million for each of the four comparisons
        expect(Math.abs(mean - (full?.gradient.mean[i] ?? 0))).toBeLessThan(5.5 * error)
      })
    }
  })
})
