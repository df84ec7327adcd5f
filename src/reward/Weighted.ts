/**
 * Weighted sums of rewards. The sum of differentiable rewards is differentiable; with a black box among them it is a black
 * box. The types say which.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import type { Parameters, Params } from '../lens/Lens.js'
import type { PerRow } from '../lens/layer/Loss.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import * as Reference from '../tensor/Reference.js'
import { type Batched, showError } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import { conditional, evaluate, jumpingAs, type BlackBox, type Differentiable, type RewardError } from './Reward.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A differentiable reward whose parameters are forgotten: every `Differentiable<P, S, C>` is one, whatever `P`.
 *
 * @category model
 * @since 0.1.0
 */
export interface AnyDifferentiable<S extends Batched, C extends Exprs> {
  readonly _tag: 'Differentiable'
  readonly name: string
  readonly lens: (condition: C) => {
    readonly run: (
      p: never,
      a: Expr<S>
    ) => readonly [value: PerRow, pullback: (bar: PerRow) => readonly [parametersBar: Params, argumentBar: Expr<S>]]
  }
  readonly shapes: Parameters
  readonly parameters: Values
  readonly jumps?: true
}

/**
 * The parameters of a sum: those of its i-th term below the key `i`.
 *
 * @category model
 * @since 0.1.0
 */
export type SumParameters = { readonly [term: string]: Params }

/**
 * A reward with its weight.
 *
 * @category model
 * @since 0.1.0
 */
export type Term<R> = readonly [weight: number, reward: R]

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The sum of rewards times their weights. A weight of 0 leaves its reward out, though that be no number.
 *
 * - Of differentiable rewards it is differentiable; each term keeps its own parameters, below its position: `0.in.weight`.
 * - With a black box among them it is a black box: the other terms are evaluated on the host, in f64, without a condition,
 *   so that a term that looks at the condition does not type-check there.
 *
 * @example
 * import { Weighted } from 'halforder/reward'
 *
 * const both = Weighted.weighted([
 *   [1, alignment],
 *   [0.5, aesthetic]
 * ]) // Differentiable
 * const mixed = Weighted.weighted([
 *   [1, aesthetic],
 *   [-0.1, compressibility]
 * ]) // BlackBox
 *
 * @category combinators
 * @since 0.1.0
 */
export function weighted<S extends Batched, C extends Exprs>(
  terms: ReadonlyArray<Term<AnyDifferentiable<S, C>>>
): Differentiable<SumParameters, S, C>
export function weighted<S extends Batched>(
  terms: ReadonlyArray<Term<AnyDifferentiable<S, Exprs> | BlackBox>>
): BlackBox
export function weighted<S extends Batched, C extends Exprs>(
  terms: ReadonlyArray<Term<AnyDifferentiable<S, C> | BlackBox>>
): Differentiable<SumParameters, S, C> | BlackBox {
  const lenses = terms.flatMap(
    ([weight, reward]): ReadonlyArray<Term<AnyDifferentiable<S, C>>> =>
      reward._tag === 'Differentiable' ? [[weight, reward]] : []
  )
  // where there is a black box, the second overload has it that `C` is `Exprs`
  return lenses.length === terms.length ? sumOfLenses(lenses) : sumOnHost(terms as ReadonlyArray<Term<Hosted<S>>>)
}

/**
 * The name of a sum, such as `alignment - 0.5 * smoothness of motion`.
 *
 * @category utils
 * @since 0.1.0
 */
export const nameOf = (terms: ReadonlyArray<Term<{ readonly name: string }>>): string =>
  terms
    .map(([weight, { name }], i) => {
      const sign = weight < 0 ? (i === 0 ? '-' : ' - ') : i === 0 ? '' : ' + '
      return `${sign}${Math.abs(weight) === 1 ? '' : `${Number(Math.abs(weight).toPrecision(4))} * `}${name}`
    })
    .join('')

const zeros = <T extends Exprs>(tree: T): T => Tree.mapExprs(tree, (leaf) => X.zeros(leaf.shape))

const sumOfLenses = <S extends Batched, C extends Exprs>(
  terms: ReadonlyArray<Term<AnyDifferentiable<S, C>>>
): Differentiable<SumParameters, S, C> => {
  const shapes: Parameters = Object.fromEntries(terms.map(([, { shapes: own }], i) => [String(i), own]))
  // what is weighed by 0 is left out
  const heard = terms.flatMap(([weight, reward]) => (weight === 0 ? [] : [reward]))
  return jumpingAs(heard)(
    conditional<SumParameters, S, C>(
      nameOf(terms),
      (condition) =>
        L.make(shapes, (p, x) => {
          const runs = terms.map(([weight, reward], i) => {
            // `p[i]` is the tree that `reward.shapes` declares, which is what this lens takes
            const [value, back] = reward.lens(condition).run((p[i] ?? {}) as never, x)
            // what is weighed by 0 is left out, whatever it is and whatever comes back of it
            return weight === 0
              ? { value: zeros(value), back: (bar: PerRow) => [zeros(back(bar)[0]), zeros(x)] as const }
              : { value: X.scale(value, weight), back: (bar: PerRow) => back(X.scale(bar, weight)) }
          })
          return [
            runs.reduce<PerRow>((sum, { value }) => X.add(sum, value), X.zeros(['batch'])),
            (bar) => {
              const backs = runs.map(({ back }) => back(bar))
              return [
                Object.fromEntries(backs.map(([pBar], i) => [String(i), pBar])),
                backs.reduce<Expr<S>>((sum, [, xBar]) => Tree.add(sum, xBar), X.zeros(x.shape))
              ]
            }
          ]
        }),
      shapes,
      Object.fromEntries(terms.flatMap(([, { parameters }], i) => Object.entries(Program.under(String(i), parameters))))
    )
  )
}

// -------------------------------------------------------------------------------------
// on the host
// -------------------------------------------------------------------------------------

type Hosted<S extends Batched> = AnyDifferentiable<S, Exprs> | BlackBox

const sumOnHost = <S extends Batched>(terms: ReadonlyArray<Term<Hosted<S>>>): BlackBox => ({
  _tag: 'BlackBox',
  name: nameOf(terms),
  evaluate: (x0, asked) =>
    pipe(
      terms,
      TE.traverseArray(([weight, reward]) =>
        pipe(
          reward._tag === 'BlackBox' ? evaluate(reward)(x0, asked) : TE.fromEither(onHost(reward, x0)),
          TE.map((rewards) => rewards.map((r) => (weight === 0 ? 0 : weight * r)))
        )
      ),
      TE.map((columns) =>
        Array.from({ length: x0.shape[0] ?? 0 }, (_, row) =>
          columns.reduce((sum, column) => sum + (column[row] ?? Number.NaN), 0)
        )
      )
    )
})

/**
 * The values of a differentiable reward that looks at no condition, for each row of a batch, in f64. Left: the batch has not
 * the shape that the reward takes.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const onHost = <S extends Batched>(
  reward: AnyDifferentiable<S, Exprs>,
  x0: Tensor
): E.Either<RewardError, ReadonlyArray<number>> => {
  const [rows = 0, ...rest] = x0.shape
  const failed = (reason: string): RewardError => ({ _tag: 'RewardError', reward: reward.name, reason })
  return pipe(
    Program.make({ p: L.shapes(reward.shapes), x: ['batch', ...rest] }, ({ p, x }) => ({
      // the tree of inputs is what `shapes` declares; the batch has the shape that the program checks against the lens
      value: reward.lens({}).run(p as never, x as unknown as Expr<S>)[0]
    })),
    E.mapLeft((errors) => failed(errors.map(showError).join('; '))),
    E.flatMap((program) =>
      pipe(
        Reference.run(program, { batch: rows }, { ...Program.under('p', reward.parameters), x: x0 }),
        E.mapLeft((errors) => failed(errors.map(showError).join('; ')))
      )
    ),
    E.map(({ value }) => Array.from(value?.data ?? []))
  )
}
