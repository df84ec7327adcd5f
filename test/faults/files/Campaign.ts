/**
 * Reads many bad files of a kind, and finds those that are not refused in words, at once, and in little memory.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { seconds } from '../../cost.js'
import { chance } from './Chance.js'
import type { Kind } from './Kinds.js'

/** A file that was not read as it should be, which `make(chance(seed))` makes again. */
export interface Fault {
  readonly seed: number
  readonly what: string
}

/** What came of the files of a kind. Seconds are those of the processor, and megabytes what the process grew by at most. */
export interface Figures {
  readonly kind: string
  readonly files: number
  readonly taken: number
  readonly refused: number
  readonly slowest: number
  readonly megabytes: number
  readonly faults: ReadonlyArray<Fault>
}

/** A refusal takes at most so many seconds and bytes, and a line at most so many characters. */
export const most = { seconds: 1, megabytes: 200, line: 2000, lines: 250 } as const

/** So many files are read before memory is measured. */
export const warming = 20

setFlagsFromString('--expose_gc')
const collect: unknown = runInNewContext('gc')
const collectGarbage = (): void => {
  if (isAction(collect)) collect()
}
const isAction = (value: unknown): value is () => void => typeof value === 'function'

/** By how many megabytes the process has grown since this was made, at its largest. */
const growth = (): (() => number) => {
  const peak = (): number => process.resourceUsage().maxRSS / 1024
  const now = (): number => process.memoryUsage.rss() / 2 ** 20
  const [start, before] = [now(), peak()]
  // what was larger before says nothing of what came since
  return () => (peak() > before ? peak() : now()) - start
}

/** What is wrong with the words of a refusal. */
const unreadable = (message: string): string | undefined => {
  const lines = message.split('\n')
  const long = lines.find((line) => line.length > most.line)
  if (long !== undefined) return `a line of ${long.length} characters: ${long.slice(0, 100)}`
  if (lines.length > most.lines) return `${lines.length} lines`
  if (lines.some((line) => /\p{Cc}/u.test(line)))
    return `characters that can not be printed: ${JSON.stringify(message)}`
  if (/\bat .*:\d+:\d+\)?$|\[object |undefined/m.test(message)) return `no words: ${message}`
  return /expected|this checkpoint|is paid for twice|no cell pays/.test(message) ? undefined : `no words: ${message}`
}

/** What is wrong with how a file was read, and what it cost. */
const judge = (
  read: Kind['read'],
  bytes: Uint8Array
): { readonly said: string | undefined; readonly wrong: string | undefined } => {
  try {
    const said = read(bytes)
    return { said, wrong: said === undefined ? undefined : unreadable(said) }
  } catch (error) {
    return {
      said: undefined,
      wrong: `thrown: ${error instanceof Error ? `${error.message}\n${error.stack}` : String(error)}`
    }
  }
}

/** The seed of the `i`-th file: of a campaign's seeds no two have a file in common. */
const seedOf = (seed: number, i: number): number => (Math.imul(seed, 0x9e3779b1) + i) >>> 0

export const campaign = (kind: Kind, files: number, seed: number): Figures => {
  const faults: Array<Fault> = []
  let [taken, refused, slowest] = [0, 0, 0]
  // what the process needs to read any
  for (let i = 0; i < warming; i++) judge(kind.read, kind.make(chance(seedOf(seed, i))))
  collectGarbage()
  const grown = growth()
  let highest = 0
  for (let i = 0; i < files; i++) {
    const own = seedOf(seed, i)
    const bytes = kind.make(chance(own))
    // what was made is not what reading takes
    if (i % 200 === 0 || process.memoryUsage().arrayBuffers > 2 ** 25) collectGarbage()
    let result = judge(() => undefined, bytes)
    let spent = seconds(() => (result = judge(kind.read, bytes)))
    // another process may have been in the way
    if (spent > most.seconds)
      spent = Math.min(
        spent,
        seconds(() => judge(kind.read, bytes))
      )
    slowest = Math.max(slowest, spent)
    if (spent > most.seconds) faults.push({ seed: own, what: `${spent} seconds` })
    const megabytes = grown()
    if (megabytes > most.megabytes && megabytes > highest + 1) faults.push({ seed: own, what: `${megabytes} MB` })
    highest = Math.max(highest, megabytes)
    if (result.wrong !== undefined) faults.push({ seed: own, what: result.wrong })
    else if (result.said === undefined) taken += 1
    else refused += 1
  }
  return {
    kind: kind.name,
    files,
    taken,
    refused,
    slowest: Math.round(slowest * 1000) / 1000,
    megabytes: Math.round(highest),
    faults
  }
}
