import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Result } from '../faults/errorRates.js'
import { agree, outside, page, read, withTables } from '../faults/errorRatesPage.js'

describe('the page of error rates', () => {
  const text = readFileSync(page, 'utf8')
  const results = read()

  it('has the tables of its counts', () => expect(text).toBe(withTables(text, results)))

  it('has false alarms and misses within what is stated, of ten thousand runs on the small case', () => {
    expect(outside(results)).toEqual([])
    const small = results.filter(({ kind, repetitions }) => kind !== 'coverage' && repetitions === 10_000)
    expect(small.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['alpha', 'power']))
  })

  it('would not have others', () => {
    const worse = results.map((result): Result => {
      switch (result.kind) {
        case 'alpha':
          return { ...result, refuted: result.refuted + Math.ceil(result.stated * result.repetitions * 2) + 20 }
        case 'power':
          return { ...result, missed: result.missed + Math.ceil(result.stated * result.repetitions * 2) }
        case 'coverage':
          return { ...result, covered: result.covered - 100 }
      }
    })
    expect(outside(worse).length).toBe(results.filter(({ kind }) => kind !== 'coverage').length)
    expect(agree(results, results)).toBe(true)
    expect(agree(results, worse)).toBe(false)
  })
})
