import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { parse, type Range, show } from '../../src/document/Numbers.js'

const any = parse({})
const whole = parse({ whole: true })

/** What a text is read as, with the two zeros apart. */
const read = (text: string): string => {
  const found = any(text)
  return E.isLeft(found) ? found.left : shown(found.right)
}

const shown = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))

const digits = fc.string({
  unit: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
  minLength: 1,
  maxLength: 30
})
const sign = fc.constantFrom('', '+', '-')

describe('a number that is typed', () => {
  test('as JavaScript prints it is that number, to the bit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        // JavaScript prints both zeros as 0
        expect([read(String(x)), read(x.toExponential())]).toEqual([String(x), String(x)])
      })
    )
    expect(read('-0')).toBe('-0')
  })

  test('in decimals, with or without a sign, a point and an exponent, is what JSON says of it', () => {
    const exponent = fc.tuple(fc.constantFrom('e', 'E'), sign, fc.integer({ min: 0, max: 250 }))
    const parts = fc.tuple(sign, digits, fc.option(digits), fc.option(exponent))
    fc.assert(
      fc.property(parts, ([s, before, after, power]) => {
        // JSON has no leading zeros and no plus sign
        const json = `${before.replace(/^0+(?=\d)/, '')}${after === null ? '' : `.${after}`}${power === null ? '' : power.join('')}`
        const value: unknown = JSON.parse(json)
        // what no f64 holds is no number here
        if (value === Infinity) return
        const text = `${before}${after === null ? '' : `.${after}`}${power === null ? '' : power.join('')}`
        const expected = shown(s === '-' ? -Number(value) : Number(value))
        expect([read(`${s}${text}`), read(` ${s}${text}\n`)]).toEqual([expected, expected])
      })
    )
  })

  test.each([
    ['.5', 0.5],
    ['5.', 5],
    ['-.25e2', -25],
    ['+1E-2', 0.01],
    ['007', 7],
    ['1e-400', 0],
    ['179769313486231570000e288', Number.MAX_VALUE]
  ])('%s is %d', (text, value) => expect(read(text)).toBe(String(value)))

  test.each([
    '',
    ' ',
    '.',
    '-',
    '+-1',
    '--1',
    'e3',
    '1e',
    '1e+',
    '1e1.5',
    '1.2.3',
    '1,5',
    '1_000',
    '1 000',
    '0x10',
    '0b1',
    '0o7',
    '1n',
    '5%',
    'Infinity',
    '-Infinity',
    'infinity',
    'NaN',
    'null',
    'true',
    '1e309',
    '-1e400',
    '٣',
    '½',
    '1\u0000'
  ])('%j is none', (text) => {
    expect(any(text)).toEqual(E.left(`expected a finite number, got ${JSON.stringify(text)}`))
  })

  test('and nothing else is one: any text is refused that has no digit, or a character that numbers do not have', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const hopeless = !/\d/.test(text) || /[^\d.eE+\s-]/.test(text)
        expect(hopeless && E.isRight(any(text))).toBe(false)
      })
    )
  })
})

describe('a whole number', () => {
  const most = Number.MAX_SAFE_INTEGER

  test('is one that f64 holds and no other whole number rounds to', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (n) => {
        expect(whole(String(n))).toEqual(E.right(n))
      })
    )
    expect(whole(String(most))).toEqual(E.right(most))
    expect(whole(String(-most))).toEqual(E.right(-most))
    expect(whole('1e3')).toEqual(E.right(1000))
    expect(whole('2.50e1')).toEqual(E.right(25))
  })

  test.each([
    // 2^53, where f64 begins to leave numbers out, and its neighbours
    ['9007199254740992', {}, `a whole number in -${most}..${most}`],
    ['9007199254740993', {}, `a whole number in -${most}..${most}`],
    ['-9007199254740992', {}, `a whole number in -${most}..${most}`],
    ['9007199254740993', { least: 0 }, `a whole number in 0..${most}`],
    ['1e21', { least: 1, most: 1e30 }, `a whole number in 1..${most}`],
    ['0.5', { least: 0 }, 'a whole number of at least 0'],
    ['-1', { least: 0 }, 'a whole number of at least 0'],
    ['1e-5', {}, 'a whole number'],
    ['257', { least: 1, most: 256 }, 'a whole number in 1..256'],
    ['1e21', { least: 1, most: 256 }, 'a whole number in 1..256'],
    ['', { least: 1 }, 'a whole number of at least 1'],
    ['0x6', { least: 1 }, 'a whole number of at least 1']
  ] as const)('%s is none in %o', (text, range, expected) => {
    expect(parse({ ...range, whole: true })(text)).toEqual(E.left(`expected ${expected}, got ${JSON.stringify(text)}`))
  })
})

describe('a range', () => {
  const ends = fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 0, max: 50 }))

  test('includes its ends, and nothing beyond them', () => {
    fc.assert(
      fc.property(ends, fc.integer({ min: -120, max: 120 }), ([least, width], n) => {
        const most = least + width
        expect(E.isRight(parse({ least, most })(String(n)))).toBe(n >= least && n <= most)
        expect(E.isRight(parse({ least })(String(n)))).toBe(n >= least)
        expect(E.isRight(parse({ most })(String(n)))).toBe(n <= most)
      })
    )
    const unit = parse({ least: 0, most: 1 })
    expect(unit('1')).toEqual(E.right(1))
    expect(unit('1.0000000000000002')).toEqual(E.left('expected a number in 0..1, got "1.0000000000000002"'))
    expect(unit('-5e-324')).toEqual(E.left('expected a number in 0..1, got "-5e-324"'))
  })

  test.each<readonly [Range, string]>([
    [{}, 'a finite number'],
    [{ least: 0 }, 'a number of at least 0'],
    [{ most: 1 }, 'a number of at most 1'],
    [{ least: 0, most: 1 }, 'a number in 0..1'],
    [{ whole: true }, 'a whole number'],
    [{ whole: true, least: 1 }, 'a whole number of at least 1'],
    [{ whole: true, most: 9 }, 'a whole number of at most 9'],
    [{ whole: true, least: 1, most: 9 }, 'a whole number in 1..9'],
    [{ least: -Infinity, most: Infinity }, 'a finite number']
  ])('%o is said as %s', (range, words) => expect(show(range)).toBe(words))
})
