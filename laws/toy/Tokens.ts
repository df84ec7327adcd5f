/**
 * Chains of a few tokens that can be enumerated: as the library has them, and in plain numbers of their own, from the
 * definition of the process alone.
 *
 * The network is linear, `z = x w + b + time s`. `plain` draws every place anew at every step, with logits `z`; `masked` is
 * the masked diffusion.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../src/chain/Chain.js'
import { categorical } from '../../src/chain/Categorical.js'
import type { Denoiser, DenoiserInput } from '../../src/chain/Denoiser.js'
import type { Noise } from '../../src/chain/Noise.js'
import { masked } from '../../src/chain/sampler/Masked.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import { differentiable, type Differentiable } from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Values } from '../../src/tensor/Program.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The parameters of the network.
 *
 * @category model
 * @since 0.1.0
 */
export type Linear = {
  readonly w: Expr<readonly [number, number]>
  readonly b: Expr<readonly [number]>
  readonly s: Expr<readonly [number]>
}

/**
 * A chain of tokens on rows.
 *
 * @category model
 * @since 0.1.0
 */
export type TokenChain = Chain<Linear, readonly ['batch', number], Rows<1>>

/**
 * What one place becomes: the probability of each category, and its derivative in each of the network's outputs at that place.
 *
 * @category model
 * @since 0.1.0
 */
export interface Place {
  readonly p: ReadonlyArray<number>
  readonly slope: ReadonlyArray<ReadonlyArray<number>>
}

/**
 * A chain of tokens in plain numbers: `start` is the state above step `T`, a category a place, and `law` what each place becomes at a
 * step, for the network's outputs there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Process {
  readonly places: number
  readonly alphabet: number
  readonly T: number
  readonly start: ReadonlyArray<number>
  readonly law: (t: number, token: number, outputs: ReadonlyArray<number>) => Place
}

/**
 * Both: the same chain twice, with the parameters, and a reward `(x u)^2 + x v` of the output's codes `x`.
 *
 * @category model
 * @since 0.1.0
 */
export interface TokenToy {
  readonly chain: TokenChain
  readonly process: Process
  readonly params: Values
  readonly u: ReadonlyArray<number>
  readonly v: ReadonlyArray<number>
}

/**
 * How large a toy is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Size {
  readonly places: number
  readonly alphabet: number
  readonly T: number
}

// -------------------------------------------------------------------------------------
// chains
// -------------------------------------------------------------------------------------

/**
 * The network `x w + b + time s`.
 *
 * @category networks
 * @since 0.1.0
 */
export const linear = (n: number): Denoiser<Linear, number, 1>['lens'] => {
  const rows = ['batch', n] as const
  return L.make<Linear, DenoiserInput<number, 1>, Rows<number>>(
    { w: L.parameter([n, n]), b: L.parameter([n]), s: L.parameter([n]) },
    ({ w, b, s }, { x, time, c }) => {
      const slope = X.mul(X.broadcastTo(s, rows), X.broadcastTo(time, rows))
      return [
        X.add(X.add(X.matmul(X.retype(x, rows), w), X.broadcastTo(b, rows)), slope),
        (bar) => [
          {
            w: X.matmul(X.transpose(x), bar),
            b: X.sumTo(bar, [n]),
            s: X.sumTo(X.mul(bar, X.broadcastTo(time, rows)), [n])
          },
          {
            x: X.matmul(bar, X.transpose(w)),
            time: X.reshape(X.sumTo(X.mul(bar, X.broadcastTo(s, rows)), ['batch', 1]), ['batch', 1]),
            c: X.zeros(c.shape)
          }
        ]
      ]
    }
  )
}

const softmax = (outputs: ReadonlyArray<number>): ReadonlyArray<number> => {
  const most = Math.max(...outputs)
  const raw = outputs.map((z) => Math.exp(z - most))
  const total = raw.reduce((a, b) => a + b, 0)
  return raw.map((e) => e / total)
}

/**
 * The chain that draws every place anew at each step, from the softmax of the network's outputs over `sigma[t - 1]`. It starts from
 * the first category everywhere.
 *
 * @category chains
 * @since 0.1.0
 */
export const plain = (
  { places, alphabet, T }: Size,
  sigma: ReadonlyArray<number>,
  noise: Noise = categorical(alphabet)
): Pick<TokenToy, 'chain' | 'process'> => {
  const n = places * alphabet
  const lens = linear(n)
  return {
    chain: {
      name: 'tokens drawn anew',
      T,
      state: ['batch', n],
      condition: ['batch', 1],
      parameters: lens.parameters,
      sigma: [0, ...sigma],
      noise,
      networkCalls: 1,
      mean: (t) =>
        L.make(lens.parameters, (p, { x, c }) => {
          const time = X.broadcastTo(X.scale(t, 1 / T), ['batch', 1])
          const [value, back] = lens.run(p, { x, time, c })
          return [
            value,
            (bar) => {
              const [pBar, { x: xBar, c: cBar }] = back(bar)
              return [pBar, { x: xBar, c: cBar }]
            }
          ]
        })
    },
    process: {
      places,
      alphabet,
      T,
      start: new Array<number>(places).fill(0),
      law: (t, _, outputs) => {
        const scale = sigma[t - 1] ?? 1
        const p = softmax(outputs.map((z) => z / scale))
        return { p, slope: p.map((pk, k) => p.map((pj, j) => (pk * ((k === j ? 1 : 0) - pj)) / scale)) }
      }
    }
  }
}

/**
 * The masked diffusion of `masked`. It starts from masks, the last category.
 *
 * @category chains
 * @since 0.1.0
 */
export const maskedTokens = (
  { places, alphabet, T }: Size,
  make: typeof masked = masked
): Pick<TokenToy, 'chain' | 'process'> => {
  const n = places * alphabet
  const tokens = alphabet - 1
  const denoiser: Denoiser<Linear, number, 1> = {
    features: n,
    labels: 1,
    networkCalls: 1,
    alphabet,
    lens: linear(n)
  }
  const none = Array.from({ length: alphabet }, () => new Array<number>(alphabet).fill(0))
  return {
    chain: make({ denoiser, T }),
    process: {
      places,
      alphabet,
      T,
      start: new Array<number>(places).fill(tokens),
      law: (t, token, outputs) => {
        if (token !== tokens) {
          return { p: Array.from({ length: alphabet }, (_, k) => (k === token ? 1 : 0)), slope: none }
        }
        const q = softmax(outputs.slice(0, tokens))
        return {
          p: [...q.map((one) => one / t), 1 - 1 / t],
          slope: none.map((row, k) =>
            row.map((_, j) => (k < tokens && j < tokens ? ((q[k] ?? 0) * ((k === j ? 1 : 0) - (q[j] ?? 0))) / t : 0))
          )
        }
      }
    }
  }
}

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

/**
 * The reward of a toy, as a lens.
 *
 * @category rewards
 * @since 0.1.0
 */
export const tokenReward = ({
  u,
  v
}: Pick<TokenToy, 'u' | 'v'>): Differentiable<L.None, readonly ['batch', number], Rows<1>> => {
  const rows = ['batch', u.length] as const
  const column = (numbers: ReadonlyArray<number>): Expr<readonly ['batch', number]> =>
    X.broadcastTo(X.constant({ shape: [u.length], data: Float64Array.from(numbers) }, [u.length]), rows)
  const along = (x: Rows<number>, numbers: ReadonlyArray<number>): Rows<1> =>
    X.reshape(X.sumTo(X.mul(x, column(numbers)), ['batch', 1]), ['batch', 1])
  return differentiable<L.None, readonly ['batch', number]>(
    'square and line',
    L.pure((x) => {
      const first = along(x, u)
      return [
        X.reshape(X.add(X.mul(first, first), along(x, v)), ['batch']),
        (bar) => {
          const spread = X.broadcastTo(X.reshape(bar, ['batch', 1]), rows)
          return X.mul(spread, X.add(X.scale(X.mul(column(u), X.broadcastTo(first, rows)), 2), column(v)))
        }
      ]
    })
  )
}

/**
 * The reward of some tokens in plain numbers.
 *
 * @category rewards
 * @since 0.1.0
 */
export const rewardOf =
  ({ u, v, process: { alphabet } }: Pick<TokenToy, 'u' | 'v' | 'process'>) =>
  (tokens: ReadonlyArray<number>): number => {
    const total = (numbers: ReadonlyArray<number>): number =>
      tokens.reduce((sum, token, l) => sum + (numbers[l * alphabet + token] ?? 0), 0)
    return total(u) ** 2 + total(v)
  }
