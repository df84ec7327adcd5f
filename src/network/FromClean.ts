/**
 * From a network that predicts the clean output to the noise that the samplers ask for.
 *
 * @since 0.1.0
 */
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import { type ShareName, shares } from '../chain/Share.js'

/**
 * The denoiser of a network `F`: the noise in `x`, computed from the clean output that the network expects,
 * `(x - sqrt(data share) F) / sqrt(noise share)`. The shares of data and noise at the given times are those of the schedule
 * that is named; a chain must use the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromClean = <P extends Params, D extends number, K extends number>(
  { features, labels, share }: { readonly features: D; readonly labels: K; readonly share: ShareName },
  network: Lens<P, DenoiserInput<number, number>, Rows<number>>
): Denoiser<P, D, K> => {
  const row = ['batch', features] as const
  return {
    features,
    labels,
    networkCalls: 1,
    lens: L.make(network.parameters, (p, input) => {
      const { data, noise } = shares[share](input.time)
      const signal = X.broadcastTo(X.sqrt(data), row)
      const deviation = X.broadcastTo(X.sqrt(noise), row)
      const [output, back] = network.run(p, input)
      return [
        X.div(X.sub(input.x, X.mul(signal, X.retype(output, row))), deviation),
        (bar) => {
          const scaled = X.div(bar, deviation)
          const [pBar, { x, time, c }] = back(X.neg(X.mul(signal, scaled)))
          return [pBar, { x: X.add(scaled, X.retype(x, row)), time, c: X.retype(c, ['batch', labels]) }]
        }
      ]
    })
  }
}
