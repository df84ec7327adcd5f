import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { usage } from '../../../cli/edge/Failure.js'
import { mode, number, oneOf, whole } from '../../../cli/edge/Options.js'
import { modes } from '../../../src/kernel/index.js'

describe('an option that is a number', () => {
  it('is what was typed, or the fallback where nothing was', () => {
    expect(number({ least: 0 })('eta', '0.5', 1)).toEqual(E.right(0.5))
    expect(number({ least: 0 })('eta', undefined, 1)).toEqual(E.right(1))
    expect(number({})('eta', undefined, undefined)).toEqual(E.right(undefined))
    // a fallback need not be in the range
    expect(whole('threads', undefined, 0, 1)).toEqual(E.right(0))
  })

  it.each([
    ['2', '--eta: expected a number in 0..1, got "2"'],
    ['', '--eta: expected a number in 0..1, got ""'],
    ['half', '--eta: expected a number in 0..1, got "half"'],
    ['0x1', '--eta: expected a number in 0..1, got "0x1"']
  ])('%j is none', (text, said) => {
    expect(number({ least: 0, most: 1 })('eta', text, 1)).toEqual(E.left(usage(said)))
  })

  it('is whole where it must be', () => {
    expect(whole('count', '12', 16, 1)).toEqual(E.right(12))
    expect(whole('count', '12.0', 16, 1)).toEqual(E.right(12))
    expect(whole('count', '1.5', 16, 1)).toEqual(
      E.left(usage('--count: expected a whole number of at least 1, got "1.5"'))
    )
    expect(whole('count', '300', 16, 1, 256)).toEqual(
      E.left(usage('--count: expected a whole number in 1..256, got "300"'))
    )
    expect(whole('seed', '9007199254740993', 1, 0)).toEqual(
      E.left(usage('--seed: expected a whole number in 0..9007199254740991, got "9007199254740993"'))
    )
  })
})

describe('an option that is a name', () => {
  const chains = ['ddim', 'ddpm'] as const

  it('is one of those that are known', () => {
    expect(oneOf('chain', chains, 'ddpm')).toEqual(E.right('ddpm'))
  })

  it.each(['ddim ', 'DDIM', '', 'toString', '0'])('%j is none', (text) => {
    expect(oneOf('chain', chains, text)).toEqual(
      E.left(usage(`--chain: expected one of ddim, ddpm, got ${JSON.stringify(text)}`))
    )
  })
})

describe('the mode', () => {
  it('is webasm where none was typed, and any of gpu.js', () => {
    expect(mode()).toEqual(E.right('webasm'))
    for (const one of modes) expect(mode(one)).toEqual(E.right(one))
    expect(mode('fast')).toEqual(E.left(usage(`--mode: expected one of ${modes.join(', ')}, got "fast"`)))
  })
})
