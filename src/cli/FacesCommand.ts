/**
 * `halforder faces`: draws labelled faces, as the models are trained on.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Faces from '../model/Faces.js'
import * as Safetensors from '../model/Safetensors.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import { rows } from '../tensor/Tensor.js'
import { faces } from './FaceRenderer.js'
import * as Files from './Files.js'
import { broken, file, usage, type Step } from './FinetuneRun.js'
import * as Images from './Images.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface FacesOptions {
  readonly count: string
  readonly seed: string
  readonly out: string
}

/** A sheet of more faces is hard to look at. */
const pictured = 256

const whole = (name: string, text: string, least: number): Step<number> => {
  const n = Number(text)
  return Number.isInteger(n) && n >= least && text.trim() !== ''
    ? TE.right(n)
    : TE.left(usage(`--${name}: expected a whole number of at least ${least}, got ${text}`))
}

const write = ({ out, count, seed }: FacesOptions): Step<string> =>
  pipe(
    TE.Do,
    TE.bind('n', () => whole('count', count, 1)),
    TE.bind('key', () => pipe(whole('seed', seed, 0), TE.map(Key.make))),
    TE.bind('set', ({ n, key }) =>
      TE.fromEither(
        pipe(
          faces(Draw.uniform(key, [n, Faces.attributeNames.length])),
          E.mapLeft((error) => broken(Faces.showError(error)))
        )
      )
    ),
    TE.bind('sheet', ({ n, set }) =>
      TE.fromEither(
        pipe(
          Images.contactSheet(Images.defaultLayout)(rows(0, Math.min(n, pictured))(set.images)),
          E.mapLeft((error) => broken(Images.showError(error)))
        )
      )
    ),
    TE.bind('tensors', ({ set }) =>
      TE.fromEither(
        pipe(
          Safetensors.encode('own')({
            tensors: { images: set.images, labels: set.labels },
            metadata: { layout: 'images are rows of 16 x 16 RGB pixels in [-1, 1]; labels are one-hot', seed, count }
          }),
          E.mapLeft((error) => broken(Safetensors.showError(error)))
        )
      )
    ),
    TE.chainFirst(() => file(Files.makeFolder(out))),
    TE.chainFirst(({ sheet }) => file(Files.write(join(out, 'faces.png'), sheet))),
    TE.chainFirst(({ tensors }) => file(Files.write(join(out, 'faces.safetensors'), tensors))),
    TE.chainFirst(({ set }) =>
      file(Files.write(join(out, 'faces.jsonl'), set.attributes.map((face) => `${JSON.stringify(face)}\n`).join('')))
    ),
    TE.map(({ n }) => `${n} faces in ${out}: faces.png, faces.safetensors (images, labels), faces.jsonl (attributes)\n`)
  )

/**
 * Runs the command and gives its exit code: 0, 1 (a file could not be written) or 2 (wrong usage).
 *
 * @category effects
 * @since 0.1.0
 */
export const drawFaces = async (options: FacesOptions): Promise<number> => {
  const result = await write(options)()
  if (E.isRight(result)) {
    process.stdout.write(result.right)
    return 0
  }
  process.stderr.write(`halforder faces: ${result.left.message}\n`)
  return result.left.kind === 'usage' ? 2 : 1
}
