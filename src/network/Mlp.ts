/**
 * A denoiser made of dense layers.
 *
 * The network predicts the clean output, because data lie on a surface of few dimensions: a layer that is narrower
 * than the output cannot pass the noise through, but it can pass the data. The noise that the samplers ask for follows
 * from the output, `epsilon = (x - sqrt(data share) F) / sqrt(noise share)`.
 *
 * @since 0.1.0
 */
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import { silu } from '../lens/layer/Activation.js'
import { carry, release, type Carried } from '../lens/Carried.js'
import { film, type Film } from '../lens/layer/Conditioning.js'
import { dense, type Dense } from '../lens/layer/Dense.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import { layerNorm, type LayerNorm } from '../lens/layer/Normalization.js'
import * as X from '../tensor/Expr.js'
import type { MlpDescription } from './Description.js'
import { fromClean } from './FromClean.js'
import { entering } from './Told.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The parameters of a residual block.
 *
 * @category model
 * @since 0.1.0
 */
export type MlpBlock = {
  readonly norm: LayerNorm<number>
  readonly film: Film<number, number>
  readonly dense: Dense<number, number>
}

/**
 * The parameters of the denoiser, such as `in.weight`, `time.bias`, `labels.weight`, `blocks.0.film.scale.weight`,
 * `norm.gain` and `out.weight`.
 *
 * @category model
 * @since 0.1.0
 */
export type MlpParameters = {
  readonly in: Dense<number, number>
  readonly time: Dense<number, number>
  readonly labels: Dense<number, number>
  readonly blocks: { readonly [index: string]: MlpBlock }
  readonly norm: LayerNorm<number>
  readonly out: Dense<number, number>
}

/**
 * What there is to say of such a network; its file adds the `kind`.
 *
 * @category model
 * @since 0.1.0
 */
export type MlpOptions = Omit<MlpDescription, 'kind'>

/** A row of the residual stream beside what the network is told. */
type Stream = Carried<Rows<number>, Rows<number>>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The network: the clean image that it expects behind `x`.
 *
 * With `e = silu(dense(time features) + label embedding)`: a dense layer into the stream, then blocks
 * `h + dense(silu(film(layerNorm(h), e)))`, then `dense(silu(layerNorm(h)))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean = (description: MlpOptions): Lens<MlpParameters, DenoiserInput<number, number>, Rows<number>> => {
  const { features, hidden, blocks } = description
  const body = L.at(
    'blocks',
    L.repeat(blocks, (i) => L.at(String(i), carry(added(block(description)))))
  )
  const head = L.compose(
    L.compose(L.at('norm', layerNorm<number>(hidden)), silu<readonly ['batch', number]>()),
    L.at('out', dense<number, number>(hidden, features, 0))
  )
  return L.compose(L.compose(told(description), body), release(head))
}

/** The argument of the network as a stream. */
const told = (
  description: MlpOptions
): Lens<Pick<MlpParameters, 'in' | 'time' | 'labels'>, DenoiserInput<number, number>, Stream> =>
  entering(L.at('in', dense<number, number>(description.features, description.hidden)), description)

const block = ({ hidden, embedding }: MlpOptions): Lens<MlpBlock, Stream, Rows<number>> => {
  const norm = L.at('norm', layerNorm<number>(hidden))
  const modulate = L.at('film', film<number, number>(embedding, hidden))
  const leave = L.compose(silu<readonly ['batch', number]>(), L.at('dense', dense<number, number>(hidden, hidden, 0)))
  const condition = L.parallel(norm, L.identity<Rows<number>>())
  return L.compose(renamed(condition), L.compose(modulate, leave))
}

/** A lens of a pair, on a stream. */
const renamed = <P extends Params>(
  lens: Lens<
    P,
    { readonly first: Rows<number>; readonly second: Rows<number> },
    { readonly first: Rows<number>; readonly second: Rows<number> }
  >
): Lens<P, Stream, Stream> =>
  L.make(lens.parameters, (p, { x, c }) => {
    const [value, back] = lens.run(p, { first: x, second: c })
    return [
      { x: value.first, c: value.second },
      (bar) => {
        const [pBar, aBar] = back({ first: bar.x, second: bar.c })
        return [pBar, { x: aBar.first, c: aBar.second }]
      }
    ]
  })

/** `x + f(x, c)`. */
const added = <P extends Params>(f: Lens<P, Stream, Rows<number>>): Lens<P, Stream, Rows<number>> =>
  L.make(f.parameters, (p, stream) => {
    const [value, back] = f.run(p, stream)
    return [
      X.add(stream.x, value),
      (bar) => {
        const [pBar, { x, c }] = back(bar)
        return [pBar, { x: X.add(bar, x), c }]
      }
    ]
  })

/**
 * The denoiser of a description: the noise in `x`, computed from the clean image that the network expects. The shares of
 * data and noise at the given times are those of the schedule that the description names; a chain must use the same.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mlp = <D extends number, K extends number>(
  description: MlpOptions & { readonly features: D; readonly labels: K }
): Denoiser<MlpParameters, D, K> => fromClean(description, clean(description))
