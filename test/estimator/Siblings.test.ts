import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Values from '../../laws/arbitrary/Values.js'
import * as Estimator from '../../laws/law/Estimator.js'
import * as Run from '../../laws/run/Run.js'
import { blackBoxOf, type Subject } from '../../laws/exact/Expectation.js'
import { polynomialSetting, type ScalarSetting } from '../../laws/toy/Polynomial.js'
import * as A from '../../src/estimator/Advantage.js'
import { siblings } from '../../src/estimator/Catalogue.js'
import type { Cell, Cover, CoverError } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator as AnyEstimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import { explain } from '../../src/estimator/reading/Explain.js'
import * as Cost from '../../src/estimator/reading/Cost.js'

const right = <A>(result: E.Either<CoverError, A>): A => {
  if (E.isLeft(result)) throw new Error(C.showError(result.left))
  return result.right
}

/** The same cover with random siblings at its half-order cells, from the segment's end, its top or any step above. */
const withSiblings =
  (most: number) =>
  (cover: Cover): fc.Arbitrary<Cover<'exact'>> =>
    fc
      .array(fc.tuple(fc.integer({ min: 2, max: most }), fc.nat()), {
        minLength: cover.cells.length,
        maxLength: cover.cells.length
      })
      .map((drawn) =>
        C.exact(
          cover.T,
          cover.cells.map((cell, i): Cell => {
            if (cell._tag !== 'HalfOrder') return cell
            const [count = 2, place = 0] = drawn[i] ?? []
            const places = [cell.from, ...C.range(cell.to, cover.T)]
            const at = places[place % places.length] ?? cell.from
            const shared = at === cell.from && place % 2 === 1 ? { below: 'shared' as const } : {}
            return { ...cell, siblings: { count, at, ...shared } }
          })
        )
      )
      .filter(E.isRight)
      .map((one) => one.right)

const scores = ({ cells }: Cover): boolean => cells.some(({ _tag }) => _tag === 'HalfOrder')

/** Has a cover a difference along one direction, or no zeroth-order cell? A trajectory that is perturbed has no siblings. */
const differs =
  (zeroth: boolean) =>
  (cover: Cover): boolean => {
    const cell = C.zerothOrderCell(cover)
    return zeroth
      ? cell !== undefined && cell.form !== 'onePoint' && cell.perturbation === 'shared'
      : cell === undefined
  }

/** Exact covers with siblings, with zeroth-order cells or without. */
const covers = (T: number, most: number, zeroth: boolean): fc.Arbitrary<Cover<'exact'>> =>
  Covers.exactCover(T)
    .filter((cover) => scores(cover) && differs(zeroth)(cover))
    .chain(withSiblings(most))

const unbiased = (setting: ScalarSetting, cover: Cover, more: Partial<Subject> = {}) =>
  Estimator.unbiased(setting)({ ...more, estimator: Est.always(C.show(cover), cover) })()

describe('siblings leave the expectation what it is', () => {
  it('for exact covers of two steps, with a process reward and a penalty', () =>
    Run.forAll(
      fc.record({ setting: Values.along(2), cover: covers(2, 2, false) }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 200 }
    ))

  it('for three siblings', () =>
    Run.forAll(
      fc.record({ setting: Values.along(2), cover: covers(2, 3, false) }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 10 }
    ))

  it('for exact covers of three steps', () =>
    Run.forAll(
      fc.record({ setting: Values.along(3), cover: covers(3, 2, false) }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 20 }
    ))

  it('beside differences', () =>
    Run.forAll(
      fc.record({ setting: Values.along(2), cover: covers(2, 2, true) }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 10 }
    ))
})

describe('siblings by name', () => {
  const all: ReadonlyArray<readonly [name: string, estimator: AnyEstimator]> = [
    ['on every step', right(siblings({ T: 3, family: 2 }))],
    ['on one step at random', right(siblings({ T: 3, family: 2, spacing: 2 }))],
    ['with the noise below shared', right(siblings({ T: 3, family: 3, below: 'shared' }))],
    ['at given levels', right(siblings({ T: 3, family: 2, levels: [2] }))]
  ]
  const three = polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5, 0.75, 0.625] }, [-1, 1, -0.5])

  it.each(all)('keep the laws of estimators %s', (_, estimator) => Run.estimator(three)({ estimator }))

  it('are unbiased under a black box', () => {
    const estimator = right(siblings({ T: 3, family: 2 }, C.halfOrder(1, 1, { siblings: { count: 2 } })))
    return Run.estimator(three)({ estimator, blackBox: blackBoxOf(three) })
  })

  it('have a baseline of the batch besides, which leaves the expectation alone', () =>
    Run.estimator(three)({ estimator: right(siblings({ T: 3, family: 2 })), advantage: A.constant(-4) }))
})

describe('what siblings cost', () => {
  const counted = (estimator: AnyEstimator) => {
    const { rollouts, networkEvaluations, pullbackSteps, rewardEvaluations } = Cost.cost(estimator)
    return [rollouts, networkEvaluations, pullbackSteps, rewardEvaluations]
  }

  it('a prefix is run once, and a segment that is shared pulled back once', () => {
    // 10 steps, 10 re-run for credit, and 3 more siblings of 2 + ... + 10 steps
    expect(counted(right(siblings({ T: 10 })))).toEqual([28, 20 + 3 * 54, 10, 28])
    // one step of nine: (K - 1) t steps more, 6 on average
    const [runs = 0, evaluations = 0, pulled = 0] = counted(right(siblings({ T: 10, spacing: 9 })))
    expect(runs).toBeCloseTo(4, 12)
    expect(pulled).toBeCloseTo(2, 12)
    expect(evaluations).toBeCloseTo(12 + 3 * 6, 12)
  })

  it('those that branch at a level share it, and have a segment each', () => {
    // branches at 5 and 10, whose own steps are pulled back once; 4 siblings have the other 7 each
    const steps = 1 + 2 + 4 * 7
    expect(counted(right(siblings({ T: 10, levels: [5] })))).toEqual([7, 10 + 3 * 15 + steps, steps, 7])
  })
})

describe('what is said of siblings', () => {
  it('in words and in LaTeX', () => {
    const { text, latex } = explain(right(siblings({ T: 2, family: 3 })))
    expect(text.split('\n')[1]).toBe('  cover      FO(1..1) + HO(2..2; 3 siblings from x_2)')
    expect(text).toContain("mean over 3 siblings from x_2 of A[R - mean of the others' R] D phi(2:2)^T eps_2 / sigma_2")
    expect(latex).toContain('\\tfrac{1}{2} \\sum_{l \\ne k} R^{(l)}')
  })

  it.each([
    [
      'one sibling',
      C.halfOrder(2, 2, { siblings: { count: 1 } }),
      'siblings: expected a whole number in 2..1000, got 1'
    ],
    [
      'a branch within the segment',
      C.halfOrder(1, 3, { siblings: { count: 2, at: 2 } }),
      'siblings: expected a branch at step 1 or 3..4, for HO(1..3; 2 siblings from x_2), got 2'
    ],
    [
      'a scored noise that is shared',
      C.halfOrder(2, 2, { siblings: { count: 2, at: 3, below: 'shared' } }),
      'siblings: expected a branch at step 2 where noise is shared below, or the noise that is scored would be, got 3'
    ],
    [
      'a baseline besides',
      C.halfOrder(2, 2, { siblings: { count: 2 }, baseline: StateValue.clean }),
      'siblings: expected neither baseline nor control beside them, got a baseline'
    ]
  ])('refuses %s', (_, cell, text) => {
    expect(E.mapLeft(C.showError)(C.cover(4, [cell]))).toEqual(E.left(text))
  })

  it('refuses a trajectory that is perturbed', () => {
    const cells = [C.halfOrder(2, 2, { siblings: { count: 2 } }), C.zerothOrder([1], { form: 'onePoint' })]
    expect(E.isLeft(C.cover(2, cells))).toBe(true)
  })
})
