/**
 * What programs on WebGPU leave in a page: buffers and their bytes, pipelines and texts of shaders, on every device.
 */
import * as E from 'fp-ts/lib/Either.js'
import { gpuJs } from '../../src/kernel/index.js'
import { acquire } from '../../src/kernel/webgpu/Adapter.js'
import * as X from '../../src/tensor/Expr.js'
import { showTargetError, type Target } from '../../src/tensor/Target.js'
import type { Case } from '../kernel/arbitrary.js'
import { close, draw } from '../kernel/examples.js'

// -------------------------------------------------------------------------------------
// counting
// -------------------------------------------------------------------------------------

let [buffers, bytes] = [0, 0]
const sizes = new WeakMap<object, number>()
const made: { pipelines: Array<WeakRef<object>>; modules: Array<WeakRef<object>> } = { pipelines: [], modules: [] }

/** Puts a function in place of a method of a class that the browser has. */
const wrap = (owner: string, method: string, around: (call: () => unknown, self: object) => unknown): void => {
  const found: unknown = Reflect.get(globalThis, owner)
  const prototype: unknown = typeof found === 'function' ? Reflect.get(found, 'prototype') : undefined
  const before: unknown = typeof prototype === 'object' && prototype !== null ? Reflect.get(prototype, method) : null
  if (typeof before !== 'function' || typeof prototype !== 'object' || prototype === null)
    throw new Error(`there is no ${owner}.${method}`)
  const after = function (this: object, ...given: ReadonlyArray<unknown>): unknown {
    return around(() => Reflect.apply(before, this, given), this)
  }
  Reflect.set(prototype, method, after)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const keep = (into: Array<WeakRef<object>>, value: unknown): void => {
  if (isObject(value)) into.push(new WeakRef(value))
}

let isWatched = false

/** Counts what is made from now on, whoever makes it. */
const watch = (): void => {
  if (isWatched) return
  isWatched = true
  wrap('GPUDevice', 'createBuffer', (create) => {
    const buffer = create()
    const size = isObject(buffer) ? Number(Reflect.get(buffer, 'size')) : 0
    if (isObject(buffer)) sizes.set(buffer, size)
    buffers++
    bytes += size
    return buffer
  })
  wrap('GPUBuffer', 'destroy', (destroy, self) => {
    const size = sizes.get(self)
    if (size !== undefined) {
      sizes.delete(self)
      buffers--
      bytes -= size
    }
    return destroy()
  })
  wrap('GPUDevice', 'createShaderModule', (create) => {
    const module = create()
    keep(made.modules, module)
    return module
  })
  wrap('GPUDevice', 'createComputePipeline', (create) => {
    const pipeline = create()
    keep(made.pipelines, pipeline)
    return pipeline
  })
  wrap('GPUDevice', 'createComputePipelineAsync', async (create) => {
    const pipeline: unknown = await create()
    keep(made.pipelines, pipeline)
    return pipeline
  })
}

/**
 * What there is: buffers that were not destroyed and their bytes; pipelines and texts that the page still holds, which is
 * exact after a collection only; all pipelines that were ever made; and the shaders that are kept for the next kernel.
 */
export interface Alive {
  readonly buffers: number
  readonly bytes: number
  readonly pipelines: number
  readonly modules: number
  readonly made: number
  readonly kept: number
}

/** Counts what is alive. */
export const alive = async (): Promise<Alive> => {
  watch()
  const held = (of: ReadonlyArray<WeakRef<object>>): number => of.filter((ref) => ref.deref() !== undefined).length
  const { shaders } = await acquire()
  return {
    buffers,
    bytes,
    pipelines: held(made.pipelines),
    modules: held(made.modules),
    made: made.pipelines.length,
    kept: shaders.size
  }
}

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

/** Two products, a chain of elements, sums and a join: six kernels. A size of its own gives a program texts of its own. */
const program = (rows: number, inner: number): Case =>
  close({ x: [rows, inner], w: [inner, 12] }, ({ x, w }) => {
    const y = X.tanh(X.matmul(x, w))
    const back = X.matmul(y, X.transpose(w))
    return { y, back, rows: X.sum(back, [1]), columns: X.maximum(y, [0]), joined: X.concat([X.neg(x), back], 1) }
  })

/** Programs by what is the same in them: their texts, so that shaders are compiled once, or nothing. */
const programs: Readonly<Record<string, (round: number) => Case>> = {
  alike: () => program(64, 1024),
  different: (round) => program(8, 17 + round)
}

let target: Target | undefined

/** The bytes of a program while it is there, and the most that were left after any. */
export type Cycled = readonly [one: number, left: number]

/**
 * Compiles `rounds` programs from a number on, runs each `runs` times, and disposes of it: or not, where `forgetful` is 1.
 */
export const cycles = async (
  kind: string,
  from: number,
  rounds: number,
  runs: number,
  forgetful: number
): Promise<Cycled> => {
  watch()
  target ??= gpuJs({ mode: 'webgpu' })
  const before = bytes
  let [one, left] = [0, 0]
  for (let round = 0; round < rounds; round++) {
    const example = programs[kind]?.(from + round)
    if (example === undefined) throw new Error(`there are no programs '${kind}'`)
    const compiled = target.compile(example.program, {})
    if (E.isLeft(compiled)) throw new Error(showTargetError(compiled.left))
    const executable = compiled.right
    const shape = example.values['x']?.shape ?? []
    for (let run = 0; run < runs; run++) {
      const result = await executable.run({ ...example.values, x: draw(shape, run) })()
      if (E.isLeft(result)) throw new Error(showTargetError(result.left))
    }
    if (round === 0) one = bytes - before
    if (forgetful !== 1) await executable.dispose()
    left = Math.max(left, bytes - before)
  }
  return [one, left]
}

/** Disposes of the target, and so of what was forgotten. */
export const ended = async (): Promise<void> => {
  await target?.dispose()
  target = undefined
}
