import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import * as Weights from '../../src/estimator/reading/Weights.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const length = 4
const batch = 6000
const problem = (estimator: Estimator): ReturnType<ReturnType<typeof build>> => build()(estimator)
const build = () =>
  Gradient.problem(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), batch, {
    advantage: Advantage.constant(-4)
  })
const request = (seed: number, cover: Gradient.Request['cover']): Gradient.Request => ({
  cover,
  params: { theta: T.tabulate([batch, 2], (k) => (k % 2 === 0 ? 0.3 : 0.1)) },
  condition: {},
  xT: Draw.normal(Key.make(seed), [batch, 1]),
  eps: Draw.normal(Key.make(seed + 1), [length, batch, 1]),
  xi: {},
  weights: new Array<number>(batch).fill(1),
  advantageState: 0
})

const fit = async (pathwise: boolean): Promise<Estimator> => {
  const pilot = right(Weights.pilot({ T: length, pathwise }))
  const gradients = right(Gradient.compile(problem(pilot), reference))
  const { terms } = right(await gradients.run(request(100, pilot.covers[0].cover))())
  return right(Catalogue.generalisedHalfOrder({ T: length, weight: Weights.leastVariance(Weights.ways(terms, batch)) }))
}

const variances = async (estimators: ReadonlyArray<Estimator>): Promise<ReadonlyArray<Variance.Spread>> => {
  const draws: Variance.Draws = { uniform: () => 0, request: (_, cover) => request(200, cover) }
  const rows = right(
    await Variance.compare(build()(right(Catalogue.fullBackprop(length))), estimators, reference, draws, 1)()
  )
  return rows.map(({ gradient }) => gradient)
}

describe('least-variance weights', () => {
  it('are unbiased, and on fresh samples no noisier than the geometric ones', async () => {
    const fitted = await fit(false)
    expect(fitted._tag).toBe('exact')
    const families = [0, 0.3, 0.5, 0.7, 1].map((lambda) => right(Catalogue.geometricHalfOrder({ T: length, lambda })))
    const [own, ...others] = await variances([fitted, ...families])
    for (const other of others) {
      // the same samples: a difference of six standard errors would be a noisier estimator
      expect(own?.variance).toBeLessThan(other.variance + 6 * other.varianceError)
    }
    expect(own?.variance).toBeLessThan(Math.max(...others.map(({ variance }) => variance)))
  })

  it('are the pathwise ones where the reward can be pulled back through, and pathwise is best', async () => {
    const [own, full] = await variances([await fit(true), right(Catalogue.fullBackprop(length))])
    expect(own?.variance).toBeLessThan((full?.variance ?? 0) + 6 * (full?.varianceError ?? 0))
  })

  it('are never negative, and add up to 1', async () => {
    const { covers } = await fit(true)
    const [{ cover }] = covers
    const shares = cover.cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [] : (cell.shares ?? [])))
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(0)
  })
})

describe('ways that a pilot can not tell apart', () => {
  const way = (i: number, k: number, data: ReadonlyArray<number>): Weights.Way => ({
    i,
    k,
    rows: { width: 1, data: Float64Array.from(data) }
  })
  const noise = [1, -2, 3, -1, 0.5, -1.5]
  const weightsOf = (ways: ReadonlyArray<Weights.Way>): ReadonlyArray<number> => {
    const weight = Weights.leastVariance(ways)
    return ways.map(({ i, k }) => weight(i, k))
  }

  it.each([
    ['the same samples', [2, 2, 2].map((i, k) => way(i, k, noise))],
    ['constants', [2, 2, 2].map((i, k) => way(i, k, [4, 4, 4, 4, 4, 4]))],
    ['zeros', [2, 2, 2].map((i, k) => way(i, k, [0, 0, 0, 0, 0, 0]))],
    [
      'the same samples but for a constant',
      [2, 2, 2].map((i, k) =>
        way(
          i,
          k,
          noise.map((x) => x + k)
        )
      )
    ],
    [
      'tiny samples',
      [2, 2, 2].map((i, k) =>
        way(
          i,
          k,
          noise.map((x) => x * 1e-150)
        )
      )
    ],
    [
      'huge samples',
      [2, 2, 2].map((i, k) =>
        way(
          i,
          k,
          noise.map((x) => x * 1e150)
        )
      )
    ]
  ])('share their weight equally: %s', (_, ways) => {
    for (const weight of weightsOf(ways)) expect(Math.abs(weight - 1 / 3)).toBeLessThan(1e-6)
  })

  it('do not move the weights of others', () => {
    // step 1 has one way; step 2 a quiet one of variance 1, and a loud one of variance 4 twice
    const quiet = [1, 1, -1, -1]
    const loud = [2, -2, 2, -2]
    const [only, first, ...copies] = weightsOf([way(1, 1, quiet), way(2, 2, quiet), way(2, 1, loud), way(2, 0, loud)])
    // (1 + w)^2 + 4 (1 - w)^2 is least at w = 3 / 5, whatever the copies make of the rest
    expect([only, first, ...copies].map((weight) => weight?.toFixed(6))).toEqual([
      '1.000000',
      '0.600000',
      '0.200000',
      '0.200000'
    ])
  })
})
