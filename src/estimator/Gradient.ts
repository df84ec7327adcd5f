/**
 * The interpreter of covers: from an estimator, a chain and a reward to gradients on a target.
 *
 * It runs the rollouts that a cover needs, scores the outputs, and adds up the cells' credit programs. No estimator is a
 * special case: only the cells of the drawn cover are looked at.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Chain } from '../chain/Chain.js'
import type { Params } from '../lens/Lens.js'
import type { Reward, RewardError } from '../reward/Reward.js'
import { below, under, type Program, type Values } from '../tensor/Program.js'
import { type Batched, showError as showShape, type Shape, type ShapeError, type Sizes } from '../tensor/Shape.js'
import { showTargetError, type Executable, type Target, type TargetError } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { leaveOneOut, type Advantage } from './Advantage.js'
import type { Cell, Cover, Form, SegmentOptions } from './Cover.js'
import * as C from './Cover.js'
import type { Estimator } from './Estimator.js'
import * as Programs from './Programs.js'
import type { Trained } from './Programs.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Everything that is fixed before the first gradient.
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
}

/**
 * Everything that one gradient depends on. Names of `params` and `xi` are parameter paths; `condition` is by input name
 * (`c`, or `c.path`). `weights`, one a row, say what the gradient is of: `sum_n weights[n] R(x_0[n])`; the batch mean has
 * `1 / batch` each. `groups` tells which rows share a prompt, for advantages that ask. `xi` may be empty where the cover has no zeroth-order cell.
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
  readonly weights: ReadonlyArray<number>
  readonly advantageState: number
  readonly groups?: ReadonlyArray<number>
}

/**
 * A gradient, to be ascended, by parameter path, the cells' `terms` that it is the sum of, and what was seen on the way. `rewards` are those of the base trajectory,
 * or the mean of both sides where only a central difference was run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Estimate {
  readonly gradient: Values
  readonly terms: ReadonlyArray<Term>
  readonly rewards: ReadonlyArray<number>
  readonly x0: Tensor
  readonly advantageState: number
}

/**
 * One cell's part of a gradient.
 *
 * @category model
 * @since 0.1.0
 */
export interface Term {
  readonly cell: Cell
  readonly gradient: Values
}

/**
 * Compiled programs that give gradients. `credit` holds the executable of each shape of cell, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Gradients {
  readonly run: (request: Request) => TE.TaskEither<EstimatorError, Estimate>
  readonly executables: Readonly<Record<string, Executable>>
  readonly dispose: () => Promise<void>
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
  | { readonly _tag: 'NotDifferentiable'; readonly reward: string; readonly cell: Cell }
  | { readonly _tag: 'BaselineSeesPerturbation'; readonly advantage: string; readonly cell: Cell }
  | { readonly _tag: 'NothingTrained'; readonly parameters: ReadonlyArray<string> }
  | { readonly _tag: 'Ill'; readonly program: string; readonly errors: ReadonlyArray<ShapeError> }
  | { readonly _tag: 'OnTarget'; readonly program: string; readonly error: TargetError }
  | { readonly _tag: 'NotCompiled'; readonly program: string }
  | RewardError

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A problem from its parts, the estimator last. By default the advantage is leave-one-out and every parameter is trained.
 *
 * @category constructors
 * @since 0.1.0
 */
export const problem =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
    chain: Chain<P, S, C>,
    reward: Reward<R, S, C>,
    batch: number,
    options: { readonly advantage?: Advantage; readonly trained?: Trained } = {}
  ) =>
  (estimator: Estimator): Problem<P, S, C, R> => ({
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
 * lowest step has no noise, and so no score; a first-order cell under a black-box reward; a baseline that looks at the
 * batch where a shared one-point perturbation does too; nothing trained.
 *
 * @category checks
 * @since 0.1.0
 */
export const check = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
): E.Either<EstimatorError, Problem<P, S, C, R>> => {
  const { chain, reward, estimator, advantage, trained } = problem
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
      if (cell._tag === 'FirstOrder' && reward._tag === 'BlackBox') {
        return E.left({ _tag: 'NotDifferentiable', reward: reward.name, cell })
      }
      if (cell._tag === 'ZerothOrder' && cell.form === 'onePoint' && advantage.batchDependent && shared) {
        return E.left({ _tag: 'BaselineSeesPerturbation', advantage: advantage.name, cell })
      }
    }
  }
  return E.right(problem)
}

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/** The name of the credit program that serves a cell. */
const creditName = (cell: Cell): string => {
  if (cell._tag === 'ZerothOrder') return `zerothOrder(${cell.perturbation})`
  const { h, memory, weighted } = Programs.segmentKind(cell)
  const order = cell._tag === 'FirstOrder' ? 'firstOrder' : 'halfOrder'
  return `${order}(${h}${weighted ? ', weighted' : ''}${memory === 'recompute' ? ', recompute' : ''})`
}

/**
 * The programs that an estimator needs on a chain, by name. They are pure values: `compile` runs them on a target.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const programs = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
): E.Either<EstimatorError, Readonly<Record<string, Program>>> => {
  const { chain, reward, estimator, trained } = problem
  const wanted = new Map<string, () => E.Either<ReadonlyArray<ShapeError>, Program>>()
  const keep = { keep: true, trained }
  for (const { cover } of estimator.covers) {
    for (const cell of cover.cells) {
      wanted.set(creditName(cell), () => {
        switch (cell._tag) {
          case 'FirstOrder':
            return Programs.firstOrder(chain, Programs.segmentKind(cell), trained)
          case 'HalfOrder':
            return Programs.halfOrder(chain, Programs.segmentKind(cell), trained)
          case 'ZerothOrder':
            return Programs.zerothOrder(chain, cell.perturbation, trained)
        }
      })
    }
    const plan = rollouts(cover)
    const base = plan.base
    if (base !== undefined)
      wanted.set(base, () => Programs.rollout(chain, { perturbation: basePerturbation(cover), ...keep }))
    const zeroth = C.zerothOrderCell(cover)
    if (zeroth !== undefined && plan.sides.length > 0) {
      wanted.set(`side(${zeroth.perturbation})`, () =>
        Programs.rollout(chain, { perturbation: zeroth.perturbation, keep: false, trained })
      )
    }
  }
  if (reward._tag === 'Differentiable') wanted.set('reward', () => Programs.reward(chain, reward))
  return pipe(
    [...wanted],
    RA.traverse(E.Applicative)(([name, build]) =>
      pipe(
        build(),
        E.bimap(
          (errors): EstimatorError => ({ _tag: 'Ill', program: name, errors }),
          (program) => [name, program] as const
        )
      )
    ),
    E.map((entries) => Object.fromEntries(entries))
  )
}

const basePerturbation = (cover: Cover): C.Perturbation | 'none' => {
  const zeroth = C.zerothOrderCell(cover)
  return zeroth?.form === 'onePoint' ? zeroth.perturbation : 'none'
}

/**
 * The rollouts of a cover: a base one that first- and half-order cells read (perturbed for the one-point form, clean
 * else), and the sides of a difference, as signs.
 *
 * @category readings
 * @since 0.1.0
 */
export const rollouts = (
  cover: Cover
): { readonly base: string | undefined; readonly sides: ReadonlyArray<1 | -1> } => {
  const zeroth = C.zerothOrderCell(cover)
  const sides = zeroth === undefined ? [] : sidesOf(zeroth.form)
  const needsBase = zeroth === undefined || zeroth.form !== 'central' || cover.cells.length > 1
  return { base: needsBase ? `rollout(${basePerturbation(cover)})` : undefined, sides }
}

const sidesOf = (form: Form): ReadonlyArray<1 | -1> => (form === 'onePoint' ? [] : form === 'forward' ? [1] : [1, -1])

/**
 * Compiles an estimator on a target. Left: what `check` finds, a program that does not close, or one that the target can
 * not compile. Dispose of the result to free what the target holds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  target: Target
): E.Either<EstimatorError, Gradients> =>
  pipe(
    check(problem),
    E.flatMap(programs),
    E.flatMap((closed) => compileAll(closed, target, { batch: problem.batch })),
    E.map((executables) => ({
      executables,
      run: (request) => estimate(problem, executables, request),
      dispose: async () => {
        for (const executable of Object.values(executables)) await executable.dispose()
      }
    }))
  )

const compileAll = (
  closed: Readonly<Record<string, Program>>,
  target: Target,
  sizes: Sizes
): E.Either<EstimatorError, Readonly<Record<string, Executable>>> =>
  pipe(
    Object.entries(closed),
    RA.traverse(E.Applicative)(([name, program]) =>
      pipe(
        target.compile(program, sizes),
        E.bimap(
          (error): EstimatorError => ({ _tag: 'OnTarget', program: name, error }),
          (executable) => [name, executable] as const
        )
      )
    ),
    E.map((entries) => Object.fromEntries(entries))
  )

type Run = (name: string, values: Values) => TE.TaskEither<EstimatorError, Values>

/** A scored output: its rewards, and the gradient of their weighted sum in the output where there is one. */
interface Scored {
  readonly rewards: ReadonlyArray<number>
  readonly x0Bar: Tensor | undefined
}

const estimate = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  executables: Readonly<Record<string, Executable>>,
  request: Request
): TE.TaskEither<EstimatorError, Estimate> => {
  const { cover, condition, xT, eps, weights } = request
  const plan = rollouts(cover)
  const zeroth = C.zerothOrderCell(cover)
  const params = under('params', request.params)
  const perturbed: Values =
    zeroth === undefined ? {} : { ...under('xi', request.xi), mask: stepMask(cover.T, zeroth.steps) }
  const run: Run = (name, values) => {
    const executable = executables[name]
    if (executable === undefined) return TE.left({ _tag: 'NotCompiled', program: name })
    return pipe(
      executable.run(pick(executable, values)),
      TE.mapLeft((error): EstimatorError => ({ _tag: 'OnTarget', program: name, error }))
    )
  }
  const roll = (name: string, sign: number): TE.TaskEither<EstimatorError, Values> =>
    run(name, { ...params, ...condition, ...perturbed, xT, eps, radius: T.scalar(sign * (zeroth?.radius ?? 0)) })
  const score = (x0: Tensor): TE.TaskEither<EstimatorError, Scored> =>
    problem.reward._tag === 'BlackBox'
      ? pipe(
          problem.reward.evaluate(x0),
          TE.map((rewards): Scored => ({ rewards, x0Bar: undefined }))
        )
      : pipe(
          run('reward', {
            ...under('reward', problem.reward.parameters),
            ...condition,
            x0,
            weights: T.vector(weights)
          }),
          TE.map((out): Scored => ({ rewards: Array.from(out['reward']?.data ?? []), x0Bar: out['x0Bar'] }))
        )
  const side = (sign: 1 | -1): TE.TaskEither<EstimatorError, Side> =>
    pipe(
      roll(`side(${zeroth?.perturbation ?? 'none'})`, sign),
      TE.map((out) => out['x0'] ?? xT),
      TE.bindTo('x0'),
      TE.bind('scored', ({ x0 }) => score(x0)),
      TE.map(({ x0, scored }) => ({ x0, rewards: scored.rewards }))
    )
  const base: TE.TaskEither<EstimatorError, Base | undefined> =
    plan.base === undefined
      ? TE.right(undefined)
      : pipe(
          roll(plan.base, 1),
          TE.bindTo('out'),
          TE.bind('scored', ({ out }) => score(out['x0'] ?? xT)),
          TE.map(({ out, scored }) => ({ x0: out['x0'] ?? xT, trajectory: out['trajectory'] ?? xT, scored }))
        )
  return pipe(
    base,
    TE.bindTo('base'),
    TE.bind('sides', () => pipe(plan.sides, RA.traverse(TE.ApplicativeSeq)(side))),
    TE.bind('parts', ({ base: from, sides }) => {
      const rewards = from?.scored.rewards ?? averages(sides)
      const { advantages, state } = problem.advantage.apply(rewards, request.advantageState, request.groups)
      const weighted = advantages.map((a, n) => a * (weights[n] ?? 0))
      const credit = (cell: Cell): TE.TaskEither<EstimatorError, Values> =>
        run(creditName(cell), {
          ...params,
          ...condition,
          ...perturbed,
          ...creditInputs(cell, { base: from, sides, eps, weighted, weights })
        })
      return pipe(
        cover.cells,
        RA.traverse(TE.ApplicativeSeq)(credit),
        TE.map((outputs) => ({ gradients: outputs.map((out) => below('gradient', out)), rewards, state }))
      )
    }),
    TE.map(({ base: from, sides, parts }) => ({
      gradient: sumGradients(parts.gradients, request.params, problem),
      terms: parts.gradients.flatMap((gradient, i) => {
        const cell = cover.cells[i]
        return cell === undefined ? [] : [{ cell, gradient }]
      }),
      rewards: parts.rewards,
      x0: from?.x0 ?? sides[0]?.x0 ?? xT,
      advantageState: parts.state
    }))
  )
}

/** What is read off the base rollout. */
interface Base {
  readonly x0: Tensor
  readonly trajectory: Tensor
  readonly scored: Scored
}

/** What is read off one side of a difference. */
interface Side {
  readonly x0: Tensor
  readonly rewards: ReadonlyArray<number>
}

/** What the credit programs read, besides parameters. */
interface Seen {
  readonly base: Base | undefined
  readonly sides: ReadonlyArray<Side>
  readonly eps: Tensor
  readonly weighted: ReadonlyArray<number>
  readonly weights: ReadonlyArray<number>
}

const creditInputs = (cell: Cell, seen: Seen): Values => {
  const { base, sides, eps, weighted, weights } = seen
  const segment = (from: number, to: number): Values =>
    base === undefined ? {} : { x: T.at(to)(base.trajectory), eps: T.rows(from - 1, to)(eps) }
  switch (cell._tag) {
    case 'FirstOrder': {
      const x0Bar = base?.scored.x0Bar
      return { ...segment(1, cell.to), ...sharesOf(cell), ...(x0Bar === undefined ? {} : { x0Bar }) }
    }
    case 'HalfOrder':
      return {
        ...segment(cell.from, cell.to),
        ...sharesOf(cell),
        high: T.scalar(cell.to),
        advantage: T.vector(weighted)
      }
    case 'ZerothOrder': {
      const difference = (n: number): number => {
        const [plus, minus] = sides
        if (cell.form === 'onePoint') return weighted[n] ?? 0
        const low = cell.form === 'forward' ? base?.scored.rewards[n] : minus?.rewards[n]
        const gap = (plus?.rewards[n] ?? 0) - (low ?? 0)
        return ((weights[n] ?? 0) * gap) / (cell.form === 'forward' ? 1 : 2)
      }
      return { delta: T.vector(weights.map((_, n) => difference(n) / cell.radius)) }
    }
  }
}

const sharesOf = ({ shares }: SegmentOptions): Values => (shares === undefined ? {} : { shares: T.vector(shares) })

const averages = (sides: ReadonlyArray<Side>): ReadonlyArray<number> =>
  (sides[0]?.rewards ?? []).map((_, n) => sides.reduce((sum, { rewards }) => sum + (rewards[n] ?? 0), 0) / sides.length)

const stepMask = (length: number, set: ReadonlyArray<number>): Tensor => {
  const steps = new Set(set)
  return T.tabulate([length], (i) => (steps.has(i + 1) ? 1 : 0))
}

/** Only the values that a program declares: the requests above offer all they have. */
const pick = (executable: Executable, values: Values): Values =>
  Object.fromEntries(
    executable.program.inputs.flatMap(({ name }) => {
      const value = values[name]
      return value === undefined ? [] : [[name, value] as const]
    })
  )

const sumGradients = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  terms: ReadonlyArray<Values>,
  params: Values,
  { chain, trained, batch }: Problem<P, S, C, R>
): Values =>
  Object.fromEntries(
    Programs.trainedShapes(chain.parameters, trained).map(([path, shape]) => {
      const parts = terms.flatMap((term) => {
        const part = term[path]
        return part === undefined ? [] : [part]
      })
      const sizes = params[path]?.shape ?? shape.map((d: Shape[number]) => (typeof d === 'number' ? d : batch))
      return [path, sum(parts, sizes)]
    })
  )

const sum = (parts: ReadonlyArray<Tensor>, shape: ReadonlyArray<number>): Tensor => {
  const [first] = parts
  if (first === undefined) return T.fill(shape, 0)
  if (parts.length === 1) return first
  const data = first.data.slice()
  for (const part of parts.slice(1))
    for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) + (part.data[i] ?? 0)
  return { shape: first.shape, data }
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
    case 'NotDifferentiable':
      return `the reward '${error.reward}' is a black box, which ${C.showCell(error.cell)} can not pull back through; use half- or zeroth-order cells, or a differentiable reward`
    case 'BaselineSeesPerturbation':
      return `the baseline '${error.advantage}' reads rewards under the same perturbation as ${C.showCell(error.cell)}, which cancels its signal; use a running mean, or a difference form`
    case 'NothingTrained':
      return `no parameter is trained; choose some of ${error.parameters.join(', ')}`
    case 'Ill':
      return `${error.program}: ${error.errors.map(showShape).join('\n')}`
    case 'OnTarget':
      return `${error.program}: ${showTargetError(error.error)}`
    case 'NotCompiled':
      return `${error.program} was not compiled; draw covers from the estimator that was`
    case 'RewardError':
      return `reward '${error.reward}': ${error.reason}`
  }
}
