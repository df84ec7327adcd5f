import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import { logistic } from '../../src/chain/Noise.js'
import { showError } from '../../src/document/Document.js'
import { reinforceAfterFirst } from '../../src/estimator/catalogue/ReinforceAfterFirst.js'
import * as Programs from '../../src/estimator/program/Programs.js'
import * as L from '../../src/lens/Lens.js'
import { mlp } from '../../src/network/Mlp.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import { blackBox } from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Evaluation from '../../src/training/measure/Evaluation.js'
import { noise } from '../../src/training/Requests.js'
import { divergence, penalty } from '../../src/training/Penalty.js'
import { conditions, params, right, tiny } from './tiny.js'

const problem = tiny(right(reinforceAfterFirst(6)))
const { chain } = problem

/** The parameters some way off. */
const moved: Values = Object.fromEntries(
  Object.entries(params).map(([path, { shape, data }]) => {
    const step = Draw.normal(Key.foldInString(Key.make(9), path), shape).data
    return [path, { shape, data: data.map((x, i) => x + 0.02 * (step[i] ?? 0)) }]
  })
)

/** The divergence of each row's trajectory, by hand: the states of the moved chain, and the means of both chains at each. */
const byHand = (
  key: Key.Key,
  which: (own: number, base: number) => readonly [number, number]
): ReadonlyArray<number> => {
  const batchKey = Key.foldIn(key, 0)
  const condition = conditions(Key.foldInString(batchKey, 'condition'), problem.batch)
  const rollout = right(Programs.rollout(chain, { perturbation: 'none', keep: true, trained: problem.trained }))
  const ran = right(
    Reference.run(
      rollout,
      { batch: problem.batch },
      {
        ...Program.under('params', moved),
        ...condition,
        ...noise(problem, batchKey)
      }
    )
  )
  const trajectory = ran['trajectory'] ?? T.fill([0], 0)
  const meanAt = (t: number, values: Values): T.Tensor => {
    const program = right(
      Program.make({ p: L.shapes(chain.parameters), x: ['batch', 12], c: ['batch', 34] }, () => ({
        mean: chain.mean(X.scalar(t)).forward(L.parameterInputs('p', chain.parameters), {
          x: X.input('x', ['batch', 12]),
          c: X.input('c', ['batch', 34])
        })
      }))
    )
    const inputs = { ...Program.under('p', values), ...condition, x: T.at(t)(trajectory) }
    return right(Reference.run(program, { batch: problem.batch }, inputs))['mean'] ?? T.fill([0], 0)
  }
  return Array.from({ length: problem.batch }, (_, row) => {
    let total = 0
    for (let t = 1; t <= chain.T; t++) {
      const sigma = chain.sigma[t] ?? 0
      if (sigma === 0) continue
      const [own, base] = [meanAt(t, moved).data, meanAt(t, params).data]
      for (let i = 0; i < 12; i++) {
        const [a, b] = which(own[row * 12 + i] ?? 0, base[row * 12 + i] ?? 0)
        total += (a - b) ** 2 / (2 * sigma ** 2)
      }
    }
    return total
  })
}

const key = Key.make(4)

const measured = async (values: Values): Promise<ReadonlyArray<number>> => {
  const steps = divergence({ beta: 0, floor: 0 }, params)(chain)
  const evaluator = right(Evaluation.compile(problem, conditions, reference, { steps }))
  return right(await evaluator.run(values, key, problem.batch, { steps: true })()).stepRewards
}

describe('the divergence of a run from its base', () => {
  it('is the sum over the steps of the squared gap of the means over twice the variance', async () => {
    const found = await measured(moved)
    // noise is drawn in f32, and everything else is in f64
    byHand(key, (a, b) => [a, b]).forEach((kl, row) => expect(found[row]).toBeCloseTo(-kl, 9))
    expect(Math.min(...byHand(key, (a, b) => [a, b]))).toBeGreaterThan(0.01)
  })

  it('is 0 at the base itself, and says so of no other', async () => {
    expect((await measured(params)).map(Math.abs)).toEqual([0, 0, 0])
    // the wrong oracle: a gap that is not squared
    const wrong = byHand(key, (a, b) => [Math.sqrt(Math.abs(a - b)), 0])
    expect(wrong[0]).not.toBeCloseTo(-((await measured(moved))[0] ?? 0), 3)
  })

  it('costs nothing where its price is 0', () => {
    expect(penalty({ beta: 0, floor: 0 }, params)(chain)).toEqual(E.right([]))
  })

  it('is refused by name where no step has noise, unless there is a floor, and where a noise has none', () => {
    const denoiser = mlp({ features: 12, labels: 34, hidden: 8, blocks: 1, embedding: 4, share: 'cosine' })
    const still = ddim({ denoiser, schedule: cosine(6), eta: 0 })
    const said = (made: E.Either<Parameters<typeof showError>[0], unknown>): string =>
      E.isLeft(made) ? showError(made.left) : 'accepted'
    expect(said(penalty({ beta: 0.5, floor: 0 }, params)(still))).toBe(
      `kl.beta: expected a chain that has noise at some step, got 0.5 on ${still.name}, whose steps have no divergence from the base's, or an infinite one; set kl.floor, or raise chain.eta`
    )
    expect(said(penalty({ beta: 0.5, floor: 0.1 }, params)(still))).toBe('accepted')
    expect(said(penalty({ beta: 0.5, floor: 0 }, params)({ ...chain, noise: logistic }))).toContain(
      'expected a chain whose noise has a divergence from its own shift in closed form'
    )
    expect(divergence({ beta: 0.5, floor: 0 }, params)(still)).toEqual([])
  })
})

describe('what is measured beside the reward', () => {
  it('is of the same samples, and leaves out those that are skipped', async () => {
    const first = blackBox('first number', ({ shape: [rows = 0, width = 0], data }) =>
      Array.from({ length: rows }, (_, row) => (row === 1 ? NaN : (data[row * width] ?? 0)))
    )
    const skipping = { ...problem, reward: first, nonFinite: 'skipRow' as const }
    const evaluator = right(Evaluation.compile(skipping, conditions, reference, { also: [brightness(12) as never] }))
    const found = right(await evaluator.run(params, key, 3)())
    expect([found.skipped, found.rewards.length, found.also.map(({ length }) => length)]).toEqual([1, 2, [2]])
    const mean = (row: number): number =>
      Array.from(found.images.data.slice(row * 12, (row + 1) * 12)).reduce((a, b) => a + b, 0) / 12
    expect(found.also[0]?.[0]).toBeCloseTo(mean(0), 6)
    expect(found.also[0]?.[1]).toBeCloseTo(mean(2), 6)
  })
})
