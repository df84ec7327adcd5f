/**
 * What pretraining minimises: a loss for each row, with the pullback to the parameters.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import type { Span } from '../lens/Columns.js'
import { erase } from '../lens/Erase.js'
import * as L from '../lens/Lens.js'
import type { Parameters, Params } from '../lens/Lens.js'
import { meanSquaredError, type PerRow } from '../lens/layer/Loss.js'
import { classifier, crossEntropy } from '../network/Classifier.js'
import type {
  ClassifierDescription,
  LatentDescription,
  NumbersDescription,
  TokensDescription
} from '../network/Description.js'
import * as Latent from '../network/Latent.js'
import { clean, featuresOf, parameters } from '../network/Network.js'
import { featuresOf as imageFeatures } from '../network/Unet.js'
import { forbidden } from '../chain/Categorical.js'
import { shares } from '../chain/Share.js'
import * as X from '../tensor/Expr.js'
import { tabulate } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A batch, as expressions.
 *
 * @category model
 * @since 0.1.0
 */
export interface Batch {
  readonly x0: Rows<number>
  readonly labels: Rows<number>
  readonly noise: Rows<number>
  readonly time: Rows<1>
}

/**
 * What is minimised: one loss a row, with the pullback to the parameters.
 *
 * @category model
 * @since 0.1.0
 */
export interface Objective<P extends Params> {
  readonly parameters: Parameters
  readonly features: number
  readonly labels: number
  readonly run: (p: P, batch: Batch) => readonly [losses: PerRow, pullback: (bar: PerRow) => P]
}

// -------------------------------------------------------------------------------------
// objectives
// -------------------------------------------------------------------------------------

/**
 * How a row's squared error is weighted at a time: by the signal-to-noise ratio, the data's share over the noise's, but by
 * at most `most` (Hang et al., arXiv 2303.09556), plus `least`, so that the first steps of a chain count too.
 *
 * @category constants
 * @since 0.1.0
 */
export const weighting = { most: 5, least: 0.2 } as const

/**
 * Denoising: the mean squared error of the network's clean image, weighted by time, where `x0` was mixed with noise by the
 * schedule's shares at `time`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoising = (description: NumbersDescription): Objective<Params> => {
  const { labels } = description
  const features = featuresOf(description)
  const row = ['batch', features] as const
  const network = clean(description)
  const loss = meanSquaredError<number>(features)
  return {
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const share = shares[description.share](time)
      const x = X.add(
        X.mul(X.broadcastTo(X.sqrt(share.data), row), x0),
        X.mul(X.broadcastTo(X.sqrt(share.noise), row), noise)
      )
      const ratio = X.min(X.div(share.data, share.noise), X.scalar(weighting.most))
      const weight = X.reshape(X.add(ratio, X.scalar(weighting.least)), ['batch'])
      const [image, back] = network.run(p, { x, time, c })
      const [losses, backLoss] = loss.run({}, { x: image, c: x0 })
      return [X.mul(losses, weight), (bar) => back(backLoss(X.mul(bar, weight))[1].x)[0]]
    }
  }
}

/**
 * Flow matching on the straight path (Lipman et al., arXiv 2210.02747; Liu et al., arXiv 2209.03003): `x_s = (1 - s) x_0 +
 * s noise` has the velocity `noise - x_0`. The network predicts the clean image `F`, which gives the velocity
 * `(x_s - F) / s`; the mean squared error of that is weighted by `min(1, most s^2)`, which bounds the weight of the image's
 * own error, `min(1 / s^2, most)`. The network is given `x_s` rescaled to unit variance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowMatching = (description: NumbersDescription): Objective<Params> => {
  const { labels } = description
  const features = featuresOf(description)
  const row = ['batch', features] as const
  const network = clean(description)
  const loss = meanSquaredError<number>(features)
  return {
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const s = X.max(time, X.scalar(leastTime))
      const rest = X.sub(X.broadcastTo(X.scalar(1), time.shape), s)
      const spread = (column: Rows<1>): Rows<number> => X.broadcastTo(column, row)
      const x = X.add(X.mul(spread(rest), x0), X.mul(spread(s), noise))
      const length = X.sqrt(X.add(X.mul(rest, rest), X.mul(s, s)))
      const weight = X.reshape(X.min(X.scale(X.mul(s, s), weighting.most), X.scalar(1)), ['batch'])
      const [image, back] = network.run(p, { x: X.div(x, spread(length)), time, c })
      const velocity = X.div(X.sub(x, image), spread(s))
      const [losses, backLoss] = loss.run({}, { x: velocity, c: X.sub(noise, x0) })
      return [X.mul(losses, weight), (bar) => back(X.neg(X.div(backLoss(X.mul(bar, weight))[1].x, spread(s))))[0]]
    }
  }
}

/** The velocity of a clean image divides by the time: nearer to 0 than this it is taken here. */
const leastTime = 1e-3

/**
 * Unmasking (Sahoo et al., arXiv 2406.07524; Shi et al., arXiv 2406.04329): at time `u` each token of `x0` is masked with
 * probability `u`, and the loss is the cross-entropy of the masked ones over `u`, and over the length. Its mean over `u` is a bound on
 * minus the log-likelihood of a token; below `leastMasked` the weight stays what it is there. Where the first of the normals of a place
 * is low enough the place is masked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unmasking = (description: TokensDescription): Objective<Params> => {
  const { alphabet, labels, length } = description
  const features = featuresOf(description)
  const row = ['batch', features] as const
  const grid = ['batch', length, alphabet] as const
  const network = clean(description)
  const last = X.broadcastTo(
    X.constant(
      tabulate([alphabet], (k) => (k === alphabet - 1 ? 1 : 0)),
      [alphabet]
    ),
    grid
  )
  const each = (x: X.Expr<readonly ['batch', number]>): X.Expr<typeof grid> =>
    X.broadcastTo(X.reshape(x, ['batch', length, 1]), grid)
  const totals = (x: X.Expr<typeof grid>): X.Expr<typeof grid> => each(X.sum(x, [2]))
  return {
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const normal = X.reshape(X.slice(X.reshape(noise, grid), 2, 0, 1), ['batch', length])
      const uniform = X.scale(X.add(X.erf(X.scale(normal, Math.SQRT1_2)), X.scalar(1)), 0.5)
      const masked = each(X.less(uniform, X.broadcastTo(time, ['batch', length])))
      const tokens = X.reshape(x0, grid)
      const x = X.reshape(X.select(masked, last, tokens), row)
      const [logits, back] = network.run(p, { x, time, c })
      const scored = X.select(last, X.scalar(forbidden), X.reshape(logits, grid))
      const largest = each(X.maximum(scored, [2]))
      const shifted = X.sub(scored, largest)
      const logs = X.sub(shifted, X.log(totals(X.exp(shifted))))
      const weight = X.div(
        X.mul(masked, tokens),
        X.broadcastTo(X.reshape(X.scale(X.max(time, X.scalar(leastMasked)), length), ['batch', 1, 1]), grid)
      )
      const losses = X.neg(X.sum<X.Expr['shape'], ReadonlyArray<number>>(X.weigh(logs, weight), [1, 2]))
      return [
        X.retype(losses, ['batch']),
        (bar) => {
          const spread = X.broadcastTo(X.reshape(bar, ['batch', 1, 1]), grid)
          const logsBar = X.neg(X.mul(spread, weight))
          const scoredBar = X.sub(logsBar, X.mul(X.exp(logs), totals(logsBar)))
          return back(X.reshape(X.select(last, X.scalar(0), scoredBar), row))[0]
        }
      ]
    }
  }
}

/**
 * The share of masked tokens below which the loss of `unmasking` is weighed as it is there.
 *
 * @category constants
 * @since 0.1.0
 */
export const leastMasked = 0.05

/**
 * Of the autoencoder's training: `noise` is the standard deviation of the noise on the latents that are decoded, beside
 * their own 1, and `reconstruction` the weight of the reconstruction's squared error.
 *
 * @category constants
 * @since 0.1.0
 */
export const latents = { noise: 0.1, reconstruction: 10 } as const

/**
 * Diffusion in latents, both parts at once: the squared error of the decoded image, where the latents carry some noise,
 * so that near latents are near images; plus `denoising` of the latents, whose gradient stops there. The parts share no
 * parameter. The noise of either are the first columns of the batch's noise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const latentDenoising = (description: LatentDescription): Objective<Params> => {
  const { labels, size } = description
  const features = imageFeatures(size)
  const width = featuresOf(description)
  const encode = L.at('encoder', Latent.encoder(description))
  const decode = L.at('decoder', Latent.decoder(description))
  const diffusion = denoising(description)
  const loss = meanSquaredError<number>(features)
  const some = (noise: Rows<number>, start: number): Rows<number> => X.slice(noise, 1, start, width)
  return {
    parameters: parameters(description),
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      // the tree of inputs has the branches that `parameters` declares
      const parts = p as { readonly encoder: Params; readonly decoder: Params; readonly denoiser: Params }
      const [z, backEncoder] = encode.run(parts, x0)
      const [image, backDecoder] = decode.run(parts, X.add(z, X.scale(some(noise, 0), latents.noise)))
      const [errors, backLoss] = loss.run({}, { x: image, c: x0 })
      const [denoised, backDiffusion] = diffusion.run(parts, { x0: z, labels: c, noise: some(noise, width), time })
      return [
        X.add(X.scale(errors, latents.reconstruction), denoised),
        (bar) => {
          const [decoderBar, zBar] = backDecoder(backLoss(X.scale(bar, latents.reconstruction))[1].x)
          const [encoderBar] = backEncoder(zBar)
          return { ...encoderBar, ...decoderBar, ...backDiffusion(bar) }
        }
      ]
    }
  }
}

/**
 * The largest standard deviation of the pixel noise that the classifier is trained under, and how much of each label is
 * spread evenly over the attribute's values. Both keep the reward that the classifier gives smooth and bounded.
 *
 * @category constants
 * @since 0.1.0
 */
export const augmentation = { deviation: 0.3, smoothing: 0.02 } as const

/**
 * Classification: the sum of the spans' cross-entropies against smoothed labels, for rows with noise of standard deviation
 * `augmentation.deviation` times `time`. Each span of the labels is one attribute.
 *
 * @category constructors
 * @since 0.1.0
 */
export const classifying = (description: ClassifierDescription, spans: ReadonlyArray<Span>): Objective<Params> => {
  const { features, labels } = description
  const network = erase(classifier(description))
  const loss = crossEntropy(labels, spans)
  const widths = spans.flatMap(({ width }) => new Array<number>(width).fill(width))
  const even = X.constant(
    tabulate([labels], (i) => augmentation.smoothing / (widths[i] ?? 1)),
    [labels]
  )
  return {
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const deviation = X.broadcastTo(X.scale(time, augmentation.deviation), ['batch', features])
      const [logits, back] = network.run(p, X.add(x0, X.mul(deviation, noise)))
      const smoothed = X.add(X.scale(c, 1 - augmentation.smoothing), X.broadcastTo(even, ['batch', labels]))
      const [losses, backLoss] = loss.run({}, { x: logits, c: smoothed })
      return [losses, (bar) => back(backLoss(bar)[1].x)[0]]
    }
  }
}
