/**
 * Models by the name of one that ships, from a file, or from the folder of a fine-tune.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Model from '../model/Model.js'
import { near } from '../model/Nearest.js'
import * as Files from './Files.js'
import { file, usage, type Step } from './FinetuneRun.js'

const extension = '.safetensors'

/** Networks that ship and do not draw. */
const judges: ReadonlyArray<string> = ['aesthetic', 'classifier']

/** The networks that ship and draw. */
const shipped: Step<ReadonlyArray<string>> = pipe(
  file(Files.list(join(Files.packageFolder(), 'assets'))),
  TE.map((names) => names.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length))),
  TE.map((names) => names.filter((name) => !judges.includes(name)))
)

/** A name is that of a network that ships; what has an extension or a folder is a file. */
const pathOf = (name: string): Step<string> =>
  /[./\\]/.test(name)
    ? TE.right(name)
    : pipe(
        shipped,
        TE.flatMapEither((names) => {
          const close = near(name, names)
          const hint = close.length > 0 ? `; near it is ${close.join(', ')}` : ''
          return names.includes(name)
            ? E.right(join(Files.packageFolder(), 'assets', `${name}${extension}`))
            : E.left(
                usage(
                  `--model: expected one of ${names.join(', ')}, a file *${extension}, or the folder of a run, got ${JSON.stringify(name)}${hint}`
                )
              )
        })
      )

const modelIn = (path: string, remedy: string): Step<Model.Model> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(`--model: ${Files.showError(error)}${remedy}`)),
    TE.flatMapEither((bytes) =>
      pipe(
        Model.loadModel(bytes),
        E.mapLeft((error) => usage(`--model: ${path}: ${Model.showError(error)}`))
      )
    )
  )

/**
 * The denoiser of a name, such as `faces-mlp`, of a file, or of the folder of a fine-tune (what has a dot or a slash is no
 * name). Left: a name that is none, with those that are; a file that cannot be read, or is no model.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadNamed = (name: string): Step<Model.Model> =>
  pipe(
    pathOf(name),
    TE.flatMap((path) =>
      path.endsWith(extension)
        ? modelIn(path, '')
        : modelIn(
            join(path, `model${extension}`),
            `; expected a file *${extension} or the folder of a run that has ended, got ${path}`
          )
    )
  )

/**
 * How many frames a row of the model has: 1 for stills. A network of clips has images of four sizes: frames, height, width,
 * channels.
 *
 * @category utils
 * @since 0.1.0
 */
export const framesOf = (description: Model.Model['description']): number =>
  'size' in description && description.size.length === 4 ? (description.size[0] ?? 1) : 1
