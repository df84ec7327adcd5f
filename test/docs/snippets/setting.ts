import { Noise } from 'halforder/chain'
import { Degree, type Setting } from 'halforder/laws'
import type { Lens } from 'halforder/lens'
import { Tensor, type Expr } from 'halforder/tensor'
import { control } from './chain.js'
import { near } from './reward.js'

type Gain = { readonly gain: Expr.Expr<readonly ['batch', 1]> }
const chain = control([0.5, 0.75, 1], Noise.normal)
// a step adds the degree of its gain to that of its state; the reward is quadratic
const degrees = {
  T: chain.T,
  parameters: 1,
  step: (x: number, [gain = 0]: ReadonlyArray<number>) => x + gain,
  reward: 2
}

export const setting: Setting.Setting<Gain, readonly ['batch', 1], Lens.None, Lens.None> = {
  chain,
  reward: near(1),
  params: { gain: Tensor.vector([0.25]) },
  condition: {},
  trained: () => true,
  order: Degree.estimates(degrees),
  objective: Degree.objective(degrees),
  scheme: Degree.scheme(degrees)
}
