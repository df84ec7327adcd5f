/**
 * Denoising diffusion policy optimisation with importance ratios (Black et al., arXiv 2305.13301, DDPO-IS): several
 * updates from one set of trajectories.
 *
 * At the parameters that drew the trajectories every ratio is 1 and the gradient is REINFORCE's, which `halfOrder` cells give.
 * After an update the trajectories are off-policy: each step's term is weighted by the ratio of its new to its old
 * density, and dropped where the ratio has left `[1 - clip, 1 + clip]` in the direction that the advantage pushes it (the clipped
 * surrogate of PPO, arXiv 1707.06347). **Biased** away from the first update: the ratio of a single step stands in for that of
 * the trajectory, and clipping drops terms.
 *
 * With a negative advantage nothing bounds the ratio of a step that has become likelier, and its term with it. `dualClip` drops
 * such terms beyond a ratio (Ye et al., arXiv 1912.09729); without it a ratio that overflows is a left that names step and row.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Ch from '../../chain/Chain.js'
import type { Chain } from '../../chain/Chain.js'
import * as Transition from '../../chain/Transition.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import * as Build from '../../tensor/Build.js'
import * as X from '../../tensor/Expr.js'
import type { Scalar } from '../../tensor/Expr.js'
import { isFiniteIn } from '../../tensor/Finite.js'
import * as Program from '../../tensor/Program.js'
import { below, under, type Values } from '../../tensor/Program.js'
import type { Batched, ShapeError } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import type { EstimatorError } from '../Gradient.js'
import { gradientOutputs, spreadRows, type Trained } from '../program/Programs.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Trajectories with what they were drawn under: states `[T + 1, ...]`, conditioning by input name, and the log-density of each
 * transition, step 1's first, one number a row each.
 *
 * @category model
 * @since 0.1.0
 */
export interface Experience {
  readonly trajectory: Tensor
  readonly condition: Values
  readonly logDensities: ReadonlyArray<Tensor>
}

/**
 * Compiled updates. `record` computes the log-densities of trajectories under the parameters that drew them; `gradient` gives
 * the clipped surrogate's gradient, by parameter path, summed over all steps with noise, and the share of terms that
 * were clipped. `advantages` are already weighted (by 1 / batch for a mean).
 *
 * @category model
 * @since 0.1.0
 */
export interface Updates {
  readonly record: (params: Values, trajectory: Tensor, condition: Values) => TE.TaskEither<EstimatorError, Experience>
  readonly gradient: (
    params: Values,
    experience: Experience,
    advantages: ReadonlyArray<number>
  ) => TE.TaskEither<EstimatorError, { readonly gradient: Values; readonly clippedShare: number }>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// program
// -------------------------------------------------------------------------------------

/**
 * One step's program: `params, x (= x_t), next (= x_{t-1}), c, high (= t), advantage [batch], old [batch], clip, dualClip` to
 * `gradient.path`, `logDensity [batch]` under the given parameters, and `kept [batch]`, 1 where the term was not clipped.
 *
 * @category programs
 * @since 0.1.0
 */
export const program = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  trained: Trained
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const inputs: Shapes = {
    params: L.shapes(chain.parameters),
    x: chain.state,
    next: chain.state,
    c: chain.condition,
    high: [],
    advantage: ['batch'],
    old: ['batch'],
    clip: [],
    dualClip: []
  }
  return Program.make(inputs, (): Exprs => {
    const t: Scalar = X.input('high', [])
    const clip: Scalar = X.input('clip', [])
    const dualClip: Scalar = X.input('dualClip', [])
    const advantage = X.input('advantage', ['batch'])
    const sigma = Ch.lookup(chain.sigma, t)
    const [mean, back] = chain.mean(t).run(L.parameterInputs<P>('params', chain.parameters), {
      x: X.input('x', chain.state),
      c: Ch.conditionInputs(chain)
    })
    const next = X.input('next', chain.state)
    const density = Transition.logDensity(chain.noise, sigma)(mean, next)
    const logDensity = X.sumTo(X.reshape(density, ['batch', ...flat(chain.state)]), ['batch', 1])
    const rows = X.reshape(logDensity, ['batch'])
    const ratio = X.exp(X.sub(rows, X.input('old', ['batch'])))
    const one = X.fill(['batch'], 1)
    const zero = X.fill(['batch'], 0)
    // pushed up beyond 1 + clip by a gain, or down beyond 1 - clip by a loss
    const above = X.mul(X.less(X.add(one, clip), ratio), X.less(zero, advantage))
    const under_ = X.mul(X.less(ratio, X.sub(one, clip)), X.less(advantage, zero))
    // or so far up with a loss that its term is all there is; never both of the others
    const beyond = X.mul(X.less(dualClip, ratio), X.less(advantage, zero))
    const kept = X.sub(one, X.add(above, X.add(under_, beyond)))
    // a ratio of densities overflows: what is dropped, or has no advantage, must not be multiplied by it
    const weight = X.select(kept, X.weigh(ratio, advantage), X.scalar(0))
    const score = Transition.score(chain.noise, sigma)(mean, next)
    const [bar] = back(X.div(X.weigh(score, spreadRows(weight, chain.state)), sigma))
    return { ...gradientOutputs(chain.parameters, trained, bar), logDensity: rows, kept }
  })
}

/** The size of a row of a state, as one axis; states have literal sizes but for the batch. */
const flat = (state: Batched): readonly [number] => [
  state.slice(1).reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1)
]

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/**
 * What updates are made of: ratios are clipped to `[1 - clip, 1 + clip]`, and terms of negative advantages are dropped
 * beyond the ratio `dualClip`, which is above 1. Default: none is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options<P extends Params, S extends Batched, C extends Exprs> {
  readonly chain: Chain<P, S, C>
  readonly trained: Trained
  readonly batch: number
  readonly clip: number
  readonly dualClip?: number
}

/**
 * Compiles the updates of a chain for a batch size. Steps without noise are left out: they have no density. Left, when it
 * is asked for a gradient: the first step and row whose ratio overflows and is not dropped.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs>(
  { chain, trained, batch, clip, dualClip = Number.POSITIVE_INFINITY }: Options<P, S, C>,
  target: Target
): E.Either<EstimatorError, Updates> => {
  const steps = chain.sigma.flatMap((sigma, t) => (t > 0 && sigma > 0 ? [t] : []))
  return pipe(
    Build.build(target, { batch })('ddpo', program(chain, trained)),
    E.map((executable): Updates => {
      const none = T.fill([batch], 0)
      const at = (
        t: number,
        params: Values,
        { trajectory, condition }: Pick<Experience, 'trajectory' | 'condition'>,
        advantage: Tensor,
        old: Tensor
      ): TE.TaskEither<EstimatorError, Values> =>
        Build.run(
          'ddpo',
          executable
        )({
          ...under('params', params),
          ...condition,
          x: T.at(t)(trajectory),
          next: T.at(t - 1)(trajectory),
          high: T.scalar(t),
          advantage,
          old,
          clip: T.scalar(clip),
          dualClip: T.scalar(dualClip)
        })
      return {
        record: (params, trajectory, condition) =>
          pipe(
            steps,
            RA.traverse(TE.ApplicativeSeq)((t) => at(t, params, { trajectory, condition }, none, none)),
            TE.map((outputs) => ({
              trajectory,
              condition,
              logDensities: outputs.map((out) => out['logDensity'] ?? none)
            }))
          ),
        gradient: (params, experience, advantages) =>
          pipe(
            steps,
            RA.traverseWithIndex(TE.ApplicativeSeq)((i, t) =>
              pipe(
                at(t, params, experience, T.vector(advantages), experience.logDensities[i] ?? none),
                TE.flatMapEither((out): E.Either<EstimatorError, Values> => {
                  const found = overflowing(out, experience.logDensities[i] ?? none, advantages)
                  return found === undefined ? E.right(out) : E.left({ _tag: 'RatioOverflow', step: t, ...found })
                })
              )
            ),
            TE.map((outputs) => {
              const kept = outputs.flatMap((out) => Array.from(out['kept']?.data ?? []))
              return {
                gradient: outputs.map((out) => below('gradient', out)).reduce(add, {}),
                clippedShare: 1 - kept.reduce((a, b) => a + b, 0) / Math.max(kept.length, 1)
              }
            })
          ),
        dispose: executable.dispose
      }
    })
  )
}

/** The first row with a term whose ratio is no finite number, where there is one. */
const overflowing = (
  out: Values,
  old: Tensor,
  advantages: ReadonlyArray<number>
): { readonly row: number; readonly logRatio: number } | undefined => {
  const { logDensity, kept } = out
  if (logDensity === undefined) return undefined
  const logRatios = Array.from(logDensity.data, (log, row) => log - (old.data[row] ?? 0))
  const counts = (row: number): boolean => kept?.data[row] !== 0 && advantages[row] !== 0
  const finite = isFiniteIn(logDensity.data)
  const row = logRatios.findIndex((logRatio, n) => counts(n) && !finite(Math.exp(logRatio)))
  return row < 0 ? undefined : { row, logRatio: logRatios[row] ?? Number.NaN }
}

const add = (a: Values, b: Values): Values =>
  Object.fromEntries(
    Object.entries(b).map(([path, value]) => {
      const other = a[path]
      return [path, other === undefined ? value : T.map((v, i) => v + (other.data[i] ?? 0))(value)]
    })
  )
