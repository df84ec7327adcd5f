import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Values from '../../laws/arbitrary/Values.js'
import * as Estimator from '../../laws/law/Estimator.js'
import * as Run from '../../laws/run/Run.js'
import type { ScalarSetting } from '../../laws/toy/Polynomial.js'
import type { Cell, Cover } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import { hosted, lenses, type StepBlackBox } from '../../src/reward/StepReward.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const unbiased = (setting: ScalarSetting, cover: Cover, steps?: ReadonlyArray<StepBlackBox>) =>
  Estimator.unbiased(setting)({
    estimator: Est.always(C.show(cover), cover),
    ...(steps === undefined ? {} : { steps })
  })()

describe('values of the state and rewards on the way leave the expectation what it is', () => {
  it('for any exact cover of two steps, with a process reward and a penalty', () =>
    Run.forAll(
      fc.record({ setting: Values.along(2), cover: Values.decoratedExact(Covers.exactCover)(2) }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 200 }
    ))

  it('for any cover of three steps without zeroth-order cells', () =>
    Run.forAll(
      fc.record({
        setting: Values.along(3),
        cover: Values.decoratedExact((T) =>
          Covers.exactCover(T).filter(({ cells }) => cells.every(({ _tag }) => _tag !== 'ZerothOrder'))
        )(3)
      }),
      ({ setting, cover }) => unbiased(setting, cover),
      { numRuns: 100 }
    ))

  it('for process rewards that are host functions, by cells of one step', () => {
    const single = (cover: Cover): boolean =>
      cover.cells.every((cell) => cell._tag === 'ZerothOrder' || C.steps(cell).length === 1)
    return Run.forAll(
      fc.record({
        setting: Values.along(2, { penalty: false }),
        cover: Values.decoratedExact(Covers.exactCover)(2).filter(single)
      }),
      ({ setting, cover }) => {
        const onHost: ReadonlyArray<StepBlackBox> = [Values.processOnHost(setting)]
        expect([hosted(onHost).length, lenses(setting.steps).length]).toEqual([1, 1])
        return unbiased(setting, cover, onHost)
      },
      { numRuns: 100 }
    )
  })
})

describe('mixtures whose covers pay more than once', () => {
  /** Every `n`-th half-order step, `n` times, after a first-order step. */
  const portions = (T: number, n: number): ReadonlyArray<Est.Weighted> =>
    C.range(0, n - 1).map((r) => ({
      weight: 1,
      cover: right(
        C.portion(T, [
          C.firstOrder(1),
          ...C.range(2, T)
            .filter((t) => t % n === r)
            .map((t): Cell => C.halfOrder(t, t, { shares: [n] }))
        ])
      )
    }))

  it('are unbiased where their ledger is balanced', () =>
    Run.forAll(
      fc.record({ setting: Values.along(3), n: fc.integer({ min: 1, max: 3 }) }),
      ({ setting, n }) => Estimator.unbiased(setting)({ estimator: right(Est.balanced('some', portions(3, n))) })(),
      { numRuns: 20 }
    ))

  it('are refused where it is not, with the step', () => {
    const [first, ...others] = portions(4, 2)
    const heavier = first === undefined ? others : [{ ...first, weight: 2 }, ...others]
    expect(Est.balanced('some', heavier)).toEqual(E.left({ _tag: 'Unbalanced', step: 2, paid: 4 / 3 }))
  })
})

describe('several directions', () => {
  it('have the mean of their estimates', () =>
    Run.forAll(
      fc.record({
        setting: Values.along(2),
        cover: Covers.exactCover(2).filter(({ cells }) =>
          cells.some((cell) => cell._tag === 'ZerothOrder' && cell.form !== 'onePoint')
        )
      }),
      ({ setting, cover }) => {
        const cells = cover.cells.map((cell) => (cell._tag === 'ZerothOrder' ? { ...cell, draws: 2 } : cell))
        return unbiased(setting, right(C.exact(cover.T, cells)))
      },
      { numRuns: 30 }
    ))
})
