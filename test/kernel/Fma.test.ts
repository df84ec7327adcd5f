import * as E from 'fp-ts/lib/Either.js'
import { afterAll, expect, test } from 'vitest'
import { enabled, type Fma } from '../../src/kernel/wasm/Fma.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { matrix } from '../../src/tensor/Tensor.js'

const targets = { auto: gpuJs(), off: gpuJs({ fma: 'off' }) }
afterAll(() => Promise.all(Object.values(targets).map((target) => target.dispose())))

/** `(1 + u)^2 - (1 + 2 u)` is `u^2` where the product is not rounded, and 0 where it is. */
const u = 2 ** -12
const remainder = async (fma: Fma): Promise<number | undefined> => {
  const program = Program.make({ a: [1, 2], b: [2, 1] }, ({ a, b }) => ({ y: X.einsum('ij,jk->ik', a, b) }))
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  const compiled = targets[fma].compile(program.right, {})
  if (E.isLeft(compiled)) throw new Error(compiled.left._tag)
  const result = await compiled.right.run({ a: matrix([[-1 - 2 * u, 1 + u]]), b: matrix([[1], [1 + u]]) })()
  return E.isRight(result) ? result.right['y']?.data[0] : undefined
}

test('fma: off rounds every product, on every machine', async () => {
  expect(enabled('off')).toBe(false)
  expect(await remainder('off')).toBe(0)
})

test('fma: auto rounds no product where the machine can', async () => {
  expect(await remainder('auto')).toBe(enabled('auto') ? u * u : 0)
})
