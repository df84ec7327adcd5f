/**
 * Noise schedules of variance-preserving diffusion: how much of the data is left at each step.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A schedule of `T` steps. `alphaBar[t]`, `t = 0..T`, is the share of the data's variance left in
 * `x_t = sqrt(alphaBar[t]) x_0 + sqrt(1 - alphaBar[t]) noise`; `alphaBar[0] = 1` and it falls. `time[t]`, in [0, 1], is
 * what the denoiser is told.
 *
 * @category model
 * @since 0.1.0
 */
export interface Schedule {
  readonly T: number
  readonly alphaBar: ReadonlyArray<number>
  readonly time: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

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
    const steps = Math.max(1, Math.round(T))
    const time = Array.from({ length: steps + 1 }, (_, t) => t / steps)
    return { T: steps, time, alphaBar: time.map((u) => (u === 0 ? 1 : share(u))) }
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
