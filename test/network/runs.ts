import * as Build from '../../src/tensor/Build.js'
import type { RowChain } from '../../src/chain/SamplerRow.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Target } from '../../src/tensor/Target.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import { step } from '../../src/training/Sampling.js'
import { right } from './graphs.js'

/** The end of a chain from a state, with noise that is given for each step; zeros for steps that have none. No condition is zeros. */
export const runOn = async (
  target: Target,
  of: RowChain,
  parameters: Values,
  start: Tensor,
  noise: (t: number) => Tensor,
  condition?: Tensor
): Promise<Tensor> => {
  const [batch = 1] = start.shape
  const executable = right(Build.build(target, { batch })('step', step(of)), Build.showError)
  const labels = Number(of.condition instanceof Array ? of.condition[1] : 1)
  const c = condition ?? { shape: [batch, labels], data: new Float32Array(batch * labels) }
  let x = start
  for (let t = of.T; t >= 1; t--) {
    const values = {
      ...Program.under('params', parameters),
      x,
      eps: noise(t),
      c,
      t: { shape: [], data: Float64Array.of(t) }
    }
    const result = right(await Build.run('step', executable)(values)(), Build.showError)
    x = result['next'] ?? x
  }
  await executable.dispose()
  return x
}

/** Images with channels first as rows of height, width, channel. */
export const rows = ({ shape: [n = 1, c = 1, h = 1, w = 1], data }: Tensor): Tensor => ({
  shape: [n, c * h * w],
  data: Float64Array.from({ length: data.length }, (_, flat) => {
    const [row, at] = [Math.floor(flat / (c * h * w)), flat % (c * h * w)]
    return data[row * c * h * w + (at % c) * h * w + Math.floor(at / c)] ?? 0
  })
})

export const part = ({ shape: [, ...rest], data }: Tensor, i: number): Tensor => {
  const n = size(rest)
  return { shape: rest, data: data.slice(i * n, (i + 1) * n) }
}

export const zeros = (shape: ReadonlyArray<number>): Tensor => ({ shape, data: new Float32Array(size(shape)) })
