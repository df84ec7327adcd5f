/**
 * How long a step takes by so many workers: a model of what a step does and whom it waits for, from rates, bytes and latencies that were
 * measured.
 *
 * It is played through event by event: workers take the next block when they are ready, one link carries everything to Redis and another everything from it, and the
 * leader looks at results one after another. What it leaves out: that links may be shared otherwise, and that machines differ by more than the
 * spread that was measured.
 *
 * @since 0.1.0
 */
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a step is made of. Times in seconds, sizes in bytes.
 *
 * - `blocks` of rows, which take `walk` and then `credit` seconds each, spread by a log-normal factor of deviation `spread`.
 * - `down` to each worker once a step (parameters, or numbers where they are enough), `job` for each job, `told` and `gradient` back from
 *   each block. A step without `gradient` has one stage.
 * - `post`: what giving out and taking in a job costs the leader; `update`: what the leader does once a step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step {
  readonly blocks: number
  readonly walk: number
  readonly credit: number
  readonly spread: number
  readonly down: number
  readonly job: number
  readonly told: number
  readonly gradient: number
  readonly post: number
  readonly update: number
}

/**
 * What lies between: the time of a way, and bytes a second through the one link of Redis.
 *
 * @category model
 * @since 0.1.0
 */
export interface Net {
  readonly latency: number
  readonly bandwidth: number
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/** A link that carries one thing after another. */
const link = ({ bandwidth, latency }: Net): ((from: number, bytes: number) => number) => {
  let free = 0
  return (from, bytes) => {
    free = Math.max(from, free) + bytes / bandwidth
    return free + latency
  }
}

/** One stage: jobs of so many seconds to whoever is ready, results of so many bytes back; when the leader has the last of them. */
const stage = (
  seconds: ReadonlyArray<number>,
  began: number,
  bytes: { readonly down: number; readonly job: number; readonly back: number },
  post: number,
  workers: number,
  net: Net
): number => {
  const [there, back] = [link(net), link(net)]
  const ready = Array.from({ length: Math.min(workers, seconds.length) }, () => began)
  const first = new Set<number>()
  let posted = began
  const ended = seconds.map((own) => {
    posted += post / 2
    const who = ready.reduce((best, at, i) => (at < (ready[best] ?? 0) ? i : best), 0)
    const base = first.has(who) ? 0 : bytes.down
    first.add(who)
    const done = there(Math.max(posted, ready[who] ?? 0), bytes.job + base) + own
    ready[who] = done
    return done
  })
  return [...ended]
    .sort((a, b) => a - b)
    .reduce((taken, done) => Math.max(taken, back(done, bytes.back)) + post / 2, began)
}

/**
 * The seconds of one step by so many workers; the key draws how long blocks take.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const secondsOf =
  (step: Step, net: Net, workers: number) =>
  (key: Key.Key): number => {
    const { blocks, spread } = step
    const draws = Draw.normal(key, [2, blocks]).data
    // the mean of the factor is 1
    const factor = (i: number): number => Math.exp(spread * (draws[i] ?? 0) - spread ** 2 / 2)
    const all = Array.from({ length: blocks }, (_, i) => i)
    const walked = stage(
      all.map((i) => step.walk * factor(i)),
      0,
      { down: step.down, job: step.job, back: step.told },
      step.post,
      workers,
      net
    )
    if (step.gradient === 0) return walked + step.update
    const credited = stage(
      all.map((i) => step.credit * factor(blocks + i)),
      walked,
      { down: 0, job: step.job, back: step.gradient },
      step.post,
      workers,
      net
    )
    return credited + step.update
  }

/**
 * The mean of several steps.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const meanSeconds =
  (step: Step, net: Net, workers: number, steps: number) =>
  (key: Key.Key): number =>
    Array.from({ length: steps }, (_, i) => secondsOf(step, net, workers)(Key.foldIn(key, i))).reduce(
      (a, b) => a + b,
      0
    ) / steps
