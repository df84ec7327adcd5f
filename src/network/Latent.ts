/**
 * Diffusion in latents (Rombach et al., arXiv 2112.10752): a convolutional autoencoder of images, and a denoiser of dense
 * layers on its latents.
 *
 * The encoder ends by bringing each row of latents to mean 0 and variance 1, so that the denoiser's schedule fits whatever
 * the encoder has learnt.
 *
 * @since 0.1.0
 */
import type { DenoiserInput } from '../chain/Denoiser.js'
import { silu } from '../lens/layer/Activation.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, None, Params } from '../lens/Lens.js'
import { groupNorm, layerNorm } from '../lens/layer/Normalization.js'
import { fromPatches, toPatches, type Patches } from '../lens/layer/Patches.js'
import { plainBlock, position } from '../lens/layer/ResidualBlock.js'
import type { Expr } from '../tensor/Expr.js'
import * as X from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import type { LatentDescription, MlpDescription } from './Description.js'
import { erase } from '../lens/Erase.js'
import * as Mlp from './Mlp.js'
import { convolving, halving } from './Unet.js'

// -------------------------------------------------------------------------------------
// latents
// -------------------------------------------------------------------------------------

/** The places of the deepest level with the latent's channels, and how rows are read as them. */
const deepest = ({ size, patch, channels, latent }: LatentDescription): Patches => {
  const rank = size.length - 1
  const places = size.slice(0, rank).map((d) => d / (patch * 2 ** (channels.length - 1)))
  return { size: [...places, latent], patch: places.map(() => 1) }
}

/**
 * How many latents an image has.
 *
 * @category utils
 * @since 0.1.0
 */
export const featuresOf = (description: LatentDescription): number =>
  deepest(description).size.reduce((n, d) => n * d, 1)

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Composes lenses that keep the kind of their argument. */
const sequence = (lenses: ReadonlyArray<Lens<Params, Expr, Expr>>): Lens<Params, Expr, Expr> =>
  lenses.reduce<Lens<Params, Expr, Expr>>((before, next) => L.compose(before, next), erase(L.identity<Expr>()))

/** A learnt layer by its key. */
const named = (key: string, lens: Lens<Params, Expr, Expr>): Lens<Params, Expr, Expr> => erase(L.at(key, lens))

/** Group norm, SiLU, convolution. */
const last = (description: LatentDescription, from: number, to: number): Lens<Params, Expr, Expr> =>
  erase(
    L.compose(
      L.compose(L.at('norm', groupNorm<number, Shape>(from, description.groups)), silu<Shape>()),
      L.at('out', convolving(description.size.length - 1)(from, to, 1))
    )
  )

/** The axes of the image's rows, and the channels of a patch. */
const entering = ({ size, patch }: LatentDescription): { readonly patches: Patches; readonly entries: number } => {
  const rank = size.length - 1
  return {
    patches: { size, patch: Array.from({ length: rank }, () => patch) },
    entries: (size[rank] ?? 1) * patch ** rank
  }
}

/**
 * The encoder: rows of pixels to rows of latents with mean 0 and variance 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const encoder = (description: LatentDescription): Lens<Params, Rows<number>, Rows<number>> => {
  const { size, channels, groups, latent } = description
  const rank = size.length - 1
  const convolution = convolving(rank)
  const { patches, entries } = entering(description)
  const [first = 1] = channels
  const levels = channels.flatMap((outputs, i): ReadonlyArray<Lens<Params, Expr, Expr>> => {
    const inputs = channels[i - 1] ?? first
    const block = named(String(i), erase(plainBlock<Params, Shape>(convolution, { inputs, outputs, groups })))
    return i === 0 ? [block] : [erase(halving(rank).down), block]
  })
  const body = sequence([
    named('in', convolution(entries, first, 1)),
    ...levels,
    last(description, channels.at(-1) ?? first, latent)
  ])
  const rows = L.compose(L.compose(toPatches<Shape>(patches), body), fromPatches<Shape>(deepest(description)))
  return erase(L.compose(rows, standardised(featuresOf(description))))
}

/** Layer norm without gain and bias. */
const standardised = (features: number): Lens<None, Rows<number>, Rows<number>> => {
  const fixed = { gain: X.fill([features], 1), bias: X.zeros([features]) }
  return L.pure((x) => {
    const [value, back] = layerNorm<number>(features).run(fixed, x)
    return [value, (bar) => back(bar)[1]]
  })
}

/**
 * The decoder: rows of latents to rows of pixels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decoder = (description: LatentDescription): Lens<Params, Rows<number>, Rows<number>> => {
  const { size, channels, groups, latent } = description
  const rank = size.length - 1
  const convolution = convolving(rank)
  const { patches, entries } = entering(description)
  const places = deepest(description)
  const upward = channels.toReversed()
  const [first = 1] = upward
  const levels = upward.flatMap((outputs, i): ReadonlyArray<Lens<Params, Expr, Expr>> => {
    const inputs = upward[i - 1] ?? first
    const block = named(String(i), erase(plainBlock<Params, Shape>(convolution, { inputs, outputs, groups })))
    return i === 0 ? [block] : [erase(halving(rank).up), block]
  })
  const body = sequence([
    named('in', convolution(latent, first, 1)),
    erase(position<Shape>([...places.size.slice(0, rank), first])),
    ...levels,
    last(description, upward.at(-1) ?? first, entries)
  ])
  return erase(L.compose(L.compose(toPatches<Shape>(places), body), fromPatches<Shape>(patches)))
}

/**
 * The network that denoises latents: the clean latents that it expects behind `x`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean = (description: LatentDescription): Lens<Params, DenoiserInput<number, number>, Rows<number>> => {
  const { labels, hidden, blocks, embedding, share } = description
  const inner: MlpDescription = {
    kind: 'mlp',
    features: featuresOf(description),
    labels,
    hidden,
    blocks,
    embedding,
    share
  }
  return erase(Mlp.clean(inner))
}
