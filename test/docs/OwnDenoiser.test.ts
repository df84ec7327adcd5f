import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { compile, problem, rlr } from 'halforder/estimator'
import { Foreign, Npz, Safetensors } from 'halforder/format'
import { gpuJs } from 'halforder/kernel'
import { Run } from 'halforder/laws'
import { Forward } from 'halforder/lens'
import { Draw, Key, key } from 'halforder/random'
import { brightness } from 'halforder/reward'
import { Program, Reference, Tensor } from 'halforder/tensor'
import { request } from 'halforder/training'
import { describe, expect, it } from 'vitest'
import { difference } from './snippets/check.js'
import { opened, written } from './snippets/file.js'
import { gradient } from './snippets/gradient.js'
import { denoiser } from './snippets/net.js'
import { unet, unetMapping } from './snippets/unet.js'
import { mapping, weights } from './snippets/weights.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(typeof result.left === 'string' ? result.left : JSON.stringify(result.left))
  return result.right
}

const bytes = readFileSync(new URL('../format/fixtures/denoiser.npz', import.meta.url))
const file = right(Npz.decode(bytes))
const tensor = (name: string): Tensor.Tensor => file[name] ?? Tensor.scalar(NaN)
const output = tensor('output')
const oneHot = Tensor.tabulate([5, 3], (i) => (tensor('input.label').data[Math.floor(i / 3)] === i % 3 ? 1 : 0))
const inputs = { x: tensor('input.x'), time: tensor('input.time'), c: oneHot }

/** Sums of at most 8 products of numbers below 10, in f64, in another order; a handful of layers of them. */
const rounding = 1e-12

describe('a model from an ONNX file', () => {
  const onnx = new Uint8Array(readFileSync(new URL('../network/fixtures/denoiser.onnx', import.meta.url)))

  it('has an RLR gradient in all of its weights, and goes back with other numbers', async () => {
    const { model, chain } = right(opened(onnx))
    const posed = right(
      pipe(
        rlr({ T: 8, h: 2, radius: 0.02 }),
        E.mapLeft(() => 'no cover'),
        E.map(problem(chain, brightness<number>(32), 4))
      )
    )
    const none = (_: unknown, n: number): Program.Values => ({ c: Tensor.fill([n, 1], 0) })
    const gradients = right(compile(posed, gpuJs()))
    const { gradient: found } = right(await gradients.run(request(posed, none, key(1), model.values))())
    expect(Object.keys(found).sort()).toEqual(Object.keys(model.values).sort())
    const numbers = Object.values(found).flatMap(({ data }) => Array.from(data))
    expect(numbers.every(Number.isFinite)).toBe(true)
    expect(Math.hypot(...numbers)).toBeGreaterThan(0)
    const moved = Object.fromEntries(
      Object.entries(model.values).map(([path, value]) => [path, Tensor.map((x) => x / 2)(value)])
    )
    const back = right(opened(right(written(onnx, model.names, moved))))
    expect(back.model.values).toEqual(moved)
  })
})

describe('an MLP from an .npz file', () => {
  it('gives what numpy computed', () => {
    expect(right(difference(right(weights(bytes)), inputs, output))).toBeLessThan(rounding)
  })

  it('does not with a square weight in the wrong layout, which no shape tells', () => {
    const wrong = [...Foreign.rename('net.2.weight', 'middle.weight'), ...mapping]
    const values = right(Foreign.fromForeign(wrong)(denoiser.lens.parameters, file))
    expect(right(difference(values, inputs, output))).toBeGreaterThan(0.1)
  })

  it('says all that does not fit', () => {
    const { 'net.3.weight': gain = Tensor.scalar(0), ...rest } = file
    const result = Foreign.fromForeign(mapping)(denoiser.lens.parameters, { ...rest, 'net.3.wieght': gain })
    expect(E.isLeft(result) ? Foreign.showError(result.left) : '').toBe(
      readFileSync(new URL('../../docs/own-denoiser.md', import.meta.url), 'utf8').match(
        /```text\n([\s\S]*?)\n```/
      )?.[1]
    )
  })

  it('has an RLR gradient', async () => {
    const { gradient: found, rewards } = right(await gradient(right(weights(bytes)))())
    expect(rewards).toHaveLength(8)
    expect(Object.keys(found).sort()).toEqual(Object.keys(right(weights(bytes))).sort())
    const numbers = Object.values(found).flatMap(({ data }) => Array.from(data))
    expect(numbers.every(Number.isFinite)).toBe(true)
    expect(Math.hypot(...numbers)).toBeGreaterThan(0)
  })

  it('goes back to the other tool', () => {
    const theirs = right(Foreign.toForeign(mapping)(denoiser.lens.parameters, right(weights(bytes))))
    expect(Object.keys(theirs)).toHaveLength(11)
    for (const [name, value] of Object.entries(theirs)) expect(value).toEqual(file[name])
  })
})

// -------------------------------------------------------------------------------------
// a U-Net as nested loops, channels first
// -------------------------------------------------------------------------------------

const shapes: Readonly<Record<string, ReadonlyArray<number>>> = {
  'inc.weight': [4, 3, 3, 3],
  'inc.bias': [4],
  'down.conv.weight': [8, 4, 3, 3],
  'down.conv.bias': [8],
  'down.norm.weight': [8],
  'down.norm.bias': [8],
  'temb.weight': [8, 4],
  'temb.bias': [8],
  'outc.weight': [3, 12, 3, 3],
  'outc.bias': [3]
}

const state: Program.Values = Object.fromEntries(
  Object.entries(shapes).map(([name, shape]) => [name, Draw.normal(Key.foldInString(Key.make(5), name), shape)])
)

type Image = ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>

const entry = (name: string, ...index: ReadonlyArray<number>): number =>
  state[name]?.data[index.reduce((flat, i, axis) => flat * (shapes[name]?.[axis] ?? 1) + i, 0)] ?? NaN

const build = (channels: number, side: number, f: (c: number, i: number, j: number) => number): Image =>
  Array.from({ length: channels }, (_, c) =>
    Array.from({ length: side }, (__, i) => Array.from({ length: side }, (___, j) => f(c, i, j)))
  )

const silu = (x: number): number => x / (1 + Math.exp(-x))

const convolve = (name: string, x: Image, outputs: number, stride: number): Image =>
  build(outputs, (x[0]?.length ?? 0) / stride, (o, i, j) => {
    let total = entry(`${name}.bias`, o)
    x.forEach((channel, c) => {
      for (let k = 0; k < 3; k++) {
        for (let l = 0; l < 3; l++) {
          total += entry(`${name}.weight`, o, c, k, l) * (channel[i * stride + k - 1]?.[j * stride + l - 1] ?? 0)
        }
      }
    })
    return total
  })

const normalise = (x: Image): Image => {
  const groups = [0, 1].map((g) => x.slice(4 * g, 4 * g + 4).flat(2))
  return build(8, 2, (c, i, j) => {
    const members = groups[Math.floor(c / 4)] ?? []
    const mean = members.reduce((a, b) => a + b, 0) / members.length
    const variance = members.reduce((a, b) => a + (b - mean) ** 2, 0) / members.length
    const z = ((x[c]?.[i]?.[j] ?? NaN) - mean) / Math.sqrt(variance + 1e-5)
    return z * entry('down.norm.weight', c) + entry('down.norm.bias', c)
  })
}

const forward = (x: Image, time: number): Image => {
  const h = convolve('inc', x, 4, 1).map((channel) => channel.map((line) => line.map(silu)))
  const told = [Math.sin(time), Math.sin(1000 * time), Math.cos(time), Math.cos(1000 * time)]
  const d = normalise(convolve('down.conv', h, 8, 2))
  const u = build(8, 4, (c, i, j) => {
    const shift = told.reduce((sum, f, k) => sum + entry('temb.weight', c, k) * f, entry('temb.bias', c))
    return silu((d[c]?.[Math.floor(i / 2)]?.[Math.floor(j / 2)] ?? NaN) + shift)
  })
  return convolve('outc', [...u, ...h], 3, 1)
}

describe('a U-Net from a safetensors file', () => {
  const params = pipe(
    Safetensors.encode('own')({ tensors: state, metadata: {} }),
    E.chain(Safetensors.decode),
    E.mapLeft(Safetensors.showError),
    E.chain(({ tensors }) =>
      pipe(Foreign.fromForeign(unetMapping)(unet.lens.parameters, tensors), E.mapLeft(Foreign.showError))
    ),
    right
  )
  const rows = Draw.normal(Key.make(6), [2, 48])
  const times = [0.25, 0.875]

  const computed = (values: Program.Values): Tensor.Tensor =>
    pipe(
      Forward.program(unet.lens, { x: ['batch', 48], time: ['batch', 1], c: ['batch', 1] }),
      E.chain((program) =>
        Reference.run(
          program,
          { batch: 2 },
          {
            ...Program.under('params', values),
            ...Program.under('argument', {
              x: rows,
              time: { shape: [2, 1], data: Float64Array.from(times) },
              c: Tensor.fill([2, 1], 0)
            })
          }
        )
      ),
      right,
      ({ value }) => value ?? Tensor.scalar(NaN)
    )

  const off = (values: Program.Values): number => {
    const { data } = computed(values)
    return Math.max(
      ...times.flatMap((time, n) => {
        const at = (c: number, i: number, j: number): number => n * 48 + (i * 4 + j) * 3 + c
        const expected = forward(
          build(3, 4, (c, i, j) => rows.data[at(c, i, j)] ?? NaN),
          time
        )
        return expected.flatMap((channel, c) =>
          channel.flatMap((line, i) => line.map((y, j) => Math.abs(y - (data[at(c, i, j)] ?? NaN))))
        )
      })
    )
  }

  it('gives what loops over channels, lines and columns give', () => {
    // sums of at most 108 products of numbers below 100
    expect(off(params)).toBeLessThan(1e-10)
  })

  it('does not when windows are transposed, which no shape tells', () => {
    const { 'in.weight': weight = Tensor.scalar(0), ...rest } = params
    const flipped = Tensor.tabulate([3, 3, 3, 4], (i) => {
      const [k, l, inner] = [Math.floor(i / 36), Math.floor(i / 12) % 3, i % 12]
      return weight.data[(l * 3 + k) * 12 + inner] ?? NaN
    })
    expect(off({ ...rest, 'in.weight': flipped })).toBeGreaterThan(0.1)
  })
})

describe('the pullbacks', () => {
  const place = (path: string, x: number): number => (path.endsWith('time') ? Math.abs(x) % 1 : x)

  it('of both networks are adjoint', async () => {
    const held = (path: string): boolean => path.endsWith('time')
    await Run.lens(
      {
        name: 'net',
        lens: denoiser.lens,
        argument: { x: ['batch', 6], time: ['batch', 1], c: ['batch', 3] },
        sizes: { batch: 2 },
        place,
        held
      },
      { numRuns: 3 }
    )
    await Run.lens(
      {
        name: 'unet',
        lens: unet.lens,
        argument: { x: ['batch', 48], time: ['batch', 1], c: ['batch', 1] },
        sizes: { batch: 2 },
        place,
        held
      },
      { numRuns: 2 }
    )
  })
})
