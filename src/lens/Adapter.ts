/**
 * Low-rank adapters: a few trained numbers beside weights that are held.
 *
 * An adapter works on any lens, since it acts on parameters and not on layers: the adapted lens is the lens itself, in
 * parameters that make its weights. What is held and what is trained differ in type, and the pullback gives the held part
 * nothing.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import * as Reference from '../tensor/Reference.js'
import type { Shape, ShapeError } from '../tensor/Shape.js'
import { toFloat32 } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import * as L from './Lens.js'
import type { Lens, Parameter, Parameters, Params } from './Lens.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

declare const frozen: unique symbol

/**
 * Parameters that are held: they are inputs as before, and no cotangent comes back to them. Held parameters may be used
 * where any are asked for, but not the other way round: `hold` says so of parameters that are to be held.
 *
 * @category model
 * @since 0.1.0
 */
export type Frozen<P extends Params> = P & { readonly [frozen]: true }

/**
 * The two factors of a low-rank matrix `down up`, with `rank` columns and rows.
 *
 * @category model
 * @since 0.1.0
 */
export type Factors = {
  readonly down: Expr<readonly [number, number]>
  readonly up: Expr<readonly [number, number]>
}

/**
 * The parameters of an adapter: factors by the path of the weight that they are added to.
 *
 * @category model
 * @since 0.1.0
 */
export type Adapter = { readonly [path: string]: Factors }

/**
 * The parameters of an adapted lens: those of the lens, held, and the adapter's, trained.
 *
 * @category model
 * @since 0.1.0
 */
export type Adapted<P extends Params> = { readonly frozen: Frozen<P>; readonly adapter: Adapter }

/**
 * - `rank`: columns of the one factor, rows of the other, at least 1. A weight with fewer rows or columns has those. Default: 4.
 * - `alpha`: the product is scaled by `alpha / rank`, so that another rank needs no other learning rate. Default: the
 *   rank.
 *
 * @category model
 * @since 0.1.0
 */
export interface LoraOptions {
  readonly rank?: number
  readonly alpha?: number
}

/**
 * Which parameters are meant, by path.
 *
 * @category model
 * @since 0.1.0
 */
export type Select = (path: string) => boolean

/** A weight as a matrix: its factors' sizes and their scale. */
interface Low {
  readonly inputs: number
  readonly outputs: number
  readonly rank: number
  readonly scale: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * States that parameters are to be held.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hold = <P extends Params>(p: P): Frozen<P> =>
  // the brand is a phantom: no value carries it
  p as Frozen<P>

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The same lens with all of its parameters held: it is run, and what comes back to them is zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const freeze = <P extends Params, A extends Exprs, B extends Exprs>(
  lens: Lens<P, A, B>
): Lens<{ readonly frozen: Frozen<P> }, A, B> =>
  L.reparametrize<{ readonly frozen: Frozen<P> }, P>(
    { frozen: lens.parameters },
    L.pure<{ readonly frozen: Frozen<P> }, P>((q) => [q.frozen, () => ({ frozen: nothing(q.frozen) })])
  )(lens)

/**
 * Low-rank adaptation (Hu et al., arXiv 2106.09685) of the weights that `select` chooses: `W + (alpha / rank) down up`.
 *
 * A weight is any parameter of two axes or more with literal sizes; one of more, such as a convolution's
 * `[...window, inputs, outputs]`, is the matrix `[window x inputs, outputs]`. Chosen vectors are held like everything that
 * is not chosen. `down` starts at normals of variance `1 / rows`, `up` at zero, so that the adapted lens starts as the lens
 * itself, bit for bit. With `bar` the cotangent of a weight, the pullback is `(alpha / rank) bar up^T` for `down` and
 * `(alpha / rank) down^T bar` for `up`.
 *
 * The product is formed once for all uses of a weight; where it is used once, on fewer rows than it has, this costs more
 * than adding `(x down) up` would, and it holds for every lens.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lora =
  (options: LoraOptions = {}) =>
  (select: Select) =>
  <P extends Params, A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>): Lens<Adapted<P>, A, B> => {
    const low = lows(lens.parameters, options, select)
    return L.refused(faultsOf(options))(
      L.reparametrize<Adapted<P>, P>(declared(lens.parameters, low), lowRank<P>(low))(lens)
    )
  }

const faultsOf = ({ rank = 4, alpha = rank }: LoraOptions): Need.Faults => [
  ...Need.whole('lora', 'rank', rank),
  ...Need.finite('lora', 'alpha', alpha)
]

/** The weights as a function of what is held and what is trained, with the pullback to the latter. */
const lowRank = <P extends Params>(low: ReadonlyMap<string, Low>): Lens<L.None, Adapted<P>, P> =>
  L.pure((q) => [
    effective(low, q),
    (bar) => {
      const bars = new Map(Tree.leaves(Tree.isExpr, bar))
      const adapter = Object.fromEntries(
        Object.entries(q.adapter).map(([path, { down, up }]): [string, Factors] => {
          const { inputs, outputs, scale } = low.get(path) ?? nowhere
          const given = bars.get(path)
          const matrix =
            given === undefined ? X.zeros([inputs, outputs]) : X.scale(X.reshape(given, [inputs, outputs]), scale)
          return [path, { down: X.matmul(matrix, X.transpose(up)), up: X.matmul(X.transpose(down), matrix) }]
        })
      )
      return { frozen: nothing(q.frozen), adapter }
    }
  ])

const nowhere: Low = { inputs: 1, outputs: 1, rank: 1, scale: 0 }

const effective = <P extends Params>(low: ReadonlyMap<string, Low>, { frozen: held, adapter }: Adapted<P>): P =>
  Tree.mapExprs<P>(held, (weight, path) => {
    const [of, factors] = [low.get(path), adapter[path]]
    if (of === undefined || factors === undefined) return weight
    return X.add(weight, X.reshape(X.scale(X.matmul(factors.down, factors.up), of.scale), weight.shape))
  })

/** Zeros in the shape of what is held. */
const nothing = <P extends Params>(held: Frozen<P>): Frozen<P> =>
  Tree.mapExprs<Frozen<P>>(held, (leaf) => X.zeros(leaf.shape))

const declared = (parameters: Parameters, low: ReadonlyMap<string, Low>): Parameters => ({
  frozen: parameters,
  adapter: Object.fromEntries(
    [...low].map(([path, { inputs, outputs, rank }]) => [
      path,
      { down: L.parameter([inputs, rank], 1 / Math.sqrt(inputs)), up: L.parameter([rank, outputs]) }
    ])
  )
})

const lows = (
  parameters: Parameters,
  { rank = 4, alpha = rank }: LoraOptions,
  select: Select
): ReadonlyMap<string, Low> =>
  new Map(
    Tree.leaves<Parameter>(L.isParameter, parameters).flatMap(([path, { shape }]): ReadonlyArray<[string, Low]> => {
      const matrix = asMatrix(shape)
      if (matrix === undefined || !select(path)) return []
      const [inputs, outputs] = matrix
      return [[path, { inputs, outputs, rank: Math.min(rank, inputs, outputs), scale: alpha / rank }]]
    })
  )

/** The sizes of a weight as a matrix, if it is one. */
const asMatrix = (shape: Shape): readonly [number, number] | undefined => {
  const sizes = shape.flatMap((d) => (typeof d === 'number' ? [d] : []))
  const outputs = sizes.at(-1)
  if (outputs === undefined || sizes.length < 2 || sizes.length < shape.length) return undefined
  return [sizes.slice(0, -1).reduce((n, d) => n * d, 1), outputs]
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The values of the lens's own parameters with the adapter added to them, by path, from values of an adapted lens's:
 * computed in f64 and rounded to f32 once. What is not adapted is the value given. Left: an input that is missing or of
 * another shape.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const merge =
  (options: LoraOptions = {}) =>
  (select: Select) =>
  (parameters: Parameters, values: Values): E.Either<ReadonlyArray<ShapeError>, Values> => {
    const faults = faultsOf(options)
    if (faults.length > 0) return E.left(faults)
    const low = lows(parameters, options, select)
    const weights = Object.fromEntries(
      Tree.leaves<Parameter>(L.isParameter, parameters).filter(([path]) => low.has(path))
    )
    const shapes = L.shapes(declared(weights, low))
    return pipe(
      // the tree of inputs has the shapes that an adapted lens of these weights declares
      Program.make(shapes, (inputs) => effective(low, inputs as Adapted<Params>)),
      E.flatMap((program) => Reference.run(program, {}, values)),
      E.map((merged) => ({
        ...Program.below('frozen', values),
        ...Object.fromEntries(Object.entries(merged).map(([path, value]) => [path, toFloat32(value)]))
      }))
    )
  }

/**
 * Is it the path of a parameter that an adapted lens trains? For the `trained` of a problem.
 *
 * @category utils
 * @since 0.1.0
 */
export const isTrained: Select = (path) => path.startsWith('adapter.')
