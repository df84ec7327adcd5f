import { describe, expect, it } from 'vitest'
import { Run } from 'halforder/laws'
import { accuracy } from '../../../../cli/tasks/garments/Report.js'
import { symmetry } from '../../../../cli/tasks/garments/Rewards.js'
import * as Program from '../../../../src/tensor/Program.js'
import * as Reference from '../../../../src/tensor/Reference.js'
import * as T from '../../../../src/tensor/Tensor.js'
import { get } from '../../../network/adjoint.js'

/** The reward of pictures by a function of line and column. */
const symmetryOf = (...pictures: ReadonlyArray<(line: number, column: number) => number>): ReadonlyArray<number> => {
  const data = pictures.flatMap((picture) => Array.from({ length: 784 }, (_, i) => picture(Math.floor(i / 28), i % 28)))
  const program = Program.make({ x: ['batch', 784] }, ({ x }) => ({ value: symmetry.lens({}).forward({}, x) }))
  const x = { shape: [pictures.length, 784], data: Float64Array.from(data) }
  return Array.from(get(Reference.run(get(program), { batch: pictures.length }, { x }))['value']?.data ?? [])
}

describe('symmetry', () => {
  it('is 0 of what is its own mirror image, left for right', () => {
    const [bowl, stripes] = symmetryOf(
      (_, column) => Math.abs(column - 13.5) / 14,
      (line) => (line % 3) - 1
    )
    expect([bowl, stripes].map((value) => Math.abs(value ?? 1))).toEqual([0, 0])
  })

  it('is minus the mean square of what differs', () => {
    // a column of ones on the left: 28 pixels and their mirror images differ by 1
    const [edge = 0, halves = 0] = symmetryOf(
      (_, column) => (column === 0 ? 1 : 0),
      (_, column) => (column < 14 ? -1 : 1)
    )
    expect(edge).toBeCloseTo(-56 / 784, 14)
    expect(halves).toBeCloseTo(-4, 14)
  })

  it('is pulled back by its transpose', async () => {
    await Run.lens(
      { name: 'symmetry', lens: symmetry.lens({}), argument: ['batch', 784], sizes: { batch: 2 } },
      { numRuns: 2 }
    )
  })
})

describe('accuracy', () => {
  it('is the share of rows whose greatest logit is the labelled one, the first of equals', () => {
    const labels = T.matrix([
      [0, 1],
      [1, 0],
      [0, 1],
      [1, 0]
    ])
    const logits = T.matrix([
      [-2, -1],
      [3, 4],
      [0, 5],
      [1, 1]
    ])
    expect(accuracy(logits, labels)).toBe(0.75)
    expect(accuracy(T.fill([0, 2], 0), T.fill([0, 2], 0))).toBe(0)
  })
})
