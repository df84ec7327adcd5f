import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { showError } from '../../src/document/Document.js'
import { parse } from '../../src/document/Json.js'
import { seconds } from '../cost.js'

const said = (text: string): string => {
  const parsed = parse(text)
  return E.isLeft(parsed) ? showError(parsed.left) : 'accepted'
}

describe('JSON', () => {
  test('is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(0, 1, 2), (text, indent) => {
        const value: unknown = JSON.parse(text)
        expect(parse(JSON.stringify(value, null, indent))).toEqual(E.right(value))
      })
    )
  })

  test('that has a key twice is refused, wherever and however it is spelled', () => {
    const twice = (path: string, key: string): string =>
      `${path}: expected each field once, got ${key} twice; remove one of them`
    expect(said('{"a":1,"b":2,"a":1}')).toBe(twice('the document', '"a"'))
    expect(said('{"a":{"b":[0,{"c":1,"\\u0063":2}]}}')).toBe(twice('a.b[1]', '"c"'))
    expect(said('{"__proto__":1,"__proto__":2}')).toBe(twice('the document', '"__proto__"'))
    expect(said('[{"a":1},{"a":1,"a":2}]')).toBe(twice('[1]', '"a"'))
    // in a string, and in another group, it is another
    expect(said('{"a":"\\"a\\":1,\\"a\\":2","b":{"a":["a","a",{"a":1}]}}')).toBe('accepted')
    expect(said('{"a":{"b":1},"b":{"a":1}}')).toBe('accepted')
  })

  test('any object with a key repeated is refused, and none without', () => {
    const keys = fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(keys, fc.nat(), fc.jsonValue({ maxDepth: 2 }), (names, i, value) => {
        const field = (name: string): string => `${JSON.stringify(name)}: ${JSON.stringify(value)}`
        const repeated = names[i % names.length] ?? ''
        expect(E.isRight(parse(`{${names.map(field).join(',')}}`))).toBe(true)
        expect(E.isLeft(parse(`[{${[...names, repeated].map(field).join(',')}}]`))).toBe(true)
      })
    )
  })

  test('has up to 64 levels', () => {
    const nested = (n: number): string => '['.repeat(n) + ']'.repeat(n)
    expect(said(nested(64))).toBe('accepted')
    expect(said(nested(65))).toBe('[0][0][0]: expected at most 64 levels of lists and groups, got more; flatten it')
    expect(said('{"a":'.repeat(65) + '1' + '}'.repeat(65))).toBe(
      'a.a.a: expected at most 64 levels of lists and groups, got more; flatten it'
    )
  })

  test('is read in linear time', () => {
    const text = `{${Array.from({ length: 300_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`
    expect(seconds(() => expect(said(text)).toBe('accepted'))).toBeLessThan(2)
    expect(seconds(() => expect(said('['.repeat(2_000_000))).toMatch(/^the document: expected JSON/))).toBeLessThan(2)
    expect(seconds(() => expect(said(`["${'\\"'.repeat(2_000_000)}"]`)).toBe('accepted'))).toBeLessThan(2)
  })

  test('that is none says where', () => {
    expect(said('{')).toMatch(/^the document: expected JSON, got .*; correct it$/)
    expect(said('')).toMatch(/^the document: expected JSON, got .*; correct it$/)
    expect(said('{"a\u001b[31m": ')).toMatch(/^[^\p{Cc}]*$/u)
  })
})
