import { describe, expect, test } from 'vitest'
import { scatter } from '../../../cli/edge/Scatter.js'
import type { Tensor } from '../../../src/tensor/Tensor.js'

const points = (...values: ReadonlyArray<number>): Tensor => ({
  shape: [values.length / 2, 2],
  data: Float32Array.from(values)
})

const picture = (of: Tensor, trail: ReadonlyArray<Tensor> = []): string =>
  Buffer.from(scatter(2)([{ title: 'x', points: of, trail }])).toString('base64')

const none = points()
const origin = points(0, 0)

describe('points far outside of a picture', () => {
  // the renderer ended the process over them
  test.each([2.05, 10, 1e6, 1e20, 3e38, Infinity])('%s are not drawn', (far) => {
    expect(picture(points(far, 0))).toBe(picture(none))
    expect(picture(points(far, far, far, -far, -far, -far))).toBe(picture(none))
    expect(picture(points(0, 0, far, far))).toBe(picture(origin))
  })

  test.each([10, 1e6, 1e20, 3e38, Infinity])('%s are where ways come from', (far) => {
    expect(picture(origin, [points(far, 0)])).not.toBe(picture(origin))
    expect(picture(points(far, 0), [points(far, 0)])).toBe(picture(none))
    expect(picture(points(far, 0), [points(0, far), points(far, 0)])).toBe(picture(none))
  })

  test('points in it are drawn, also at its edge', () => {
    expect(picture(origin)).not.toBe(picture(none))
    expect(picture(points(2, 2))).not.toBe(picture(none))
  })
})
