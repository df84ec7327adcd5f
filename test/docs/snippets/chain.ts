import type { Chain, Noise } from 'halforder/chain'
import { make, Lens } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

type Row = Expr.Expr<readonly ['batch', 1]>
type Control = Chain.Chain<{ readonly gain: Row }, readonly ['batch', 1], Lens.None>
const parameters = { gain: Lens.parameter(['batch', 1]) }

/** Feedback control, no diffusion: `x_{t-1} = x_t - gain x_t + sigma_t eps_t`. */
export const control = (sigma: ReadonlyArray<number>, noise: Noise.Noise): Control => ({
  name: 'control',
  T: sigma.length,
  state: ['batch', 1],
  condition: {},
  parameters,
  sigma: [0, ...sigma],
  noise,
  networkCalls: 1,
  mean: () =>
    make(parameters, ({ gain }, { x, c }) => [
      Expr.sub(x, Expr.mul(gain, x)),
      (bar) => [{ gain: Expr.neg(Expr.mul(bar, x)) }, { x: Expr.sub(bar, Expr.mul(gain, bar)), c }]
    ])
})
