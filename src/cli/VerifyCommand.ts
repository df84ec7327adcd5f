/**
 * `halforder verify`: are the estimators' expectations what their types claim?
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Description from '../../laws/toy/Description.js'
import * as Verify from '../../laws/Verify.js'
import * as Catalogue from '../../laws/VerifyCatalogue.js'
import * as EstimatorFile from '../../laws/VerifyDescription.js'
import * as Document from '../../laws/VerifyDocument.js'
import type { Model } from '../../laws/VerifyModel.js'
import * as Report from '../../laws/VerifyReport.js'
import { showError as showCover } from '../estimator/Cover.js'
import * as Gradient from '../estimator/Gradient.js'
import { gpuJs } from '../kernel/GpuJs.js'
import * as Key from '../random/Key.js'
import * as Files from './Files.js'
import { broken, usage, type Failure, type Step } from './FinetuneRun.js'
import { meter } from './Progress.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface VerifyOptions {
  readonly model?: string
  readonly estimator?: string
  readonly samples: string
  readonly seed: string
  readonly threads?: string
  readonly json?: boolean
}

type Cases = Parameters<typeof Verify.verify>[0]

const number = (name: string, text: string, least: number): Step<number> => {
  const n = Number(text)
  return Number.isSafeInteger(n) && n >= least && text.trim() !== ''
    ? TE.right(n)
    : TE.left(usage(`--${name}: expected a whole number of at least ${least}, got ${text}`))
}

/** A decoded JSON file. Whatever is wrong with it is said with its path. */
const document = <A>(path: string, decode: (given: unknown) => E.Either<Document.DescriptionError, A>): Step<A> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(Files.showError(error))),
    TE.flatMapEither((bytes) =>
      E.tryCatch(
        (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
        (error) => usage(`${path}: expected JSON, got ${error instanceof Error ? error.message : 'something else'}`)
      )
    ),
    TE.flatMapEither((given) =>
      pipe(
        decode(given),
        E.mapLeft((error) => usage(`${path}: ${Document.showError(error)}`))
      )
    )
  )

const modelsOf = (path: string | undefined): Step<ReadonlyArray<Model>> =>
  path === undefined
    ? TE.right(Catalogue.models())
    : pipe(
        document(path, Description.decode),
        TE.map((description) => [Catalogue.described(path, description)])
      )

/** What is verified, and the models that were left out because an estimator does not fit their length, with the reason. */
interface Plan {
  readonly cases: Cases
  readonly misfits: ReadonlyArray<string>
}

/** The file's estimator on each model that it fits. Left where there is none. */
const fromFile = (path: string, models: ReadonlyArray<Model>): Step<Plan> =>
  pipe(
    document(path, EstimatorFile.decode),
    TE.flatMapEither(({ at, baseline }): E.Either<Failure, Plan> => {
      const built = models.map((model) =>
        pipe(
          at(model.T),
          E.bimap(
            (error) => ({ model, reason: showCover(error) }),
            (estimator) => ({ model, contenders: [{ name: estimator.name, estimator, baseline }] })
          )
        )
      )
      const cases = RA.rights(built)
      const misfits = RA.lefts(built)
      const [first] = misfits
      return cases.length === 0 && first !== undefined
        ? E.left(usage(`${path}: ${first.reason}`))
        : E.right({
            cases,
            misfits: misfits.map(({ model, reason }) => `${path} on ${model.name}: skipped: ${reason}`)
          })
    })
  )

const planOf = ({ model, estimator }: VerifyOptions): Step<Plan> =>
  pipe(
    modelsOf(model),
    TE.flatMap((models) =>
      estimator === undefined
        ? TE.right({
            cases: models.map((one) => ({ model: one, contenders: Catalogue.contenders(one.T, one.baseline) })),
            misfits: []
          })
        : fromFile(estimator, models)
    )
  )

/**
 * Runs the command and gives its exit code: 0 if every claim that was tested is borne out, 1 if one was refuted, nothing could be
 * tested or a run failed, 2 on wrong usage, with nothing on stdout. The table goes to stdout, or with `json` one object a
 * line as each estimator is measured; what was refuted is said on stderr too.
 *
 * @category effects
 * @since 0.1.0
 */
export const verify = async (options: VerifyOptions): Promise<number> => {
  const json = options.json === true
  const result = await pipe(
    TE.Do,
    TE.bind('samples', () => number('samples', options.samples, 2)),
    TE.bind('seed', () => number('seed', options.seed, 0)),
    TE.bind('threads', () => number('threads', options.threads ?? '1', 1)),
    TE.bind('plan', () => planOf(options)),
    TE.flatMap(({ samples, seed, threads, plan: { cases, misfits } }) => {
      const target = gpuJs({ mode: 'webasm', threads })
      misfits.forEach((line) => process.stderr.write(`${line}\n`))
      const bar = meter(
        'verify',
        cases.reduce((n, { contenders }) => n + contenders.length, 0)
      )
      let done = 0
      return pipe(
        Verify.verify(cases, { samples, key: Key.make(seed), target }, (row) => {
          bar.update((done += 1), row.estimator)
          if (json) process.stdout.write(`${JSON.stringify(row)}\n`)
        }),
        TE.mapLeft((error): Failure => broken(Gradient.showError(error))),
        TE.chainFirstTaskK(() => () => {
          bar.stop()
          return target.dispose()
        })
      )
    })
  )()
  if (E.isLeft(result)) {
    process.stderr.write(`halforder verify: ${result.left.message}\n`)
    return result.left.kind === 'usage' ? 2 : 1
  }
  const { rows, test } = result.right
  if (!json) process.stdout.write(`${Report.table(rows, test)}\n`)
  if (Report.sound(rows)) return 0
  process.stderr.write(`halforder verify: ${Report.refusal(rows)}\n`)
  return 1
}
