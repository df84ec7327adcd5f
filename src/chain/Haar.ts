/**
 * The low band of the orthonormal Haar transform of images: 2 x 2 sums over 2.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Denoiser } from './Denoiser.js'

/**
 * Images as rows of `side * side * channels` numbers in the order height, width, channel. `side` is even.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layout {
  readonly side: number
  readonly channels: number
}

/**
 * The low band, an image of half the side. The transform is orthonormal: standard noise has a standard low band, and an image
 * that is constant on 2 x 2 blocks has twice its values.
 *
 * @category utils
 * @since 0.1.0
 */
export const low =
  ({ side, channels }: Layout) =>
  <D extends number, N extends number>(x: Rows<D>, features: N): Rows<N> => {
    const blocks = X.reshape(x, ['batch', side / 2, 2, side / 2, 2, channels] as const)
    return X.reshape(X.scale(X.sum(blocks, [2, 4] as const), 0.5), ['batch', features])
  }

/**
 * The image with a given low band and no details: the transpose of `low`, and its inverse on such images.
 *
 * @category utils
 * @since 0.1.0
 */
export const raised =
  ({ side, channels }: Layout) =>
  <D extends number, N extends number>(z: Rows<N>, features: D): Rows<D> => {
    const half = side / 2
    const blocks = X.broadcastTo(X.reshape(X.scale(z, 0.5), ['batch', half, 1, half, 1, channels] as const), [
      'batch',
      half,
      2,
      half,
      2,
      channels
    ] as const)
    return X.reshape(blocks, ['batch', features])
  }

/**
 * The image without its details: each 2 x 2 block has its mean. An orthogonal projection.
 *
 * @category utils
 * @since 0.1.0
 */
export const average =
  <D extends number>(layout: Layout, features: D) =>
  (x: Rows<D>): Rows<D> =>
    raised(layout)(low(layout)(x, features / 4), features)

/**
 * A small image's denoiser as one of the image: it reads the low band and predicts its noise, and says nothing of the details.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lifted =
  <D extends number>(layout: Layout, features: D) =>
  <P extends Params, N extends number, K extends number>(small: Denoiser<P, N, K>): Denoiser<P, D, K> => ({
    ...small,
    features,
    lens: L.make(small.lens.parameters, (p, { x, time, c }) => {
      const [value, back] = small.lens.run(p, { x: low(layout)(x, small.features), time, c })
      return [
        raised(layout)(value, features),
        (bar) => {
          const [pBar, inner] = back(low(layout)(bar, small.features))
          return [pBar, { ...inner, x: raised(layout)(inner.x, features) }]
        }
      ]
    })
  })
