import { cosine, ddim, type Chain, type Denoiser } from 'halforder/chain'
import { at, compose, dense, labelEmbedding, layerNorm, make, silu, timeEmbedding } from 'halforder/lens'
import type { Dense, Lens, Normalization, Rows } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

type Parameters = {
  readonly in: Dense.Dense<6, 8>
  readonly time: Dense.Dense<4, 8>
  readonly label: Dense.Dense<3, 8>
  readonly middle: Dense.Dense<8, 8>
  readonly norm: Normalization.LayerNorm<8>
  readonly out: Dense.Dense<8, 6>
}

const state = at('in', dense(6, 8))
const time = compose(timeEmbedding(4), at('time', dense(4, 8)))
const label = at('label', labelEmbedding(3, 8))
const activation = silu<readonly ['batch', 8]>()

/** `silu(in(x) + time(features of t) + label(c))` */
const enter: Lens.Lens<Pick<Parameters, 'in' | 'time' | 'label'>, Denoiser.DenoiserInput<6, 3>, Rows<8>> = make(
  { ...state.parameters, ...time.parameters, ...label.parameters },
  (p, a) => {
    const [fromState, backState] = state.run(p, a.x)
    const [fromTime, backTime] = time.run(p, a.time)
    const [fromLabel, backLabel] = label.run(p, a.c)
    const [h, backActivation] = activation.run({}, Expr.add(Expr.add(fromState, fromTime), fromLabel))
    return [
      h,
      (bar) => {
        const [, sum] = backActivation(bar)
        const [stateBar, x] = backState(sum)
        const [timeBar, t] = backTime(sum)
        const [labelBar, c] = backLabel(sum)
        return [
          { ...stateBar, ...timeBar, ...labelBar },
          { x, time: t, c }
        ]
      }
    ]
  }
)

const middle = compose(at('middle', dense(8, 8)), compose(at('norm', layerNorm(8)), activation))

export const denoiser: Denoiser.Denoiser<Parameters, 6, 3> = {
  features: 6,
  labels: 3,
  networkCalls: 1,
  lens: compose(enter, compose(middle, at('out', dense(8, 6))))
}

export const chain: Chain.Chain<Parameters, readonly ['batch', 6], Rows<3>> = ddim({
  denoiser,
  schedule: cosine(20),
  eta: 1
})
