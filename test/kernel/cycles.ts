/**
 * What compiling, running and disposing leave behind in memory.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as E from 'fp-ts/lib/Either.js'
import { type GpuJsOptions, gpuJs } from '../../src/kernel/index.js'
import * as Build from '../../src/tensor/Build.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { type Executable, showTargetError, type Target } from '../../src/tensor/Target.js'

/** Every way of running on the host. Batches are wide enough for `threads` to have something to share. */
export const hosts: ReadonlyArray<readonly [string, GpuJsOptions]> = [
  ['webasm', {}],
  ['webasm without fusion', { fuse: false }],
  ['webasm in blocks', { threads: 1 }],
  ['webasm on two threads', { threads: 2 }],
  ['cpu', { mode: 'cpu' }],
  ['cpu without fusion', { mode: 'cpu', fuse: false }]
]

/** A little of everything: a contraction with what follows it, sums over rows, and a copy. */
const layer = Program.make({ x: ['batch', 12], w: [12, 17], b: [17] }, ({ x, w, b }) => {
  const z = X.add(X.matmul(x, w), b)
  return { h: X.mul(z, X.sigmoid(z)), total: X.sum(z, [0, 1]), z: X.permute(z, [1, 0]) }
})

/** Enough work for two threads. */
const wide = Program.make({ x: ['batch', 224], w: [224, 224], b: [224] }, ({ x, w, b }) => {
  let y = X.add(x, b)
  for (let t = 0; t < 12; t++) y = X.tanh(X.matmul(y, w))
  return { y }
})

/** Compiles a program on a target. */
const compiled = (target: Target, several: boolean): Executable => {
  const program: Build.Closed = several ? wide : layer
  const result = Build.build(target, { batch: 64 })('cycles', program)
  if (E.isLeft(result)) throw new Error(Build.showError(result.left))
  return result.right
}

const valuesFor = ({ program }: Executable): Program.Values =>
  Object.fromEntries(
    program.inputs.map(({ name, shape }) => [
      name,
      { shape, data: Float32Array.from({ length: shape.reduce((n, d) => n * d, 1) }, (_, i) => Math.sin(i) / 9) }
    ])
  )

const once = async (executable: Executable, values: Program.Values): Promise<void> => {
  const result = await executable.run(values)()
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
}

/** The bytes that this process holds, inside and outside of its heap, after a collection. */
const held = async (): Promise<number> => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  // finalizers run between two collections
  for (let i = 0; i < 4; i++) {
    if (typeof collect === 'function') Reflect.apply(collect, undefined, [])
    await new Promise((resolve) => void setTimeout(resolve, 5))
  }
  const { heapUsed, external, arrayBuffers } = process.memoryUsage()
  return heapUsed + external + arrayBuffers
}

/** By how many bytes the process grows in `count` cycles of compiling, running and disposing, after some to warm up. */
export const cyclesGrow = async (options: GpuJsOptions, warm: number, count: number): Promise<number> => {
  const target = gpuJs(options)
  const several = (options.threads ?? 1) > 1
  const cycles = async (n: number): Promise<number> => {
    for (let i = 0; i < n; i++) {
      const executable = compiled(target, several)
      await once(executable, valuesFor(executable))
      await executable.dispose()
    }
    return await held()
  }
  const before = await cycles(warm)
  const grown = (await cycles(count)) - before
  await target.dispose()
  return grown
}

/** By how many bytes the process grows in `count` runs of one executable, after some to warm up. */
export const runsGrow = async (options: GpuJsOptions, warm: number, count: number): Promise<number> => {
  const target = gpuJs(options)
  const executable = compiled(target, (options.threads ?? 1) > 1)
  const values = valuesFor(executable)
  const runs = async (n: number): Promise<number> => {
    for (let i = 0; i < n; i++) await once(executable, values)
    return await held()
  }
  const before = await runs(warm)
  const grown = (await runs(count)) - before
  await target.dispose()
  return grown
}
