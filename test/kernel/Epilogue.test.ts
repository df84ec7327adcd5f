import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { sequence } from '../../src/kernel/plan/Fusion.js'
import { contractionCode } from '../../src/kernel/wasm/ContractionCode.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

const [fused, apart] = [gpuJs(), gpuJs({ fuse: false })]
afterAll(() => Promise.all([fused, apart].map((target) => target.dispose())))

const draw = (shape: ReadonlyArray<number>, salt: number): Tensor => ({
  shape,
  data: Float32Array.from({ length: size(shape) }, (_, i) => Math.cos(1.7 * i + 3 * salt))
})

interface Example {
  readonly program: Program.Program
  readonly values: Program.Values
}

const example = <const I extends Shapes>(
  inputs: I,
  body: Parameters<typeof Program.make<I, Exprs>>[1],
  given: Program.Values = {}
): Example => {
  const program = Program.make(inputs, body)
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  const drawn = program.right.inputs.map(({ name, shape }, i) => [name, draw(shape.map(Number), i)] as const)
  return { program: program.right, values: { ...Object.fromEntries(drawn), ...given } }
}

const output = async (target: typeof fused, { program, values }: Example): Promise<ReadonlyArray<number>> => {
  const compiled = target.compile(program, {})
  if (E.isLeft(compiled)) throw new Error(JSON.stringify(compiled.left))
  const ran = await compiled.right.run(values)()
  await compiled.right.dispose()
  if (E.isLeft(ran)) throw new Error(JSON.stringify(ran.left))
  return [...(ran.right['y']?.data ?? [])]
}

const known = (offset: number): { readonly offset: number; readonly told: undefined } => ({ offset, told: undefined })

/** Of each contraction that something follows: is that done to its tiles? */
const onTiles = ({ program }: Example): ReadonlyArray<boolean> => {
  const bound = Program.bind(program, {})
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  const addresses = {
    buffer: () => known(0),
    parameter: () => 0,
    output: known(0),
    scratch: 0,
    scratchBytes: 0,
    fma: false
  }
  return sequence(bound.right).steps.flatMap(({ spec: { core, epilogue } }) =>
    core._tag === 'Contraction' && epilogue !== undefined
      ? [contractionCode(addresses, core, epilogue).left === undefined]
      : []
  )
}

const forms = {
  rows: example({ a: [7, 5], b: [5, 18], g: [7, 18] }, ({ a, b, g }) => ({ y: X.add(g, X.matmul(a, b)) })),
  'dots, columns that overlap': example({ a: [7, 5], b: [18, 5], g: [7, 18] }, ({ a, b, g }) => ({
    y: X.sub(g, X.matmul(a, X.transpose(b)))
  })),
  'a number for each column': example({ a: [6, 5], b: [5, 21], c: [21] }, ({ a, b, c }) => ({
    y: X.mul(X.matmul(a, b), X.broadcastTo(c, [6, 21]))
  })),
  'a number for each row': example({ a: [6, 5], b: [5, 21], c: [6, 1] }, ({ a, b, c }) => ({
    y: X.mul(X.matmul(a, b), X.broadcastTo(c, [6, 21]))
  })),
  'a batch, and a number for each of it': example({ a: [3, 6, 5], b: [3, 5, 17], c: [3, 1, 1] }, ({ a, b, c }) => ({
    y: X.mul(X.einsum('nij,njk->nik', a, b), X.broadcastTo(c, [3, 6, 17]))
  })),
  'rows that are cut into blocks': example({ a: [256, 300], b: [300, 16], g: [256, 16] }, ({ a, b, g }) => ({
    y: X.add(g, X.matmul(a, b))
  })),
  'a row that is chosen when it runs': example(
    { a: [6, 5], b: [5, 16], c: [4, 16], at: [] },
    ({ a, b, c, at }) => ({ y: X.add(X.matmul(a, b), X.broadcastTo(X.take(c, 0, at), [6, 16])) }),
    { at: { shape: [], data: Float32Array.of(2.2) } }
  ),
  'what was computed, several times': example({ a: [6, 5], b: [5, 16], c: [16] }, ({ a, b, c }) => {
    const z = X.add(X.matmul(a, b), X.broadcastTo(c, [6, 16]))
    return { y: X.mul(z, X.max(z, X.scalar(0))) }
  }),
  'one kernel whose arrays lie elsewhere each time': example(
    { a: [16, 16], b: [16, 16], c: [16], d: [16], e: [16], g: [16, 16] },
    ({ a, b, c, d, e, g }) => ({
      y: [c, d, e].reduce<X.Expr<readonly [16, 16]>>(
        (x, one) => X.sub(X.mul(g, X.broadcastTo(one, [16, 16])), X.matmul(x, b)),
        a
      )
    })
  )
}

const whole = {
  'few columns': example({ a: [6, 5], b: [5, 12], g: [6, 12] }, ({ a, b, g }) => ({ y: X.add(g, X.matmul(a, b)) })),
  'another order': example({ a: [16, 5], b: [5, 18], g: [18, 16] }, ({ a, b, g }) => ({
    y: X.add(X.transpose(g), X.matmul(a, b))
  })),
  'a long function': example({ a: [6, 5], b: [5, 18] }, ({ a, b }) => ({ y: X.sigmoid(X.matmul(a, b)) })),
  'a sum in parts': example({ a: [6, 1600], b: [1600, 16], g: [6, 16] }, ({ a, b, g }) => ({
    y: X.add(g, X.matmul(a, b))
  })),
  'rows of two kinds': example({ a: [4, 6, 5], b: [5, 16], c: [6, 16] }, ({ a, b, c }) => ({
    y: X.add(X.einsum('nij,jk->nik', a, b), X.broadcastTo(c, [4, 6, 16]))
  }))
}

describe('what follows a contraction', () => {
  test.each(Object.entries(forms))('%s: is done to its tiles, with the same bits', async (_, one) => {
    expect(new Set(onTiles(one))).toEqual(new Set([true]))
    expect(await output(fused, one)).toEqual(await output(apart, one))
  })

  test.each(Object.entries(whole))('%s: is done to all of it, with the same bits', async (_, one) => {
    expect(onTiles(one)).toEqual([false])
    expect(await output(fused, one)).toEqual(await output(apart, one))
  })
})
