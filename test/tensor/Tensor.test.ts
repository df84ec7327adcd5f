import { describe, expect, test } from 'vitest'
import * as T from 'halforder/tensor/Tensor'

describe('norm', () => {
  test('of as many numbers as a model has', () => {
    expect(T.norm(new Float64Array(1_000_000).fill(0.5))).toBe(500)
  })

  test('of numbers whose squares are none', () => {
    expect(T.norm([3e200, 4e200])).toBeCloseTo(5e200, -187)
    expect(T.norm([3e-200, -4e-200]) / 5e-200).toBeCloseTo(1, 14)
    expect(T.norm([])).toBe(0)
    expect(T.norm([0, 0])).toBe(0)
    expect(T.norm([1, -Infinity])).toBe(Infinity)
    expect(T.norm([1, NaN, 2])).toBeNaN()
  })
})
