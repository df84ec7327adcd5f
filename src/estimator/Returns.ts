/**
 * What rollouts are worth: rewards and returns, by row, and the rows that can not be used.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../lens/Lens.js'
import { hosted } from '../reward/StepReward.js'
import { isFiniteIn } from '../tensor/Finite.js'
import type { Batched } from '../tensor/Shape.js'
import * as T from '../tensor/Tensor.js'
import type { Data, Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Advantage } from './Advantage.js'
import * as C from './Cover.js'
import type { EstimatorError, NotFiniteRow, Problem, Request } from './Problem.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A scored output: its rewards, the gradient of their weighted sum in the output where there is one, and the rows to skip.
 *
 * @category model
 * @since 0.1.0
 */
export interface Scored {
  readonly rewards: ReadonlyArray<number>
  readonly x0Bar: Tensor | undefined
  readonly unusable: ReadonlyArray<number>
}

/**
 * A rollout that is scored: `steps[t - 1]` are the rewards of step `t` that returns count, none where the problem has no such step
 * rewards; `aside` those that only gradients see.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rolled extends Scored {
  readonly x0: Tensor
  readonly trajectory: Tensor | undefined
  readonly clean: Tensor | undefined
  readonly steps: ReadonlyArray<ReadonlyArray<number>>
  readonly aside: ReadonlyArray<ReadonlyArray<number>>
}

// -------------------------------------------------------------------------------------
// returns
// -------------------------------------------------------------------------------------

/**
 * The step rewards that are host functions, of each state `x_1, ..., x_T` of a trajectory, added up step by step.
 *
 * @category returns
 * @since 0.1.0
 */
export const hostRewards = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { steps }: Problem<P, S, C, R>,
  length: number,
  trajectory: Tensor | undefined
): TE.TaskEither<EstimatorError, ReadonlyArray<ReadonlyArray<number>>> => {
  const onHost = hosted(steps)
  if (onHost.length === 0 || trajectory === undefined) return TE.right([])
  return pipe(
    C.range(1, length),
    RA.traverse(TE.ApplicativeSeq)((t) =>
      pipe(
        onHost,
        RA.traverse(TE.ApplicativeSeq)((one) => one.evaluate(T.at(t)(trajectory), t)),
        TE.map((each) => each.reduce(addVectors))
      )
    )
  )
}

const addVectors = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): ReadonlyArray<number> =>
  a.map((x, i) => x + (b[i] ?? 0))

/**
 * Two lists of lists added, either of which may be empty.
 *
 * @category returns
 * @since 0.1.0
 */
export const addRows = (
  a: ReadonlyArray<ReadonlyArray<number>>,
  b: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<ReadonlyArray<number>> =>
  a.length === 0 ? b : b.length === 0 ? a : a.map((row, i) => addVectors(row, b[i] ?? []))

/**
 * The rows of a matrix as lists.
 *
 * @category returns
 * @since 0.1.0
 */
export const rowsOf = (tensor: Tensor | undefined): ReadonlyArray<ReadonlyArray<number>> =>
  tensor === undefined ? [] : Array.from({ length: tensor.shape[0] ?? 0 }, (_, t) => Array.from(T.at(t)(tensor).data))

/**
 * The return to go below step `j`: the terminal reward, and the rewards of the steps `s < j`.
 *
 * @category returns
 * @since 0.1.0
 */
export const toGo = ({ rewards, steps }: Rolled, j: number): ReadonlyArray<number> =>
  steps.slice(0, j - 1).reduce<ReadonlyArray<number>>(addVectors, rewards)

/**
 * The whole return.
 *
 * @category returns
 * @since 0.1.0
 */
export const returnOf = (rolled: Rolled): ReadonlyArray<number> => toGo(rolled, rolled.steps.length + 1)

/**
 * The sum of the rewards of all steps.
 *
 * @category returns
 * @since 0.1.0
 */
export const stepTotals = ({ rewards, steps, aside }: Rolled): ReadonlyArray<number> =>
  [...steps, ...aside].reduce<ReadonlyArray<number>>(addVectors, new Array<number>(rewards.length).fill(0))

/**
 * The mean of several lists, element by element.
 *
 * @category returns
 * @since 0.1.0
 */
export const averages = (sides: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> =>
  (sides[0] ?? []).map((_, n) => sides.reduce((sum, side) => sum + (side[n] ?? 0), 0) / sides.length)

// -------------------------------------------------------------------------------------
// rows that are not finite
// -------------------------------------------------------------------------------------

/**
 * Which rows can not be used; a left that names the first, unless they are to be skipped.
 *
 * @category rows
 * @since 0.1.0
 */
export const usable =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
    { reward, nonFinite }: Problem<P, S, C, R>,
    x0: Tensor
  ) =>
  ({ rewards, x0Bar }: Pick<Scored, 'rewards' | 'x0Bar'>): E.Either<NotFiniteRow, Scored> => {
    const finite = isFiniteIn(x0.data)
    // as a rule all is well, which is found out without looking at rows
    if (rewards.every(finite) && allIn(x0.data, finite) && (x0Bar === undefined || allIn(x0Bar.data, finite)))
      return E.right({ rewards, x0Bar, unusable: [] })
    const values = T.vector(rewards)
    const unusable = Array.from({ length: x0.shape[0] ?? 0 }, (_, row) => row).flatMap((row) => {
      const found =
        inRow('sample', x0, row, finite) ??
        inRow('reward', values, row, finite) ??
        (x0Bar === undefined ? undefined : inRow('gradient of the reward', x0Bar, row, finite))
      return found === undefined ? [] : [{ _tag: 'NotFiniteRow' as const, reward: reward.name, row, ...found }]
    })
    const [first] = unusable
    return first === undefined || nonFinite === 'skipRow'
      ? E.right({ rewards, x0Bar, unusable: unusable.map(({ row }) => row) })
      : E.left(first)
  }

const allIn = (data: Data, finite: (value: number) => boolean): boolean => {
  for (let i = 0; i < data.length; i++) if (!finite(data[i] ?? 0)) return false
  return true
}

const inRow = (
  of: NotFiniteRow['of'],
  { shape, data }: Tensor,
  row: number,
  finite: (value: number) => boolean
): Pick<NotFiniteRow, 'of' | 'value'> | undefined => {
  const width = T.size(shape.slice(1))
  const value = data.subarray(row * width, (row + 1) * width).find((x: number) => !finite(x))
  return value === undefined ? undefined : { of, value }
}

/**
 * A rollout with the rows added whose step rewards can not be used; a left that names the first, unless they are to be skipped.
 *
 * @category rows
 * @since 0.1.0
 */
export const usableSteps =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>({
    reward,
    nonFinite
  }: Problem<P, S, C, R>) =>
  (rolled: Rolled): E.Either<NotFiniteRow, Rolled> => {
    const found = rolled.steps.flatMap((rewards) =>
      rewards.flatMap(
        (value, row): ReadonlyArray<NotFiniteRow> =>
          isFiniteIn(rolled.x0.data)(value)
            ? []
            : [{ _tag: 'NotFiniteRow', reward: reward.name, row, of: 'step reward', value }]
      )
    )
    const [first] = found
    return first === undefined || nonFinite === 'skipRow'
      ? E.right({ ...rolled, unusable: [...rolled.unusable, ...found.map(({ row }) => row)] })
      : E.left(first)
  }

/**
 * The rows that some rollout could not use. Left where these are all.
 *
 * @category rows
 * @since 0.1.0
 */
export const rowsToSkip = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { reward }: Problem<P, S, C, R>,
  scored: ReadonlyArray<Pick<Scored, 'unusable'>>,
  rows: number
): E.Either<EstimatorError, ReadonlySet<number>> => {
  const skipped = new Set(scored.flatMap(({ unusable }) => unusable).sort((a, b) => a - b))
  return skipped.size > 0 && skipped.size === rows
    ? E.left({ _tag: 'AllSkipped', reward: reward.name, rows })
    : E.right(skipped)
}

/**
 * Advantages among the rows that are not skipped; of those that are, 0.
 *
 * @category rows
 * @since 0.1.0
 */
export const advantagesOf = (
  advantage: Advantage,
  rewards: ReadonlyArray<number>,
  { advantageState, groups }: Request,
  skipped: ReadonlySet<number>
): ReturnType<Advantage['apply']> => {
  if (skipped.size === 0) return advantage.apply(rewards, advantageState, groups)
  const kept = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => all.filter((_, n) => !skipped.has(n))
  const { advantages, state } = advantage.apply(kept(rewards), advantageState, groups && kept(groups))
  let next = 0
  return { advantages: rewards.map((_, n) => (skipped.has(n) ? 0 : (advantages[next++] ?? 0))), state }
}

/**
 * Skipped rows as zeros: a product with a weight of 0 would keep what is not finite.
 *
 * @category rows
 * @since 0.1.0
 */
export const withoutRows =
  (skipped: ReadonlySet<number>) =>
  (tensor: Tensor): Tensor => {
    if (skipped.size === 0) return tensor
    const data = tensor.data.slice()
    const width = T.size(tensor.shape.slice(1))
    for (const row of skipped) data.fill(0, row * width, (row + 1) * width)
    return { shape: tensor.shape, data }
  }
