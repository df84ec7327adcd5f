import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { mixGrpo } from '../../src/estimator/catalogue/MixGrpo.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Ledger from '../../src/estimator/reading/Ledger.js'
import { get } from '../network/adjoint.js'

const rlr = get(Catalogue.rlr({ T: 12, h: 2 }))

describe('a ledger', () => {
  it('pays of each step what the covers do on average, by the kinds of cells that it has', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Covers.families), fc.integer({ min: 2, max: 6 }), fc.nat(), (family, T, seed) => {
        const [estimator] = fc.sample(family.estimator(T), { numRuns: 1, seed })
        if (estimator === undefined) return
        const { entries } = Ledger.ledger(estimator)
        const paid = Est.paid(estimator)
        entries.forEach((entry, i) => {
          expect(entry.paid).toBeCloseTo(paid[i] ?? Number.NaN, 12)
          expect(entry.first + entry.half + entry.zeroth).toBeCloseTo(entry.paid, 12)
        })
        expect(Ledger.isExact(Ledger.ledger(estimator))).toBe(estimator._tag === 'exact')
      })
    )
  })

  it('is a table of runs of steps that are alike', () => {
    expect(Ledger.show(Ledger.ledger(rlr))).toBe(
      [
        'rlr(h = 2), T = 12',
        '  step      paid     first    half     zeroth   of',
        '  1         1        1        -        -        J',
        '  2         1        -        0.1      0.9      J and J_s',
        '  3..11     1        -        0.2      0.8      J and J_s',
        '  12        1        -        0.1      0.9      J and J_s',
        '  every step is paid once: unbiased, term by term'
      ].join('\n')
    )
  })

  it('of a window says which steps are missing', () => {
    const window = Ledger.ledger(get(mixGrpo({ T: 6, scored: [3, 4] })))
    expect(Ledger.show(window)).toBe(
      [
        'mixGrpo(3..4), T = 6',
        '  step      paid     first    half     zeroth   of',
        '  1..2      -        -        -        -        nothing',
        '  3..4      1        -        1        -        J',
        '  5..6      -        -        -        -        nothing',
        '  biased by what is missing or too much of steps 1..2, 5..6'
      ].join('\n')
    )
    expect([Ledger.isExact(window), Ledger.scaleOf(window)]).toEqual([false, undefined])
  })
})

describe('departures', () => {
  const reinforce = get(Catalogue.reinforce(4))
  const closing = (...departures: ReadonlyArray<Ledger.Departure>): string | undefined =>
    Ledger.show(Ledger.ledger(reinforce, departures)).split('\n').at(-1)?.trim()

  it('that scale likelihood ratios are in the entries, and others are named', () => {
    expect(closing()).toBe('every step is paid once: unbiased for the gradient of J')
    expect(closing({ _tag: 'MeanDensity', elements: 4 })).toBe(
      'every step is paid 0.25 times: the gradient, 0.25 times as long'
    )
    expect(closing({ _tag: 'MeanDensity', elements: 4 }, { _tag: 'OwnBaseline', group: 8 })).toBe(
      'every step is paid 0.219 times: the gradient, 0.219 times as long'
    )
    expect(closing({ _tag: 'Normalised', over: 'group' })).toBe('every step is paid once; biased by its departures')
    expect(closing({ _tag: 'MeanDensity', elements: 4 }, { _tag: 'StepwiseUpdates' })).toBe(
      'every step is paid 0.25 times: the gradient, 0.25 times as long; biased by its departures'
    )
  })

  it('that scale some terms and not others leave no one factor', () => {
    const mixed = Ledger.ledger(get(Est.fromExactCells('mixed', 3, [C.firstOrder(1), C.halfOrder(2, 3)])), [
      { _tag: 'MeanDensity', elements: 2 }
    ])
    expect(mixed.entries.map(({ paid }) => paid)).toEqual([1, 0.5, 0.5])
    expect(Ledger.scaleOf(mixed)).toBeUndefined()
    expect(Ledger.show(mixed)).toContain('biased by what is missing or too much of steps 2..3')
  })

  it('have words of their own', () => {
    const all: ReadonlyArray<Ledger.Departure> = [
      { _tag: 'MeanDensity', elements: 2 },
      { _tag: 'AveragedSteps', steps: 9 },
      { _tag: 'OwnBaseline', group: 2 },
      { _tag: 'Normalised', over: 'batch' },
      { _tag: 'ClippedRatio', low: 1e-4, high: 1e-4 },
      { _tag: 'ReusedSamples', updates: 4 },
      { _tag: 'PartOfPenalty', as: 'loss' },
      { _tag: 'PartOfPenalty', as: 'reward' },
      { _tag: 'ClippedAdvantage', limit: 5 },
      { _tag: 'ClippedGradient', norm: 1 },
      { _tag: 'StepwiseUpdates' },
      { _tag: 'StoppedState' }
    ]
    const lines = all.map(Ledger.showDeparture)
    expect(new Set(lines).size).toBe(all.length)
    expect(lines.every((line) => !line.includes('\n') && line.length <= 120)).toBe(true)
    expect(lines[4]).toContain('clipped to 0.9999..1.0001:')
  })
})
