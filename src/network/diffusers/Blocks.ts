/**
 * The blocks of diffusers' models, channels first, by the names that their weights have.
 *
 * @since 0.1.0
 */
import type { Builder } from '../graph/Builder.js'

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

/** `x sigmoid(x)`. @category layers @since 0.1.0 */
export const silu = (b: Builder, x: string): string => b.add('Mul', [x, b.add('Sigmoid', [x])])

/** A linear map of the last axis. @category layers @since 0.1.0 */
export const linear = (
  b: Builder,
  name: string,
  x: string,
  from: number,
  to: number,
  bias = true,
  output?: string
): string => {
  const weight = b.add('Transpose', [b.parameter(`${name}.weight`, [to, from])], { perm: [1, 0] })
  const product = b.add('MatMul', [x, weight], {}, bias ? undefined : output)
  return bias ? b.add('Add', [product, b.parameter(`${name}.bias`, [to])], {}, output) : product
}

/** A convolution of images. `pads` are those of rows and columns before, then after. @category layers @since 0.1.0 */
export const conv = (
  b: Builder,
  name: string,
  x: string,
  {
    from,
    to,
    size = 3,
    stride = 1,
    pads
  }: {
    readonly from: number
    readonly to: number
    readonly size?: number
    readonly stride?: number
    readonly pads?: ReadonlyArray<number>
  },
  output?: string
): string => {
  const half = Math.floor(size / 2)
  const weight = b.parameter(`${name}.weight`, [to, from, size, size])
  return b.add(
    'Conv',
    [x, weight, b.parameter(`${name}.bias`, [to])],
    { strides: [stride, stride], pads: pads ?? [half, half, half, half] },
    output
  )
}

/** A group norm. @category layers @since 0.1.0 */
export const groupNorm = (
  b: Builder,
  name: string,
  x: string,
  channels: number,
  groups: number,
  epsilon: number
): string =>
  b.add('GroupNormalization', [x, b.parameter(`${name}.weight`, [channels]), b.parameter(`${name}.bias`, [channels])], {
    num_groups: groups,
    epsilon
  })

/** A layer norm with or without gain and bias. @category layers @since 0.1.0 */
export const layerNorm = (b: Builder, name: string | undefined, x: string, features: number, epsilon: number): string =>
  b.add(
    'LayerNormalization',
    name === undefined
      ? [
          x,
          b.floats(
            [features],
            Array.from({ length: features }, () => 1)
          )
        ]
      : [x, b.parameter(`${name}.weight`, [features]), b.parameter(`${name}.bias`, [features])],
    { epsilon }
  )

/** The same numbers in another shape, where 0 keeps an axis and -1 is what is left. @category layers @since 0.1.0 */
export const reshape = (b: Builder, x: string, shape: ReadonlyArray<number>): string =>
  b.add('Reshape', [x, b.ints(shape)])

/** Times a literal number. @category layers @since 0.1.0 */
export const scale = (b: Builder, x: string, factor: number): string =>
  factor === 1 ? x : b.add('Mul', [x, b.floats([], [factor])])

// -------------------------------------------------------------------------------------
// times
// -------------------------------------------------------------------------------------

/**
 * Sines and cosines of times: `f_i = exp(-ln(10000) i / (half - shift))`, sines first unless `flip`. The frequencies are rounded to
 * f32, as they are there.
 *
 * @category layers
 * @since 0.1.0
 */
export const sinusoids = (
  b: Builder,
  time: string,
  features: number,
  flip: boolean,
  shift: number,
  output?: string
): string => {
  const half = features / 2
  const frequencies = Array.from({ length: half }, (_, i) =>
    Math.fround(Math.exp(Math.fround(Math.fround(-Math.log(10_000) * i) / (half - shift))))
  )
  const phases = b.add('Mul', [
    b.add('Cast', [b.add('Unsqueeze', [time, b.ints([1])])], { to: 1 }),
    b.floats([1, half], frequencies)
  ])
  const [sine, cosine] = [b.add('Sin', [phases]), b.add('Cos', [phases])]
  return b.add('Concat', flip ? [cosine, sine] : [sine, cosine], { axis: 1 }, output)
}

/** Two linear maps with `silu` between. @category layers @since 0.1.0 */
export const timeEmbedding = (b: Builder, name: string, x: string, from: number, to: number): string =>
  linear(b, `${name}.linear_2`, silu(b, linear(b, `${name}.linear_1`, x, from, to)), to, to, true, name)

// -------------------------------------------------------------------------------------
// attention
// -------------------------------------------------------------------------------------

/**
 * Attention of tokens `[batch, tokens, features]` to others in `heads` heads of `width` each.
 *
 * @category blocks
 * @since 0.1.0
 */
export const attention = (
  b: Builder,
  name: string,
  x: string,
  others: string,
  {
    features,
    from = features,
    heads,
    width,
    bias
  }: {
    readonly features: number
    readonly from?: number
    readonly heads: number
    readonly width: number
    readonly bias: boolean
  }
): string => {
  const inner = heads * width
  const split = (tokens: string): string =>
    b.add('Transpose', [reshape(b, tokens, [0, -1, heads, width])], { perm: [0, 2, 1, 3] })
  const query = split(linear(b, `${name}.to_q`, x, features, inner, bias))
  const key = split(linear(b, `${name}.to_k`, others, from, inner, bias))
  const value = split(linear(b, `${name}.to_v`, others, from, inner, bias))
  const scores = b.add('MatMul', [query, b.add('Transpose', [key], { perm: [0, 1, 3, 2] })])
  const weights = b.add('Softmax', [scale(b, scores, 1 / Math.sqrt(width))], { axis: -1 })
  const joined = b.add('Transpose', [b.add('MatMul', [weights, value])], { perm: [0, 2, 1, 3] })
  return linear(b, `${name}.to_out.0`, reshape(b, joined, [0, -1, inner]), inner, features)
}

/** Attention of the places of an image to one another, beside the image. @category blocks @since 0.1.0 */
export const spatialAttention = (
  b: Builder,
  name: string,
  x: string,
  {
    channels,
    side,
    width,
    groups,
    epsilon,
    factor = 1
  }: {
    readonly channels: number
    readonly side: readonly [number, number]
    readonly width: number
    readonly groups: number
    readonly epsilon: number
    readonly factor?: number
  }
): string => {
  const [height, columns] = side
  const flat = reshape(b, groupNorm(b, `${name}.group_norm`, x, channels, groups, epsilon), [
    0,
    channels,
    height * columns
  ])
  const tokens = b.add('Transpose', [flat], { perm: [0, 2, 1] })
  const heads = channels / width
  const out = attention(b, name, tokens, tokens, { features: channels, heads, width, bias: true })
  const image = reshape(b, b.add('Transpose', [out], { perm: [0, 2, 1] }), [0, channels, height, columns])
  return scaled(b, b.add('Add', [image, x], {}, factor === 1 ? name : undefined), factor, name)
}

const scaled = (b: Builder, x: string, factor: number, name: string): string =>
  factor === 1 ? x : b.add('Div', [x, b.floats([], [factor])], {}, name)

// -------------------------------------------------------------------------------------
// residual blocks
// -------------------------------------------------------------------------------------

/**
 * A residual block, told the time by `embedding` of `told` features, if there is one.
 *
 * @category blocks
 * @since 0.1.0
 */
export const resnet = (
  b: Builder,
  name: string,
  x: string,
  embedding: string | undefined,
  {
    from,
    to,
    told,
    groups,
    epsilon,
    film,
    factor = 1
  }: {
    readonly from: number
    readonly to: number
    readonly told: number
    readonly groups: number
    readonly epsilon: number
    readonly film: boolean
    readonly factor?: number
  }
): string => {
  const first = conv(b, `${name}.conv1`, silu(b, groupNorm(b, `${name}.norm1`, x, from, groups, epsilon)), { from, to })
  const wide = (vector: string): string => b.add('Unsqueeze', [vector, b.ints([2, 3])])
  const time =
    embedding === undefined
      ? undefined
      : linear(b, `${name}.time_emb_proj`, silu(b, embedding), told, film ? 2 * to : to)
  const second = time === undefined || film ? first : b.add('Add', [first, wide(time)])
  const normed = groupNorm(b, `${name}.norm2`, second, to, groups, epsilon)
  const moved = time === undefined || !film ? normed : modulated(b, normed, b.parts(time, 1, 2).map(wide))
  const out = conv(b, `${name}.conv2`, silu(b, moved), { from: to, to })
  const beside = from === to ? x : conv(b, `${name}.conv_shortcut`, x, { from, to, size: 1 })
  return scaled(b, b.add('Add', [beside, out], {}, factor === 1 ? name : undefined), factor, name)
}

/** `x (1 + scale) + shift`. */
const modulated = (b: Builder, x: string, [gain = x, shift = x]: ReadonlyArray<string>): string =>
  b.add('Add', [b.add('Mul', [x, b.add('Add', [gain, b.floats([], [1])])]), shift])

/** An image at half the size: where nothing is padded, a row and a column of zeros come behind. @category blocks @since 0.1.0 */
export const downsample = (b: Builder, name: string, x: string, channels: number, padding: number): string => {
  const pads = padding === 0 ? [0, 0, 1, 1] : [padding, padding, padding, padding]
  return conv(b, `${name}.conv`, x, { from: channels, to: channels, stride: 2, pads }, name)
}

/** An image at twice the size. @category blocks @since 0.1.0 */
export const upsample = (b: Builder, name: string, x: string, channels: number): string => {
  const wide = b.add('Resize', [x, '', b.floats([4], [1, 1, 2, 2])], {
    mode: 'nearest',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor'
  })
  return conv(b, `${name}.conv`, wide, { from: channels, to: channels }, name)
}
