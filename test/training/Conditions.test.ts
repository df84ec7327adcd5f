import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Key from '../../src/random/Key.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { always, type Language, oneOf, silent, untold } from '../../src/training/Conditions.js'
import { right } from './tiny.js'

const listed = ({ shape: [count = 0, width = 0], data }: Tensor): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: count }, (_, i) => Array.from(data.subarray(i * width, (i + 1) * width)))

const key = fc.integer({ min: 0 }).map(Key.make)
const counts = fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 }))
// doubles themselves are almost all near 0
const tenths = fc.integer({ min: 0, max: 10 }).map((n) => n / 10)
const names = ['left', 'right', 'far left']

const languages: ReadonlyArray<readonly [string, Language, ReadonlyArray<string>]> = [
  ['silent', silent(3), ['', ' ']],
  ['oneOf', oneOf(names), ['', ...names]]
]

describe.each(languages)('the language %s', (_, language, texts) => {
  it('has rows that do not depend on how many there are, drawn or said', () => {
    fc.assert(
      fc.property(key, counts, tenths, (of, [n, m], named) => {
        const [few, many] = [Math.min(n, m), Math.max(n, m)]
        expect(listed(language.draw(named)(of, few))).toEqual(listed(language.draw(named)(of, many)).slice(0, few))
        for (const text of texts) {
          const { rows } = right(language.parse(text))
          expect(listed(rows(of, few))).toEqual(listed(rows(of, many)).slice(0, few))
        }
      })
    )
  })

  it('has rows of its labels, f32 or f64, none of them for none', () => {
    for (const n of [0, 1, 5]) {
      expect(language.draw(0.5)(Key.make(1), n).shape).toEqual([n, language.labels])
      expect(language.draw(0.5)(Key.make(1), n).data).toHaveLength(n * language.labels)
      for (const text of texts) {
        const told = right(language.parse(text)).rows(Key.make(1), n)
        expect([told.shape, told.data.length]).toEqual([[n, language.labels], n * language.labels])
      }
    }
  })

  it('says in a code what each row of a text without a choice is', () => {
    for (const text of texts) {
      const { code, rows } = right(language.parse(text))
      expect(listed(rows(Key.make(1), 2))).toEqual([code, code])
    }
  })
})

describe('oneOf', () => {
  const language = oneOf(names)

  it.each([
    ['left', [1, 0, 0]],
    ['right', [0, 1, 0]],
    [' far left\n', [0, 0, 1]],
    ['', [0, 0, 0]],
    ['  ', [0, 0, 0]]
  ])('%j is the code of a name, and of no name zeros', (text, code) => {
    expect(right(language.parse(text)).code).toEqual(code)
  })

  it.each([
    ['rigth', 'expected one of left, right, far left, got "rigth"; the nearest is right'],
    ['Left', 'expected one of left, right, far left, got "Left"; the nearest is left'],
    ['left right', 'expected one of left, right, far left, got "left right"; the nearest is right'],
    ['constructor', 'expected one of left, right, far left, got "constructor"; the nearest is far left']
  ])('%j is none of the names', (text, said) => {
    expect(language.parse(text)).toEqual(E.left(said))
  })

  it('draws codes of one name or none: never where it is not asked to, always where it is', () => {
    fc.assert(
      fc.property(key, (of) => {
        const sums = (named: number): ReadonlyArray<number> =>
          listed(language.draw(named)(of, 8)).map((row) => row.reduce((a, b) => a + b, 0))
        expect(sums(0)).toEqual(new Array(8).fill(0))
        expect(sums(1)).toEqual(new Array(8).fill(1))
        expect(listed(language.draw(0.5)(of, 8)).every((row) => row.every((x) => x === 0 || x === 1))).toBe(true)
      })
    )
  })

  it('draws each name as often as the others, and a name as often as asked', () => {
    const n = 6000
    const rows = listed(language.draw(0.6)(Key.make(5), n))
    const share = (holds: (row: ReadonlyArray<number>) => boolean): number => rows.filter(holds).length / n
    // five standard errors: a chance of 6e-7 each
    const near = (found: number, p: number): void =>
      expect(Math.abs(found - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n))
    near(
      share((row) => row.includes(1)),
      0.6
    )
    names.forEach((_, i) =>
      near(
        share((row) => row[i] === 1),
        0.2
      )
    )
  })

  it('raises the share of named rows only: who is named stays named', () => {
    const few = listed(language.draw(0.3)(Key.make(6), 100))
    const many = listed(language.draw(0.8)(Key.make(6), 100))
    few.forEach((row, i) => row.forEach((x, k) => expect(x === 0 || many[i]?.[k] === 1).toBe(true)))
  })

  it('of no names has empty rows, and is silent', () => {
    expect(right(oneOf([]).parse('')).code).toEqual([])
    const { shape, data } = oneOf([]).draw(1)(Key.make(1), 2)
    expect([shape, data.length]).toEqual([[2, 0], 0])
    expect(oneOf([]).parse('left')).toEqual(silent(0).parse('left'))
  })
})

describe('silent', () => {
  it('takes the empty text alone', () => {
    expect(right(silent(2).parse(' ')).code).toEqual([0, 0])
    expect(silent(2).parse('a face')).toEqual(
      E.left('expected no prompt, since the model is told nothing, got "a face"; leave it out')
    )
  })
})

describe('untold', () => {
  it('asks for zeros', () => {
    const { c } = untold(3)(Key.make(1), 2)
    expect([c?.shape, Array.from(c?.data ?? [])]).toEqual([[2, 3], new Array(6).fill(0)])
  })
})

describe('always', () => {
  it('repeats its code', () => {
    expect(always([1, 0.5]).rows(Key.make(1), 2)).toEqual({ shape: [2, 2], data: Float32Array.of(1, 0.5, 1, 0.5) })
  })
})
