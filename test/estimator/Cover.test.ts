import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Law from '../../laws/law/Cover.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Objective from '../../src/estimator/Objective.js'
import { seconds } from '../cost.js'

const drawn = (result: E.Either<C.CoverError, unknown>): string =>
  E.isLeft(result) ? C.showError(result.left) : 'accepted'

describe('covers', () => {
  it('are a partial commutative monoid, and pay for no step twice', () =>
    Run.forAll(
      fc.integer({ min: 1, max: 5 }).chain((T) => fc.tuple(Covers.cover(T), Covers.cover(T), Covers.cover(T))),
      ([a, b, c]) =>
        V.all('covers', [Law.neutral()(a), Law.commutative()(a, b), Law.paidOnce()(a, b), Law.associative()(a, b, c)]),
      { numRuns: 500 }
    ))

  it('of other lengths do not join', () => {
    const join = E.flatMap((a: C.Cover) => E.flatMap((b: C.Cover) => C.union(a, b))(C.empty(3)))(C.empty(2))
    expect(drawn(join)).toBe('T: expected two covers of 2 steps, got 3 steps')
  })

  it('are exact just when every step is paid for', () =>
    Run.forAll(fc.integer({ min: 1, max: 6 }).chain(Covers.cover), (cover) =>
      V.holds('exact', [
        [C.show(cover), (cover._tag === 'exact') === (C.unpaid(cover).length === 0)],
        ['exact() agrees', E.isRight(C.exact(cover.T, cover.cells)) === (cover._tag === 'exact')]
      ])
    ))

  it.each([
    [C.cover(0, []), 'T: expected a whole number in 1..4096, got 0; pass the number of steps of the chain'],
    [C.cover(2.5, []), 'T: expected a whole number in 1..4096, got 2.5; pass the number of steps of the chain'],
    [C.cover(3, [C.firstOrder(4)]), 'FO(1..4): expected steps within 1..3, got 4; move or shorten the cell'],
    [
      C.cover(3, [C.firstOrder(0)]),
      'FO(1..0): expected steps within 1..3, got an empty range; move or shorten the cell'
    ],
    [
      C.cover(3, [C.halfOrder(3, 2)]),
      'HO(3..2): expected steps within 1..3, got an empty range; move or shorten the cell'
    ],
    [C.cover(3, [C.halfOrder(0, 2)]), 'HO(0..2): expected steps within 1..3, got 0; move or shorten the cell'],
    [
      C.cover(3, [C.zerothOrder([2, 5, 6])]),
      'ZO(2, 5..6; central, shared, s = 0.05): expected steps within 1..3, got 5..6; move or shorten the cell'
    ],
    [
      C.cover(3, [C.firstOrder(2), C.halfOrder(2, 3)]),
      'step 2 is paid for twice, by FO(1..2) and HO(2..3); its term would be counted twice: give it to one of them, or shares that add up to 1'
    ],
    [
      C.cover(3, [C.zerothOrder([2, 2])]),
      'step 2 is paid for twice, by ZO(2, 2; central, shared, s = 0.05) and ZO(2, 2; central, shared, s = 0.05); its term would be counted twice: give it to one of them, or shares that add up to 1'
    ],
    [
      C.cover(3, [C.zerothOrder([2], { radius: 0 })]),
      "radius: expected a number above 0, got 0; a common choice is 0.05 of the parameters' own scale"
    ],
    [
      C.cover(3, [C.zerothOrder([2], { radius: Number.NaN })]),
      "radius: expected a number above 0, got NaN; a common choice is 0.05 of the parameters' own scale"
    ],
    [
      C.cover(3, [C.zerothOrder([2]), C.zerothOrder([3])]),
      'expected one zeroth-order cell, got ZO(2; central, shared, s = 0.05) and ZO(3; central, shared, s = 0.05); join their steps in one'
    ],
    [
      C.exact(4, [C.firstOrder(1), C.halfOrder(3, 3)]),
      "no cell pays for 2, 4; add a cell, or use 'cover' where the bias is wanted"
    ]
  ])('refuses %#: the whole text', (result, text) => expect(drawn(result)).toBe(text))

  it('refuses the zeroth-order set of equation (6) as printed, which keeps step 1', () => {
    expect(drawn(C.exact(5, [C.firstOrder(1), C.halfOrder(2, 3), C.zerothOrder([1, 5])]))).toBe(
      'step 1 is paid for twice, by FO(1..1) and ZO(1, 5; central, shared, s = 0.05); its term would be counted twice: give it to one of them, or shares that add up to 1'
    )
  })

  it('of chains and cells of any length are made, or refused, within a second', () => {
    const all = C.range(1, C.longest)
    const long = 'T: expected a whole number in 1..4096, got 1000000000000000; pass the number of steps of the chain'
    const spent = seconds(() => {
      expect(drawn(C.cover(1e15, []))).toBe(long)
      expect(drawn(Catalogue.fullBackprop(1e15))).toBe(long)
      expect(drawn(Catalogue.reinforce(1e15))).toBe(long)
      expect(drawn(Catalogue.rlr({ T: 1e15 }))).toBe(long)
      expect(drawn(Catalogue.geometricHalfOrder({ T: 1e15, lambda: 0.5 }))).toBe(long)
      expect(drawn(Catalogue.truncatedBackprop({ T: 50, k: 1e10 }))).toBe(
        'FO(1..10000000000): expected steps within 1..50, got 51..10000000000; move or shorten the cell'
      )
      expect(drawn(C.cover(50, [C.halfOrder(-1e15, 1e15)]))).toBe(
        'HO(-1000000000000000..1000000000000000): expected steps within 1..50, got -1000000000000000..0, 51..1000000000000000; move or shorten the cell'
      )
      expect(
        drawn(
          C.exact(
            C.longest,
            all.map((t) => C.halfOrder(t, t))
          )
        )
      ).toBe('accepted')
      expect(
        drawn(
          C.exact(
            C.longest,
            all.slice(1).map((t) => C.halfOrder(t, t))
          )
        )
      ).toBe("no cell pays for 1; add a cell, or use 'cover' where the bias is wanted")
      expect(drawn(C.cover(C.longest, [C.firstOrder(C.longest), C.halfOrder(4000, C.longest)]))).toBe(
        'step 4000 is paid for twice, by FO(1..4096) and HO(4000..4096); its term would be counted twice: give it to one of them, or shares that add up to 1'
      )
    })
    expect(spent).toBeLessThan(4)
  })

  it('show the first of many shares', () => {
    const ones = new Array<number>(1000).fill(1)
    const shown = `HO(2..3; shares ${new Array(12).fill(1).join(', ')}, ... (1000 in all))`
    expect(drawn(C.cover(3, [C.halfOrder(2, 3, { shares: ones })]))).toBe(
      `${shown}: expected 2 finite shares of at least 0, one a step, got [1, 1, 1, 1, 1, 1, 1, 1, ... (1000 in all)]; give each step one`
    )
  })

  it('show a set of many runs by its ends', () => {
    expect(C.showSteps(C.range(1, 100).map((t) => 2 * t))).toBe(
      `${C.range(1, 18)
        .map((t) => 2 * t)
        .join(', ')}, ..., 200`
    )
  })

  it('drop an empty zeroth-order set', () => {
    const cover = C.exact(2, [C.firstOrder(2), C.zerothOrder([])])
    expect(E.isRight(cover) ? C.show(cover.right) : '').toBe('FO(1..2)')
  })
})

describe('the catalogue', () => {
  it.each([
    [Catalogue.fullBackprop(3), ['FO(1..3)']],
    [Catalogue.truncatedBackprop({ T: 3, k: 2 }), ['FO(1..2)']],
    [Catalogue.reinforce(3), ['HO(1..1) + HO(2..2) + HO(3..3)']],
    [Catalogue.reinforceAfterFirst(3), ['FO(1..1) + HO(2..2) + HO(3..3)']],
    [Catalogue.segmented({ T: 6, h: 2 }), ['FO(1..1) + HO(2..3) + HO(4..5) + HO(6..6)']],
    [Catalogue.evolutionStrategies({ T: 3 }), ['ZO(1..3; central, shared, s = 0.05)']],
    [
      Catalogue.rlr({ T: 5, h: 2, form: 'onePoint', perturbation: 'perStep', radius: 0.1 }),
      [
        'FO(1..1) + HO(2..3) + ZO(4..5; onePoint, perStep, s = 0.1)',
        'FO(1..1) + HO(3..4) + ZO(2, 5; onePoint, perStep, s = 0.1)',
        'FO(1..1) + HO(4..5) + ZO(2..3; onePoint, perStep, s = 0.1)'
      ]
    ],
    [
      Catalogue.blackBoxRlr({ T: 3, h: 2 }),
      ['HO(1..2) + ZO(3; central, shared, s = 0.05)', 'HO(2..3) + ZO(1; central, shared, s = 0.05)']
    ]
  ] as ReadonlyArray<readonly [E.Either<C.CoverError, Est.Estimator>, ReadonlyArray<string>]>)(
    '%#: its covers',
    (made, covers) => {
      if (E.isLeft(made)) throw new Error(C.showError(made.left))
      expect(made.right.covers.map(({ cover }) => C.show(cover))).toEqual(covers)
    }
  )

  it.each([
    [Catalogue.rlr({ T: 3, h: 0 }), 'h: expected a whole number in 1..2, got 0'],
    [Catalogue.rlr({ T: 3, h: 3 }), 'h: expected a whole number in 1..2, got 3'],
    [Catalogue.rlr({ T: 3, h: 1.5 }), 'h: expected a whole number in 1..2, got 1.5'],
    [Catalogue.segmented({ T: 3, h: 0 }), 'h: expected a whole number of at least 1, got 0'],
    [Catalogue.rlr({ T: 3, h: 1, start: () => 0 }), 'covers: expected at least one of weight above 0, got none'],
    [Catalogue.rlr({ T: 3, h: 1, start: () => -1 }), 'weight: expected a finite number of at least 0, got -1'],
    [
      Catalogue.truncatedBackprop({ T: 3, k: 4 }),
      'FO(1..4): expected steps within 1..3, got 4; move or shorten the cell'
    ]
  ] as ReadonlyArray<readonly [E.Either<C.CoverError, Est.Estimator>, string]>)(
    'refuses %#: the whole text',
    (made, text) => expect(drawn(made)).toBe(text)
  )

  it('weighs starts as it is told', () => {
    const made = Catalogue.rlr({ T: 4, h: 1, start: (j) => j - 1 })
    if (E.isLeft(made)) throw new Error(C.showError(made.left))
    const weights = made.right.covers.map(({ weight }) => weight)
    expect(weights.map((w) => Math.round(w * 6))).toEqual([1, 2, 3])
    expect(Objective.ofEstimator(made.right)).toBe('J and J_s')
    expect([...Est.unpaid(made.right)]).toEqual([])
  })
})
