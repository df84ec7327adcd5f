/**
 * Pretraining: the programs of one training step, and the loop that repeats them.
 *
 * A step is a program from parameters, optimiser state, averaged parameters and a batch to the same after the step. The
 * loop is an asynchronous stream of states; batches are keyed by the step's number, so a training that is resumed from
 * a state is the unbroken one, bit for bit.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Parameters, Params } from '../lens/Lens.js'
import { meanSquaredError, type PerRow } from '../lens/Loss.js'
import { classifier, crossEntropy, type ClassifierParameters } from '../model/Classifier.js'
import type { ClassifierDescription, MlpDescription } from '../model/Description.js'
import * as Faces from '../model/Faces.js'
import { initial } from '../model/Initial.js'
import { clean, type MlpParameters } from '../model/Mlp.js'
import { shares } from '../model/Share.js'
import * as O from '../optimizer/Optimizer.js'
import type * as Key from '../random/Key.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Shape, ShapeError } from '../tensor/Shape.js'
import type { Executable, TargetError } from '../tensor/Target.js'
import { size, tabulate, toFloat32, type Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How long and how fast to train: `steps` in all, the first `warmup` of which raise the learning rate linearly to
 * `learningRate`, after which it falls to 0 along half a cosine. The gradient is clipped to the norm `clip`; `average`
 * is the decay of the running mean of the parameters, which is what is kept.
 *
 * @category model
 * @since 0.1.0
 */
export interface Recipe {
  readonly steps: number
  readonly learningRate: number
  readonly warmup: number
  readonly weightDecay: number
  readonly clip: number
  readonly average: number
}

/**
 * A batch, as expressions.
 *
 * @category model
 * @since 0.1.0
 */
export interface Batch {
  readonly x0: Rows<number>
  readonly labels: Rows<number>
  readonly noise: Rows<number>
  readonly time: Rows<1>
}

/**
 * What is minimised: one loss a row, with the pullback to the parameters.
 *
 * @category model
 * @since 0.1.0
 */
export interface Objective<P extends Params> {
  readonly parameters: Parameters
  readonly features: number
  readonly labels: number
  readonly run: (p: P, batch: Batch) => readonly [losses: PerRow, pullback: (bar: PerRow) => P]
}

/**
 * Where a training is: steps done, the mean loss of the last one, and the values under `parameters`, `state` and
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

// -------------------------------------------------------------------------------------
// objectives
// -------------------------------------------------------------------------------------

/**
 * Denoising: the mean squared error of the network's clean image, where `x0` was mixed with noise by the schedule's
 * shares at `time`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoising = (description: MlpDescription): Objective<Params> => {
  const { features, labels } = description
  const row = ['batch', features] as const
  const network = clean(description)
  const loss = meanSquaredError<number>(features)
  return erase<MlpParameters>({
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const share = shares[description.share](time)
      const x = X.add(
        X.mul(X.broadcastTo(X.sqrt(share.data), row), x0),
        X.mul(X.broadcastTo(X.sqrt(share.noise), row), noise)
      )
      const [image, back] = network.run(p, { x, time, c })
      const [losses, backLoss] = loss.run({}, { x: image, c: x0 })
      return [losses, (bar) => back(backLoss(bar)[1].x)[0]]
    }
  })
}

/**
 * The largest standard deviation of the pixel noise that the classifier is trained under, and how much of each label is
 * spread evenly over the attribute's values. Both keep the reward that the classifier gives smooth and bounded.
 *
 * @category constants
 * @since 0.1.0
 */
export const augmentation = { deviation: 0.3, smoothing: 0.02 } as const

/**
 * Classification: the sum of the attributes' cross-entropies against smoothed labels, for images with pixel noise of
 * standard deviation `augmentation.deviation` times `time`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const classifying = (description: ClassifierDescription): Objective<Params> => {
  const { features, labels } = description
  const network = classifier(description)
  const widths = Faces.attributeNames.flatMap((attribute) => {
    const { width } = Faces.block(attribute)
    return Array.from({ length: width }, () => width)
  })
  const even = X.constant(tabulate([labels], (i) => augmentation.smoothing / (widths[i] ?? 1)), [labels])
  return erase<ClassifierParameters>({
    parameters: network.parameters,
    features,
    labels,
    run: (p, { x0, labels: c, noise, time }) => {
      const deviation = X.broadcastTo(X.scale(time, augmentation.deviation), ['batch', features])
      const [logits, back] = network.run(p, X.add(x0, X.mul(deviation, noise)))
      const smoothed = X.add(X.scale(c, 1 - augmentation.smoothing), X.broadcastTo(even, ['batch', labels]))
      const [losses, backLoss] = crossEntropy.run({}, { x: logits, c: smoothed })
      return [losses, (bar) => back(backLoss(bar)[1].x)[0]]
    }
  })
}

/** Forgets which parameters: the training step treats all alike. */
const erase = <P extends Params>({ run, ...rest }: Objective<P>): Objective<Params> => ({
  ...rest,
  // `step` passes the tree of inputs that `parameters` declares, which is `P`
  run: (p, batch) => run(p as P, batch)
})

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

const optimiser = (recipe: Recipe, learningRate: X.Scalar): O.Optimizer =>
  O.chain(O.clipByGlobalNorm(recipe.clip), O.adamW(learningRate, { decay: recipe.weightDecay }))

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
 * The program of one step. Inputs: `parameters`, `state`, `average`; the scalars `learningRate` and `averageDecay`; the
 * batch. Outputs: `parameters`, `state`, `average` after the step, and the batch's mean `loss` before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trainingStep = (
  objective: Objective<Params>,
  recipe: Recipe
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const parameters = L.shapes(objective.parameters)
  const state = optimiser(recipe, X.scalar(0)).state(parameters)
  return Program.make(
    { parameters, state, average: parameters, learningRate: [], averageDecay: [], ...batchShapes(objective) },
    (inputs) => {
      const [losses, pullback] = objective.run(inputs.parameters, batchOf(inputs, objective))
      const share = X.div(X.scalar(1), X.size('batch'))
      const gradient = pullback(X.broadcastTo(share, ['batch']))
      const { step, state: next } = optimiser(recipe, X.retype(inputs.learningRate, [])).update(
        gradient,
        inputs.state,
        inputs.parameters
      )
      const moved = O.apply(inputs.parameters, step)
      const rest = X.sub(X.scalar(1), X.retype(inputs.averageDecay, []))
      const average = Tree.mergeWith((a, p) => X.add(a, X.mul(X.sub(p, a), rest)))(inputs.average, moved)
      return { parameters: moved, state: next, average, loss: mean(losses) }
    }
  )
}

/**
 * The program of the objective alone: `parameters` and a batch to the mean `loss`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const evaluation = (objective: Objective<Params>): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make({ parameters: L.shapes(objective.parameters), ...batchShapes(objective) }, (inputs) => ({
    loss: mean(objective.run(inputs.parameters, batchOf(inputs, objective))[0])
  }))

// -------------------------------------------------------------------------------------
// the loop
// -------------------------------------------------------------------------------------

/**
 * The state before the first step: parameters as they are declared, their average the same, the optimiser at zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const start = (objective: Objective<Params>, recipe: Recipe, key: Key.Key): TrainingState => {
  const parameters = initial(objective.parameters, key)
  const shapes = optimiser(recipe, X.scalar(0)).state(L.shapes(objective.parameters))
  const zeros = Tree.leaves<Shape>(Tree.isShape, shapes).map(([path, shape]): readonly [string, Tensor] => {
    const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1))
    return [path, { shape: dims, data: new Float32Array(size(dims)) }]
  })
  return {
    step: 0,
    loss: 0,
    values: {
      ...Program.under('parameters', parameters),
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
 * fails.
 *
 * @category interpreters
 * @since 0.1.0
 */
export async function* train(
  executable: Executable,
  recipe: Recipe,
  batchOfStep: (step: number) => Values,
  from: TrainingState
): AsyncGenerator<E.Either<TargetError, TrainingState>, void, void> {
  let state = from
  while (state.step < recipe.steps) {
    const { step } = state
    const result = await executable.run({
      ...state.values,
      ...batchOfStep(step),
      learningRate: scalar(learningRateAt(recipe, step)),
      averageDecay: scalar(averageDecayAt(recipe, step))
    })()
    if (E.isLeft(result)) {
      yield result
      return
    }
    const { loss, ...values } = result.right
    state = { step: step + 1, loss: loss?.data[0] ?? Number.NaN, values: rounded(values) }
    yield E.right(state)
  }
}

const scalar = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) })

// checkpoints keep f32: whatever the target computes in, the next step starts from what a checkpoint would hold
const rounded = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toFloat32(value)]))
