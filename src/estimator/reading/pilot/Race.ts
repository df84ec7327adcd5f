/**
 * A race of estimators that were measured on the same draws: what their samples say of their variances, who leads, and who can be left
 * behind.
 *
 * A sample variance may be small because what makes it large was not met: where a reward all but jumps, a gradient that is pulled back
 * through many steps lives on rare samples (Metz et al., arXiv 2111.05803). But all that race are unbiased, so their means are the
 * same, and whoever's samples do not have the mean that the others' have is missing some. So those that differentiate one step at a
 * time, whose scores have the tails of the noise, are believed. Of the others a lead is believed where so many samples would show a mean
 * that is missing, they have it, and the lead is more than luck.
 *
 * @since 0.1.0
 */
import type { Estimator } from '../../Estimator.js'
import * as C from '../../Cover.js'
import { gap, type Matrix, ofDistances } from '../Spread.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Someone in the race: the measured gradients, rows of each batch in the order of the draws, of one sample or of the mean of `size`; how
 * many `draws` they are of everything that it draws, which is fewer than there are rows where these share a cover; what the variance of
 * those is to be multiplied with, for one sample of the run; the seconds that a sample takes; and whether it `isPlain`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Runner {
  readonly plain: boolean
  readonly samples: ReadonlyArray<Matrix>
  readonly size: number
  readonly draws: number
  readonly factor: number
  readonly seconds: number
}

/**
 * How a runner stands. `variance` is that of one sample of the run, with `missing` in it, which is what its samples do not show of it, as
 * far as can be told; `score` is variance times seconds. `why` it does not lead, with a lower score than who does: its samples do not
 * have the mean (`missing`), are too few to tell (`few`), or the lead may be luck (`close`); else `behind`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Standing {
  readonly variance: number
  readonly missing: number
  readonly score: number
  readonly why: 'leads' | 'behind' | 'missing' | 'few' | 'close'
}

/**
 * The race: the standings, the position of the leader, of those that `may` go on where there is time and of those that must (`on`), and
 * whether it is settled, no other being better by a fifth.
 *
 * @category model
 * @since 0.1.0
 */
export interface Race {
  readonly standings: ReadonlyArray<Standing>
  readonly leader: number
  readonly may: ReadonlyArray<number>
  readonly on: ReadonlyArray<number>
  readonly settled: boolean
}

/** How many deviations are more than luck. */
const deviations = 2

/** A variance is within this factor of the best where that is good enough. */
const close = 1.2

/** So many draws of a plain one are cheap, and tell something. */
const early = 16

/** Nothing is settled by fewer draws. */
const enough = 64

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * Does an estimator differentiate one step at a time? Then its gradients are scores, or go through one step: nothing is multiplied along
 * the chain, and no draw of covers hides what it does.
 *
 * @category readings
 * @since 0.1.0
 */
export const isPlain = ({ covers: [{ cover }, ...others] }: Estimator): boolean =>
  others.length === 0 &&
  cover.cells.every(
    (cell) =>
      C.steps(cell).length === 1 &&
      (cell._tag !== 'HalfOrder' || (cell.control === undefined && cell.siblings === undefined)) &&
      (cell._tag !== 'FirstOrder' || (cell.gradient === undefined && cell.through === undefined))
  )

/** A runner with its squared distances to the mean, as parts of their mean. */
interface Measured {
  readonly runner: Runner
  readonly variance: number
  readonly parts: Float64Array
}

/** What is seen of a runner: whether its samples are enough to show that they miss the mean. */
interface Seen {
  readonly one: Measured
  readonly variance: number
  readonly missing: number
  readonly score: number
  readonly isEnough: boolean
}

/** The relative error of the ratio of two variances, of pairs; that of few draws is no less than that of as many squares of normals. */
const errorOf = ({ parts, runner: { draws } }: Measured, other: Measured): number => {
  const n = parts.length
  const square = parts.reduce((sum, p, i) => sum + (p - (other.parts[i] ?? 0)) ** 2, 0) / n
  return Math.max(Math.sqrt(square / n), 1 / Math.sqrt(Math.min(draws, other.runner.draws)))
}

/** How far behind is behind where there is no time to lose. */
const margin = ({ parts, runner: { draws } }: Measured): number => 1 / Math.sqrt(draws) + 4 / parts.length ** 2

const least = <A>(some: ReadonlyArray<A>, of: (a: A) => number): A | undefined =>
  some.reduce<A | undefined>((best, one) => (best === undefined || of(one) < of(best) ? one : best), undefined)

// -------------------------------------------------------------------------------------
// the race
// -------------------------------------------------------------------------------------

/**
 * How runners stand that were measured on the same draws, two at least of them.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const race = (runners: ReadonlyArray<Runner>): Race => {
  const all = runners.map((runner): Measured => {
    const { mean, distances } = ofDistances(runner.samples)
    const n = distances.length
    return { runner, variance: (mean * n) / (n - 1), parts: distances.map((d) => (mean > 0 ? d / mean : 1)) }
  })
  const n = all[0]?.parts.length ?? 0
  const believed = all.filter(({ runner }) => runner.plain)
  const reference = least(believed, ({ variance }) => variance)
  const signal = reference === undefined ? 0 : gap(reference.runner.samples).value
  const seen = all.map((one): Seen => {
    const { runner, variance } = one
    const apart = runner.plain || reference === undefined ? undefined : gap(runner.samples, reference.runner.samples)
    const isMissing = apart !== undefined && n >= 4 && apart.value > apart.surprise
    const missing = isMissing ? apart.value * runner.size : 0
    const whole = variance * runner.factor * runner.size + missing
    return {
      one,
      variance: whole,
      missing,
      score: whole * runner.seconds,
      isEnough: apart === undefined || signal > 2 * apart.surprise
    }
  })
  const best = least(
    seen.filter(({ one }) => reference === undefined || one.runner.plain),
    ({ score }) => score
  )
  const claimed = seen.map((who) => {
    const burdened = reference !== undefined && !who.one.runner.plain && best !== undefined
    return { who, claim: burdened ? who.score * Math.exp(deviations * errorOf(who.one, best.one)) : who.score }
  })
  const leader = least(
    claimed.filter(({ who }) => who.isEnough),
    ({ claim }) => claim
  )?.who
  const within = (behind: (who: Seen) => boolean): ReadonlyArray<number> =>
    seen.flatMap((who, i) =>
      who === leader ||
      who === best ||
      who.one === reference ||
      (who.one.runner.plain && who.one.runner.draws < early) ||
      !behind(who)
        ? [i]
        : []
    )
  const on = within((who) => who.score > (best?.score ?? 0) * Math.exp(margin(who.one)))
  // what few samples seem to miss may be luck too
  const may = within((who) => {
    const shown = (who.variance - who.missing) * who.one.runner.seconds
    return best !== undefined && Math.log(shown / best.score) > 2 * deviations * errorOf(who.one, best.one)
  })
  return {
    standings: seen.map((who) => {
      const { variance, missing, score } = who
      const seconds = who.one.runner.seconds
      const shown = (variance - missing) * seconds < (leader?.score ?? 0)
      const why =
        who === leader ? 'leads' : !shown ? 'behind' : missing > 0 ? 'missing' : who.isEnough ? 'close' : 'few'
      return { variance, missing, score, why }
    }),
    leader: seen.findIndex((who) => who === leader),
    may,
    on,
    settled:
      (leader?.one.runner.draws ?? 0) >= enough &&
      may.every((i) => {
        const who = seen[i]
        if (who === undefined || leader === undefined || who === leader) return true
        return Math.log(leader.score / who.score) + deviations * errorOf(who.one, leader.one) < Math.log(close)
      })
  }
}
