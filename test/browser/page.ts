/**
 * What runs in the page, called by name from the test: cases and random programs on one target a mode.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import gpujs from 'gpu.js'
import { accuracy, gpuJs } from '../../src/kernel/index.js'
import type { Mode } from '../../src/kernel/Mode.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { describe, showTargetError, type Target } from '../../src/tensor/Target.js'
import { type Agreement, agreement, type Case, cases as random, runOn } from '../kernel/arbitrary.js'
import { cases, exact, misplaced, places, wide } from './cases.js'
import { digest } from './digest.js'
import { finetune } from './finetune.js'
import { alive, cycles, ended } from './memory.js'
import { shapes } from './shapes.js'
import * as WebGpu from './webgpu.js'

const targets = new Map<Mode, Target>()

const on = (mode: Mode): Target => {
  const target = targets.get(mode) ?? gpuJs({ mode })
  targets.set(mode, target)
  return target
}

/** How gpu.js ran its pipelines, and why it was not another way, seen when they end: each once. */
const seen = new Set<string>()
class Watched extends gpujs.GPU {
  override createPipeline(...given: Parameters<InstanceType<typeof gpujs.GPU>['createPipeline']>) {
    const pipeline = super.createPipeline(...given)
    const destroy = pipeline.destroy.bind(pipeline)
    pipeline.destroy = () => {
      seen.add(`${pipeline.executorKind}: ${pipeline.fallbackReason ?? 'as it should be'}`)
      return destroy()
    }
    return pipeline
  }
}
Object.assign(gpujs, { GPU: Watched })

/** The ways in which pipelines ran that ended since this was last asked. */
const ways = (): ReadonlyArray<string> => {
  const found = [...seen].sort()
  seen.clear()
  return found
}

/** What becomes of a vector that one kernel of a pipeline returns and another one reads as an array: why there is `WebGpuKernel`. */
const vectors = async (mode: Mode): Promise<string> => {
  const gpu = new gpujs.GPU({ mode })
  const settings = { precision: 'single', argumentTypes: { x: 'Array' } } as const
  const four = gpu.createKernel(
    'function (x) { const i = this.thread.x * 4; return [x[i], x[i + 1], x[i + 2], x[i + 3]]; }',
    {
      ...settings,
      output: [2]
    }
  )
  const one = gpu.createKernel('function (x) { return x[this.thread.x] + 1; }', { ...settings, output: [8] })
  const pipeline = gpu.createPipeline((x: Parameters<typeof one>[0]) => [one(four(x))], { threads: false })
  try {
    const result: unknown = await pipeline(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    return `${pipeline.executorKind}: ${pipeline.fallbackReason}: ${JSON.stringify(result)}`
  } catch (error) {
    return `${pipeline.executorKind}: ${pipeline.fallbackReason}: ${String(error)}`
  } finally {
    await gpu.destroy()
  }
}

const caseOf = (name: string): Case => {
  const example = cases[name] ?? exact[name]
  if (example === undefined) throw new Error(`there is no case '${name}'`)
  return example
}

/** How far a case is from the reference, and the bits of its outputs. */
export interface Ran extends Agreement {
  readonly bits: number
}

const run = async (mode: Mode, name: string): Promise<Ran> => {
  const example = caseOf(name)
  const values = await runOn(on(mode), example)
  return { ...agreement(example, values, accuracy(mode)), bits: digest(values) }
}

/** The bits of a case's outputs. */
const bits = async (mode: Mode, name: string): Promise<number> => digest(await runOn(on(mode), caseOf(name)))

/** Where a mode puts elements elsewhere. */
const astray = async (mode: Mode): Promise<ReturnType<typeof misplaced>> => misplaced(await runOn(on(mode), places))

/** How far random programs are from the reference, or the smallest one that disagrees. */
const search = async (mode: Mode, seed: number, numRuns: number): Promise<Agreement> => {
  let worst: Agreement = { ratio: 0, at: '', claimed: 1 }
  const details = await fc.check(
    fc.asyncProperty(random, async (example) => {
      const found = agreement(example, await runOn(on(mode), example), accuracy(mode))
      if (!(found.ratio <= worst.ratio)) worst = found
      return found.ratio <= 1
    }),
    { seed, numRuns }
  )
  if (details.failed) throw new Error(fc.defaultReportMessage(details))
  return worst
}

/** What a mode says to a program with an array of `elements`. */
const refusal = (mode: Mode, elements: number): string => {
  const negation = Program.make({ x: [elements] }, ({ x }) => ({ y: X.neg(x) }))
  if (E.isLeft(negation)) throw new Error(JSON.stringify(negation.left))
  const compiled = on(mode).compile(negation.right, {})
  return E.isLeft(compiled) ? showTargetError(compiled.left) : 'compiled'
}

/** The bits of a case on so many threads, and what its report says of them. */
const threads = async (count: number, name: string): Promise<readonly [bits: number, said: string]> => {
  const example = wide[name]
  if (example === undefined) throw new Error(`there is no case '${name}'`)
  const target = gpuJs({ threads: count })
  const executable = target.compile(example.program, example.sizes ?? {})
  if (E.isLeft(executable)) throw new Error(showTargetError(executable.left))
  const result = [digest(await runOn(target, example)), describe(executable.right).threads ?? ''] as const
  await target.dispose()
  return result
}

const shapeOf = (name: string): Case => {
  const example = shapes[name] ?? cases[name]
  if (example === undefined) throw new Error(`there is no case '${name}'`)
  return example
}

const forced = (name: string): Promise<WebGpu.Forced> => WebGpu.forced(shapeOf(name))

const cut = (name: string): ReturnType<typeof WebGpu.cut> => WebGpu.cut(shapeOf(name))

const { written, lost } = WebGpu

const dispose = async (mode: Mode): Promise<void> => {
  await targets.get(mode)?.dispose()
  targets.delete(mode)
}

/** The functions that the test calls. */
export interface Api {
  readonly run: typeof run
  readonly bits: typeof bits
  readonly astray: typeof astray
  readonly search: typeof search
  readonly refusal: typeof refusal
  readonly threads: typeof threads
  readonly ways: typeof ways
  readonly vectors: typeof vectors
  readonly forced: typeof forced
  readonly cut: typeof cut
  readonly written: typeof written
  readonly lost: typeof lost
  readonly alive: typeof alive
  readonly cycles: typeof cycles
  readonly ended: typeof ended
  readonly finetune: typeof finetune
  readonly dispose: typeof dispose
}

const api: Api = {
  run,
  bits,
  astray,
  search,
  refusal,
  threads,
  ways,
  vectors,
  forced,
  cut,
  written,
  lost,
  alive,
  cycles,
  ended,
  finetune,
  dispose
}

Object.assign(globalThis, { halforder: api })
