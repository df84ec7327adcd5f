/**
 * Laws of noise schedules and of the samplers built on them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import * as Ddpm from '../../src/chain/sampler/Ddpm.js'
import type { Coefficients } from '../../src/chain/EpsilonSampler.js'
import type { Schedule } from '../../src/chain/Schedule.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { None } from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import { unitRoundoff } from '../exact/Rounding.js'
import type { Data } from '../toy/GaussianData.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

/**
 * A sampler's chain of one feature under an exact denoiser.
 *
 * @category model
 * @since 0.1.0
 */
export type Sampler = Chain<None, readonly ['batch', 1], Rows<1>>

/**
 * **Falling.** `alphaBar` has `T + 1` entries, starts at 1, falls at every step and stays above 0; times start at 0, rise and
 * end at 1.
 *
 * @category laws
 * @since 0.1.0
 */
export const falls = ({ T: length, alphaBar, time }: Schedule): Verdict =>
  V.holds('schedule: falls', [
    ['T + 1 shares and times', alphaBar.length === length + 1 && time.length === length + 1],
    ['the share at 0 is 1', alphaBar[0] === 1],
    ['every share is above 0', alphaBar.every((a) => a > 0)],
    ...alphaBar
      .slice(1)
      .map((a, i): readonly [string, boolean] => [`share ${i + 1} is below share ${i}`, a < (alphaBar[i] ?? 0)]),
    ['time runs from 0 to 1', time[0] === 0 && time[length] === 1],
    ...time.slice(1).map((u, i): readonly [string, boolean] => [`time ${i + 1} is after time ${i}`, u > (time[i] ?? 1)])
  ])

/**
 * The coefficients of a step.
 *
 * @category model
 * @since 0.1.0
 */
export type StepCoefficients = (schedule: Schedule, t: number) => Coefficients

/**
 * **DDIM at eta = 1 is DDPM with the small variance**, step by step, in mean and in noise. Rounding: `beta = 1 - a / b` is
 * off by a unit, absolute, which is `1 / beta` units of it and `b / a` units of `1 - beta`; so is `1 - b - sigma^2` under a
 * root.
 *
 * @category laws
 * @since 0.1.0
 */
export const ddimIsDdpm =
  (
    ddim: StepCoefficients = (schedule, t) => Ddim.coefficients(schedule, 1, t),
    ddpm: StepCoefficients = (schedule, t) => Ddpm.coefficients(schedule, 'small', t)
  ) =>
  (schedule: Schedule): Verdict =>
    V.verdict(
      'schedule: DDIM at eta = 1 is DDPM',
      schedule.alphaBar.slice(1).flatMap((a, i): ReadonlyArray<Comparison> => {
        const t = i + 1
        const b = schedule.alphaBar[i] ?? 1
        const one = ddpm(schedule, t)
        const two = ddim(schedule, t)
        const beta = 1 - a / b
        const root = Math.sqrt(Math.max(1 - b - one.sigma ** 2, unitRoundoff))
        const relative = 8 * unitRoundoff * (1 + 1 / beta + 1 / (1 - a) + b / a)
        const slack = {
          state: 8 * unitRoundoff * (1 + b / a) * one.state,
          epsilon:
            relative * Math.abs(one.epsilon) +
            8 * unitRoundoff * (Math.sqrt((b * (1 - a)) / a) + (t === 1 ? 0 : 1 / root)),
          sigma: relative * one.sigma
        }
        const compare = (name: keyof Coefficients): Comparison => ({
          at: `${name} of step ${t}`,
          expected: one[name],
          got: two[name],
          tolerance: slack[name],
          because: 'cancellation in 1 - a / b, in 1 - beta and in 1 - b - sigma^2'
        })
        return [compare('state'), compare('epsilon'), compare('sigma')]
      })
    )

/** Slope, offset and noise of every step of a chain whose mean is affine in the state. */
const affine = (
  chain: Sampler
): E.Either<
  string,
  {
    readonly steps: ReadonlyArray<{ readonly slope: number; readonly offset: number; readonly sigma: number }>
    readonly unit: number
  }
> =>
  pipe(
    Program.make({ x: chain.state, c: ['batch', 1] }, (inputs) =>
      Object.fromEntries(
        Array.from({ length: chain.T }, (_, i) => [
          `${i + 1}`,
          chain.mean(X.scalar(i + 1)).forward({}, { x: inputs.x, c: inputs.c })
        ])
      )
    ),
    E.flatMap((program) =>
      pipe(
        Reference.run(program, { batch: 2 }, { x: T.matrix([[0], [1]]), c: T.fill([2, 1], 0) }),
        E.map((out) => ({
          unit: unitRoundoff * Math.ceil(program.instructions.length / chain.T + 1),
          steps: Array.from({ length: chain.T }, (_, i) => {
            const data = out[`${i + 1}`]?.data
            const offset = data?.[0] ?? Number.NaN
            return { offset, slope: (data?.[1] ?? Number.NaN) - offset, sigma: chain.sigma[i + 1] ?? 0 }
          })
        }))
      )
    ),
    E.mapLeft((errors) => errors.map(showError).join('\n'))
  )

/**
 * Mean and variance of the sampler's marginals, less the closed form, at `t = 0..T`, starting from the closed form at T.
 *
 * Rounding: a step's coefficients are about `sqrt(b / a)` in magnitude and cancel where the data are concentrated. They carry
 * a unit for each operation, `b / a` units from `1 - (1 - a / b)`, `1 / (1 - a)` from `1 - a`, and one over the root of
 * `1 - b - sigma^2`. What that does to mean and variance is carried through the steps with them.
 */
const deviations = (
  chain: Sampler,
  { alphaBar }: Schedule,
  data: Data
): E.Either<
  string,
  { readonly gaps: ReadonlyArray<readonly [mean: number, variance: number]>; readonly tolerance: number }
> =>
  pipe(
    affine(chain),
    E.map(({ steps, unit }) => {
      const exact = (t: number): readonly [number, number] => {
        const a = alphaBar[t] ?? 1
        return [Math.sqrt(a) * data.mean, a * data.variance + 1 - a]
      }
      let [mean, variance] = exact(chain.T)
      const gaps: Array<readonly [number, number]> = [[0, 0]]
      let meanError = 0
      let varianceError = 0
      let tolerance = 0
      for (let t = chain.T; t >= 1; t--) {
        const a = alphaBar[t] ?? 1
        const b = alphaBar[t - 1] ?? 1
        const { slope, offset, sigma } = steps[t - 1] ?? { slope: 0, offset: 0, sigma: 0 }
        const root = Math.sqrt(1 - b - sigma * sigma)
        const conditioning = 1 + b / a + 1 / (1 - a) + (root > 0 ? 1 / root : 0)
        const off = unit * conditioning * Math.sqrt(b / a)
        meanError = Math.abs(slope) * meanError + off * (Math.abs(mean) + Math.abs(data.mean) + 1)
        varianceError =
          slope * slope * varianceError +
          (2 * Math.abs(slope) + off) * off * variance +
          4 * unit * conditioning * (sigma * sigma + variance * slope * slope + 1)
        mean = slope * mean + offset
        variance = slope * slope * variance + sigma * sigma
        const [m, v] = exact(t - 1)
        gaps.unshift([mean - m, variance - v])
        tolerance = Math.max(tolerance, meanError, varianceError)
      }
      return { gaps, tolerance }
    })
  )

/**
 * **Marginals are exact.** With the exact denoiser of Gaussian data every `x_t` has its closed form, mean and variance, if the
 * sampler's variance is right for the data: DDPM `large` for unit variance; DDPM `small` and DDIM of any eta for data that
 * is one point (variance 0).
 *
 * @category laws
 * @since 0.1.0
 */
export const marginalsAreExact =
  (schedule: Schedule, data: Data) =>
  (chain: Sampler): Verdict => {
    const law = `${chain.name}: marginals have their closed form`
    return pipe(
      deviations(chain, schedule, data),
      E.match(
        (reason) => V.stuck(law, reason),
        ({ gaps, tolerance }) =>
          V.verdict(
            law,
            gaps.flatMap(([mean, variance], t) =>
              (
                [
                  [`mean at t = ${t}`, mean],
                  [`variance at t = ${t}`, variance]
                ] as const
              ).map(([at, got]) => ({
                at,
                expected: 0,
                got,
                tolerance,
                because: 'rounding, carried through the steps'
              }))
            )
          )
      )
    )
  }

/**
 * **Marginals converge.** For other data the mean is still exact, and the variance at `t = 0` is off by the discretisation,
 * `O(log(T) / T)` at the worst: the share of the noise starts at 0, so the relative step of the first ones does not shrink.
 * So `T` times the error is affine in `log T` but for what vanishes like `log(T) / T`. With `T` doubled four times, its
 * second differences, extrapolated twice to rid them of that, are 0 to the distance of the last two.
 *
 * @category laws
 * @since 0.1.0
 */
export const marginalsConverge =
  (schedule: (T: number) => Schedule, data: Data, sampler: (schedule: Schedule) => Sampler) =>
  (shortest: number): Verdict => {
    const law = `${sampler(schedule(shortest)).name}: marginals converge`
    const lengths = [1, 2, 4, 8, 16].map((k) => k * shortest)
    const found: Array<{
      readonly length: number
      readonly mean: number
      readonly variance: number
      readonly tolerance: number
    }> = []
    for (const length of lengths) {
      const one = schedule(length)
      const gaps = deviations(sampler(one), one, data)
      if (E.isLeft(gaps)) return V.stuck(law, gaps.left)
      const [mean = Number.NaN, variance = Number.NaN] = gaps.right.gaps[0] ?? []
      found.push({ length, mean, variance, tolerance: gaps.right.tolerance })
    }
    const scaled = found.map(({ length, variance }) => length * variance)
    const next = (values: ReadonlyArray<number>, f: (a: number, b: number) => number): ReadonlyArray<number> =>
      values.slice(1).map((b, i) => f(values[i] ?? Number.NaN, b))
    const differences = next(
      next(scaled, (a, b) => b - a),
      (a, b) => b - a
    )
    const [first = Number.NaN, last = Number.NaN] = next(differences, (a, b) => 2 * b - a)
    // each number of `scaled` enters with weights that add up to at most 36
    const rounding = 36 * Math.max(...found.map(({ length, tolerance }) => length * tolerance))
    return V.verdict(law, [
      ...found.map(({ length, mean, tolerance }) => ({
        at: `mean at t = 0 with ${length} steps`,
        expected: 0,
        got: mean,
        tolerance,
        because: 'rounding, carried through the steps'
      })),
      {
        at: 'T times the variance at t = 0: second difference in log T, extrapolated',
        expected: 0,
        got: 2 * last - first,
        tolerance: Math.abs(last - first) + rounding,
        because: 'the distance of the last two extrapolations, and rounding'
      }
    ])
  }
