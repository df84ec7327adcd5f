import { describe, expect, it } from 'vitest'
import { cosine } from '../../src/chain/Schedule.js'
import type { Advantage } from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Forward from '../../src/estimator/neighbour/Forward.js'
import { alone } from '../../src/estimator/Sampler.js'
import { sgd } from '../../src/optimizer/Optimizer.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference } from '../../src/tensor/Target.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import { defaults } from '../../src/training/Config.js'
import * as Finetune from '../../src/training/Finetune.js'
import { forwards } from '../../src/training/policy/Forwards.js'
import * as Requests from '../../src/training/Requests.js'
import { conditions, params as initial, right, T as length, tiny } from './tiny.js'

// a last layer of zeros would make all outputs alike
const params: Values = { ...initial, 'out.weight': Draw.normal32(Key.make(4), initial['out.weight']?.shape ?? []) }
const moved: Values = { ...params, 'out.weight': Draw.normal32(Key.make(5), initial['out.weight']?.shape ?? []) }

/** Advantages that are known, some of them beyond what a worth can be. */
const known = (advantages: ReadonlyArray<number>): Advantage => ({
  name: 'known',
  batchDependent: false,
  initial: 0,
  apply: (_, state) => ({ advantages, state })
})

const posed = (advantages: ReadonlyArray<number>) => ({
  ...tiny(right(Catalogue.reinforce(length))),
  advantage: known(advantages)
})

const matching = { schedule: cosine(length), weight: (t: number): number => 1 / t }

const asked = Requests.onStreams({ problem: posed([0, 0, 0]), conditions, params }, Key.make(6))(
  alone.stream,
  right(Catalogue.reinforce(length)).covers[0].cover
)

const estimate = async (advantages: ReadonlyArray<number>, mix: number | undefined, old?: Values) => {
  const how = mix === undefined ? matching : { ...matching, mix }
  const gradients = right(Forward.interpreter(how, reference)(posed(advantages)))
  const found = right(await gradients.run({ ...asked, ...(old === undefined ? {} : { old }) })())
  await gradients.dispose()
  return found
}

const numbers = (values: Values): ReadonlyArray<number> =>
  Object.keys(values)
    .sort()
    .flatMap((path) => Array.from(values[path]?.data ?? []))

describe('Diffusion NFT', () => {
  it('is advantage-weighted matching, times its mix, where the old policy is the one that is trained', async () => {
    const [matched, nft] = [await estimate([0.5, -1, 0.25], undefined), await estimate([0.5, -1, 0.25], 0.5)]
    const [expected, found] = [numbers(matched.gradient), numbers(nft.gradient)]
    expect(Math.hypot(...expected)).toBeGreaterThan(0.01)
    found.forEach((g, i) => expect(g).toBeCloseTo(0.5 * (expected[i] ?? NaN), 9))
    // what is worth more than 1 is worth 1
    const [beyond, held] = [await estimate([9, -3, 0.25], 0.5), await estimate([1, -1, 0.25], 0.5)]
    expect(numbers(beyond.gradient)).toEqual(numbers(held.gradient))
  })

  it('samples from the old policy, and leans away from it', async () => {
    const own = await estimate([1, 1, 1], 1)
    const [from, of] = [
      await estimate([1, 1, 1], 1, moved),
      right(Forward.interpreter(matching, reference)(posed([1, 1, 1])))
    ]
    const { x0 } = right(await of.run({ ...asked, params: moved })())
    expect(from.x0).toEqual(x0)
    expect(numbers(from.gradient)).not.toEqual(numbers(own.gradient))
    // with a worth of 1 and a mix of 1 the old prediction is not read: it is matching to the old policy's samples
    const samples = right(Forward.interpreter({ ...matching, mix: 1 }, reference)(posed([1, 1, 1])))
    const again = right(await samples.run({ ...asked, old: moved })())
    expect(again.gradient).toEqual(from.gradient)
  })

  it('trails what is trained by its share, and a resumed run has the bits of a whole one', async () => {
    const problem = posed([0.5, -1, 0.25])
    const how = { interpreter: Forward.interpreter({ ...matching, mix: 1 }, reference), trailing: 0.75 }
    const run = right(Finetune.compile(problem, { optimizer: sgd(0.1), conditions, target: reference, ...how }))
    const key = Key.make(7)
    const states: Array<Finetune.State> = []
    for await (const progress of Finetune.unfold(run, key, run.start(params), 2)) states.push(right(progress).state)
    const [first, second] = states
    const path = 'labels.bias'
    const trailed = params[path]?.data ?? []
    Array.from(first?.old?.[path]?.data ?? []).forEach((v, i) =>
      expect(v).toBeCloseTo(0.75 * (trailed[i] ?? NaN) + 0.25 * (first?.params[path]?.data[i] ?? NaN), 6)
    )
    expect(Object.keys(first?.old ?? {}).every(problem.trained)).toBe(true)
    const kept = first === undefined ? undefined : Checkpoint.toState(Checkpoint.ofState(first))
    const resumed = kept === undefined ? undefined : right(await run.step(key, kept)())
    expect(resumed?.state).toEqual(second)
    await run.dispose()
  })
})

describe('a loss of the forward process in a configuration', () => {
  const config = { ...defaults, forward: { loss: 'negativeAware', mix: 1, trailing: 0.5 } } as const
  const model = {}

  it('costs a rollout, and a prediction or two at each step', () => {
    const nft = right(forwards(config, model, 2))
    expect([nft?.networkEvaluations, nft?.pullbackSteps]).toEqual([3 * 2 * 50, 50])
    const weighted = right(forwards({ ...config, forward: { ...config.forward, loss: 'weighted' } }, model, 1))
    expect([weighted?.networkEvaluations, weighted?.name]).toEqual([2 * 50, 'advantage-weighted matching'])
    expect(right(forwards(defaults, model, 1))).toBeUndefined()
  })

  it.each([
    ['a chain with levels of its own', { chain: { ...config.chain, kind: 'flow-sde' } }, 'forward.loss'],
    ['a price of leaving the base', { kl: { ...config.kl, beta: 0.1 } }, 'kl.beta'],
    ['samples that are used again', { policy: { ...config.policy, epochs: 2 } }, 'policy']
  ] as const)('is refused with %s', (_, over, path) => {
    const refused = forwards({ ...config, ...over }, model, 1)
    expect(refused).toMatchObject({ _tag: 'Left', left: { path } })
  })
})
