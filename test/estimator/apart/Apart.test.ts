import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { ddim } from '../../../src/chain/sampler/Ddim.js'
import * as Advantage from '../../../src/estimator/Advantage.js'
import * as Apart from '../../../src/estimator/apart/Apart.js'
import * as Gradient from '../../../src/estimator/Gradient.js'
import type { Estimate, Problem, Request } from '../../../src/estimator/Gradient.js'
import { firstOrder, halfOrder, zerothOrder } from '../../../src/estimator/Cover.js'
import { fromExactCells } from '../../../src/estimator/Estimator.js'
import * as Catalogue from '../../../src/estimator/Catalogue.js'
import * as Named from '../../../src/estimator/Named.js'
import { cosine } from '../../../src/chain/Schedule.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import type { None } from '../../../src/lens/Lens.js'
import type { Rows } from '../../../src/lens/Rows.js'
import { mlp, type MlpParameters } from '../../../src/network/Mlp.js'
import * as Draw from '../../../src/random/Draw.js'
import * as Key from '../../../src/random/Key.js'
import { blackBox } from '../../../src/reward/Reward.js'
import * as T from '../../../src/tensor/Tensor.js'
import { request } from '../../../src/training/Requests.js'
import { conditions, description, params as initial, right, tiny } from '../../training/tiny.js'

/** Rows for two blocks. */
const batch = 32
const steps = 3
const key = Key.make(11)

const params = Object.fromEntries(
  Object.entries(initial).map(([path, value]) => {
    const moves = Draw.normal32(Key.foldInString(Key.make(5), path), value.shape).data
    return [path, T.map((v, i) => v + 0.3 * (moves[i] ?? 0))(value)]
  })
)

type Tiny = Problem<MlpParameters, readonly ['batch', 12], Rows<34>, None>

const problemOf = (estimator: Parameters<typeof tiny>[0], others: Partial<Tiny> = {}): Tiny => ({
  ...tiny(estimator),
  chain: ddim({ denoiser: mlp(description), schedule: cosine(steps), eta: 1 }),
  batch,
  advantage: Advantage.leaveOneOut,
  ...others
})

const machine = gpuJs({ threads: 1 })
const places = { block: gpuJs(), whole: machine }

afterAll(async () => {
  await machine.dispose()
  await places.block.dispose()
})

const ran = async (gradients: Gradient.Gradients, asked: Request): Promise<Estimate> => {
  const result = await gradients.run(asked)()
  if (E.isLeft(result)) throw new Error(Gradient.showError(result.left))
  return result.right
}

/** The estimator of a text on the tiny chain. */
const named = (text: string): Parameters<typeof tiny>[0] => {
  const { chain, reward } = problemOf(right(Catalogue.fullBackprop(steps)))
  return right(Named.build(Named.facts(chain, reward))(right(Named.parse(text))))
}

/** What an estimate says, without what only one of two has a use for. */
const said = ({
  gradient,
  rewards,
  stepRewards,
  skipped,
  terms,
  x0,
  trajectory,
  advantageState
}: Estimate): unknown => ({
  gradient,
  rewards,
  stepRewards,
  skipped,
  advantages: terms.map(({ advantages }) => advantages),
  x0,
  trajectory,
  advantageState
})

const both = async (
  problem: Tiny,
  ask: (request: Request) => Request = (asked) => asked
): Promise<ReadonlyArray<unknown>> => {
  const asked = ask(request(problem, conditions, key, params))
  // while one is there the other shares what it has compiled
  const whole = right(Gradient.compile(problem, machine))
  const blocks = right(Apart.inBlocks(machine, places)(problem))
  const one = await ran(whole, asked)
  const apart = await ran(blocks, asked)
  await whole.dispose()
  await blocks.dispose()
  expect(T.size(Object.values(one.gradient)[0]?.shape ?? [])).toBeGreaterThan(0)
  return [said(apart), said(one)]
}

describe('rows apart', () => {
  // cells of every kind, with what they tell: whole returns, their own, gaps along directions
  it.each([
    ['a cell of each order', right(fromExactCells('each', steps, [firstOrder(1), halfOrder(2, 2), zerothOrder([3])]))],
    ['returns less a control', named('reinforce(control = clean)')],
    ['one-point differences', named('evolutionStrategies(form = onePoint)')]
  ])('give the bits of one machine: %s', async (what, estimator) => {
    const advantage = what.startsWith('one') ? Advantage.runningMean(0.5) : Advantage.leaveOneOut
    const [apart, one] = await both(problemOf(estimator, { advantage }))
    expect(apart).toEqual(one)
  })

  it('leave out what rows are skipped, and name the row of the batch where none may be', async () => {
    const { chain } = problemOf(named('mixGrpo'))
    const cracked = blackBox('cracked', ({ data }) =>
      Array.from({ length: data.length / 12 }, (_, row) =>
        (data[12 * row] ?? 0) > 0.5 ? Number.NaN : (data[12 * row + 1] ?? 0)
      )
    )
    const problem = { ...problemOf(named('mixGrpo')), chain, reward: cracked, nonFinite: 'skipRow' } as const
    const [apart, one] = await both(problem)
    expect(apart).toEqual(one)
    expect(one).not.toMatchObject({ skipped: [] })
    const strict = { ...problem, nonFinite: 'stop' } as const
    const asked = request(strict, conditions, key, params)
    const lefts = await Promise.all(
      [right(Gradient.compile(strict, machine)), right(Apart.inBlocks(machine, places)(strict))].map((gradients) =>
        gradients.run(asked)()
      )
    )
    expect(lefts[0]).toMatchObject({ left: { _tag: 'NotFiniteRow', of: 'reward' } })
    expect(lefts[1]).toEqual(lefts[0])
  })

  it('have other bits where a block is divided once more', async () => {
    const problem = problemOf(named('fullBackprop'))
    const asked = request(problem, conditions, key, params)
    const one = await ran(right(Gradient.compile(problem, machine)), asked)
    const apart = await ran(right(Apart.inBlocks(machine, { block: machine, whole: machine })(problem)), asked)
    expect(apart.rewards).toEqual(one.rewards)
    expect(apart.gradient).not.toEqual(one.gradient)
  })
})
