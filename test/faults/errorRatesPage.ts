/**
 * The page of the study of error rates: where it is, and whether its numbers are within what is stated.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { tables, type Result } from './errorRates.js'

export const page = fileURLToPath(new URL('../../docs/results/error-rates.md', import.meta.url))
export const raw = fileURLToPath(new URL('../../docs/results/error-rates.jsonl', import.meta.url))

export const open = '<!-- error rates: written by the command above -->'
export const close = '<!-- end of error rates -->'

/** The results that are kept. */
export const read = (): ReadonlyArray<Result> =>
  readFileSync(raw, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Result => JSON.parse(line))

/** The page with its tables made anew. */
export const withTables = (text: string, results: ReadonlyArray<Result>): string =>
  `${text.slice(0, text.indexOf(open))}${open}\n\n${tables(results)}\n\n${text.slice(text.indexOf(close))}`

/** A rate that is `stated` gives more events than this with a probability of about 1e-6, by the normal law and one event. */
const most = (stated: number, repetitions: number): number =>
  stated * repetitions + 4.75 * Math.sqrt(stated * (1 - stated) * repetitions) + 1

/** What is not within what is stated, in words: false alarms and misses. */
export const within = (results: ReadonlyArray<Result>): ReadonlyArray<string> =>
  results.flatMap((result) => {
    switch (result.kind) {
      case 'alpha':
        return result.refuted > most(result.stated, result.repetitions) ? [JSON.stringify(result)] : []
      case 'power':
        return result.missed > most(result.stated, result.repetitions) ? [JSON.stringify(result)] : []
      case 'coverage':
        return []
    }
  })

/**
 * Do two studies agree? Counts may differ by three or by one in a thousand: another engine rounds `Math.tanh` otherwise.
 */
export const agree = (kept: ReadonlyArray<Result>, anew: ReadonlyArray<Result>): boolean =>
  kept.length === anew.length &&
  kept.every((one, i) =>
    Object.entries(one).every(([name, value]) => {
      const other = Object.entries(anew[i] ?? {}).find(([also]) => also === name)?.[1]
      return typeof value === 'number' && typeof other === 'number'
        ? Math.abs(value - other) <= Math.max(name === 'bias' ? value / 1000 : 3, one.repetitions / 1000)
        : value === other
    })
  )
