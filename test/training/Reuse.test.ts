import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { range } from '../../src/estimator/Cover.js'
import { reference } from '../../src/tensor/Target.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import { defaults } from '../../src/training/Config.js'
import { departures, optimizer } from '../../src/training/Descent.js'
import * as Finetune from '../../src/training/Finetune.js'
import type { Inner } from '../../src/training/policy/Inner.js'
import { conditions, params as initial, right, T, tiny } from './tiny.js'

const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

const key = Key.make(11)

/** A network whose output is not 0, as the first one's is. */
const params = Object.fromEntries(
  Object.entries(initial).map(([path, value]) => {
    const moves = Draw.normal(Key.foldInString(Key.make(5), path), value.shape).data
    return [path, Tensor.map((v, i) => v + 0.3 * (moves[i] ?? 0))(value)]
  })
)
const target = reference
const once: Inner = { epochs: 1, minibatches: 1, clip: 0, form: 'ppo', dualClip: 0, density: 'sum' }
const problem = { ...tiny(right(Catalogue.mixGrpo({ T, scored: range(2, T) }))), advantage: Advantage.leaveOneOut }

/** A run by plain gradient ascent, so that a factor of a gradient is one of an update. */
const ascending = (inner: Inner | undefined, learningRate: number, momentum = 0): Finetune.Run =>
  right(
    Finetune.compile(problem, {
      optimizer: optimizer({ ...defaults.optimizer, name: 'sgd', learningRate, clip: 0, momentum }),
      conditions,
      target,
      ...(inner === undefined ? {} : { inner })
    })
  )

const states = async (
  run: Finetune.Run,
  from: Finetune.State,
  steps: number
): Promise<ReadonlyArray<Finetune.Progress>> => {
  const seen: Array<Finetune.Progress> = []
  for await (const progress of Finetune.unfold(run, key, from, steps)) seen.push(right(progress))
  return seen
}

/** How far the trained parameters moved. */
const moved = ({ state }: Finetune.Progress): ReadonlyArray<number> =>
  Object.entries(params).flatMap(([path, from]) =>
    problem.trained(path) ? Array.from(from.data, (v: number, i: number) => (state.params[path]?.data[i] ?? 0) - v) : []
  )

const first = async (run: Finetune.Run): Promise<Finetune.Progress> => right(await run.step(key, run.start(params))())

/** The cosine of two directions and the ratio of their lengths. */
const compared = (
  a: ReadonlyArray<number>,
  b: ReadonlyArray<number>
): { readonly angle: number; readonly ratio: number } => {
  const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>): number =>
    x.reduce((n, v, i) => n + v * (y[i] ?? 0), 0)
  return { angle: 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), ratio: Math.sqrt(dot(a, a) / dot(b, b)) }
}

const plain = first(ascending(undefined, 1))

describe('one update of the whole batch', () => {
  it('is the estimate, whose density averaged over the numbers of a state is that part of it', async () => {
    // twelve numbers a state: a clip that nothing passes, since the ratio is 1
    const mean = await first(ascending({ ...once, density: 'mean', clip: 1e-12 }, 12))
    expect(mean.clippedShare).toBe(0)
    const { angle, ratio } = compared(moved(mean), moved(await plain))
    expect(angle).toBeLessThan(1e-6)
    expect(Math.abs(ratio - 1)).toBeLessThan(1e-5)
  })
})

describe('several updates', () => {
  it('of a rate near 0 are those of the whole batch, as often as there are passes', async () => {
    const rate = 1e-5
    const often = await first(ascending({ ...once, epochs: 2, minibatches: 3 }, rate))
    // each pass has three updates by thirds of the batch, each of which is a mean
    const { angle, ratio } = compared(moved(often), moved(await plain))
    expect(angle).toBeLessThan(1e-3)
    expect(Math.abs(ratio / (6 * rate) - 1)).toBeLessThan(0.02)
  })

  it('leave the interval after the first, and are dropped then', async () => {
    const clipped = await first(ascending({ ...once, epochs: 2, clip: 1e-12 }, 1))
    // of the second pass, some that the advantage pushed; of the first, whose ratios are 1, none
    expect(clipped.clippedShare).toBeGreaterThan(0)
    expect(clipped.clippedShare).toBeLessThanOrEqual(0.5)
    // and the second one has less to move by than the first
    expect(compared(moved(clipped), moved(await plain)).ratio).toBeLessThan(2)
  })

  it('resumed from a checkpoint are the unbroken ones, bit for bit, with the momentum of the last', async () => {
    const run = ascending({ ...once, epochs: 2, minibatches: 3, clip: 0.2, density: 'mean' }, 0.1, 0.5)
    const whole = await states(run, run.start(params), 4)
    const half = await states(run, run.start(params), 2)
    const middle = Checkpoint.ofState(half[1]?.state ?? run.start(params))
    const read = right(Checkpoint.decode(sha256)(right(Checkpoint.encode(sha256)({}, middle))))
    const rest = await states(run, Checkpoint.toState(read.checkpoint), 4)
    expect(rest[1]?.state).toEqual(whole[3]?.state)
    expect(rest.map(({ clippedShare }) => clippedShare)).toEqual(whole.slice(2).map(({ clippedShare }) => clippedShare))
  })
})

describe('what is done besides', () => {
  it('is named', () => {
    const config = {
      ...defaults,
      group: 4,
      advantage: { ...defaults.advantage, name: 'groupByBatch', clip: 5 } as const,
      policy: { ...once, epochs: 2, minibatches: 4, clip: 1e-4, density: 'mean' } as const,
      kl: { beta: 0.1, floor: 0, as: 'loss' } as const
    }
    expect(departures(config, 12)).toEqual([
      { _tag: 'MeanDensity', elements: 12 },
      { _tag: 'OwnBaseline', group: 4 },
      { _tag: 'Normalised', over: 'batch' },
      { _tag: 'ClippedAdvantage', limit: 5 },
      { _tag: 'ReusedSamples', updates: 8 },
      { _tag: 'ClippedRatio', low: 1e-4, high: 1e-4 },
      { _tag: 'PartOfPenalty', as: 'loss' },
      { _tag: 'ClippedGradient', norm: 1 }
    ])
    expect(departures({ ...defaults, policy: { ...once, clip: 0.2 } }, 12)).toEqual([
      { _tag: 'ClippedGradient', norm: 1 }
    ])
  })
})
