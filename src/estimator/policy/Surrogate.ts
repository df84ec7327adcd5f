/**
 * Several updates from one set of samples: half-order cells weighed by the ratio of what they would draw to what drew.
 *
 * A cell `HO(j..m)` scores the noise of step `j`: given the state `x_m` and the noises of the steps above `j`, the state below
 * is `phi_{j:m}(theta) + sigma_j eps_j`. After an update the mean is another one while the samples are what they were, so
 * each of them stands for another noise and has another density:
 *
 *     eps_j' = eps_j + (phi_{j:m}(theta_old) - phi_{j:m}(theta)) / sigma_j,    log ratio = sum ln f(eps_j') - ln f(eps_j).
 *
 * The gradient of `ratio A` is the cell's own with `eps_j'` for the noise and `ratio A` for the advantage: the same credit
 * program. Written so, the noise at the old parameters is `eps_j` and the ratio 1, bit for bit, since the difference of the means is 0.
 *
 * The surrogate is that of PPO (arXiv 1707.06347), as DDPO (arXiv 2305.13301) and Flow-GRPO (arXiv 2505.05470) have it for
 * chains: a term is dropped where the ratio has left `1 - clip .. 1 + clip` in the direction that the advantage pushes it. `clamp`
 * drops it on either side whatever the advantage, as DPOK's released code (arXiv 2305.16381) does. What is dropped is selected,
 * never multiplied by 0: a ratio that overflows would make that no number.
 *
 * **Biased** away from the first update: the ratio of a step stands in for that of the trajectory, and clipping drops terms. With a
 * negative advantage nothing bounds the ratio of a step that has become likelier, and its term with it; `dualClip` drops such terms
 * beyond a ratio (Ye et al., arXiv 1912.09729). Without it a ratio that overflows is a left that names step and row.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Ch from '../../chain/Chain.js'
import type { Chain } from '../../chain/Chain.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import { lenses } from '../../reward/StepReward.js'
import * as Build from '../../tensor/Build.js'
import * as X from '../../tensor/Expr.js'
import type { Scalar } from '../../tensor/Expr.js'
import { isFiniteIn } from '../../tensor/Finite.js'
import * as Program from '../../tensor/Program.js'
import { below, under, type Values } from '../../tensor/Program.js'
import type { Batched, Shape, ShapeError } from '../../tensor/Shape.js'
import type { Executable, Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import type { HalfOrder } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import { type Drawn, type Experience, inBlocks, joined, takeDrawn, takeValues } from './Experience.js'
import { creditName } from '../Plan.js'
import { withoutRows } from '../Returns.js'
import type { Estimate, EstimatorError, Problem, Request } from '../Problem.js'
import * as Programs from '../program/Programs.js'
import { segmentKind } from '../program/SegmentKind.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a log-density is of a state: the `sum` over its elements, which it is, or their `mean`, as released code has it. The mean is
 * the sum over their number `D`: scores are `1 / D` of what they are and a ratio is the `D`-th root of the true one, so that a
 * clip range is `D` times as wide in the logarithm of the true ratio.
 *
 * @category model
 * @since 0.1.0
 */
export type Density = 'sum' | 'mean'

/**
 * How samples are used again. `clip` is half the width of the interval of ratios, 0 for none; `form` what is dropped outside of it;
 * `dualClip` the ratio beyond which terms of negative advantages are dropped, above 1, or 0 for none.
 *
 * @category model
 * @since 0.1.0
 */
export interface Reuse {
  readonly density: Density
  readonly clip: number
  readonly form: 'ppo' | 'clamp'
  readonly dualClip: number
}

/**
 * The gradient of the surrogate, to be ascended, by parameter path; the share of terms that were dropped; and the largest distance of
 * a ratio from 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Updated {
  readonly gradient: Values
  readonly clippedShare: number
  readonly farthest: number
}

/**
 * Compiled updates. `record` keeps what an estimate drew, under the parameters that drew it; `gradient` is the surrogate's at others.
 * Both run as many rows at a time as was asked for: `record` divides its own into such blocks, an experience has just so many
 * (`take`), and so have the parameters, where the chain keeps copies of them for each row.
 *
 * @category model
 * @since 0.1.0
 */
export interface Surrogate {
  readonly record: (params: Values, request: Request, estimate: Estimate) => TE.TaskEither<EstimatorError, Experience>
  readonly gradient: (params: Values, experience: Experience) => TE.TaskEither<EstimatorError, Updated>
  readonly executables: Readonly<Record<string, Executable>>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// the program
// -------------------------------------------------------------------------------------

/**
 * The numbers of a row of a state.
 *
 * @category utils
 * @since 0.1.0
 */
export const elements = (state: Shape): number =>
  state.slice(1).reduce<number>((n, d) => n * (typeof d === 'number' ? d : 1), 1)

/**
 * How the samples of a cell of `h` steps are to be weighed: `params, x (= x_m), eps [h, ...] (step j's first), c, high (= m), old`
 * (the mean that drew), `advantage [batch], low, up, dual` (bounds of the ratio) to `mean`, `noise` (what the samples stand for now),
 * `weight [batch]` (the advantage times the ratio, over the elements where the density is a mean), `logRatio [batch]`, and
 * `kept [batch]`, 1 where the term is not dropped. Left: shapes of the chain that do not fit one another.
 *
 * @category programs
 * @since 0.1.0
 */
export const program = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  h: number,
  { density, form }: Pick<Reuse, 'density' | 'form'>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const shape: readonly [number, ...S] = [h, ...chain.state]
  const inputs: Shapes = {
    params: L.shapes(chain.parameters),
    x: chain.state,
    eps: shape,
    c: chain.condition,
    high: [],
    old: chain.state,
    advantage: ['batch'],
    low: [],
    up: [],
    dual: []
  }
  const perRow = density === 'mean' ? 1 / elements(chain.state) : 1
  return Program.make(inputs, (): Exprs => {
    const high: Scalar = X.input('high', [])
    const eps = X.input('eps', shape)
    const mean = Ch.segment(
      chain,
      h
    )(high).forward(L.parameterInputs<P>('params', chain.parameters), {
      x: X.input('x', chain.state),
      c: Ch.conditionInputs(chain),
      eps
    })
    const before = Ch.noiseAt(eps, 0, chain.state)
    const sigma = Ch.lookup(chain.sigma, Ch.below(high, h - 1))
    const noise = X.add(before, X.div(X.sub(X.input('old', chain.state), mean), sigma))
    const change = X.sub(chain.noise.logDensity(noise), chain.noise.logDensity(before))
    const rest = chain.state.slice(1).map((_, i) => i + 1)
    const logRatio = X.scale(X.retype(X.sum<Shape, ReadonlyArray<number>>(change, rest), ['batch']), perRow)
    const ratio = X.exp(logRatio)
    const advantage = X.input('advantage', ['batch'])
    const [one, zero] = [X.fill(['batch'], 1), X.fill(['batch'], 0)]
    const [gains, loses] = [X.less(zero, advantage), X.less(advantage, zero)]
    const above = X.less(X.input('up', []), ratio)
    const beneath = X.less(ratio, X.input('low', []))
    // pushed up beyond the interval by a gain, or down by a loss; either way, where ratios are clamped
    const out = form === 'clamp' ? X.max(above, beneath) : X.max(X.mul(above, gains), X.mul(beneath, loses))
    // or so far up with a loss that its term is all there is
    const dropped = X.max(out, X.mul(X.less(X.input('dual', []), ratio), loses))
    const kept = X.sub(one, dropped)
    // what is dropped, or has no advantage, must not be multiplied by a ratio that overflows
    const weight = X.select(kept, X.weigh(ratio, advantage), X.scalar(0))
    return { mean, noise, weight: X.scale(weight, perRow), logRatio, kept }
  })
}

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/** The cells of an estimator, all of them half-order. Left: one that has no ratio. */
const cellsOf = (estimator: Estimator, discrete: boolean): E.Either<EstimatorError, ReadonlyArray<HalfOrder>> =>
  pipe(
    estimator.covers.flatMap(({ cover }) => cover.cells),
    RA.traverse(E.Applicative)((cell) =>
      cell._tag === 'HalfOrder' && cell.control === undefined && cell.siblings === undefined && !discrete
        ? E.right(cell)
        : E.left<EstimatorError, HalfOrder>({ _tag: 'NoRatio', cell })
    )
  )

const ratioName = (h: number): string => `ratio(${h})`

/**
 * Compiles the updates of a problem, of `rows` rows at a time. Left: a cell that is not half-order, has a control or siblings, or
 * is on discrete outcomes; when it is asked for a gradient, the first step and row whose ratio overflows and is not dropped.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  reuse: Reuse,
  rows: number,
  target: Target
): E.Either<EstimatorError, Surrogate> => {
  const { chain, trained } = problem
  const steps = lenses(problem.steps)
  const stepInputs: Values = Object.fromEntries(
    steps.flatMap((one, i) => Object.entries(under(`step.${i}`, one.parameters)))
  )
  const ill =
    (name: string) =>
    (errors: ReadonlyArray<ShapeError>): EstimatorError => ({ _tag: 'Ill', program: name, errors })
  return pipe(
    cellsOf(problem.estimator, chain.noise.outcome !== undefined),
    E.flatMap((cells) => {
      const wanted = new Map<string, () => E.Either<ReadonlyArray<ShapeError>, Program.Program>>()
      for (const cell of cells) {
        const kind = segmentKind(cell)
        wanted.set(ratioName(kind.h), () => program(chain, kind.h, reuse))
        wanted.set(creditName(cell), () => Programs.halfOrder(chain, kind, trained, steps))
      }
      return pipe(
        [...wanted],
        RA.traverse(E.Applicative)(([name, build]) =>
          pipe(
            build(),
            E.bimap(ill(name), (closed) => [name, closed] as const)
          )
        )
      )
    }),
    E.flatMap((programs) => Build.buildAll(target, { batch: rows }, Object.fromEntries(programs))),
    E.map((executables): Surrogate => {
      const run = (name: string, values: Values): TE.TaskEither<EstimatorError, Values> => {
        const executable = executables[name]
        if (executable === undefined) return TE.left({ _tag: 'NotCompiled', program: name })
        return Build.run(name, executable)(Build.declaredOf(executable, values))
      }
      const ratio = (
        params: Values,
        condition: Values,
        { cell, x, eps, mean, advantages }: Drawn
      ): TE.TaskEither<EstimatorError, Values> =>
        run(ratioName(cell.to - cell.from + 1), {
          ...under('params', params),
          ...condition,
          x,
          eps,
          high: T.scalar(cell.to),
          old: mean,
          advantage: T.vector(advantages),
          ...bounds(reuse)
        })
      const weighed = (
        params: Values,
        { condition, weights }: Experience,
        one: Drawn
      ): TE.TaskEither<EstimatorError, Weighed> =>
        pipe(
          ratio(params, condition, one),
          TE.flatMapEither((out) => {
            const found = overflowing(out, one.advantages)
            return found === undefined
              ? E.right(out)
              : E.left<EstimatorError, Values>({ _tag: 'RatioOverflow', step: one.cell.from, ...found })
          }),
          TE.bindTo('out'),
          TE.bind('term', ({ out }) =>
            run(creditName(one.cell), {
              ...under('params', params),
              ...condition,
              ...stepInputs,
              x: one.x,
              eps: withFirst(one.eps, out['noise'] ?? one.x),
              high: T.scalar(one.cell.to),
              advantage: out['weight'] ?? T.fill([rows], 0),
              weights: T.vector(weights),
              ...(one.cell.shares === undefined ? {} : { shares: T.vector(one.cell.shares) })
            })
          ),
          TE.map(({ out, term }) => ({
            gradient: below('gradient', term),
            kept: Array.from(out['kept']?.data ?? []),
            ratios: Array.from(out['logRatio']?.data ?? [], (log: number) => Math.exp(log))
          }))
        )
      return {
        executables,
        record: (params, request, estimate) => {
          const { condition, eps, weights: given } = request
          const skipped = new Set(estimate.skipped)
          const weights = given.map((w, n) => (skipped.has(n) ? 0 : w))
          const parts = estimate.terms.flatMap(({ cell, advantages }) =>
            cell._tag === 'HalfOrder' && advantages !== undefined && estimate.trajectory !== undefined
              ? [
                  {
                    cell,
                    advantages,
                    x: withoutRows(skipped)(T.at(cell.to)(estimate.trajectory)),
                    eps: T.rows(cell.from - 1, cell.to)(eps)
                  }
                ]
              : []
          )
          return pipe(
            inBlocks(rows, given.length),
            RA.traverse(TE.ApplicativeSeq)((block) =>
              pipe(
                parts,
                RA.traverse(TE.ApplicativeSeq)((part) =>
                  pipe(
                    takeDrawn(block)({ ...part, mean: part.x }),
                    (one) => ratio(params, takeValues(block)(condition), one),
                    TE.map((out) => out['mean'] ?? part.x)
                  )
                )
              )
            ),
            TE.map((blocks) => ({
              condition,
              weights,
              drawn: parts.map((part, i) => ({ ...part, mean: joined(blocks.map((means) => means[i] ?? part.x)) }))
            }))
          )
        },
        gradient: (params, experience) =>
          pipe(
            experience.drawn,
            RA.traverse(TE.ApplicativeSeq)((one) => weighed(params, experience, one)),
            TE.map((terms) => {
              const kept = terms.flatMap((term) => term.kept)
              const ratios = terms.flatMap((term) => term.ratios)
              return {
                gradient: terms.map(({ gradient }) => gradient).reduce(add, {}),
                clippedShare: 1 - kept.reduce((a, b) => a + b, 0) / Math.max(kept.length, 1),
                farthest: ratios.reduce((most, ratio) => Math.max(most, Math.abs(ratio - 1)), 0)
              }
            })
          ),
        dispose: async () => {
          for (const executable of Object.values(executables)) await executable.dispose()
        }
      }
    })
  )
}

/** One cell's term, with what became of its rows. */
interface Weighed {
  readonly gradient: Values
  readonly kept: ReadonlyArray<number>
  readonly ratios: ReadonlyArray<number>
}

/** The bounds of ratios; what is not bounded has no bound that a ratio could pass. */
const bounds = ({ clip, dualClip }: Reuse): Values => ({
  low: T.scalar(clip === 0 ? Number.NEGATIVE_INFINITY : 1 - clip),
  up: T.scalar(clip === 0 ? Number.POSITIVE_INFINITY : 1 + clip),
  dual: T.scalar(dualClip === 0 ? Number.POSITIVE_INFINITY : dualClip)
})

/** The first row with a term whose ratio is no finite number, where there is one. */
const overflowing = (
  { logRatio, kept }: Values,
  advantages: ReadonlyArray<number>
): { readonly row: number; readonly logRatio: number } | undefined => {
  if (logRatio === undefined) return undefined
  const finite = isFiniteIn(logRatio.data)
  const counts = (row: number): boolean => kept?.data[row] !== 0 && advantages[row] !== 0
  const row = Array.from(logRatio.data).findIndex((log, n) => counts(n) && !finite(Math.exp(log)))
  return row < 0 ? undefined : { row, logRatio: logRatio.data[row] ?? Number.NaN }
}

const add = (a: Values, b: Values): Values =>
  Object.fromEntries(
    Object.entries(b).map(([path, value]) => {
      const other = a[path]
      return [path, other === undefined ? value : T.map((v, i) => v + (other.data[i] ?? 0))(value)]
    })
  )

/** The noises of a segment with another one for the lowest step's. */
const withFirst = (eps: Tensor, first: Tensor): Tensor => {
  const data = eps.data.slice()
  data.set(first.data)
  return { shape: eps.shape, data }
}
