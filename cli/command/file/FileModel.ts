/**
 * A model of another tool as one that is sampled and fine-tuned, with the record of what its numbers mean: from a task, from beside the
 * file, or of the scheduler that came with it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord, showError as showDocument } from 'halforder/document/Document'
import * as Json from 'halforder/document/Json'
import type { Imported } from 'halforder/network/graph/Import'
import type { Meaning } from 'halforder/network/Meaning'
import { meant } from 'halforder/network/Meant'
import type { Model } from 'halforder/network/Model'
import { decode, type Recorded, template } from 'halforder/network/Record'
import { type Failure, type Step, textIn, usage } from '../../edge/Failure.js'
import { type Found, open } from '../ForeignModel.js'
import { withRecord } from './Sources.js'

// -------------------------------------------------------------------------------------
// the record
// -------------------------------------------------------------------------------------

/**
 * The document in a file of JSON; undefined where there is no such file.
 *
 * @category effects
 * @since 0.1.0
 */
export const documentAt = (path: string): Step<unknown> =>
  pipe(
    textIn(path),
    TE.flatMapEither((text) =>
      text === undefined
        ? E.right(undefined)
        : pipe(
            Json.parse(text),
            E.mapLeft((error) => usage(`${path}: ${showDocument(error)}`))
          )
    )
  )

/**
 * What was found of a record, as one document, and what to name where it is wrong.
 *
 * @category model
 * @since 0.1.0
 */
export interface Paper {
  readonly document: unknown
  readonly name: string
}

type Opened = Found & { readonly _tag: 'Model' }

/**
 * The record beside a model, over that of the scheduler that it came with; undefined where there is neither.
 *
 * @category effects
 * @since 0.1.0
 */
export const paperBeside = ({ record, scheduler }: Opened): Step<Paper | undefined> =>
  pipe(
    TE.Do,
    TE.bind('own', () => documentAt(record)),
    TE.bind('found', () => pipe(scheduler, TE.traverseSeqArray(documentAt))),
    TE.map(({ own, found }): Paper | undefined => {
      const config = found.find((one) => one !== undefined)
      if (own === undefined && config === undefined) return undefined
      return {
        name: own === undefined ? (scheduler.find((_, i) => found[i] !== undefined) ?? record) : record,
        document:
          own !== undefined && !isRecord(own) ? own : { ...(config === undefined ? {} : { scheduler: config }), ...own }
      }
    })
  )

/** The same, where there has to be one. Left: there is none, with what to write where. */
const paperOf = (found: Opened, path: string): Step<Paper> =>
  pipe(
    paperBeside(found),
    TE.flatMapEither((paper) =>
      paper === undefined
        ? E.left(
            usage(
              `${path}: expected a record of what its numbers mean, got none; write it in ${found.record}, such as ${template(found.model)}`
            )
          )
        : E.right(paper)
    )
  )

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

const recordedBy = (model: Imported, { document, name }: Paper): E.Either<Failure, Recorded> =>
  pipe(
    document,
    decode(model),
    E.mapLeft((error) => usage(`--model: ${name}: ${showDocument(error)}`))
  )

/**
 * What is said of a model beside it; nothing where nothing is. Left: the field of the record that has to say something else.
 *
 * @category effects
 * @since 0.1.0
 */
export const recordOf = (found: Opened): Step<Meaning | undefined> =>
  pipe(
    paperBeside(found),
    TE.flatMapEither((paper) =>
      paper === undefined
        ? E.right(undefined)
        : pipe(
            recordedBy(found.model, paper),
            E.map(({ meaning }) => meaning)
          )
    )
  )

/**
 * The model at a path, by the record of a task, or else by the one beside it. Left: what is not there, or the field of the record that
 * has to say something else.
 *
 * @category effects
 * @since 0.1.0
 */
export const fileModel = (path: string, told: Meaning | undefined): Step<Model> =>
  pipe(
    open(path),
    TE.flatMap((found) =>
      found._tag === 'Model'
        ? TE.right(found)
        : TE.left(usage(`--model: ${path}: expected a network, got weights alone; export it to ONNX, or name a --task`))
    ),
    TE.bindTo('found'),
    TE.bind('paper', ({ found }) =>
      told === undefined ? paperOf(found, path) : TE.right({ document: told, name: 'the meaning of the task' })
    ),
    TE.bind('recorded', ({ found, paper }) => TE.fromEither(recordedBy(found.model, paper))),
    TE.flatMapEither(({ found: { model, source }, paper, recorded: { meaning, scheduler } }) =>
      pipe(
        meant(model, { meaning, scheduler, source: withRecord(source, paper.document) }),
        E.mapLeft((error) => usage(`--model: ${paper.name}: ${showDocument(error)}`))
      )
    )
  )
