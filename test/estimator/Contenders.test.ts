import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { estimators } from '../../src/estimator/catalogue/All.gen.js'
import { define, type Facts, type Variant } from '../../src/estimator/catalogue/Row.js'
import { field } from '../../src/estimator/catalogue/Row.js'
import { positive, whole } from '../../src/document/Document.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import { compared, verified } from '../../src/estimator/reading/Contenders.js'

const facts = (T: number, more: Partial<Facts> = {}): Facts => ({
  T,
  noisyFirst: false,
  differentiable: true,
  clean: false,
  ...more
})

describe('what compare measures', () => {
  it('are forms of every kind, each under a name of its own, with the radius that is asked for', () => {
    for (const differentiable of [true, false]) {
      for (const noisyFirst of [true, false]) {
        const { contenders, misfits } = compared({
          ...facts(50, { differentiable, noisyFirst }),
          radius: 0.3
        })
        const measured = contenders.map(({ estimator }) => estimator)
        expect(misfits).toEqual([])
        expect(contenders[0]?.part).toBe('reference')
        expect(contenders.filter(({ part }) => part !== undefined).map(({ part }) => part)).toEqual([
          'reference',
          'plain'
        ])
        expect(new Set(measured.map(({ name }) => name)).size).toBe(measured.length)
        const cells = measured.flatMap(({ covers }) => covers.flatMap(({ cover }) => cover.cells))
        const radii = cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [cell.radius] : []))
        expect(new Set(radii)).toEqual(new Set([0.3]))
        expect(cells.some(({ _tag }) => _tag === 'FirstOrder')).toBe(differentiable)
      }
    }
  })

  it('leave out, with the reason, what does not fit a short chain', () => {
    const { contenders, misfits } = compared({ ...facts(4), radius: 0.3 })
    const measured = contenders.map(({ estimator }) => estimator)
    expect(misfits).toContain('rlr(h = 8): h: expected a whole number in 1..3, got 8')
    expect(measured.map(({ name }) => name)).toEqual(expect.arrayContaining(['rlr(h = 2)', 'rlr(h = 1)']))
    expect(measured.map(({ name }) => name)).not.toContain('rlr(h = 8)')
  })
})

describe('what verify tests', () => {
  it('has every name but cells, in forms that have names of their own', () => {
    const tested = verified(facts(10, { noisyFirst: true }))
    const names = tested.map(({ estimator }) => estimator.name)
    expect(new Set(names).size).toBe(names.length)
    // what adds other terms in the place of a step's has no claim that terms are made of
    const others = ['cells', 'adjointMatching', 'drTune', 'fdfo']
    for (const row of estimators.filter(({ name }) => !others.includes(name))) {
      expect(row.verified(facts(10, { noisyFirst: true })).length).toBeGreaterThan(0)
    }
    expect(tested.find(({ estimator }) => estimator.name === 'reinforce')?.baseline).toBe('both')
  })

  it('leaves out what does not fit', () => {
    expect(verified(facts(2)).every(({ estimator }) => estimator.T === 2)).toBe(true)
    expect(verified(facts(2)).length).toBeLessThan(verified(facts(10)).length)
  })
})

describe('a variant', () => {
  const trial = (variant: Variant<{ k: number; radius: number }>): string => {
    const row = define({
      name: 'mine',
      prose: '',
      cover: '',
      unbiasedFor: 'J_s',
      options: { k: field('', whole), radius: field('', positive) },
      defaults: { k: 1, radius: 0.05 },
      make: ({ T }, { k, radius }) =>
        Est.fromCells(`mine(k = ${k})`, T, [C.firstOrder(k), C.zerothOrder(C.range(k + 1, T), { radius })]),
      compared: () => [variant],
      verified: () => []
    })
    return row
      .compared({ ...facts(3), radius: 0.5 })
      .map(({ name, estimator }) =>
        E.isLeft(estimator)
          ? `${name}: ${estimator.left._tag}`
          : `${name}, ${estimator.right.name}: ${C.show(estimator.right.covers[0].cover)}`
      )
      .join()
  }

  it.each<[Variant<{ k: number; radius: number }>, string]>([
    [{ options: {} }, 'mine(k = 1), mine(k = 1): FO(1..1) + ZO(2..3; central, shared, s = 0.5)'],
    [{ options: { k: 2 }, name: 'two' }, 'two, two: FO(1..2) + ZO(3; central, shared, s = 0.5)'],
    [{ options: { radius: 0.1 } }, 'mine(k = 1), mine(k = 1): FO(1..1) + ZO(2..3; central, shared, s = 0.1)'],
    [{ options: { k: 7 } }, 'mine(k = 7): OutOfRange'],
    [{ name: 'own', cells: [C.firstOrder(2)] }, 'own, own: FO(1..2)']
  ])('%j is %s', (variant, shown) => {
    expect(trial(variant)).toBe(shown)
  })
})
