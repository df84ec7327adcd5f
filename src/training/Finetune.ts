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
import * as Optimizer from '../optimizer/Optimizer.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import { below, under, type Values } from '../tensor/Program.js'
import { first as firstNotFinite, type NotFinite, show as showNotFinite } from '../tensor/Finite.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import type { Executable, Target } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'
import type { Conditions } from './Conditions.js'
import * as Requests from './Requests.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a run is: steps done, all parameters by path, the optimizer's state by name, the advantage's state.
 *
 * @category model
 * @since 0.1.0
 */
export interface State {
  readonly step: number
  readonly params: Values
  readonly optimizer: Values
  readonly advantage: number
}

/**
 * What one step showed: the covers that were drawn, the rewards of its batch without those of rows that were skipped, how
 * many these were, and the Euclidean norm of the gradient.
 *
 * @category model
 * @since 0.1.0
 */
export interface Progress {
  readonly state: State
  readonly covers: ReadonlyArray<Cover>
  readonly rewards: ReadonlyArray<number>
  readonly skipped: number
  readonly gradientNorm: number
}

/**
 * Why a step was not made: what the estimator says, or the first number that is not finite. `step` is the one that
 * failed, counted from 1; the state before it is as it was.
 *
 * @category model
 * @since 0.1.0
 */
export type RunError =
  | { readonly _tag: 'AtStep'; readonly step: number; readonly error: EstimatorError }
  | { readonly _tag: 'NotFinite'; readonly step: number; readonly of: NotFiniteOf; readonly found: NotFinite }

/** What holds a number that is not finite, in the order in which a step makes them. */
type NotFiniteOf = 'gradient' | 'parameter' | 'optimizer'

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
}

// -------------------------------------------------------------------------------------
// the step
// -------------------------------------------------------------------------------------

/**
 * The optimizer's update as a program: `params.path, gradient.path, state...` to `params.path, state..., gradientNorm`.
 */
const updateProgram = (
  shapes: Readonly<Record<string, Shape>>,
  optimizer: Optimizer.Optimizer
): ReturnType<typeof Program.make> => {
  const stateShapes = optimizer.state(shapes)
  const inputs: Shapes = { params: shapes, gradient: shapes, state: stateShapes }
  return Program.make(inputs, (): Exprs => {
    const params: Exprs = Tree.inputs<Shapes>('params', shapes)
    const gradient: Exprs = Tree.inputs<Shapes>('gradient', shapes)
    const state: Exprs = Tree.inputs<Shapes>('state', stateShapes)
    // the reward is to rise and optimizers descend
    const loss = Tree.mapExprs(gradient, X.neg)
    const next = optimizer.update(loss, Tree.isExpr(state) ? {} : state, params)
    return {
      params: Optimizer.apply(params, next.step),
      state: next.state,
      gradientNorm: Optimizer.globalNorm(gradient)
    }
  })
}

/**
 * Compiles a run. Left: what the interpreter finds, a sampler that negates noise that is not symmetric, or an update that does
 * not compile.
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
    group = 1
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
    E.map(({ gradients, update }) => ({
      gradients,
      executables: { ...gradients.executables, update },
      start: (params) => ({ step: 0, params, optimizer: zeros(update), advantage: problem.advantage.initial }),
      step: (key, state) => step({ problem, gradients, update, conditions, sampler, group }, key, state),
      dispose: async () => {
        await gradients.dispose()
        await update.dispose()
      }
    }))
  )
}

/** Every state of an optimizer starts at zero. */
const zeros = (update: Executable): Values =>
  Object.fromEntries(
    update.program.inputs.flatMap(({ name, shape }) =>
      name.startsWith('state') ? [[name, T.toFloat32(T.fill(shape, 0))]] : []
    )
  )

interface Compiled {
  readonly problem: AnyProblem
  readonly gradients: Gradients
  readonly update: Executable
  readonly conditions: Conditions
  readonly sampler: Sampler
  readonly group: number
}

const step = (
  { problem, gradients, update, conditions, sampler, group }: Compiled,
  runKey: Key.Key,
  state: State
): TE.TaskEither<RunError, Progress> => {
  const number = state.step + 1
  const key = Key.foldIn(Key.foldInString(runKey, 'step'), state.step)
  const drawn = sampler.draw(Requests.uniforms(key))
  const asked = Requests.onStreams(
    { problem, conditions, params: state.params, advantageState: state.advantage, group },
    key
  )
  const atStep = (error: EstimatorError): RunError => ({ _tag: 'AtStep', step: number, error })
  return pipe(
    runSampled(gradients, drawn, asked),
    TE.mapLeft(atStep),
    TE.bindTo('estimate'),
    TE.bind('gradient', ({ estimate }) => finite(number, 'gradient', Requests.gather(problem, estimate.gradient))),
    TE.bind('updated', ({ gradient }) => {
      const inputs = { ...trainedOnly(state.params, gradient), ...under('gradient', gradient), ...state.optimizer }
      return pipe(Build.run('update', update)(inputs), TE.mapLeft(atStep))
    }),
    TE.bind('params', ({ updated }) => finite(number, 'parameter', below('params', updated))),
    TE.bind('rest', ({ updated: { gradientNorm = T.scalar(Number.NaN), ...updated } }) =>
      finite(number, 'optimizer', { ...statesIn(updated), 'norm of the gradient': gradientNorm })
    ),
    TE.map(({ estimate, params, updated }) => ({
      covers: drawn.map(({ cover }) => cover),
      rewards: estimate.rewards.filter((_, row) => !estimate.skipped.includes(row)),
      skipped: estimate.skipped.length,
      gradientNorm: updated['gradientNorm']?.data[0] ?? Number.NaN,
      state: {
        step: number,
        params: { ...state.params, ...params },
        optimizer: statesIn(updated),
        advantage: estimate.advantageState
      }
    }))
  )
}

const statesIn = (updated: Values): Values =>
  Object.fromEntries(Object.entries(updated).filter(([name]) => name.startsWith('state')))

const finite = (step: number, of: NotFiniteOf, values: Values): TE.TaskEither<RunError, Values> => {
  const found = firstNotFinite(values)
  return found === undefined ? TE.right(values) : TE.left({ _tag: 'NotFinite', step, of, found })
}

const trainedOnly = (params: Values, gradient: Values): Values =>
  under('params', Object.fromEntries(Object.entries(params).filter(([path]) => path in gradient)))

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
  optimizer: "an optimizer's state where "
}
