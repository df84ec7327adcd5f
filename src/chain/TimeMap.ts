/**
 * Which time a denoiser is to be told: the way from a share of data back to the time that it was trained at.
 *
 * A denoiser is trained on `sqrt(a) x_0 + sqrt(1 - a) noise` at times `u` with a share `a(u)`. Any other process at signal
 * `alpha` and deviation `sigma` has the same signal-to-noise ratio at `a = alpha^2 / (alpha^2 + sigma^2)`, once its state is
 * divided by `sqrt(alpha^2 + sigma^2)` (Karras et al., arXiv 2206.00364, section 5). So one denoiser serves every
 * process: variance-exploding at level `sigma` has `a = 1 / (1 + sigma^2)`, flow matching at `s` has
 * `a = (1 - s)^2 / ((1 - s)^2 + s^2)`.
 *
 * @since 0.1.0
 */
import { cosineShare, leastShare, linearShare, type Schedule, type Table } from './Schedule.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A share of data that falls with time, from 1 at time 0, and its inverse. Shares beyond those of [0, 1] have the time of
 * the nearest end.
 *
 * @category model
 * @since 0.1.0
 */
export interface TimeMap {
  readonly share: (time: number) => number
  readonly time: (share: number) => number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const within = (u: number): number => Math.min(Math.max(u, 0), 1)

/**
 * The map of any falling share, inverted by bisection down to neighbouring numbers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromShare = (share: (time: number) => number): TimeMap => ({
  share,
  time: (wanted) => {
    if (wanted >= share(0)) return 0
    if (wanted <= share(1)) return 1
    let [low, high] = [0, 1]
    for (let middle = 0.5; middle > low && middle < high; middle = (low + high) / 2) {
      if (share(middle) > wanted) low = middle
      else high = middle
    }
    return high
  }
})

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/** The map of the larger of a share and `leastShare`: both fall, so the inverse is the larger of theirs. */
const held = ({ share, time }: TimeMap): TimeMap => ({
  share: (u) => Math.max(share(u), leastShare(u)),
  time: (wanted) => (wanted >= 1 ? 0 : within(Math.max(time(wanted), 2 - wanted / (leastShare(0) - leastShare(1)))))
})

/**
 * The cosine schedule's map, with its least share. The inverse comes from `1 - a = (sin^2 w - sin^2 o) / cos^2 o`, with `o` the
 * angle at time 0, which keeps its digits near time 0.
 *
 * @category instances
 * @since 0.1.0
 */
export const cosine: TimeMap = /*#__PURE__*/ held({
  share: cosineShare,
  time: (share) => {
    const rate = Math.PI / 2 / 1.008
    const offset = 0.008 * rate
    const sine = Math.sqrt(Math.sin(offset) ** 2 + (1 - share) * Math.cos(offset) ** 2)
    return (Math.asin(Math.min(sine, 1)) - offset) / rate
  }
})

/**
 * The linear-beta schedule's map: the positive root of `19.9/2 u^2 + 0.1 u + ln a`.
 *
 * @category instances
 * @since 0.1.0
 */
export const linear: TimeMap = {
  share: linearShare,
  time: (share) => {
    const depth = Math.max(-Math.log(share), 0)
    // not the schoolbook root, which cancels near time 0
    return within((2 * depth) / (0.1 + Math.sqrt(0.01 + 2 * 19.9 * depth)))
  }
}

/**
 * The straight paths of flow matching, `x_s = (1 - s) x_0 + s noise`: `s` is the time, `sqrt((1 - a) / a) = s / (1 - s)`.
 *
 * @category instances
 * @since 0.1.0
 */
export const flow: TimeMap = {
  share: (s) => (1 - s) ** 2 / ((1 - s) ** 2 + s ** 2),
  time: (share) => {
    const [data, noise] = [Math.sqrt(within(share)), Math.sqrt(1 - within(share))]
    return noise / (data + noise)
  }
}

/**
 * The maps by the name of the schedule that a model was trained on. A model of straight paths keeps the least share, as one of
 * the cosine schedule does.
 *
 * @category instances
 * @since 0.1.0
 */
export const maps: Readonly<Record<'cosine' | 'linear' | 'flow', TimeMap>> = {
  cosine,
  linear,
  flow: /*#__PURE__*/ held(flow)
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The schedule with the given shares of data at steps `1..T`, for a denoiser with this map: each step is told the time at
 * which the denoiser has seen its signal-to-noise ratio. A share below the map's last is told time 1; keep above it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const matched =
  (map: TimeMap) =>
  (shares: ReadonlyArray<number>): Schedule =>
    tabled(map)({ T: shares.length, values: shares })

/**
 * `matched`, for a table of shares with the number of steps that was asked for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tabled =
  (map: TimeMap) =>
  ({ T, values }: Table): Schedule => ({ T, alphaBar: [1, ...values], time: [0, ...values.map(map.time)] })

/**
 * A schedule of another process for a denoiser with this map: the same shares, at the denoiser's own times.
 *
 * @category combinators
 * @since 0.1.0
 */
export const retimed =
  (map: TimeMap) =>
  (schedule: Schedule): Schedule =>
    matched(map)(schedule.alphaBar.slice(1))
