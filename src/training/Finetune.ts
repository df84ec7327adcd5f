/**
 * The fine-tuning loop: a pure step over a state, unfolded as a stream.
 *
 * Every draw of step `n` comes from the seed and `n` alone, so a run that is stopped and resumed gives the same bits as
 * one that is not.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cover } from '../estimator/Cover.js'
import * as Gradient from '../estimator/Gradient.js'
import type { AnyProblem, EstimatorError, Gradients, Interpreter, Problem } from '../estimator/Gradient.js'
import { check as checkSampler, ofEstimator, run as runSampled, type Sampler } from '../estimator/Sampler.js'
import type { Params } from '../lens/Lens.js'
import type * as Optimizer from '../optimizer/Optimizer.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import type { Values } from '../tensor/Program.js'
import { show as showNotFinite } from '../tensor/Finite.js'
import type { Batched } from '../tensor/Shape.js'
import type { Executable, Target } from '../tensor/Target.js'
import { map, toFloat32 } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Conditions } from './Conditions.js'
import * as Critic from './Critic.js'
import * as Inner from './policy/Inner.js'
import {
  atStep,
  finite,
  move,
  moves,
  type Moving,
  type NotFiniteOf,
  type Reused,
  reusing,
  type RunError
} from './policy/Moves.js'
import * as Requests from './Requests.js'
import { updateProgram, zeros } from './Update.js'

export type { RunError } from './policy/Moves.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a run is: steps done, all parameters by path, the optimizer's state by name, the advantage's state, and the critic
 * with the state of its optimizer, where the problem has one. `old` are the trained parameters of the policy that samples, where that is another.
 *
 * @category model
 * @since 0.1.0
 */
export interface State {
  readonly step: number
  readonly params: Values
  readonly optimizer: Values
  readonly advantage: number
  readonly critic?: Values
  readonly old?: Values
}

/**
 * What one step showed: the covers that were drawn, the rewards of its batch and the sums of those on the way, without those of
 * rows that were skipped, how many these were, the Euclidean norm of the gradient, that of the last update, and the share of
 * terms that its updates dropped because a ratio was out of bounds.
 *
 * @category model
 * @since 0.1.0
 */
export interface Progress {
  readonly state: State
  readonly covers: ReadonlyArray<Cover>
  readonly rewards: ReadonlyArray<number>
  readonly stepRewards: ReadonlyArray<number>
  readonly skipped: number
  readonly gradientNorm: number
  readonly clippedShare: number
}

/**
 * A compiled run. `step` is a function of the state and the key of the run only. `executables` are all that it may run,
 * by name: those of the estimator, and the optimizer's `update`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Run {
  readonly gradients: Gradients
  readonly executables: Readonly<Record<string, Executable>>
  readonly start: (params: Values) => State
  readonly step: (key: Key.Key, state: State) => TE.TaskEither<RunError, Progress>
  readonly dispose: () => Promise<void>
}

/**
 * How a problem is trained.
 *
 * - `optimizer`: how the gradient, which is ascended, moves the parameters.
 * - `conditions`: draws what the samples of a step are asked for.
 * - `target`: where programs run.
 * - `interpreter`: how gradients are had of the problem (`Gradient.on(target)` by default).
 * - `group`: so many samples in a row have the same condition (1 by default), for advantages within groups, as in GRPO.
 * - `sampler`: how the covers of a step are drawn (by default one of the problem's estimator's): `Algebra.sampler` of a term,
 *   or one of your own. It stands in the place of the problem's estimator.
 * - `inner`: several updates from the samples of a step (one, by default).
 * - `trailing`: samples are of a policy that keeps so large a share of itself at each step, the rest being the one that is trained. Only an
 *   interpreter that reads a request's `old` samples from it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly optimizer: Optimizer.Optimizer
  readonly conditions: Conditions
  readonly target: Target
  readonly interpreter?: Interpreter
  readonly sampler?: Sampler
  readonly group?: number
  readonly inner?: Inner.Inner
  readonly trailing?: number
}

// -------------------------------------------------------------------------------------
// the step
// -------------------------------------------------------------------------------------

/**
 * Compiles a run. A problem with a value by the name of `Critic.critic` has it fitted on the way. Left: what the interpreter
 * finds, a sampler that negates noise that is not symmetric, cells without a ratio where samples are used again, or an update that
 * does not compile.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  posed: Problem<P, S, C, R>,
  {
    optimizer,
    conditions,
    target,
    interpreter = Gradient.on(target),
    sampler = ofEstimator(posed.estimator),
    group = 1,
    inner,
    trailing
  }: Options
): E.Either<EstimatorError, Run> => {
  const problem = { ...posed, estimator: sampler.support }
  return pipe(
    E.Do,
    E.bindW('gradients', () => interpreter(problem)),
    E.chainFirstW(({ gradients }) => checkSampler(gradients, sampler)),
    E.bindW('update', () =>
      Build.build(target, { batch: problem.batch })('update', updateProgram(Requests.sharedShapes(problem), optimizer))
    ),
    E.bindW('critic', () => {
      const lens = posed.values?.get(Critic.critic)
      return lens === undefined ? E.right(undefined) : Critic.compile(posed, lens, target)
    }),
    E.bindW('reused', () =>
      inner === undefined || Inner.isPlain(inner) ? E.right(undefined) : reusing(problem, inner, target)
    ),
    E.map(({ gradients, update, critic, reused }) => ({
      gradients,
      executables: { ...gradients.executables, ...reused?.surrogate.executables, ...critic?.executables, update },
      start: (params) => ({
        step: 0,
        params,
        optimizer: zeros(update),
        advantage: problem.advantage.initial,
        ...(critic === undefined ? {} : { critic: critic.start(firstCritic) }),
        ...(trailing === undefined ? {} : { old: trainedOf(problem, params) })
      }),
      step: (key, state) =>
        step({ problem, gradients, update, critic, conditions, sampler, group, reused, trailing }, key, state),
      dispose: async () => {
        await gradients.dispose()
        await update.dispose()
        await reused?.surrogate.dispose()
        await critic?.dispose()
      }
    }))
  )
}

/** The values of what is trained. */
const trainedOf = (problem: AnyProblem, params: Values): Values => {
  const paths = new Set(Object.keys(Requests.sharedShapes(problem)))
  return Object.fromEntries(Object.entries(params).filter(([path]) => paths.has(path)))
}

/** A policy that keeps a share of itself, the rest being the one that is trained. */
const trailed = (share: number, old: Values, params: Values): Values =>
  Object.fromEntries(
    Object.entries(old).map(([path, value]) => {
      const fresh = params[path]
      return [
        path,
        fresh === undefined ? value : toFloat32(map((v, i) => share * v + (1 - share) * (fresh.data[i] ?? 0))(value))
      ]
    })
  )

/** Every run's critic starts from the same numbers. */
const firstCritic = Key.foldInString(Key.make(0), Critic.critic)

interface Compiled extends Moving {
  readonly gradients: Gradients
  readonly critic: Critic.Critic | undefined
  readonly conditions: Conditions
  readonly sampler: Sampler
  readonly group: number
  readonly reused: Reused | undefined
  readonly trailing: number | undefined
}

/** The same gradients, which tell what was asked and what came of it. */
const watched = (gradients: Gradients, tell: (batch: Critic.Whole) => void): Gradients => ({
  ...gradients,
  run: (request) =>
    pipe(
      gradients.run(request),
      TE.map((estimate) => {
        tell({ request, estimate })
        return estimate
      })
    )
})

const step = (compiled: Compiled, runKey: Key.Key, state: State): TE.TaskEither<RunError, Progress> => {
  const { problem, gradients, critic, conditions, sampler, group, reused, trailing } = compiled
  const number = state.step + 1
  const key = Key.foldIn(Key.foldInString(runKey, 'step'), state.step)
  const drawn = sampler.draw(Requests.uniforms(key), state.step)
  const asked = Requests.onStreams(
    { problem, conditions, params: state.params, advantageState: state.advantage, group },
    key
  )
  const before = state.critic ?? {}
  const old = state.old
  const beside = {
    ...(old === undefined ? {} : { old: Requests.copies(problem, problem.batch, { ...state.params, ...old }) }),
    ...(critic === undefined ? {} : { learned: critic.learned(before) }),
    ...(reused === undefined ? {} : { credit: false }),
    ...(critic === undefined && reused === undefined ? { samples: false } : {})
  }
  const seen: Array<Critic.Whole> = []
  const running =
    critic === undefined && reused === undefined ? gradients : watched(gradients, (batch) => seen.push(batch))
  return pipe(
    runSampled(running, drawn, (stream, cover) => ({ ...asked(stream, cover), ...beside })),
    TE.mapLeft(atStep(number)),
    TE.bindTo('estimate'),
    TE.bind('moved', ({ estimate }) =>
      reused === undefined
        ? pipe(
            move(compiled, number)(state, Requests.gather(problem, estimate.gradient)),
            TE.map((moved) => ({ ...moved, clippedShare: 0 }))
          )
        : moves(
            { ...compiled, reused },
            key,
            state,
            seen.map((one, i) => ({ ...one, coefficient: drawn[i]?.coefficient ?? 0 }))
          )
    ),
    TE.bind('fitted', () =>
      critic === undefined ? TE.right({}) : pipe(critic.fit(before, seen), TE.mapLeft(atStep(number)))
    ),
    TE.bind('critic', ({ fitted }) => finite(number, 'critic', fitted)),
    TE.map(({ critic: fitted, estimate, moved: { params, optimizer, gradientNorm, clippedShare } }) => ({
      covers: drawn.map(({ cover }) => cover),
      rewards: estimate.rewards.filter((_, row) => !estimate.skipped.includes(row)),
      stepRewards: estimate.stepRewards.filter((_, row) => !estimate.skipped.includes(row)),
      skipped: estimate.skipped.length,
      gradientNorm,
      clippedShare,
      state: {
        step: number,
        params,
        optimizer,
        advantage: estimate.advantageState,
        ...(critic === undefined ? {} : { critic: fitted }),
        ...(old === undefined || trailing === undefined ? {} : { old: trailed(trailing, old, params) })
      }
    }))
  )
}

// -------------------------------------------------------------------------------------
// the stream
// -------------------------------------------------------------------------------------

/**
 * Unfolds a run from a state until `steps` steps are done, yielding each step's progress. It ends after the first left.
 *
 * @category interpreters
 * @since 0.1.0
 */
export async function* unfold(
  run: Run,
  key: Key.Key,
  from: State,
  steps: number
): AsyncGenerator<E.Either<RunError, Progress>, void> {
  let state = from
  while (state.step < steps) {
    const progress = await run.step(key, state)()
    yield progress
    if (E.isLeft(progress)) return
    state = progress.right.state
  }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * One line for a person: the step, what is wrong, what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: RunError): string =>
  error._tag === 'AtStep'
    ? `step ${error.step}: ${Gradient.showError(error.error)}`
    : `step ${error.step}: expected finite numbers, got ${parts[error.of]}${showNotFinite(error.found)}; ` +
      'lower optimizer.learningRate or estimator.radius, or clip'

const parts: Readonly<Record<NotFiniteOf, string>> = {
  gradient: 'a gradient where ',
  parameter: 'an update where ',
  optimizer: "an optimizer's state where ",
  critic: 'a critic where '
}
