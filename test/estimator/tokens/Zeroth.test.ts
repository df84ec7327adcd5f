import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { gradient } from '../../../laws/exact/Enumeration.js'
import * as Quadrature from '../../../laws/exact/Quadrature.js'
import * as MonteCarlo from '../../../laws/law/MonteCarlo.js'
import * as Toy from '../../../laws/toy/Tokens.js'
import * as Verdict from '../../../laws/Verdict.js'
import { perRow } from '../../../src/chain/Chain.js'
import * as A from '../../../src/estimator/Advantage.js'
import { evolutionStrategies } from '../../../src/estimator/catalogue/EvolutionStrategies.js'
import * as Gradient from '../../../src/estimator/Gradient.js'
import { draw } from '../../../src/random/Density.js'
import * as Key from '../../../src/random/Key.js'
import { reference } from '../../../src/tensor/Target.js'
import * as T from '../../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const size = { places: 1, alphabet: 2, T: 2 }
const toy: Toy.TokenToy = {
  ...Toy.plain(size, [1, 0.75]),
  params: {
    w: T.matrix([
      [0.5, -0.5],
      [-1, 0.25]
    ]),
    b: T.vector([0.25, -0.5]),
    s: T.vector([1, -0.5])
  },
  u: [1, -0.5],
  v: [0.5, 2]
}
const radius = 0.5

it('zeroth-order cells estimate the smoothed gradient on chains that draw categories', async () => {
  const rows = MonteCarlo.sampleSize(MonteCarlo.standard, 2)
  const estimator = right(evolutionStrategies({ T: 2, radius }))
  const chain = perRow(toy.chain, (path) => path === 'b')
  const problem = Gradient.problem(chain, Toy.tokenReward(toy), rows, {
    advantage: A.none,
    trained: (path) => path === 'b'
  })(estimator)
  const gradients = right(Gradient.compile(problem, reference))
  const normals = (name: number, shape: ReadonlyArray<number>): T.Tensor =>
    draw('normal', Key.foldIn(Key.make(4), name), shape)
  const found = right(
    await gradients.run({
      cover: estimator.covers[0].cover,
      params: { ...toy.params, b: T.tabulate([rows, 2], (i) => (i % 2 === 0 ? 0.25 : -0.5)) },
      condition: { c: T.fill([rows, 1], 0) },
      xT: T.tabulate([rows, 2], (i) => 1 - (i % 2)),
      eps: draw(chain.noise.density, Key.make(5), [2, rows, 2]),
      xi: { b: normals(0, [rows, 2]) },
      weights: new Array<number>(rows).fill(1),
      advantageState: 0
    })()
  ).gradient['b']
  // the expectation over directions of the exact gradient, by 24 nodes a number
  const nodes = Quadrature.product([24, 24])
  const exact = [0, 1].map((i) =>
    nodes.points.reduce((sum, [x = 0, y = 0], k) => {
      const params = { ...toy.params, b: T.vector([0.25 + radius * x, -0.5 + radius * y]) }
      return sum + (nodes.weights[k] ?? 0) * (gradient({ ...toy, params }).gradient.b[i] ?? 0)
    }, 0)
  )
  const tests = exact.map((expected, i) =>
    MonteCarlo.zTest(
      `b[${i}]`,
      expected,
      Array.from({ length: rows }, (_, r) => found?.data[2 * r + i] ?? Number.NaN),
      MonteCarlo.standard,
      2
    )
  )
  const verdict = Verdict.verdict('zeroth-order on categories', tests)
  expect(E.isLeft(verdict) ? Verdict.show(verdict.left) : '').toBe('')
  // it is not the gradient of J itself, nor 0
  expect(Math.abs(exact[0] ?? 0)).toBeGreaterThan(0.05)
})
