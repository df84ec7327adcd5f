import { describe, expect, it } from 'vitest'
import { meanSeconds, type Net, secondsOf, type Step } from '../../../cli/cluster/Scaling.js'
import * as Key from '../../../src/random/Key.js'

const none: Net = { latency: 0, bandwidth: Number.POSITIVE_INFINITY }
const step: Step = {
  blocks: 8,
  walk: 1,
  credit: 0.5,
  spread: 0,
  down: 0,
  job: 0,
  told: 0,
  gradient: 1,
  post: 0,
  update: 0.25
}
const key = Key.make(1)

describe('the model of a step', () => {
  it('is what it says where nothing is in the way', () => {
    expect(secondsOf(step, none, 1)(key)).toBeCloseTo(12.25)
    expect(secondsOf(step, none, 2)(key)).toBeCloseTo(6.25)
    expect(secondsOf(step, none, 3)(key)).toBeCloseTo(3 * 1.5 + 0.25)
    expect(secondsOf(step, none, 1000)(key)).toBeCloseTo(1.75)
    expect(secondsOf({ ...step, gradient: 0 }, none, 1)(key)).toBeCloseTo(8.25)
  })

  it('waits for the link, which carries everything once, and for the way there and back', () => {
    const heavy = { ...step, down: 10, gradient: 5 }
    // ten bytes to each of eight, then eight times five back
    expect(secondsOf(heavy, { latency: 0, bandwidth: 10 }, 8)(key)).toBeGreaterThan((8 * 10 + 8 * 5) / 10)
    const far = secondsOf(step, { ...none, latency: 0.1 }, 8)(key)
    expect(far - secondsOf(step, none, 8)(key)).toBeCloseTo(0.4)
  })

  it('takes as long as the slowest block, and on the mean as long as one machine where there is one', () => {
    const uneven = { ...step, spread: 0.3 }
    expect(meanSeconds(uneven, none, 1, 400)(key)).toBeGreaterThan(12)
    expect(meanSeconds(uneven, none, 1, 400)(key)).toBeLessThan(12.5)
    expect(meanSeconds(uneven, none, 8, 100)(key)).toBeGreaterThan(1.4 * 1.75)
  })
})
