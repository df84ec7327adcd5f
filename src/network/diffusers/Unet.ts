/**
 * diffusers' U-Nets as graphs: `UNet2DModel` and `UNet2DConditionModel`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { GraphPort } from '../../format/Onnx.js'
import { type Builder, type Plan, plan } from '../graph/Builder.js'
import {
  conv,
  downsample,
  groupNorm,
  resnet,
  scale,
  silu,
  sinusoids,
  spatialAttention,
  timeEmbedding,
  upsample
} from './Blocks.js'
import {
  among,
  type Config,
  type ConfigError,
  count,
  each,
  list,
  optional,
  reader,
  type Reader,
  real,
  truth
} from './Config.js'
import { transformer } from './Transformer.js'

// -------------------------------------------------------------------------------------
// the skeleton
// -------------------------------------------------------------------------------------

/** Height and width. */
type Side = readonly [number, number]

/** Attention of a level, by the name of its block's part, or none. */
type Attention =
  | ((b: Builder, name: string, x: string, channels: number, side: Side, level: number) => string)
  | undefined

/** What the levels of a U-Net have in common, and where attention is. */
interface Skeleton {
  readonly channels: ReadonlyArray<number>
  readonly layers: number
  readonly groups: number
  readonly epsilon: number
  readonly film: boolean
  readonly padding: number
  readonly told: number
  readonly factor: number
  readonly side: Side
  readonly down: ReadonlyArray<Attention>
  readonly up: ReadonlyArray<Attention>
  readonly middle: ReadonlyArray<Attention>
}

const halved = ([height, width]: Side, times: number): Side => [height / 2 ** times, width / 2 ** times]

/** An image through all levels down and up, told `embedding`. */
const levels = (b: Builder, s: Skeleton, first: string, embedding: string): string => {
  const { groups, epsilon, film, told, channels } = s
  const block = (name: string, x: string, from: number, to: number, factor = 1): string =>
    resnet(b, name, x, embedding, { from, to, told, groups, epsilon, film, factor })
  const last = channels.length - 1
  const kept: Array<{ readonly x: string; readonly channels: number }> = [{ x: first, channels: channels[0] ?? 1 }]
  let x = first
  channels.forEach((to, level) => {
    const attention = s.down[level]
    for (let i = 0; i < s.layers; i++) {
      x = block(`down_blocks.${level}.resnets.${i}`, x, i === 0 ? (channels[level - 1] ?? channels[0] ?? 1) : to, to)
      if (attention !== undefined)
        x = attention(b, `down_blocks.${level}.attentions.${i}`, x, to, halved(s.side, level), level)
      kept.push({ x, channels: to })
    }
    if (level < last) {
      x = downsample(b, `down_blocks.${level}.downsamplers.0`, x, to, s.padding)
      kept.push({ x, channels: to })
    }
  })
  const deepest = channels[last] ?? 1
  x = block('mid_block.resnets.0', x, deepest, deepest, s.factor)
  s.middle.forEach((attention, i) => {
    if (attention !== undefined) x = attention(b, `mid_block.attentions.${i}`, x, deepest, halved(s.side, last), last)
    x = block(`mid_block.resnets.${i + 1}`, x, deepest, deepest, s.factor)
  })
  channels.toReversed().forEach((to, i) => {
    const level = last - i
    const attention = s.up[i]
    for (let j = 0; j <= s.layers; j++) {
      const skip = kept.pop() ?? { x, channels: 0 }
      const before = j === 0 ? (channels[level + 1] ?? deepest) : to
      const joined = b.add('Concat', [x, skip.x], { axis: 1 })
      x = block(`up_blocks.${i}.resnets.${j}`, joined, before + skip.channels, to)
      if (attention !== undefined)
        x = attention(b, `up_blocks.${i}.attentions.${j}`, x, to, halved(s.side, level), level)
    }
    if (level > 0) x = upsample(b, `up_blocks.${i}.upsamplers.0`, x, to)
  })
  return x
}

/** The last norm and convolution. */
const leaving = (b: Builder, x: string, channels: number, groups: number, epsilon: number, to: number): string =>
  conv(
    b,
    'conv_out',
    silu(b, groupNorm(b, 'conv_norm_out', x, channels, groups, epsilon)),
    { from: channels, to },
    'out'
  )

// -------------------------------------------------------------------------------------
// what both models say
// -------------------------------------------------------------------------------------

const ignored = [
  'dropout',
  'num_train_timesteps',
  'upcast_attention',
  'attention_type',
  'addition_embed_type_num_heads'
]

interface Common {
  readonly side: Side
  readonly channels: ReadonlyArray<number>
  readonly layers: number
  readonly groups: number
  readonly epsilon: number
  readonly film: boolean
  readonly padding: number
  readonly factor: number
  readonly from: number
  readonly to: number
  readonly centred: boolean
  readonly flip: boolean
  readonly shift: number
}

const sideOf =
  (levelCount: number) =>
  (value: unknown): E.Either<string, Side> =>
    pipe(
      each(2)(value),
      E.chain(([height = 1, width = 1]): E.Either<string, Side> => {
        const step = 2 ** (levelCount - 1)
        return height % step === 0 && width % step === 0
          ? E.right([height, width])
          : E.left(`sizes that are multiples of ${step}, of 2 for each level but one`)
      })
    )

const common = (
  { read }: Reader,
  defaults: { readonly channels: ReadonlyArray<number>; readonly size: Side | undefined }
): Common => {
  const channels = read('block_out_channels', list(count), defaults.channels)
  const said = read('sample_size', optional(sideOf(channels.length)), null)
  read('act_fn', among('silu', 'swish'), 'silu')
  read('time_embedding_type', among('positional', 'fourier'), 'positional')
  return {
    side: defaults.size ?? said ?? [64, 64],
    channels,
    layers: read('layers_per_block', count, 2),
    groups: read('norm_num_groups', count, 32),
    epsilon: read('norm_eps', real, 1e-5),
    film: read('resnet_time_scale_shift', among('default', 'scale_shift'), 'default') === 'scale_shift',
    padding: read('downsample_padding', among(0, 1), 1),
    factor: read('mid_block_scale_factor', real, 1),
    from: read('in_channels', count, 3),
    to: read('out_channels', count, 3),
    centred: read('center_input_sample', truth, false),
    flip: read('flip_sin_to_cos', truth, true),
    shift: read('freq_shift', real, 0)
  }
}

const image = (name: string, channels: number, [height, width]: Side): GraphPort => ({
  name,
  dtype: 'F32',
  shape: ['batch', channels, height, width]
})

const whole = (name: string): GraphPort => ({ name, dtype: 'I64', shape: ['batch'] })

/** The image as the first convolution has it. */
const entering = (b: Builder, { channels, from, centred }: Common): string => {
  const seen = centred ? b.add('Sub', [scale(b, 'sample', 2), b.floats([], [1])]) : 'sample'
  return conv(b, 'conv_in', seen, { from, to: channels[0] ?? 1 }, 'conv_in')
}

// -------------------------------------------------------------------------------------
// UNet2DModel
// -------------------------------------------------------------------------------------

/**
 * `UNet2DModel`: inputs `sample` and `timestep`, and `class_labels` where there are classes; output `out`. `size` is the size of the
 * images where the configuration has none, or another.
 *
 * Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unet2d = (config: Config, size: Side | undefined): E.Either<ConfigError, Plan> => {
  const r = reader(config, ignored)
  const { read } = r
  const c = common(r, { channels: [224, 448, 672, 896], size })
  const kinds = ['DownBlock2D', 'AttnDownBlock2D'] as const
  const levelCount = c.channels.length
  const down = read('down_block_types', list(among(...kinds)), [
    'DownBlock2D',
    ...Array.from({ length: levelCount - 1 }, () => kinds[1])
  ])
  const up = read('up_block_types', list(among('UpBlock2D', 'AttnUpBlock2D')), [
    ...Array.from({ length: levelCount - 1 }, () => 'AttnUpBlock2D' as const),
    'UpBlock2D'
  ])
  const width = read('attention_head_dim', optional(count), 8)
  const middle = read('add_attention', truth, true)
  const middleGroups = read('attn_norm_num_groups', optional(count), null)
  const classes = read('num_class_embeds', optional(count), null)
  read('class_embed_type', among(null), null)
  read('downsample_type', among('conv'), 'conv')
  read('upsample_type', among('conv'), 'conv')
  const fourier = config['time_embedding_type'] === 'fourier'
  const attends =
    (groups: number, factor: number): Attention =>
    (b, name, x, channels, side) =>
      spatialAttention(b, name, x, { channels, side, width: width ?? channels, groups, epsilon: c.epsilon, factor })
  const [first = 1] = c.channels
  const told = 4 * first
  const inputs = [
    image('sample', c.from, c.side),
    fourier ? { ...whole('timestep'), dtype: 'F32' as const } : whole('timestep')
  ]
  return r.finish(() =>
    plan(classes === null ? inputs : [...inputs, whole('class_labels')], (b) => {
      const features = fourier
        ? fourierFeatures(b, first, c.flip)
        : sinusoids(b, 'timestep', first, c.flip, c.shift, 'time_proj')
      const time = timeEmbedding(b, 'time_embedding', features, fourier ? 2 * first : first, told)
      const embedding =
        classes === null
          ? time
          : b.add('Add', [
              time,
              b.add('Gather', [b.parameter('class_embedding.weight', [classes, told]), 'class_labels'])
            ])
      const start = entering(b, c)
      const x = levels(
        b,
        {
          ...c,
          told,
          down: down.map((kind) => (kind === 'AttnDownBlock2D' ? attends(c.groups, 1) : undefined)),
          up: up.map((kind) => (kind === 'AttnUpBlock2D' ? attends(c.groups, 1) : undefined)),
          middle: [middle ? attends(middleGroups ?? c.groups, c.factor) : undefined]
        },
        start,
        embedding
      )
      const out = leaving(b, x, first, c.groups, c.epsilon, c.to)
      return [fourier ? b.add('Div', [out, b.add('Unsqueeze', ['timestep', b.ints([1, 2, 3])])]) : out]
    })
  )
}

/** Sines and cosines of the logarithm of a noise level at fixed random frequencies, which are among the weights. */
const fourierFeatures = (b: Builder, features: number, flip: boolean): string => {
  const column = b.add('Unsqueeze', [b.add('Log', ['timestep']), b.ints([1])])
  const weight = b.add('Unsqueeze', [b.parameter('time_proj.weight', [features]), b.ints([0])])
  const phases = scale(b, b.add('Mul', [column, weight]), 2 * Math.PI)
  const [sine, cosine] = [b.add('Sin', [phases]), b.add('Cos', [phases])]
  return b.add('Concat', flip ? [cosine, sine] : [sine, cosine], { axis: 1 }, 'time_proj')
}

// -------------------------------------------------------------------------------------
// UNet2DConditionModel
// -------------------------------------------------------------------------------------

/** Fields that ask for what is not there, and what they have to be. */
const plainly: Readonly<Record<string, ReadonlyArray<string | number | boolean | null>>> = {
  mid_block_type: ['UNetMidBlock2DCrossAttn'],
  conv_in_kernel: [3],
  conv_out_kernel: [3],
  resnet_out_scale_factor: [1],
  time_embedding_type: ['positional']
}

/**
 * `UNet2DConditionModel`: inputs `sample`, `timestep` and `encoder_hidden_states` `[batch, tokens, features]`; output `out`. The
 * number of tokens has a name, `tokens`, unless it is given.
 *
 * Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unetCondition = (
  config: Config,
  size: Side | undefined,
  tokens: number | string
): E.Either<ConfigError, Plan> => {
  const r = reader(config, ignored)
  const { read } = r
  const c = common(r, { channels: [320, 640, 1280, 1280], size })
  for (const [field, values] of Object.entries(plainly)) read(field, among(...values), values[0] ?? null)
  const levelCount = c.channels.length
  const down = read('down_block_types', list(among('DownBlock2D', 'CrossAttnDownBlock2D')), [
    ...Array.from({ length: levelCount - 1 }, () => 'CrossAttnDownBlock2D' as const),
    'DownBlock2D'
  ])
  const up = read('up_block_types', list(among('UpBlock2D', 'CrossAttnUpBlock2D')), [
    'UpBlock2D',
    ...Array.from({ length: levelCount - 1 }, () => 'CrossAttnUpBlock2D' as const)
  ])
  const named = read(
    'attention_head_dim',
    each(levelCount),
    Array.from({ length: levelCount }, () => 8)
  )
  // what is called the width of a head has always been their number here
  const heads = read('num_attention_heads', optional(each(levelCount)), null) ?? named
  const features = read('cross_attention_dim', count, 1280)
  const blocks = read(
    'transformer_layers_per_block',
    each(levelCount),
    Array.from({ length: levelCount }, () => 1)
  )
  const projected = read('use_linear_projection', truth, false)
  const [first = 1] = c.channels
  const told = read('time_embedding_dim', optional(count), null) ?? 4 * first
  const attends: Attention = (b, name, x, channels, side, level) =>
    transformer(b, name, x, 'encoder_hidden_states', {
      channels,
      side,
      heads: heads[level] ?? 1,
      features,
      blocks: blocks[level] ?? 1,
      groups: c.groups,
      projected
    })
  const inputs = [
    image('sample', c.from, c.side),
    whole('timestep'),
    { name: 'encoder_hidden_states', dtype: 'F32' as const, shape: ['batch', tokens, features] }
  ]
  return r.finish(() =>
    plan(inputs, (b) => {
      const time = sinusoids(b, 'timestep', first, c.flip, c.shift, 'time_proj')
      const embedding = timeEmbedding(b, 'time_embedding', time, first, told)
      const x = levels(
        b,
        {
          ...c,
          told,
          down: down.map((kind) => (kind === 'CrossAttnDownBlock2D' ? attends : undefined)),
          up: up.map((kind) => (kind === 'CrossAttnUpBlock2D' ? attends : undefined)),
          middle: [attends]
        },
        entering(b, c),
        embedding
      )
      return [leaving(b, x, first, c.groups, c.epsilon, c.to)]
    })
  )
}
