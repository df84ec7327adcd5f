/**
 * What carries a cotangent from step to step where it is not the chain.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../chain/Chain.js'
import * as Reference from '../../chain/Reference.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Carrier } from '../Cover.js'

/**
 * The chain whose steps send back to their state what another carrier makes of a cotangent; to the parameters they send their own.
 * A chain that has no mean with the network's input held, which `Gradient.check` refuses, is left as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const carriedThrough =
  (through: Carrier | undefined) =>
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): Chain<P, S, C> => {
    type At = { readonly x: Expr<S>; readonly c: C }
    const instead = (carry: (t: Scalar, at: At) => (bar: Expr<S>) => Expr<S>): Chain<P, S, C> => ({
      ...chain,
      mean: (t) =>
        L.make<P, At, Expr<S>>(chain.parameters, (p, at) => {
          const [mean, back] = chain.mean(t).run(p, at)
          const carried = carry(t, at)
          return [
            mean,
            (bar) => {
              const [pBar, atBar] = back(bar)
              return [pBar, { ...atBar, x: carried(bar) }]
            }
          ]
        })
    })
    switch (through) {
      case undefined:
        return chain
      case 'sampler':
        return chain.held === undefined ? chain : { ...chain, mean: chain.held }
      case 'identity':
        return instead(() => (bar) => bar)
      case 'reference': {
        const values = L.parameterInputs<Params>('reference', Reference.declared(chain))
        return instead((t, at) => {
          const [, back] = chain.mean(t).run(Reference.anchored(chain, values), at)
          return (bar) => back(bar)[1].x
        })
      }
    }
  }
