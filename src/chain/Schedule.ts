/**
 * Noise schedules of variance-preserving diffusion: how much of the data is left at each step.
 *
 * @since 0.1.0
 */
import * as Need from '../tensor/Need.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A schedule of `T` steps. `alphaBar[t]`, `t = 0..T`, is the share of the data's variance left in
 * `x_t = sqrt(alphaBar[t]) x_0 + sqrt(1 - alphaBar[t]) noise`; `alphaBar[0] = 1`, and it falls from step to step and stays above
 * 0, where a step could not be inverted. `time[t]`, in [0, 1], is what the denoiser is told. `check` says what is wrong with
 * one, and samplers ask it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Schedule {
  readonly T: number
  readonly alphaBar: ReadonlyArray<number>
  readonly time: ReadonlyArray<number>
}

/**
 * A number at each of the steps `1..T`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Table {
  readonly T: number
  readonly values: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

// a step's number is a number of f32, which has all whole numbers up to here
const most = 2 ** 24

/**
 * A table of `f(t)` at steps `1..T`. `T` is rounded to a whole number of at least 1; of more steps than can be told apart, or
 * of no number, there is no table, and `check` says so.
 *
 * @category utils
 * @since 0.1.0
 */
export const tabulated = (T: number, f: (t: number, T: number) => number): Table => {
  if (!(Math.abs(T) <= most)) return { T, values: [] }
  const steps = Math.max(1, Math.round(T))
  return { T: steps, values: Array.from({ length: steps }, (_, i) => f(i + 1, steps)) }
}

/**
 * A schedule of `T` steps from a continuous share `alphaBar(u)` of time `u` in [0, 1], with `alphaBar(0) = 1`. `T` is
 * rounded to a whole number of at least 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromShare =
  (share: (u: number) => number) =>
  (T: number): Schedule => {
    const time = tabulated(T, (t, steps) => t / steps)
    return { T: time.T, time: [0, ...time.values], alphaBar: [1, ...time.values.map(share)] }
  }

/**
 * The least share of the data at time `u`: `1e-4 (2 - u)`. The cosine schedule, which would end at 0, is held above it, so that the
 * step next to the noise can be inverted; it falls with time, so that every step has noise, however many there are.
 *
 * @category utils
 * @since 0.1.0
 */
export const leastShare = (u: number): number => 1e-4 * (2 - u)

/**
 * The share of the cosine schedule at time `u`: `cos^2(((u + s) / (1 + s)) pi / 2)`, relative to its value at 0, with
 * `s = 0.008` (Nichol and Dhariwal, arXiv 2102.09672), and at least `leastShare`.
 *
 * @category utils
 * @since 0.1.0
 */
export const cosineShare = (u: number): number => {
  const f = (v: number): number => Math.cos((((v + 0.008) / 1.008) * Math.PI) / 2) ** 2
  return Math.max(f(u) / f(0), leastShare(u))
}

/**
 * The share of the linear-beta schedule at time `u`: `exp(-integral of beta)`, with beta from 0.1 to 20 per unit of time
 * (Ho et al., arXiv 2006.11239, in the continuous form of Song et al., arXiv 2011.13456).
 *
 * @category utils
 * @since 0.1.0
 */
export const linearShare = (u: number): number => Math.exp(-(0.1 * u + (19.9 * u * u) / 2))

/**
 * The cosine schedule with `T` steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cosine: (T: number) => Schedule = /*#__PURE__*/ fromShare(cosineShare)

/**
 * The linear schedule with `T` steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linear: (T: number) => Schedule = /*#__PURE__*/ fromShare(linearShare)

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * What is wrong with a schedule: a number of steps that is none, tables of another length, numbers that are not finite, shares
 * that do not fall from 1 or do not stay above 0, times outside of [0, 1].
 *
 * @category utils
 * @since 0.1.0
 */
export const check = ({ T, alphaBar, time }: Schedule): Need.Faults => {
  const fault = (expected: string, got: string, remedy: string): Need.Faults =>
    Need.fault('schedule', expected, got, remedy)
  if (!Number.isSafeInteger(T) || T < 1 || T > most) {
    return fault(`steps: a whole number from 1 to ${most}`, String(T), 'take such a number')
  }
  if (alphaBar.length !== T + 1 || time.length !== T + 1) {
    const lengths = `${alphaBar.length} and ${time.length}`
    return fault(`shares and times of steps 0 to ${T}`, `${lengths} of them`, 'give one more than there are steps')
  }
  const rising = alphaBar.findIndex((a, t) => t > 0 && !(a < (alphaBar[t - 1] ?? 1)))
  const last = alphaBar[T] ?? 0
  const outside = time.findIndex((u) => !(u >= 0 && u <= 1))
  const asked = alphaBar[0] === 1 ? [] : fault('a share of 1 at step 0', String(alphaBar[0]), 'begin with 1')
  const falls =
    rising < 0
      ? []
      : fault(
          'shares that fall from step to step',
          `${alphaBar[rising - 1]} at step ${rising - 1} and ${alphaBar[rising]} at step ${rising}`,
          'take a share that falls with time'
        )
  const ends =
    last > 0 || rising >= 0
      ? []
      : fault(
          'a share above 0 at the last step',
          String(last),
          'hold it above `Schedule.leastShare`: what is all noise says nothing of the data'
        )
  const told =
    outside < 0 ? [] : fault('times in [0, 1]', `${time[outside]} at step ${outside}`, 'tell the denoiser such a time')
  return [...asked, ...falls, ...ends, ...told]
}

/**
 * A schedule that tables can be made of, whatever the one given is: itself where it has no faults, else one of a single step.
 *
 * @category utils
 * @since 0.1.0
 */
export const sound = (schedule: Schedule, faults: Need.Faults = check(schedule)): Schedule =>
  faults.length === 0 ? schedule : { T: 1, alphaBar: [1, 0.5], time: [0, 1] }
