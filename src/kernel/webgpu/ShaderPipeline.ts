/**
 * A plan as a pipeline of gpu.js on WebGPU, of shaders that are written here.
 *
 * @since 0.1.0
 */
import { type GpuInstance, type PlanPipeline, planPipeline } from '../gpujs/Pipeline.js'
import { flopsOf, type Plan } from '../plan/Plan.js'
import { argumentNames, type Kernel } from '../plan/Template.js'
import { alike } from './Alike.js'
import { acquire, compiled, type Open, threadsOf } from './Adapter.js'
import { kernelWgsl, type Shader, type Way, ways } from './KernelWgsl.js'
import { type Numbers, numbersOn } from './Numbers.js'
import { install, type Traffic } from './Residents.js'
import type { Facts } from './TermWgsl.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An instance of gpu.js whose kernel class finds shaders by their kernels.
 *
 * @category model
 * @since 0.1.0
 */
export interface ShaderInstance extends GpuInstance {
  readonly shaders: WeakMap<Kernel, Shader>
}

/**
 * How shaders are written and run, for tests and measurements.
 *
 * - `choose`: which of the ways of a kernel to take. Default: the first.
 * - `most`: the operations after which a submission ends. Default: 2^35, a second or so of a slow adapter.
 * - `traffic`: what is counted of runs.
 *
 * @category model
 * @since 0.1.0
 */
export interface ShaderOptions {
  readonly choose: (open: ReadonlyArray<Way>, kernel: Kernel) => Way | undefined
  readonly most: number
  readonly traffic: Traffic
}

const usual: ShaderOptions = { choose: ([first]) => first, most: 2 ** 35, traffic: { bytes: 0, submissions: 0 } }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * What is known of each kernel of a plan, the outputs of whose kernels have the given lengths, on an adapter whose threads go together
 * in a known way.
 *
 * @category utils
 * @since 0.1.0
 */
export const factsOf = (
  { buffers, kernels, calls }: Plan,
  lengths: ReadonlyArray<number>,
  threads: Pick<Facts, 'subgroup' | 'quads'>
): ReadonlyArray<Facts> => {
  const length = buffers.map(({ size }) => size)
  for (const { kernel, output } of calls) length[output] = lengths[kernel] ?? 0
  const fours = (n: number | undefined): boolean => n !== undefined && n > 0 && n % 4 === 0
  return kernels.map(({ buffers: count, parameters }, kernel) => {
    const own = calls.filter((call) => call.kernel === kernel)
    const arrays = Array.from({ length: count }, (_, i) => own.every((call) => fours(length[call.buffers[i] ?? -1])))
    return {
      arrays: [...arrays, fours(lengths[kernel])],
      numbers: parameters.map((_, i) => own.every((call) => (call.parameters[i] ?? 1) % 4 === 0)),
      calls: own.length,
      ...threads
    }
  })
}

/**
 * The pipeline of a plan, the outputs of whose kernels have the given lengths. Shaders are compiled side by side when it
 * runs first. A run on a device that was lost is rejected, and the next one starts again on another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shaderPipeline = (
  on: ShaderInstance,
  plan: Plan,
  lengths: ReadonlyArray<number>,
  { choose, most, traffic }: ShaderOptions = usual
): PlanPipeline => {
  const shadersFor = (threads: Pick<Facts, 'subgroup' | 'quads'>): ReadonlyArray<Shader> => {
    const facts = factsOf(plan, lengths, threads)
    const shaders = plan.kernels.map((kernel, i): Shader => {
      const known = facts[i] ?? { arrays: [], numbers: [], calls: 1, ...threads }
      const way = choose(ways(kernel, known), kernel) ?? { _tag: 'Elements', wide: false }
      return kernelWgsl(kernel, known, way)
    })
    return alike(shaders)
  }
  const own = plan.kernels.map(({ spec }) => flopsOf(spec))
  const flops = plan.calls.map(({ kernel }) => own[kernel] ?? 0)
  let live: { readonly open: Open; readonly pipeline: PlanPipeline; readonly numbers: Numbers } | undefined
  const drop = async (): Promise<void> => {
    const before = live
    live = undefined
    await before?.pipeline.dispose()
    before?.numbers.dispose()
  }
  const started = async (): Promise<PlanPipeline> => {
    const open = await acquire()
    if (live !== undefined && live.open !== open) await drop()
    if (live === undefined) {
      const shaders = shadersFor(threadsOf(open))
      plan.kernels.forEach((kernel, i) => {
        const shader = shaders[i]
        if (shader !== undefined) on.shaders.set(kernel, shader)
      })
      const made = shaders.map(({ text, numbers: read }, i) =>
        compiled(open, text, plan.kernels[i]?.buffers ?? 0, read.length > 0)
      )
      const numbers = numbersOn(open, shaders)
      const pace = { flops, most, numbers: plan.calls.map(({ kernel }) => numbers.groups[kernel]) }
      const pipeline = planPipeline(on, plan, lengths, {
        // gpu.js takes the names of arguments from it
        text: (kernel) => `function (${argumentNames(kernel).join(', ')}) { return 0; }`,
        prepare: (pipeline_) => install(pipeline_, open, pace, traffic)
      })
      live = { open, pipeline, numbers }
      await Promise.all(made)
    }
    return live.pipeline
  }
  return {
    run: async (values) => {
      const pipeline = await started()
      try {
        return await pipeline.run(values)
      } catch (error) {
        if (live?.pipeline === pipeline) await drop()
        throw error
      }
    },
    dispose: drop
  }
}
