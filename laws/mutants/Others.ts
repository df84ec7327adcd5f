/**
 * Wrong lenses, chains, samplers, covers and programs, each with what it gets wrong.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as Ch from '../../src/chain/Chain.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import { laplace, normal, type Noise } from '../../src/chain/Noise.js'
import type { Schedule as NoiseSchedule } from '../../src/chain/Schedule.js'
import { dense, type Dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'
import { layerNorm, type LayerNorm } from '../../src/lens/layer/Normalization.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, None } from '../../src/lens/Lens.js'
import { byQuantile } from '../../src/random/Density.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Batched, Shape } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { gaussHermite } from '../exact/Quadrature.js'
import type { Union } from '../law/Cover.js'
import type { StepCoefficients } from '../law/Schedule.js'

// -------------------------------------------------------------------------------------
// lenses
// -------------------------------------------------------------------------------------

/**
 * A dense layer that gives its bias no gradient.
 *
 * @category lenses
 * @since 0.1.0
 */
export const forgetsBias = <I extends number, O extends number>(
  inputs: I,
  outputs: O
): Lens<Dense<I, O>, Rows<I>, Rows<O>> => {
  const right = dense(inputs, outputs)
  return L.make(right.parameters, (p, x) => {
    const [y, back] = right.run(p, x)
    return [
      y,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [{ ...pBar, bias: X.zeros([outputs]) }, xBar]
      }
    ]
  })
}

/**
 * A silu whose derivative is taken for that of the logistic function's factor alone: `s` in place of `s (1 + x (1 -
 * s))`.
 *
 * @category lenses
 * @since 0.1.0
 */
export const wrongSilu = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.mul(x, X.sigmoid(x)),
    (x) => X.sigmoid(x)
  )

/**
 * A lens whose pullback squares its cotangent.
 *
 * @category lenses
 * @since 0.1.0
 */
export const squares = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> => L.pure((x) => [x, (bar) => X.mul(bar, bar)])

/**
 * A layer norm that takes mean and variance for constants.
 *
 * @category lenses
 * @since 0.1.0
 */
export const constantNorm = <N extends number>(features: N): Lens<LayerNorm<N>, Rows<N>, Rows<N>> => {
  const right = layerNorm(features)
  const row = ['batch', features] as const
  return L.make(right.parameters, (p, x) => {
    const [y, back] = right.run(p, x)
    return [
      y,
      (bar) => {
        const [pBar] = back(bar)
        const spread = (column: Expr): Rows<N> => X.broadcastTo(column, row)
        const mean = (z: Rows<N>): Rows<N> =>
          spread(X.scale(X.reshape(X.sum<readonly ['batch', number], [1]>(z, [1]), ['batch', 1]), 1 / features))
        const centred = X.sub(x, mean(x))
        const deviation = X.sqrt(X.add(mean(X.mul(centred, centred)), X.scalar(1e-5)))
        return [pBar, X.div(X.mul(bar, spread(p.gain)), deviation)]
      }
    ]
  })
}

/**
 * A composition that keeps only the last lens's cotangents of weights that both share.
 *
 * @category lenses
 * @since 0.1.0
 */
export const overwrites: typeof L.compose = (f, g) => {
  const right = L.compose(f, g)
  return L.make(right.parameters, (p, a) => {
    const [b, backF] = f.run(p, a)
    const [c, backG] = g.run(p, b)
    return [
      c,
      (cBar) => {
        const [qBar, bBar] = backG(cBar)
        const [pBar, aBar] = backF(bBar)
        return [{ ...pBar, ...qBar }, aBar]
      }
    ]
  })
}

// -------------------------------------------------------------------------------------
// chains and samplers
// -------------------------------------------------------------------------------------

/**
 * A segment that reads its noises from the highest step down.
 *
 * @category chains
 * @since 0.1.0
 */
export const reversedNoise: typeof Ch.segment = (chain, h, options) => (high) => {
  const right = Ch.segment(chain, h, options)(high)
  const flip = <S extends Shape>(eps: Expr<readonly [number, ...S]>): Expr<readonly [number, ...S]> =>
    X.retype(
      X.concat<Shape, 0>(
        Array.from({ length: h }, (_, i) => X.slice<Shape, 0, 1>(eps, 0, h - 1 - i, 1)),
        0
      ),
      eps.shape
    )
  return L.make(right.parameters, (p, { x, c, eps }) => {
    const [value, back] = right.run(p, { x, c, eps: flip(eps) })
    return [
      value,
      (bar) => {
        const [pBar, aBar] = back(bar)
        return [pBar, { ...aBar, eps: flip(aBar.eps) }]
      }
    ]
  })
}

/**
 * A log-density that is the mean over a state's elements.
 *
 * @category chains
 * @since 0.1.0
 */
export const meanDensity: typeof Ch.logDensity = (chain) => (t, p, from, to, c) =>
  X.scale(
    Ch.logDensity(chain)(t, p, from, to, c),
    1 / chain.state.slice(1).reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1)
  )

/**
 * A log-density without `-ln sigma`.
 *
 * @category chains
 * @since 0.1.0
 */
export const unscaledDensity: typeof Ch.logDensity = (chain) => (t, p, from, to, c) => {
  const size = chain.state.slice(1).reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1)
  return X.add(Ch.logDensity(chain)(t, p, from, to, c), X.scale(X.log(Ch.lookup(chain.sigma, t)), size))
}

/**
 * The same chain, but each step passes the state's cotangent on as if it were the identity.
 *
 * @category chains
 * @since 0.1.0
 */
export const passesState = <P extends L.Params, S extends Batched, C extends Exprs>(
  chain: Ch.Chain<P, S, C>
): Ch.Chain<P, S, C> => ({
  ...chain,
  mean: (t) => {
    const right = chain.mean(t)
    return L.make(right.parameters, (p, a) => {
      const [value, back] = right.run(p, a)
      return [
        value,
        (bar) => {
          const [pBar, aBar] = back(bar)
          return [pBar, { ...aBar, x: bar }]
        }
      ]
    })
  }
})

/**
 * Draws of Laplace's density with the normal's score and log-density, which agree with each other.
 *
 * @category noises
 * @since 0.1.0
 */
export const drawnFromAnother: Noise = { ...normal, density: 'laplace' }

/**
 * The score of Laplace's density beside the normal's draws and log-density.
 *
 * @category noises
 * @since 0.1.0
 */
export const scoredByAnother: Noise = { ...normal, score: laplace.score }

/**
 * A density of one's own whose quadrature rule is the normal's.
 *
 * @category noises
 * @since 0.1.0
 */
export const ruledByAnother: Noise = {
  ...laplace,
  density: byQuantile('Laplace', (p) => (p < 0.5 ? Math.log(2 * p) : -Math.log(2 * (1 - p))), {
    symmetric: true,
    rule: gaussHermite
  })
}

/**
 * The uniform density on (-1, 1): its score is 0 almost everywhere, and misses the jumps at the ends.
 *
 * @category noises
 * @since 0.1.0
 */
export const uniformNoise: Noise = {
  density: byQuantile('uniform', (p) => 2 * p - 1, { symmetric: true }),
  score: (eps) => X.zeros(eps.shape),
  logDensity: (eps) => X.log(X.scale(X.less(X.abs(eps), X.fill(eps.shape, 1)), 0.5))
}

/**
 * A schedule that rises.
 *
 * @category samplers
 * @since 0.1.0
 */
export const rising = (schedule: NoiseSchedule): NoiseSchedule => ({
  ...schedule,
  alphaBar: [...schedule.alphaBar].reverse()
})

/**
 * DDIM without the factor `sqrt(1 - a / b)` of sigma.
 *
 * @category samplers
 * @since 0.1.0
 */
export const loudDdim: StepCoefficients = (schedule, t) => {
  const a = schedule.alphaBar[t] ?? 1
  const b = schedule.alphaBar[t - 1] ?? 1
  return { ...Ddim.coefficients(schedule, 1, t), sigma: Math.sqrt((1 - b) / (1 - a)) }
}

// -------------------------------------------------------------------------------------
// covers and programs
// -------------------------------------------------------------------------------------

/**
 * A union that looks for no overlap.
 *
 * @category covers
 * @since 0.1.0
 */
export const careless: Union = (a, b) => E.right({ _tag: 'partial', T: a.T, cells: [...a.cells, ...b.cells] })

/**
 * A union that keeps the first cover where the second one overlaps it.
 *
 * @category covers
 * @since 0.1.0
 */
export const keepsFirst =
  (union: Union): Union =>
  (a, b) => {
    const joined = union(a, b)
    return E.isLeft(joined) ? E.right(a) : joined
  }

/**
 * Closing programs as if `-0` were `0`: equal to `===`, and not the same number.
 *
 * @category programs
 * @since 0.1.0
 */
export const mergesZeros: typeof Program.make = (inputs, body, noise) => {
  const result = Program.make(inputs, body, noise)
  if (E.isLeft(result)) return result
  const { instructions } = result.right
  return E.right({
    ...result.right,
    instructions: instructions.map((one) =>
      one.op._tag === 'Scalar' && one.op.value === 0 ? { ...one, op: { ...one.op, value: 0 } } : one
    )
  })
}
