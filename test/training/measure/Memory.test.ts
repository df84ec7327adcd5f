import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { build } from 'vite'
import { expect, test } from 'vitest'
import { ddim } from '../../../src/chain/sampler/Ddim.js'
import { cosine } from '../../../src/chain/Schedule.js'
import { rlr } from '../../../src/estimator/catalogue/Rlr.js'
import * as Gradient from '../../../src/estimator/Gradient.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import * as L from '../../../src/lens/Lens.js'
import { mlp } from '../../../src/network/Mlp.js'
import { key } from '../../../src/random/index.js'
import { brightness } from '../../../src/reward/Pixels.js'
import * as Tree from '../../../src/tensor/Tree.js'
import { size, tabulate, toFloat32 } from '../../../src/tensor/Tensor.js'
import { memory, showMemory, total } from '../../../src/training/measure/Memory.js'
import * as Requests from '../../../src/training/Requests.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const Peak = t.type({
  said: t.type({ shared: t.number, arrays: t.number, code: t.number, process: t.number, spare: t.number }),
  peak: t.number
})

/** The bytes of arrays of this process, after a collection. */
const arrays = async (): Promise<number> => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  for (let i = 0; i < 3; i++) {
    if (typeof collect === 'function') Reflect.apply(collect, undefined, [])
    await new Promise((resolve) => void setTimeout(resolve, 2))
  }
  return process.memoryUsage().arrayBuffers
}

/** All memories that are made while something runs. */
const memories = async (run: () => Promise<void>): Promise<ReadonlyArray<WebAssembly.Memory>> => {
  const made: Array<WebAssembly.Memory> = []
  const { Memory } = WebAssembly
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor)
      made.push(this)
    }
  }
  try {
    await run()
  } finally {
    WebAssembly.Memory = Memory
  }
  return made
}

test('a gradient takes the memory that was said before it ran', async () => {
  // two megabytes of parameters: what a fixed size has is little beside them
  const denoiser = mlp({ features: 96, labels: 2, hidden: 448, blocks: 2, embedding: 32, share: 'cosine' })
  const chain = ddim({ denoiser, schedule: cosine(4), eta: 1 })
  const problem = Gradient.problem(chain, brightness(96), 2)(right(rlr({ T: 4, h: 2, radius: 0.01 })))
  const target = gpuJs()
  const gradients = right(Gradient.compile(problem, target))
  const said = memory(problem, gradients.executables, target)
  const before = await arrays()
  const params = Object.fromEntries(
    Tree.leaves(L.isParameter, denoiser.lens.parameters).map(([path, { shape }]) => {
      const own = shape.map(Number)
      return [path, toFloat32(tabulate(own, (i) => Math.sin(i + size(own)) / 40))]
    })
  )
  const kept: Array<unknown> = []
  const made = await memories(async () => {
    const conditions = (_: unknown, n: number) => ({ c: { shape: [n, 2], data: new Float32Array(2 * n) } })
    const request = Requests.request(problem, conditions, key(1), params)
    kept.push(request, right(await gradients.run(request)()))
  })
  // programs that a cover did not draw have their places all the same
  const worked = made.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)
  expect(said.shared).toBeGreaterThanOrEqual(worked)
  expect(said.shared).toBeLessThan(1.1 * worked)
  const measured = (await arrays()) - before
  expect(kept).toHaveLength(2)
  expect(Math.abs(said.arrays / measured - 1)).toBeLessThan(0.05)
  await gradients.dispose()
  expect(target.memory?.()).toEqual({ bytes: 0, modules: 0 })
  await target.dispose()
})

test('is said by its parts', () => {
  const [arrays, code, spare] = [1.5 * 2 ** 20, 2 ** 19, 2 ** 20]
  expect(showMemory({ shared: 3 * 2 ** 20, arrays, code, spare, process: 2 ** 26 }).split('\n')).toEqual([
    'memory: 70.0 MiB for a gradient, and 71.5 MiB where arrays of one step are still there in the next',
    '  3.0 MiB that all programs work in',
    "  1.5 MiB of arrays (parameters, gradients, the optimizer's state, noise)",
    '  0.5 MiB of compiled code',
    '  64.0 MiB of the process and its programs',
    '  1.0 MiB to spare'
  ])
  expect(showMemory({ shared: 0, arrays, code, spare })).toContain('memory: 3.0 MiB for a gradient')
  expect(showMemory({ shared: undefined, arrays, code: 0, spare })).toContain('1.5 MiB of arrays')
})

// the peak of a process is read from where Linux has it
test.skipIf(process.platform !== 'linux')('of a process of its own is what was said, to a quarter', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'halforder-peak-'))
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: { ssr: fileURLToPath(new URL('peak.ts', import.meta.url)), outDir: folder, target: 'es2022' }
  })
  // parameters of 2 MB; the small program that halforder is takes more
  const sizes = ['448', '2', '4', '2', '1']
  const { stdout, stderr } = spawnSync(process.execPath, [join(folder, 'peak.js'), ...sizes], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  expect(stderr).toBe('')
  const measured = Peak.decode(JSON.parse(stdout))
  if (E.isLeft(measured)) throw new Error(stdout)
  const { said, peak } = measured.right
  const all = total(said) ?? 0
  expect(peak / all).toBeGreaterThan(0.75)
  expect(peak / all).toBeLessThanOrEqual(1)
  // no part of it is too little to be seen
  expect(peak / (all - said.process)).toBeGreaterThan(1)
})
