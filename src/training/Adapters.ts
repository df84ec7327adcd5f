/**
 * Low-rank adapters on denoisers: what is trained, where it starts, and how it goes back into the weights.
 *
 * The parameters of an adapted denoiser are `frozen.<path>`, those of the denoiser, and `adapter.<path>.down` and `.up`. It
 * is a denoiser like any other: chains, guidance and estimators take it, with `trained` as the parameters to train.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import type { Denoiser } from '../chain/Denoiser.js'
import type { Trained } from '../estimator/program/Programs.js'
import * as Adapter from '../lens/Adapter.js'
import type { Adapted, LoraOptions } from '../lens/Adapter.js'
import * as L from '../lens/Lens.js'
import type { Parameter, Parameters, Params } from '../lens/Lens.js'
import { eraseDenoiser } from '../chain/Denoiser.js'
import { initial } from '../lens/Initial.js'
import type { Model } from '../network/Model.js'
import type { Key } from '../random/Key.js'
import { under, type Values } from '../tensor/Program.js'
import type { ShapeError } from '../tensor/Shape.js'
import { size } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A denoiser with an adapter.
 *
 * - `initial`: the values that training starts at, by path, from those of the denoiser: there the two denoisers are the
 *   same, bit for bit.
 * - `merge`: back to values of the denoiser, with the adapter added to its weights in f64 and rounded once. Left: values
 *   that are not those of the adapted denoiser.
 * - `trainedFraction`: trained numbers over numbers of the denoiser.
 *
 * @category model
 * @since 0.1.0
 */
export interface Adaptation<P extends Params, D extends number, K extends number> {
  readonly denoiser: Denoiser<Adapted<P>, D, K>
  readonly trained: Trained
  readonly initial: (values: Values, key: Key) => Values
  readonly merge: (values: Values) => E.Either<ReadonlyArray<ShapeError>, Values>
  readonly trainedFraction: number
}

/**
 * A model whose denoiser has an adapter, and the same readings of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface AdaptedModel
  extends Pick<Adaptation<Params, number, number>, 'trained' | 'merge' | 'trainedFraction'> {
  readonly model: Model
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Adapts the weights of a denoiser that `select` chooses, by their paths in it (`Setup.trained` makes one of patterns):
 * `Adapter.lora` on its lens. Where nothing that it chooses is a weight, nothing is trained, which estimators refuse.
 *
 * @category combinators
 * @since 0.1.0
 */
export const adapt =
  (options: LoraOptions = {}) =>
  (select: Adapter.Select) =>
  <P extends Params, D extends number, K extends number>(denoiser: Denoiser<P, D, K>): Adaptation<P, D, K> => {
    const lens = Adapter.lora(options)(select)(denoiser.lens)
    const adapter = Object.fromEntries(Object.entries(lens.parameters).filter(([key]) => key === 'adapter'))
    return {
      denoiser: { ...denoiser, lens },
      trained: Adapter.isTrained,
      initial: (values, key) => ({ ...under('frozen', values), ...initial(adapter, key) }),
      merge: (values) => Adapter.merge(options)(select)(denoiser.lens.parameters, values),
      trainedFraction: numbers(adapter) / numbers(denoiser.lens.parameters)
    }
  }

/**
 * Adapts the denoiser of a model; the adapter's start is drawn from the key. The description is that of the model, which is
 * what the parameters are once they are merged.
 *
 * @category combinators
 * @since 0.1.0
 */
export const adaptModel =
  (options: LoraOptions = {}) =>
  (select: Adapter.Select, key: Key) =>
  (model: Model): AdaptedModel => {
    const { denoiser, initial: start, trained, merge, trainedFraction } = adapt(options)(select)(model.denoiser)
    // the chain that the model comes with has the same weights
    const own =
      model.own === undefined
        ? {}
        : { own: { ...model.own, network: eraseDenoiser(adapt(options)(select)(model.own.network).denoiser) } }
    return {
      model: { ...model, ...own, denoiser: eraseDenoiser(denoiser), parameters: start(model.parameters, key) },
      trained,
      merge,
      trainedFraction
    }
  }

/** How many numbers parameters are. */
const numbers = (parameters: Parameters): number =>
  Tree.leaves<Parameter>(L.isParameter, parameters).reduce(
    (total, [, { shape }]) => total + size(shape.map((d) => (typeof d === 'number' ? d : 1))),
    0
  )
