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
import type { Cell } from './Cover.js'
import * as C from './Cover.js'
import { creditInputs, directions, sideInputs, stepMask } from './stage/Credit.js'
import { advantagesIn, exchange, type Heard, type Numbers } from './stage/Exchange.js'
import { creditName, rollouts, sideName } from './Plan.js'
import type { Estimate, EstimatorError, Problem, Request, Term } from './Problem.js'
import * as Programs from './program/Programs.js'
import {
  addRows,
  averages,
  hostRewards,
  returnOf,
  type Rolled,
  rowsOf,
  type Scored,
  stepTotals,
  usable,
  usableSteps
} from './Returns.js'
import { type Context, type Draw, type Run, scored, type Seen, together } from './stage/Score.js'

// -------------------------------------------------------------------------------------
// stages
// -------------------------------------------------------------------------------------

/**
 * What rows are once they are rolled out: what their credit programs read, and the numbers that they tell the whole batch.
 * `controls` are the gradients of the cells' controls, cell by cell.
 *
 * @category model
 * @since 0.1.0
 */
export interface Walked {
  readonly seen: Seen
  readonly controls: ReadonlyArray<Tensor | undefined>
  readonly numbers: Numbers
}

/**
 * A request in two stages, of which each looks at its rows alone: rollouts with their scores, and then, once the rows of the whole
 * batch have heard of each other (`Exchange.exchange`), the outputs of each cell's credit programs, in the order of their runs. `runs` runs a cell's with the inputs that are given.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stages {
  readonly walk: TE.TaskEither<EstimatorError, Walked>
  readonly credit: (cell: Cell, walked: Walked, heard: Heard) => Ran
  readonly runs: (cell: Cell, inputs: ReadonlyArray<Values>) => Ran
}

type Ran = TE.TaskEither<EstimatorError, ReadonlyArray<Values>>

/**
 * The stages of a request by compiled programs, for the rows that it has.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const stages = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  executables: Readonly<Record<string, Executable>>,
  request: Request
): Stages => {
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
    rewardInputs,
    discrete: problem.chain.noise.outcome !== undefined
  }
  const runs: Stages['runs'] = (cell, inputs) =>
    pipe(
      inputs,
      RA.traverse(TE.ApplicativeSeq)((own) => run(creditName(cell), { ...context.inputs, ...stepInputs, ...own }))
    )
  return {
    walk: pipe(
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
      TE.map((rolled): Seen => ({ ...rolled, from: plan.from })),
      TE.bindTo('seen'),
      TE.bind('scores', ({ seen }) =>
        pipe(
          cover.cells,
          RA.traverse(TE.ApplicativeSeq)((cell) => scored(context, cell, seen))
        )
      ),
      TE.map(({ seen, scores }) => ({
        seen,
        controls: scores.map(({ control }) => control),
        numbers: numbersOf(
          seen,
          scores.map(({ returns }) => returns)
        )
      }))
    ),
    credit: (cell, walked, heard) =>
      request.credit === false ? TE.right([]) : runs(cell, creditInputs(context, cell, walked, heard)),
    runs
  }
}

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
  const { walk, credit } = stages(problem, executables, request)
  return pipe(
    walk,
    TE.bindTo('walked'),
    TE.bind('heard', ({ walked }) => TE.fromEither(exchange(problem, request, walked.numbers))),
    TE.bind('outs', ({ walked, heard }) =>
      pipe(
        request.cover.cells,
        RA.traverse(TE.ApplicativeSeq)((cell) => credit(cell, walked, heard))
      )
    ),
    TE.map(({ walked: { seen, numbers }, heard, outs }) =>
      concluded(problem, request, { numbers, heard, outs, ...samplesOf(request, seen) })
    )
  )
}

/**
 * The samples that an estimate shows, and the trajectory that they are the end of.
 *
 * @category utils
 * @since 0.1.0
 */
export const samplesOf = ({ xT }: Request, { base, draws }: Seen): Pick<Estimate, 'x0' | 'trajectory'> => ({
  x0: base?.x0 ?? draws[0]?.sides[0]?.x0 ?? xT,
  trajectory: base?.trajectory
})

/**
 * What an estimate is made of: the numbers of all rows, what they heard, and what the credit programs of each cell gave.
 *
 * @category model
 * @since 0.1.0
 */
export interface Made extends Pick<Estimate, 'x0' | 'trajectory'> {
  readonly numbers: Numbers
  readonly heard: Heard
  readonly outs: ReadonlyArray<ReadonlyArray<Values>>
}

/**
 * The estimate of what was made: the sum of each cell's credit, and of all cells'.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const concluded = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  request: Request,
  { numbers, heard, outs, x0, trajectory }: Made
): Estimate => {
  const terms = request.cover.cells.map((cell, i): Term => {
    const advantages = advantagesIn(request, cell, i, heard)
    const gradients = (outs[i] ?? []).map((out) => below('gradient', out))
    return {
      cell,
      gradient: sumGradients(gradients, request.params, problem),
      ...(cell._tag === 'HalfOrder' ? { advantages: together(cell) ? advantages.flat() : (advantages[0] ?? []) } : {})
    }
  })
  return {
    gradient: sumGradients(
      terms.map(({ gradient }) => gradient),
      request.params,
      problem
    ),
    terms,
    rewards: numbers.rewards,
    skipped: [...heard.skipped],
    stepRewards: numbers.stepRewards,
    x0,
    trajectory,
    advantageState: heard.state
  }
}

// -------------------------------------------------------------------------------------
// numbers
// -------------------------------------------------------------------------------------

/** What rows tell each other once they are rolled out. */
const numbersOf = (
  { base, draws, twin, families: all }: Seen,
  cells: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
): Numbers => {
  const sides = draws.flatMap((draw) => draw.sides)
  const others = [...all.values()].flatMap((family) => family.slice(1).map(({ rolled }) => rolled))
  const every = [...[base, twin].flatMap((one) => (one === undefined ? [] : [one])), ...sides, ...others]
  return {
    rewards: base?.rewards ?? averages(sides.map(({ rewards }) => rewards)),
    stepRewards: base === undefined ? averages(sides.map(stepTotals)) : stepTotals(base),
    returns: base === undefined ? averages(sides.map(returnOf)) : returnOf(base),
    cells,
    unusable: [...new Set(every.flatMap(({ unusable }) => unusable))].sort((a, b) => a - b)
  }
}

// -------------------------------------------------------------------------------------
// sums
// -------------------------------------------------------------------------------------

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
