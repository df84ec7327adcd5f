import { describe, expect, it } from 'vitest'
import { gain, type Level, type Standing, warning } from '../../../cli/command/run/Judgement.js'
import { describe as inWords } from '../../../cli/command/run/Describe.js'
import type { Summary } from '../../../cli/command/run/FinetuneRun.js'

const level = (mean: number, standardError = 0.1): Level => ({ mean, standardError, skipped: 0 })

const standing = (reward: Level, heldOut: Level | null): Standing => ({
  ...reward,
  heldOut,
  kl: level(2),
  objective: level(reward.mean - 1),
  pairwiseDistance: 0.5,
  frechetToBase: 3
})

describe('the warning', () => {
  it('is given where the reward rose and the held-out one fell, each by more than two joint standard errors', () => {
    const before = standing(level(-3), level(-3))
    const said = (reward: number, heldOut: number): boolean =>
      warning(before, standing(level(reward), level(heldOut))) !== null
    // two joint standard errors of 0.1 each are 0.283
    expect(said(-2.7, -3.3)).toBe(true)
    expect(said(-2.7, -3.28)).toBe(false)
    expect(said(-2.72, -3.3)).toBe(false)
    // both rose; both fell; only the held-out one rose
    expect([said(0, -2), said(-4, -4), said(-4, 0)]).toEqual([false, false, false])
  })

  it('is not given where no one judges', () => {
    expect(warning(standing(level(-3), null), standing(level(0), null))).toBeNull()
  })

  it('counts in joint standard errors', () => {
    expect(gain(level(1, 0.3), level(2, 0.4))).toBeCloseTo(2, 12)
    expect(gain(level(2, 0.3), level(1, 0.4))).toBeCloseTo(-2, 12)
  })
})

describe('a summary in words', () => {
  const summary: Summary = {
    folder: 'runs/x',
    sheet: 'after.png',
    reward: 'brightness',
    before: standing(level(-3), level(-3.5)),
    after: standing(level(-1), level(-4)),
    along: [],
    gain: 14.1,
    heldOutReward: 'clarity',
    heldOutGain: -3.5,
    kl: { beta: 0.5, floor: 0, as: 'objective', leftOut: [1] },
    features: 'outputs',
    scales: null,
    warning: warning(standing(level(-3), level(-3.5)), standing(level(-1), level(-4))),
    evaluationSamples: 512,
    estimator: 'reinforce',
    cover: 'HO(1..1)',
    objective: 'J',
    departures: [],
    unpaidSteps: [],
    steps: 20,
    skippedRows: 0,
    clippedShare: 0,
    interrupted: false,
    pullbackSteps: 0,
    networkEvaluations: 10,
    peakActivationBytes: 2 ** 20,
    trainedParameters: 3,
    seconds: 7,
    computingOfStep: 0.5
  }

  it('has the reward, the held-out one, diversity, the price, and the warning in lines of their own', () => {
    expect(inWords(summary)).toBe(
      [
        'brightness, on 512 held-out samples',
        '  before     -3.000 +- 0.100',
        '  after      -1.000 +- 0.100   (+14.1 joint standard errors)',
        '  held out   -3.500 +- 0.100 to -4.000 +- 0.100   (-3.5), clarity by another judge',
        '  diversity  mean distance of two outputs 0.500 to 0.500; Frechet distance to the base 3.00',
        '  KL         2.000 +- 0.100 to the base, at 0.5 each: objective -4.000 +- 0.100 to -2.000 +- 0.100',
        '  warning    the reward rose and the held-out one fell: the reward is being gamed; raise --kl, or stop earlier',
        '  estimator  reinforce: HO(1..1)',
        '             unbiased for J',
        '  cost       10 network evaluations, 1.0 MiB of activations at the peak',
        '  done after 20 steps and 7 s; see runs/x/after.png and reward.svg',
        ''
      ].join('\n')
    )
  })

  it('says what is not judged, and what has no price', () => {
    const { before, after } = summary
    const alone = inWords({
      ...summary,
      before: { ...before, heldOut: null, kl: null },
      after: { ...after, heldOut: null, kl: null },
      heldOutReward: null,
      heldOutGain: null,
      warning: null,
      kl: { beta: 0, floor: 0, as: 'objective', leftOut: [] }
    })
    expect(alone).toContain('  held out   the task has no judge of this reward\n')
    expect(alone).toContain('  KL         none to the base, since no step of the chain that is measured has noise\n')
    expect(alone).not.toContain('warning')
    expect(inWords({ ...summary, kl: { beta: 0, floor: 0, as: 'objective', leftOut: [] } })).toContain(
      '  KL         2.000 +- 0.100 to the base\n'
    )
  })
})
