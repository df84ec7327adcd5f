/**
 * Rewards: what a chain's output is judged by. Differentiable and black-box ones are different types, because only the
 * first can feed a first-order cell.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Lens, Parameters, Params } from '../lens/Lens.js'
import type { Expr } from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Batched } from '../tensor/Shape.js'

/**
 * A reward that is, for a given condition, a lens from the output to one number a row. A reward that does not look at
 * the condition fits every chain. `shapes` declares the lens's own parameters, and `parameters` are their fixed values,
 * by path.
 *
 * Its gradient must integrate to it: it is absolutely continuous in the output. One that `jumps` (a threshold, a count,
 * the label of a class) has a gradient almost everywhere that knows nothing of the jumps, and says so: whatever pulls that
 * gradient back is then refused, and likelihood ratios and perturbations are not.
 *
 * @category model
 * @since 0.1.0
 */
export interface Differentiable<P extends Params, S extends Batched, C extends Exprs> {
  readonly _tag: 'Differentiable'
  readonly name: string
  readonly lens: (condition: C) => Lens<P, Expr<S>, Expr<readonly ['batch']>>
  readonly shapes: Parameters
  readonly parameters: Values
  readonly jumps?: true
}

/**
 * What a host function could not do.
 *
 * @category model
 * @since 0.1.0
 */
export interface RewardError {
  readonly _tag: 'RewardError'
  readonly reward: string
  readonly reason: string
}

/**
 * What the samples of some outputs were asked for, a row each: the condition by input name (`c`, or `c.path`), and the words, where
 * someone knows them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Asked {
  readonly condition: Values
  readonly prompt?: ReadonlyArray<string>
}

/**
 * A reward that is a host function of the outputs, and of what they were asked for: one number a row.
 *
 * @category model
 * @since 0.1.0
 */
export interface BlackBox {
  readonly _tag: 'BlackBox'
  readonly name: string
  readonly evaluate: (x0: Tensor, asked?: Asked) => TE.TaskEither<RewardError, ReadonlyArray<number>>
}

/**
 * Either kind.
 *
 * @category model
 * @since 0.1.0
 */
export type Reward<P extends Params, S extends Batched, C extends Exprs> = Differentiable<P, S, C> | BlackBox

/**
 * A differentiable reward of the output alone, from its lens; `parameters` may be empty.
 *
 * @category constructors
 * @since 0.1.0
 */
export const differentiable = <P extends Params, S extends Batched>(
  name: string,
  lens: Lens<P, Expr<S>, Expr<readonly ['batch']>>,
  parameters: Values = {}
): Differentiable<P, S, Exprs> => ({
  _tag: 'Differentiable',
  name,
  lens: () => lens,
  shapes: lens.parameters,
  parameters
})

/**
 * A differentiable reward of the output and the condition, from a lens for each condition; all must declare the same
 * parameters, which `shapes` repeats.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conditional = <P extends Params, S extends Batched, C extends Exprs>(
  name: string,
  lens: Differentiable<P, S, C>['lens'],
  shapes: Parameters,
  parameters: Values = {}
): Differentiable<P, S, C> => ({ _tag: 'Differentiable', name, lens, shapes, parameters })

/**
 * The same reward, said to jump.
 *
 * @example
 * import { Reward } from 'halforder/reward'
 * import { Lens } from 'halforder/lens'
 * import { Expr } from 'halforder/tensor'
 *
 * // 1 where the first number is positive: differentiable almost everywhere, with a gradient of 0
 * export const positive = Reward.jumping(
 *   Reward.differentiable<Lens.None, readonly ['batch', 1]>(
 *     'positive',
 *     Lens.pure((x) => [Expr.reshape(Expr.less(Expr.zeros(x.shape), x), ['batch']), () => Expr.zeros(x.shape)])
 *   )
 * )
 *
 * @category combinators
 * @since 0.1.0
 */
export const jumping = <P extends Params, S extends Batched, C extends Exprs>(
  reward: Differentiable<P, S, C>
): Differentiable<P, S, C> => ({ ...reward, jumps: true })

/**
 * A reward made of some others: it jumps if one of them does.
 *
 * @category combinators
 * @since 0.1.0
 */
export const jumpingAs =
  (parts: ReadonlyArray<{ readonly jumps?: true }>) =>
  <P extends Params, S extends Batched, C extends Exprs>(reward: Differentiable<P, S, C>): Differentiable<P, S, C> =>
    parts.some(({ jumps }) => jumps === true) ? jumping(reward) : reward

/**
 * A black-box reward from a host function that answers at once. Left, with the reward's name, when it throws, or gives
 * anything but one number a row. Numbers that are not finite are for whoever asked to judge.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBox = (name: string, evaluate: (x0: Tensor) => ReadonlyArray<number>): BlackBox => ({
  _tag: 'BlackBox',
  name,
  // an answer that is a promise must not be waited for: it may never come
  evaluate: guarded(name, (x0) => () => Promise.resolve(E.right(evaluate(x0))))
})

/**
 * How long an answer may take: `timeout` in milliseconds (ten minutes by default; `Infinity` for no limit), and a
 * signal that gives up from outside.
 *
 * @category model
 * @since 0.1.0
 */
export interface Patience {
  readonly timeout?: number
  readonly signal?: AbortSignal
}

/**
 * A black-box reward from a function that answers later and may fail, with its own words for why. The function's
 * `signal` is aborted when its answer is no longer waited for. Left, with the reward's name: what it says, what it
 * throws, an answer that is not one number a row, or none in time.
 *
 * @example
 * import { blackBoxTask } from 'halforder/reward'
 *
 * const asked = blackBoxTask('a judge', (x0, signal) => judge(x0, { signal }), { timeout: 30_000 })
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxTask = (
  name: string,
  evaluate: (x0: Tensor, signal: AbortSignal) => TE.TaskEither<string, ReadonlyArray<number>>,
  patience: Patience = {}
): BlackBox => ({
  _tag: 'BlackBox',
  name,
  evaluate: guarded(name, (x0) => within(name, patience, (signal) => evaluate(x0, signal)))
})

/**
 * As `blackBoxTask`, from a function that gives a promise; one that is rejected is a left.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxPromise = (
  name: string,
  evaluate: (x0: Tensor, signal: AbortSignal) => Promise<ReadonlyArray<number>>,
  patience: Patience = {}
): BlackBox => blackBoxTask(name, (x0, signal) => async () => E.right(await evaluate(x0, signal)), patience)

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The rewards of outputs, one a row, from any black box: also one that was made by hand is a left when it throws, or
 * gives anything but one number a row.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const evaluate: (reward: BlackBox) => BlackBox['evaluate'] = (reward) =>
  guarded(reward.name, (x0, asked) => reward.evaluate(x0, asked))

const guarded =
  (reward: string, answer: BlackBox['evaluate']): BlackBox['evaluate'] =>
  (x0, asked) =>
    pipe(
      TE.tryCatch(() => answer(x0, asked)(), threw(reward)),
      TE.flatMapEither(identity),
      TE.flatMapEither((given) => pipe(oneARow(given, x0.shape[0] ?? 0), E.mapLeft(because(reward))))
    )

const because =
  (reward: string) =>
  (reason: string): RewardError => ({ _tag: 'RewardError', reward, reason })

const threw =
  (reward: string) =>
  (error: unknown): RewardError =>
    because(reward)(`it threw ${error instanceof Error ? error.message : String(error)}`)

/** A caller without types may give anything. */
const oneARow = (given: unknown, rows: number): E.Either<string, ReadonlyArray<number>> => {
  const expected = `expected ${rows} numbers, one a row, got`
  if (!isList(given)) return E.left(`${expected} ${kindOf(given)}`)
  if (given.length !== rows) return E.left(`${expected} ${given.length}`)
  const values = Array.from(given)
  const other = values.findIndex((value) => typeof value !== 'number')
  return other < 0
    ? E.right(values.filter((value) => typeof value === 'number'))
    : E.left(`${expected} ${kindOf(values[other])} for row ${other}`)
}

const isList = (given: unknown): given is ArrayLike<unknown> =>
  Array.isArray(given) || given instanceof Float32Array || given instanceof Float64Array

const kindOf = (given: unknown): string => {
  if (given === undefined || given === null) return 'nothing'
  if (!(given instanceof Promise)) return `a value of type ${typeof given}`
  // no one will wait for it: a rejection must not end the process
  given.catch(() => undefined)
  return 'a promise; make the reward with blackBoxPromise'
}

/** Longer delays than this many milliseconds are none to a timer. */
const longest = 2 ** 31 - 1

const within = (
  reward: string,
  { timeout = 600_000, signal: outer }: Patience,
  ask: (signal: AbortSignal) => TE.TaskEither<string, ReadonlyArray<number>>
): ReturnType<BlackBox['evaluate']> =>
  timeout > 0
    ? () =>
        new Promise((resolve) => {
          const inner = new AbortController()
          const settle = (result: E.Either<RewardError, ReadonlyArray<number>>): void => {
            clearTimeout(timer)
            outer?.removeEventListener('abort', giveUp)
            resolve(result)
          }
          const leave = (reason: string): void => {
            settle(E.left(because(reward)(reason)))
            inner.abort()
          }
          const giveUp = (): void => leave('it was given up before it answered')
          const timer =
            timeout > longest ? undefined : setTimeout(() => leave(`it did not answer within ${timeout} ms`), timeout)
          if (outer?.aborted === true) return giveUp()
          outer?.addEventListener('abort', giveUp)
          void TE.tryCatch(() => ask(inner.signal)(), threw(reward))().then((answer) =>
            settle(pipe(answer, E.flatMap(E.mapLeft(because(reward)))))
          )
        })
    : TE.left(because(reward)(`timeout: expected milliseconds above 0, got ${timeout}`))
