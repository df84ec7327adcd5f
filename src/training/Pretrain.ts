/**
 * Pretraining: the programs of one training step, and the loop that repeats them.
 *
 * A step is a program from parameters, optimizer state, averaged parameters and a batch to the same after the step. The
 * loop is an asynchronous stream of states; batches are keyed by the step's number, so a training that is resumed from
 * a state is the unbroken one, bit for bit.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { initial } from '../lens/Initial.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import type { PerRow } from '../lens/layer/Loss.js'
import * as O from '../optimizer/Optimizer.js'
import type * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import { first, type NotFinite, show } from '../tensor/Finite.js'
import type { Shape, ShapeError } from '../tensor/Shape.js'
import { type Executable, showTargetError, type Target, type TargetError } from '../tensor/Target.js'
import { size, toFloat32, type Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Batch, Objective } from './Objective.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How long and how fast to train: `steps` in all, the first `warmup` of which raise the learning rate linearly to
 * `learningRate`, after which it falls to 0 along half a cosine. The optimizer is AdamW with `beta2` and `weightDecay`,
 * on gradients clipped to the norm `clip`; `average` is the decay of the running mean of the parameters, which is kept.
 *
 * @category model
 * @since 0.1.0
 */
export interface Recipe {
  readonly steps: number
  readonly learningRate: number
  readonly warmup: number
  readonly beta2: number
  readonly weightDecay: number
  readonly clip: number
  readonly average: number
}

/**
 * Where a training is: steps done, the mean loss of the last one, and the values under `params`, `state` and
 * `average`.
 *
 * @category model
 * @since 0.1.0
 */
export interface TrainingState {
  readonly step: number
  readonly loss: number
  readonly values: Values
}

/**
 * Why a training ended: what the target says, or the first number that is not finite, at the step that made it, counted
 * from 1. It is looked for in the batch, the loss, and the state after the step.
 *
 * @category model
 * @since 0.1.0
 */
export type TrainError = TargetError | { readonly _tag: 'NotFinite'; readonly step: number; readonly found: NotFinite }

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

const optimizer = ({ clip, beta2, weightDecay }: Recipe, learningRate: X.Scalar): O.Optimizer =>
  O.chain(O.clipByGlobalNorm(clip), O.adamW(learningRate, { beta2, decay: weightDecay }))

const batchShapes = ({ features, labels }: Objective<Params>): Record<keyof Batch, Shape> => ({
  x0: ['batch', features],
  labels: ['batch', labels],
  noise: ['batch', features],
  time: ['batch', 1]
})

const batchOf = (inputs: Record<keyof Batch, X.Expr>, { features, labels }: Objective<Params>): Batch => ({
  x0: X.retype(inputs.x0, ['batch', features]),
  labels: X.retype(inputs.labels, ['batch', labels]),
  noise: X.retype(inputs.noise, ['batch', features]),
  time: X.retype(inputs.time, ['batch', 1])
})

const mean = (losses: PerRow): X.Scalar => X.div(X.sumTo(losses, []), X.size('batch'))

/**
 * The program of one step. Inputs: `params`, `state`, `average`; the scalars `learningRate` and `averageDecay`; the
 * batch. Outputs: `params`, `state`, `average` after the step, and the batch's mean `loss` before it.
 * Left: an objective whose shapes do not fit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trainingStep = (
  objective: Objective<Params>,
  recipe: Recipe
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const shapes = L.shapes(objective.parameters)
  const state = optimizer(recipe, X.scalar(0)).state(shapes)
  return Program.make(
    { params: shapes, state, average: shapes, learningRate: [], averageDecay: [], ...batchShapes(objective) },
    (inputs) => {
      const [losses, pullback] = objective.run(inputs.params, batchOf(inputs, objective))
      const share = X.div(X.scalar(1), X.size('batch'))
      const gradient = pullback(X.broadcastTo(share, ['batch']))
      const { step, state: next } = optimizer(recipe, X.retype(inputs.learningRate, [])).update(
        gradient,
        inputs.state,
        inputs.params
      )
      const moved = O.apply(inputs.params, step)
      const rest = X.sub(X.scalar(1), X.retype(inputs.averageDecay, []))
      const average = Tree.mergeWith((a, p) => X.add(a, X.mul(X.sub(p, a), rest)))(inputs.average, moved)
      return { params: moved, state: next, average, loss: mean(losses) }
    }
  )
}

/**
 * The program of the objective alone: `params` and a batch to the mean `loss`.
 * Left: an objective whose shapes do not fit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const evaluation = (objective: Objective<Params>): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make({ params: L.shapes(objective.parameters), ...batchShapes(objective) }, (inputs) => ({
    loss: mean(objective.run(inputs.params, batchOf(inputs, objective))[0])
  }))

// -------------------------------------------------------------------------------------
// the loop
// -------------------------------------------------------------------------------------

/**
 * The state before the first step: parameters as they are declared, their average the same, the optimizer at zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (objective: Objective<Params>, recipe: Recipe, key: Key.Key): TrainingState => {
  const parameters = initial(objective.parameters, key)
  const shapes = optimizer(recipe, X.scalar(0)).state(L.shapes(objective.parameters))
  const zeros = Tree.leaves<Shape>(Tree.isShape, shapes).map(([path, shape]): readonly [string, Tensor] => {
    const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1))
    return [path, { shape: dims, data: new Float32Array(size(dims)) }]
  })
  return {
    step: 0,
    loss: 0,
    values: {
      ...Program.under('params', parameters),
      ...Program.under('average', parameters),
      ...Program.under('state', Object.fromEntries(zeros))
    }
  }
}

/**
 * The learning rate of a step, counted from 0.
 *
 * @category utils
 * @since 0.1.0
 */
export const learningRateAt = ({ learningRate, warmup, steps }: Recipe, step: number): number =>
  step < warmup
    ? (learningRate * (step + 1)) / warmup
    : (learningRate / 2) * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(steps - warmup, 1)))

/**
 * The decay of the parameters' running mean at a step, counted from 0: `average`, but less in the beginning, when the
 * mean is still that of the first values.
 *
 * @category utils
 * @since 0.1.0
 */
export const averageDecayAt = ({ average }: Recipe, step: number): number => Math.min(average, (step + 1) / (step + 10))

/**
 * The states after each step from a state on, until the recipe's steps are done. It ends with a left when the target
 * fails, or a number is not finite.
 *
 * @category interpreters
 * @since 0.1.0
 */
export async function* train(
  executable: Executable,
  recipe: Recipe,
  batchOfStep: (step: number) => Values,
  from: TrainingState
): AsyncGenerator<E.Either<TrainError, TrainingState>, void, void> {
  let state = from
  while (state.step < recipe.steps) {
    const { step } = state
    const batch = batchOfStep(step)
    const result = await executable.run({
      ...state.values,
      ...batch,
      learningRate: scalar(learningRateAt(recipe, step)),
      averageDecay: scalar(averageDecayAt(recipe, step))
    })()
    if (E.isLeft(result)) {
      yield result
      return
    }
    const { loss, ...values } = result.right
    const found = first({ ...batch, loss: loss ?? scalar(Number.NaN), ...values })
    if (found !== undefined) {
      yield E.left({ _tag: 'NotFinite', step: step + 1, found })
      return
    }
    state = { step: step + 1, loss: loss?.data[0] ?? Number.NaN, values: rounded(values) }
    yield E.right(state)
  }
}

/**
 * The mean loss of parameters over `count` batches of `rows` rows.
 * Left: the program did not compile, or the target failed.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const meanLoss = ({
  objective,
  target,
  batches,
  rows,
  count,
  parameters
}: {
  readonly objective: Objective<Params>
  readonly target: Target
  readonly batches: (step: number) => Values
  readonly rows: number
  readonly count: number
  readonly parameters: Values
}): TE.TaskEither<Build.ProgramError, number> =>
  Build.using(target, { batch: rows })('loss', evaluation(objective))((run) =>
    pipe(
      Array.from({ length: count }, (_, step) => step),
      TE.traverseSeqArray((step) => run({ ...Program.under('params', parameters), ...batches(step) })),
      TE.map((all) => all.reduce((total, { loss }) => total + (loss?.data[0] ?? Number.NaN), 0) / count)
    )
  )

/**
 * One line for a person: what is wrong, and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showTrainError = (error: TrainError): string =>
  error._tag === 'NotFinite'
    ? `step ${error.step}: expected finite numbers, got some where ${show(error.found)}; ` +
      'check the examples, or lower the learning rate'
    : showTargetError(error)

const scalar = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) })

// checkpoints keep f32: whatever the target computes in, the next step starts from what a checkpoint would hold
const rounded = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toFloat32(value)]))
