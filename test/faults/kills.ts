/** Kills at random moments, and what is left of the runs. */
import { join } from 'node:path'
import { contents, hasCheckpoint, pause, run, start, stepIn, uniform } from './program.js'

export interface Killing {
  /** The arguments of a run in a folder. */
  readonly begin: (folder: string) => ReadonlyArray<string>
  /** Those with which it goes on from a checkpoint. */
  readonly goOn: (folder: string) => ReadonlyArray<string>
  readonly base: string
  readonly kills: number
  readonly seed: number
  readonly signals: ReadonlyArray<NodeJS.Signals>
  /** Milliseconds between two signals to one process. */
  readonly apart?: number
}

export interface Tally {
  /** Processes that were signalled while they ran. */
  killed: number
  beforeCheckpoint: number
  /** Of those, how many left a checkpoint between the first and the last one of the run. */
  midway: number
  /** Folders that could neither be gone on from nor taken by the same command. */
  unresumable: number
  /** Folders that have other bytes in the end than an unbroken run. */
  different: number
  readonly complaints: Array<string>
}

/**
 * Ends runs at random moments, some of them several times, until there were as many kills as asked for; each run goes
 * on to its end and is compared with one that was not ended.
 */
export const killing = async (given: Killing): Promise<Tally> => {
  const { begin, goOn, base, kills, seed, signals, apart = 0 } = given
  const tally: Tally = { killed: 0, beforeCheckpoint: 0, midway: 0, unresumable: 0, different: 0, complaints: [] }
  const whole = join(base, 'whole')
  const unbroken = await run(begin(whole))
  if (unbroken.code !== 0) throw new Error(`the unbroken run failed: ${unbroken.err}`)
  const expected = contents(whole)
  const last = stepIn(whole) ?? 0
  const random = uniform(seed)
  for (let i = 0; tally.killed < kills; i++) {
    const folder = join(base, `run-${i}`)
    const args = (): ReadonlyArray<string> => (hasCheckpoint(folder) ? goOn(folder) : begin(folder))
    // one kill, and at times another one of the run that goes on
    do {
      const { child, ended } = start(args())
      await pause(1000 * unbroken.seconds * 1.05 * random())
      const running = child.exitCode === null
      for (const signal of signals) {
        child.kill(signal)
        await pause(apart)
      }
      const { code, err } = await ended
      if (!running || code === 0) break
      if (code !== undefined && code !== 130) tally.complaints.push(`ended with ${code}: ${err}`)
      tally.killed++
      const step = stepIn(folder)
      if (step === undefined) tally.beforeCheckpoint++
      else if (step > 0 && step < last) tally.midway++
    } while (random() < 0.3 && tally.killed < kills)
    const end = await run(args())
    if (end.code !== 0) {
      tally.unresumable++
      tally.complaints.push(`run ${i}: ${end.err}`)
    } else {
      const got = contents(folder)
      const other = Object.keys({ ...expected, ...got }).filter((name) => expected[name] !== got[name])
      if (other.length > 0) {
        tally.different++
        tally.complaints.push(`run ${i}: ${other.join(', ')}`)
      }
    }
  }
  return tally
}
