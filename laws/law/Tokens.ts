/**
 * Laws of chains of tokens: draws have the probabilities of the softmax, place by place and independently, and estimators are
 * unbiased, by enumeration.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Noise } from '../../src/chain/Noise.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import { draw } from '../../src/random/Density.js'
import type { Key } from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { expectation, gradient, type Options, type Penalty } from '../exact/Enumeration.js'
import type { TokenToy } from '../toy/Tokens.js'
import * as V from '../Verdict.js'
import type { Verdict } from '../Verdict.js'

/**
 * How far an expectation over all trajectories may be off, in units of the largest part of the gradient or 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const tolerance = 1e-12

/**
 * **Unbiased, by enumeration.** The expectation of the compiled estimator over all trajectories is the gradient of the expected
 * return, which is found by differentiating the transition probabilities.
 *
 * @category laws
 * @since 0.1.0
 */
export const unbiased =
  (toy: TokenToy, options: Options & { readonly penalty?: Penalty } = {}) =>
  (estimator: Estimator): Task<Verdict> => {
    const law = `${toy.chain.name}, ${estimator.name}: unbiased by enumeration`
    const exact = Object.entries(gradient(toy, options.penalty).gradient)
    const size = exact.reduce((most, [, part]) => part.reduce((a, b) => Math.max(a, Math.abs(b)), most), 1)
    return pipe(
      expectation(toy, estimator, options),
      TE.match(
        (reason) => V.stuck(law, reason),
        (found) =>
          V.verdict(
            law,
            exact.flatMap(([path, part]) =>
              Array.from(part, (expected, i) => ({
                at: `${path}[${i}]`,
                expected,
                got: found[path]?.[i] ?? Number.NaN,
                tolerance: tolerance * size,
                because: 'rounding'
              }))
            )
          )
      )
    )
  }

/**
 * What draws are made of: a noise, the alphabet, logits of some places, a temperature, and draws of the noise (the library's, by
 * default).
 *
 * @category model
 * @since 0.1.0
 */
export interface Draws {
  readonly noise: Noise
  readonly alphabet: number
  readonly logits: ReadonlyArray<number>
  readonly sigma: number
  readonly draw?: (key: Key, shape: ReadonlyArray<number>) => Tensor
}

/** How many draws are counted, and how many standard deviations a count may be off: 6 have a chance of 2e-9. */
const counted = { draws: 4096, deviations: 6 } as const

/**
 * **Draws.** What a step keeps is one-hot in each group, and each combination of categories comes as often as the product of the
 * places' softmax says: to 6 standard deviations of a count (two-sided, 2e-9 for a combination), and never where that is 0.
 *
 * @category laws
 * @since 0.1.0
 */
export const drawn =
  ({ noise, alphabet, logits, sigma, draw: from = (key, shape) => draw(noise.density, key, shape) }: Draws) =>
  (key: Key): Verdict => {
    const law = `${noise.outcome?.name ?? 'no outcome'}: draws`
    const n = logits.length
    const row = ['batch', n] as const
    const kept = pipe(
      Program.make({ eps: row, logits: [n] }, (): { readonly kept: X.Expr } => {
        const mean = X.broadcastTo(X.input('logits', [n]), row)
        const noisy = X.add(mean, X.scale(X.input('eps', row), sigma))
        return { kept: noise.outcome === undefined ? noisy : noise.outcome.of(noisy) }
      }),
      E.flatMap((program) =>
        Reference.run(
          program,
          { batch: counted.draws },
          { eps: from(key, [counted.draws, n]), logits: T.vector(logits) }
        )
      )
    )
    if (E.isLeft(kept)) return V.stuck(law, kept.left.map(showError).join('; '))
    const places = n / alphabet
    const data = Array.from(kept.right['kept']?.data ?? [])
    const counts = new Map<string, number>()
    for (let r = 0; r < counted.draws; r++) {
      const word = Array.from({ length: places }, (_, l) => {
        const group = data.slice(r * n + l * alphabet, r * n + (l + 1) * alphabet)
        const ones = group.filter((one) => one === 1).length === 1 && group.every((one) => one === 0 || one === 1)
        return ones ? group.indexOf(1) : -1
      }).join()
      counts.set(word, (counts.get(word) ?? 0) + 1)
    }
    const likely = Array.from({ length: places }, (_, l) => {
      const raw = logits.slice(l * alphabet, (l + 1) * alphabet).map((z) => Math.exp(z / sigma))
      const total = raw.reduce((a, b) => a + b, 0)
      return raw.map((e) => e / total)
    })
    const words = likely.reduce<ReadonlyArray<readonly [ReadonlyArray<number>, number]>>(
      (all, p) => all.flatMap(([word, mass]) => p.map((pk, k) => [[...word, k], mass * pk] as const)),
      [[[], 1]]
    )
    const known = new Set(words.map(([word]) => word.join()))
    const strange = [...counts.keys()].filter((word) => !known.has(word))
    return V.verdict(law, [
      { at: 'draws that are no codes', expected: 0, got: strange.length, tolerance: 0, because: 'codes are one-hot' },
      ...words.map(([word, p]) => ({
        at: `the share of ${word.join()}`,
        expected: p,
        got: (counts.get(word.join()) ?? 0) / counted.draws,
        tolerance: counted.deviations * Math.sqrt((p * (1 - p)) / counted.draws) + (p === 0 ? 0 : 1 / counted.draws),
        because: `${counted.deviations} standard deviations of a count`
      }))
    ])
  }
