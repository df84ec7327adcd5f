import { cosine, ddim, type Chain, type Denoiser } from 'halforder/chain'
import { dense, make, type Dense, type Rows } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

const layer = dense(2, 2)
type Parameters = { readonly layer: Dense.Dense<2, 2> }

/** Predicts the noise in two features by one dense layer; it looks neither at the time nor at the label. */
const denoiser: Denoiser.Denoiser<Parameters, 2, 1> = {
  features: 2,
  labels: 1,
  networkCalls: 1,
  lens: make({ layer: layer.parameters }, (p, { x, time, c }) => {
    const [prediction, back] = layer.run(p.layer, x)
    const none = { time: Expr.zeros(time.shape), c: Expr.zeros(c.shape) }
    return [
      prediction,
      (bar) => {
        const [layerBar, xBar] = back(bar)
        return [{ layer: layerBar }, { x: xBar, ...none }]
      }
    ]
  })
}

export const chain: Chain.Chain<Parameters, readonly ['batch', 2], Rows<1>> = ddim({
  denoiser,
  schedule: cosine(10),
  eta: 1
})
