/** A small U-Net of diffusers with weights of its own. */
import * as E from 'fp-ts/lib/Either.js'
import { planOf } from '../../src/network/FromDiffusers.js'
import type { Values } from '../../src/tensor/Program.js'
import { tabulate, toFloat32 } from '../../src/tensor/Tensor.js'

export const smallUnet = {
  _class_name: 'UNet2DModel',
  block_out_channels: [8, 8],
  down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
  up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
  layers_per_block: 1,
  norm_num_groups: 4,
  sample_size: 8
}

/** Weights for a configuration: waves, and gains of norms around 1. */
export const smallWeights = (config: unknown): Values => {
  const plan = planOf(config)
  if (E.isLeft(plan)) throw new Error('no plan')
  return Object.fromEntries(
    [...plan.right.parameters].map(([name, shape], k) => {
      const around = name.includes('norm') && name.endsWith('weight') ? 1 : 0
      return [name, toFloat32(tabulate(shape, (i) => around + 0.2 * Math.sin(i * (1 + k / 7) + k)))]
    })
  )
}
