import cephes from 'cephes'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { correlationScore, falseAlarm, twoSided } from './statistics.js'

beforeAll(async () => {
  await cephes.compiled
})

const seed = fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger())
const text = (key: Key.Key): string => key.words.join(' ')

describe('Key', () => {
  it('derives the keys that the definition gives, as computed by an independent implementation', () => {
    const key = Key.make(0)
    expect(key.words).toEqual([0, 0])
    expect(Key.make(1).words).toEqual([0, 0x3ff00000])
    expect(Key.split(key, 2).map((k) => k.words)).toEqual([
      [768504805, 323543615],
      [3914554339, 1359758665]
    ])
    expect(Key.foldIn(key, 1).words).toEqual([1644230366, 3299291529])
    expect(Key.foldInString(key, 'kernel').words).toEqual([336124723, 2833261216])
    expect(Key.foldInString(key, 'weights').words).toEqual([858435095, 2400652479])
  })

  it('makes one key of one number, and different keys of different numbers', () => {
    expect(Key.make(-0)).toEqual(Key.make(0))
    expect(Key.make(Number.NaN)).toEqual(Key.make(Number.NaN))
    fc.assert(
      fc.property(seed, seed, (a, b) => {
        expect(text(Key.make(a)) === text(Key.make(b))).toBe(a === b || (Number.isNaN(a) && Number.isNaN(b)))
      })
    )
  })

  it('begins a longer split with the shorter one', () => {
    fc.assert(
      fc.property(seed, fc.nat(20), fc.nat(20), (s, n, more) => {
        const key = Key.make(s)
        expect(Key.split(key, n + more).slice(0, n)).toEqual(Key.split(key, n))
      })
    )
  })

  // Random 64-bit keys: n of them coincide somewhere with a probability below n^2 / 2^65 = 4.4e-10 for n = 128,000.
  it('gives different keys for different items, whatever the derivation', () => {
    const keys = Array.from({ length: 32 }, (_, i) => Key.make(i)).flatMap((key) => [
      key,
      ...Key.split(key, 1000),
      ...Array.from({ length: 1000 }, (_, i) => Key.foldIn(key, i)),
      ...Array.from({ length: 1000 }, (_, i) => Key.foldIn(key, i + 0.5)),
      ...Array.from({ length: 999 }, (_, i) => Key.foldInString(key, `layer.${i}`))
    ])
    expect(keys.length).toBe(128_000)
    expect(new Set(keys.map(text)).size).toBe(keys.length)
  })

  it('tells names apart that differ by trailing zeros, by a prefix or in one unit', () => {
    const key = Key.make(7)
    const names = ['', '\0', '\0\0', 'a', 'a\0', 'aa', 'abcdef', 'abcdef\0', 'abcdefg', 'abcdefgh', '\ud800', '\udc00']
    expect(new Set(names.map((name) => text(Key.foldInString(key, name)))).size).toBe(names.length)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(text(Key.foldInString(key, a)) === text(Key.foldInString(key, b))).toBe(a === b)
      })
    )
  })

  // The streams do not depend on the run, so this test either passes always or never; alpha is the probability that
  // it would never pass were the generator perfect. With n = 20,000 a correlation of 0.05 has a score of 7.
  it('gives uncorrelated streams to a key, its children, its siblings and their like', () => {
    const key = Key.make(42)
    const children = [
      key,
      ...Key.split(key, 4),
      Key.foldIn(key, 0),
      Key.foldIn(key, 1),
      Key.foldIn(key, 2),
      Key.foldInString(key, 'a'),
      Key.foldInString(key, 'b'),
      Key.make(41),
      Key.make(43),
      ...Key.split(Key.foldIn(key, 0), 2)
    ]
    const streams = children.map((child) => Draw.normal(child, [20_000]).data)
    const scores = streams.flatMap((x, i) => streams.slice(i + 1).map((y) => correlationScore(x, y)))
    const threshold = twoSided(falseAlarm / scores.length)
    expect(Math.max(...scores.map(Math.abs))).toBeLessThan(threshold)
  })
})
