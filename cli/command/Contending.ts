/**
 * Who is measured by `halforder compare`: the forms of the named estimators that stand on a problem, or the one that was typed.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { perRow } from 'halforder/chain/Chain'
import { showError as showDocument } from 'halforder/document/Document'
import { type Facts, showError } from 'halforder/estimator/catalogue/Row'
import type { Estimator } from 'halforder/estimator/Estimator'
import * as Est from 'halforder/estimator/Estimator'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import { trainedShapes } from 'halforder/estimator/program/Programs'
import { bySample, compared, type Contender } from 'halforder/estimator/reading/Contenders'
import * as Inclusion from 'halforder/estimator/reading/Inclusion'
import * as Variance from 'halforder/estimator/reading/Variance'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import * as Requests from 'halforder/training/Requests'
import type * as Setup from 'halforder/training/Setup'
import { type Step, usage } from '../edge/Failure.js'
import type { ClusterOptions } from './cluster/Leading.js'
import { estimatorOption } from './EstimatorOption.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface CompareOptions extends ClusterOptions {
  readonly task?: string
  readonly model?: string
  readonly chain?: string
  readonly T?: string
  readonly lora?: string
  readonly batch?: string
  readonly reward?: string
  readonly samples: string
  readonly seed: string
  readonly trained?: string
  readonly only?: string
  readonly estimator?: string
  readonly threads?: string
  readonly byStep?: boolean
  readonly json?: boolean
}

/**
 * A fine-tune's problem.
 *
 * @category model
 * @since 0.1.0
 */
export type Problem = Setup.Setup['problem']

/**
 * On what estimators are measured, and whether the batch shares some of what is trained.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measuring {
  readonly problem: Problem
  readonly shared: boolean
}

/**
 * On what the estimators of a fine-tune are measured: a copy of what is trained for each row of the batch, where vectors are. Then
 * each sample has a gradient of its own.
 *
 * @category readings
 * @since 0.1.0
 */
export const measuringOf = ({ base }: Setup.Setup, { model }: Setup.Materials): Measuring => {
  const matrices = trainedShapes(base.chain.parameters, base.trained).some(([, shape]) => shape.length !== 1)
  const shared = matrices || model.spread === false
  return { problem: shared ? base : { ...base, chain: perRow(base.chain, base.trained) }, shared }
}

/**
 * Draws of a problem from a key.
 *
 * @category readings
 * @since 0.1.0
 */
export const drawsOf = (problem: Problem, { conditions, initial }: Setup.Setup, key: Key.Key): Variance.Draws => ({
  uniform: (i) => Draw.uniform(Key.foldInString(Key.foldIn(key, i), 'cover'), [1]).data[0] ?? 0,
  request: (i, cover) => {
    const estimator = Est.always('drawn', cover)
    const asked = Requests.request({ ...problem, estimator }, conditions, Key.foldIn(key, i), initial)
    return { ...asked, weights: new Array<number>(problem.batch).fill(1) }
  }
})

// -------------------------------------------------------------------------------------
// who is measured
// -------------------------------------------------------------------------------------

/** The forms of the named estimators, or the one that was typed. */
const candidates = (
  { estimator }: CompareOptions,
  { shared }: Measuring,
  on: Facts & { readonly radius: number }
): Step<ReturnType<typeof compared>> =>
  estimator === undefined
    ? TE.right(compared(on))
    : pipe(
        estimatorOption(estimator),
        TE.flatMapEither(({ document, source }) =>
          pipe(
            document,
            Named.decode({ beneath: { radius: on.radius } }),
            E.flatMap((description) => (shared ? E.right(description) : bySample(description))),
            E.mapLeft(showDocument),
            E.flatMap((description) => pipe(description, Named.build(on), E.mapLeft(showError))),
            E.bimap(
              (reason) => usage(`${source}: ${reason}`),
              (one) => ({ contenders: [{ estimator: one, part: undefined }], misfits: [] })
            )
          )
        )
      )

/** Is a name asked for? */
const asked =
  ({ only = '' }: CompareOptions) =>
  (name: string): boolean =>
    only.split('|').some((text) => name.includes(text.trim()))

/** How many steps there are for each one that is scored, where a pilot finds the chances. */
const thinned = [5, 10]

/** Subsampled scores with given chances of the steps above the first. */
const byChances = (problem: Problem, inclusion: ReadonlyArray<number>): ReadonlyArray<Estimator> =>
  pipe(
    Named.decode()({ name: 'subsampled', inclusion }),
    E.mapLeft(showDocument),
    E.flatMap((description) =>
      pipe(description, Named.build(Named.facts(problem.chain, problem.reward)), E.mapLeft(showError))
    ),
    E.match(
      () => [],
      (estimator) => [estimator]
    )
  )

/**
 * How many estimators are asked for whose chances a pilot finds. Their names do not depend on them, but for their sum.
 *
 * @category readings
 * @since 0.1.0
 */
export const pilots = (options: CompareOptions, { problem, shared }: Measuring): number =>
  shared || options.estimator !== undefined
    ? 0
    : thinned
        .flatMap((n) => byChances(problem, new Array<number>(Math.max(problem.chain.T - 1, 0)).fill(1 / n)))
        .filter(({ name }) => asked(options)(name)).length

/**
 * What can stand on the problem, of what was asked for; what can not is said on stderr. Left: nothing can.
 *
 * @category readings
 * @since 0.1.0
 */
export const standing = (
  options: CompareOptions,
  measuring: Measuring,
  radius: number
): Step<ReadonlyArray<Contender>> =>
  pipe(
    candidates(options, measuring, { ...Named.facts(measuring.problem.chain, measuring.problem.reward), radius }),
    TE.flatMapEither(({ contenders, misfits }) => {
      const wanted = asked(options)
      const checked = contenders.map((contender) =>
        pipe(
          Gradient.check({ ...measuring.problem, estimator: contender.estimator }),
          E.bimap(
            (error) => `${contender.estimator.name}: ${Gradient.showError(error)}`,
            () => contender
          )
        )
      )
      const left = [...misfits, ...RA.lefts(checked)].filter(wanted)
      left.forEach((line) => process.stderr.write(`skipped: ${line}\n`))
      const chosen = RA.rights(checked).filter(({ estimator }) => wanted(estimator.name))
      const reason = left[0] ?? `--only: expected a part of the name of an estimator, got ${options.only ?? ''}`
      return chosen.length + pilots(options, measuring) > 0 ? E.right(chosen) : E.left(usage(reason))
    })
  )

/**
 * The estimator whose mean gives the direction of slopes: REINFORCE as it is by default, or the first that stands. It is measured
 * step by step where chances of steps are asked for, and the numbers of a sample are few.
 *
 * @category readings
 * @since 0.1.0
 */
export const pilotOf = (
  options: CompareOptions,
  measuring: Measuring,
  [first]: ReadonlyArray<Contender>
): Estimator => {
  const { problem } = measuring
  return pipe(
    Named.decode()({ name: 'reinforce' }),
    E.mapLeft(showDocument),
    E.flatMap((description) =>
      pipe(description, Named.build(Named.facts(problem.chain, problem.reward)), E.mapLeft(showError))
    ),
    E.flatMap((estimator) => pipe(Gradient.check({ ...problem, estimator }), E.mapLeft(Gradient.showError))),
    E.map(({ estimator }) =>
      pilots(options, measuring) > 0
        ? pipe(
            Variance.byStep(estimator),
            E.getOrElse(() => estimator)
          )
        : estimator
    ),
    E.getOrElse(() => first?.estimator ?? problem.estimator)
  )
}

/**
 * Subsampled scores whose chances are those of a pilot's steps; none where steps were not measured by themselves.
 *
 * @category readings
 * @since 0.1.0
 */
export const piloted = (
  options: CompareOptions,
  problem: Problem,
  pilot: Variance.Measured
): ReadonlyArray<Contender> => {
  // step 1, where it is scored, is paid in full
  const squares = Inclusion.squares(pilot).slice(1 - problem.chain.T)
  return squares.some(Number.isNaN)
    ? []
    : thinned
        .flatMap((n) => byChances(problem, Inclusion.allocate(squares, squares.length / n)))
        .filter(({ name }) => asked(options)(name))
        .map((estimator) => ({ estimator, part: undefined }))
}
