/**
 * What a gradient is asked of: a chain, a reward, an estimator that can stand on them, a request; and what comes back.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { Chain } from '../chain/Chain.js'
import type { Parameters, Params } from '../lens/Lens.js'
import { declared, isSymmetric, nameOf } from '../random/Density.js'
import type { Reward, RewardError } from '../reward/Reward.js'
import type { StateLens } from '../reward/StateLens.js'
import type { StepReward } from '../reward/StepReward.js'
import type { Density, Values } from '../tensor/Program.js'
import { type ProgramError, showError as showProgram } from '../tensor/Build.js'
import type { Batched } from '../tensor/Shape.js'
import type { Executable } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { leaveOneOut, type Advantage } from './Advantage.js'
import type { Cell, Cover, FirstOrder, HalfOrder } from './Cover.js'
import * as C from './Cover.js'
import type { Estimator } from './Estimator.js'
import type { Origin } from './apart/Origin.js'
import * as Programs from './program/Programs.js'
import type { Trained } from './program/Programs.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Everything that is fixed before the first gradient. `steps` are rewards on the way, which are added to the terminal
 * one; `values` the learned values of a state that cells may name as baselines and controls. `nonFinite` is `stop`
 * where it is left out. `reference` are the values of the chain's parameters, one of each, that cells which carry cotangents through a
 * reference read.
 *
 * @category model
 * @since 0.1.0
 */
export interface Problem<P extends Params, S extends Batched, C extends Exprs, R extends Params> {
  readonly chain: Chain<P, S, C>
  readonly reward: Reward<R, S, C>
  readonly estimator: Estimator
  readonly advantage: Advantage
  readonly trained: Trained
  readonly batch: number
  readonly steps?: ReadonlyArray<StepReward<P, S, C>>
  readonly values?: ReadonlyMap<string, StateLens<S, C>>
  readonly nonFinite?: NonFinite
  readonly reference?: Values
}

/**
 * What is done with a row whose sample, reward or reward's gradient is not finite in the number format of the samples.
 * `stop`: a left that names it. `skipRow`: the row has weight 0 and is no part of any baseline; the other rows keep
 * their weights. It biases what it skips: the gradient is that of the reward where there is one.
 *
 * @category model
 * @since 0.1.0
 */
export type NonFinite = 'stop' | 'skipRow'

/**
 * Everything that one gradient depends on. Names of `params` and `xi` are parameter paths; `condition` is by input name
 * (`c`, or `c.path`). `weights`, one a row, say what the gradient is of: `sum_n weights[n] R(x_0[n])`; the batch mean
 * has `1 / batch` each. `groups` tells which rows share a prompt, for advantages that ask. `xi` may be empty where the
 * cover has no zeroth-order cell, and `moreXi` has the directions beyond the first of a cell that draws several.
 * `learned` are the parameters of the problem's values, by their names. `fresh` has noises for siblings: `[at, batch, ...]` for the `k`-th continuation from `x_at`,
 * `k = 1, 2, ...`; of the density of `eps`, independent of it and of each other. Without `credit` only samples, rewards and advantages are wanted, and the gradient is 0.
 * `old` are those of the policy that samples, if it is another than is trained. Without `samples` there may be none. `origin` says what it was drawn from.
 *
 * @category model
 * @since 0.1.0
 */
export interface Request {
  readonly cover: Cover
  readonly params: Values
  readonly condition: Values
  readonly xT: Tensor
  readonly eps: Tensor
  readonly xi: Values
  readonly moreXi?: ReadonlyArray<Values>
  readonly weights: ReadonlyArray<number>
  readonly advantageState: number
  readonly groups?: ReadonlyArray<number>
  readonly learned?: Readonly<Record<string, Values>>
  readonly fresh?: (at: number, k: number) => Tensor
  readonly credit?: boolean
  readonly old?: Values
  readonly samples?: boolean
  readonly origin?: Origin
}

/**
 * A gradient, to be ascended, by parameter path, the cells' `terms` that it is the sum of, and what was seen on the
 * way. `rewards` are the terminal ones of the base trajectory, or the mean of both sides where only a central
 * difference was run, of all rows, and `stepRewards` the sums of those on the way (zeros where there are none).
 * `skipped` are the numbers of the rows that were left out, none unless the problem says `skipRow`. `trajectory [T + 1,
 * batch, ...]`, from `x_0` up, is the base one, where there is one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Estimate {
  readonly gradient: Values
  readonly terms: ReadonlyArray<Term>
  readonly rewards: ReadonlyArray<number>
  readonly stepRewards: ReadonlyArray<number>
  readonly skipped: ReadonlyArray<number>
  readonly x0: Tensor
  readonly trajectory: Tensor | undefined
  readonly advantageState: number
}

/**
 * One cell's part of a gradient. `advantages`, of a half-order cell, multiplied its score: a number a row, times its weight.
 *
 * @category model
 * @since 0.1.0
 */
export interface Term {
  readonly cell: Cell
  readonly gradient: Values
  readonly advantages?: ReadonlyArray<number>
}

/**
 * Compiled programs that give gradients: `executables` by name, of the rollouts, the reward and each shape of cell.
 * `noise` is the density that `xT` and `eps` are to be drawn from.
 *
 * @category model
 * @since 0.1.0
 */
export interface Gradients {
  readonly noise: Density
  readonly run: (request: Request) => TE.TaskEither<EstimatorError, Estimate>
  readonly executables: Readonly<Record<string, Executable>>
  readonly dispose: () => Promise<void>
}

/**
 * From a problem to its gradients: what a fine-tune and the laws run. `Gradient.on(target)` is the library's; one of your own
 * may run requests elsewhere, or watch them.
 *
 * @category model
 * @since 0.1.0
 */
export type Interpreter = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
) => E.Either<EstimatorError, Gradients>

/**
 * What there is to say of a problem without its mathematics: enough to draw requests for it. Every `Problem` is one.
 *
 * @category model
 * @since 0.1.0
 */
export interface AnyProblem {
  readonly chain: Pick<Chain<Params, Batched, Exprs>, 'name' | 'T' | 'state' | 'noise'> & {
    readonly parameters: Parameters
    readonly switched?: { readonly path: string }
  }
  readonly estimator: Estimator
  readonly advantage: Advantage
  readonly trained: Trained
  readonly batch: number
}

/**
 * Why an estimator can not be used on a chain and a reward, or why a run failed.
 *
 * @category model
 * @since 0.1.0
 */
export type EstimatorError =
  | { readonly _tag: 'LengthMismatch'; readonly chain: number; readonly estimator: number }
  | { readonly _tag: 'NoScore'; readonly step: number; readonly cell: Cell; readonly chain: string }
  | { readonly _tag: 'NoPath'; readonly chain: string; readonly outcome: string; readonly cell: Cell }
  | { readonly _tag: 'NotDifferentiable'; readonly reward: string; readonly cell: Cell }
  | { readonly _tag: 'Jumps'; readonly reward: string; readonly cell: Cell }
  | { readonly _tag: 'BaselineSeesPerturbation'; readonly advantage: string; readonly cell: Cell }
  | { readonly _tag: 'NoClean'; readonly chain: string; readonly cell: Cell }
  | { readonly _tag: 'NoValue'; readonly value: string; readonly known: ReadonlyArray<string>; readonly cell: Cell }
  | { readonly _tag: 'NoCarrier'; readonly chain: string; readonly cell: Cell }
  | { readonly _tag: 'NoReference'; readonly cell: Cell }
  | { readonly _tag: 'NoTwin'; readonly chain: string; readonly cell: Cell }
  | { readonly _tag: 'NoBatchAxis'; readonly parameters: ReadonlyArray<string> }
  | { readonly _tag: 'Asymmetric'; readonly density: string }
  | { readonly _tag: 'NoFreshNoise'; readonly at: number }
  | { readonly _tag: 'NothingTrained'; readonly parameters: ReadonlyArray<string> }
  | ProgramError
  | { readonly _tag: 'NotCompiled'; readonly program: string }
  | RewardError
  | NotFiniteRow
  | { readonly _tag: 'AllSkipped'; readonly reward: string; readonly rows: number }
  | { readonly _tag: 'NoRatio'; readonly cell: Cell }
  | { readonly _tag: 'RatioOverflow'; readonly step: number; readonly row: number; readonly logRatio: number }

/**
 * A row whose sample, reward, gradient of the reward in the sample, or reward of a step is not finite in the number
 * format of the samples.
 *
 * @category model
 * @since 0.1.0
 */
export interface NotFiniteRow {
  readonly _tag: 'NotFiniteRow'
  readonly of: 'sample' | 'reward' | 'gradient of the reward' | 'step reward'
  readonly reward: string
  readonly row: number
  readonly value: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A problem from its parts, the estimator last. By default the advantage is leave-one-out and every parameter is
 * trained.
 *
 * @category constructors
 * @since 0.1.0
 */
export const problem =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
    chain: Chain<P, S, C>,
    reward: Reward<R, S, C>,
    batch: number,
    options: Pick<Problem<P, S, C, R>, 'steps' | 'values' | 'reference'> & {
      readonly advantage?: Advantage
      readonly trained?: Trained
    } = {}
  ) =>
  (estimator: Estimator): Problem<P, S, C, R> => ({
    ...options,
    chain,
    reward,
    estimator,
    batch,
    advantage: options.advantage ?? leaveOneOut,
    trained: options.trained ?? (() => true)
  })

// -------------------------------------------------------------------------------------
// checks
// -------------------------------------------------------------------------------------

/**
 * Can this estimator stand on this chain with this reward? Left, first found: lengths that differ; a half-order cell whose
 * lowest step has no noise, and so no score; a cell that differentiates discrete outcomes; a first-order cell under a black box
 * or a reward that jumps, a segment of several steps under a black box of states; a value of the state that can not be had; a
 * baseline that looks at the batch where a shared one-point perturbation does too; nothing trained.
 *
 * @category checks
 * @since 0.1.0
 */
export const check = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
): E.Either<EstimatorError, Problem<P, S, C, R>> => {
  const { chain, estimator, advantage, trained, steps = [] } = problem
  if (chain.T !== estimator.T) return E.left({ _tag: 'LengthMismatch', chain: chain.T, estimator: estimator.T })
  const shapes = Programs.trainedShapes(chain.parameters, trained)
  if (shapes.length === 0) {
    const all = Programs.trainedShapes(chain.parameters, () => true).map(([path]) => path)
    return E.left({ _tag: 'NothingTrained', parameters: all })
  }
  const shared = shapes.some(([, shape]) => shape[0] !== 'batch')
  for (const { cover } of estimator.covers) {
    for (const cell of cover.cells) {
      if (cell._tag === 'HalfOrder' && !((chain.sigma[cell.from] ?? 0) > 0)) {
        return E.left({ _tag: 'NoScore', step: cell.from, cell, chain: chain.name })
      }
      if (chain.noise.outcome !== undefined && C.passes(cell)) {
        return E.left({ _tag: 'NoPath', chain: chain.name, outcome: chain.noise.outcome.name, cell })
      }
      if (cell._tag === 'FirstOrder') {
        const error = checkFirstOrder(problem, cell)
        if (error !== undefined) return E.left(error)
      }
      const opaque = steps.find(({ _tag }) => _tag === 'StepBlackBox')
      if (opaque !== undefined && cell._tag !== 'ZerothOrder' && C.steps(cell).length > 1) {
        return E.left({ _tag: 'NotDifferentiable', reward: opaque.name, cell })
      }
      if (cell._tag === 'HalfOrder') {
        const error = checkValues(problem, cell)
        if (error !== undefined) return E.left(error)
      }
      if (cell._tag === 'ZerothOrder' && cell.form === 'onePoint' && advantage.batchDependent && shared) {
        return E.left({ _tag: 'BaselineSeesPerturbation', advantage: advantage.name, cell })
      }
    }
  }
  return E.right(problem)
}

/** Is there what a first-order cell pulls back, and what it pulls it back through? */
const checkFirstOrder = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { chain, reward, reference }: Problem<P, S, C, R>,
  cell: FirstOrder
): EstimatorError | undefined => {
  const { through } = cell
  if (through === 'sampler' && chain.held === undefined) return { _tag: 'NoCarrier', chain: chain.name, cell }
  if (through === 'reference' && reference === undefined) return { _tag: 'NoReference', cell }
  if (cell.gradient === 'difference') {
    const noise = declared(chain.noise.density)
    if (!isSymmetric(noise)) return { _tag: 'Asymmetric', density: nameOf(noise) }
    return chain.sigma.some((sigma, t) => t > 0 && sigma > 0) ? undefined : { _tag: 'NoTwin', chain: chain.name, cell }
  }
  if (reward._tag === 'BlackBox') return { _tag: 'NotDifferentiable', reward: reward.name, cell }
  return reward.jumps === true ? { _tag: 'Jumps', reward: reward.name, cell } : undefined
}

/** Can the values that a half-order cell looks at be had? */
const checkValues = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { chain, reward, values = new Map() }: Problem<P, S, C, R>,
  cell: HalfOrder
): EstimatorError | undefined => {
  for (const value of [cell.baseline, cell.control]) {
    if (value?._tag === 'Clean' && chain.clean === undefined) return { _tag: 'NoClean', chain: chain.name, cell }
    if (value?._tag === 'Learned' && !values.has(value.name)) {
      return { _tag: 'NoValue', value: value.name, known: [...values.keys()], cell }
    }
  }
  if (cell.control?._tag !== 'Clean') return undefined
  if (reward._tag === 'BlackBox') return { _tag: 'NotDifferentiable', reward: reward.name, cell }
  // a control puts back the gradient of what it takes off, by parts
  return reward.jumps === true ? { _tag: 'Jumps', reward: reward.name, cell } : undefined
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: EstimatorError): string => {
  switch (error._tag) {
    case 'LengthMismatch':
      return `T: expected the chain's ${error.chain} steps, got an estimator for ${error.estimator}; build both with one T`
    case 'NoScore':
      return `sigma of step ${error.step} is 0 in ${error.chain}, so ${C.showCell(error.cell)} has no score there; pay for step ${error.step} with a first- or zeroth-order cell, or give the step noise`
    case 'NoPath':
      return `each step of ${error.chain} keeps ${error.outcome}, through which no derivative passes, so ${C.showCell(error.cell)} would pay for ${error.cell._tag === 'HalfOrder' ? `step ${error.cell.from} alone` : 'no step'}; use half-order cells of one step, or zeroth-order cells`
    case 'NotDifferentiable':
      return `the reward '${error.reward}' is a black box, which ${C.showCell(error.cell)} can not pull back through; use half- or zeroth-order cells, or a differentiable reward`
    case 'Jumps':
      return `the reward '${error.reward}' jumps, and its gradient knows nothing of the jumps, so ${C.showCell(error.cell)} would miss what they contribute; use half- or zeroth-order cells without a control`
    case 'BaselineSeesPerturbation':
      return `the baseline '${error.advantage}' reads rewards under the same perturbation as ${C.showCell(error.cell)}, which cancels its signal; use a running mean, or a difference form`
    case 'NoClean':
      return `${error.chain} has no clean prediction for ${C.showCell(error.cell)}; give the chain one, or the cell a learned value`
    case 'NoValue':
      return `${C.showCell(error.cell)} looks at the value '${error.value}', which the problem does not have; it has ${error.known.join(', ') || 'none'}`
    case 'NoCarrier':
      return `${error.chain} does not say what its mean is with the network's input held, through which ${C.showCell(error.cell)} pulls back; give the chain a 'held'`
    case 'NoReference':
      return `${C.showCell(error.cell)} pulls back through a reference, which the problem does not have; give it the values of its parameters there`
    case 'NoTwin':
      return `no step of ${error.chain} has noise, so ${C.showCell(error.cell)} has no two outputs to take a difference of; give some step noise`
    case 'NoBatchAxis':
      return `the batch shares ${listed(error.parameters)}, so a sample has no gradient of its own whose variance could be measured; give them a batch axis ('Chain.perRow', for vectors), or measure means of batches with 'measureBatches'`
    case 'Asymmetric':
      return `the noise '${error.density}' is not symmetric, so an antithetic pair, whose second half negates it, would be biased; use 'average(2)', or declare the density symmetric if it is`
    case 'NoFreshNoise':
      return `siblings branch at step ${error.at}, and the request has no noise for them; give it 'fresh'`
    case 'NothingTrained':
      return `no parameter is trained; choose some of ${error.parameters.join(', ')}`
    case 'Ill':
    case 'OnTarget':
      return showProgram(error)
    case 'NotCompiled':
      return `${error.program} was not compiled; draw covers from the estimator that was`
    case 'RewardError':
      return `reward '${error.reward}': ${error.reason}`
    case 'NotFiniteRow': {
      const what =
        error.of === 'sample'
          ? 'the samples'
          : error.of === 'step reward'
            ? 'the rewards of the steps'
            : `${error.of === 'reward' ? '' : 'the gradient of '}reward '${error.reward}'`
      return `${what}: expected finite numbers, got ${error.value}${Number.isFinite(error.value) ? ', beyond f32,' : ''} in row ${error.row}; lower the learning rate or the radius, bound the reward, or let nonFinite be skipRow`
    }
    case 'NoRatio':
      return `${C.showCell(error.cell)} has no ratio of densities by which samples could be used again, or their density averaged; use half-order cells alone, without a control or siblings, such as those of mixGrpo, on a chain with densities, or make one update a step with the density summed`
    case 'RatioOverflow':
      return `step ${error.step}: expected a ratio of new to old density that is finite in the number format, got one whose logarithm is ${error.logRatio}, in row ${error.row}; make fewer or smaller updates from one set of trajectories, or drop such terms with dualClip`
    case 'AllSkipped':
      return `reward '${error.reward}': expected a finite one in some row, got none in ${error.rows}; nothing is left to learn from, so bound the reward`
  }
}

const listed = (names: ReadonlyArray<string>): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`
