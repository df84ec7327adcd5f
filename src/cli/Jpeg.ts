/**
 * The size of images as JPEG files: the compressibility task of Black et al., "Training Diffusion Models with
 * Reinforcement Learning" (arXiv 2305.13301).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import sharp from 'sharp'
import { type Tensor } from '../tensor/Tensor.js'
import { showError as showImagesError, enlarge, type ImagesError, type Pixels, toPixels } from './Images.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How images are encoded. `quality` is JPEG's, 1 to 100; `scale` repeats each pixel so many times in both directions
 * before encoding.
 *
 * @category model
 * @since 0.1.0
 */
export interface JpegOptions {
  readonly quality: number
  readonly scale: number
}

/**
 * What can go wrong: the batch holds no images, an option is out of range, or the encoder refuses an image.
 *
 * @category model
 * @since 0.1.0
 */
export type JpegError =
  | ImagesError
  | { readonly _tag: 'BadOption'; readonly option: keyof JpegOptions; readonly expected: string; readonly got: number }
  | { readonly _tag: 'EncoderFailed'; readonly image: number; readonly reason: string }

/**
 * Quality 75 and four-fold enlargement.
 *
 * JPEG spends its bits on blocks of 8 x 8 pixels and halves the resolution of color. An image of 16 x 16 pixels is four
 * such blocks: the file is mostly header, and faces and noise are both about 430 bytes. Enlarged four times, a plain
 * color is 289 bytes, faces are 750 to 1200 and uniform noise is about 1770.
 *
 * @category constructors
 * @since 0.1.0
 */
export const defaultJpegOptions: JpegOptions = { quality: 75, scale: 4 }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The sizes in bytes of a batch `[N, 3 * side * side]` in [-1, 1] as JPEG files (baseline, 4:2:0, optimized Huffman
 * tables), in the order of the batch. Values outside [-1, 1] are clamped.
 *
 * Left when the rows are no square RGB images, an option is out of range, or encoding fails.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const jpegSizes =
  (options: JpegOptions) =>
  (images: Tensor): TE.TaskEither<JpegError, Float64Array> =>
    pipe(
      checkOptions(options),
      E.chainW(() => toPixels(images)),
      E.map(enlarge(options.scale)),
      TE.fromEither,
      TE.chain((pixels) =>
        pipe(
          Array.from({ length: pixels.count }, (_, image) => image),
          TE.traverseArray((image) => encodedSize(pixels, image, options.quality)),
          TE.map((sizes) => Float64Array.from(sizes))
        )
      )
    )

const checkOptions = ({ quality, scale }: JpegOptions): E.Either<JpegError, void> => {
  if (!Number.isInteger(quality) || quality < 1 || quality > 100) {
    return E.left({ _tag: 'BadOption', option: 'quality', expected: 'an integer from 1 to 100', got: quality })
  }
  return Number.isInteger(scale) && scale >= 1
    ? E.right(undefined)
    : E.left({ _tag: 'BadOption', option: 'scale', expected: 'an integer of at least 1', got: scale })
}

const encodedSize = (pixels: Pixels, image: number, quality: number): TE.TaskEither<JpegError, number> => {
  const length = pixels.side * pixels.side * 3
  const raw = { width: pixels.side, height: pixels.side, channels: 3 } as const
  return TE.tryCatch(
    () =>
      sharp(pixels.bytes.subarray(image * length, (image + 1) * length), { raw })
        .jpeg({ quality, chromaSubsampling: '4:2:0', progressive: false, optimiseCoding: true, mozjpeg: false })
        .toBuffer()
        .then((file) => file.length),
    (reason): JpegError => ({ _tag: 'EncoderFailed', image, reason: String(reason) })
  )
}

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: JpegError): string => {
  switch (error._tag) {
    case 'BadOption':
      return `jpeg ${error.option}: expected ${error.expected}, got ${error.got}; see defaultJpegOptions`
    case 'EncoderFailed':
      return `jpeg of image ${error.image}: expected a file, got an error of the encoder (${error.reason}); check the installation of sharp`
    case 'NotImages':
    case 'BadLayout':
    case 'UnequalPair':
      return showImagesError(error)
  }
}
