import { createRequire } from 'node:module'
import * as E from 'fp-ts/lib/Either.js'
import gpujs, { type IGPUKernelSettings } from 'gpu.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { kernelNumber, moduleLayout, webasmKernel } from '../../src/kernel/gpujs/Door.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import type { Mode } from '../../src/kernel/Mode.js'
import { argument, keep } from '../../src/kernel/gpujs/Resident.js'
import { apply, read } from '../../src/kernel/plan/Spec.js'
import type { Kernel } from '../../src/kernel/plan/Template.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import {
  describe as describeWork,
  type Executable,
  showReport,
  showTargetError,
  type Target,
  type TargetError
} from '../../src/tensor/Target.js'

const layer = Program.make({ x: ['batch', 12], w: [12, 17], b: [17] }, ({ x, w, b }) => {
  const z = X.add(X.matmul(x, w), b)
  return { h: X.mul(z, X.sigmoid(z)), total: X.sum(z, [0, 1]), z: X.permute(z, [1, 0]) }
})
const program = E.isRight(layer) ? layer.right : undefined

const values = (batch: number, offset = 0): Program.Values => ({
  x: { shape: [batch, 12], data: Float64Array.from({ length: 12 * batch }, (_, i) => Math.sin(i + offset) / 3) },
  w: { shape: [12, 17], data: Float32Array.from({ length: 12 * 17 }, (_, i) => Math.cos(i)) },
  b: { shape: [17], data: Float32Array.from({ length: 17 }, (_, i) => i / 17) }
})

const compiled = (target: Target, batch = 6): Executable => {
  if (program === undefined) throw new Error('the program has errors')
  const result = target.compile(program, { batch })
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
  return result.right
}

const left = (result: E.Either<TargetError, unknown>): string =>
  E.isLeft(result) ? showTargetError(result.left) : 'a right'

const right = (result: E.Either<TargetError, Program.Values>): Program.Values => {
  if (E.isLeft(result)) throw new Error(showTargetError(result.left))
  return result.right
}

describe('running', () => {
  test('the same input gives the same bits, from run to run and from instance to instance', async () => {
    const target = gpuJs()
    const executable = compiled(target)
    const first = right(await executable.run(values(6))())
    await executable.run(values(6, 1))()
    expect(right(await executable.run(values(6))())).toEqual(first)
    const other = gpuJs()
    expect(right(await compiled(other).run(values(6))())).toEqual(first)
    await target.dispose()
    await other.dispose()
  })

  test('fusion changes no bit of elementwise chains and of what follows a contraction', async () => {
    const [fused, plain] = [gpuJs(), gpuJs({ fuse: false })]
    const a = right(await compiled(fused).run(values(6))())
    const b = right(await compiled(plain).run(values(6))())
    expect(a['h']).toEqual(b['h'])
    expect(a['z']).toEqual(b['z'])
    await fused.dispose()
    await plain.dispose()
  })

  test('calls that overlap keep their own inputs', async () => {
    const target = gpuJs()
    const executable = compiled(target)
    const apart = [0, 1, 2].map((offset) => executable.run(values(6, offset)))
    const together = (await Promise.all(apart.map((run) => run()))).map(right)
    for (const [i, run] of apart.entries()) expect(right(await run())).toEqual(together[i])
    await target.dispose()
  })

  test('results belong to the caller: writing into them changes no input and no later result', async () => {
    const target = gpuJs()
    const identity = Program.make({ x: [3] }, ({ x }) => ({ x, y: X.neg(x), again: X.neg(x) }))
    if (E.isLeft(identity)) throw new Error('the program has errors')
    const result = target.compile(identity.right, {})
    if (E.isLeft(result)) throw new Error(left(result))
    const x = { shape: [3], data: Float32Array.of(1, 2, 3) }
    const first = right(await result.right.run({ x })())
    first['x']?.data.fill(9)
    first['y']?.data.fill(9)
    expect(x.data).toEqual(Float32Array.of(1, 2, 3))
    expect(right(await result.right.run({ x })())['again']?.data).toEqual(Float32Array.of(-1, -2, -3))
    await target.dispose()
  })

  test('a run with some inputs changed and some not gives what a first run gives', async () => {
    const target = gpuJs()
    const executable = compiled(target)
    const [a, b] = [values(6), values(6, 3)]
    const mixed = { ...a, ...(b['x'] && { x: b['x'] }) }
    const all: ReadonlyArray<Program.Values> = [a, a, mixed, a, b, mixed]
    const got: Array<Program.Values> = []
    for (const each of all) got.push(right(await executable.run(each)()))
    const fresh = gpuJs()
    for (const [i, each] of all.entries()) {
      const once = compiled(fresh)
      expect(right(await once.run(each)())).toEqual(got[i])
      await once.dispose()
    }
    await target.dispose()
    await fresh.dispose()
  })

  test('compiling a program again while it is in use shares what was compiled', async () => {
    const target = gpuJs()
    const [first, second, other] = [compiled(target), compiled(target), compiled(target, 7)]
    expect(second.program).toBe(first.program)
    expect(other.program).not.toBe(first.program)
    await first.dispose()
    expect(E.isRight(await second.run(values(6))())).toBe(true)
    await second.dispose()
    expect(compiled(target).program).not.toBe(first.program)
    await target.dispose()
  })

  test('a report lists the kernels with their calls, operations and traffic', async () => {
    const target = gpuJs()
    const report = describeWork(compiled(target))
    expect(report.kernels.map(({ name, calls }) => `${calls} x ${name}`)).toEqual([
      '1 x contraction 6x17x12 by rows, then add',
      '1 x sigmoid mul of 102',
      '1 x sum of copy over 102 for each of 1',
      '1 x copy of 102'
    ])
    expect(report.kernels[0]).toMatchObject({ flops: 2 * 6 * 17 * 12 + 102 })
    expect(showReport(report).split('\n')).toHaveLength(7)
    await target.dispose()
  })

  test('several batch sizes on one target', async () => {
    const target = gpuJs()
    for (const batch of [1, 2, 5]) {
      expect(right(await compiled(target, batch).run(values(batch))())['h']?.shape).toEqual([batch, 17])
    }
    await target.dispose()
  })
})

describe('errors', () => {
  test('a size that is missing', () => {
    expect(program && left(gpuJs().compile(program, {}))).toBe(
      "dimension 'batch': expected a size, got sizes for no name; pass { batch: a whole number }"
    )
  })

  test('inputs that are missing or of another shape', async () => {
    const target = gpuJs()
    const { w, b } = values(6)
    const result = await compiled(target).run({ ...values(5), ...(w && b ? { w: b } : {}) })()
    expect(left(result)).toBe(
      "input 'x': expected [6, 12], got [5, 12] with 60 elements; pass a tensor of that shape\n" +
        "input 'w': expected [12, 17], got [17] with 17 elements; pass a tensor of that shape"
    )
    await target.dispose()
  })

  test('a mode that does not exist, or is not there', () => {
    // a caller without types
    const unknown = gpuJs({ mode: 'quantum' as Mode })
    expect(program && left(unknown.compile(program, { batch: 1 }))).toBe(
      "gpu.js quantum: there is no mode 'quantum'; use one of webasm, cpu, webgpu, webgl2, webgl, headlessgl, gpu"
    )
    const absent = gpuJs({ mode: 'webgl2' })
    expect(program && left(absent.compile(program, { batch: 1 }))).toMatch(
      /^gpu\.js webgl2: .*; use the mode 'webasm', which runs anywhere$/
    )
  })
})

describe('disposing', () => {
  test('of an executable, twice, and of the target', async () => {
    const target = gpuJs()
    const first = compiled(target)
    const second = compiled(target)
    await first.run(values(6))()
    await first.dispose()
    await first.dispose()
    const gone = 'gpu.js webasm: this executable was disposed of; compile the program again'
    expect(left(await first.run(values(6))())).toBe(gone)
    expect(E.isRight(await second.run(values(6))())).toBe(true)
    await target.dispose()
    await target.dispose()
    expect(left(await second.run(values(6))())).toBe(gone)
    expect(program && left(target.compile(program, { batch: 6 }))).toBe(gone)
  })

  test('of a target that was never used', async () => {
    const target = gpuJs()
    await target.dispose()
    expect(program && E.isLeft(target.compile(program, { batch: 6 }))).toBe(true)
  })
})

describe('the door into gpu.js', () => {
  const Manifest = t.type({ version: t.string })
  const kernel: Kernel = {
    // not what the source says: the result shows whose code ran
    spec: {
      cells: 10,
      epilogue: undefined,
      core: {
        _tag: 'Elementwise',
        rowLength: 10,
        parts: [
          {
            start: 0,
            length: 10,
            dims: [10],
            strides: [1],
            body: apply('mul', [
              read({ buffer: 0, offset: 0, strides: [1], moves: [] }),
              { _tag: 'Parameter', index: 0 }
            ])
          }
        ]
      }
    },
    buffers: 1,
    parameters: ['Float']
  }
  const settings: IGPUKernelSettings = {
    output: [10],
    constants: { [kernelNumber]: 7 },
    argumentTypes: { b0: 'Array', p0: 'Float' }
  }
  const input = Float32Array.from({ length: 10 }, (_, i) => i)
  const tripled = input.map((x) => 3 * x)
  const open = (): InstanceType<typeof gpujs.GPU> => {
    const gpu = new gpujs.GPU({ mode: 'webasm' })
    gpu.Kernel = webasmKernel(new Map([[7, kernel]]), false)
    return gpu
  }

  test('is that of the pinned version', () => {
    const manifest = Manifest.decode(createRequire(import.meta.url)('gpu.js/package.json'))
    expect(E.isRight(manifest) && manifest.right.version).toBe('2.24.1')
  })

  test('is a method of the class, asked with a layout of the known form', () => {
    expect(Reflect.get(gpujs.WebAssemblyKernel.prototype, '_assembleModule')).toBeTypeOf('function')
    const seen: Array<{ readonly layout: unknown; readonly cells: unknown; readonly shared: unknown }> = []
    const gpu = open()
    const Assembled = gpu.Kernel
    const assemble: unknown = Reflect.get(Assembled.prototype, '_assembleModule')
    Reflect.set(
      Assembled.prototype,
      '_assembleModule',
      function (this: unknown, layout: unknown, cells: unknown, shared: unknown) {
        seen.push({ layout, cells, shared })
        const module: unknown =
          typeof assemble === 'function' ? Reflect.apply(assemble, this, [layout, cells, shared]) : undefined
        return module
      }
    )
    gpu.createKernel('function (b0, p0) { return b0[this.thread.x] + p0; }', settings)(input, 3)
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({
      cells: 10,
      shared: false,
      layout: {
        arrays: { b0: { offset: 0, index: 0 } },
        scalars: { p0: { offset: 48, type: 'Float' } },
        outputOffset: 64
      }
    })
    expect(E.isRight(moduleLayout.decode(seen[0]?.layout))).toBe(true)
    return gpu.destroy()
  })

  test('opens for single kernels', async () => {
    const gpu = open()
    expect(gpu.createKernel('function (b0, p0) { return b0[this.thread.x] + p0; }', settings)(input, 3)).toEqual(
      tripled
    )
    await gpu.destroy()
  })

  test('opens for pipelines, which run fused and return flat arrays', async () => {
    const gpu = open()
    const step = gpu.createKernel('function (b0, p0) { return b0[this.thread.x] + p0; }', settings)
    const pipeline = gpu.createPipeline((x: Parameters<typeof step>[0]) => [step(step(x, 1.5), 2)], { threads: false })
    expect(await pipeline(input)).toEqual([tripled])
    expect(pipeline.executorKind).toBe('fused-sync')
    expect(pipeline.fallbackReason).toBeNull()
    // unchanged inputs stay in the memory of the pipeline
    expect(keep(pipeline)).toBe(true)
    const same = argument(input)
    for (let i = 0; i < 3; i++) expect(await pipeline(same)).toEqual([tripled])
    expect(await pipeline(argument(tripled))).toEqual([tripled.map((x) => 3 * x)])
    expect(await pipeline(same)).toEqual([tripled])
    await pipeline.destroy()
    await gpu.destroy()
  })

  test('is shut for a kernel that is not ours', async () => {
    const gpu = open()
    const foreign = gpu.createKernel('function (b0) { return b0[this.thread.x]; }', { output: [10] })
    expect(() => foreign(input)).toThrow('gpu.js asked for a module in another way than version 2.24.1 does')
    await gpu.destroy()
  })
})
