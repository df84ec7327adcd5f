import * as fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import { describe, expect, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as C from '../../src/estimator/Cover.js'

const { equals } = O.getEq(C.Eq)

describe('covers of one length, with none where they overlap', () => {
  const triples = fc
    .integer({ min: 1, max: 6 })
    .chain((T) => fc.tuple(fc.constant(T), Covers.cover(T), Covers.cover(T), Covers.cover(T)))

  it('are a commutative monoid', () => {
    fc.assert(
      fc.property(triples, ([T, x, y, z]) => {
        const { concat, empty } = C.getMonoid(T)
        const [a, b, c] = [O.some(x), O.some(y), O.some(z)]
        expect(equals(concat(a, concat(b, c)), concat(concat(a, b), c))).toBe(true)
        expect(equals(concat(a, b), concat(b, a))).toBe(true)
        expect(equals(concat(a, empty), a)).toBe(true)
        expect(equals(concat(O.none, a), O.none)).toBe(true)
      })
    )
  })

  it('add up where they are disjoint, and are none where they are not', () => {
    const one = O.fromEither(C.cover(3, [C.firstOrder(1)]))
    const rest = O.fromEither(C.cover(3, [C.halfOrder(2, 3)]))
    const { concat } = C.getMonoid(3)
    expect(equals(concat(rest, one), O.fromEither(C.cover(3, [C.firstOrder(1), C.halfOrder(2, 3)])))).toBe(true)
    expect(O.isNone(concat(one, one))).toBe(true)
    expect(equals(one, rest)).toBe(false)
  })
})
