/**
 * `halforder audit`: what the gradients of another program pay of each step's term, from a trace of its run, and with its own model.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { showError as showDocument } from 'halforder/document/Document'
import * as Npz from 'halforder/format/Npz'
import * as Audit from 'halforder/laws/audit/Audit'
import * as Model from 'halforder/laws/audit/Model'
import * as Trace from 'halforder/laws/audit/Trace'
import type { Values } from 'halforder/tensor/Program'
import { reference } from 'halforder/tensor/Target'
import { fail, type Failure, file, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { open } from './ForeignModel.js'

/**
 * The command's options.
 *
 * @category model
 * @since 0.1.0
 */
export interface AuditOptions {
  readonly model?: string
  readonly json?: boolean
}

/**
 * The findings, and what a model that was given says of the steps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Findings {
  readonly audit: Audit.Audit
  readonly looked: Model.Scored | undefined
}

const arraysOf = (path: string): Step<Values> =>
  pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      pipe(
        Npz.decode(bytes),
        E.mapLeft((error) => usage(`${path}: ${Npz.showError(error)}`))
      )
    )
  )

/** A model that can be pulled back through. */
const modelOf = (path: string): Step<Model.Model> =>
  pipe(
    open(path, {}),
    TE.flatMapEither((found): E.Either<Failure, Model.Model> => {
      if (found._tag === 'Weights') {
        return E.left(usage(`${path}: expected a model that runs, got weights; export the mean of a step as ONNX`))
      }
      const { model } = found
      return model._tag === 'Lens'
        ? E.right(model)
        : E.left(
            usage(
              `${path}: expected operators with gradients, got ${[...new Set(model.without.map(({ op }) => op))].join(', ')}; export it without them`
            )
          )
    })
  )

/** The arrays with the model's scores. */
const lookedAt = (path: string, arrays: Values): Step<Model.Scored> =>
  pipe(
    modelOf(path),
    TE.flatMap((model) =>
      pipe(
        arrays,
        Model.scores(model, reference),
        TE.mapLeft((reason) => usage(`${path}: ${reason}`))
      )
    )
  )

/**
 * The findings of a trace's file. Left: a file that can not be read, is no archive of arrays, or arrays that are no trace; a model that
 * is none of the trace's steps.
 *
 * @category effects
 * @since 0.1.0
 */
export const auditOf = (path: string, { model }: AuditOptions = {}): Step<Findings> =>
  pipe(
    arraysOf(path),
    TE.bindTo('arrays'),
    TE.bind('looked', ({ arrays }) =>
      model === undefined ? TE.right<Failure, Model.Scored | undefined>(undefined) : lookedAt(model, arrays)
    ),
    TE.flatMapEither(({ arrays, looked }) =>
      pipe(
        Trace.decode(looked?.arrays ?? arrays),
        E.bimap(
          (error) => usage(`${path}: ${showDocument(error)}`),
          (trace): Findings => ({ audit: Audit.audit(trace), looked })
        )
      )
    )
  )

/**
 * Runs the command and gives its exit code: 0 (unbiased, as far as the trace tells), 1 (scaled, biased or undecided, or not of the
 * model), or 2 (no trace). The findings go to stdout, or with `json` one object.
 *
 * @category effects
 * @since 0.1.0
 */
export const audit = async (path: string, options: AuditOptions): Promise<number> => {
  const result = await auditOf(path, options)()
  if (E.isLeft(result)) return fail('audit')(result.left)
  const { audit: found, looked } = result.right
  const json = (): string => JSON.stringify({ ...found, ...(looked === undefined ? {} : { model: looked.steps }) })
  const text = (): string => [...(looked === undefined ? [] : [Model.show(looked)]), Audit.show(found)].join('\n')
  process.stdout.write(`${options.json === true ? json() : text()}\n`)
  return found.verdict === 'unbiased' && (looked === undefined || Model.foreign(looked) === undefined) ? 0 : 1
}
