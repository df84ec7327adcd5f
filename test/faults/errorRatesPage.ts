/**
 * The page of the study of error rates: where it is, and whether its numbers are within what is stated.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { tables, type Result } from './errorRates.js'

export const page = fileURLToPath(new URL('../../docs/results/error-rates.md', import.meta.url))
export const raw = fileURLToPath(new URL('../../docs/results/error-rates.jsonl', import.meta.url))

export const open = '<!-- error rates: written by the command above -->'
export const close = '<!-- end of error rates -->'

const counted = { model: t.string, samples: t.number, repetitions: t.number }

const Codec: t.Type<Result, unknown, unknown> = t.union([
  t.type({
    kind: t.literal('alpha'),
    ...counted,
    stated: t.number,
    claims: t.number,
    refuted: t.number,
    undecided: t.number
  }),
  t.type({
    kind: t.literal('power'),
    ...counted,
    estimator: t.string,
    stated: t.number,
    bias: t.number,
    missed: t.number,
    missedMean: t.number,
    undecided: t.number
  }),
  t.type({
    kind: t.literal('coverage'),
    ...counted,
    estimator: t.string,
    covered: t.number,
    below: t.number,
    plain: t.number
  })
])

/** The results that are kept. */
export const read = (): ReadonlyArray<Result> =>
  readFileSync(raw, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const decoded = Codec.decode(JSON.parse(line))
      if (decoded._tag === 'Left') throw new Error(`unexpected ${line}`)
      return decoded.right
    })

/** The page with its tables made anew. */
export const withTables = (text: string, results: ReadonlyArray<Result>): string =>
  `${text.slice(0, text.indexOf(open))}${open}\n\n${tables(results)}\n\n${text.slice(text.indexOf(close))}`

/** A rate that is `stated` gives more events than this with a probability of about 1e-6, by the normal law and one event. */
const most = (stated: number, repetitions: number): number =>
  stated * repetitions + 4.75 * Math.sqrt(stated * (1 - stated) * repetitions) + 1

/** What is not within what is stated: false alarms and misses. */
export const outside = (results: ReadonlyArray<Result>): ReadonlyArray<Result> =>
  results.filter((result) => {
    switch (result.kind) {
      case 'alpha':
        return result.refuted > most(result.stated, result.repetitions)
      case 'power':
        return result.missed > most(result.stated, result.repetitions)
      case 'coverage':
        return false
    }
  })

/** What is counted in a result, and what says of what. */
const parts = (result: Result): { readonly counts: ReadonlyArray<number>; readonly of: ReadonlyArray<unknown> } => {
  const { kind, model, samples, repetitions } = result
  const of = [kind, model, samples, repetitions]
  switch (result.kind) {
    case 'alpha':
      return { counts: [result.refuted, result.undecided], of: [...of, result.stated, result.claims] }
    case 'power':
      return {
        counts: [result.missed, result.missedMean, result.undecided],
        of: [...of, result.estimator, result.stated, result.bias.toPrecision(3)]
      }
    case 'coverage':
      return { counts: [result.covered, result.below, result.plain], of: [...of, result.estimator] }
  }
}

/** Do two studies agree? Counts may differ by three or by one in a thousand: another engine rounds `Math.tanh` otherwise. */
export const agree = (kept: ReadonlyArray<Result>, anew: ReadonlyArray<Result>): boolean =>
  kept.length === anew.length &&
  kept.every((one, i) => {
    const other = anew[i]
    if (other === undefined) return false
    const [a, b] = [parts(one), parts(other)]
    const slack = Math.max(3, one.repetitions / 1000)
    return (
      JSON.stringify(a.of) === JSON.stringify(b.of) &&
      a.counts.every((count, k) => Math.abs(count - (b.counts[k] ?? Number.NaN)) <= slack)
    )
  })
