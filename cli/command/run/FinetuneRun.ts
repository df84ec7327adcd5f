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
import type * as Ledger from 'halforder/estimator/reading/Ledger'
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
import type { Judge, Measured, Standing } from './Judgement.js'
import * as Judgement from './Judgement.js'
import { modelFiles, save, write } from './RunFolder.js'
import { showStandings, standingsName, type Stood } from './Standings.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Everything that stands before the first step. `initial` are the base model's parameters; `state` is where the run
 * starts, and `history` what an earlier part of it wrote. `identity` tells the run from others; `opening` is what is
 * written before the first step; a checkpoint is written `every` so many seconds. After the steps in `marks` the model is measured
 * too, but where `stood` has that already.
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
  readonly marks: ReadonlyArray<number>
  readonly stood: ReadonlyArray<Stood>
}

/**
 * What a run is judged by. Rewards are of held-out noise, the same before and after; `gain` is in joint standard errors, and
 * so is `heldOutGain`, of the held-out reward (null where there is none). `kl` is the price of leaving the base model, with
 * the steps whose divergence is left out because they have no noise. `features` says in which space Fréchet distances are taken,
 * and `scales` what the rewards of a sum are divided by (null where they are not). `skippedRows` are the rows of all steps that
 * were left out because their reward is not finite, and `clippedShare` the mean share of terms that updates dropped because a ratio
 * was out of bounds. `along` is where the model stood on the way, where it was measured there. Evaluations and pullbacks are those of all
 * steps and rows; `computingOfStep` is the median of the steps' processor time, in seconds.
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
  readonly along: ReadonlyArray<Stood>
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
  readonly computingOfStep: number
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

const judged =
  (ready: Ready, when: string) =>
  (params: Values, base: Measured | undefined): Step<Measured> =>
    pipe(
      Judgement.measure(
        ready.judge,
        { ...ready.config, kl: priceOf(ready) },
        Key.foldInString(Key.make(ready.config.seed), 'held-out')
      )(params, base),
      TE.mapLeft((reason) => broken(`held-out samples ${when} the run: ${reason}`))
    )

const measure =
  (ready: Ready, held: Held) =>
  (params: Values, base: Measured | undefined): Step<Measured> => {
    const when = base === undefined ? 'before' : 'after'
    return pipe(
      judged(ready, when)(params, base),
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
  readonly stood: ReadonlyArray<Stood>
  /** Seconds of computing that the steps took, of those that this process ran. */
  readonly computing: ReadonlyArray<number>
}

/** What this process has computed, on all its threads, in seconds: it does not pass while others have the processor. */
const computed = (): number => process.cpuUsage().user / 1e6

const median = (values: ReadonlyArray<number>): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

/** Where the model stands on the way, which is kept before a checkpoint knows of the step. */
const along = (
  ready: Ready,
  held: Held,
  base: Measured,
  stood: ReadonlyArray<Stood>,
  { step, params }: Finetune.State
): Step<Stood> =>
  pipe(
    judged(ready, `after step ${step} of`)(params, base),
    TE.map(({ standing }): Stood => ({ step, ...standing })),
    TE.chainFirst((one) => write(held)(standingsName, showStandings([...stood, one])))
  )

/** Steps until the last one or until stopped, with a checkpoint every so often and at the end. */
const loop =
  (ready: Ready, held: Held, stop: AbortSignal, seconds: () => number, base: Measured): Step<Done> =>
  async () => {
    const { config, every, marks, run } = ready
    const { beta } = priceOf(ready)
    const bar = meter('fine-tune', config.steps, ready.state.step)
    const metrics = [...ready.history]
    const stood = [...ready.stood]
    const computing: Array<number> = []
    let from = computed()
    let state = ready.state
    let saved = seconds()
    const saveNow = (): Promise<E.Either<Failure, void>> => writeState(ready, held, state, metrics)()
    const measureHere = async (): Promise<E.Either<Failure, void>> => {
      const { step } = state
      if (!marks.includes(step) || step >= config.steps || stood.some((one) => one.step === step))
        return E.right(undefined)
      return pipe(
        await along(ready, held, base, stood, state)(),
        E.map((one) => void stood.push(one))
      )
    }
    // a run that goes on may be at a mark that it was not asked for before
    const first = await measureHere()
    if (E.isLeft(first)) return first
    from = computed()
    for await (const progress of Finetune.unfold(run, Key.make(config.seed), state, config.steps)) {
      // what was taken back from others is no fault of the run
      if (E.isLeft(progress) && stop.aborted) break
      if (E.isLeft(progress)) {
        bar.stop()
        await saveNow()
        return E.left(broken(Finetune.showError(progress.left)))
      }
      state = progress.right.state
      computing.push(computed() - from)
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
      const measured = await measureHere()
      if (E.isLeft(measured)) {
        bar.stop()
        return measured
      }
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
      from = computed()
      if (stop.aborted) break
    }
    bar.stop()
    return pipe(
      await saveNow(),
      E.map(() => ({ state, metrics, stood, computing }))
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
    TE.bind('done', ({ base }) => loop(ready, held, stop, seconds, base)),
    TE.chainFirst(({ done: { metrics } }) => write(held)('reward.svg', rewardPlot(problem.reward.name, metrics))),
    TE.chainFirst(({ done: { state } }) => writeModel(ready, held, state.params)),
    TE.bind('tuned', ({ base, done: { state } }) => measure(ready, held)(state.params, base)),
    TE.map(
      ({
        base: { standing: before },
        tuned: { standing: after },
        done: { state, metrics, stood, computing }
      }): Summary => {
        const stepCalls = lenses(problem.steps).reduce((total, { networkCalls }) => total + networkCalls, 0)
        const calls = { networkCalls: problem.chain.networkCalls, stepCalls, lookahead: problem.chain.lookahead }
        const { forward } = setup
        const { networkEvaluations, pullbackSteps } = forward ?? Inner.cost(problem.estimator, config.policy, calls)
        const shapes = trainedShapes(setup.base.chain.parameters, problem.trained)
        return {
          folder: held.folder,
          sheet: `after.${formatFor(ready.show)}`,
          reward: problem.reward.name,
          before,
          after,
          along: stood,
          gain: Judgement.gain(before, after),
          heldOutReward: O.toNullable(judge.heldOut),
          heldOutGain:
            before.heldOut === null || after.heldOut === null ? null : Judgement.gain(before.heldOut, after.heldOut),
          kl: { ...priceOf(ready), leftOut: leftOut(problem.chain.sigma, config.kl) },
          features: judge.features.about,
          scales: ready.scales === undefined ? null : Object.fromEntries(ready.scales),
          warning: Judgement.warning(before, after),
          evaluationSamples: config.evaluationSamples,
          estimator: forward?.name ?? problem.estimator.name,
          cover: forward === undefined ? Cover.show(problem.estimator.covers[0].cover) : 'no cells',
          objective: Objective.ofEstimator(problem.estimator),
          departures: departures(config, elements(problem.chain.state)),
          unpaidSteps:
            forward === undefined ? [...Est.unpaid(problem.estimator).keys()] : Cover.range(1, problem.chain.T),
          steps: state.step,
          skippedRows: metrics.reduce((n, { skipped }) => n + skipped, 0),
          clippedShare: metrics.reduce((n, one) => n + one.clippedShare, 0) / Math.max(metrics.length, 1),
          interrupted: state.step < config.steps,
          networkEvaluations: Math.round(networkEvaluations * config.batch * state.step),
          pullbackSteps: Math.round(pullbackSteps * config.batch * state.step),
          peakActivationBytes: Cost.peakActivationBytes(run.gradients).bytes,
          trainedParameters: shapes.reduce((n, [, shape]) => n + size(shape.map(Number)), 0),
          seconds: Math.round(seconds() * 10) / 10,
          computingOfStep: median(computing)
        }
      }
    ),
    TE.chainFirst((summary) => write(held)('summary.json', `${JSON.stringify(summary, null, 2)}\n`))
  )
}
