/**
 * The exact expectation of a compiled estimator, and what it should be.
 *
 * Quadrature nodes are the batch and their weights the sample weights, so the estimator itself is integrated, not a
 * model of it. What it should be is found without pullbacks or scores: extrapolated differences of the expected
 * reward in the copy of the parameters that a step uses.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Advantage } from '../../src/estimator/Advantage.js'
import * as A from '../../src/estimator/Advantage.js'
import type { Cover } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import { always } from '../../src/estimator/Estimator.js'
import type { Estimate, Interpreter } from '../../src/estimator/Gradient.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import type { BlackBox } from '../../src/reward/Reward.js'
import type { StepBlackBox } from '../../src/reward/StepReward.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Batched, showError } from '../../src/tensor/Shape.js'
import { reference } from '../../src/tensor/Target.js'
import type { Values } from '../../src/tensor/Program.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { derivatives, type Derivatives, type Scheme } from './Differences.js'
import { dot, magnitude, sum, unitRoundoff } from './Rounding.js'
import {
  byComponent,
  components,
  nodes,
  rowCondition,
  rowParams,
  type Draws,
  type Fresh,
  type Order,
  type Setting,
  type Smoothing
} from '../Setting.js'
import { plus, type Uncertain } from './Uncertain.js'
import { simulator, type Rollout, type Shift, type Simulator } from './Simulate.js'

export { plus, type Uncertain } from './Uncertain.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An estimator under test. By default without a baseline, run by the library's interpreter in f64, and given the
 * setting's reward itself; `blackBox` is a host function for the same reward, and `steps` are given in place of the
 * setting's rewards on the way: the same as host functions, say.
 *
 * @category model
 * @since 0.1.0
 */
export interface Subject {
  readonly estimator: Estimator
  readonly advantage?: Advantage
  readonly advantageState?: number
  readonly interpreter?: Interpreter
  readonly blackBox?: BlackBox
  readonly steps?: ReadonlyArray<StepBlackBox>
}

/**
 * The library's interpreter on the f64 reference.
 *
 * @category instances
 * @since 0.1.0
 */
export const library: Interpreter = Gradient.on(reference)

/**
 * The reward of a setting as a host function, without its gradient. Rewards that look at the condition see none:
 * their lens is given no condition at all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxOf = <P extends Params, S extends Batched, R extends Params>(
  setting: Setting<P, S, Readonly<Record<never, never>>, R>
): BlackBox => {
  const { reward, chain } = setting
  const shapes = L.shapes(reward.shapes)
  const program = Program.make({ reward: shapes, x0: chain.state }, () => ({
    value: reward.lens({}).forward(L.parameterInputs<R>('reward', reward.shapes), X.input('x0', chain.state))
  }))
  return {
    _tag: 'BlackBox',
    name: reward.name,
    evaluate: (x0) =>
      pipe(
        program,
        E.flatMap((one) =>
          Reference.run(
            one,
            { batch: x0.shape[0] ?? 1 },
            {
              x0,
              ...Object.fromEntries(Object.entries(reward.parameters).map(([path, value]) => [`reward.${path}`, value]))
            }
          )
        ),
        E.bimap(
          (errors) => ({ _tag: 'RewardError' as const, reward: reward.name, reason: errors.map(showError).join('; ') }),
          (out) => Array.from(out['value']?.data ?? [])
        ),
        TE.fromEither
      )
  }
}

// -------------------------------------------------------------------------------------
// the estimator
// -------------------------------------------------------------------------------------

/**
 * How a cover perturbs its parameters, if it does.
 *
 * @category readings
 * @since 0.1.0
 */
export const smoothingOf = (cover: Cover): Smoothing | undefined => {
  const cell = C.zerothOrderCell(cover)
  return cell === undefined ? undefined : { steps: cell.steps, radius: cell.radius, perturbation: cell.perturbation }
}

/**
 * How much noise the siblings of a cover need.
 *
 * @category readings
 * @since 0.1.0
 */
export const freshOf = (cover: Cover): Fresh => {
  const all = Gradient.branches(cover)
  return {
    others: Math.max(0, ...all.map(({ count }) => count - 1)),
    at: Math.max(0, ...all.map(({ at }) => at))
  }
}

/**
 * One run of an estimator with a given cover on given draws. Left: what went wrong, in words.
 *
 * @category the estimator
 * @since 0.1.0
 */
export const run = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject,
  cover: Cover,
  draws: Draws
): TE.TaskEither<string, { readonly estimate: Estimate; readonly operations: number }> => {
  const { chain, trained } = setting
  const compile = subject.interpreter ?? library
  return pipe(
    compile({
      chain,
      reward: subject.blackBox ?? setting.reward,
      estimator: always(subject.estimator.name, cover),
      advantage: subject.advantage ?? A.none,
      trained,
      batch: draws.rows,
      ...(setting.steps === undefined ? {} : { steps: subject.steps ?? setting.steps }),
      ...(setting.reference === undefined ? {} : { reference: setting.reference }),
      ...(setting.values === undefined ? {} : { values: setting.values })
    }),
    TE.fromEither,
    TE.flatMap((gradients) =>
      pipe(
        gradients.run({
          cover,
          params: rowParams(chain.parameters, setting.params, draws.rows),
          condition: rowCondition(setting.condition, draws.rows),
          xT: draws.xT,
          eps: draws.eps,
          xi: draws.xi,
          // a mean over equal directions is that of one: their arithmetic is what is looked at
          moreXi: new Array<Values>((C.zerothOrderCell(cover)?.draws ?? 1) - 1).fill(draws.xi),
          fresh: (at, k) => T.rows(0, at)(draws.others?.[k - 1] ?? draws.eps),
          weights: draws.weights,
          advantageState: subject.advantageState ?? subject.advantage?.initial ?? 0,
          learned: Object.fromEntries([...(setting.values ?? [])].map(([name, { parameters }]) => [name, parameters]))
        }),
        TE.map((estimate) => ({
          estimate,
          operations: Object.values(gradients.executables).reduce(
            (n, { program }) => n + program.instructions.length,
            1
          )
        }))
      )
    ),
    TE.mapLeft(Gradient.showError)
  )
}

/** The largest factor that a likelihood-ratio or zeroth-order term puts before a reward, over the rows. */
const reach = (sigma: ReadonlyArray<number>, draws: Draws, cover: Cover): number => {
  const largest = (values: Iterable<number>): number => {
    let most = 0
    for (const value of values) most = Math.max(most, Math.abs(value))
    return most
  }
  const noise = largest(draws.eps.data)
  const scores = cover.cells.map((cell) => (cell._tag === 'HalfOrder' ? noise / (sigma[cell.from] ?? 1) : 0))
  const smoothing = smoothingOf(cover)
  const directions =
    smoothing === undefined
      ? 0
      : (largest(Object.values(draws.xi).flatMap(({ data }) => [largest(data)])) * smoothing.steps.length) /
        smoothing.radius
  return 1 + Math.max(0, ...scores) + directions
}

/**
 * The expectation of an estimator under one cover, over all its random numbers. The error is that of rounding: a unit
 * for each operation, of the magnitudes that are added up and of the rewards times the largest factor before one.
 *
 * @category the estimator
 * @since 0.1.0
 */
export const expectation = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject,
  cover: Cover,
  order: Order = setting.order
): TE.TaskEither<string, Uncertain> =>
  pipe(
    TE.fromEither(nodes(setting, order, smoothingOf(cover), freshOf(cover))),
    TE.flatMap(
      RA.traverse(TE.ApplicativeSeq)((draws) =>
        pipe(
          run(setting, subject, cover, draws),
          TE.map(({ estimate, operations }) => ({
            rows: byComponent(setting, estimate.gradient),
            scale:
              (magnitude(draws.weights, estimate.rewards) + magnitude(draws.weights, estimate.stepRewards)) *
              reach(setting.chain.sigma, draws, cover),
            operations
          }))
        )
      )
    ),
    TE.map((blocks) => {
      const each = components(setting).map((_, i) => blocks.flatMap(({ rows }) => rows[i] ?? []))
      const scale = sum(blocks.map((block) => block.scale))
      const unit = unitRoundoff * Math.max(...blocks.map(({ operations }) => operations))
      return {
        value: each.map(sum),
        error: each.map((parts) => unit * (sum(parts.map(Math.abs)) + scale))
      }
    })
  )

// -------------------------------------------------------------------------------------
// what it should be
// -------------------------------------------------------------------------------------

/**
 * The derivatives of what is read off shifted rollouts, one a component, as copies move by their shares.
 *
 * @category utils
 * @since 0.1.0
 */
export const collect = (
  read: (shift: Shift) => { readonly value: ArrayLike<number>; readonly error: ArrayLike<number> },
  setting: Parameters<typeof components>[0],
  share: (t: number) => number,
  scheme: Scheme | undefined
): ReadonlyArray<Derivatives> =>
  components(setting).map((component) => derivatives((amount) => read({ share, component, amount }), scheme))

/**
 * A rollout of what has already run once without complaint.
 *
 * @category utils
 * @since 0.1.0
 */
export const replay = (simulate: Simulator, draws: Draws, smoothing: Smoothing | undefined, shift: Shift): Rollout => {
  const result = simulate.run(draws, smoothing, shift)
  return E.isRight(result) ? result.right : { rewards: new Float64Array(draws.rows).fill(Number.NaN), states: [] }
}

/**
 * Each of some steps in full, the others not at all.
 *
 * @category utils
 * @since 0.1.0
 */
export const only =
  (steps: ReadonlyArray<number>) =>
  (t: number): number =>
    steps.includes(t) ? 1 : 0

/**
 * The sum of the terms of the gradient, each times a share: the derivative of the expected reward as the copy of the
 * parameters that step `t` uses moves by `share(t)`; with a smoothing, of the expected reward averaged over the
 * perturbation.
 *
 * @category what it should be
 * @since 0.1.0
 */
export const terms = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  share: (t: number) => number,
  smoothing?: Smoothing,
  order: Order = setting.objective ?? setting.order
): E.Either<string, Uncertain> =>
  pipe(
    simulator(setting),
    E.bindTo('simulate'),
    E.bind('blocks', () => nodes(setting, order, smoothing)),
    E.map(({ simulate, blocks }) => {
      if (C.range(1, setting.chain.T).every((t) => share(t) === 0)) {
        const zero = components(setting).map(() => 0)
        return { value: zero, error: zero }
      }
      const objective = (
        shift: Shift
      ): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => {
        const runs = blocks.map((draws) => ({ draws, rewards: replay(simulate, draws, smoothing, shift).rewards }))
        return {
          value: [sum(runs.map(({ draws, rewards }) => dot(draws.weights, rewards)))],
          error: [simulate.roundoff * sum(runs.map(({ draws, rewards }) => magnitude(draws.weights, rewards)))]
        }
      }
      const all = collect(objective, setting, share, setting.scheme)
      return { value: all.map((one) => one.value[0] ?? 0), error: all.map((one) => one.error[0] ?? 0) }
    })
  )

/**
 * What an exact cover promises: for each step its term of the gradient, of `J_s` at the steps of a zeroth-order cell,
 * and at the others of `J_s` with the one-point form, whose rollout is perturbed, and of `J` with a difference form.
 * Steps in `except` are left out.
 *
 * @category what it should be
 * @since 0.1.0
 */
export const promise = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  cover: Cover,
  except: ReadonlyArray<number> = [],
  order: Order = setting.objective ?? setting.order
): E.Either<string, Uncertain> => {
  const cell = C.zerothOrderCell(cover)
  const smoothing = smoothingOf(cover)
  const kept = C.range(1, cover.T).filter((t) => !except.includes(t))
  const perturbed = kept.filter((t) => cell?.steps.includes(t) === true)
  const others = kept.filter((t) => cell?.steps.includes(t) !== true)
  return pipe(
    terms(setting, only(others), cell?.form === 'onePoint' ? smoothing : undefined, order),
    E.flatMap((a) =>
      pipe(
        terms(setting, only(perturbed), smoothing, order),
        E.map((b) => plus(a, b))
      )
    )
  )
}

/**
 * What a mixture promises whose covers pay for steps more or less than once: each step's term once on average. What
 * zeroth-order cells pay for is smoothed by theirs, and the rest is of `J`: their form must be a difference.
 *
 * @category what it should be
 * @since 0.1.0
 */
export const mixturePromise = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  { covers }: Estimator,
  order: Order = setting.objective ?? setting.order
): E.Either<string, Uncertain> => {
  const perturbed = (cover: Cover, t: number): boolean => C.zerothOrderCell(cover)?.steps.includes(t) === true
  const smoothed = (t: number): number => sum(covers.map(({ weight, cover }) => (perturbed(cover, t) ? weight : 0)))
  return pipe(
    covers,
    RA.traverse(E.Applicative)(({ weight, cover }) =>
      pipe(
        terms(setting, (t) => (perturbed(cover, t) ? 1 : 0), smoothingOf(cover), order),
        E.map((part) => ({ weight, part }))
      )
    ),
    E.bindTo('parts'),
    E.bind('rest', () => terms(setting, (t) => 1 - smoothed(t), undefined, order)),
    E.map(({ parts, rest }) => parts.reduce((total, { weight, part }) => plus(total, part, weight), rest))
  )
}
