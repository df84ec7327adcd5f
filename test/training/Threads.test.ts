import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { materialsOf } from '../../cli/command/ModelFile.js'
import { faces } from '../../cli/tasks/faces/Task.js'
import { configuration } from '../../src/task/Task.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Setup from '../../src/training/Setup.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as Key from '../../src/random/Key.js'
import { describe as describeWork } from '../../src/tensor/Target.js'
import { right } from './tiny.js'

/** Rows for two blocks of sums, and matrices that all rows train: their gradients are sums over rows. */
const config = right(
  configuration(faces)({
    chain: { T: 4 },
    batch: 16,
    trained: ['labels'],
    estimator: { name: 'rlr', rest: 'zerothOrder', baseline: 'none' },
    kl: { beta: 0 }
  })
)

interface Ran {
  /** rewards and trained parameters after each step */
  readonly steps: ReadonlyArray<ReadonlyArray<unknown>>
  readonly rollout: ReadonlyArray<string>
}

const run = async (threads: number | undefined): Promise<Ran> => {
  const materials = right(await materialsOf(faces, config)())
  const { conditions, problem, optimizer } = right(Setup.setup(config, materials))
  const target = gpuJs(threads === undefined ? {} : { threads })
  const compiled = right(Finetune.compile(problem, { optimizer, conditions, target }))
  const side = compiled.executables['side(shared)']
  const steps: Array<ReadonlyArray<unknown>> = []
  const from = compiled.start(materials.model.parameters)
  for await (const next of Finetune.unfold(compiled, Key.make(5), from, 2)) {
    if (E.isRight(next)) steps.push([next.right.rewards, next.right.state.params['labels.weight']])
  }
  await target.dispose()
  return { steps, rollout: side === undefined ? [] : describeWork(side).kernels.map(({ name }) => name) }
}

describe('threads of a fine-tune', () => {
  it('give the bits of one thread, rewards and parameters', async () => {
    const [one, two, plain] = [await run(1), await run(2), await run(undefined)]
    expect(one.steps).toHaveLength(2)
    expect(two.steps).toEqual(one.steps)
    // the rows were shared indeed
    expect(one.rollout).toContain('contraction 16x384x768 by rows')
    expect(two.rollout).toContain('contraction 8x384x768 by rows')
    // sums over all rows at once have other bits than sums over blocks of rows: the comparison above sees a difference of a bit
    expect(plain.steps[0]?.[0]).toEqual(one.steps[0]?.[0])
    expect(plain.steps[1]?.[1]).not.toEqual(one.steps[1]?.[1])
  })
})
