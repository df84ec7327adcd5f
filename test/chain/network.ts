import type { Denoiser, DenoiserInput } from '../../src/chain/Denoiser.js'
import { tanh } from '../../src/lens/layer/Activation.js'
import { dense, type Dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

export type Weights = { readonly x: Dense<number, number>; readonly c: Dense<number, number> }

/** A small network with a weight for the state and one for the condition. */
export const networkOf = <D extends number>(features: D): Denoiser<Weights, D, 1> => ({
  features,
  labels: 1,
  networkCalls: 1,
  lens: L.make<Weights, DenoiserInput<D, 1>, Rows<D>>(
    { x: dense(features, features).parameters, c: dense(1, features).parameters },
    (p, { x, time, c }) => {
      const [a, backA] = dense<number, number>(features, features).run(p.x, x)
      const [b, backB] = dense<number, number>(1, features).run(p.c, c)
      const row = ['batch', features] as const
      const [y, backY] = tanh<typeof row>().run({}, X.retype(X.add(X.add(a, b), X.broadcastTo(time, row)), row))
      return [
        y,
        (bar) => {
          const [, z] = backY(bar)
          const [xWeight, xBar] = backA(z)
          const [cWeight, cBar] = backB(z)
          return [
            { x: xWeight, c: cWeight },
            {
              x: X.retype(xBar, row),
              time: X.reshape(X.sum<readonly ['batch', number], [1]>(z, [1]), ['batch', 1]),
              c: X.retype(cBar, ['batch', 1])
            }
          ]
        }
      ]
    }
  )
})

export const network: Denoiser<Weights, 2, 1> = networkOf(2)

/** Some weights of `networkOf(features)`. */
export const paramsOf = (features: number): Readonly<Record<string, T.Tensor>> => ({
  'x.weight': T.tabulate([features, features], (i) => ((7 * i + 3) % 11) / 8 - 0.5),
  'x.bias': T.tabulate([features], (i) => ((5 * i + 1) % 7) / 8 - 0.375),
  'c.weight': T.tabulate([1, features], (i) => 0.5 - i / 2),
  'c.bias': T.tabulate([features], (i) => i / 4)
})

export const networkParams = paramsOf(2)
