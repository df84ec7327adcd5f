import { createHash } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Named from '../../src/estimator/Named.js'
import { alone } from '../../src/estimator/Sampler.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as Kernel from '../../src/kernel/index.js'
import { sgd } from '../../src/optimizer/Optimizer.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { under, type Values } from '../../src/tensor/Program.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import * as Critic from '../../src/training/Critic.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Requests from '../../src/training/Requests.js'
import { conditions, params as initial, right, T as length, tiny } from './tiny.js'

const lens = Critic.network({ T: length, features: 12, labels: 34, hidden: 16 })
const batch = 64
// a last layer of zeros would make all outputs alike
const params = {
  ...initial,
  'out.weight': Draw.normal32(Key.make(4), initial['out.weight']?.shape ?? [])
}
const key = Key.make(21)
const target = Kernel.gpuJs({ mode: 'webasm' })
const looking = (value: Parameters<typeof Catalogue.reinforceAfterFirst>[1]) => ({
  ...tiny(right(Catalogue.reinforceAfterFirst(length, value))),
  advantage: Advantage.leaveOneOut,
  batch,
  values: new Map([[Critic.critic, lens]])
})
const problem = looking({ baseline: StateValue.learned(Critic.critic) })

const compiled = (posed: typeof problem, learningRate: number): Finetune.Run =>
  right(Finetune.compile(posed, { optimizer: sgd(learningRate), conditions, target }))

const after = async (run: Finetune.Run, steps: number, from = run.start(params)): Promise<Finetune.Progress> => {
  let last: Finetune.Progress | undefined
  for await (const progress of Finetune.unfold(run, key, from, steps)) last = right(progress)
  if (last === undefined) throw new Error('no step')
  return last
}

describe('the network of a critic', () => {
  it('is a lens of the state and the condition, at every step', () =>
    Run.lens(
      {
        name: 'critic',
        lens: lens.lens(X.scalar(3)),
        argument: { x: ['batch', 12], c: ['batch', 34] },
        sizes: { batch: 3 }
      },
      { numRuns: 5 }
    ))
})

const first = (run: Finetune.Run): Values => Program.below('params', run.start(params).critic ?? {})

const variance = (values: ReadonlyArray<number>): number => {
  const mean = values.reduce((sum, v) => sum + v / values.length, 0)
  return values.reduce((sum, v) => sum + (v - mean) ** 2 / values.length, 0)
}

describe('a run with a critic', () => {
  it('has it fitted: near the end of the chain it knows some of what a state will be rewarded with', async () => {
    // the policy stands still
    const run = compiled(problem, 1e-12)
    const { state } = await after(run, 100)
    const ask = Requests.onStreams({ problem, conditions, params }, Key.make(5))(
      alone.stream,
      problem.estimator.covers[0].cover
    )
    const { trajectory, rewards } = right(await run.gradients.run({ ...ask, learned: { critic: first(run) } })())
    const unexplained = async (critic: Values, t: number): Promise<number> => {
      const value = run.gradients.executables['value(critic)']
      if (value === undefined || trajectory === undefined) throw new Error('no critic')
      const out = right(
        await value.run({
          ...under('value', critic),
          ...ask.condition,
          x: T.at(t)(trajectory),
          high: T.scalar(t),
          weights: T.fill([batch], 1)
        })()
      )
      const off = rewards.map((r, n) => r - (out['value']?.data[n] ?? Number.NaN))
      return variance(off) / variance(rewards)
    }
    expect(await unexplained(first(run), 1)).toBe(1)
    const learned = Program.below('params', state.critic ?? {})
    const [low, high] = [await unexplained(learned, 1), await unexplained(learned, length)]
    // 1 is what a guess of nothing leaves, and one that is wrong leaves more
    expect(low).toBeLessThan(0.8)
    // at the top of the chain less can be known
    expect(high).toBeGreaterThan(low)
  })

  it('looks at the critic as the steps before left it', async () => {
    const run = compiled(problem, 1e-2)
    const { state } = await after(run, 3)
    const own = Key.foldIn(Key.foldInString(key, 'step'), 3)
    const asked = Requests.onStreams(
      { problem, conditions, params: state.params, advantageState: state.advantage },
      own
    )
    const with_ = async (critic: Readonly<Record<string, T.Tensor>>): Promise<number> => {
      const request = { ...asked(alone.stream, problem.estimator.covers[0].cover), learned: { critic } }
      const { gradient } = right(await run.gradients.run(request)())
      return Math.hypot(...Object.values(Requests.gather(problem, gradient)).flatMap(({ data }) => Array.from(data)))
    }
    const { gradientNorm, state: next } = right(await run.step(key, state)())
    const before = await with_(Program.below('params', state.critic ?? {}))
    const later = await with_(Program.below('params', next.critic ?? {}))
    expect(Math.abs(gradientNorm / before - 1)).toBeLessThan(1e-6)
    expect(Math.abs(gradientNorm / later - 1)).toBeGreaterThan(1e-4)
  })

  it('resumed from a checkpoint is the unbroken one, bit for bit', async () => {
    const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')
    const run = compiled(problem, 1e-2)
    const whole = await after(run, 4)
    const middle = Checkpoint.ofState((await after(run, 2)).state)
    const read = right(Checkpoint.decode(sha256)(right(Checkpoint.encode(sha256)({ seed: '21' }, middle))))
    const belongs = Checkpoint.belongsTo({ seed: '21' }, Checkpoint.ofState(run.start(params)))
    const second = await after(run, 4, Checkpoint.toState(right(belongs(read))))
    expect(second.state).toEqual(whole.state)
  })

  it('controls by it too, where its gradient is put back in', async () => {
    const run = compiled(looking({ control: StateValue.learned(Critic.critic) }), 1e-2)
    const { gradientNorm, state } = await after(run, 2)
    expect(Number.isFinite(gradientNorm)).toBe(true)
    expect(state.critic).not.toEqual(run.start(params).critic)
  })
})

describe('a critic by name', () => {
  it('is a word among baselines and controls', () => {
    const facts = { T: length, noisyFirst: false, differentiable: true, clean: false }
    const cells = pipe(
      right(Named.build(facts)(right(Named.parse('reinforce(baseline = critic)')))).covers[0].cover.cells,
      (all) => all.slice(1)
    )
    cells.forEach((cell) => expect(cell).toMatchObject({ baseline: StateValue.learned(Critic.critic) }))
  })
})
