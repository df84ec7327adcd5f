import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import * as Document from '../../src/document/Document.js'
import { seconds } from '../cost.js'

const { decodeWith, finite, listUpTo, oneOf, positive, showError, textUpTo, whole, wholeIn } = Document

const said = <A>(codec: t.Type<A, unknown, unknown>, given: unknown, path?: string): string => {
  const decoded = decodeWith(codec, given, path)
  return E.isLeft(decoded) ? showError(decoded.left) : 'accepted'
}

const group = t.type({ name: t.string, inner: t.exact(t.type({ rate: positive })) }, 'a group of fields')

describe('a document', () => {
  test.each([
    [{ name: 'a', inner: { rate: 1 } }, 'accepted'],
    [{ name: 'a', inner: { rate: 0 } }, 'inner.rate: expected a number above 0, got 0; correct it'],
    [{ name: 'a', inner: {} }, 'inner.rate: expected a number above 0, got nothing; correct it'],
    [{ name: 'a' }, 'inner: expected {| rate: a number above 0 |}, got nothing; correct it'],
    [[1], 'the document: expected a group of fields, got [1]; correct it'],
    [null, 'the document: expected a group of fields, got null; correct it'],
    [
      { name: 'a', inner: { rate: 1, more: 2 } },
      'inner.more: expected one of the fields rate, got "more"; correct or remove the field'
    ],
    [
      { name: 'a', 'an other': 1 },
      '["an other"]: expected one of the fields name, inner, got "an other"; correct or remove the field'
    ]
  ])('%j: %s', (given, message) => {
    expect(said(group, given)).toBe(message)
  })

  test.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'valueOf'])(
    'a field called %s is one that no one knows',
    (key) => {
      const field = `"${key}":1`
      expect(said(group, JSON.parse(`{"name":"a",${field}}`))).toBe(
        `${key}: expected one of the fields name, inner, got "${key}"; correct or remove the field`
      )
      expect(said(oneOf('a', 'b'), key, 'kind')).toBe(`kind: expected one of a, b, got "${key}"; correct it`)
    }
  )

  test.each([
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    [Number.NaN, 'NaN'],
    [1e400, 'Infinity']
  ])('a number that JSON has no word for keeps its own: %d', (value, drawn) => {
    expect(said(finite, value, 'seed')).toBe(`seed: expected a finite number, got ${drawn}; correct it`)
    expect(said(t.type({ a: t.string }), { a: [value] })).toBe(`a: expected string, got [${drawn}]; correct it`)
  })

  test('whole numbers are those that f64 holds exactly', () => {
    expect(said(whole, 2 ** 53 - 1, 'n')).toBe('accepted')
    expect(said(whole, 2 ** 53, 'n')).toBe('n: expected a whole number of at least 1, got 9007199254740992; correct it')
    expect(said(whole, 1e300, 'n')).toBe('n: expected a whole number of at least 1, got 1e+300; correct it')
    expect(said(wholeIn(2, 5), 1, 'n')).toBe('n: expected a whole number in 2..5, got 1; correct it')
    expect(said(wholeIn(2, 5), 5, 'n')).toBe('accepted')
    expect(said(wholeIn(2, 5), 6, 'n')).toBe('n: expected a whole number in 2..5, got 6; correct it')
    expect(said(wholeIn(2, 5), 2.5, 'n')).toBe('n: expected a whole number in 2..5, got 2.5; correct it')
  })

  test('texts and lists have a length', () => {
    expect(said(textUpTo(3), 'abc', 'a')).toBe('accepted')
    expect(said(textUpTo(3), 'abcd', 'a')).toBe('a: expected a text of at most 3 characters, got "abcd"; correct it')
    expect(said(listUpTo(whole, 2), [1, 2], 'a')).toBe('accepted')
    expect(said(listUpTo(whole, 2), [1, 0], 'a')).toBe('a[1]: expected a whole number of at least 1, got 0; correct it')
    expect(said(listUpTo(whole, 2), [0, 0, 0], 'a')).toBe(
      'a: expected a list of at most 2 items, got [0,0,0]; correct it'
    )
  })
})

describe('a choice', () => {
  const start = t.type({ start: t.union([t.null, t.tuple([whole, whole], 'a pair')], 'null or [lowest, highest]') })
  const noise = t.type({
    sigma: t.union([positive, t.readonlyArray(positive, 'a list')], 'a number or a list of them')
  })
  const cells = t.type({
    cells: t.array(
      t.union(
        [
          t.type({ kind: t.literal('first'), to: whole }, 'first'),
          t.type({ kind: t.literal('half'), from: whole, to: whole }, 'half')
        ],
        'first or half'
      )
    )
  })
  const plain = t.type({ a: t.union([t.type({ x: whole }), t.type({ y: whole })], 'an x or a y') })

  test.each([
    [start, { start: [2] }, 'start[1]: expected a whole number of at least 1, got nothing; correct it'],
    [start, { start: [0.5, 3] }, 'start[0]: expected a whole number of at least 1, got 0.5; correct it'],
    [start, { start: 5 }, 'start: expected null or [lowest, highest], got 5; correct it'],
    [start, { start: null }, 'accepted'],
    [noise, { sigma: [1, 'a'] }, 'sigma[1]: expected a number above 0, got "a"; correct it'],
    [noise, { sigma: -1 }, 'sigma: expected a number or a list of them, got -1; correct it'],
    // the tag chooses
    [
      cells,
      { cells: [{ kind: 'half', from: 1 }] },
      'cells[0].to: expected a whole number of at least 1, got nothing; correct it'
    ],
    [cells, { cells: [{ kind: 'other' }] }, 'cells[0]: expected first or half, got {"kind":"other"}; correct it'],
    // nothing tells the alternatives apart
    [plain, { a: {} }, 'a: expected an x or a y, got {}; correct it'],
    [plain, { a: { x: 0, y: 'b' } }, 'a: expected an x or a y, got {"x":0,"y":"b"}; correct it']
  ] as ReadonlyArray<readonly [t.Mixed, unknown, string]>)(
    'is reported at the branch that fits best: %#',
    (codec, given, message) => {
      expect(said(codec, given)).toBe(message)
    }
  )

  test('of two fields that are wrong the first is reported', () => {
    const two = t.type({ a: start.props.start, b: start.props.start })
    expect(said(two, { a: [1], b: [1, 0] })).toBe(
      'a[1]: expected a whole number of at least 1, got nothing; correct it'
    )
  })

  test('within a choice is reported alike', () => {
    const nested = t.union([t.null, t.type({ b: start.props.start })], 'null or a group')
    expect(said(nested, { b: [1, 0] }, 'x')).toBe('x.b[1]: expected a whole number of at least 1, got 0; correct it')
  })
})

describe('large documents', () => {
  const text = 'x'.repeat(50 * 2 ** 20)

  test('a text of 50 MB is cut where it is shown', () => {
    expect(said(t.type({ prompt: whole }), { prompt: text })).toBe(
      `prompt: expected a whole number of at least 1, got "${'x'.repeat(40)}"... (52428800 characters); correct it`
    )
    expect(said(group, { [text]: 1 })).toBe(
      `["${'x'.repeat(40)}"... (52428800 characters)]: expected one of the fields name, inner, got "${'x'.repeat(40)}"... (52428800 characters); correct or remove the field`
    )
  })

  test('300,000 keys and 300,000 wrong items take less than a second', () => {
    const keys = Object.fromEntries(Array.from({ length: 300_000 }, (_, i) => [`k${i}`, i]))
    const list = new Array<number>(300_000).fill(0)
    expect(
      seconds(() => {
        expect(said(group, keys)).toBe(
          'k0: expected one of the fields name, inner, got "k0"; correct or remove the field'
        )
        expect(said(t.array(t.string), list, 'trained')).toBe('trained[0]: expected string, got 0; correct it')
        expect(said(t.union([t.null, t.array(t.string)], 'null or a list'), list, 'trained')).toBe(
          'trained[0]: expected string, got 0; correct it'
        )
      })
    ).toBeLessThan(2)
  })

  test('a value that contains itself is shown', () => {
    const circle: Array<unknown> = [1]
    circle.push(circle)
    expect(said(group, { name: circle })).toBe('name: expected string, got [1,[1,[1,[...]]]]; correct it')
  })

  test('whatever is given, the line is short', () => {
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: true, withMap: true, withDate: true, maxDepth: 8 }),
        fc.string(),
        (given, path) => {
          expect(said(group, { name: given, inner: given }, path).length).toBeLessThan(1200)
          expect(showError(Document.fault(path, 'a', given, 'b'))).toMatch(/^[^\p{Cc}]*$/u)
        }
      )
    )
  })
})
