/**
 * One gradient: the rollouts of a drawn cover, scored, and the sum of its cells' credit programs.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../lens/Lens.js'
import { evaluate } from '../reward/Reward.js'
import * as Build from '../tensor/Build.js'
import { isFiniteIn } from '../tensor/Finite.js'
import { below, under, type Values } from '../tensor/Program.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import type { Executable } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Advantage } from './Advantage.js'
import type { Cell, SegmentOptions } from './Cover.js'
import * as C from './Cover.js'
import { creditName, rollouts } from './Plan.js'
import type { Estimate, EstimatorError, NotFiniteRow, Problem, Request } from './Problem.js'
import * as Programs from './Programs.js'

type Run = (name: string, values: Values) => TE.TaskEither<EstimatorError, Values>

/** A scored output: its rewards, the gradient of their weighted sum in the output where there is one, and the rows to skip. */
interface Scored {
  readonly rewards: ReadonlyArray<number>
  readonly x0Bar: Tensor | undefined
  readonly unusable: ReadonlyArray<number>
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
  const { cover, condition, xT, eps, weights } = request
  const plan = rollouts(cover)
  const zeroth = C.zerothOrderCell(cover)
  const params = under('params', request.params)
  const perturbed: Values =
    zeroth === undefined ? {} : { ...under('xi', request.xi), mask: stepMask(cover.T, zeroth.steps) }
  const run: Run = (name, values) => {
    const executable = executables[name]
    if (executable === undefined) return TE.left({ _tag: 'NotCompiled', program: name })
    return Build.run(name, executable)(pick(executable, values))
  }
  const roll = (name: string, sign: number): TE.TaskEither<EstimatorError, Values> =>
    run(name, { ...params, ...condition, ...perturbed, xT, eps, radius: T.scalar(sign * (zeroth?.radius ?? 0)) })
  const score = (x0: Tensor): TE.TaskEither<EstimatorError, Scored> =>
    problem.reward._tag === 'BlackBox'
      ? pipe(
          evaluate(problem.reward)(x0),
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
  const side = (sign: 1 | -1): TE.TaskEither<EstimatorError, Side> =>
    pipe(
      roll(`side(${zeroth?.perturbation ?? 'none'})`, sign),
      TE.map((out) => out['x0'] ?? xT),
      TE.bindTo('x0'),
      TE.bind('scored', ({ x0 }) => score(x0)),
      TE.map(({ x0, scored: { rewards, unusable } }) => ({ x0, rewards, unusable }))
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
    TE.bindW('skipped', ({ base: from, sides }) =>
      TE.fromEither(rowsToSkip(problem, [...(from === undefined ? [] : [from.scored]), ...sides], weights.length))
    ),
    TE.bind('parts', ({ base: from, sides, skipped }) => {
      const rewards = from?.scored.rewards ?? averages(sides)
      const { advantages, state } = advantagesOf(problem.advantage, rewards, request, skipped)
      const weighted = advantages.map((a, n) => (skipped.has(n) ? 0 : a * (weights[n] ?? 0)))
      const credit = (cell: Cell): TE.TaskEither<EstimatorError, Values> =>
        run(creditName(cell), {
          ...params,
          ...condition,
          ...perturbed,
          ...creditInputs(cell, { base: from, sides, eps, weighted, weights, skipped })
        })
      return pipe(
        cover.cells,
        RA.traverse(TE.ApplicativeSeq)(credit),
        TE.map((outputs) => ({ gradients: outputs.map((out) => below('gradient', out)), rewards, state }))
      )
    }),
    TE.map(({ base: from, sides, parts, skipped }) => ({
      gradient: sumGradients(parts.gradients, request.params, problem),
      terms: parts.gradients.flatMap((gradient, i) => {
        const cell = cover.cells[i]
        return cell === undefined ? [] : [{ cell, gradient }]
      }),
      rewards: parts.rewards,
      skipped: [...skipped],
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
  readonly unusable: ReadonlyArray<number>
}

/** What the credit programs read, besides parameters. */
interface Seen {
  readonly base: Base | undefined
  readonly sides: ReadonlyArray<Side>
  readonly eps: Tensor
  readonly weighted: ReadonlyArray<number>
  readonly weights: ReadonlyArray<number>
  readonly skipped: ReadonlySet<number>
}

const creditInputs = (cell: Cell, seen: Seen): Values => {
  const { base, sides, eps, weighted, weights, skipped } = seen
  const segment = (from: number, to: number): Values =>
    base === undefined ? {} : { x: withoutRows(skipped)(T.at(to)(base.trajectory)), eps: T.rows(from - 1, to)(eps) }
  switch (cell._tag) {
    case 'FirstOrder': {
      const x0Bar = base?.scored.x0Bar
      return {
        ...segment(1, cell.to),
        ...sharesOf(cell),
        ...(x0Bar === undefined ? {} : { x0Bar: withoutRows(skipped)(x0Bar) })
      }
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
        if (skipped.has(n)) return 0
        if (cell.form === 'onePoint') return weighted[n] ?? 0
        const low = cell.form === 'forward' ? base?.scored.rewards[n] : minus?.rewards[n]
        const gap = (plus?.rewards[n] ?? 0) - (low ?? 0)
        return ((weights[n] ?? 0) * gap) / (cell.form === 'forward' ? 1 : 2)
      }
      return { delta: T.vector(weights.map((_, n) => difference(n) / cell.radius)) }
    }
  }
}

// -------------------------------------------------------------------------------------
// rows that are not finite
// -------------------------------------------------------------------------------------

/** Which rows can not be used; a left that names the first, unless they are to be skipped. */
const usable =
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
    { reward, nonFinite }: Problem<P, S, C, R>,
    x0: Tensor
  ) =>
  ({ rewards, x0Bar }: Pick<Scored, 'rewards' | 'x0Bar'>): E.Either<NotFiniteRow, Scored> => {
    const values = T.vector(rewards)
    const isFinite = isFiniteIn(x0.data)
    const unusable = Array.from({ length: x0.shape[0] ?? 0 }, (_, row) => row).flatMap((row) => {
      const found =
        inRow('sample', x0, row, isFinite) ??
        inRow('reward', values, row, isFinite) ??
        (x0Bar === undefined ? undefined : inRow('gradient of the reward', x0Bar, row, isFinite))
      return found === undefined ? [] : [{ _tag: 'NotFiniteRow' as const, reward: reward.name, row, ...found }]
    })
    const [first] = unusable
    return first === undefined || nonFinite === 'skipRow'
      ? E.right({ rewards, x0Bar, unusable: unusable.map(({ row }) => row) })
      : E.left(first)
  }

const inRow = (
  of: NotFiniteRow['of'],
  { shape, data }: Tensor,
  row: number,
  isFinite: (value: number) => boolean
): Pick<NotFiniteRow, 'of' | 'value'> | undefined => {
  const width = T.size(shape.slice(1))
  const value = data.subarray(row * width, (row + 1) * width).find((x: number) => !isFinite(x))
  return value === undefined ? undefined : { of, value }
}

/** The rows that some rollout could not use. Left where these are all. */
const rowsToSkip = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { reward }: Problem<P, S, C, R>,
  scored: ReadonlyArray<Pick<Scored, 'unusable'>>,
  rows: number
): E.Either<EstimatorError, ReadonlySet<number>> => {
  const skipped = new Set(scored.flatMap(({ unusable }) => unusable).sort((a, b) => a - b))
  return skipped.size > 0 && skipped.size === rows
    ? E.left({ _tag: 'AllSkipped', reward: reward.name, rows })
    : E.right(skipped)
}

/** Advantages among the rows that are not skipped; of those that are, 0. */
const advantagesOf = (
  advantage: Advantage,
  rewards: ReadonlyArray<number>,
  { advantageState, groups }: Request,
  skipped: ReadonlySet<number>
): ReturnType<Advantage['apply']> => {
  const kept = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => all.filter((_, n) => !skipped.has(n))
  const { advantages, state } = advantage.apply(kept(rewards), advantageState, groups && kept(groups))
  const [...left] = advantages
  return { advantages: rewards.map((_, n) => (skipped.has(n) ? 0 : (left.shift() ?? 0))), state }
}

/** Skipped rows as zeros: a product with a weight of 0 would keep what is not finite. */
const withoutRows =
  (skipped: ReadonlySet<number>) =>
  (tensor: Tensor): Tensor => {
    if (skipped.size === 0) return tensor
    const data = tensor.data.slice()
    const width = T.size(tensor.shape.slice(1))
    for (const row of skipped) data.fill(0, row * width, (row + 1) * width)
    return { shape: tensor.shape, data }
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
