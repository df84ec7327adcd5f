import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cut, most, plain, quote, several, shown } from '../../src/document/Shown.js'

describe('what is shown of a value', () => {
  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [true, 'true'],
    [1.5, '1.5'],
    [Infinity, 'Infinity'],
    [Number.NaN, 'NaN'],
    [12n, '12'],
    ['a "b"\n\u001b[31m\u009b', '"a \\"b\\"\\n\\u001b[31m\\u009b"'],
    [[1, 'a', [], {}, undefined], '[1,"a",[],{},null]'],
    [{ a: 1, 'b c': [2] }, '{"a":1,"b c":[2]}'],
    [[[[[1]]]], '[[[[...]]]]'],
    [[[[[]]]], '[[[[]]]]'],
    [{ a: { b: { c: { d: 1 } } } }, '{"a":{"b":{"c":{...}}}}'],
    [new Array(300_000).fill(1), '[1,1,1,1,1,1,1,1,... 300000 in all]'],
    [
      Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i])),
      '{"k0":0,"k1":1,"k2":2,"k3":3,"k4":4,"k5":5,"k6":6,"k7":7,... 9 in all}'
    ],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol']
  ])('%#', (value, text) => {
    expect(shown(value)).toBe(text)
  })

  test('is what JSON has, where that is short', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2, stringUnit: 'grapheme-ascii' }), (value) => {
        const text = shown(value)
        // JSON has no -0
        fc.pre(!text.includes('...'))
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      })
    )
  })

  test('is a line, whatever the value', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 6, stringUnit: 'binary' }), (value) => {
        expect(shown(value).length).toBeLessThanOrEqual(most.line + 3)
        expect(shown(value)).toMatch(/^[^\p{Cc}]*$/u)
      })
    )
  })

  test('texts', () => {
    expect(quote('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`)
    expect(quote('x'.repeat(81))).toBe(`"${'x'.repeat(40)}"... (81 characters)`)
    expect(plain('a b')).toBe('a b')
    expect(plain('a\nb')).toBe('"a\\nb"')
    expect(cut('a\nb')).toBe('a b')
    expect(cut('x'.repeat(301))).toBe(`${'x'.repeat(300)}...`)
    expect(several(['a', 'b'])).toBe('a, b')
    expect(several(['a', 'b', 'c'], 2)).toBe('a, b, ... (3 in all)')
  })
})
