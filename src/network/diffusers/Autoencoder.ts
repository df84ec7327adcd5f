/**
 * diffusers' `AutoencoderKL` as graphs: from images to the moments of latents, and from latents to images.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import { type Builder, type Plan, plan } from '../graph/Builder.js'
import { conv, downsample, groupNorm, resnet, silu, spatialAttention, upsample } from './Blocks.js'
import { among, type Config, type ConfigError, count, list, reader, truth } from './Config.js'

/** The epsilon of all of its norms. */
const epsilon = 1e-6

interface Said {
  readonly channels: ReadonlyArray<number>
  readonly layers: number
  readonly groups: number
  readonly latent: number
  readonly from: number
  readonly to: number
  readonly attends: boolean
  readonly quant: boolean
  readonly postQuant: boolean
}

const ignored = ['sample_size', 'scaling_factor', 'shift_factor', 'latents_mean', 'latents_std', 'force_upcast']

const said = (config: Config, build: (s: Said) => Plan): E.Either<ConfigError, Plan> => {
  const r = reader(config, ignored)
  const { read } = r
  const channels = read('block_out_channels', list(count), [64])
  read('down_block_types', list(among('DownEncoderBlock2D')), ['DownEncoderBlock2D'])
  read('up_block_types', list(among('UpDecoderBlock2D')), ['UpDecoderBlock2D'])
  read('act_fn', among('silu', 'swish'), 'silu')
  const s: Said = {
    channels,
    layers: read('layers_per_block', count, 1),
    groups: read('norm_num_groups', count, 32),
    latent: read('latent_channels', count, 4),
    from: read('in_channels', count, 3),
    to: read('out_channels', count, 3),
    attends: read('mid_block_add_attention', truth, true),
    quant: read('use_quant_conv', truth, true),
    postQuant: read('use_post_quant_conv', truth, true)
  }
  return r.finish(() => build(s))
}

const block = (b: Builder, s: Said, name: string, x: string, from: number, to: number): string =>
  resnet(b, name, x, undefined, { from, to, told: 0, groups: s.groups, epsilon, film: false })

const middle = (
  b: Builder,
  s: Said,
  side: string,
  x: string,
  channels: number,
  size: readonly [number, number]
): string => {
  const name = `${side}.mid_block`
  const first = block(b, s, `${name}.resnets.0`, x, channels, channels)
  const attended = s.attends
    ? spatialAttention(b, `${name}.attentions.0`, first, {
        channels,
        side: size,
        width: channels,
        groups: s.groups,
        epsilon
      })
    : first
  return block(b, s, `${name}.resnets.1`, attended, channels, channels)
}

const leave = (b: Builder, s: Said, side: string, x: string, from: number, to: number): string =>
  conv(b, `${side}.conv_out`, silu(b, groupNorm(b, `${side}.conv_norm_out`, x, from, s.groups, epsilon)), { from, to })

/**
 * The encoder: input `sample`, output `out`, means and logarithms of variances of the latents, one behind the other. `height` and
 * `width` are those of the images.
 *
 * Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const encoder = (config: Config, [height, width]: readonly [number, number]): E.Either<ConfigError, Plan> =>
  said(config, (s) =>
    plan([{ name: 'sample', dtype: 'F32', shape: ['batch', s.from, height, width] }], (b) => {
      const last = s.channels.length - 1
      const deepest = s.channels[last] ?? 1
      let x = conv(b, 'encoder.conv_in', 'sample', { from: s.from, to: s.channels[0] ?? 1 })
      s.channels.forEach((to, level) => {
        for (let i = 0; i < s.layers; i++) {
          const from = i === 0 ? (s.channels[level - 1] ?? s.channels[0] ?? 1) : to
          x = block(b, s, `encoder.down_blocks.${level}.resnets.${i}`, x, from, to)
        }
        if (level < last) x = downsample(b, `encoder.down_blocks.${level}.downsamplers.0`, x, to, 0)
      })
      x = middle(b, s, 'encoder', x, deepest, [height / 2 ** last, width / 2 ** last])
      const moments = leave(b, s, 'encoder', x, deepest, 2 * s.latent)
      const size = { from: 2 * s.latent, to: 2 * s.latent, size: 1 }
      return [s.quant ? conv(b, 'quant_conv', moments, size, 'out') : b.add('Identity', [moments], {}, 'out')]
    })
  )

/**
 * The decoder: input `latent`, output `out`, images of `height` and `width`.
 *
 * Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decoder = (config: Config, [height, width]: readonly [number, number]): E.Either<ConfigError, Plan> =>
  said(config, (s) => {
    const last = s.channels.length - 1
    const small = [height / 2 ** last, width / 2 ** last] as const
    return plan([{ name: 'latent', dtype: 'F32', shape: ['batch', s.latent, ...small] }], (b) => {
      const deepest = s.channels[last] ?? 1
      const latent = s.postQuant
        ? conv(b, 'post_quant_conv', 'latent', { from: s.latent, to: s.latent, size: 1 })
        : 'latent'
      let x = conv(b, 'decoder.conv_in', latent, { from: s.latent, to: deepest })
      x = middle(b, s, 'decoder', x, deepest, small)
      s.channels.toReversed().forEach((to, i) => {
        for (let j = 0; j <= s.layers; j++) {
          const from = j === 0 ? (s.channels[last - i + 1] ?? deepest) : to
          x = block(b, s, `decoder.up_blocks.${i}.resnets.${j}`, x, from, to)
        }
        if (i < last) x = upsample(b, `decoder.up_blocks.${i}.upsamplers.0`, x, to)
      })
      return [b.add('Identity', [leave(b, s, 'decoder', x, s.channels[0] ?? 1, s.to)], {}, 'out')]
    })
  })
