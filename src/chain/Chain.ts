/**
 * Chains of noisy steps, and what can be read off one: segments, rollouts, densities.
 *
 *     x_{t-1} = mean_t(x_t, c; theta) + sigma_t eps_t,    t = T, ..., 1
 *
 * or what the noise's outcome keeps of that, where states are discrete. Step `T` is next to the noise, step 1 next to the output.
 * Every step runs the same lens: its number is a run-time index into tables, so that one compiled program serves every step.
 *
 * @since 0.1.0
 */
import * as L from '../lens/Lens.js'
import type { Lens, Params, ParametersFor } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'
import { lookup } from './Lookup.js'
import type { Noise } from './Noise.js'

export { lookup } from './Lookup.js'
import * as Transition from './Transition.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain with parameters `P`, states of shape `S` and conditioning `C`.
 *
 * - `sigma[t]`, `t = 1..T`: the standard deviation of step `t`'s noise; `sigma[0]` is not used. A step with 0 is
 *   deterministic: it has no score, so no half-order cell may end there.
 * - `mean(t)`: the mean of `x_{t-1}` given `x_t`, as a lens; `t` is a scalar expression in `1..T`.
 * - `networkCalls`: how many times one step evaluates the network (2 with guidance).
 * - `clean(t)`, where the chain has one: what `x_t` lets one expect of the output, as a lens. It is made of the network call
 *   that makes the step's mean, so that a program that has both evaluates the network once; with `lookahead` it runs the rest of
 *   the chain (`ahead`), and costs what that does.
 * - `held(t)`, where the chain has one: the same mean, whose pullback sends nothing back through the network's input: the cotangent
 *   of the state is what the sampler's own formula makes of it.
 * - `switched`, where a chain has it: which steps have their noise is an input. Without it every step has its noise.
 * - `x_T` is a draw of `noise`, whatever the parameters.
 *
 * @category model
 * @since 0.1.0
 */
export interface Chain<P extends Params, S extends Batched, C extends Exprs> {
  readonly name: string
  readonly T: number
  readonly state: S
  readonly condition: Shapes
  readonly parameters: ParametersFor<P>
  readonly sigma: ReadonlyArray<number>
  readonly noise: Noise
  readonly networkCalls: number
  readonly mean: (t: Scalar) => Lens<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>>
  readonly clean?: (t: Scalar) => Lens<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>>
  readonly lookahead?: true
  readonly held?: (t: Scalar) => Lens<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>>
  readonly switched?: Switched
}

/**
 * Where the parameters of a chain say which of its steps have their noise, 1 or 0 for each of `0..T` (that of 0 is not used), and how
 * that is read at one. It is never trained.
 *
 * @category model
 * @since 0.1.0
 */
export interface Switched {
  readonly path: string
  readonly at: (p: Params, t: Scalar) => Scalar
}

/**
 * The noises of `h` consecutive steps, those of the lowest step first.
 *
 * @category model
 * @since 0.1.0
 */
export type Noises<S extends Shape> = Expr<readonly [number, ...S]>

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The standard deviation of a step's noise under given parameters: that of the table, or 0 where they switch it off.
 *
 * @category utils
 * @since 0.1.0
 */
export const deviationAt = <P extends Params, S extends Batched, C extends Exprs>(
  { sigma, switched }: Pick<Chain<P, S, C>, 'sigma' | 'switched'>,
  p: P,
  t: Scalar
): Scalar => (switched === undefined ? lookup(sigma, t) : X.mul(lookup(sigma, t), switched.at(p, t)))

/**
 * The step `i` below `t`, a literal where `t` is one.
 *
 * @category utils
 * @since 0.1.0
 */
export const below = (t: Scalar, i: number): Scalar =>
  t.op._tag === 'Scalar' ? X.scalar(t.op.value - i) : i === 0 ? t : X.sub(t, X.scalar(i))

/**
 * The condition of a chain as input expressions named `c` or `c.path`; `Lens.inputsOf` has its parameters.
 *
 * @category utils
 * @since 0.1.0
 */
export const conditionInputs = <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): C =>
  // a chain's `condition` declares the shapes of its `C`
  Tree.inputs('c', chain.condition) as C

/**
 * The `i`-th of some noises.
 *
 * @category utils
 * @since 0.1.0
 */
export const noiseAt = <S extends Shape>(eps: Noises<S>, i: number, state: S): Expr<S> =>
  X.reshape(X.slice<Shape, 0, 1>(eps, 0, i, 1), state)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * How a segment's pullback works. `recompute`: keep the states only, and run each step forward once more when its turn
 * comes, after the parameter cotangents of the steps before it are done with, so that one step's activations are alive at a
 * time; `wanted` tells which parameters' (all, by default). `shares [h]`, lowest step first: what fraction of each
 * step's cotangent goes to the parameters (all of it by default); the state's cotangent is not affected. `along` says what else
 * is differentiated at each step: something of the step's mean, state and condition that has `pull` as the pullback of its own
 * cotangent; with `apart` it counts at its own step alone, and none of it goes on to the state.
 *
 * @category model
 * @since 0.1.0
 */
export interface SegmentOptions<P extends Params = Params, S extends Batched = Batched, C extends Exprs = Exprs> {
  readonly recompute?: boolean
  readonly wanted?: (path: string) => boolean
  readonly shares?: Expr<readonly [number]>
  readonly along?: Along<P, S, C>
  readonly apart?: boolean
}

/**
 * What a function of each step sends back: to the parameters that the step uses (nothing, where it looks at the mean alone),
 * to its mean, its state and its condition.
 *
 * @category model
 * @since 0.1.0
 */
export type Along<P extends Params, S extends Batched, C extends Exprs> = (
  t: Scalar,
  p: P,
  step: { readonly mean: Expr<S>; readonly x: Expr<S>; readonly c: C }
) => { readonly p?: P; readonly mean: Expr<S>; readonly x: Expr<S>; readonly c: C }

/**
 * `h` steps as one lens: from `x_high`, run the steps `high, ..., high - h + 1` with the given noises, and give the
 * *mean part* of the last one, `phi` in the paper's notation; adding `sigma eps` of that step gives its state. Its
 * pullback is the local one that first- and half-order cells use. Segments compose: running a lower one from a higher
 * one's noisy end is running both as one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const segment =
  <P extends Params, S extends Batched, C extends Exprs>(
    chain: Chain<P, S, C>,
    h: number,
    { recompute = false, wanted = () => true, shares, along, apart = false }: SegmentOptions<P, S, C> = {}
  ) =>
  (high: Scalar): Lens<P, Argument<S, C>, Expr<S>> => {
    const faults = stepFaults(chain, h, high)
    const steps = faults.length === 0 ? h : 0
    const lens = L.make<P, Argument<S, C>, Expr<S>>(chain.parameters, (p, { x, c, eps }) => {
      const stages: Array<Stage<P, S, C>> = []
      let state = x
      for (let i = 0; i < steps; i++) {
        const t = below(high, i)
        const sigma = deviationAt(chain, p, t)
        const from = state
        const [mean, pull] = chain.mean(t).run(p, { x: from, c })
        const back = withAlong({ along, apart }, t, p, { mean, x: from, c }, pull)
        stages.push({
          sigma,
          share: shares === undefined ? undefined : X.reshape(X.slice(shares, 0, h - 1 - i, 1), []),
          back: recompute
            ? (bar, done) => {
                // the condition too, or what a step computes of it alone would be kept from the first run
                const later = <T extends Exprs>(tree: T): T =>
                  Tree.mapExprs(tree, (leaf) => X.after(leaf, [bar, ...done]))
                const given = { x: later(from), c: later(c) }
                const [once, again] = chain.mean(t).run(p, given)
                return withAlong({ along, apart }, t, p, { mean: once, ...given }, again)(bar)
              }
            : back
        })
        state = i === h - 1 ? mean : Transition.addNoise(mean, sigma, noiseAt(eps, h - 1 - i, chain.state))
      }
      return [
        state,
        (bar) => {
          let xBar = bar
          let pBar: P | undefined
          let cBar: C | undefined
          // step by step from the lowest, whose own noise does not reach the mean part
          const epsBars: Array<Expr<S>> = []
          for (const { sigma, share, back } of [...stages].reverse()) {
            epsBars.push(epsBars.length === 0 ? X.zeros(chain.state) : X.mul(xBar, sigma))
            const done = Tree.leaves(Tree.isExpr, pBar ?? {}).flatMap(([path, leaf]) => (wanted(path) ? [leaf] : []))
            const [whole, aBar] = back(xBar, done)
            const part = share === undefined ? whole : Tree.mapExprs(whole, (leaf) => X.weigh(leaf, share))
            pBar = pBar === undefined ? part : Tree.add(pBar, part)
            cBar = cBar === undefined ? aBar.c : Tree.add(cBar, aBar.c)
            xBar = aBar.x
          }
          const zeros = <T extends Exprs>(tree: T): T => Tree.mapExprs(tree, (leaf) => X.zeros(leaf.shape))
          const noiseBars = epsBars.length === 0 ? X.zeros(eps.shape) : X.stack(epsBars)
          return [pBar ?? zeros(p), { x: xBar, c: cBar ?? zeros(c), eps: noiseBars }]
        }
      ]
    })
    return L.refused(faults)(lens)
  }

/** What a segment takes. */
type Argument<S extends Batched, C extends Exprs> = { readonly x: Expr<S>; readonly c: C; readonly eps: Noises<S> }

type Drawn = { readonly T: number; readonly noise: Noise }

/** A segment has one step or more, all of them in the chain, and one only where states are outcomes: its pullback goes through them. */
const stepFaults = ({ T, noise: { outcome } }: Drawn, h: number, high: Scalar): Need.Faults => {
  const top = high.op._tag === 'Scalar' ? high.op.value : T
  return [
    ...Need.whole('segment', 'steps', h),
    ...(outcome === undefined || h === 1
      ? []
      : Need.fault('segment', `1 step, since each keeps ${outcome.name}`, String(h), 'take its steps one by one')),
    ...(h <= top && top <= T
      ? []
      : Need.fault(
          'segment',
          `steps within 1..${T}`,
          `${h} from step ${top} down`,
          'start it higher or make it shorter'
        ))
  ]
}

/**
 * A step's pullback, with what is differentiated along the way: both cotangents of the mean go back at once, to the parameters
 * alone where it is apart.
 */
const withAlong = <P extends Params, S extends Batched, C extends Exprs>(
  { along, apart }: { readonly along: Along<P, S, C> | undefined; readonly apart: boolean },
  t: Scalar,
  p: P,
  step: { readonly mean: Expr<S>; readonly x: Expr<S>; readonly c: C },
  pull: L.Pullback<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>>
): L.Pullback<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>> => {
  if (along === undefined) return pull
  const own = along(t, p, step)
  return (bar) => {
    const [pBar, aBar] = pull(X.add(bar, own.mean))
    const all = own.p === undefined ? pBar : Tree.add(pBar, own.p)
    return apart ? [all, pull(bar)[1]] : [all, { x: X.add(aBar.x, own.x), c: Tree.add(aBar.c, own.c) }]
  }
}

/** One step of a segment, as its pullback needs it. */
interface Stage<P, S extends Batched, C> {
  readonly sigma: Scalar
  readonly share: Scalar | undefined
  readonly back: (bar: Expr<S>, done: ReadonlyArray<Expr>) => readonly [P, { readonly x: Expr<S>; readonly c: C }]
}

/**
 * Runs the whole chain from `xT`. `parametersAt` gives each step its copy of the parameters: the same one, or perturbed
 * ones. The result is the trajectory `x_0, ..., x_T`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rollout =
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>) =>
  (parametersAt: (t: number) => P, xT: Expr<S>, eps: Noises<S>, c: C): ReadonlyArray<Expr<S>> => {
    const states: Array<Expr<S>> = [xT]
    let x = xT
    for (let t = chain.T; t >= 1; t--) {
      const at = X.scalar(t)
      const mean = chain.mean(at).forward(parametersAt(t), { x, c })
      const sigma = deviationAt(chain, parametersAt(t), at)
      x = Transition.next(chain.noise, sigma)(mean, noiseAt(eps, t - 1, chain.state))
      states.unshift(x)
    }
    return states
  }

/**
 * The last `k` steps of a chain, from a state of step `k`: a chain like any other.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lowest = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  k: number
): Chain<P, S, C> => (k === chain.T ? chain : { ...chain, T: k, sigma: chain.sigma.slice(0, k + 1) })

/**
 * The log-density of the transition from `x_t` to `x_{t-1}`, one number a row: the *sum* over the state's elements of the
 * noise's log-density at `(x_{t-1} - mean) / sigma_t`, less `ln sigma_t` each; of a discrete outcome, its log-probability. The
 * step must have `sigma_t > 0`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const logDensity =
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>) =>
  (t: Scalar, p: P, from: Expr<S>, to: Expr<S>, c: C): Expr<readonly ['batch']> => {
    const mean = chain.mean(t).forward(p, { x: from, c })
    const density = Transition.logDensity(chain.noise, lookup(chain.sigma, t))(mean, to)
    const rest = chain.state.slice(1).map((_, i) => i + 1)
    return X.retype(X.sum<Shape, ReadonlyArray<number>>(density, rest), ['batch'])
  }

/**
 * The same chain, which can not be had for the given reasons: programs with it do not close. Without a reason it is the chain.
 *
 * @category combinators
 * @since 0.1.0
 */
export const refused =
  (faults: Need.Faults) =>
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): Chain<P, S, C> =>
    faults.length === 0 ? chain : { ...chain, mean: (t) => L.refused(faults)(chain.mean(t)) }

/**
 * The same chain without noise at step 1, as implementations of DDPM have it: the output is the mean. Its last step has no
 * score, so no half-order cell may end there.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withoutLastNoise = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>
): Chain<P, S, C> => ({ ...chain, sigma: chain.sigma.map((sigma, t) => (t === 1 ? 0 : sigma)) })

/**
 * The same chain with a copy of some parameters for each row of the batch: a vector `[n]` becomes `['batch', n]`. With all
 * rows equal nothing changes, but each row can be perturbed by itself, which gives a zeroth-order cell as many directions
 * as the batch has rows; the gradient of the shared vector is the sum of the rows'. The biases and gains of this library's
 * layers, of dense, convolutional and attention ones, can be spread so: `Spread.spread` puts a row's copy at the row's places.
 * For a matrix, or a lens of your own that broadcasts a vector otherwise, closing a program reports the shape that does
 * not fit.
 *
 * @category combinators
 * @since 0.1.0
 */
export const perRow = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  select: (path: string) => boolean
): Chain<P, S, C> => ({
  ...chain,
  parameters: L.mapParameters(chain.parameters, (parameter, path) =>
    select(path) ? { ...parameter, shape: ['batch', ...parameter.shape] } : parameter
  )
})
