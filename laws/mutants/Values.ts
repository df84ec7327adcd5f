/**
 * Wrong estimators where returns have parts and cells look at the state: baselines, controls, step rewards, ledgers.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Cell, Cover } from '../../src/estimator/Cover.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import type { StepLens } from '../../src/reward/StepReward.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import { library } from '../exact/Expectation.js'
import { cells, programs } from './Tamper.js'

/**
 * A wrong estimator: `on` names what its subject must have to refute it.
 *
 * @category model
 * @since 0.1.0
 */
export interface ValueMutant {
  readonly name: string
  readonly wrong: string
  readonly on: 'control' | 'baseline' | 'steps' | 'ledger' | 'siblings'
  readonly interpreter: Interpreter
}

/** A control of which only the value is taken off. */
const withoutGradient: Interpreter = programs({
  halfOrder: (_, { control, ...values }, run) =>
    run({ ...values, ...(control === undefined ? {} : { control: T.map(() => 0)(control) }) })
})

const baselineBelow = ({ cells: all }: Cover): ReadonlyArray<Cell> =>
  all.map((cell) => {
    if (cell._tag !== 'HalfOrder' || cell.baseline === undefined) return cell
    const { baseline, ...rest } = cell
    return { ...rest, control: baseline }
  })

/** Rewards of steps under the number of the next step. */
const late: Interpreter = programs({
  rollout: (_, values, run) =>
    pipe(
      run(values),
      TE.map(({ steps, ...out }) => {
        if (steps === undefined) return out
        const width = steps.shape[1] ?? 1
        return {
          ...out,
          steps: { ...steps, data: steps.data.map((_x, i) => (i < width ? 0 : (steps.data[i - width] ?? 0))) }
        }
      })
    )
})

/** A penalty whose own step's parameters get none of it. */
const passedOn = <P extends Params, S extends Batched, Cd extends Exprs>(
  one: StepLens<P, S, Cd>
): StepLens<P, S, Cd> => ({
  ...one,
  lens: (t) => {
    const inner = one.lens(t)
    return L.make(inner.parameters, (p, a) => {
      const [value, back] = inner.run(p, a)
      return [
        value,
        (bar) => {
          const [pBar, { mean, ...rest }] = back(bar)
          return [pBar, { ...rest, mean: X.zeros(mean.shape) }]
        }
      ]
    })
  }
})

const shifted = ({ cells: all, T: last }: Cover): ReadonlyArray<Cell> =>
  all.map((cell) =>
    cell._tag === 'HalfOrder' ? { ...cell, from: Math.min(cell.from + 1, last), to: Math.min(cell.to + 1, last) } : cell
  )

/** Siblings with the noises of the trajectory that they branch from. */
const sameNoise: Interpreter = (problem) =>
  pipe(
    library(problem),
    E.map((gradients) => ({
      ...gradients,
      run: (request) => gradients.run({ ...request, fresh: (at) => T.rows(0, at)(request.eps) })
    }))
  )

/** Advantages less the mean of all siblings, each one's own return among them: `1 - 1 / count` of those less the others'. */
const ownBaseline: Interpreter = programs({
  halfOrder: (_, values, run) => {
    const { advantage, fresh } = values
    const count = fresh?.shape[0] ?? 1
    return run({
      ...values,
      ...(advantage === undefined || fresh === undefined
        ? {}
        : { advantage: T.map((a) => a * (1 - 1 / count))(advantage) })
    })
  }
})

/** Siblings that branch a step above the noise that is scored, and share what is below the branch. */
const scoredShared: Interpreter = cells(({ cells: all, T: last }) =>
  all.map((cell) =>
    cell._tag === 'HalfOrder' && cell.siblings !== undefined && cell.from < last
      ? { ...cell, siblings: { ...cell.siblings, at: cell.from + 1, below: 'shared' } }
      : cell
  )
)

/**
 * All of them.
 *
 * @category mutants
 * @since 0.1.0
 */
export const valueMutants: ReadonlyArray<ValueMutant> = [
  {
    name: 'control without its gradient',
    wrong: 'a value of the state after the noise is taken off, and its gradient is not put back in',
    on: 'control',
    interpreter: withoutGradient
  },
  {
    name: 'baseline that sees its noise',
    wrong: 'a baseline at the state that the noise of its cell has reached',
    on: 'baseline',
    interpreter: cells(baselineBelow, withoutGradient)
  },
  {
    name: 'returns one step late',
    wrong: 'step rewards counted for the step above the one that they belong to',
    on: 'steps',
    interpreter: late
  },
  {
    name: 'penalty in the wrong copies',
    wrong: "a penalty whose gradient reaches the parameters of the steps above, and not its own step's",
    on: 'steps',
    interpreter: (problem) =>
      library({
        ...problem,
        steps: (problem.steps ?? []).map((one) => (one._tag === 'StepLens' ? passedOn(one) : one))
      })
  },
  {
    name: 'ledger off by one',
    wrong: 'a mixture that draws the steps next to those that its ledger counts',
    on: 'ledger',
    interpreter: cells(shifted)
  },
  {
    name: 'siblings that share the noise',
    wrong: 'continuations from one state that have the same noise below it, and so the same return',
    on: 'siblings',
    interpreter: sameNoise
  },
  {
    name: 'own return among the siblings',
    wrong: "a baseline that is the mean of all siblings' returns, each one's own among them",
    on: 'siblings',
    interpreter: ownBaseline
  },
  {
    name: 'siblings that share what is scored',
    wrong: 'continuations that differ in a noise above the one that is scored, and share that one',
    on: 'siblings',
    interpreter: scoredShared
  }
]

/**
 * What the values of the subjects are.
 *
 * @category constants
 * @since 0.1.0
 */
export const quadratic: StateValue.StateValue = StateValue.polynomial([0.5, -1, 0.75])
