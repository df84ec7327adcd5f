/**
 * A denoiser that is a U-Net on signals, images or clips. Like the one of dense layers it predicts the clean output.
 *
 * @since 0.1.0
 */
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import { silu } from '../lens/layer/Activation.js'
import { carry, past, release, type Carried } from '../lens/Carried.js'
import { conv1d, conv2d, conv3d } from '../lens/layer/Convolution.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, None, Params } from '../lens/Lens.js'
import { groupNorm } from '../lens/layer/Normalization.js'
import { fromPatches, toPatches } from '../lens/layer/Patches.js'
import * as Pooling from '../lens/layer/Pooling.js'
import { position, residualBlock } from '../lens/layer/ResidualBlock.js'
import { joined, unet as wired, type Level } from '../lens/layer/Unet.js'
import type { Expr } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import type { UnetDescription } from './Description.js'
import { erase } from '../lens/Erase.js'
import { fromClean } from './FromClean.js'
import { entering } from './Told.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What flows between blocks: places with channels, beside what the network is told. */
type Stream = Carried<Expr, Rows<number>>

/** A map of places with channels. */
type Map<P extends Params> = Lens<P, Expr, Expr>

// -------------------------------------------------------------------------------------
// ranks
// -------------------------------------------------------------------------------------

// The rank of the tensors is that of the description's `size`, for which the lens is chosen: `Expr` leaves it open.
const widen = (lens: unknown): Map<Params> => lens as Map<Params>

/**
 * The convolution of a rank, with windows of 3 along each axis. That of clips is factorised (Tran et al., arXiv
 * 1711.11248): over the places of each frame, then over the frames of each place.
 *
 * @category constructors
 * @since 0.1.0
 */
export const convolving =
  (rank: number) =>
  (inputs: number, outputs: number, gain: number): Map<Params> => {
    if (rank === 1) return widen(conv1d<number, number>(inputs, outputs, { gain }))
    if (rank === 2) return widen(conv2d<number, number>(inputs, outputs, { gain }))
    const space = conv3d<number, number>(inputs, outputs, { size: [1, 3, 3] })
    const time = conv3d<number, number>(outputs, outputs, { size: [3, 1, 1], gain })
    return widen(L.compose(L.at('space', space), L.at('time', time)))
  }

/**
 * Means of blocks of two places along each axis, and each place twice along each axis.
 *
 * @category constructors
 * @since 0.1.0
 */
export const halving = (rank: number): { readonly down: Map<None>; readonly up: Map<None> } => {
  const [down, up] = {
    1: [Pooling.averagePool1d<number>(2), Pooling.upsample1d<number>(2)],
    2: [Pooling.averagePool2d<number>(2), Pooling.upsample2d<number>(2)],
    3: [Pooling.averagePool3d<number>(2), Pooling.upsample3d<number>(2)]
  }[rank === 1 || rank === 2 ? rank : 3]
  return { down: widen(down), up: widen(up) }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The numbers of a row of a size.
 *
 * @category utils
 * @since 0.1.0
 */
export const featuresOf = (size: ReadonlyArray<number>): number => size.reduce((n, d) => n * d, 1)

/**
 * The network: the clean output that it expects behind `x`. Patches of places become channels; a convolution and a learnt
 * position lead into the first level. Each level has a residual block on the way down and one on the way up, which sees
 * what the former gave; between levels are means of two places along each axis and nearest neighbours. Two blocks are in
 * the middle. Group norm, SiLU and a convolution lead out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean = (description: UnetDescription): Lens<Params, DenoiserInput<number, number>, Rows<number>> => {
  const { size, patch, channels, groups, embedding } = description
  const rank = size.length - 1
  const [first = 1] = channels
  const deepest = channels.at(-1) ?? first
  const convolution = convolving(rank)
  const patches = { size, patch: Array.from({ length: rank }, () => patch) }
  const entries = (size[rank] ?? 1) * patch ** rank
  const enter = L.compose(
    toPatches<Shape>(patches),
    L.compose(
      L.at('in', convolution(entries, first, 1)),
      position<Shape>([...size.slice(0, rank).map((d) => d / patch), first])
    )
  )
  const block = (inputs: number, outputs: number): Lens<Params, Stream, Stream> =>
    erase(carry(residualBlock<Params, Shape>(convolution, { inputs, outputs, groups, condition: embedding })))
  const { down, up } = halving(rank)
  const levels = channels.slice(0, -1).map((here, i): Level<Params, Stream> => {
    const next = channels[i + 1] ?? here
    const at = (way: 'down' | 'up', lens: Lens<Params, Stream, Stream>): Lens<Params, Stream, Stream> =>
      erase(L.at('levels', L.at(String(i), L.at(way, lens))))
    return {
      encode: at('down', block(channels[i - 1] ?? first, here)),
      down: erase(past(down)),
      up: erase(past(up)),
      decode: erase(L.compose(joined<Shape, Rows<number>>(), at('up', block(next + here, here))))
    }
  })
  const before = channels.at(-2) ?? first
  const middle = erase(L.at('middle', L.compose(L.at('0', block(before, deepest)), L.at('1', block(deepest, deepest)))))
  const leave = L.compose(
    L.compose(L.at('norm', groupNorm<number, Shape>(first, groups)), silu<Shape>()),
    L.compose(L.at('out', convolution(first, entries, 0)), fromPatches<Shape>(patches))
  )
  return erase(L.compose(L.compose(entering(enter, description), wired(levels, middle)), release(leave)))
}

/**
 * The denoiser of a description: the noise in `x`, computed from the clean image that the network expects.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unet = (description: UnetDescription): Denoiser<Params, number, number> =>
  fromClean({ ...description, features: featuresOf(description.size) }, clean(description))
