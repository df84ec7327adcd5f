/** Several processes that want one folder. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  contents,
  type Ended,
  finetuneIn,
  hasCheckpoint,
  newFolder,
  pause,
  resumed,
  run,
  start,
  uniform
} from './program.js'

export interface Shared {
  readonly rounds: number
  /** Processes that ran to their end, were refused, and ended otherwise. */
  ran: number
  refused: number
  other: number
  /** Folders that have other bytes in the end than those of one process alone. */
  different: number
  readonly complaints: Array<string>
}

const told = /expected a folder that no run is in|expected a new or empty folder/

const count = (shared: Shared, { code, err }: Ended): void => {
  if (code === 0) shared.ran++
  else if (code === 2 && told.test(err)) shared.refused++
  else {
    shared.other++
    shared.complaints.push(err)
  }
}

const begun = (rounds: number): Shared => ({ rounds, ran: 0, refused: 0, other: 0, different: 0, complaints: [] })

const compare = (shared: Shared, expected: Readonly<Record<string, string>>, folder: string): void => {
  const got = contents(folder)
  const other = Object.keys({ ...expected, ...got }).filter((name) => expected[name] !== got[name])
  if (other.length > 0) {
    shared.different++
    shared.complaints.push(`${folder}: ${other.join(', ')}`)
  }
}

/** Processes of other seeds that start at once in one new folder: it must be that of the one that ran. */
export const together = async (base: string, rounds: number, processes: number): Promise<Shared> => {
  const shared = begun(rounds)
  const seeds = Array.from({ length: processes }, (_, i) => String(i + 1))
  const alone = new Map<string, Readonly<Record<string, string>>>()
  const ofOne = async (seed: string): Promise<Readonly<Record<string, string>>> => {
    const known = alone.get(seed)
    if (known !== undefined) return known
    const folder = join(base, `alone-${seed}`)
    await run(finetuneIn(base, folder, '--seed', seed))
    const found = contents(folder)
    alone.set(seed, found)
    return found
  }
  for (let round = 0; round < rounds; round++) {
    const folder = join(base, `round-${round}`)
    const all = await Promise.all(seeds.map((seed) => run(finetuneIn(base, folder, '--seed', seed))))
    all.forEach((ended) => count(shared, ended))
    const [winner] = seeds.filter((_, i) => all[i]?.code === 0)
    compare(shared, winner === undefined ? {} : await ofOne(winner), folder)
  }
  return shared
}

/**
 * Processes that resume a killed run at once: one goes on, or one after the other, and the folder is that of an
 * unbroken run.
 */
export const resumedTogether = async (base: string, rounds: number, processes: number): Promise<Shared> => {
  const shared = begun(rounds)
  const random = uniform(7)
  const whole = join(base, 'whole')
  const { seconds } = await run(finetuneIn(base, whole))
  const expected = contents(whole)
  for (let round = 0; round < rounds; round++) {
    const folder = join(base, `round-${round}`)
    do {
      const { child, ended } = start(finetuneIn(base, folder))
      await pause(1000 * seconds * (0.3 + 0.6 * random()))
      child.kill('SIGKILL')
      await ended
    } while (!hasCheckpoint(folder))
    const all = await Promise.all(Array.from({ length: processes }, () => run(resumed(folder))))
    all.forEach((ended) => count(shared, ended))
    compare(shared, expected, folder)
  }
  return shared
}

/** Processes that are told no folder, in one second: the names of the folders that they made. */
export const unnamed = async (base: string, processes: number): Promise<ReadonlyArray<string>> => {
  const cwd = newFolder(base, 'unnamed')
  const args = finetuneIn(base, '').slice(0, -2)
  await Promise.all(Array.from({ length: processes }, () => run(args, { cwd })))
  return readdirSync(join(cwd, 'runs'))
}
