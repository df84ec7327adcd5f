/**
 * A small network that scores images, learned from pairwise choices, and the differentiable reward that it gives.
 *
 * The score stands to the preference of `Preference` as a learned aesthetic predictor stands to people's ratings: only
 * differences of it mean anything.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { silu } from 'halforder/lens/layer/Activation'
import { dense, type Dense } from 'halforder/lens/layer/Dense'
import type { Rows } from 'halforder/lens/Rows'
import * as L from 'halforder/lens/Lens'
import type { Lens, None } from 'halforder/lens/Lens'
import type { PerRow } from 'halforder/lens/layer/Loss'
import { averagePool2d } from 'halforder/lens/layer/Pooling'
import { differentiable, type Differentiable } from 'halforder/reward/Reward'
import * as X from 'halforder/tensor/Expr'
import type { Values } from 'halforder/tensor/Program'
import type { Exprs } from 'halforder/tensor/Tree'
import { Positive } from 'halforder/network/Description'
import { load, type Loaded, type Metadata, type ModelError } from 'halforder/network/Model'
import * as Safetensors from 'halforder/format/Safetensors'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The network: images of `side x side` RGB pixels are averaged over blocks of `pool x pool`, which must divide the side,
 * and two hidden layers of `hidden` numbers follow.
 *
 * @category model
 * @since 0.1.0
 */
export interface AestheticDescription {
  readonly kind: 'aesthetic'
  readonly side: number
  readonly pool: number
  readonly hidden: number
}

/**
 * The parameters: `in.weight`, `in.bias`, `middle.weight`, ..., `out.bias`.
 *
 * @category model
 * @since 0.1.0
 */
export type AestheticParameters = {
  readonly in: Dense<number, number>
  readonly middle: Dense<number, number>
  readonly out: Dense<number, number>
}

/**
 * A score with the values of its parameters, by path, in f32.
 *
 * @category model
 * @since 0.1.0
 */
export type TrainedAesthetic = Loaded<AestheticDescription>

/**
 * Decodes the description of a score.
 *
 * @category instances
 * @since 0.1.0
 */
export const AestheticCodec: t.Type<AestheticDescription, AestheticDescription, unknown> = t.type(
  { kind: t.literal('aesthetic'), side: Positive, pool: Positive, hidden: Positive },
  'AestheticDescription'
)

/**
 * The network that ships: 3377 parameters.
 *
 * @category constants
 * @since 0.1.0
 */
export const shipped: AestheticDescription = { kind: 'aesthetic', side: 16, pool: 2, hidden: 16 }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The score of each row of pixels: average pooling, then dense, silu, dense, silu, dense.
 *
 * @category constructors
 * @since 0.1.0
 */
export const score = ({
  side,
  pool,
  hidden
}: AestheticDescription): Lens<AestheticParameters, Rows<number>, PerRow> => {
  const activation = silu<readonly ['batch', number]>()
  const enter = L.compose(L.at('in', dense<number, number>(3 * (side / pool) ** 2, hidden)), activation)
  const middle = L.compose(L.at('middle', dense<number, number>(hidden, hidden)), activation)
  const leave = L.compose(L.at('out', dense<number, number>(hidden, 1, 0)), single)
  return L.compose(L.compose(pooled(side, pool), enter), L.compose(middle, leave))
}

/** Rows of pixels as rows of the means of blocks of pixels. */
const pooled = (side: number, pool: number): Lens<None, Rows<number>, Rows<number>> => {
  const small = side / pool
  const means = averagePool2d<3>(pool)
  return L.pure((x) => {
    const [value, back] = means.run({}, X.reshape(x, ['batch', side, side, 3]))
    return [
      X.reshape(value, ['batch', 3 * small * small]),
      (bar) => X.reshape(back(X.reshape(bar, ['batch', small, small, 3]))[1], ['batch', 3 * side * side])
    ]
  })
}

/** A row of one number as a number. */
const single: Lens<None, Rows<number>, PerRow> = L.pure((x) => [
  X.reshape(x, ['batch']),
  (bar) => X.reshape(bar, ['batch', 1])
])

/**
 * The score as a reward, with fixed parameters. The conditioning of the chain does not matter.
 *
 * @category constructors
 * @since 0.1.0
 */
export const aesthetic = (
  description: AestheticDescription,
  parameters: Values
): Differentiable<AestheticParameters, readonly ['batch', number], Exprs> =>
  differentiable<AestheticParameters, readonly ['batch', number]>('aesthetic score', score(description), parameters)

// -------------------------------------------------------------------------------------
// files
// -------------------------------------------------------------------------------------

/**
 * The score in a file's bytes, such as those of `assets/aesthetic.safetensors`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadAesthetic: (bytes: Uint8Array) => E.Either<ModelError, TrainedAesthetic> = (bytes) =>
  load(AestheticCodec, (description) => score(description).parameters)(bytes)

/**
 * The bytes of a score's file: the parameters rounded to f16, and the description among the metadata.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encodeAesthetic = (
  description: AestheticDescription,
  parameters: Values,
  metadata: Metadata
): E.Either<ModelError, Uint8Array> =>
  pipe(
    Safetensors.encode('F16')({
      tensors: parameters,
      metadata: { ...metadata, description: JSON.stringify(description) }
    }),
    E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error }))
  )
