/**
 * A denoiser that is a U-Net on images. Like the one of dense layers it predicts the clean image.
 *
 * @since 0.1.0
 */
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import { silu } from '../lens/Activation.js'
import { carry, past, release, type Carried } from '../lens/Carried.js'
import { conv2d, type Convolution, type Images } from '../lens/Convolution.js'
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import { groupNorm } from '../lens/Normalization.js'
import { fromPatches, toPatches } from '../lens/Patches.js'
import { averagePool2d, upsample2d } from '../lens/Pooling.js'
import { position, residualBlock } from '../lens/ResidualBlock.js'
import { joined, unet as wired, type Level } from '../lens/Unet.js'
import type { UnetDescription } from './Description.js'
import { erase } from './Erase.js'
import { fromClean } from './FromClean.js'
import { entering } from './Told.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** Images in the network, of shapes that differ from level to level. */
type Places = readonly ['batch', number, number, number]

/** What flows between blocks. */
type Stream = Carried<Images<number>, Rows<number>>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The numbers of an image.
 *
 * @category utils
 * @since 0.1.0
 */
export const featuresOf = (size: ReadonlyArray<number>): number => size.reduce((n, d) => n * d, 1)

const convolving = (
  inputs: number,
  outputs: number,
  gain: number
): Lens<Convolution<readonly [number, number, number, number], number>, Images<number>, Images<number>> =>
  conv2d<number, number>(inputs, outputs, { gain })

/**
 * The network: the clean image that it expects behind `x`. Squares of pixels become channels, a convolution and a learnt
 * position enter the first level; each level has a residual block on the way down and one on the way up, which sees what
 * the former gave; between levels means of 2 x 2 places and nearest neighbours; two blocks in the middle; then group norm,
 * SiLU and a convolution to pixels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean = (description: UnetDescription): Lens<Params, DenoiserInput<number, number>, Rows<number>> => {
  const { size, patch, channels, groups, embedding } = description
  const [height = 1, width = 1, colors = 1] = size
  const [first = 1] = channels
  const deepest = channels.at(-1) ?? first
  const entries = colors * patch * patch
  const patches = { size, patch: [patch, patch] }
  const enter = L.compose(
    toPatches<Places>(patches),
    L.compose(
      L.at('in', conv2d<number, number>(entries, first)),
      position<Places>([height / patch, width / patch, first])
    )
  )
  const block = (inputs: number, outputs: number): Lens<Params, Stream, Stream> =>
    erase(
      carry(
        residualBlock<Convolution<readonly [number, number, number, number], number>, Places>(convolving, {
          inputs,
          outputs,
          groups,
          condition: embedding
        })
      )
    )
  const levels = channels.slice(0, -1).map((here, i): Level<Params, Stream> => {
    const next = channels[i + 1] ?? here
    const at = (way: 'down' | 'up', lens: Lens<Params, Stream, Stream>): Lens<Params, Stream, Stream> =>
      erase(L.at('levels', L.at(String(i), L.at(way, lens))))
    return {
      encode: at('down', block(channels[i - 1] ?? first, here)),
      down: erase(past(averagePool2d<number>(2))),
      up: erase(past(upsample2d<number>(2))),
      decode: erase(L.compose(joined<Places, Rows<number>>(), at('up', block(next + here, here))))
    }
  })
  const before = channels.at(-2) ?? first
  const middle = erase(L.at('middle', L.compose(L.at('0', block(before, deepest)), L.at('1', block(deepest, deepest)))))
  const leave = L.compose(
    L.compose(L.at('norm', groupNorm<number, Places>(first, groups)), silu<Places>()),
    L.compose(L.at('out', conv2d<number, number>(first, entries, { gain: 0 })), fromPatches<Places>(patches))
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
