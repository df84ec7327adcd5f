/**
 * Models by the name of one that ships, or from a file.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Model from '../model/Model.js'
import { nearest } from '../model/Nearest.js'
import * as Files from './Files.js'
import { file, usage, type Step } from './FinetuneRun.js'

const extension = '.safetensors'

/** The networks that ship, less the one that judges. */
const shipped: Step<ReadonlyArray<string>> = pipe(
  file(Files.list(join(Files.packageFolder(), 'assets'))),
  TE.map(
    RA.filterMap((name) =>
      name.endsWith(extension) && name !== `classifier${extension}`
        ? { _tag: 'Some' as const, value: name.slice(0, -extension.length) }
        : { _tag: 'None' as const }
    )
  )
)

/** A name is that of a network that ships; what has an extension or a folder is a file. */
const pathOf = (name: string): Step<string> =>
  /[./\\]/.test(name)
    ? TE.right(name)
    : pipe(
        shipped,
        TE.flatMapEither((names) => {
          const close = nearest(names)(name)
          const hint = close.length > 0 ? `; near it is ${close.join(', ')}` : ''
          return names.includes(name)
            ? E.right(join(Files.packageFolder(), 'assets', `${name}${extension}`))
            : E.left(
                usage(
                  `--model: expected one of ${names.join(', ')}, or a file *${extension}, got ${JSON.stringify(name)}${hint}`
                )
              )
        })
      )

/**
 * Reads a model by the name of one that ships, or from a file. Left: no such name, with the nearest ones; a file that is no model.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadNamed = (name: string): Step<Model.Model> =>
  pipe(
    pathOf(name),
    TE.flatMap((path) =>
      pipe(
        Files.read(path),
        TE.mapLeft((error) => usage(`--model: ${Files.showError(error)}`)),
        TE.flatMapEither((bytes) =>
          pipe(
            Model.loadModel(bytes),
            E.mapLeft((error) => usage(`--model: ${path}: ${Model.showError(error)}`))
          )
        )
      )
    )
  )
