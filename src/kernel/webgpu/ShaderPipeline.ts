/**
 * A plan as a pipeline of gpu.js on WebGPU, of shaders that are written here.
 *
 * @since 0.1.0
 */
import { type GpuInstance, type PlanPipeline, planPipeline } from '../gpujs/Pipeline.js'
import { flopsOf, type Plan } from '../plan/Plan.js'
import { argumentNames, type Kernel } from '../plan/Template.js'
import { acquire, compiled, type Open, subgroupOf } from './Adapter.js'
import { kernelWgsl, type Shader, type Way, ways } from './KernelWgsl.js'
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
 * What is known of each kernel of a plan, the outputs of whose kernels have the given lengths, on an adapter whose subgroups have so
 * many threads.
 *
 * @category utils
 * @since 0.1.0
 */
export const factsOf = (
  { buffers, kernels, calls }: Plan,
  lengths: ReadonlyArray<number>,
  subgroup: number
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
      subgroup
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
  const shadersFor = (subgroup: number): ReadonlyArray<Shader> => {
    const facts = factsOf(plan, lengths, subgroup)
    return plan.kernels.map((kernel, i): Shader => {
      const known = facts[i] ?? { arrays: [], numbers: [], calls: 1, subgroup }
      const way = choose(ways(kernel, known), kernel) ?? { _tag: 'Elements', wide: false }
      const shader = kernelWgsl(kernel, known, way)
      on.shaders.set(kernel, shader)
      return shader
    })
  }
  const own = plan.kernels.map(({ spec }) => flopsOf(spec))
  const pace = { flops: plan.calls.map(({ kernel }) => own[kernel] ?? 0), most }
  let live: { readonly open: Open; readonly pipeline: PlanPipeline } | undefined
  const drop = async (): Promise<void> => {
    const before = live
    live = undefined
    await before?.pipeline.dispose()
  }
  const started = async (): Promise<PlanPipeline> => {
    const open = await acquire()
    if (live !== undefined && live.open !== open) await drop()
    if (live === undefined) {
      const made = shadersFor(subgroupOf(open)).map(({ text }, i) =>
        compiled(open, text, plan.kernels[i]?.buffers ?? 0)
      )
      const pipeline = planPipeline(on, plan, lengths, {
        // gpu.js takes the names of arguments from it
        text: (kernel) => `function (${argumentNames(kernel).join(', ')}) { return 0; }`,
        prepare: (pipeline_) => install(pipeline_, open, pace, traffic)
      })
      live = { open, pipeline }
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
