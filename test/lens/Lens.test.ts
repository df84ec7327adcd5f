import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as RewardLaw from '../../laws/law/Reward.js'
import * as Run from '../../laws/run/Run.js'
import { polynomialReward, sinReward } from '../../laws/toy/Polynomial.js'
import * as V from '../../laws/Verdict.js'
import { elu, gelu, geluTanh, relu, sigmoid, silu, tanh } from '../../src/lens/layer/Activation.js'
import { columns } from '../../src/lens/Columns.js'
import { film, labelEmbedding, timeEmbedding, type Film } from '../../src/lens/layer/Conditioning.js'
import { dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import { logSumExp } from '../../src/lens/layer/LogSumExp.js'
import { logSoftmax, meanSquaredError, softmaxCrossEntropy } from '../../src/lens/layer/Loss.js'
import { layerNorm } from '../../src/lens/layer/Normalization.js'
import * as Key from '../../src/random/Key.js'
import type { Key as AnyKey } from '../../src/random/Key.js'
import * as Reward from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'

const runs = { numRuns: 15 }

/** Sizes of a batch and of two layers. */
const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  n: fc.integer({ min: 1, max: 5 }),
  m: fc.integer({ min: 2, max: 4 })
})

/** All laws of a lens for random sizes. */
const laws = <P extends L.Params, A extends X.Expr | Readonly<Record<string, X.Expr>>, B extends X.Expr>(
  subject: (n: number, m: number) => Omit<Law.Subject<P, A, B>, 'sizes'>
): Promise<void> =>
  Run.forAll(
    fc.record({ size: sizes, key: Toys.key, x: Toys.number(2), y: Toys.number(2) }),
    ({ size: { batch, n, m }, key, x, y }) => {
      const one = { ...subject(n, m), sizes: { batch } }
      return V.all(one.name, [Law.identity(one)(key), Law.linear(one)(key, x, y), Law.adjoint(one)(key)])
    },
    runs
  )

describe('the pullback is the transposed derivative and linear, and identity is neutral', () => {
  const row = (n: number): readonly ['batch', number] => ['batch', n]

  it('dense', () => laws((n, m) => ({ name: 'dense', lens: dense(n, m), argument: row(n) })))
  it('silu', () => laws((n) => ({ name: 'silu', lens: silu<readonly ['batch', number]>(), argument: row(n) })))
  it('gelu', () => laws((n) => ({ name: 'gelu', lens: gelu<readonly ['batch', number]>(), argument: row(n) })))
  it('geluTanh', () =>
    laws((n) => ({ name: 'geluTanh', lens: geluTanh<readonly ['batch', number]>(), argument: row(n) })))
  it('elu', () =>
    laws((n) => ({
      name: 'elu',
      lens: elu<readonly ['batch', number]>(1.5),
      argument: row(n),
      place: (_, x) => x + Math.sign(x) / 8
    })))
  it('tanh', () => laws((n) => ({ name: 'tanh', lens: tanh<readonly ['batch', number]>(), argument: row(n) })))
  it('sigmoid', () => laws((n) => ({ name: 'sigmoid', lens: sigmoid<readonly ['batch', number]>(), argument: row(n) })))
  it('relu, away from its kink', () =>
    laws((n) => ({
      name: 'relu',
      lens: relu<readonly ['batch', number]>(),
      argument: row(n),
      // differences reach 1/8 times a normal, which is below 6.4
      place: (_, x) => x + Math.sign(x)
    })))
  it('layerNorm', () => laws((_, m) => ({ name: 'layerNorm', lens: layerNorm(m), argument: row(m) })))
  it('film', () => laws((n, m) => ({ name: 'film', lens: film(m, n), argument: { x: row(n), c: row(m) } })))
  it('labelEmbedding', () => laws((n, m) => ({ name: 'labelEmbedding', lens: labelEmbedding(m, n), argument: row(m) })))
  it('meanSquaredError', () =>
    laws((n) => ({ name: 'meanSquaredError', lens: meanSquaredError(n), argument: { x: row(n), c: row(n) } })))
  it('logSoftmax', () => laws((_, m) => ({ name: 'logSoftmax', lens: logSoftmax(m), argument: row(m) })))
  it('softmaxCrossEntropy', () =>
    laws((_, m) => ({ name: 'softmaxCrossEntropy', lens: softmaxCrossEntropy(m), argument: { x: row(m), c: row(m) } })))
  it('logSumExp', () => laws((_, m) => ({ name: 'logSumExp', lens: logSumExp(m), argument: row(m) })))
  it('columns, with one taken twice', () =>
    laws((_, m) => ({ name: 'columns', lens: columns(m, [m - 1, 0, m - 1]), argument: row(m) })))

  it('and so are the combinators: at, residual, repeat, fanout, parallel, given', () =>
    laws((n, m) => {
      const layer = L.compose(
        L.at('in', dense(n, m)),
        L.compose(tanh<readonly ['batch', number]>(), L.at('out', dense(m, n)))
      )
      const block = L.residual(L.at('block', layer))
      const twice = L.repeat(2, () => block)
      const side: L.Lens<Film<2, number>, Rows<number>, Rows<number>> = L.given(film(2, n), X.fill(['batch', 2], 0.5))
      const two = L.compose(
        L.fanout(twice, L.at('film', side)),
        L.parallel(L.at('left', dense(n, 2)), L.at('right', dense(n, 2)))
      )
      const sum = L.pure<{ readonly first: Rows<2>; readonly second: Rows<2> }, Rows<2>>(({ first, second }) => [
        X.mul(first, second),
        (bar) => ({ first: X.mul(bar, second), second: X.mul(bar, first) })
      ])
      return { name: 'combinators', lens: L.compose(two, sum), argument: row(n) }
    }))
})

describe('composition', () => {
  const f = { name: 'f', lens: L.at('f', dense(3, 3)), argument: ['batch', 3] as const, sizes: { batch: 2 } }
  const g = L.at('g', L.compose(silu<readonly ['batch', 3]>(), dense(3, 3)))
  // the same weight as f's
  const h = L.at('f', dense(3, 3))

  it('is associative and functorial, with a weight that both ends share', () =>
    Run.forAll(
      Toys.key,
      (key) => V.all('compose', [Law.associative(f)(g, h, key), Law.functorial(f)(g, key), Law.functorial(f)(h, key)]),
      runs
    ))
})

describe('rewards', () => {
  const state = ['batch', 1] as const

  it.each([polynomialReward([1, -2, 0.5, 0.25]), sinReward(2)])('are lenses: %#', (reward) =>
    Run.lens(RewardLaw.subject(reward, state, {}), runs)
  )

  it('that look at the condition are lenses for each', () => {
    type Row = X.Expr<readonly ['batch', 1]>
    const reward = Reward.conditional<L.None, typeof state, Row>(
      'distance',
      (c) =>
        L.pure((x) => {
          const gap = X.sub(x, c)
          return [X.reshape(X.mul(gap, gap), ['batch']), (bar) => X.scale(X.mul(X.reshape(bar, state), gap), 2)]
        }),
      {}
    )
    return Run.lens(RewardLaw.subject(reward, state, state), runs)
  })
})

describe('what is constant', () => {
  it('time carries no gradient: the pullback of an embedding is zero', () => {
    const [, back] = timeEmbedding(4).run({}, X.input('time', ['batch', 1]))
    const [, bar] = back(X.input('bar', ['batch', 4]))
    expect(bar.op._tag).toBe('Broadcast')
    expect(bar.args[0]?.op).toEqual({ _tag: 'Scalar', value: 0 })
  })

  it('an embedding is sines and cosines: its laws hold but for the held time', () => {
    const key: AnyKey = Key.make(1)
    const lens = timeEmbedding(6)
    const verdict = Law.linear({ name: 'timeEmbedding', lens, argument: ['batch', 1], sizes: { batch: 2 } })(key, 2, -1)
    expect(E.isRight(verdict)).toBe(true)
  })
})

describe('the drawn failure', () => {
  it('says which law, which parameter, and by how much', async () => {
    const wrong: L.Lens<L.None, Rows<2>, Rows<2>> = L.pure((x) => [X.scale(x, 2), (bar) => X.scale(bar, 3)])
    await expect(
      Run.lens({ name: 'mine', lens: wrong, argument: ['batch', 2], sizes: { batch: 1 } }, { numRuns: 1 })
    ).rejects.toThrow(
      /mine: adjoint: refuted in 1 of 1 comparisons\n {2}a: expected [-\d.e]+, got [-\d.e]+, off by .*; allowed .* \(the extrapolation error of differences/
    )
  })
})
