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
import { draw } from '../estimator/Estimator.js'
import * as Cover from '../estimator/Cover.js'
import * as Gradient from '../estimator/Gradient.js'
import type { EstimatorError, Gradients, Problem, Request } from '../estimator/Gradient.js'
import { directionShapes, trainedShapes } from '../estimator/Programs.js'
import type { Params } from '../lens/Lens.js'
import * as Optimizer from '../optimizer/Optimizer.js'
import { draw32 } from '../random/Density.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import { below, under, type Values } from '../tensor/Program.js'
import { first as firstNotFinite, type NotFinite, show as showNotFinite } from '../tensor/Finite.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import type { Executable, Target } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'
import type { Conditions } from './Conditions.js'

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
 * What one step showed: the cover that was drawn, the rewards of its batch and the sums of those on the way, without those of
 * rows that were skipped, how many these were, and the Euclidean norm of the gradient.
 *
 * @category model
 * @since 0.1.0
 */
export interface Progress {
  readonly state: State
  readonly cover: Cover.Cover
  readonly rewards: ReadonlyArray<number>
  readonly stepRewards: ReadonlyArray<number>
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
 * Compiles a run on a target. Left: what `Gradient.compile` finds, or an update that does not compile.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  optimizer: Optimizer.Optimizer,
  conditions: Conditions,
  target: Target
): E.Either<EstimatorError, Run> => {
  const shapes = Object.fromEntries(
    trainedShapes(problem.chain.parameters, problem.trained).map(([path, shape]) => [path, shared(shape)])
  )
  return pipe(
    E.Do,
    E.bindW('gradients', () => Gradient.compile(problem, target)),
    E.bindW('update', () => Build.build(target, { batch: problem.batch })('update', updateProgram(shapes, optimizer))),
    E.map(({ gradients, update }) => ({
      gradients,
      executables: { ...gradients.executables, update },
      start: (params) => ({ step: 0, params, optimizer: zeros(update), advantage: problem.advantage.initial }),
      step: (key, state) => step(problem, gradients, update, conditions, key, state),
      dispose: async () => {
        await gradients.dispose()
        await update.dispose()
      }
    }))
  )
}

/** The shape of a parameter without the copies that each row may have of it. */
const shared = (shape: Shape): Shape => (shape[0] === 'batch' ? shape.slice(1) : shape)

/** A copy for each row of the parameters that are declared so. */
const spread = (shapes: ReadonlyMap<string, Shape>, batch: number, params: Values): Values =>
  Object.fromEntries(
    Object.entries(params).map(([path, value]) => {
      if (shapes.get(path)?.[0] !== 'batch') return [path, value]
      const n = value.data.length
      const data = new Float32Array(batch * n)
      for (let row = 0; row < batch; row++) data.set(value.data, row * n)
      return [path, { shape: [batch, ...value.shape], data }]
    })
  )

/** The gradient of the shared parameters: the sum of the rows' where each row has a copy. */
const gather = (shapes: ReadonlyMap<string, Shape>, gradient: Values): Values =>
  Object.fromEntries(
    Object.entries(gradient).map(([path, value]) => {
      if (shapes.get(path)?.[0] !== 'batch') return [path, value]
      const shape = value.shape.slice(1)
      const data = new Float32Array(T.size(shape))
      value.data.forEach((g: number, i: number) => {
        data[i % data.length] = (data[i % data.length] ?? 0) + g
      })
      return [path, { shape, data }]
    })
  )

/** Every state of an optimizer starts at zero. */
const zeros = (update: Executable): Values =>
  Object.fromEntries(
    update.program.inputs.flatMap(({ name, shape }) =>
      name.startsWith('state') ? [[name, T.toFloat32(T.fill(shape, 0))]] : []
    )
  )

const step = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  gradients: Gradients,
  update: Executable,
  conditions: Conditions,
  runKey: Key.Key,
  state: State
): TE.TaskEither<RunError, Progress> => {
  const number = state.step + 1
  const key = Key.foldIn(Key.foldInString(runKey, 'step'), state.step)
  const asked = request(problem, conditions, key, state.params, state.advantage)
  const shapes = new Map(trainedShapes(problem.chain.parameters, problem.trained))
  const atStep = (error: EstimatorError): RunError => ({ _tag: 'AtStep', step: number, error })
  return pipe(
    gradients.run(asked),
    TE.mapLeft(atStep),
    TE.bindTo('estimate'),
    TE.bind('gradient', ({ estimate }) => finite(number, 'gradient', gather(shapes, estimate.gradient))),
    TE.bind('updated', ({ gradient }) => {
      const inputs = { ...trainedOnly(state.params, gradient), ...under('gradient', gradient), ...state.optimizer }
      return pipe(Build.run('update', update)(inputs), TE.mapLeft(atStep))
    }),
    TE.bind('params', ({ updated }) => finite(number, 'parameter', below('params', updated))),
    TE.bind('rest', ({ updated: { gradientNorm = T.scalar(Number.NaN), ...updated } }) =>
      finite(number, 'optimizer', { ...statesIn(updated), 'norm of the gradient': gradientNorm })
    ),
    TE.map(({ estimate, params, updated }) => ({
      cover: asked.cover,
      rewards: estimate.rewards.filter((_, row) => !estimate.skipped.includes(row)),
      stepRewards: estimate.stepRewards.filter((_, row) => !estimate.skipped.includes(row)),
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

/**
 * Everything that one gradient depends on, drawn from a key: the cover, the noises, the conditioning, and the
 * directions of the cover's zeroth-order cell. The weights are those of the batch mean. Parameters that the chain keeps
 * for each row (`Chain.perRow`) are given shared, and copied.
 *
 * @category utils
 * @since 0.1.0
 */
export const request = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  conditions: Conditions,
  key: Key.Key,
  params: Values,
  advantageState = problem.advantage.initial
): Request => {
  const { batch, estimator } = problem
  const [uniform = 0] = Draw.uniform(Key.foldInString(key, 'cover'), [1]).data
  const cover = draw(estimator, uniform)
  return {
    cover,
    params: spread(new Map(trainedShapes(problem.chain.parameters, () => true)), batch, params),
    condition: conditions(Key.foldInString(key, 'condition'), batch),
    ...noise(problem, key),
    xi: directions(problem, cover, Key.foldInString(key, 'xi')),
    weights: new Array<number>(batch).fill(1 / batch),
    advantageState
  }
}

const sizes = (shape: Shape, batch: number): ReadonlyArray<number> =>
  shape.map((d) => (typeof d === 'number' ? d : batch))

/**
 * The noises of one batch: `xT` and the `eps` of all steps, in f32, from a key.
 *
 * @category utils
 * @since 0.1.0
 */
export const noise = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { chain, batch }: Problem<P, S, C, R>,
  key: Key.Key
): { readonly xT: Tensor; readonly eps: Tensor } => {
  const state = sizes(chain.state, batch)
  return {
    xT: draw32(chain.noise.density, Key.foldInString(key, 'xT'), state),
    eps: draw32(chain.noise.density, Key.foldInString(key, 'eps'), [chain.T, ...state])
  }
}

/**
 * The directions of a cover's zeroth-order cell, none where it has none, from a key.
 *
 * @category utils
 * @since 0.1.0
 */
export const directions = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { chain, batch, trained }: Problem<P, S, C, R>,
  cover: Cover.Cover,
  key: Key.Key
): Values => {
  const cell = Cover.zerothOrderCell(cover)
  if (cell === undefined) return {}
  const shapes = directionShapes(chain.parameters, trained, cell.perturbation, chain.T)
  return Object.fromEntries(
    Object.entries(shapes).map(([path, shape]) => [
      path,
      Draw.normal32(Key.foldInString(key, path), sizes(shape, batch))
    ])
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
  optimizer: "an optimizer's state where "
}
