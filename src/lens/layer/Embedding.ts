/**
 * Tokens from a table: lookup, and learned positions.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import type { Shape } from '../../tensor/Shape.js'
import { tabulate } from '../../tensor/Tensor.js'
import type { Tokens } from './Attention.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The parameters of an embedding: a row of `D` features for each of `K` entries.
 *
 * @category model
 * @since 0.1.0
 */
export type Embedding<K extends number, D extends number> = { readonly weight: Expr<readonly [K, D]> }

/**
 * A batch of sequences of `N` whole numbers, as floating point.
 *
 * @category model
 * @since 0.1.0
 */
export type Indices<N extends number> = Expr<readonly ['batch', N]>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * What an index outside of `[0, count)` stands for: the nearest entry (`held`), or no entry, whose code is zeros (`none`).
 *
 * @category model
 * @since 0.1.0
 */
export type Outside = 'held' | 'none'

/**
 * One-hot codes of indices, `['batch', N] -> ['batch', N, count]`. Indices are rounded down and, unless those `outside` are
 * `none`, held within `[0, count)`, so that the lens is total; not a number has no code, and gives zeros. They carry no
 * gradient: the pullback is zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const oneHot = <N extends number, K extends number>(
  count: K,
  outside: Outside = 'held'
): Lens<None, Indices<N>, Tokens<N, K>> =>
  L.pure((indices) => {
    const [batch, tokens] = indices.shape
    const shape = [batch, tokens, count] as const
    const faults = Need.whole('oneHot', 'count', count)
    if (faults.length > 0) return [X.ill([indices], shape, faults), () => X.ill([indices], indices.shape, faults)]
    const held = outside === 'none' ? indices : X.max(X.min(indices, X.scalar(count - 1)), X.scalar(0))
    const given = X.broadcastTo(X.reshape(held, [batch, tokens, 1]), shape)
    const bounds = (offset: number): Tokens<N, K> =>
      X.broadcastTo(
        X.constant(
          tabulate([count], (i) => i + offset),
          [count]
        ),
        shape
      )
    // 1 from the index on, less 1 from the next one on
    return [X.sub(X.less(given, bounds(1)), X.less(given, bounds(0))), () => X.zeros(indices.shape)]
  })

/**
 * The mixture of the rows of a table that a code asks for: `code W`, without a bias. For a one-hot code it is the row
 * itself, bit for bit where the table is finite; for any other the pullback to the code is `bar W^T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const codeEmbedding = <N extends number, K extends number, D extends number>(
  count: K,
  features: D,
  gain = 1
): Lens<Embedding<K, D>, Tokens<N, K>, Tokens<N, D>> =>
  L.make({ weight: L.parameter([count, features], gain) }, ({ weight }, code) => {
    const shape = [code.shape[0], code.shape[1], features] as const
    return [
      X.retype(contract('bnk,kd->bnd', code, weight), shape),
      (bar) => [
        { weight: X.retype(contract('bnk,bnd->kd', code, bar), weight.shape) },
        X.retype(contract('bnd,kd->bnk', bar, weight), code.shape)
      ]
    ]
  })

const contract = (labels: string, a: Expr, b: Expr): Expr => X.einsum<string, Shape, Shape>(labels, a, b)

/**
 * Token embedding: the row of the table at each index, `['batch', N] -> ['batch', N, D]`. The cotangents of tokens with
 * one index add. `gain` is the initial standard deviation of an entry.
 *
 * `torch.nn.Embedding` throws for an index outside of the table. A program can not: here such an index has the nearest row,
 * or with `none` a row of zeros, as `padding_idx` has there. Check indices before the run where neither is meant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embedding = <N extends number, K extends number, D extends number>(
  count: K,
  features: D,
  gain = 1,
  outside: Outside = 'held'
): Lens<Embedding<K, D>, Indices<N>, Tokens<N, D>> =>
  L.compose(oneHot<N, K>(count, outside), codeEmbedding<N, K, D>(count, features, gain))

/**
 * Learned positions: `x + W` with a row of `W` for each place of the sequence, the same for all rows of the batch.
 *
 * @category constructors
 * @since 0.1.0
 */
export const positions = <N extends number, D extends number>(
  tokens: N,
  features: D,
  gain = 0.02
): Lens<Embedding<N, D>, Tokens<N, D>, Tokens<N, D>> =>
  L.make({ weight: L.parameter([tokens, features], gain) }, ({ weight }, x) => [
    X.add(x, X.broadcastTo(weight, x.shape)),
    (bar) => [{ weight: X.sumTo(bar, weight.shape) }, bar]
  ])
