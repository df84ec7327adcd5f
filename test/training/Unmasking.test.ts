import { describe, expect, test } from 'vitest'
import * as L from '../../src/lens/Lens.js'
import type { TokensDescription } from '../../src/network/Description.js'
import * as Key from '../../src/random/Key.js'
import { leastMasked, unmasking } from '../../src/training/Objective.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as T from '../../src/tensor/Tensor.js'
import { get, values } from '../network/adjoint.js'

const tokens: TokensDescription = {
  kind: 'tokens',
  length: 2,
  alphabet: 4,
  labels: 1,
  hidden: 5,
  blocks: 1,
  embedding: 4
}
const objective = unmasking(tokens)
const shapes = { x0: ['batch', 8], labels: ['batch', 1], noise: ['batch', 8], time: ['batch', 1] } as const

/** Two rows: at 0.3 the second place alone is masked, since -1 has the rank 0.159; at 0.02 none but the first. */
const batch: Values = {
  x0: { shape: [2, 8], data: Float64Array.of(1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0) },
  labels: T.fill([2, 1], 0),
  noise: { shape: [2, 8], data: Float64Array.of(0.5, -9, -9, -9, -1, 9, 9, 9, -2.5, 9, 9, 9, -2, 9, 9, 9) },
  time: { shape: [2, 1], data: Float64Array.of(0.3, 0.02) }
}

const run = (p: Values): Values => {
  const program = get(
    Program.make({ p: L.shapes(objective.parameters), ...shapes }, (inputs) => {
      const [losses, back] = objective.run(inputs.p, inputs)
      return { losses, gradient: back(X.fill(['batch'], 1)) }
    })
  )
  return get(Reference.run(program, { batch: 2 }, { ...p, ...batch }))
}

describe('unmasking', () => {
  const p = values(L.shapes(objective.parameters), 'p', Key.make(8), 0.5)

  test('of a network that knows nothing is the logarithm of the words, for each masked place, over time and length', () => {
    const none = Object.fromEntries(Object.entries(p).map(([path, value]) => [path, T.map(() => 0)(value)]))
    const { losses } = run(none)
    const expected = [Math.log(3) / (2 * 0.3), Math.log(3) / (2 * leastMasked)]
    expected.forEach((one, i) => expect(losses?.data[i]).toBeCloseTo(one, 6))
  })

  test('sees no token that is masked, and has the gradient of its loss', () => {
    const total = (at: Values): number => Array.from(run(at)['losses']?.data ?? []).reduce((a, b) => a + b, 0)
    const out = run(p)
    const h = 1e-5
    for (const path of ['in.weight', 'out.weight', 'out.bias', 'blocks.0.dense.weight']) {
      const moved = (by: number): Values => ({
        ...p,
        [`p.${path}`]: {
          shape: p[`p.${path}`]?.shape ?? [],
          data: Float64Array.from(p[`p.${path}`]?.data ?? [], (x, i) => x + by * Math.cos(i))
        }
      })
      const slope = (total(moved(h)) - total(moved(-h))) / (2 * h)
      const found = Array.from(out[`gradient.${path}`]?.data ?? []).reduce((sum, g, i) => sum + g * Math.cos(i), 0)
      expect(Math.abs(found - slope)).toBeLessThan(1e-7 * (1 + Math.abs(slope)))
    }
    // the row of the weights that a masked token would enter by has no gradient: place 2, category 3
    const entering = out['gradient.in.weight']?.data ?? []
    const first = Array.from(entering.slice(6 * 5, 7 * 5))
    expect(first.every((g) => g === 0)).toBe(true)
    // and that of the mask there has some
    expect(Array.from(entering.slice(7 * 5, 8 * 5)).some((g) => g !== 0)).toBe(true)
  })
})
