/**
 * A condition for each part of a chain: coarse steps next to the noise, fine ones next to the output.
 *
 * This is the diffusive chain of thought of Ren et al. (arXiv 2502.00639): one prompt for what is decided first, others for what
 * is decided later. The step's number chooses at run time, so one compiled program serves every step.
 *
 * @since 0.1.0
 */
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import * as Need from '../tensor/Need.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'
import { lookup, type Chain } from './Chain.js'

/**
 * The parts by name, each of its own, with their lowest steps, from the coarsest down. A part ends below the one before it,
 * the first one at step `T`; steps below all belong to the last.
 *
 * @category model
 * @since 0.1.0
 */
export type Parts<N extends string> = readonly [Part<N>, ...ReadonlyArray<Part<N>>]

/**
 * A name and a lowest step.
 *
 * @category model
 * @since 0.1.0
 */
export type Part<N extends string> = readonly [name: N, lowest: number]

/**
 * Three parts of about a third of the steps each.
 *
 * @category constructors
 * @since 0.1.0
 */
export const thirds = (T: number): Parts<'coarse' | 'mid' | 'fine'> => [
  ['coarse', Math.floor((2 * T) / 3) + 1],
  ['mid', Math.floor(T / 3) + 1],
  ['fine', 1]
]

/**
 * Which of the three parts step `t` belongs to.
 *
 * @category utils
 * @since 0.1.0
 */
export const thirdOf = (T: number, t: number): 'coarse' | 'mid' | 'fine' =>
  thirds(T).find(([, lowest]) => lowest <= t)?.[0] ?? 'fine'

/** What is wrong with parts: a name that two have, lowest steps that do not fall from part to part. */
const partFaults = (parts: Parts<string>, T: number): Need.Faults => {
  const names = parts.map(([name]) => name)
  const lowest = parts.map(([, step]) => step)
  const drawn = parts.map(([name, step]) => `${name} from ${step}`).join(', ')
  return [
    ...lowest.flatMap((step) => Need.whole('perStep', 'lowest step', step)),
    ...(new Set(names).size === names.length
      ? []
      : Need.fault('perStep', 'a name for each part', names.join(', '), 'rename the second')),
    ...(lowest.every((step, i) => step < (lowest[i - 1] ?? T + 1))
      ? []
      : Need.fault('perStep', `lowest steps that fall, from ${T} on`, drawn, 'put the coarsest part first'))
  ]
}

/**
 * The chain with a condition for each part: the condition becomes a record of conditions, `{ coarse, mid, fine }` for
 * `thirds(T)`. The cotangent of a part's condition comes from the steps of that part alone.
 *
 * @category combinators
 * @since 0.1.0
 */
export const perStep =
  <const N extends string>(parts: Parts<N>) =>
  <P extends Params, S extends Batched, C extends Exprs>(
    chain: Chain<P, S, C>
  ): Chain<P, S, { readonly [k in N]: C }> => {
    const partOf = Array.from({ length: chain.T + 1 }, (_, t) => {
      const found = parts.findIndex(([, lowest]) => lowest <= t)
      return found < 0 ? parts.length - 1 : found
    })
    const faults = partFaults(parts, chain.T)
    const each = <A>(f: (name: N, k: number) => A): { readonly [k in N]: A } =>
      // one entry for each name
      Object.fromEntries(parts.map(([name], k) => [name, f(name, k)])) as { readonly [k in N]: A }
    type Told = { readonly [k in N]: C }
    /** A lens of the chain's condition as one of all parts', of which step `t` sees its own. */
    const told =
      (lens: StepLens<P, S, C>): StepLens<P, S, Told> =>
      (t) =>
        L.refused(faults)(
          L.make(chain.parameters, (p, { x, c }) => {
            const columns = parts.map(([name]) => new Map(Tree.leaves<Expr>(Tree.isExpr, c[name])))
            const part = lookup(partOf, t)
            const chosen = Tree.mapExprs(c[parts[0][0]], (leaf, path) =>
              X.take<Shape, 0>(X.stack<Shape>(columns.map((column) => column.get(path) ?? leaf)), 0, part)
            )
            const [value, back] = lens(t).run(p, { x, c: chosen })
            return [
              value,
              (bar) => {
                const [pBar, aBar] = back(bar)
                const share = (k: number): C => {
                  const here = lookup(
                    partOf.map((i) => (i === k ? 1 : 0)),
                    t
                  )
                  return Tree.mapExprs(aBar.c, (leaf) => X.weigh(leaf, here))
                }
                return [pBar, { x: aBar.x, c: each((_, k) => share(k)) }]
              }
            ]
          })
        )
    const { clean, held, ...rest } = chain
    return {
      ...rest,
      name: `${chain.name}, ${parts.map(([name]) => name).join(' / ')}`,
      condition: each(() => chain.condition),
      mean: told(chain.mean),
      ...(clean === undefined ? {} : { clean: told(clean) }),
      ...(held === undefined ? {} : { held: told(held) })
    }
  }

/**
 * The chain under a condition that does not change: it is told `given`, whatever it is conditioned on. What it is conditioned
 * on is then for the reward alone, and its cotangent is zero. The shapes that `condition` declares need not be those of `given`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const under =
  <G extends Exprs, C extends Exprs>(given: G, condition: Shapes) =>
  <P extends Params, S extends Batched>(chain: Chain<P, S, G>): Chain<P, S, C> => {
    const deaf =
      (lens: StepLens<P, S, G>): StepLens<P, S, C> =>
      (t) =>
        L.make(chain.parameters, (p, { x, c }) => {
          const [value, back] = lens(t).run(p, { x, c: given })
          return [
            value,
            (bar) => {
              const [pBar, aBar] = back(bar)
              return [pBar, { x: aBar.x, c: Tree.zerosOf(c) }]
            }
          ]
        })
    const { clean, held, ...rest } = chain
    return {
      ...rest,
      condition,
      mean: deaf(chain.mean),
      ...(clean === undefined ? {} : { clean: deaf(clean) }),
      ...(held === undefined ? {} : { held: deaf(held) })
    }
  }

/** What a chain gives of a state and a condition at step `t`. */
type StepLens<P extends Params, S extends Batched, C extends Exprs> = (
  t: Scalar
) => Lens<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>>
