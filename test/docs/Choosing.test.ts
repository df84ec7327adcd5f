/**
 * The tables of choosing an estimator, made of what was measured. `UPDATE_RESULTS=1 npx vitest run test/docs/Choosing.test.ts`
 * writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { Cost, Objective, type Estimator } from 'halforder/estimator'
import { compared } from 'halforder/estimator/reading/Contenders'
import { describe, expect, it } from 'vitest'

const path = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
const pagePath = path('choosing-an-estimator.md')

const Measured = t.type({
  estimator: t.string,
  exact: t.boolean,
  samples: t.number,
  variance: t.number,
  interval: t.tuple([t.number, t.number]),
  networkEvaluations: t.number,
  peakBytes: t.number
})

const Verified = t.type({
  model: t.string,
  estimator: t.string,
  target: t.string,
  verdict: t.string,
  variance: t.union([t.number, t.null]),
  networkEvaluations: t.number,
  pullbacks: t.number
})

const lines = <A>(name: string, codec: t.Type<A, unknown, unknown>): ReadonlyArray<A> =>
  readFileSync(path(`results/${name}`), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const decoded = codec.decode(JSON.parse(line))
      if (decoded._tag === 'Left') throw new Error(`${name}: unexpected ${line}`)
      return decoded.right
    })

// -------------------------------------------------------------------------------------
// rows
// -------------------------------------------------------------------------------------

interface Row {
  readonly cells: ReadonlyArray<string>
  readonly unbiased: boolean
  readonly evaluations: number
  readonly both: number
}

const figure = (x: number): string => String(Number(x.toPrecision(3)))

/** The rows with their two orderings: how many times the best unbiased one's, and the place. Biased ones are last, without. */
const ordered = (rows: ReadonlyArray<Row>): ReadonlyArray<ReadonlyArray<string>> => {
  const unbiased = rows.filter((row) => row.unbiased)
  const by = (read: (row: Row) => number): ((row: Row) => string) => {
    const sorted = [...unbiased].sort((a, b) => read(a) - read(b))
    const best = sorted[0]
    return (row) =>
      best === undefined || !row.unbiased ? '-' : `${figure(read(row) / read(best))} (${sorted.indexOf(row) + 1})`
  }
  const [one, two] = [by((row) => row.evaluations), by((row) => row.both)]
  return [...rows]
    .sort((a, b) => Number(b.unbiased) - Number(a.unbiased) || a.evaluations - b.evaluations)
    .map((row) => [...row.cells, one(row), two(row)])
}

const drawn = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const orderings = ['x evaluations', 'x (evaluations + pullbacks)']

/** What was measured on the faces. Pullbacks are counted off the estimators that were. */
const faces = (reward: 'glasses' | 'compressibility'): ReadonlyArray<Row> => {
  const differentiable = reward === 'glasses'
  const estimators = compared({ T: 50, noisyFirst: false, differentiable, clean: true, radius: 0.3 }).contenders.map(
    ({ estimator }) => estimator
  )
  const named = (name: string): Estimator.Estimator => {
    const found = estimators.find((one) => one.name === name)
    if (found === undefined) throw new Error(`no estimator ${name}`)
    return found
  }
  return lines(`variance-${reward}.jsonl`, Measured).map(
    ({ estimator, exact, samples, variance, interval, networkEvaluations, peakBytes }) => {
      const { pullbackSteps } = Cost.cost(named(estimator))
      return {
        cells: [
          `${estimator}${samples > 1024 ? ' *' : ''}`,
          exact ? Objective.ofEstimator(named(estimator)) : 'biased',
          figure(variance),
          interval.map(figure).join(' to '),
          String(Math.round(networkEvaluations)),
          String(Math.round(pullbackSteps)),
          (peakBytes / 2 ** 20).toFixed(2)
        ],
        unbiased: exact,
        evaluations: variance * networkEvaluations,
        both: variance * (networkEvaluations + pullbackSteps)
      }
    }
  )
}

const faceTable = (reward: 'glasses' | 'compressibility'): string =>
  drawn(
    [
      'estimator',
      'unbiased for',
      'variance of a sample',
      '95 % interval',
      'evaluations',
      'pullbacks',
      'peak MiB',
      ...orderings
    ],
    ordered(faces(reward))
  )

const models = ['tanh', 'linear-Gaussian', 'multiplicative', 'feedback']

/** The nine best of a toy chain, of the claims that were borne out. */
const toyTable = (model: string): string => {
  const rows = lines('verify.jsonl', Verified)
    .filter((row) => row.model === model && row.verdict === 'unbiased')
    .map(({ estimator, target, variance, networkEvaluations, pullbacks }): Row => {
      const v = variance ?? Number.NaN
      return {
        cells: [estimator, target, figure(v), String(Math.round(networkEvaluations)), String(Math.round(pullbacks))],
        unbiased: true,
        evaluations: v * networkEvaluations,
        both: v * (networkEvaluations + pullbacks)
      }
    })
  return drawn(
    ['estimator', 'unbiased for', 'variance of a sample', 'evaluations', 'pullbacks', ...orderings],
    ordered(rows).slice(0, 9)
  )
}

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const marks = (name: string): readonly [open: string, close: string] => [
  `<!-- ${name}: made of results by test/docs/Choosing.test.ts -->`,
  `<!-- end of ${name} -->`
]

const withTables = (page: string): string =>
  [
    ...(['glasses', 'compressibility'] as const).map((reward) => [reward, faceTable(reward)] as const),
    ...models.map((model) => [model, toyTable(model)] as const)
  ].reduce((text, [name, table]) => {
    const [open, close] = marks(name)
    const [at, end] = [text.indexOf(open), text.indexOf(close)]
    if (at < 0 || end < at) throw new Error(`no marks of ${name}`)
    return `${text.slice(0, at)}${open}\n\n${table}\n\n${text.slice(end)}`
  }, page)

const page = readFileSync(pagePath, 'utf8')
if (process.env['UPDATE_RESULTS'] === '1') writeFileSync(pagePath, withTables(page))

describe('choosing an estimator', () => {
  it('has the tables of what was measured', () => {
    const now = readFileSync(pagePath, 'utf8')
    expect(now).toBe(withTables(now))
  })

  const best = (rows: ReadonlyArray<Row>, name: string): Row => {
    const found = rows.find(({ cells }) => cells[0]?.replace(' *', '') === name)
    if (found === undefined) throw new Error(`no row ${name}`)
    return found
  }

  it('says where the two orderings differ, and how much of RLR is its zeroth-order cell', () => {
    const glasses = faces('glasses')
    const [es, segmented] = [
      best(glasses, 'evolution strategies, central'),
      best(glasses, 'segmented half-order(h = 2)')
    ]
    // by evaluations alone the segmented one is ahead, and with pullbacks evolution strategies are
    expect(segmented.evaluations).toBeLessThan(es.evaluations)
    expect(es.both).toBeLessThan(segmented.both)
    const full = best(glasses, 'full backpropagation(recompute)')
    const scores = best(glasses, 'reinforce (first-order on step 1)')
    expect(page).toContain(
      `${Math.round(scores.evaluations / full.evaluations)} times by evaluations, ${Math.round(scores.both / full.both)} times with pullbacks`
    )
    const times = (one: string, other: string): number =>
      Number(best(glasses, one).cells[2]) / Number(best(glasses, other).cells[2])
    expect(page).toContain(
      `the one-point form had ${Math.round(times('rlr(h = 2), one-point', 'rlr(h = 2)'))} times the variance of the central one, and a direction for each step ${Math.round(times('rlr(h = 2), per-step', 'rlr(h = 2)'))} times that of a shared one`
    )
    const parts = t.type({ estimator: t.string, parts: t.record(t.string, t.number) })
    const rlr = lines('variance-glasses.jsonl', parts).find(({ estimator }) => estimator === 'rlr(h = 2)')?.parts ?? {}
    const part = (kind: string): number =>
      Object.entries(rlr).find(([name]) => name.startsWith(kind))?.[1] ?? Number.NaN
    expect(page).toContain(
      `the half-order cell adds ${part('HO').toPrecision(2)} and the first-order\none ${part('FO').toPrecision(1)} to ${Math.round(part('ZO'))}`
    )
  })

  it.each(models)('has the least variance with segments of one step on the chain %s, as it says', (model) => {
    const rows = lines('verify.jsonl', Verified).filter((row) => row.model === model && row.verdict === 'unbiased')
    const of = (pattern: RegExp): ReadonlyArray<number> =>
      rows.flatMap(({ estimator, variance }) => (pattern.test(estimator) && variance !== null ? [variance] : []))
    const baseline = '(?:, central, shared)?, baseline [^,]*$'
    for (const name of ['segmented half-order', 'rlr']) {
      const escaped = name.replace('-', '\\-')
      const [one = Number.NaN] = of(new RegExp(`^${escaped}\\(h = 1\\)${baseline}`))
      const others = of(new RegExp(`^${escaped}\\(h = [2-9]\\)${baseline}`))
      expect(others.length).toBeGreaterThan(0)
      expect(Math.min(...others)).toBeGreaterThan(one)
    }
  })
})
