import { describe, expect, it } from 'vitest'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Start from '../../src/estimator/Start.js'

const of = (
  advantage: Advantage.Advantage,
  rewards: ReadonlyArray<number>,
  groups?: ReadonlyArray<number>
): ReadonlyArray<number> => advantage.apply(rewards, advantage.initial, groups).advantages

describe('advantages', () => {
  it('take away what they say', () => {
    expect(of(Advantage.none, [1, 2])).toEqual([1, 2])
    expect(of(Advantage.constant(3), [1, 2])).toEqual([-2, -1])
    expect(of(Advantage.leaveOneOut, [1, 2, 6])).toEqual([-3, -1.5, 4.5])
    expect(of(Advantage.leaveOneOut, [5])).toEqual([5])
    expect(of(Advantage.perPrompt, [1, 2, 6, 7], [0, 1, 0, 2])).toEqual([-5, 2, 5, 7])
    expect(of(Advantage.perPrompt, [1, 2, 6])).toEqual(of(Advantage.leaveOneOut, [1, 2, 6]))
  })

  it('of a group are in units of its own deviation, of rewards less its mean', () => {
    const advantages = of(Advantage.group, [1, 3, 10, 50, 5], [0, 0, 1, 1, 2])
    advantages.forEach((a, i) => expect(a).toBeCloseTo([-1, 1, -1, 1, 0][i] ?? 0, 7))
    expect(of(Advantage.group, [0.1, 0.1, 7], [0, 0, 1])).toEqual([0, 0, 0])
    // before it is divided it is the unbiased one, shrunk by what the sample takes off itself
    const rewards = [2, -1, 4, 7, 0.5]
    const unbiased = of(Advantage.perPrompt, rewards)
    const ratios = of(Advantage.group, rewards).map((a, i) => a / (unbiased[i] ?? 0))
    const deviation = Math.sqrt(rewards.reduce((s, r) => s + (r - 2.5) ** 2, 0) / 5)
    ratios.forEach((ratio) => expect(ratio).toBeCloseTo((1 - 1 / 5) / deviation, 7))
  })

  it('carry a running mean of earlier batches only', () => {
    const running = Advantage.runningMean(0.5, 4)
    const first = running.apply([0, 2], running.initial)
    expect(first).toEqual({ advantages: [-4, -2], state: 2.5 })
    expect(running.apply([1], first.state)).toEqual({ advantages: [-1.5], state: 1.75 })
  })

  it('say that they see the batch where they do', () => {
    const { leaveOneOut, perPrompt, none, constant, runningMean, normalised, clipped } = Advantage
    expect(
      [leaveOneOut, perPrompt, Advantage.group, normalised(none), clipped(1)(leaveOneOut)].every(
        (a) => a.batchDependent
      )
    ).toBe(true)
    expect([none, constant(1), runningMean(0.5), clipped(1)(none)].some((a) => a.batchDependent)).toBe(false)
  })

  it('are normalised by their root mean square, and clipped', () => {
    of(Advantage.normalised(Advantage.none), [3, -4, 0, 0]).forEach((a, i) =>
      expect(a).toBeCloseTo([1.2, -1.6, 0, 0][i] ?? 0, 7)
    )
    expect(of(Advantage.clipped(2)(Advantage.none), [-5, 1, 3])).toEqual([-2, 1, 2])
  })
})

describe('rewards that are all equal', () => {
  const { clipped, constant, leaveOneOut, none, normalised, perPrompt, runningMean } = Advantage
  const inner = [none, constant(-4), leaveOneOut, runningMean(0.9, 3), perPrompt, clipped(1)(leaveOneOut)]

  it.each([0.1, -1 / 3, 1e9 + 0.1, 1e-300, 0, 5])('have the advantage 0 once normalised: %d', (reward) => {
    for (const count of [1, 2, 3, 7, 32]) {
      const rewards = new Array<number>(count).fill(reward)
      const groups = rewards.map((_, n) => n % 3)
      for (const advantage of inner) {
        for (const given of [undefined, groups]) {
          expect(of(normalised(advantage), rewards, given).every((a) => a === 0)).toBe(true)
        }
      }
    }
  })

  it('leave one out to exactly nothing, and equal ones of a prompt too', () => {
    expect(of(leaveOneOut, [0.1, 0.1, 0.1]).map(Math.abs)).toEqual([0, 0, 0])
    expect(of(leaveOneOut, [1e9 + 0.1, 1e9 + 0.1, 1e9 + 0.1]).map(Math.abs)).toEqual([0, 0, 0])
    expect(of(perPrompt, [0.1, 7, 0.1, 0.1, 9], [0, 1, 0, 0, 1]).map(Math.abs)).toEqual([0, 2, 0, 0, 2])
  })
})

describe('starts', () => {
  it('weigh the first step of a segment', () => {
    expect([1, 2, 3].map(Start.weights([0.5, 0, 2]))).toEqual([0.5, 0, 2])
    expect([4].map(Start.weights([1]))).toEqual([0])
    expect(Start.softmax([700, 701])(2)).toBe(1)
    expect(Start.softmax([700, 701])(1)).toBeCloseTo(Math.exp(-1), 12)
    expect(Start.softmax([0, 2], 2)(1)).toBeCloseTo(Math.exp(-1), 12)
    expect(Start.uniform(7)).toBe(1)
  })
})
