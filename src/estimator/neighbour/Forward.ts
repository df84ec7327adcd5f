/**
 * Losses of the forward process: samples are noised again and the chain's clean prediction of them is regressed on them, weighted by
 * what they are worth. No chain is followed, and a sampler without noise will do.
 *
 * - Advantage-weighted matching (arXiv 2509.25050): `sum of A w_t |x_0 - x0hat(x_t)|^2 / 2`, descended. Where the chain is the reversal of
 *   the forward process, it is on average what likelihood ratios on every step are, with `w_t` of `matching`: the state below is replaced by
 *   its mean given the sample. Elsewhere it is **biased** for the expected reward.
 * - Diffusion NFT (arXiv 2509.16117): the samples' worth `r`, in `[0, 1]`, mixes the losses of two predictions,
 *   `(1 - b) old + b new` for what is good and `(1 + b) old - b new` for what is not. At the old parameters its gradient is that of
 *   advantage-weighted matching with the advantages `b (2 r - 1)`, sample by sample.
 *
 * They are no covers, and no ledger has them: what they pay for is not a chain's step. `interpreter` runs either in a fine-tune.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Ch from '../../chain/Chain.js'
import type { Chain } from '../../chain/Chain.js'
import type { Schedule } from '../../chain/Schedule.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import { declared } from '../../random/Density.js'
import { evaluate } from '../../reward/Reward.js'
import * as Build from '../../tensor/Build.js'
import * as X from '../../tensor/Expr.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import { below, under, type Values } from '../../tensor/Program.js'
import type { Batched, ShapeError } from '../../tensor/Shape.js'
import type { Executable, Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import { firstOrder, range } from '../Cell.js'
import type { EstimatorError, Estimate, Gradients, Problem, Request } from '../Problem.js'
import * as Programs from '../program/Programs.js'
import { gradientOutputs, spreadRows, type Trained } from '../program/Programs.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain with a clean prediction, the levels of noise of its steps, and which parameters are trained.
 *
 * @category model
 * @since 0.1.0
 */
export interface Forward<P extends Params, S extends Batched, C extends Exprs> {
  readonly chain: Chain<P, S, C>
  readonly schedule: Schedule
  readonly trained: Trained
}

type Built = E.Either<ReadonlyArray<ShapeError>, Program.Program>

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

/** The sample at the noise of step `t`. */
const noised = <S extends Batched>({ alphaBar }: Schedule, t: Scalar, x0: Expr<S>, eps: Expr<S>): Expr<S> => {
  const table = (f: (a: number) => number): Scalar => Ch.lookup(alphaBar.map(f), t)
  return X.add(
    X.mul(x0, table(Math.sqrt)),
    X.mul(
      eps,
      table((a) => Math.sqrt(1 - a))
    )
  )
}

const inputsOf = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>
): Readonly<Record<string, Shapes>> => ({
  params: L.shapes(chain.parameters),
  x0: chain.state,
  eps: chain.state,
  c: chain.condition,
  high: [],
  weights: ['batch']
})

/** The clean prediction of a noised sample under some parameters, and its pullback to them. */
const predicted = <P extends Params, S extends Batched, C extends Exprs>(
  { chain, schedule }: Forward<P, S, C>,
  params: P
): readonly [Expr<S>, (bar: Expr<S>) => P] => {
  const t: Scalar = X.input('high', [])
  const x = noised(schedule, t, X.input('x0', chain.state), X.input('eps', chain.state))
  // without a prediction the state itself stands for one, which nothing is learned from: `interpreter` refuses such a chain
  const lens = (chain.clean ?? chain.mean)(t)
  const [clean, back] = lens.run(params, { x, c: Ch.conditionInputs(chain) })
  return [clean, (bar) => back(bar)[0]]
}

/**
 * Advantage-weighted matching at one step: `params, x0 (samples), eps, c, high (= t), weights [batch]` to `gradient.path`, to be
 * ascended: that of `-sum of weights |x0 - x0hat(x_t)|^2 / 2`.
 *
 * @category programs
 * @since 0.1.0
 */
export const weighted = <P extends Params, S extends Batched, C extends Exprs>(forward: Forward<P, S, C>): Built => {
  const { chain, trained } = forward
  return Program.make(inputsOf(chain), (): Exprs => {
    const [clean, back] = predicted(forward, L.parameterInputs<P>('params', chain.parameters))
    const off = X.sub(X.input('x0', chain.state), clean)
    const bar = back(X.mul(off, spreadRows(X.input('weights', ['batch']), chain.state)))
    return gradientOutputs(chain.parameters, trained, bar)
  })
}

/**
 * Diffusion NFT at one step: `weighted`'s inputs, `old.path` (the parameters of the policy that sampled), `worth [batch]` in `[0, 1]`
 * and `mix` (`b`) to `gradient.path`, to be ascended: that of
 * `-sum of weights (r |x0 - ((1 - b) old + b new)|^2 + (1 - r) |x0 - ((1 + b) old - b new)|^2) / 2`.
 *
 * @category programs
 * @since 0.1.0
 */
export const negativeAware = <P extends Params, S extends Batched, C extends Exprs>(
  forward: Forward<P, S, C>
): Built => {
  const { chain, trained } = forward
  const inputs: Shapes = { ...inputsOf(chain), old: L.shapes(chain.parameters), worth: ['batch'], mix: [] }
  return Program.make(inputs, (): Exprs => {
    const mix: Scalar = X.input('mix', [])
    const [fresh, back] = predicted(forward, L.parameterInputs<P>('params', chain.parameters))
    const [old] = predicted(forward, L.parameterInputs<P>('old', chain.parameters))
    const x0 = X.input('x0', chain.state)
    const way = X.mul(X.sub(fresh, old), mix)
    const worth = spreadRows(X.input('worth', ['batch']), chain.state)
    const good = X.sub(x0, X.add(old, way))
    const bad = X.sub(x0, X.sub(old, way))
    const rest = X.sub(X.fill(chain.state, 1), worth)
    const bar = X.mul(X.sub(X.mul(worth, good), X.mul(rest, bad)), mix)
    return gradientOutputs(
      chain.parameters,
      trained,
      back(X.mul(bar, spreadRows(X.input('weights', ['batch']), chain.state)))
    )
  })
}

// -------------------------------------------------------------------------------------
// weights
// -------------------------------------------------------------------------------------

/**
 * The weight of step `t` with which matching is on average what likelihood ratios are, of a chain whose mean moves by `gain` times its
 * clean prediction: `gain^2 / sigma_t^2`. For a step `a x + b eps` of levels `alphaBar`, the gain is `-b sqrt(alphaBar / (1 - alphaBar))`.
 *
 * @category weights
 * @since 0.1.0
 */
export const matching = (gain: number, sigma: number): number => (gain / sigma) ** 2

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/**
 * How samples are matched: the levels of noise, the weight of each step, and, for Diffusion NFT, the `mix` (`b`); without it matching is
 * weighted by advantages.
 *
 * @category model
 * @since 0.1.0
 */
export interface Matching {
  readonly schedule: Schedule
  readonly weight: (t: number) => number
  readonly mix?: number
}

/**
 * Fine-tunes by matching: the problem's own samples, rewards and advantages, each noised to every step by
 * `weight(t)`. The noises are those that another row's sample was made of, which are independent of the row's own; a batch
 * therefore has two rows at least. The cover that a request asks for is not looked at.
 *
 * With a `mix` it is Diffusion NFT: samples are those of the request's `old` parameters, where it has some, and a sample with advantage `A` is worth
 * `(1 + A) / 2`, held within `[0, 1]`. Where `old` are the parameters themselves the gradient is that of advantages `mix A`.
 *
 * Left: a chain without a clean prediction, or what a program finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const interpreter =
  ({ schedule, weight, mix }: Matching, target: Target) =>
  <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
    problem: Problem<P, S, C, R>
  ): E.Either<EstimatorError, Gradients> => {
    const { chain, reward, trained, batch } = problem
    const [cell = firstOrder(1)] = problem.estimator.covers[0].cover.cells
    if (chain.clean === undefined) return E.left({ _tag: 'NoClean', chain: chain.name, cell })
    const built = Build.build(target, { batch })
    return pipe(
      E.Do,
      E.bind('rollout', () =>
        built('rollout', Programs.rollout(chain, { perturbation: 'none', keep: false, trained }))
      ),
      E.bind('matched', () =>
        built('matched', (mix === undefined ? weighted : negativeAware)({ chain, schedule, trained }))
      ),
      E.bind('scored', () =>
        reward._tag === 'BlackBox'
          ? E.right({})
          : pipe(
              built('reward', Programs.reward(chain, reward)),
              E.map((one) => ({ reward: one }))
            )
      ),
      E.map(({ scored, ...others }): Readonly<Record<string, Executable>> => ({ ...others, ...scored })),
      E.map((executables): Gradients => {
        const run = (name: string, values: Values): TE.TaskEither<EstimatorError, Values> => {
          const executable = executables[name]
          return executable === undefined
            ? TE.left({ _tag: 'NotCompiled', program: name })
            : Build.run(name, executable)(values)
        }
        const rewardsOf = (
          x0: Tensor,
          { condition, weights }: Request
        ): TE.TaskEither<EstimatorError, ReadonlyArray<number>> =>
          reward._tag === 'BlackBox'
            ? evaluate(reward)(x0, { condition })
            : pipe(
                run('reward', { ...under('reward', reward.parameters), ...condition, x0, weights: T.vector(weights) }),
                TE.map((out) => Array.from(out['reward']?.data ?? []))
              )
        const estimate = (request: Request): TE.TaskEither<EstimatorError, Estimate> => {
          const { params, old = params, condition, xT, eps, weights, advantageState, groups } = request
          const own = { ...under('params', params), ...condition }
          const sampling = mix === undefined ? own : { ...under('params', old), ...condition }
          return pipe(
            run('rollout', { ...sampling, xT, eps }),
            TE.map((out) => out['x0'] ?? xT),
            TE.bindTo('x0'),
            TE.bind('rewards', ({ x0 }) => rewardsOf(x0, request)),
            TE.let('judged', ({ rewards }) => problem.advantage.apply(rewards, advantageState, groups)),
            TE.bind('parts', ({ x0, judged }) =>
              pipe(
                range(1, chain.T),
                RA.traverse(TE.ApplicativeSeq)((t) =>
                  run('matched', {
                    ...own,
                    x0,
                    eps: nextRows(T.at(t - 1)(eps)),
                    high: T.scalar(t),
                    ...(mix === undefined
                      ? { weights: T.vector(judged.advantages.map((a, n) => a * (weights[n] ?? 0) * weight(t))) }
                      : {
                          ...under('old', old),
                          mix: T.scalar(mix),
                          worth: T.vector(judged.advantages.map(worthOf)),
                          weights: T.vector(weights.map((one) => one * weight(t)))
                        })
                  })
                )
              )
            ),
            TE.map(({ x0, rewards, judged, parts }) => ({
              gradient: parts.map((out) => below('gradient', out)).reduce(added),
              terms: [],
              rewards,
              stepRewards: rewards.map(() => 0),
              skipped: [],
              x0,
              trajectory: undefined,
              advantageState: judged.state
            }))
          )
        }
        return {
          noise: declared(chain.noise.density),
          executables,
          run: estimate,
          dispose: async () => {
            for (const executable of Object.values(executables)) await executable.dispose()
          }
        }
      })
    )
  }

/** What a sample is worth by its advantage. */
const worthOf = (advantage: number): number => (1 + Math.max(-1, Math.min(1, advantage))) / 2

/** Each row has the next one's, and the last the first's. */
const nextRows = ({ shape, data }: Tensor): Tensor => {
  const width = T.size(shape.slice(1))
  return T.tabulate(shape, (i) => data[(i + width) % data.length] ?? 0)
}

const added = (a: Values, b: Values): Values =>
  Object.fromEntries(
    Object.entries(b).map(([path, value]) => {
      const other = a[path]
      return [path, other === undefined ? value : T.map((v, i) => v + (other.data[i] ?? 0))(value)]
    })
  )
