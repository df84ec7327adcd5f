/**
 * diffusers' transformers as graphs: that of an image with cross-attention, and `DiTTransformer2DModel`.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import { type Builder, type Plan, plan } from '../graph/Builder.js'
import { attention, conv, groupNorm, layerNorm, linear, reshape, silu, sinusoids, timeEmbedding } from './Blocks.js'
import { among, type Config, type ConfigError, count, optional, reader, real, truth } from './Config.js'

// -------------------------------------------------------------------------------------
// cross-attention
// -------------------------------------------------------------------------------------

/** How a transformer of an image is made. */
interface Options {
  readonly channels: number
  readonly side: readonly [number, number]
  readonly heads: number
  readonly features: number
  readonly blocks: number
  readonly groups: number
  readonly projected: boolean
}

/**
 * An image whose places attend to one another and to the tokens `others`, beside the image.
 *
 * @category blocks
 * @since 0.1.0
 */
export const transformer = (b: Builder, name: string, x: string, others: string, o: Options): string => {
  const { channels, side, heads, features } = o
  const [height, columns] = side
  const rows = (image: string): string =>
    b.add('Transpose', [reshape(b, image, [0, channels, height * columns])], { perm: [0, 2, 1] })
  const image = (tokens: string): string =>
    reshape(b, b.add('Transpose', [tokens], { perm: [0, 2, 1] }), [0, channels, height, columns])
  const normed = groupNorm(b, `${name}.norm`, x, channels, o.groups, 1e-6)
  const enter = o.projected
    ? linear(b, `${name}.proj_in`, rows(normed), channels, channels)
    : rows(conv(b, `${name}.proj_in`, normed, { from: channels, to: channels, size: 1 }))
  let h = enter
  const shape = { features: channels, heads, width: channels / heads, bias: false }
  for (let i = 0; i < o.blocks; i++) {
    const at = `${name}.transformer_blocks.${i}`
    const own = layerNorm(b, `${at}.norm1`, h, channels, 1e-5)
    h = b.add('Add', [attention(b, `${at}.attn1`, own, own, shape), h])
    const query = layerNorm(b, `${at}.norm2`, h, channels, 1e-5)
    h = b.add('Add', [attention(b, `${at}.attn2`, query, others, { ...shape, from: features }), h])
    h = b.add('Add', [gated(b, `${at}.ff`, layerNorm(b, `${at}.norm3`, h, channels, 1e-5), channels), h])
  }
  const out = o.projected
    ? image(linear(b, `${name}.proj_out`, h, channels, channels))
    : conv(b, `${name}.proj_out`, image(h), { from: channels, to: channels, size: 1 })
  return b.add('Add', [out, x], {}, name)
}

/** A feed-forward part whose one half is gated by the GELU of the other. */
const gated = (b: Builder, name: string, x: string, features: number): string => {
  const wide = linear(b, `${name}.net.0.proj`, x, features, 8 * features)
  const [value = wide, gate = wide] = b.parts(wide, -1, 2)
  return linear(b, `${name}.net.2`, b.add('Mul', [value, b.add('Gelu', [gate])]), 4 * features, features)
}

// -------------------------------------------------------------------------------------
// DiT
// -------------------------------------------------------------------------------------

/** Fields that ask for what is not there, and what they have to be. */
const plainly: Readonly<Record<string, ReadonlyArray<string | number | boolean | null>>> = {
  activation_fn: ['gelu-approximate'],
  norm_type: ['ada_norm_zero'],
  norm_elementwise_affine: [false],
  attention_bias: [true],
  cross_attention_dim: [null]
}

/**
 * Sines and cosines of the columns, then of the rows, of a square of patches; `f_i = 10000^(-2 i / (features / 2))`. Positions are
 * counted in a grid of the size that the model was trained with, which is this one. The table is kept in f32, as it is there.
 */
const positions = (features: number, side: number): ReadonlyArray<number> => {
  const quarter = features / 4
  const waves = (at: number): ReadonlyArray<number> => {
    const phases = Array.from({ length: quarter }, (_, i) => at / 10_000 ** (i / quarter))
    return [...phases.map(Math.sin), ...phases.map(Math.cos)]
  }
  return Array.from({ length: side * side }, (_, i) =>
    [...waves(i % side), ...waves(Math.floor(i / side))].map(Math.fround)
  ).flat()
}

/**
 * `DiTTransformer2DModel`, or `Transformer2DModel` of patches as older files call it: inputs `hidden_states`, `timestep` and
 * `class_labels`; output `out`. The last label is that of no class.
 *
 * Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dit = (config: Config, size: number | undefined): E.Either<ConfigError, Plan> => {
  const r = reader(config, ['dropout', 'norm_num_groups', 'upcast_attention', 'attention_type', 'num_vector_embeds'])
  const { read } = r
  for (const [field, values] of Object.entries(plainly)) read(field, among(...values), values[0] ?? null)
  read('use_linear_projection', truth, false)
  const [heads, width] = [read('num_attention_heads', count, 16), read('attention_head_dim', count, 72)]
  const from = read('in_channels', count, 4)
  const to = read('out_channels', optional(count), null) ?? from
  const layers = read('num_layers', count, 28)
  const said = read('sample_size', count, 32)
  const patch = read('patch_size', count, 2)
  const classes = read('num_embeds_ada_norm', count, 1000)
  const epsilon = read('norm_eps', real, 1e-5)
  const features = heads * width
  const pixels = size ?? said
  const side = pixels / patch
  return r.finish(() =>
    plan(
      [
        { name: 'hidden_states', dtype: 'F32', shape: ['batch', from, pixels, pixels] },
        { name: 'timestep', dtype: 'I64', shape: ['batch'] },
        { name: 'class_labels', dtype: 'I64', shape: ['batch'] }
      ],
      (b) => {
        const waves = sinusoids(b, 'timestep', 256, true, 1, 'time_proj')
        /** The time and the label as one vector, which each block makes by itself. */
        const told = (at: string): string => {
          const table = b.parameter(`${at}.class_embedder.embedding_table.weight`, [classes + 1, features])
          const label = b.add('Gather', [table, 'class_labels'])
          return b.add('Add', [timeEmbedding(b, `${at}.timestep_embedder`, waves, 256, features), label])
        }
        const tokens = (vector: string): string => b.add('Unsqueeze', [vector, b.ints([1])])
        const moved = (x: string, gain: string, shift: string): string =>
          b.add('Add', [b.add('Mul', [x, b.add('Add', [tokens(gain), b.floats([], [1])])]), tokens(shift)])
        const weight = b.parameter('pos_embed.proj.weight', [features, from, patch, patch])
        const patches = b.add('Conv', ['hidden_states', weight, b.parameter('pos_embed.proj.bias', [features])], {
          strides: [patch, patch],
          pads: [0, 0, 0, 0]
        })
        const rows = b.add('Transpose', [reshape(b, patches, [0, features, side * side])], { perm: [0, 2, 1] })
        let h = b.add('Add', [rows, b.floats([1, side * side, features], positions(features, side))], {}, 'pos_embed')
        let first: string | undefined
        for (let i = 0; i < layers; i++) {
          const at = `transformer_blocks.${i}`
          const embedding = told(`${at}.norm1.emb`)
          first ??= embedding
          const [shift1 = '', gain1 = '', gate1 = '', shift2 = '', gain2 = '', gate2 = ''] = b.parts(
            linear(b, `${at}.norm1.linear`, silu(b, embedding), features, 6 * features),
            1,
            6
          )
          const seen = moved(layerNorm(b, undefined, h, features, 1e-6), gain1, shift1)
          const attended = attention(b, `${at}.attn1`, seen, seen, { features, heads, width, bias: true })
          h = b.add('Add', [b.add('Mul', [attended, tokens(gate1)]), h])
          const inner = linear(
            b,
            `${at}.ff.net.0.proj`,
            moved(layerNorm(b, undefined, h, features, epsilon), gain2, shift2),
            features,
            4 * features
          )
          const fed = linear(
            b,
            `${at}.ff.net.2`,
            b.add('Gelu', [inner], { approximate: 'tanh' }),
            4 * features,
            features
          )
          h = b.add('Add', [b.add('Mul', [fed, tokens(gate2)]), h], {}, at)
        }
        const [shift = '', gain = ''] = b.parts(
          linear(b, 'proj_out_1', silu(b, first ?? h), features, 2 * features),
          1,
          2
        )
        const out = linear(
          b,
          'proj_out_2',
          moved(layerNorm(b, undefined, h, features, 1e-6), gain, shift),
          features,
          patch * patch * to
        )
        const apart = reshape(b, out, [0, side, side, patch, patch, to])
        return [
          b.add(
            'Reshape',
            [b.add('Transpose', [apart], { perm: [0, 5, 1, 3, 2, 4] }), b.ints([0, to, pixels, pixels])],
            {},
            'out'
          )
        ]
      }
    )
  )
}
