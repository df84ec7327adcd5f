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
import type { BlackBox } from 'halforder/reward/Reward'
import { type Tensor } from 'halforder/tensor/Tensor'
import { showError as showImagesError, enlarge, type ImagesError, type Pixels, toPixels } from '../../edge/Images.js'

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
      TE.flatMap((pixels) =>
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

/** Rows of clips as rows of frames: `[N, frames * size]` to `[N * frames, size]`, sharing the data. */
const framesOf = ({ shape, data }: Tensor, frames: number): E.Either<string, Tensor> => {
  const [rows = 0, width = 0] = shape
  return frames === 1 || Number.isInteger(Math.sqrt(width / frames / 3))
    ? E.right({ shape: [rows * frames, width / frames, ...shape.slice(2)], data })
    : E.left(
        `images: expected the shape [N, 3 * side * side], got [${shape.join(', ')}] in ${frames} frames a row; pass clips of square RGB frames`
      )
}

const meanOf = (sizes: Float64Array, rows: number, frames: number): ReadonlyArray<number> =>
  Array.from({ length: rows }, (_, row) => {
    const own = sizes.subarray(row * frames, (row + 1) * frames)
    return own.reduce((sum, size) => sum + size, 0) / frames
  })

const reward =
  (name: string, sign: 1 | -1) =>
  (frames: number = 1, options: JpegOptions = defaultJpegOptions): BlackBox => ({
    _tag: 'BlackBox',
    name: `${name} (kB of the JPEG${frames === 1 ? '' : ', mean over frames'})`,
    evaluate: (x0) =>
      pipe(
        TE.fromEither(framesOf(x0, frames)),
        TE.flatMap((images) => pipe(jpegSizes(options)(images), TE.mapLeft(showError))),
        TE.bimap(
          (reason) => ({ _tag: 'RewardError' as const, reward: name, reason }),
          (sizes) => meanOf(sizes, x0.shape[0] ?? 0, frames).map((bytes) => (sign * bytes) / 1000)
        )
      )
  })

/**
 * Minus the size of a face as a JPEG file, in kB of 1000 bytes; of a clip of `frames` frames, the mean over them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const compressibility: (frames?: number, options?: JpegOptions) => BlackBox = /*#__PURE__*/ reward(
  'compressibility',
  -1
)

/**
 * The size of a face as a JPEG file, in kB of 1000 bytes; of a clip of `frames` frames, the mean over them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const incompressibility: (frames?: number, options?: JpegOptions) => BlackBox = /*#__PURE__*/ reward(
  'incompressibility',
  1
)

/**
 * Both, by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const rewards = (frames: number = 1): Readonly<Record<'compressibility' | 'incompressibility', BlackBox>> => ({
  compressibility: compressibility(frames),
  incompressibility: incompressibility(frames)
})

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
