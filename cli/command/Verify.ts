/**
 * `halforder verify`: are the estimators' expectations what their types claim?
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Document from 'halforder/document/Document'
import { showError } from 'halforder/estimator/catalogue/Row'
import * as Gradient from 'halforder/estimator/Gradient'
import { gpuJs } from 'halforder/kernel'
import * as Description from 'halforder/laws/toy/Description'
import { leastSamples } from 'halforder/laws/exact/MeanTest'
import * as Catalogue from 'halforder/laws/verify/Catalogue'
import * as EstimatorFile from 'halforder/laws/verify/EstimatorFile'
import type { Model } from 'halforder/laws/verify/Model'
import * as Report from 'halforder/laws/verify/Report'
import * as Verify from 'halforder/laws/verify/Verify'
import * as Key from 'halforder/random/Key'
import type { Task } from 'halforder/task/Task'
import * as Documents from '../edge/Documents.js'
import { broken, type Failure, type Step, usage } from '../edge/Failure.js'
import { seed, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { find } from '../tasks/Find.js'
import type { VerifyOptions } from './cluster/Asked.js'
import { pieceOf, rowOf, Verified } from './cluster/Pieces.js'
import { failShares, inShares, placesOf } from './cluster/Shares.js'
import { estimatorOption } from './EstimatorOption.js'
import type { Share } from './study/Hands.js'

export type { VerifyOptions } from './cluster/Asked.js'

type Cases = Parameters<typeof Verify.verify>[0]

/** What a document stands for. Whatever is wrong with it is said with where it is from. */
const decoded = <A>(
  source: string,
  decode: (given: unknown) => E.Either<Document.DocumentError, A>
): ((given: unknown) => E.Either<Failure, A>) =>
  flow(
    decode,
    E.mapLeft((error) => usage(`${source}: ${Document.showError(error)}`))
  )

/** The toy chains of a task, or the library's where it has none. */
const toysOf = (task: Task): Step<ReadonlyArray<Model>> =>
  task.toys.size === 0
    ? TE.right(Catalogue.models())
    : pipe(
        [...task.toys],
        E.traverseArray(([name, given]) =>
          pipe(
            Description.decode(given),
            E.bimap(
              (error) => usage(`--task: the toy ${name} of ${task.name}: ${Document.showError(error)}`),
              (description) => Catalogue.described(name, description)
            )
          )
        ),
        TE.fromEither
      )

const modelsOf = ({ model: path, task }: VerifyOptions): Step<ReadonlyArray<Model>> =>
  path === undefined
    ? task === undefined
      ? TE.right(Catalogue.models())
      : pipe(find(task), TE.flatMap(toysOf))
    : pipe(
        Documents.read(path, Documents.json),
        TE.flatMapEither(decoded(path, Description.decode)),
        TE.map((description) => [Catalogue.described(path, description)])
      )

/** What is verified, and the models that were left out because an estimator does not fit their length, with the reason. */
interface Plan {
  readonly cases: Cases
  readonly misfits: ReadonlyArray<string>
}

/** The typed estimator on each model that it fits. Left where there is none. */
const ofOption = (text: string, models: ReadonlyArray<Model>): Step<Plan> =>
  pipe(
    estimatorOption(text),
    TE.flatMapEither(({ document, source }) =>
      pipe(
        document,
        decoded(source, EstimatorFile.decode),
        E.flatMap(({ at, baseline }): E.Either<Failure, Plan> => {
          const built = models.map((model) =>
            pipe(
              at(model.facts),
              E.bimap(
                (error) => ({ model, reason: showError(error) }),
                (estimator) => ({ model, contenders: [{ name: estimator.name, estimator, baseline }] })
              )
            )
          )
          const cases = RA.rights(built)
          const misfits = RA.lefts(built)
          const [first] = misfits
          return cases.length === 0 && first !== undefined
            ? E.left(usage(`${source}: ${first.reason}`))
            : E.right({
                cases,
                misfits: misfits.map(({ model, reason }) => `${source} on ${model.name}: skipped: ${reason}`)
              })
        })
      )
    )
  )

const planOf = (options: VerifyOptions): Step<Plan> =>
  pipe(
    modelsOf(options),
    TE.flatMap((models) =>
      options.estimator === undefined
        ? TE.right({
            cases: models.map((one) => ({ model: one, contenders: Catalogue.contenders(one) })),
            misfits: []
          })
        : ofOption(options.estimator, models)
    )
  )

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

type Ran = { readonly rows: ReadonlyArray<Verify.Row>; readonly test: Verify.Test }

const countOf = (cases: Cases): number => cases.reduce((n, { contenders }) => n + contenders.length, 0)

/** Verifies what stands in some places among all that the options ask for. */
const run = (
  options: VerifyOptions,
  show: (row: Verify.Row) => void,
  part: (place: number) => boolean = () => true
): Step<Ran & { readonly count: number }> =>
  pipe(
    TE.Do,
    TE.bind('samples', () => TE.fromEither(whole('samples', options.samples, 200_000, leastSamples))),
    TE.bind('seed', () => TE.fromEither(seed(options.seed, 1))),
    TE.bind('threads', () => TE.fromEither(whole('threads', options.threads, 1, 1, 256))),
    TE.bind('plan', () => planOf(options)),
    TE.flatMap(({ samples, seed: from, threads, plan: { cases, misfits } }) => {
      const target = gpuJs({ mode: 'webasm', threads })
      misfits.forEach((line) => process.stderr.write(`${line}\n`))
      const count = countOf(cases)
      const bar = meter('verify', count)
      let done = 0
      return pipe(
        Verify.verify(cases, { samples, key: Key.make(from), target, part }, (row) => {
          bar.update((done += 1), row.estimator)
          show(row)
        }),
        TE.bimap(
          (error): Failure => broken(Gradient.showError(error)),
          (ran) => ({ ...ran, count })
        ),
        TE.chainFirstTaskK(() => () => {
          bar.stop()
          return target.dispose()
        })
      )
    })
  )

/**
 * What one worker verifies: a share of the claims, each with its place among all of them.
 *
 * @category effects
 * @since 0.1.0
 */
export const verifiedShare = ({ share, ...options }: VerifyOptions & Share): Step<ReadonlyArray<unknown>> =>
  pipe(
    TE.Do,
    TE.bind('part', () => TE.fromEither(placesOf(share))),
    TE.bind('ran', ({ part }) => run(options, () => undefined, part)),
    TE.map(({ part, ran: { count, rows } }) => {
      const places = Array.from({ length: count }, (_, i) => i).filter(part)
      return rows.map((row, i) => pieceOf(row, places[i] ?? 0))
    })
  )

/** The same as `run`, by the workers at a Redis. */
const runElsewhere = (options: VerifyOptions & { readonly redis: string }): Step<Ran> => {
  const { json: _json, patience: _p, redis: _redis, threads: _threads, tolerateBits: _bits, ...sent } = options
  return pipe(
    // what is tested, without a sample
    run(
      options,
      () => undefined,
      () => false
    ),
    TE.flatMap(({ count, test }) =>
      pipe(
        inShares({
          orderOf: (share) => ({ _tag: 'VerifyShare', options: { ...sent, share } }),
          piece: Verified,
          least: count,
          all: count,
          // the last ones are not all of one worker
          each: 8
        })(options),
        TE.map((pieces) => ({ rows: pieces.map(rowOf), test }))
      )
    )
  )
}

// -------------------------------------------------------------------------------------
// the command
// -------------------------------------------------------------------------------------

/**
 * Runs the command and gives its exit code: 0 if every claim that was decided is borne out, 1 if one was refuted, nothing could be
 * decided or a run failed, 2 on wrong usage, with nothing on stdout. The table goes to stdout, or with `json` one object a
 * line as each estimator is measured; what was refuted is said on stderr too.
 *
 * @category effects
 * @since 0.1.0
 */
export const verify = async (options: VerifyOptions): Promise<number> => {
  const json = options.json === true
  const show = (row: Verify.Row): void => {
    if (json) process.stdout.write(`${JSON.stringify(row)}\n`)
  }
  const { redis } = options
  const result = await (redis === undefined ? run(options, show) : runElsewhere({ ...options, redis }))()
  if (E.isLeft(result)) return failShares('verify')(result.left)
  const { rows, test } = result.right
  if (redis !== undefined) rows.forEach(show)
  if (!json) process.stdout.write(`${Report.table(rows, test)}\n`)
  if (Report.sound(rows)) return 0
  process.stderr.write(`halforder verify: ${Report.refusal(rows)}\n`)
  return 1
}
