/**
 * `npm run bench -- --kernels`: where the time goes. Each kernel of a rollout, of full backpropagation and of the U-Net by itself, in
 * operations a second and as a share of what this machine does with vectors of 128 bits, which is all that WebAssembly has.
 */
import { code, encodeModule } from '../src/kernel/wasm/Encoder.js'
import { enabled } from '../src/kernel/wasm/Fma.js'
import { plan, report } from '../src/kernel/plan/Plan.js'
import { memoryImage } from '../src/kernel/threads/MemoryImage.js'
import * as Programs from '../src/estimator/program/Programs.js'
import * as Program from '../src/tensor/Program.js'
import { draw } from './Data.js'
import { kind, mlp } from './Mlp.js'
import { program as unet } from './Unet.js'
import { right } from './Work.js'

const { chain } = mlp({ T: 50, batch: 64, features: 196, width: 256 })
const all = (): boolean => true

type Built = ReturnType<typeof Program.make>

const programs: ReadonlyArray<{ readonly name: string; readonly batch: number; readonly program: Built }> = [
  {
    name: 'rollout',
    batch: 64,
    program: Programs.rollout(chain, { perturbation: 'none', keep: false, trained: all })
  },
  { name: 'full backpropagation', batch: 64, program: Programs.firstOrder(chain, kind(50), all) },
  { name: 'U-Net', batch: 16, program: unet }
]

/** What a kernel took in all of its calls, with the least time of each. */
export interface KernelTime {
  readonly program: string
  readonly kernel: string
  readonly calls: number
  readonly ms: number
  readonly gflops: number
}

const now = (): number => performance.now()

const exported = (bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): (() => void) => {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
  if (typeof run !== 'function') throw new Error('the module has no run')
  return () => void Reflect.apply(run, undefined, [0, 0, 0])
}

/** Multiplications and additions a second, in billions, of sums that stay in registers: no kernel is faster. */
export const peak = (rounds: number): number => {
  const [sums, steps] = [10, 100_000]
  const fma = enabled('auto')
  const out = code(['i32', 'i32', 'i32'])
  const [x, y] = [out.local('v128'), out.local('v128')]
  const locals = Array.from({ length: sums }, () => out.local('v128'))
  for (const local of [x, y, ...locals]) {
    out.integer(0)
    out.load(16 * local)
    out.set(local)
  }
  out.repeat(steps, () =>
    locals.forEach((local) => {
      if (fma) {
        for (const one of [x, y, local]) out.get(one)
        out.vector('f32x4.relaxed_madd')
      } else {
        for (const one of [local, x, y]) out.get(one)
        out.vector('f32x4.mul')
        out.vector('f32x4.add')
      }
      out.set(local)
    })
  )
  locals.forEach((local, i) => {
    out.integer(0)
    out.get(local)
    out.store(1024 + 16 * i)
  })
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 })
  const run = exported(encodeModule({ functions: [out], run: 0, initial: 1, maximum: 1, shared: false }), memory)
  let least = Infinity
  for (let round = 0; round < 3 * rounds; round++) {
    const began = now()
    run()
    least = Math.min(least, now() - began)
  }
  return (2 * 4 * sums * steps) / least / 1e6
}

/** Every kernel of a program, the slowest first. */
const timesOf = (name: string, program: Built, batch: number, rounds: number): ReadonlyArray<KernelTime> => {
  const made = plan(right(Program.bind(right(program), { batch })))
  const image = memoryImage(made, enabled('auto'))
  const memory = new WebAssembly.Memory({ ...image.pages, shared: true })
  const cells = new Float32Array(memory.buffer)
  const bits = new Int32Array(memory.buffer)
  // numbers as they are in a network: kernels take longer for those that are hardly above 0
  cells.set(draw('kernels', [image.bytes / 4], 0.05).data)
  for (const { at, data } of image.constants) cells.set(data, at)
  const modules = image.modules.map((bytes) => exported(bytes, memory))
  const least = image.steps.map(() => Infinity)
  for (let round = 0; round < rounds + 3; round++) {
    image.steps.forEach((step, i) => {
      bits.set(step.bits, step.at)
      const began = now()
      modules[step.module]?.()
      least[i] = Math.min(least[i] ?? Infinity, now() - began)
    })
  }
  const took = made.kernels.map(() => 0)
  made.calls.forEach(({ kernel }, i) => (took[kernel] = (took[kernel] ?? 0) + (least[i] ?? 0)))
  return report(made)
    .kernels.map(({ name: kernel, calls, flops }, i) => {
      const ms = took[i] ?? 0
      return { program: name, kernel, calls, ms, gflops: flops / ms / 1e6 }
    })
    .sort((a, b) => b.ms - a.ms)
}

/** The kernels of all programs. */
export const kernels = (rounds: number): ReadonlyArray<KernelTime> =>
  programs.flatMap(({ name, batch, program }) => timesOf(name, program, batch, rounds))
