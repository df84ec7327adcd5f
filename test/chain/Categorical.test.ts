import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Tokens from '../../laws/arbitrary/Tokens.js'
import * as ChainLaws from '../../laws/law/Chain.js'
import * as Law from '../../laws/law/Tokens.js'
import * as Run from '../../laws/run/Run.js'
import * as Toy from '../../laws/toy/Tokens.js'
import { categorical, forbidden, gumbel } from '../../src/chain/Categorical.js'
import type { Denoiser } from '../../src/chain/Denoiser.js'
import { masked } from '../../src/chain/sampler/Masked.js'
import * as Ch from '../../src/chain/Chain.js'
import * as L from '../../src/lens/Lens.js'
import * as Density from '../../src/random/Density.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <A>(result: E.Either<ReadonlyArray<Parameters<typeof showError>[0]>, A>): A => {
  if (E.isLeft(result)) throw new Error(result.left.map(showError).join('\n'))
  return result.right
}

const noise = categorical(3)
const { outcome } = noise
const row = ['batch', 6] as const

/** What an outcome makes of some rows. */
const kept = (rows: ReadonlyArray<number>): ReadonlyArray<number> =>
  Array.from(
    right(
      Reference.run(
        right(Program.make({ y: row }, ({ y }) => ({ kept: outcome?.of(y) ?? y }))),
        { batch: rows.length / 6 },
        { y: { shape: [rows.length / 6, 6], data: Float64Array.from(rows) } }
      )
    )['kept']?.data ?? []
  )

describe('categories', () => {
  it('are the place of the largest number of each group, the first of equals', () => {
    expect(kept([1, 3, 2, -4, -9, -5])).toEqual([0, 1, 0, 1, 0, 0])
    expect(kept([2, 2, 2, 0, 7, 7])).toEqual([1, 0, 0, 0, 1, 0])
  })

  it('of numbers that are none are no codes', () => {
    expect(kept([Number.NaN, 1, 2, 0, 1, 2])).toEqual([Number.NaN, Number.NaN, Number.NaN, 0, 0, 1])
  })

  it('are drawn as their softmax says, places apart', () =>
    Run.forAll(
      fc.integer().map(Key.make),
      Law.drawn({ noise, alphabet: 3, logits: [0.5, -1, forbidden, 0, 0.3, 2], sigma: 0.8 }),
      { numRuns: 3 }
    ))

  it('places that share their noise are found out, and so is another temperature', () => {
    const shared = (key: Key.Key, [rows = 1]: ReadonlyArray<number>): T.Tensor => {
      const own = Density.draw(gumbel, key, [rows, 3])
      return T.tabulate([rows, 6], (i) => own.data[3 * Math.floor(i / 6) + (i % 3)] ?? 0)
    }
    const subject = { noise, alphabet: 3, logits: [0.5, -1, 0, 0, 0.3, 2], sigma: 0.8 }
    const cooler = {
      ...subject,
      draw: (key: Key.Key, shape: ReadonlyArray<number>) => T.map((g) => g / 2)(Density.draw(gumbel, key, shape))
    }
    for (const wrong of [{ ...subject, draw: shared }, cooler]) {
      const verdict = Law.drawn(wrong)(Key.make(3))
      expect(E.isLeft(verdict) && verdict.left._tag).toBe('Refuted')
    }
  })

  it('have a score that is the mean of their noise’s over all that lead there', () => {
    // sum over draws with outcome j of 1 - e^-eps_k is n p_j (delta_jk - p_k)
    const n = 40_000
    const logits = [0.4, -0.3, 0.1]
    const eps = Density.draw(gumbel, Key.make(7), [n, 3]).data
    const total = logits.reduce((sum, z) => sum + Math.exp(z), 0)
    const p = logits.map((z) => Math.exp(z) / total)
    const sums = Array.from({ length: 9 }, () => ({ one: 0, two: 0 }))
    for (let i = 0; i < n; i++) {
      const own = [0, 1, 2].map((k) => eps[3 * i + k] ?? 0)
      const noisy = own.map((g, k) => g + (logits[k] ?? 0))
      const j = noisy.indexOf(Math.max(...noisy))
      own.forEach((g, k) => {
        const cell = sums[3 * j + k]
        if (cell === undefined) return
        cell.one += 1 - Math.exp(-g)
        cell.two += (1 - Math.exp(-g)) ** 2
      })
    }
    sums.forEach(({ one, two }, i) => {
      const [j, k] = [Math.floor(i / 3), i % 3]
      const expected = (p[j] ?? 0) * ((j === k ? 1 : 0) - (p[k] ?? 0))
      // 6 standard errors: 2e-9 for each of the nine
      expect(Math.abs(one / n - expected)).toBeLessThan((6 * Math.sqrt(two / n)) / Math.sqrt(n))
    })
  })

  it('have a mean, a score and a divergence with their pullbacks', async () => {
    if (outcome === undefined) throw new Error('no outcome')
    type Pair = { readonly a: X.Expr<typeof row>; readonly b: X.Expr<typeof row> }
    await Run.lens(
      {
        name: 'mean',
        lens: L.pure((m: X.Expr<typeof row>) => [outcome.mean(m), (bar) => outcome.pullMean(m, bar)]),
        argument: row,
        sizes: { batch: 2 }
      },
      { numRuns: 5 }
    )
    await Run.lens(
      {
        name: 'log-probability',
        // of a code, and of any weights that add up to 1
        lens: L.pure((m: X.Expr<typeof row>) => {
          const code = X.broadcastTo(X.constant(T.vector([0, 1, 0, 0.5, 0.2, 0.3]), [6]), row)
          const logs = outcome.logProbability(m, code)
          return [
            X.reshape(X.sumTo(logs, ['batch', 1]), ['batch']),
            (bar) => X.mul(outcome.score(m, code), X.broadcastTo(X.reshape(bar, ['batch', 1]), row))
          ]
        }),
        argument: row,
        sizes: { batch: 2 }
      },
      { numRuns: 5 }
    )
    await Run.lens(
      {
        name: 'divergence',
        lens: L.pure(({ a, b }: Pair) => {
          const [value, aBar, bBar] = outcome.divergence(a, b)
          return [
            X.reshape(X.sumTo(value, ['batch', 1]), ['batch']),
            (bar) => {
              const spread = X.broadcastTo(X.reshape(bar, ['batch', 1]), row)
              return { a: X.mul(aBar, spread), b: X.mul(bBar, spread) }
            }
          ]
        }),
        argument: { a: row, b: row },
        sizes: { batch: 2 }
      },
      { numRuns: 5 }
    )
  })

  it('are refused where a row is no multiple of the alphabet, and in segments of several steps', () => {
    const shown = (closed: E.Either<ReadonlyArray<Parameters<typeof showError>[0]>, unknown>): string =>
      E.isLeft(closed) ? closed.left.map(showError).join('\n') : 'closed'
    expect(shown(Program.make({ y: ['batch', 7] as const }, ({ y }) => ({ kept: outcome?.of(y) ?? y })))).toContain(
      'categorical: expected a last axis that is a multiple of the alphabet, 3, got 7; change either'
    )
    const { chain } = Toy.plain({ places: 2, alphabet: 3, T: 3 }, [1, 1, 1])
    const inputs = { params: L.shapes(chain.parameters), x: chain.state, eps: [2, ...chain.state], c: chain.condition }
    expect(
      shown(
        Program.make(inputs, () => {
          const p = L.parameterInputs<Toy.Linear>('params', chain.parameters)
          const eps: Ch.Noises<typeof chain.state> = X.input('eps', [2, ...chain.state])
          return {
            x: Ch.segment(
              chain,
              2
            )(X.scalar(3)).forward(p, { x: X.input('x', chain.state), c: Ch.conditionInputs(chain), eps })
          }
        })
      )
    ).toContain('segment: expected 1 step, since each keeps one of 3 categories, got 2; take its steps one by one')
  })
})

describe('the masked chain', () => {
  const [toy] = fc.sample(Tokens.maskedToy(), { numRuns: 1, seed: 5 })

  it('has the laws of a chain, and of its clean prediction', async () => {
    if (toy === undefined) throw new Error('no toy')
    const { chain, params } = toy
    await Run.chain({ chain, params, condition: { c: T.fill([1], 0) } }, { numRuns: 3 })
    const { clean } = chain
    if (clean === undefined) throw new Error('no clean prediction')
    for (const t of [1, chain.T]) {
      const verdict = ChainLaws.adjoint({ chain: { ...chain, mean: clean }, params, condition: { c: T.fill([1], 0) } })(
        Key.make(t)
      )
      expect(E.isRight(verdict)).toBe(true)
    }
  })

  it('is refused for what it cannot be', () => {
    const denoiser: Denoiser<Toy.Linear, number, 1> = {
      features: 7,
      labels: 1,
      networkCalls: 1,
      alphabet: 3,
      lens: Toy.linear(7)
    }
    const chain = masked({ denoiser, T: 0, temperature: -1 })
    const closed = Program.make({ params: L.shapes(chain.parameters), x: chain.state, c: chain.condition }, () => ({
      mean: chain.mean(X.scalar(1)).forward(L.parameterInputs<Toy.Linear>('params', chain.parameters), {
        x: X.input('x', chain.state),
        c: Ch.conditionInputs(chain)
      })
    }))
    expect(E.isLeft(closed) ? closed.left.map(showError) : []).toEqual(
      expect.arrayContaining([
        expect.stringContaining('T: a whole number of at least 1, got 0'),
        expect.stringContaining('features: a multiple of the alphabet, 3, got 7'),
        expect.stringContaining('temperature: a number above 0, got -1')
      ])
    )
  })
})
