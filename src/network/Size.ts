/**
 * How large the networks of descriptions are, by arithmetic: known before anything is built.
 *
 * A description is read from a file, and may ask for a network of any size. It is compared with the numbers that the file has
 * before a layer of it is made. The formulas follow `Mlp`, `Unet`, `Latent` and `Classifier`; a property holds them to what those
 * declare.
 *
 * @since 0.1.0
 */
import type { Parameters } from '../lens/Lens.js'
import * as L from '../lens/Lens.js'
import type { Values } from '../tensor/Program.js'
import * as Tree from '../tensor/Tree.js'
import type {
  ClassifierDescription,
  Description,
  LatentDescription,
  MlpDescription,
  UnetDescription
} from './Description.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How many tensors there are, and how many numbers they have together.
 *
 * @category model
 * @since 0.1.0
 */
export interface Size {
  readonly tensors: number
  readonly numbers: number
}

const sum = (...sizes: ReadonlyArray<Size>): Size => ({
  tensors: sizes.reduce((n, { tensors }) => n + tensors, 0),
  numbers: sizes.reduce((n, { numbers }) => n + numbers, 0)
})

const times = (n: number, { tensors, numbers }: Size): Size => ({ tensors: n * tensors, numbers: n * numbers })

const product = (sizes: ReadonlyArray<number>): number => sizes.reduce((n, d) => n * d, 1)

// -------------------------------------------------------------------------------------
// layers
// -------------------------------------------------------------------------------------

const dense = (inputs: number, outputs: number): Size => ({ tensors: 2, numbers: (inputs + 1) * outputs })

const norm = (width: number): Size => ({ tensors: 2, numbers: 2 * width })

const film = (condition: number, width: number): Size => times(2, dense(condition, width))

const table = (numbers: number): Size => ({ tensors: 1, numbers })

/** Windows of 3 along each axis; that of clips is factorised. */
const convolution =
  (rank: number) =>
  (inputs: number, outputs: number): Size => {
    if (rank === 1) return dense(3 * inputs, outputs)
    return rank === 2 ? dense(9 * inputs, outputs) : sum(dense(9 * inputs, outputs), dense(3 * outputs, outputs))
  }

const plainBlock = (rank: number, inputs: number, outputs: number): Size =>
  sum(
    norm(inputs),
    convolution(rank)(inputs, outputs),
    norm(outputs),
    convolution(rank)(outputs, outputs),
    ...(inputs === outputs ? [] : [dense(inputs, outputs)])
  )

const told = (labels: number, embedding: number): Size => sum(dense(embedding, embedding), dense(labels, embedding))

// -------------------------------------------------------------------------------------
// networks
// -------------------------------------------------------------------------------------

type Dense = Omit<MlpDescription, 'kind' | 'share'>

const mlp = ({ features, labels, hidden, blocks, embedding }: Dense): Size =>
  sum(
    dense(features, hidden),
    told(labels, embedding),
    times(blocks, sum(norm(hidden), film(embedding, hidden), dense(hidden, hidden))),
    norm(hidden),
    dense(hidden, features)
  )

const classifier = ({ features, labels, hidden, blocks }: ClassifierDescription): Size =>
  sum(
    dense(features, hidden),
    times(blocks, sum(norm(hidden), dense(hidden, hidden))),
    norm(hidden),
    dense(hidden, labels)
  )

/** The axes of the places, their number, and the channels of one, which are the colors of a patch. */
const patched = ({ size, patch }: Pick<UnetDescription, 'size' | 'patch'>) => {
  const rank = size.length - 1
  const entries = (size[rank] ?? 1) * patch ** rank
  return { rank, entries, places: product(size) / entries }
}

const unet = ({ size, patch, channels, labels, embedding }: UnetDescription): Size => {
  const { rank, entries, places } = patched({ size, patch })
  const [first = 1] = channels
  const deepest = channels.at(-1) ?? first
  const block = (inputs: number, outputs: number): Size =>
    sum(plainBlock(rank, inputs, outputs), film(embedding, outputs))
  return sum(
    convolution(rank)(entries, first),
    table(places * first),
    told(labels, embedding),
    ...channels.slice(0, -1).flatMap((here, i) => {
      const next = channels[i + 1] ?? here
      return [block(channels[i - 1] ?? first, here), block(next + here, here)]
    }),
    block(channels.at(-2) ?? first, deepest),
    block(deepest, deepest),
    norm(first),
    convolution(rank)(first, entries)
  )
}

const latent = ({ size, patch, channels, latent: width, ...inner }: LatentDescription): Size => {
  const { rank, entries, places } = patched({ size, patch })
  const deepest = places / 2 ** (rank * (channels.length - 1))
  const ladder = (widths: ReadonlyArray<number>, from: number, to: number): Size => {
    const [first = 1] = widths
    const last = widths.at(-1) ?? first
    return sum(
      convolution(rank)(from, first),
      ...widths.map((outputs, i) => plainBlock(rank, widths[i - 1] ?? first, outputs)),
      norm(last),
      convolution(rank)(last, to)
    )
  }
  return sum(
    ladder(channels, entries, width),
    ladder(channels.toReversed(), width, entries),
    table(deepest * (channels.at(-1) ?? 1)),
    mlp({ ...inner, features: deepest * width })
  )
}

/**
 * The size of a description's network: of all its parameters, those of encoder and decoder included. Beyond 2^53 it is rounded.
 *
 * @category readings
 * @since 0.1.0
 */
export const described = (description: Description): Size => {
  switch (description.kind) {
    case 'mlp':
      return mlp(description)
    case 'unet':
      return unet(description)
    case 'latent':
      return latent(description)
    case 'tokens':
      return mlp({ ...description, features: description.length * description.alphabet })
    case 'classifier':
      return classifier(description)
  }
}

/**
 * The size of declared parameters. A dimension with a name counts as 1.
 *
 * @category readings
 * @since 0.1.0
 */
export const declared = (parameters: Parameters): Size =>
  sum(
    ...Tree.leaves(L.isParameter, parameters).map(([, { shape }]) =>
      table(product(shape.map((d) => (typeof d === 'number' ? d : 1))))
    )
  )

/**
 * The size of some tensors.
 *
 * @category readings
 * @since 0.1.0
 */
export const stored = (values: Values): Size => {
  const tensors = Object.values(values)
  return { tensors: tensors.length, numbers: tensors.reduce((n, { data }) => n + data.length, 0) }
}
