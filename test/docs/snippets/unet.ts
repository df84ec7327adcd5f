import type { Denoiser } from 'halforder/chain'
import { at, compose, conv2d, dense, groupNorm, make, silu, timeEmbedding, upsample2d } from 'halforder/lens'
import type { Convolution, Dense, Normalization } from 'halforder/lens'
import { Foreign } from 'halforder/model'
import { Expr, type Shape } from 'halforder/tensor'

type Window<I extends number, O extends number> = Convolution.Convolution<readonly [number, number, I, O], O>
type Parameters = {
  readonly in: Window<3, 4>
  readonly down: Window<4, 8>
  readonly norm: Normalization.GroupNorm<8>
  readonly time: Dense.Dense<4, 8>
  readonly out: Window<12, 3>
}

const enter = compose(at('in', conv2d(3, 4)), silu<readonly ['batch', number, number, 4]>())
const down = compose(at('down', conv2d(4, 8, { stride: 2 })), at('norm', groupNorm(8, 2)))
const time = compose(timeEmbedding(4), at('time', dense(4, 8)))
const up = compose(silu<readonly ['batch', number, number, 8]>(), upsample2d<8>(2))
const leave = at('out', conv2d(12, 3))

// a chain's states are rows: height, width, channel
const image = (row: Dense.Rows<48>): Convolution.Images<3> => Expr.reshape(row, ['batch', 4, 4, 3])
const row = (images: Convolution.Images<3>): Dense.Rows<48> => Expr.reshape(images, ['batch', 48])

/** Two levels with one skip: `out([h, up(silu(norm(down(h)) + time(t)))])` with `h = silu(in(x))`. */
export const unet: Denoiser.Denoiser<Parameters, 48, 1> = {
  features: 48,
  labels: 1,
  networkCalls: 1,
  lens: make(
    { ...enter.parameters, ...down.parameters, ...time.parameters, ...leave.parameters },
    (p, { x, time: t, c }) => {
      const [h, backEnter] = enter.run(p, image(x))
      const [d, backDown] = down.run(p, h)
      const [told, backTime] = time.run(p, t)
      const [u, backUp] = up.run({}, Expr.add(d, Expr.broadcastTo(Expr.reshape(told, ['batch', 1, 1, 8]), d.shape)))
      const [y, backLeave] = leave.run(p, Expr.retype(Expr.concat<Shape.Shape, 3>([h, u], 3), ['batch', 4, 4, 12]))
      return [
        row(y),
        (bar) => {
          const [leaveBar, both] = backLeave(image(bar))
          const [, sum] = backUp(Expr.slice(both, 3, 4, 8))
          const [timeBar, tBar] = backTime(Expr.reshape(Expr.sumTo(sum, ['batch', 1, 1, 8]), ['batch', 8]))
          const [downBar, below] = backDown(sum)
          const [enterBar, xBar] = backEnter(Expr.add(below, Expr.slice(both, 3, 0, 4)))
          return [
            { ...enterBar, ...downBar, ...timeBar, ...leaveBar },
            { x: row(xBar), time: tBar, c: Expr.zeros(c.shape) }
          ]
        }
      ]
    }
  )
}

export const unetMapping: Foreign.Mapping = [
  ...Foreign.convolution('inc', 'in'),
  ...Foreign.convolution('down.conv', 'down'),
  ...Foreign.normalization('down.norm', 'norm'),
  ...Foreign.linear('temb', 'time'),
  ...Foreign.convolution('outc', 'out')
]
