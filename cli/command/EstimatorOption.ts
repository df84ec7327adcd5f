/**
 * `--estimator`: a name, a name with options, or a JSON file.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Named from 'halforder/estimator/Named'
import * as Documents from '../edge/Documents.js'
import { refused, type Step } from '../edge/Failure.js'

/**
 * A document that describes an estimator, and where it was found: the path of its file, or the option itself.
 *
 * @category model
 * @since 0.1.0
 */
export interface Typed {
  readonly document: unknown
  readonly source: string
}

/** A path ends like one, or has folders. */
const isPath = (text: string): boolean => /\.json$/i.test(text.trim()) || (/[/\\]/.test(text) && !/[({]/.test(text))

/**
 * The document that was typed. Left: a file that can not be read, or a text that is no name with options.
 *
 * @category effects
 * @since 0.1.0
 */
export const estimatorOption = (text: string): Step<Typed> =>
  isPath(text)
    ? pipe(
        Documents.read(text, Documents.json),
        TE.map((document) => ({ document, source: text }))
      )
    : pipe(
        Named.document(text, '--estimator'),
        E.bimap(refused, (document) => ({ document, source: '--estimator' })),
        TE.fromEither
      )
