/**
 * Attention of tokens to tokens.
 *
 * Small lenses, composed: projections of each token, heads as an axis of their own, the softmax average, heads merged.
 * No head is ever copied: splitting and merging are views, and contractions take the axes in any order.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import type { Shape } from '../../tensor/Shape.js'
import type { Images } from './Convolution.js'
import type { Dense } from './Dense.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'
import { gathered, spread } from '../Spread.js'
import { softmax } from './Normalization.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A batch of sequences of `N` tokens with `D` features each.
 *
 * @category model
 * @since 0.1.0
 */
export type Tokens<N extends number, D extends number> = Expr<readonly ['batch', N, D]>

/**
 * Tokens whose features are split over `H` heads, `E` each.
 *
 * @category model
 * @since 0.1.0
 */
export type Heads<N extends number, H extends number = number, E extends number = number> = Expr<
  readonly ['batch', N, H, E]
>

/**
 * What attention weighs: queries of `N` tokens, keys and values of `M` tokens.
 *
 * @category model
 * @since 0.1.0
 */
export type Queried<N extends number, M extends number> = {
  readonly query: Heads<N>
  readonly key: Heads<M>
  readonly value: Heads<M>
}

/**
 * The parameters of an attention layer of `D` features on a context of `K` features: four dense maps.
 *
 * @category model
 * @since 0.1.0
 */
export type Attention<D extends number, K extends number> = {
  readonly query: Dense<D, D>
  readonly key: Dense<K, D>
  readonly value: Dense<K, D>
  readonly out: Dense<D, D>
}

/**
 * - `heads`: it must divide the features. Default: 1.
 * - `gain`: scales the initial standard deviation of the output projection; 0 starts a residual branch at nothing.
 *   Default: 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface AttentionOptions {
  readonly heads?: number
  readonly gain?: number
}

// einsum's labels are strings here, since sizes such as `N` are not known to the type checker
const contract = (labels: string, a: Expr, b: Expr): Expr => X.einsum<string, Shape, Shape>(labels, a, b)

// -------------------------------------------------------------------------------------
// constructors: parts
// -------------------------------------------------------------------------------------

/**
 * `x W + b` for each token: a dense layer on the last axis. `gain` is that of `dense`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const projection = <N extends number, I extends number, O extends number>(
  inputs: I,
  outputs: O,
  gain = 1
): Lens<Dense<I, O>, Tokens<N, I>, Tokens<N, O>> =>
  L.make(
    { weight: L.parameter([inputs, outputs], gain / Math.sqrt(inputs)), bias: L.parameter([outputs]) },
    ({ weight, bias }, x) => {
      const shape = ['batch', x.shape[1], outputs] as const
      return [
        X.add(X.retype(contract('bni,io->bno', x, weight), shape), spread(bias, shape)),
        (bar) => [
          {
            weight: X.retype(contract('bni,bno->io', x, bar), weight.shape),
            bias: gathered(bar, bias.shape)
          },
          X.retype(contract('bno,io->bni', bar, weight), x.shape)
        ]
      ]
    }
  )

/**
 * The features of each token split over `heads` heads: a view. Its pullback merges.
 *
 * @category constructors
 * @since 0.1.0
 */
export const splitHeads = <N extends number, D extends number>(heads: number): Lens<None, Tokens<N, D>, Heads<N>> =>
  L.pure((x) => {
    const [batch, tokens, features] = x.shape
    const faults = Need.divided('splitHeads', 'heads', heads, x.shape, 2)
    return faults.length === 0
      ? [X.reshape(x, [batch, tokens, heads, features / heads]), (bar) => X.reshape(bar, x.shape)]
      : [X.ill([x], [batch, tokens, 1, features], faults), (bar) => X.ill([bar], x.shape, faults)]
  })

/**
 * The heads of each token side by side again: the inverse of `splitHeads`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mergeHeads = <N extends number, D extends number>(features: D): Lens<None, Heads<N>, Tokens<N, D>> =>
  L.pure((x) => [X.reshape(x, ['batch', x.shape[1], features]), (bar) => X.reshape(bar, x.shape)])

/**
 * Scaled dot-product attention (Vaswani et al., arXiv 1706.03762), head by head: `softmax(q k^T / sqrt(E)) v`.
 *
 * With `a` the weights and `s` the scores, the pullback of `bar` is `v: a^T bar`; then, through the softmax of
 * `bar v^T`, `q: s k / sqrt(E)` and `k: s^T q / sqrt(E)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const attend = <N extends number, M extends number>(): Lens<None, Queried<N, M>, Heads<N>> =>
  attendWith(softmax<Shape>())

/**
 * `attend` with another lens in the place of the softmax over the last axis of the scores `['batch', heads, N, M]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const attendWith = <N extends number, M extends number>(
  normalize: Lens<None, Expr, Expr>
): Lens<None, Queried<N, M>, Heads<N>> =>
  L.pure(({ query, key, value }) => {
    const scale = 1 / Math.sqrt(query.shape[3])
    const [weights, backWeights] = normalize.run({}, X.scale(contract('bnhe,bmhe->bhnm', query, key), scale))
    return [
      X.retype(contract('bhnm,bmhe->bnhe', weights, value), query.shape),
      (bar) => {
        const [, scores] = backWeights(contract('bnhe,bmhe->bhnm', bar, value))
        const scoresBar = X.scale(scores, scale)
        return {
          query: X.retype(contract('bhnm,bmhe->bnhe', scoresBar, key), query.shape),
          key: X.retype(contract('bhnm,bnhe->bmhe', scoresBar, query), key.shape),
          value: X.retype(contract('bhnm,bnhe->bmhe', weights, bar), value.shape)
        }
      }
    ]
  })

// -------------------------------------------------------------------------------------
// constructors: layers
// -------------------------------------------------------------------------------------

/**
 * Multi-head cross-attention: tokens `x ['batch', N, D]` ask, tokens `c ['batch', M, K]` answer. `N` and `M` are read off
 * the arguments. Features that the heads do not divide are an error of the program.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crossAttention = <N extends number, M extends number, D extends number, K extends number>(
  features: D,
  context: K,
  { heads = 1, gain = 1 }: AttentionOptions = {}
): Lens<Attention<D, K>, { readonly x: Tokens<N, D>; readonly c: Tokens<M, K> }, Tokens<N, D>> => {
  const faults = [
    ...Need.divisor('attention', 'heads', heads, 'features', features),
    ...Need.finite('attention', 'gain', gain)
  ]
  const split = <T extends number>(): Lens<None, Tokens<T, D>, Heads<T>> =>
    splitHeads<T, D>(faults.length === 0 ? heads : 1)
  const ask = L.compose(L.at('query', projection<N, D, D>(features, features)), split<N>())
  const key = L.compose(L.at('key', projection<M, K, D>(context, features)), split<M>())
  const value = L.compose(L.at('value', projection<M, K, D>(context, features)), split<M>())
  const told = L.compose(paired<Tokens<N, D>, Tokens<M, K>>(), L.parallel(ask, L.fanout(key, value)))
  const answered = L.compose(queried<N, M>(), attend<N, M>())
  const leave = L.compose(mergeHeads<N, D>(features), L.at('out', projection<N, D, D>(features, features, gain)))
  return L.refused(faults)(L.compose(told, L.compose(answered, leave)))
}

/**
 * Multi-head self-attention of tokens `['batch', N, D]`: `crossAttention` of the tokens to themselves.
 *
 * @category constructors
 * @since 0.1.0
 */
export const selfAttention = <N extends number, D extends number>(
  features: D,
  options: AttentionOptions = {}
): Lens<Attention<D, D>, Tokens<N, D>, Tokens<N, D>> =>
  L.compose(L.diagonal<Tokens<N, D>>(), crossAttention<N, N, D, D>(features, features, options))

const paired = <A extends Expr, C extends Expr>(): Lens<
  None,
  { readonly x: A; readonly c: C },
  { readonly first: A; readonly second: C }
> => L.pure(({ x, c }) => [{ first: x, second: c }, ({ first, second }) => ({ x: first, c: second })])

const queried = <N extends number, M extends number>(): Lens<
  None,
  { readonly first: Heads<N>; readonly second: { readonly first: Heads<M>; readonly second: Heads<M> } },
  Queried<N, M>
> =>
  L.pure(({ first, second }) => [
    { query: first, key: second.first, value: second.second },
    ({ query, key, value }) => ({ first: query, second: { first: key, second: value } })
  ])

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * A lens of tokens on images: each pixel is a token, row by row. A view, there and back.
 *
 * @category combinators
 * @since 0.1.0
 */
export const onPixels = <P extends L.Params, D extends number>(
  lens: Lens<P, Tokens<number, D>, Tokens<number, D>>
): Lens<P, Images<D>, Images<D>> =>
  L.make(lens.parameters, (p, x) => {
    const [batch, height, width, features] = x.shape
    const [value, back] = lens.run(p, X.reshape(x, [batch, height * width, features]))
    return [
      X.reshape(value, x.shape),
      (bar) => {
        const [pBar, tokensBar] = back(X.reshape(bar, value.shape))
        return [pBar, X.reshape(tokensBar, x.shape)]
      }
    ]
  })
