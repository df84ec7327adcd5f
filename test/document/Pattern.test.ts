import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { begins, captures } from '../../src/document/Pattern.js'
import { seconds } from '../cost.js'

/** The same by trying everything. */
const tried = (
  [first, ...rest]: ReadonlyArray<string>,
  path: ReadonlyArray<string>
): ReadonlyArray<string> | undefined => {
  const [key, ...below] = path
  if (first === undefined) return key === undefined ? [] : undefined
  if (first === '**') {
    for (let n = 0; n <= path.length; n++) {
      const found = tried(rest, path.slice(n))
      if (found !== undefined) return [path.slice(0, n).join('.'), ...found]
    }
    return undefined
  }
  if (key === undefined || (first !== '*' && first !== key)) return undefined
  const found = tried(rest, below)
  return found === undefined || first !== '*' ? found : [key, ...found]
}

describe('patterns of paths', () => {
  test.each([
    ['blocks.*.film', 'blocks.0.film', ['0']],
    ['blocks.*.**.weight', 'blocks.0.film.scale.weight', ['0', 'film.scale']],
    ['**', 'a', ['a']],
    ['**.weight', 'weight', ['']],
    ['**.a.**', 'a.a.a', ['', 'a.a']],
    ['a.b', 'a.b', []],
    ['a.b', 'a', undefined],
    ['*', 'a.b', undefined],
    ['__proto__.*', '__proto__.constructor', ['constructor']]
  ])('%s on %s', (pattern, path, stars) => {
    expect(captures(pattern, path)).toEqual(stars)
  })

  test('fit as by trying everything', () => {
    const keys = (...words: ReadonlyArray<string>): fc.Arbitrary<string> =>
      fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 }).map((list) => list.join('.'))
    fc.assert(
      fc.property(keys('a', 'b', '*', '**'), keys('a', 'b'), (pattern, path) => {
        expect(captures(pattern, path)).toEqual(tried(pattern.split('.'), path.split('.')))
      }),
      { numRuns: 2000 }
    )
  })

  test('fit beginnings', () => {
    expect(begins('blocks.*.film', 'blocks.0.film.scale.weight')).toBe(true)
    expect(begins('blocks.*.film', 'blocks.0.film')).toBe(true)
    expect(begins('out', 'outer.weight')).toBe(false)
  })

  test('of many stars take no longer than the product of the lengths', () => {
    const spent = seconds(() =>
      expect(captures(`${'**.a.'.repeat(50)}b`, new Array(5000).fill('a').join('.'))).toBeUndefined()
    )
    expect(spent).toBeLessThan(1)
  })
})
