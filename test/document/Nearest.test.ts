import { describe, expect, test } from 'vitest'
import { near, nearest } from '../../src/document/Nearest.js'
import { seconds } from '../cost.js'

describe('the nearest words', () => {
  test('are those that few edits lead to', () => {
    expect(nearest('smyle', ['blink', 'smile', 'simile'], 2)).toEqual(['smile', 'simile'])
    expect(near('smyle', ['blink', 'smile', 'move'])).toEqual(['smile'])
    expect(near('constructor', ['blink'])).toEqual([])
  })

  test('of a word of 50 MB, or among a million, are found in less than a second', () => {
    const long = 'smile'.repeat(10 * 2 ** 20)
    const many = Array.from({ length: 1_000_000 }, (_, i) => `word ${i}`)
    const spent = seconds(() => {
      expect(nearest(long, ['blink', 'smile smile smile'], 1)).toEqual(['smile smile smile'])
      expect(near(long, ['smile'])).toEqual([])
      expect(near('smile', [long, long])).toEqual([])
      expect(near('word 12', many)).toEqual(['word 12', 'word 1'])
    })
    expect(spent).toBeLessThan(2)
  })
})
