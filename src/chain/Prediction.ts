/**
 * What a network predicts: the clean output, the velocity `v`, or the velocity of a flow; each as the noise, and back.
 *
 * With `x = sqrt(a) x_0 + sqrt(1 - a) eps` any one of the predictions gives the others, affinely in `x`:
 *
 * - `clean`: `x_0` (Ho et al., arXiv 2006.11239). `eps = (x - sqrt(a) x_0) / sqrt(1 - a)`.
 * - `velocity`: `v = sqrt(a) eps - sqrt(1 - a) x_0` (Salimans and Ho, arXiv 2202.00512). `eps = sqrt(1 - a) x + sqrt(a) v`,
 *   since `(sqrt(a), sqrt(1 - a))` is a unit vector.
 * - `flow`: `u = eps - x_0`, of a network that reads `y = (1 - s) x_0 + s eps` (Lipman et al., arXiv 2210.02747). With
 *   `r = sqrt(a) + sqrt(1 - a)`: `1 - s = sqrt(a) / r`, `y = x / r`, and `eps = y + (1 - s) u`.
 *
 * DDPM, DDIM and every other chain take the noise, so they take all four.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Denoiser, DenoiserInput } from './Denoiser.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a network may predict instead of the noise.
 *
 * @category model
 * @since 0.1.0
 */
export type Kind = 'clean' | 'velocity' | 'flow'

/**
 * A network that predicts something else than the noise: a denoiser but for what its output means, and, for `flow`, for the
 * scale of the state that it reads.
 *
 * @category model
 * @since 0.1.0
 */
export interface Predictor<P extends Params, D extends number, K extends number> {
  readonly kind: Kind
  readonly features: D
  readonly labels: K
  readonly networkCalls: number
  readonly lens: Lens<P, DenoiserInput<D, K>, Rows<D>>
}

/**
 * The shares of data and noise at some times, which the network's training fixed; they add to one. `Share` in
 * `halforder/model` has them for the schedules here.
 *
 * @category model
 * @since 0.1.0
 */
export type Shares = (time: Rows<1>) => { readonly data: Rows<1>; readonly noise: Rows<1> }

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/** How one prediction follows from another: the network reads `x / input` and the result is `state x + output F`. */
interface Affine {
  readonly input: Rows<1>
  readonly state: Rows<1>
  readonly output: Rows<1>
}

const affine =
  (numbers: (time: Rows<1>) => Affine) =>
  <P extends Params, D extends number, K extends number>(
    features: D,
    lens: Lens<P, DenoiserInput<D, K>, Rows<D>>
  ): Lens<P, DenoiserInput<D, K>, Rows<D>> =>
    L.make(lens.parameters, (p, { x, time, c }) => {
      const whole = (column: Rows<1>): Rows<D> => X.broadcastTo(column, ['batch', features])
      const table = numbers(time)
      const [input, state, output] = [whole(table.input), whole(table.state), whole(table.output)]
      const [value, back] = lens.run(p, { x: X.div(x, input), time, c })
      return [
        X.add(X.mul(x, state), X.mul(value, output)),
        (bar) => {
          const [pBar, inner] = back(X.mul(bar, output))
          return [pBar, { ...inner, x: X.add(X.mul(bar, state), X.div(inner.x, input)) }]
        }
      ]
    })

const one: Rows<1> = X.fill(['batch', 1], 1)

const toNoise: Readonly<Record<Kind, (data: Rows<1>, noise: Rows<1>) => Affine>> = {
  clean: (data, noise) => ({ input: one, state: X.div(one, noise), output: X.neg(X.div(data, noise)) }),
  velocity: (data, noise) => ({ input: one, state: noise, output: data }),
  flow: (data, noise) => {
    const sum = X.add(data, noise)
    return { input: sum, state: X.div(one, sum), output: X.div(data, sum) }
  }
}

const fromNoise: Readonly<Record<Kind, (data: Rows<1>, noise: Rows<1>) => Affine>> = {
  clean: (data, noise) => ({ input: one, state: X.div(one, data), output: X.neg(X.div(noise, data)) }),
  velocity: (data, noise) => ({ input: one, state: X.neg(X.div(noise, data)), output: X.div(one, data) }),
  // here `x` stands for `y`: `u = (eps - y) / (1 - s)`, and the denoiser reads `r y`
  flow: (data, noise) => {
    const sum = X.add(data, noise)
    return { input: X.div(one, sum), state: X.neg(X.div(sum, data)), output: X.div(sum, data) }
  }
}

const rooted =
  (shares: Shares, numbers: (data: Rows<1>, noise: Rows<1>) => Affine) =>
  (time: Rows<1>): Affine => {
    const { data, noise } = shares(time)
    return numbers(X.sqrt(data), X.sqrt(noise))
  }

/**
 * The denoiser that a predictor is: what chains take. `shares` are those of the predictor's training; the share of the noise
 * must be above 0 at the times it is asked for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const epsilon =
  (shares: Shares) =>
  <P extends Params, D extends number, K extends number>({
    kind,
    ...predictor
  }: Predictor<P, D, K>): Denoiser<P, D, K> => ({
    ...predictor,
    lens: affine(rooted(shares, toNoise[kind]))(predictor.features, predictor.lens)
  })

/**
 * The predictor that a denoiser is: the inverse of `epsilon`, where the shares of data and noise are both above 0.
 *
 * @category combinators
 * @since 0.1.0
 */
export const predictor =
  (kind: Kind, shares: Shares) =>
  <P extends Params, D extends number, K extends number>(denoiser: Denoiser<P, D, K>): Predictor<P, D, K> => ({
    ...denoiser,
    kind,
    lens: affine(rooted(shares, fromNoise[kind]))(denoiser.features, denoiser.lens)
  })
