/**
 * What an estimate should be for each noise, by the printed formulas of its cells.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Noise } from '../../src/chain/Noise.js'
import type { Cover, HalfOrder } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Batched, showError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Derivatives } from './Differences.js'
import { collect, replay, smoothingOf } from './Expectation.js'
import { dot, magnitude, sum } from './Rounding.js'
import { byComponent, components, type Draws, type Setting } from '../Setting.js'
import { simulator, type Rollout, type Shift } from './Simulate.js'

// -------------------------------------------------------------------------------------
// what it should be, for each noise
// -------------------------------------------------------------------------------------

/**
 * The estimate of a cover on given draws by the printed formulas of its cells, row by row: with `A` the rewards of
 * the base rollout,
 *
 * - FO(1..k): the derivative of `R(x_0)` in the copies of steps `1..k`;
 * - HO(j..m): `A` times the derivative of `x_{j-1} . score(eps_j) / sigma_j` in the copies of steps `j..m`;
 *   with siblings, the mean over them, `A` being each one's reward less the mean of the others' (each is rolled out from `x_T`);
 * - ZO(C): `A`, or the difference of rewards, times the sum of directions over the radius.
 *
 * A copy that a cell pays a share of moves by that share.
 *
 * Derivatives are differences of rollouts. `advantages` takes the base rewards to what multiplies scores. Element
 * `[i][row]`, not weighted. The score of normal noise is taken to be `eps`; that of another is its own, which the
 * laws of `Noise` hold against its density. Left: the setting's programs did not run.
 *
 * @category what it should be
 * @since 0.1.0
 */
export const formula = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  cover: Cover,
  draws: Draws,
  advantages: (rewards: ReadonlyArray<number>) => ReadonlyArray<number> = (rewards) => rewards
): E.Either<string, ReadonlyArray<Derivatives>> => {
  const smoothing = smoothingOf(cover)
  const cell = C.zerothOrderCell(cover)
  const { sigma, T: length } = setting.chain
  const base = cell?.form === 'onePoint' ? smoothing : undefined
  const none: Shift = { share: () => 0, component: { path: '', index: 0, label: '' }, amount: 0 }
  return pipe(
    simulator(setting),
    E.chainFirst((simulate) => simulate.run(draws)),
    E.bindTo('simulate'),
    E.bind('scores', () => scoresOf(setting.chain.noise, draws.eps)),
    E.bind('fresh', () =>
      RA.traverse(E.Applicative)((one: Tensor) => scoresOf(setting.chain.noise, one))(draws.others ?? [])
    ),
    E.map(({ simulate, scores, fresh }) => {
      const width = draws.eps.data.length / (length * draws.rows)
      const sampled = (run_: Rollout): ReadonlyArray<number> => advantages(Array.from(run_.rewards))
      const clean = replay(simulate, draws, base, none)
      const weight = sampled(clean)
      const noisy = (values: ReadonlyArray<number>): Derivatives => ({
        value: values,
        error: values.map((x) => simulate.roundoff * Math.abs(x))
      })
      const ofScore = (
        one: HalfOrder,
        on: Draws,
        given: Tensor,
        weight: ReadonlyArray<number>,
        sizes: ReadonlyArray<number> = weight
      ): ReadonlyArray<Derivatives> => {
        const noise = given.data.subarray((one.from - 1) * on.rows * width, one.from * on.rows * width)
        const projected = (
          shift: Shift
        ): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => {
          const state = replay(simulate, on, base, shift).states[one.from - 1] ?? []
          const row = (of: typeof dot, factors: ReadonlyArray<number>, r: number): number =>
            (of(
              Array.from({ length: width }, (_, d) => state[r * width + d] ?? Number.NaN),
              noise.subarray(r * width, (r + 1) * width)
            ) *
              (factors[r] ?? 0)) /
            (sigma[one.from] ?? 0)
          const rows = Array.from({ length: draws.rows }, (_, r) => r)
          return {
            value: rows.map((r) => row(dot, weight, r)),
            error: rows.map((r) => simulate.roundoff * Math.abs(row(magnitude, sizes, r)))
          }
        }
        return collect(projected, setting, (t) => C.share(one, t), undefined)
      }
      const parts = cover.cells.map((one): ReadonlyArray<Derivatives> => {
        switch (one._tag) {
          case 'FirstOrder':
            return collect(
              (shift) => {
                const { rewards } = replay(simulate, draws, base, shift)
                return { value: rewards, error: rewards.map((r) => simulate.roundoff * Math.abs(r)) }
              },
              setting,
              (t) => C.share(one, t),
              undefined
            )
          case 'HalfOrder': {
            const family = siblingsOf(one, draws)
            if (family.length > 1) {
              const returns = family.map((own) => replay(simulate, own, base, none).rewards)
              const scored = siblingsOf(one, { ...draws, eps: scores, others: fresh })
              // what is left of a difference has the rounding of its parts
              const size = clean.rewards.map((_, r) => sum(returns.map((own) => Math.abs(own[r] ?? 0))))
              return family
                .map((own, k) => {
                  const rest = Array.from(returns[k] ?? [], (g, r) => {
                    const others = returns.flatMap((other, l) => (l === k ? [] : [other[r] ?? 0]))
                    return g - sum(others) / others.length
                  })
                  const a = advantages(rest).map((x) => x / family.length)
                  return ofScore(one, own, scored[k]?.eps ?? scores, a, Array.from(size))
                })
                .reduce((total, part) => total.map((all, i) => added(all, part[i])))
            }
            return ofScore(one, draws, scores, weight)
          }
          case 'ZerothOrder': {
            const side = (radius: number): ReadonlyArray<number> =>
              Array.from(
                replay(simulate, draws, { steps: one.steps, perturbation: one.perturbation, radius }, none).rewards
              )
            const up = side(one.radius)
            const down = one.form === 'central' ? side(-one.radius) : Array.from(clean.rewards)
            const gap = up.map((r, i) => {
              if (one.form === 'onePoint')
                return { value: weight[i] ?? 0, scale: Math.abs(weight[i] ?? 0) + Math.abs(r) }
              const half = one.form === 'central' ? 2 : 1
              return { value: (r - (down[i] ?? 0)) / half, scale: Math.abs(r) + Math.abs(down[i] ?? 0) }
            })
            return directionRows(setting, draws, one.steps, one.perturbation).map((rows) => ({
              value: gap.map(({ value }, r) => (value * (rows[r % rows.length] ?? 0)) / one.radius),
              error: gap.map(
                ({ scale }, r) => (simulate.roundoff * scale * Math.abs(rows[r % rows.length] ?? 0)) / one.radius
              )
            }))
          }
        }
      })
      return components(setting).map((_, i) =>
        parts.reduce<Derivatives>((total, part) => added(total, part[i]), noisy(new Array<number>(draws.rows).fill(0)))
      )
    })
  )
}

const added = (a: Derivatives, b: Derivatives | undefined): Derivatives => ({
  value: a.value.map((x, r) => x + (b?.value[r] ?? 0)),
  error: a.error.map((x, r) => x + (b?.error[r] ?? 0))
})

/** The draws of each sibling of a cell: those of the trajectory, with noises of its own at and below the branch. */
const siblingsOf = (cell: HalfOrder, draws: Draws): ReadonlyArray<Draws> => {
  const each = draws.eps.data.length / (draws.eps.shape[0] ?? 1)
  const below = C.branchOf(cell) * each
  const alone = cell.siblings?.below === 'shared' ? below - each : 0
  return C.range(1, cell.siblings?.count ?? 1).map((k) => {
    const own = draws.others?.[k - 2]
    return k === 1 || own === undefined
      ? draws
      : { ...draws, eps: T.tabulate(draws.eps.shape, (i) => (alone <= i && i < below ? own : draws.eps).data[i] ?? 0) }
  })
}

/** The scores at some noises. */
const scoresOf = (noise: Noise, eps: Tensor): E.Either<string, Tensor> =>
  noise.density === 'normal'
    ? E.right(eps)
    : pipe(
        Program.make({ eps: eps.shape }, (inputs) => ({ score: noise.score(inputs.eps) })),
        E.flatMap((program) => Reference.run(program, {}, { eps })),
        E.bimap(
          (errors) => errors.map(showError).join('\n'),
          ({ score = eps }) => score
        )
      )

/** The direction of each component, summed over the steps of a cell: element `[i][row]`. */
const directionRows = (
  setting: Parameters<typeof components>[0],
  { xi }: Draws,
  steps: ReadonlyArray<number>,
  perturbation: C.Perturbation
): ReadonlyArray<ReadonlyArray<number>> => {
  if (perturbation === 'shared') return byComponent(setting, xi)
  const at = (t: number): ReadonlyArray<ReadonlyArray<number>> =>
    byComponent(
      setting,
      Object.fromEntries(
        Object.entries(xi).map(([path, { shape, data }]) => {
          const each = data.length / setting.chain.T
          return [path, { shape: shape.slice(1), data: data.subarray((t - 1) * each, t * each) }]
        })
      )
    )
  const parts = steps.map(at)
  return components(setting).map((_, i) =>
    (parts[0]?.[i] ?? [0]).map((_row, r) => sum(parts.map((part) => part[i]?.[r] ?? 0)))
  )
}
