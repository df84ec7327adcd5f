/**
 * A plan as one pipeline of gpu.js: a kernel of gpu.js for each of the plan's, called in the plan's order.
 *
 * @since 0.1.0
 */
import type { GPU, IKernelRunShortcut, IPipelineRunShortcut } from 'gpu.js'
import type { Values } from '../../tensor/Program.js'
import { type Data, size, toFloat32 } from '../../tensor/Tensor.js'
import type { Plan } from '../plan/Plan.js'
import { argumentNames, type Kernel } from '../plan/Template.js'
import { kernelNumber } from './Door.js'
import { constants, kernelText } from './KernelText.js'
import type { Occupant } from '../wasm/Ground.js'
import { executedBy } from './Executor.js'
import { argument, keep } from './Resident.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An instance of gpu.js, and the kernels that its kernel class knows by number; `newNumber` gives one that no other
 * has.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuInstance {
  readonly gpu: GPU
  readonly kernels: Map<number, Kernel>
  readonly newNumber: () => number
}

/**
 * What a mode does in its own way: the text that gpu.js gets of a kernel, and what is done to a pipeline before it runs.
 *
 * @category model
 * @since 0.1.0
 */
export interface Manner {
  readonly text: (kernel: Kernel) => string
  readonly prepare: (pipeline: IPipelineRunShortcut) => void
}

const plain: Manner = { text: kernelText, prepare: () => undefined }

/**
 * A plan that is ready to run. `run` rejects where gpu.js fails, and expects values that have been checked.
 *
 * @category model
 * @since 0.1.0
 */
export interface PlanPipeline {
  readonly run: (values: Values) => Promise<Values>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The pipeline of a plan, the outputs of whose kernels have the given lengths. gpu.js builds it when it runs first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const planPipeline = (
  on: GpuInstance,
  plan: Plan,
  lengths: ReadonlyArray<number>,
  { text, prepare }: Manner = plain,
  occupant?: Occupant
): PlanPipeline => {
  const inputs = feeds(plan)
  const numbers: Array<number> = []
  const kernels = plan.kernels.map((kernel, i) => {
    const number = on.newNumber()
    on.kernels.set(number, kernel)
    numbers.push(number)
    return createKernel(on.gpu, kernel, text(kernel), number, lengths[i] ?? kernel.spec.cells)
  })
  const results = written(plan)
  const pipeline = results.length === 0 ? undefined : createPipeline(on.gpu, plan, kernels, inputs, results)
  if (pipeline !== undefined) prepare(pipeline)
  const own =
    occupant !== undefined &&
    pipeline !== undefined &&
    executedBy(pipeline, (given) => occupant.run(byBuffer(inputs, given), results))
  let kept = own
  const call = async (values: Values): Promise<unknown> => {
    if (pipeline === undefined) return []
    const returned: unknown = await pipeline(...inputs.map((feed) => feed.data(values)))
    kept ||= keep(pipeline)
    return returned
  }
  return {
    run: async (values) => collect(plan, results, await call(values), values),
    dispose: async () => {
      await pipeline?.destroy()
      for (const kernel of kernels) kernel.destroy()
      for (const number of numbers) on.kernels.delete(number)
      occupant?.leave()
    }
  }
}

// -------------------------------------------------------------------------------------
// kernels
// -------------------------------------------------------------------------------------

const createKernel = (gpu: GPU, kernel: Kernel, text: string, number: number, length: number): IKernelRunShortcut =>
  gpu.createKernel(text, {
    output: [length],
    precision: 'single',
    constants: { ...constants(kernel), [kernelNumber]: number },
    constantTypes: Object.fromEntries([...Object.keys(constants(kernel)), kernelNumber].map((key) => [key, 'Integer'])),
    argumentTypes: Object.fromEntries(
      argumentNames(kernel).map((argument, i) => [argument, kernel.parameters[i - kernel.buffers] ?? 'Array'])
    )
  })

/** An argument of the pipeline: a buffer, and how to get its data for a run. */
interface Feed {
  readonly buffer: number
  readonly data: (values: Values) => Float32Array
}

const byBuffer = (inputs: ReadonlyArray<Feed>, given: ReadonlyArray<Float32Array>): ReadonlyMap<number, Float32Array> =>
  new Map(inputs.flatMap(({ buffer }, i) => (given[i] === undefined ? [] : [[buffer, given[i]] as const])))

const feeds = ({ buffers, calls }: Plan): ReadonlyArray<Feed> => {
  const read = new Set(calls.flatMap((call) => call.buffers))
  return buffers.flatMap((buffer, i): ReadonlyArray<Feed> => {
    if (!read.has(i) || buffer._tag === 'Written') return []
    if (buffer._tag === 'Input') return [{ buffer: i, data: (values) => argument(inputData(values, buffer.name)) }]
    const data = argument(toFloat32(buffer.value).data)
    return [{ buffer: i, data: () => data }]
  })
}

// `checkValues` has made sure that the input is there
const inputData = (values: Values, name: string): Data => values[name]?.data ?? new Float32Array(0)

/** The buffers that the pipeline hands out, each once. */
const written = ({ buffers, outputs }: Plan): ReadonlyArray<number> => [
  ...new Set(
    outputs.flatMap(({ source: from }) =>
      from._tag === 'Buffer' && buffers[from.buffer]?._tag === 'Written' ? [from.buffer] : []
    )
  )
]

const createPipeline = (
  gpu: GPU,
  { calls }: Plan,
  kernels: ReadonlyArray<IKernelRunShortcut>,
  inputs: ReadonlyArray<Feed>,
  results: ReadonlyArray<number>
): IPipelineRunShortcut => {
  const orchestrate = (...handles: ReadonlyArray<Handle>): Array<Handle> => {
    const values = new Map<number, Handle>(inputs.map(({ buffer }, i) => [buffer, handles[i]]))
    for (const call of calls) {
      const run = kernels[call.kernel]
      values.set(call.output, run?.(...call.buffers.map((buffer) => values.get(buffer)), ...call.parameters))
    }
    return results.map((buffer) => values.get(buffer))
  }
  // gpu.js makes as many handles as the function has parameters
  Object.defineProperty(orchestrate, 'length', { value: inputs.length })
  return gpu.createPipeline(orchestrate, { threads: false })
}

/** What gpu.js passes around while it records a pipeline: opaque to us. */
type Handle = ReturnType<IKernelRunShortcut> | undefined

/** The outputs by name from what the pipeline returned. */
const collect = (plan: Plan, results: ReadonlyArray<number>, returned: unknown, values: Values): Values => {
  const data = (buffer: number): Float32Array => {
    const from = plan.buffers[buffer]
    if (from?._tag === 'Input') return Float32Array.from(inputData(values, from.name))
    if (from?._tag === 'Constant') return Float32Array.from(from.value.data)
    const result: unknown = Array.isArray(returned) ? returned[results.indexOf(buffer)] : undefined
    if (!(result instanceof Float32Array)) throw new Error('gpu.js returned a result that is not a flat array')
    return result
  }
  return Object.fromEntries(
    plan.outputs.map(({ name, shape, source: from }) => [
      name,
      { shape, data: from._tag === 'Fill' ? new Float32Array(size(shape)).fill(from.value) : data(from.buffer) }
    ])
  )
}
