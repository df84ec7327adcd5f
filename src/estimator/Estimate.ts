/**
 * One gradient: the rollouts of a drawn cover, scored, and the sum of its cells' credit programs.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../lens/Lens.js'
import { evaluate } from '../reward/Reward.js'
import { lenses } from '../reward/StepReward.js'
import * as Build from '../tensor/Build.js'
import { below, under, type Values } from '../tensor/Program.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import type { Executable } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { families } from './Branches.js'
import type { Cell, FirstOrder, ZerothOrder } from './Cover.js'
import * as C from './Cover.js'
import { creditName, rollouts, type Rollouts, sideName } from './Plan.js'
import type { Estimate, EstimatorError, Problem, Request, Term } from './Problem.js'
import * as Programs from './program/Programs.js'
import {
  addRows,
  advantagesOf,
  averages,
  hostRewards,
  returnOf,
  type Rolled,
  rowsOf,
  rowsToSkip,
  type Scored,
  stepTotals,
  toGo,
  usable,
  usableSteps,
  withoutRows
} from './Returns.js'
import {
  type Context,
  type Draw,
  type Run,
  scored,
  type Seen,
  sharesOf,
  siblingInputs,
  weighed,
  secant
} from './Score.js'

/**
 * The gradient of a request by compiled programs.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const estimate = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
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
  const stepInputs: Values = Object.fromEntries(
    lenses(problem.steps).flatMap((one, i) => Object.entries(under(`step.${i}`, one.parameters)))
  )
  const rewardInputs: Values = problem.reward._tag === 'BlackBox' ? {} : under('reward', problem.reward.parameters)
  const run: Run = (name, values) => {
    const executable = executables[name]
    if (executable === undefined) return TE.left({ _tag: 'NotCompiled', program: name })
    return Build.run(name, executable)(Build.declaredOf(executable, values))
  }
  const score = (x0: Tensor): TE.TaskEither<EstimatorError, Scored> =>
    problem.reward._tag === 'BlackBox'
      ? pipe(
          evaluate(problem.reward)(x0, { condition }),
          TE.map((rewards) => ({ rewards, x0Bar: undefined })),
          TE.flatMapEither(usable(problem, x0))
        )
      : pipe(
          run('reward', {
            ...under('reward', problem.reward.parameters),
            ...condition,
            x0,
            weights: T.vector(weights)
          }),
          TE.map((out) => ({ rewards: Array.from(out['reward']?.data ?? []), x0Bar: out['x0Bar'] })),
          TE.flatMapEither(usable(problem, x0))
        )
  const finished = (own: Omit<Rolled, keyof Scored>, length: number): TE.TaskEither<EstimatorError, Rolled> =>
    pipe(
      score(own.x0),
      TE.bindTo('scored'),
      TE.bind('onHost', () => hostRewards(problem, length, own.trajectory)),
      TE.flatMapEither(({ scored, onHost }) =>
        usableSteps(problem)({ ...scored, ...own, steps: addRows(own.steps, onHost) })
      )
    )
  const roll = (name: string, own: Values, length: number): TE.TaskEither<EstimatorError, Rolled> =>
    pipe(
      run(name, { ...params, ...condition, ...perturbed, ...stepInputs, ...own }),
      TE.flatMap(({ x0 = xT, trajectory, clean, steps, aside }) =>
        finished({ x0, trajectory, clean, steps: rowsOf(steps), aside: rowsOf(aside) }, length)
      )
    )
  const context: Context = {
    run,
    score,
    request,
    inputs: { ...params, ...condition, ...perturbed, ...under('reference', problem.reference ?? {}) },
    apply: (returns, state, skipped) =>
      advantagesOf(problem.advantage, returns, { ...request, advantageState: state }, skipped),
    initial: problem.advantage.initial,
    rewardInputs,
    discrete: problem.chain.noise.outcome !== undefined
  }
  return pipe(
    plan.base === undefined
      ? TE.right<EstimatorError, Rolled | undefined>(undefined)
      : roll(plan.base, { xT, eps, radius: T.scalar(zeroth?.radius ?? 0) }, cover.T),
    TE.bindTo('base'),
    TE.bind('draws', ({ base }) =>
      pipe(
        directions(request, plan),
        RA.traverse(TE.ApplicativeSeq)((xi) =>
          pipe(
            plan.sides,
            RA.traverse(TE.ApplicativeSeq)((sign) =>
              roll(
                sideName(cover),
                {
                  ...sideInputs(request, plan, xi, base?.trajectory),
                  radius: T.scalar(sign * (zeroth?.radius ?? 0))
                },
                plan.from
              )
            ),
            TE.map((sides): Draw => ({ xi, sides }))
          )
        )
      )
    ),
    TE.bind('twin', () =>
      plan.base === undefined || !plan.twin
        ? TE.right<EstimatorError, Rolled | undefined>(undefined)
        : roll(plan.base, { xT, eps: T.map((e) => -e)(eps), radius: T.scalar(zeroth?.radius ?? 0) }, cover.T)
    ),
    TE.let('sides', ({ draws }) => draws.flatMap(({ sides }) => sides)),
    TE.bind('families', ({ base }) =>
      families(cover, request, base, {
        run: (name, own) => run(name, { ...params, ...condition, ...stepInputs, ...own }),
        score: (at, states, paid) =>
          finished(
            {
              x0: states[0] ?? xT,
              trajectory: T.stack(states),
              clean: undefined,
              steps: paid.map(({ data }) => Array.from(data)),
              aside: []
            },
            at
          )
      })
    ),
    TE.bindW('skipped', ({ base, sides, twin, families: all }) => {
      const others = [...all.values()].flatMap((family) => family.slice(1).map(({ rolled }) => rolled))
      const every = [...[base, twin].flatMap((one) => (one === undefined ? [] : [one])), ...sides, ...others]
      return TE.fromEither(rowsToSkip(problem, every, weights.length))
    }),
    TE.bind('parts', ({ base, draws, sides, skipped, twin, families: all }) => {
      const whole = base === undefined ? averages(sides.map(returnOf)) : returnOf(base)
      const advantages = context.apply(whole, request.advantageState, skipped)
      const seen: Seen = { base, twin, draws, from: plan.from, whole: advantages.advantages, skipped, families: all }
      return pipe(
        cover.cells,
        RA.traverse(TE.ApplicativeSeq)((cell) =>
          pipe(
            creditInputs(context, cell, seen),
            TE.bindTo('inputs'),
            TE.bind('outs', ({ inputs }) =>
              pipe(
                request.credit === false ? [] : inputs,
                RA.traverse(TE.ApplicativeSeq)((own) =>
                  run(creditName(cell), { ...context.inputs, ...stepInputs, ...own })
                )
              )
            ),
            TE.map(({ inputs, outs }): Term => {
              const advantage = inputs[0]?.['advantage']
              const gradient = sumGradients(
                outs.map((out) => below('gradient', out)),
                request.params,
                problem
              )
              return { cell, gradient, ...(advantage === undefined ? {} : { advantages: Array.from(advantage.data) }) }
            })
          )
        ),
        TE.map((terms) => ({ terms, state: advantages.state }))
      )
    }),
    TE.map(({ base, sides, parts, skipped }) => ({
      gradient: sumGradients(
        parts.terms.map(({ gradient }) => gradient),
        request.params,
        problem
      ),
      terms: parts.terms,
      rewards: base?.rewards ?? averages(sides.map(({ rewards }) => rewards)),
      skipped: [...skipped],
      stepRewards: base === undefined ? averages(sides.map(stepTotals)) : stepTotals(base),
      x0: base?.x0 ?? sides[0]?.x0 ?? xT,
      trajectory: base?.trajectory,
      advantageState: parts.state
    }))
  )
}

// -------------------------------------------------------------------------------------
// credit
// -------------------------------------------------------------------------------------

/** The directions of a request, of which a difference wants `draws`; a cover without sides runs none. */
const directions = ({ xi, moreXi = [] }: Request, { draws, sides }: Rollouts): ReadonlyArray<Values> =>
  sides.length === 0 ? [] : [xi, ...moreXi].slice(0, draws)

/** What a side starts from: the noise, or the base rollout's state above its highest perturbed step. */
const sideInputs = (
  { cover, eps, xT }: Request,
  { from }: Rollouts,
  xi: Values,
  trajectory: Tensor | undefined
): Values => {
  if (from === cover.T || trajectory === undefined) return { ...under('xi', xi), xT, eps }
  const zeroth = C.zerothOrderCell(cover)
  const own =
    zeroth?.perturbation === 'perStep'
      ? Object.fromEntries(Object.entries(xi).map(([path, value]) => [path, T.rows(0, from)(value)]))
      : xi
  return {
    ...under('xi', own),
    mask: stepMask(from, zeroth?.steps ?? []),
    xT: T.at(from)(trajectory),
    eps: T.rows(0, from)(eps)
  }
}

/** The inputs of a cell's credit program, for each time that it is run. */
type Inputs = TE.TaskEither<EstimatorError, ReadonlyArray<Values>>

const creditInputs = (context: Context, cell: Cell, seen: Seen): Inputs => {
  const { base, skipped } = seen
  const { eps } = context.request
  const weights = context.request.weights.map((w, n) => (skipped.has(n) ? 0 : w))
  const kept = withoutRows(skipped)
  const segment = (from: number, to: number): Values =>
    base?.trajectory === undefined
      ? {}
      : { x: kept(T.at(to)(base.trajectory)), eps: T.rows(from - 1, to)(eps), weights: T.vector(weights) }
  switch (cell._tag) {
    case 'FirstOrder':
      return TE.right([{ ...segment(1, cell.to), ...sharesOf(cell), ...endOf(cell, seen, weights, kept) }])
    case 'HalfOrder':
      if (cell.siblings !== undefined) return TE.right(siblingInputs(context, cell, seen, weights))
      return pipe(
        scored(context, cell, seen),
        TE.map(({ advantages, control }) => [
          {
            ...segment(cell.from, cell.to),
            ...(base?.trajectory === undefined ? {} : { below: kept(T.at(cell.from - 1)(base.trajectory)) }),
            ...sharesOf(cell),
            high: T.scalar(cell.to),
            advantage: T.vector(weighed(advantages, weights)),
            ...(control === undefined ? {} : { control: kept(control) })
          }
        ])
      )
    case 'ZerothOrder': {
      const delta = (gaps: ReadonlyArray<number>, n: number): Tensor => T.vector(gaps.map((g) => g / (n * cell.radius)))
      return TE.right(
        cell.form === 'onePoint'
          ? [{ delta: delta(weighed(seen.whole, weights), 1) }]
          : seen.draws.map(({ xi, sides }) => ({
              ...under('xi', xi),
              delta: delta(differences(cell, seen, sides, weights), seen.draws.length)
            }))
      )
    }
  }
}

/** What a first-order cell pulls back: the gradient of the weighted rewards in the output, or what stands for it. */
const endOf = (
  { gradient }: FirstOrder,
  { base, twin }: Seen,
  weights: ReadonlyArray<number>,
  kept: (tensor: Tensor) => Tensor
): Values => {
  if (gradient === undefined) return base?.x0Bar === undefined ? {} : { x0Bar: kept(base.x0Bar) }
  return base === undefined || twin === undefined ? {} : { x0Bar: kept(secant(base, twin, weights)) }
}

/** The weighted differences of returns: what is above the steps that the sides run is the same in both. */
const differences = (
  cell: ZerothOrder,
  { base, from }: Seen,
  [plus, minus]: ReadonlyArray<Rolled>,
  weights: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const high = plus === undefined ? [] : returnOf(plus)
  const other = cell.form === 'forward' ? base : minus
  const low = other === undefined ? [] : toGo(other, from + 1)
  return weights.map((w, n) =>
    w === 0 ? 0 : (w * ((high[n] ?? 0) - (low[n] ?? 0))) / (cell.form === 'forward' ? 1 : 2)
  )
}

const stepMask = (length: number, set: ReadonlyArray<number>): Tensor => {
  const steps = new Set(set)
  return T.tabulate([length], (i) => (steps.has(i + 1) ? 1 : 0))
}

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
