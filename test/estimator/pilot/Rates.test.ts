import { describe, expect, it } from 'vitest'
import * as Rates from '../../../src/estimator/reading/pilot/Rates.js'

/** Programs by their evaluations and pullbacks. */
const programs = new Map([
  ['rollout', { evaluations: 10, pullbacks: 0 }],
  ['step', { evaluations: 1, pullbacks: 0 }],
  ['side', { evaluations: 5, pullbacks: 0 }],
  ['one', { evaluations: 1, pullbacks: 1 }],
  ['all', { evaluations: 10, pullbacks: 10 }]
])

const timed = (seconds: Readonly<Record<string, number>>, runs = 2): ReadonlyMap<string, Rates.Timed> =>
  new Map(Object.entries(seconds).map(([program, each]) => [program, { seconds: each, runs }]))

describe('rates', () => {
  it('are those that all programs took, where they agree', () => {
    // 2 rows; 3 seconds an evaluation, 4 a pullback, 5 a reward
    const times = timed({ rollout: 60, step: 6, side: 30, one: 14, all: 140, reward: 10 })
    const rates = Rates.fromTimes(times, programs, 2)
    expect(rates).toEqual({ evaluation: 3, pullback: 4, reward: 5 })
    const cost = { rollouts: 1, networkEvaluations: 20, pullbackSteps: 10, rewardEvaluations: 2, activationSteps: 1 }
    expect(Rates.secondsOf(rates)(cost, 1)).toBe(3 * 20 + 4 * 10 + 5 * 2)
    expect(Rates.secondsOf(rates)(cost, 2)).toBe(3 * 20 + 4 * 20 + 5 * 2)
  })

  it('are not moved by one program that was held up', () => {
    const times = timed({ rollout: 30, step: 3000, side: 15, one: 7, all: 70, reward: 5 })
    expect(Rates.fromTimes(times, programs, 1)).toEqual({ evaluation: 3, pullback: 4, reward: 5 })
  })

  it('are of later runs than the first of a program, where there are some', () => {
    const times = new Map([...timed({ rollout: 30, one: 7 }), ...timed({ side: 1e6, all: 1e6 }, 1)])
    expect(Rates.fromTimes(times, programs, 1)).toEqual({ evaluation: 3, pullback: 4, reward: 0 })
    expect(Rates.fromTimes(timed({ rollout: 30 }, 1), programs, 1)).toEqual({ evaluation: 3, pullback: 3, reward: 0 })
    expect(Rates.fromTimes(new Map(), programs, 1)).toEqual({ evaluation: 1, pullback: 1, reward: 0 })
  })
})
