/**
 * What compiling costs: `ours` is a new target, a compilation and a first run, for which the modules are made; `cached`
 * compiles what the target has compiled already and runs it; `run` only runs.
 */
import * as Programs from '../src/estimator/program/Programs.js'
import * as Kernel from '../src/kernel/index.js'
import type { Program, Values } from '../src/tensor/Program.js'
import type { Target } from '../src/tensor/Target.js'
import { scalar } from '../src/tensor/Tensor.js'
import { draw } from './Data.js'
import { kind, mlp } from './Mlp.js'
import { right, type Contender, type Work } from './Work.js'

const setting = mlp({ T: 50, batch: 8, features: 196, width: 64 })
const { chain, batch, params, x, eps, c, bar, state } = setting

const compile = (name: string, about: string, program: Program, values: Values, output: string): Work => {
  const once = async (target: Target): Promise<ArrayLike<number>> => {
    const executable = right(target.compile(program, { batch }))
    const result = right(await executable.run(values)())[output]?.data ?? new Float32Array()
    await executable.dispose()
    return result
  }
  return {
    name: `compile-${name}`,
    about,
    threads: [1],
    contenders: {
      ours: (): Promise<Contender> =>
        Promise.resolve({
          run: async () => {
            const target = Kernel.gpuJs()
            const result = await once(target)
            await target.dispose()
            return result
          },
          dispose: () => Promise.resolve()
        }),
      cached: async (): Promise<Contender> => {
        const target = Kernel.gpuJs()
        const kept = right(target.compile(program, { batch }))
        await kept.run(values)()
        return { run: () => once(target), dispose: () => target.dispose() }
      },
      run: async (): Promise<Contender> => {
        const target = Kernel.gpuJs()
        const kept = right(target.compile(program, { batch }))
        return {
          run: async () => right(await kept.run(values)())[output]?.data ?? new Float32Array(),
          dispose: () => target.dispose()
        }
      }
    }
  }
}

const all = (): boolean => true

/** The works: a rollout, half-order credit, full backpropagation, small ones, so that running does not cover compiling. */
export const compiling: ReadonlyArray<Work> = [
  compile(
    'rollout',
    'a rollout of 50 steps, batch 8, width 64',
    right(Programs.rollout(chain, { perturbation: 'none', keep: false, trained: all })),
    { ...params, xT: x, eps, c },
    'x0'
  ),
  compile(
    'credit',
    'half-order credit of 2 steps',
    right(Programs.halfOrder(chain, kind(2), all)),
    { ...state(2), high: scalar(3), advantage: draw('advantage', [batch], 1 / batch) },
    'gradient.first.weight'
  ),
  compile(
    'full',
    'full backpropagation of 50 steps',
    right(Programs.firstOrder(chain, kind(50), all)),
    { ...state(50), x0Bar: bar },
    'gradient.first.weight'
  )
]
