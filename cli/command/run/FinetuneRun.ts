/**
 * A run of the fine-tuning loop in its folder: measure, step, checkpoint, measure again, draw.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { showError as showDocument } from 'halforder/document/Document'
import * as Cover from 'halforder/estimator/Cover'
import * as Est from 'halforder/estimator/Estimator'
import * as Objective from 'halforder/estimator/Objective'
import { elements } from 'halforder/estimator/policy/Surrogate'
import { trainedShapes } from 'halforder/estimator/program/Programs'
import * as Cost from 'halforder/estimator/reading/Cost'
import * as Ledger from 'halforder/estimator/reading/Ledger'
import { type Model, showError as showModel } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import { leftOut } from 'halforder/reward/Kl'
import { lenses } from 'halforder/reward/StepReward'
import type { Show } from 'halforder/task/Task'
import type { Values } from 'halforder/tensor/Program'
import { rows, size, type Tensor } from 'halforder/tensor/Tensor'
import * as Checkpoint from 'halforder/training/Checkpoint'
import type * as Config from 'halforder/training/Config'
import * as Evaluation from 'halforder/training/measure/Evaluation'
import * as Finetune from 'halforder/training/Finetune'
import * as Inner from 'halforder/training/policy/Inner'
import { departures } from 'halforder/training/Descent'
import { priced } from 'halforder/training/Penalty'
import type * as Setup from 'halforder/training/Setup'
import { broken, type Failure, type Step } from '../../edge/Failure.js'
import type { Held } from '../../edge/Lock.js'
import { showMetrics, type Metrics } from '../../edge/Metrics.js'
import { formatFor, picture, pictured } from '../../edge/Pictures.js'
import { meter } from '../../edge/Progress.js'
import { rewardPlot } from '../../edge/RewardPlot.js'
import type { Judge, Level, Measured, Standing } from './Judgement.js'
import * as Judgement from './Judgement.js'
import { modelFiles, save, write } from './RunFolder.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Everything that stands before the first step. `initial` are the base model's parameters; `state` is where the run
 * starts, and `history` what an earlier part of it wrote. `identity` tells the run from others; `opening` is what is
 * written before the first step; a checkpoint is written `every` so many seconds.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ready {
  readonly config: Config.Config
  readonly identity: Checkpoint.Identity
  readonly setup: Setup.Setup
  readonly run: Finetune.Run
  readonly judge: Judge
  readonly initial: Values
  /** What the outputs of the chain stand for. */
  readonly decoded: (outputs: Tensor) => TE.TaskEither<string, Tensor>
  readonly show: Show
  readonly model: Model
  /** What rewards are divided by in a sum, by name. */
  readonly scales: ReadonlyMap<string, number> | undefined
  readonly state: Finetune.State
  readonly history: ReadonlyArray<Metrics>
  readonly opening: 'all' | 'config' | 'nothing'
  readonly every: number
}

/**
 * What a run is judged by. Rewards are of held-out noise, the same before and after; `gain` is in joint standard errors, and
 * so is `heldOutGain`, of the held-out reward (null where there is none). `kl` is the price of leaving the base model, with
 * the steps whose divergence is left out because they have no noise. `features` says in which space Fréchet distances are taken,
 * and `scales` what the rewards of a sum are divided by (null where they are not). `skippedRows` are the rows of all steps that
 * were left out because their reward is not finite, and `clippedShare` the mean share of terms that updates dropped because a ratio
 * was out of bounds. Evaluations and pullbacks are those of all
 * steps and rows.
 *
 * @category model
 * @since 0.1.0
 */
export interface Summary {
  readonly folder: string
  readonly sheet: string
  readonly reward: string
  readonly before: Standing
  readonly after: Standing
  readonly gain: number
  readonly heldOutReward: string | null
  readonly heldOutGain: number | null
  readonly kl: Config.Config['kl'] & { readonly leftOut: ReadonlyArray<number> }
  readonly features: string
  readonly scales: Readonly<Record<string, number>> | null
  readonly warning: string | null
  readonly evaluationSamples: number
  readonly estimator: string
  readonly cover: string
  readonly objective: Objective.Objective
  readonly departures: ReadonlyArray<Ledger.Departure>
  readonly unpaidSteps: ReadonlyArray<number>
  readonly steps: number
  readonly skippedRows: number
  readonly clippedShare: number
  readonly interrupted: boolean
  readonly networkEvaluations: number
  readonly pullbackSteps: number
  readonly peakActivationBytes: number
  readonly trainedParameters: number
  readonly seconds: number
}

// -------------------------------------------------------------------------------------
// stages
// -------------------------------------------------------------------------------------

const writeSheet = ({ decoded, show }: Ready, held: Held, name: string, outputs: Tensor): Step<void> =>
  pipe(
    decoded(rows(0, pictured(show))(outputs)),
    TE.flatMap(picture(show)),
    TE.mapLeft(broken),
    TE.flatMap((png) => write(held)(name, png))
  )

/** What a unit of divergence costs, on the states of the chain. */
const priceOf = ({ config, setup: { problem } }: Ready): Config.Config['kl'] =>
  priced(config, elements(problem.chain.state))

const measure =
  (ready: Ready, held: Held) =>
  (params: Values, base: Measured | undefined): Step<Measured> => {
    const { config, judge } = ready
    const when = base === undefined ? 'before' : 'after'
    return pipe(
      Judgement.measure(
        judge,
        { ...config, kl: priceOf(ready) },
        Key.foldInString(Key.make(config.seed), 'held-out')
      )(params, base),
      TE.mapLeft((reason) => broken(`held-out samples ${when} the run: ${reason}`)),
      TE.chainFirst(({ images }) => writeSheet(ready, held, `${when}.${formatFor(ready.show)}`, images))
    )
  }

const writeConfig = ({ config }: Ready, held: Held): Step<void> =>
  write(held)('config.json', `${JSON.stringify(config, null, 2)}\n`)

const writeState = ({ identity }: Ready, held: Held, at: Finetune.State, metrics: ReadonlyArray<Metrics>): Step<void> =>
  pipe(
    // metrics first: a checkpoint never knows of steps that they lack
    write(held)('metrics.jsonl', metrics.map(showMetrics).join('')),
    TE.flatMap(() => save(held, identity)(Checkpoint.ofState(at)))
  )

/**
 * A new run begins with its checkpoint, so that its folder can be resumed from then on; one that goes on may be longer.
 */
const open = (ready: Ready, held: Held): Step<void> => {
  if (ready.opening === 'nothing') return TE.right(undefined)
  if (ready.opening === 'config') return writeConfig(ready, held)
  return pipe(
    save(held, ready.identity)(Checkpoint.ofState(ready.state)),
    TE.flatMap(() => writeConfig(ready, held))
  )
}

/** The whole model as it is now, for other commands and other tools, in f32. */
const writeModel = ({ config, model, setup }: Ready, held: Held, params: Values): Step<void> =>
  pipe(
    setup.finished(params),
    E.mapLeft((error) => broken(showDocument(error))),
    E.flatMap((values) =>
      pipe(
        E.Do,
        E.bind('file', () => model.encode(values, { ...model.metadata, config: JSON.stringify(config) }, 'own')),
        E.bind('beside', (): ReturnType<NonNullable<Model['beside']>> => model.beside?.(values) ?? E.right({})),
        E.mapLeft((error) => broken(showModel(error)))
      )
    ),
    TE.fromEither,
    TE.flatMap(({ file, beside }) =>
      pipe(
        Object.entries({ ...beside, [model.file ?? modelFiles[0]]: file }),
        TE.traverseSeqArray(([name, content]) => write(held)(name, content))
      )
    ),
    TE.map(() => undefined)
  )

/** Where the loop stopped. */
interface Done {
  readonly state: Finetune.State
  readonly metrics: ReadonlyArray<Metrics>
}

/** Steps until the last one or until stopped, with a checkpoint every so often and at the end. */
const loop =
  (ready: Ready, held: Held, stop: AbortSignal, seconds: () => number): Step<Done> =>
  async () => {
    const { config, every, run } = ready
    const { beta } = priceOf(ready)
    const bar = meter('fine-tune', config.steps, ready.state.step)
    const metrics = [...ready.history]
    let state = ready.state
    let saved = seconds()
    const saveNow = (): Promise<E.Either<Failure, void>> => writeState(ready, held, state, metrics)()
    for await (const progress of Finetune.unfold(run, Key.make(config.seed), state, config.steps)) {
      if (E.isLeft(progress)) {
        bar.stop()
        await saveNow()
        return E.left(broken(Finetune.showError(progress.left)))
      }
      state = progress.right.state
      const { mean, standardError } = Evaluation.summary(progress.right.rewards)
      const { clippedShare, gradientNorm, skipped, stepRewards } = progress.right
      // the rewards on the way are those of the penalty
      const { mean: paid } = Evaluation.summary(stepRewards)
      metrics.push({
        step: state.step,
        rewardMean: mean,
        rewardStandardError: standardError,
        klMean: beta === 0 ? NaN : Math.abs(paid) / beta,
        objectiveMean: mean + paid,
        gradientNorm,
        skipped,
        clippedShare,
        seconds: seconds()
      })
      bar.update(state.step, `reward ${mean.toFixed(3)}`)
      if (seconds() - saved >= every) {
        const written = await saveNow()
        if (E.isLeft(written)) {
          bar.stop()
          return written
        }
        saved = seconds()
      }
      // a turn of the event loop, or signals would wait until the end
      await new Promise((resume) => setImmediate(resume))
      if (stop.aborted) break
    }
    bar.stop()
    return pipe(
      await saveNow(),
      E.map(() => ({ state, metrics }))
    )
  }

/**
 * Runs it all: the folder then has `config.json`, `metrics.jsonl`, `checkpoint.safetensors`, `model.safetensors` (or as its format is called),
 * `before.png`, `after.png`, `reward.svg` and `summary.json`. When `stop` is aborted it ends after the step under way,
 * with the same files.
 *
 * @category effects
 * @since 0.1.0
 */
export const execute = (ready: Ready, held: Held, stop: AbortSignal): Step<Summary> => {
  const { config, setup, run, initial, judge, history } = ready
  const { problem } = setup
  const began = performance.now() - 1000 * (history.at(-1)?.seconds ?? 0)
  const seconds = (): number => (performance.now() - began) / 1000
  return pipe(
    open(ready, held),
    TE.flatMap(() => measure(ready, held)(initial, undefined)),
    TE.bindTo('base'),
    TE.bind('done', () => loop(ready, held, stop, seconds)),
    TE.chainFirst(({ done: { metrics } }) => write(held)('reward.svg', rewardPlot(problem.reward.name, metrics))),
    TE.chainFirst(({ done: { state } }) => writeModel(ready, held, state.params)),
    TE.bind('tuned', ({ base, done: { state } }) => measure(ready, held)(state.params, base)),
    TE.map(({ base: { standing: before }, tuned: { standing: after }, done: { state, metrics } }): Summary => {
      const stepCalls = lenses(problem.steps).reduce((total, { networkCalls }) => total + networkCalls, 0)
      const { networkEvaluations, pullbackSteps } = Inner.cost(problem.estimator, config.policy, {
        networkCalls: problem.chain.networkCalls,
        stepCalls,
        lookahead: problem.chain.lookahead
      })
      const shapes = trainedShapes(setup.base.chain.parameters, problem.trained)
      return {
        folder: held.folder,
        sheet: `after.${formatFor(ready.show)}`,
        reward: problem.reward.name,
        before,
        after,
        gain: Judgement.gain(before, after),
        heldOutReward: O.toNullable(judge.heldOut),
        heldOutGain:
          before.heldOut === null || after.heldOut === null ? null : Judgement.gain(before.heldOut, after.heldOut),
        kl: { ...priceOf(ready), leftOut: leftOut(problem.chain.sigma, config.kl) },
        features: judge.features.about,
        scales: ready.scales === undefined ? null : Object.fromEntries(ready.scales),
        warning: Judgement.warning(before, after),
        evaluationSamples: config.evaluationSamples,
        estimator: problem.estimator.name,
        cover: Cover.show(problem.estimator.covers[0].cover),
        objective: Objective.ofEstimator(problem.estimator),
        departures: departures(config, elements(problem.chain.state)),
        unpaidSteps: [...Est.unpaid(problem.estimator).keys()],
        steps: state.step,
        skippedRows: metrics.reduce((n, { skipped }) => n + skipped, 0),
        clippedShare: metrics.reduce((n, one) => n + one.clippedShare, 0) / Math.max(metrics.length, 1),
        interrupted: state.step < config.steps,
        networkEvaluations: Math.round(networkEvaluations * config.batch * state.step),
        pullbackSteps: Math.round(pullbackSteps * config.batch * state.step),
        peakActivationBytes: Cost.peakActivationBytes(run.gradients).bytes,
        trainedParameters: shapes.reduce((n, [, shape]) => n + size(shape.map(Number)), 0),
        seconds: Math.round(seconds() * 10) / 10
      }
    }),
    TE.chainFirst((summary) => write(held)('summary.json', `${JSON.stringify(summary, null, 2)}\n`))
  )
}

const signed = (n: number): string => `${n >= 0 ? '+' : ''}${n.toFixed(1)}`

/**
 * A summary for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const describe = (summary: Summary): string => {
  const level = ({ mean, standardError, skipped }: Level): string =>
    `${mean.toFixed(3)} +- ${standardError.toFixed(3)}${skipped === 0 ? '' : `, ${skipped} skipped`}`
  const { before, after, unpaidSteps: unpaid } = summary
  const moved = (from: number, to: number): string => `${from.toPrecision(3)} to ${to.toPrecision(3)}`
  return [
    `${summary.reward}, on ${summary.evaluationSamples} held-out samples`,
    `  before     ${level(before)}`,
    `  after      ${level(after)}   (${signed(summary.gain)} joint standard errors)`,
    before.heldOut === null || after.heldOut === null
      ? '  held out   the task has no judge of this reward'
      : `  held out   ${level(before.heldOut)} to ${level(after.heldOut)}   (${signed(summary.heldOutGain ?? NaN)}), ${summary.heldOutReward} by another judge`,
    `  diversity  mean distance of two outputs ${moved(before.pairwiseDistance, after.pairwiseDistance)}; Frechet distance to the base ${after.frechetToBase.toPrecision(3)}`,
    after.kl === null
      ? '  KL         none to the base, since no step of the chain that is measured has noise'
      : `  KL         ${level(after.kl)} to the base${summary.kl.beta === 0 ? '' : `, at ${summary.kl.beta} each: objective ${level(before.objective)} to ${level(after.objective)}`}`,
    ...(summary.warning === null ? [] : [`  warning    ${summary.warning}`]),
    `  estimator  ${summary.estimator}: ${summary.cover}`,
    `             ${unpaid.length === 0 ? `unbiased for ${summary.objective}` : `biased: steps ${Cover.showSteps(unpaid)} are not paid once`}`,
    ...summary.departures.map((one) => `             departs: ${Ledger.showDeparture(one)}`),
    `  cost       ${summary.networkEvaluations} network evaluations, ${(summary.peakActivationBytes / 2 ** 20).toFixed(1)} MiB of activations at the peak`,
    ...(summary.skippedRows === 0
      ? []
      : [`  skipped    ${summary.skippedRows} rows of all steps, whose reward is not finite`]),
    `  ${summary.interrupted ? 'stopped' : 'done'} after ${summary.steps} steps and ${summary.seconds} s; see ${summary.folder}/${summary.sheet} and reward.svg`,
    ''
  ].join('\n')
}
