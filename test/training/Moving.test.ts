import { describe, expect, it } from 'vitest'
import { flowSde, schedule } from '../../src/chain/sampler/Flow.js'
import { flowCps } from '../../src/chain/sampler/FlowCps.js'
import { flowDance } from '../../src/chain/sampler/FlowDance.js'
import { maps } from '../../src/chain/TimeMap.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { range } from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { moved } from '../../src/estimator/catalogue/Windowed.js'
import { inTurn, ofEstimator, type Sampler } from '../../src/estimator/Sampler.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp } from '../../src/network/Mlp.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as Kl from '../../src/reward/Kl.js'
import { brightness } from '../../src/reward/Pixels.js'
import { reference } from '../../src/tensor/Target.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import { defaults } from '../../src/training/Config.js'
import { optimizer } from '../../src/training/Descent.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Requests from '../../src/training/Requests.js'
import { conditions, right } from './tiny.js'

const T = 4
const size = 2
const batch = 3
const denoiser = mlp({ features: 12, labels: 34, hidden: 8, blocks: 1, embedding: 4, share: 'cosine' })
const params = Object.fromEntries(
  Object.entries(initial(denoiser.lens.parameters, Key.make(3))).map(([path, value]) => {
    const moves = Draw.normal(Key.foldInString(Key.make(5), path), value.shape).data
    return [path, Tensor.map((v, i) => v + 0.3 * (moves[i] ?? 0))(value)]
  })
)
const all = { ...params, noisySteps: Tensor.toFloat32(Tensor.fill([T + 1], 1)) }
const own = schedule(maps.cosine)(T)
const trained = (path: string): boolean => path.startsWith('out') || path.startsWith('labels')

/** A window that moves over all steps that may have noise. */
const places = (noisy: ReadonlyArray<number>, name: 'mixGrpo' | 'windowed'): Estimator => {
  const [first = 1, ...rest] = noisy
  const make = (scored: readonly [number, ...ReadonlyArray<number>]) =>
    name === 'mixGrpo' ? Catalogue.mixGrpo({ T, scored }) : Catalogue.windowed({ T, scored })
  return right(moved({ window: size }, name, make)([first, ...rest]))
}

const samplers = {
  'flow-sde': (window: readonly [number, number] | 'moving') => flowSde({ denoiser, schedule: own, eta: 0.7, window }),
  'flow-cps': (window: readonly [number, number] | 'moving') => flowCps({ denoiser, schedule: own, eta: 0.8, window }),
  'flow-dance': (window: readonly [number, number] | 'moving') =>
    flowDance({ denoiser, schedule: own, eta: 0.3, window })
}

describe('a window that moves', () => {
  it.each(['flow-sde', 'flow-cps', 'flow-dance'] as const)(
    'is at each place the chain that has it there, samples and gradients bit for bit, by one program: %s',
    async (kind) => {
      const chain = samplers[kind]('moving')
      const noisy = range(1, T).filter((t) => (chain.sigma[t] ?? 0) > 0)
      const estimator = places(noisy, 'windowed')
      const steps = [right(Kl.klTo(all, { beta: 0.5 })(chain))]
      const problem = { ...Gradient.problem(chain, brightness<12>(12), batch, { trained })(estimator), steps }
      const moving = right(Gradient.compile(problem, reference))
      expect(estimator.covers).toHaveLength(noisy.length - size + 1)
      for (const { cover } of estimator.covers) {
        const lowest = Math.min(...cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell.from] : [])))
        const fixed = samplers[kind]([lowest, lowest + size - 1])
        const still = {
          ...Gradient.problem(fixed, brightness<12>(12), batch, { trained })({
            ...estimator,
            covers: [{ weight: 1, cover }]
          }),
          steps: [right(Kl.klTo(params, { beta: 0.5 })(fixed))]
        }
        const key = Key.make(7)
        const asked = Requests.onStreams({ problem, conditions, params: all }, key)('noise', cover)
        const got = right(await moving.run(asked)())
        const expected = right(
          await right(Gradient.compile(still, reference)).run(
            Requests.onStreams({ problem: still, conditions, params }, key)('noise', cover)
          )()
        )
        expect(got.x0).toEqual(expected.x0)
        expect(got.stepRewards).toEqual(expected.stepRewards)
        expect(got.gradient).toEqual(expected.gradient)
        // the wrong version: a window that forgets that the other steps are deterministic
        const forgotten = right(await moving.run({ ...asked, params: all })())
        expect(forgotten.x0).not.toEqual(expected.x0)
      }
    }
  )

  const chain = samplers['flow-sde']('moving')
  const estimator = places(range(1, T), 'mixGrpo')
  const problem = Gradient.problem(chain, brightness<12>(12), batch, { advantage: Advantage.leaveOneOut, trained })(
    estimator
  )
  const lowest = ({ covers: [cover] }: Finetune.Progress): number =>
    Math.min(...(cover?.cells ?? []).flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell.from] : [])))
  const after = async (sampler: Sampler, from: number, to: number, state?: Finetune.State) => {
    const run = right(
      Finetune.compile(problem, {
        optimizer: optimizer({ ...defaults.optimizer, name: 'sgd', learningRate: 0.1, clip: 0 }),
        conditions,
        target: reference,
        sampler,
        inner: { epochs: 1, minibatches: 3, clip: 0.2, form: 'ppo', dualClip: 0, density: 'mean' }
      })
    )
    const seen: Array<Finetune.Progress> = []
    for await (const one of Finetune.unfold(run, Key.make(11), state ?? run.start(all), to)) seen.push(right(one))
    expect(seen).toHaveLength(to - from)
    return seen
  }

  it('goes down by one in so many steps, and on from where it was', async () => {
    const whole = await after(inTurn(2)(estimator), 0, 6)
    expect(whole.map(lowest)).toEqual([3, 3, 2, 2, 1, 1])
    const rest = await after(inTurn(2)(estimator), 3, 6, whole[2]?.state)
    expect(rest[2]?.state).toEqual(whole[5]?.state)
    // what tells the steps is no parameter that moves
    expect(whole[5]?.state.params['noisySteps']).toEqual(all.noisySteps)
  })

  it('is somewhere at random by the key of a step, and on from where it was', async () => {
    const whole = await after(ofEstimator(estimator), 0, 6)
    expect(new Set(whole.map(lowest)).size).toBeGreaterThan(1)
    const rest = await after(ofEstimator(estimator), 3, 6, whole[2]?.state)
    expect(rest[2]?.state).toEqual(whole[5]?.state)
  })
})
