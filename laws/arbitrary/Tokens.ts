/**
 * Random chains of tokens for fast-check.
 *
 * @since 0.1.0
 */
import * as fc from 'fast-check'
import type { Values } from '../../src/tensor/Program.js'
import { number } from './Toys.js'
import { maskedTokens, plain, type Size, type TokenToy } from '../toy/Tokens.js'

const size: fc.Arbitrary<Size> = fc.constantFrom(
  { places: 1, alphabet: 2, T: 3 },
  { places: 1, alphabet: 4, T: 2 },
  { places: 2, alphabet: 2, T: 3 },
  { places: 2, alphabet: 3, T: 2 },
  { places: 3, alphabet: 2, T: 2 }
)

const maskedSize: fc.Arbitrary<Size> = fc.constantFrom(
  { places: 1, alphabet: 4, T: 3 },
  { places: 2, alphabet: 3, T: 3 },
  { places: 2, alphabet: 4, T: 2 },
  { places: 3, alphabet: 3, T: 2 }
)

/**
 * Random values of the network's parameters.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const parameters = ({ places, alphabet }: Pick<Size, 'places' | 'alphabet'>): fc.Arbitrary<Values> => {
  const n = places * alphabet
  const list = (length: number): fc.Arbitrary<Float64Array> =>
    fc.array(number(2), { minLength: length, maxLength: length }).map((numbers) => Float64Array.from(numbers))
  return fc.record({ w: list(n * n), b: list(n), s: list(n) }).map(({ w, b, s }) => ({
    w: { shape: [n, n], data: w },
    b: { shape: [n], data: b },
    s: { shape: [n], data: s }
  }))
}

const rewarded = (at: Size, made: Pick<TokenToy, 'chain' | 'process'>): fc.Arbitrary<TokenToy> => {
  const n = at.places * at.alphabet
  const numbers = fc.array(number(2), { minLength: n, maxLength: n })
  return fc.record({ params: parameters(at), u: numbers, v: numbers }).map((rest) => ({ ...made, ...rest }))
}

/**
 * Tokens drawn anew at each step, at random temperatures.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const drawnAnew: fc.Arbitrary<TokenToy> = size.chain((at) =>
  fc
    .array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: at.T, maxLength: at.T })
    .chain((sigma) => rewarded(at, plain(at, sigma)))
)

/**
 * Masked diffusions, made by `make` where that is another one.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const maskedToy = (make?: Parameters<typeof maskedTokens>[1]): fc.Arbitrary<TokenToy> =>
  maskedSize.chain((at) => rewarded(at, maskedTokens(at, make)))
