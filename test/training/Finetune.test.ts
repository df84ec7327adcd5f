import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import * as Finetune from '../../src/training/Finetune.js'
import { optimizer } from '../../src/training/Descent.js'
import { defaults } from '../../src/training/Config.js'
import * as Kernel from '../../src/kernel/index.js'
import * as Key from '../../src/random/Key.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import { conditions, params, right, T, tiny } from './tiny.js'

const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

const key = Key.make(11)
const target = Kernel.gpuJs({ mode: 'webasm' })
const rlr = tiny(right(Catalogue.rlr({ T, h: 2 })))
const run = right(Finetune.compile(rlr, { optimizer: optimizer(defaults.optimizer), conditions, target }))

const states = async (from: Finetune.State, steps: number): Promise<ReadonlyArray<Finetune.Progress>> => {
  const seen: Array<Finetune.Progress> = []
  for await (const progress of Finetune.unfold(run, key, from, steps)) seen.push(right(progress))
  return seen
}

describe('a fine-tune', () => {
  it('resumed from a checkpoint is the unbroken one, bit for bit', async () => {
    const whole = await states(run.start(params), 6)
    const first = await states(run.start(params), 3)
    const middle = Checkpoint.ofState(first[2]?.state ?? run.start(params))
    const read = right(Checkpoint.decode(sha256)(right(Checkpoint.encode(sha256)({ seed: '11' }, middle))))
    const belongs = Checkpoint.belongsTo({ seed: '11' }, Checkpoint.ofState(run.start(params)))
    const second = await states(Checkpoint.toState(right(belongs(read))), 6)
    expect([...first, ...second].map(({ rewards }) => rewards)).toEqual(whole.map(({ rewards }) => rewards))
    expect(second[2]?.state).toEqual(whole[5]?.state)
  })

  it('raises the reward, and another seed takes another way', async () => {
    const whole = await states(run.start(params), 30)
    const mean = (rewards: ReadonlyArray<number>): number => rewards.reduce((a, b) => a + b, 0) / rewards.length
    const early = mean(whole.slice(0, 10).flatMap(({ rewards }) => rewards))
    const late = mean(whole.slice(20).flatMap(({ rewards }) => rewards))
    // brightness moves by far more than its spread over ten batches once the output bias has learned to rise
    expect(late).toBeGreaterThan(early + 0.1)
    const other = right(await run.step(Key.make(12), run.start(params))())
    expect(other.rewards).not.toEqual(whole[0]?.rewards)
  })

  it('leaves parameters that are not trained as they were', async () => {
    const [progress] = await states(run.start(params), 1)
    const after = progress?.state.params ?? {}
    for (const [path, value] of Object.entries(params)) {
      const same = value.data.every((v, i) => v === after[path]?.data[i])
      expect([path, same]).toEqual([path, !(path.startsWith('out') || path.startsWith('labels'))])
    }
  })
})

describe('the optimizer of a configuration', () => {
  // with what it went by before, 2, and a gradient of 1, at a rate of 1/4
  it.each([
    ['without momentum', { momentum: 0, nesterov: true }, -0.25],
    ['with momentum', { momentum: 0.5, nesterov: false }, -0.25 * (0.5 * 2 + 1)],
    ['with momentum, looking ahead', { momentum: 0.5, nesterov: true }, -0.25 * (0.5 * (0.5 * 2 + 1) + 1)]
  ])('descends %s', (_, options, expected) => {
    const made = optimizer({ ...defaults.optimizer, name: 'sgd', learningRate: 0.25, clip: 0, ...options })
    const program = right(
      Program.make({ g: { p: [1] }, p: { p: [1] }, s: made.state({ p: [1] }) }, () => {
        const memory = Tree.inputs('s', made.state({ p: [1] }))
        const { step } = made.update(Tree.inputs('g', { p: [1] }), memory, Tree.inputs('p', { p: [1] }))
        return { step }
      })
    )
    const values = Object.fromEntries(
      program.inputs.map(({ name }) => [name, Tensor.vector([name === 'g.p' ? 1 : 2])] as const)
    )
    const out = right(Reference.run(program, {}, values))
    expect(out['step.p']?.data[0]).toBe(expected)
  })
})
