/**
 * What a page does to WebGPU alone: forces ways, counts what is written, cuts runs, loses the device.
 */
import * as E from 'fp-ts/lib/Either.js'
import { accuracy, gpuJs } from '../../src/kernel/index.js'
import { openDevice } from '../../src/kernel/Device.js'
import { lengths } from '../../src/kernel/plan/Lengths.js'
import { type Plan, plan } from '../../src/kernel/plan/Plan.js'
import { acquire } from '../../src/kernel/webgpu/Adapter.js'
import { wayName } from '../../src/kernel/webgpu/KernelWgsl.js'
import { shaderPipeline, type ShaderOptions } from '../../src/kernel/webgpu/ShaderPipeline.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { showTargetError } from '../../src/tensor/Target.js'
import { type Agreement, agreement, type Case } from '../kernel/arbitrary.js'
import { close, draw } from '../kernel/examples.js'
import { digest } from './digest.js'

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** A plan's pipeline, for some options, on an instance of its own. */
const pipelineOf = (example: Case, options: Partial<ShaderOptions>) => {
  const device = right(openDevice('webgpu', { mode: 'webgpu' }))
  const { shaders } = device
  if (shaders === undefined) throw new Error('there is no WebGPU')
  const planned: Plan = plan(right(Program.bind(example.program, example.sizes ?? {})), device.limits)
  const whole: ShaderOptions = {
    choose: ([first]) => first,
    most: 2 ** 35,
    traffic: { bytes: 0, submissions: 0 },
    ...options
  }
  const pipeline = shaderPipeline({ ...device, shaders }, planned, lengths(planned, 4), whole)
  return {
    run: pipeline.run,
    dispose: async () => {
      await pipeline.dispose()
      await device.gpu.destroy()
    }
  }
}

/** What all ways of a case's kernels gave: how far the worst is off, whether runs gave the same bits, and the ways. */
export interface Forced {
  readonly worst: Agreement
  readonly same: boolean
  readonly names: ReadonlyArray<string>
}

/** Forces each way of each kernel of a case, all kernels at once as long as they have more. */
export const forced = async (example: Case): Promise<Forced> => {
  const names = new Set<string>()
  let worst: Agreement = { ratio: 0, at: '', claimed: 1 }
  let same = true
  let most = 1
  for (let i = 0; i < most; i++) {
    const chosen = new Set<string>()
    const pipeline = pipelineOf(example, {
      choose: (open) => {
        most = Math.max(most, open.length)
        const way = open[i % open.length]
        if (way !== undefined) chosen.add(wayName(way))
        return way
      }
    })
    const [first, second] = [await pipeline.run(example.values), await pipeline.run(example.values)]
    same &&= digest(first) === digest(second)
    const found = agreement(example, first, accuracy('webgpu'))
    if (!(found.ratio <= worst.ratio)) worst = { ...found, at: `${[...chosen].join('; ')}: ${found.at}` }
    for (const name of chosen) names.add(name)
    await pipeline.dispose()
  }
  return { worst, same, names: [...names] }
}

const chain = close({ x: [8, 12], w: [12, 12], c: [12] }, ({ x, w, c }) => {
  let y: X.Expr<readonly [8, 12]> = x
  for (let t = 0; t < 6; t++) y = X.tanh(X.add(X.matmul(y, w), c))
  return { y }
})

/** Bytes that each of some runs writes: the first, the same again, one with another `x`, and the same as that. */
export const written = async (): Promise<ReadonlyArray<number>> => {
  const traffic = { bytes: 0, submissions: 0 }
  const pipeline = pipelineOf(chain, { traffic })
  const other = { ...chain.values, x: draw([8, 12], 9) }
  const counts: Array<number> = []
  for (const values of [chain.values, chain.values, other, other]) {
    const before = traffic.bytes
    await pipeline.run(values)
    counts.push(traffic.bytes - before)
  }
  await pipeline.dispose()
  return counts
}

/** Submissions of a run that is not cut and of one that is cut within kernels, and whether both gave the same bits. */
export const cut = async (example: Case): Promise<readonly [whole: number, parts: number, same: boolean]> => {
  const [whole, parts] = [
    { bytes: 0, submissions: 0 },
    { bytes: 0, submissions: 0 }
  ]
  const [one, many] = [pipelineOf(example, { traffic: whole }), pipelineOf(example, { traffic: parts, most: 4096 })]
  const bits = digest(await one.run(example.values))
  const found = [digest(await many.run(example.values)), digest(await many.run(example.values))]
  await one.dispose()
  await many.dispose()
  return [whole.submissions, parts.submissions, found.every((other) => other === bits)]
}

/** What a run says whose device goes while it is at work, and whether the next one gives the bits of the one before. */
export const lost = async (): Promise<readonly [said: string, recovered: boolean]> => {
  const target = gpuJs({ mode: 'webgpu' })
  const executable = right(target.compile(chain.program, {}))
  const bits = digest(right(await executable.run(chain.values)()))
  const { device } = await acquire()
  const running = executable.run(chain.values)()
  // the run has asked for the device, and then it goes
  await Promise.resolve()
  device.destroy()
  const during = await running
  const after = await executable.run(chain.values)()
  await target.dispose()
  return [
    E.isLeft(during) ? showTargetError(during.left) : 'finished',
    E.isRight(after) && digest(after.right) === bits
  ]
}
