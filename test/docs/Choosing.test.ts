/**
 * The tables of choosing an estimator, made of what was measured. `UPDATE_RESULTS=1 npx vitest run test/docs/Choosing.test.ts`
 * writes them.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { Objective } from 'halforder/estimator'
import { compared } from 'halforder/estimator/reading/Contenders'
import { describe, expect, it } from 'vitest'

const path = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))
const pagePath = path('choosing-an-estimator.md')

const pair = t.tuple([t.number, t.number])

const Measured = t.type({
  model: t.string,
  lora: t.number,
  estimator: t.string,
  exact: t.boolean,
  baseline: t.string,
  control: t.string,
  samples: t.number,
  batch: t.number,
  variance: t.number,
  interval: pair,
  networkEvaluations: t.number,
  pullbacks: t.number,
  peakBytes: t.number,
  parts: t.record(t.string, t.number),
  betterThanReinforce: t.union([t.number, t.null]),
  betterThanReinforceInterval: t.union([pair, t.null]),
  slopeRatio: t.number,
  slopeRatioError: t.number,
  tailIndex: t.union([t.number, t.null])
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

/** What was measured, and where its rows are shown. */
const files = ['glasses', 'compressibility', 'lora-mlp', 'lora-unet'] as const
type Name = (typeof files)[number] | 'siblings'

const measured = (name: Name): ReadonlyArray<t.TypeOf<typeof Measured>> => lines(`variance-${name}.jsonl`, Measured)

/** What the terms of an estimator are terms of. */
const objectives = (name: Name): ((estimator: string) => string) => {
  const differentiable = name !== 'compressibility'
  const { contenders } = compared({ T: 50, noisyFirst: false, differentiable, clean: true, radius: 0.3 })
  return (estimator) => {
    // neither chances that a pilot finds nor every form of siblings are among what is always compared
    if (estimator.endsWith('by chances)') || estimator.startsWith('siblings(')) return 'J'
    const found = contenders.find((one) => one.estimator.name === estimator)
    if (found === undefined) throw new Error(`no estimator ${estimator}`)
    return Objective.ofEstimator(found.estimator)
  }
}

const times = (value: number | null, interval: readonly [number, number] | null): string =>
  value === null || interval === null ? '-' : `${figure(value)} (${interval.map(figure).join(' to ')})`

const rowsOf = (name: Name): ReadonlyArray<Row> => {
  const objective = objectives(name)
  return measured(name).map((row): Row => {
    const { estimator, exact, baseline, control, batch, variance, networkEvaluations, pullbacks } = row
    return {
      cells: [
        estimator,
        control === 'none' ? baseline : `control ${control}`,
        exact ? objective(estimator) : 'biased',
        figure(variance),
        row.interval.map(figure).join(' to '),
        String(Math.round(networkEvaluations)),
        String(Math.round(pullbacks)),
        (row.peakBytes / 2 ** 20).toFixed(1),
        exact ? times(row.betterThanReinforce, row.betterThanReinforceInterval) : '-',
        `${row.slopeRatio.toFixed(2)} +- ${row.slopeRatioError.toFixed(2)}`,
        row.tailIndex === null ? '-' : row.tailIndex.toFixed(1)
      ],
      unbiased: exact,
      evaluations: variance * batch * networkEvaluations,
      both: variance * batch * (networkEvaluations + pullbacks)
    }
  })
}

const faceTable = (name: Name): string =>
  drawn(
    [
      'estimator',
      'baseline',
      'unbiased for',
      name.startsWith('lora') ? 'variance of a batch' : 'variance of a sample',
      '95 % interval',
      'E',
      'P',
      'MiB',
      'times better',
      'slope',
      'tail',
      'x E',
      'x (E + P)'
    ],
    ordered(rowsOf(name))
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

interface Page {
  readonly path: string
  readonly tables: ReadonlyArray<readonly [name: string, table: () => string]>
}

const choosing: Page = {
  path: pagePath,
  tables: [
    ...(['glasses', 'compressibility'] as const).map((name) => [name, () => faceTable(name)] as const),
    ...models.map((model) => [model, () => toyTable(model)] as const)
  ]
}

const results: Page = {
  path: path('results/variance.md'),
  tables: (['siblings', 'lora-mlp', 'lora-unet'] as const).map((name) => [name, () => faceTable(name)] as const)
}

const withTables = (text: string, { tables }: Page): string =>
  tables.reduce((all, [name, table]) => {
    const [open, close] = marks(name)
    const [at, end] = [all.indexOf(open), all.indexOf(close)]
    if (at < 0 || end < at) throw new Error(`no marks of ${name}`)
    return `${all.slice(0, at)}${open}\n\n${table()}\n\n${all.slice(end)}`
  }, text)

const read = ({ path: from }: Page): string => readFileSync(from, 'utf8')

if (process.env['UPDATE_RESULTS'] === '1') {
  for (const page of [choosing, results]) writeFileSync(page.path, withTables(read(page), page))
}

const clean = (name: Name): string =>
  name === 'compressibility'
    ? 'reinforce (zeroth-order on step 1), clean baseline'
    : 'reinforce (first-order on step 1), clean baseline'

const rowOf = (name: Name, estimator: string): t.TypeOf<typeof Measured> => {
  const found = measured(name).find((row) => row.estimator === estimator)
  if (found === undefined) throw new Error(`no row ${estimator}`)
  return found
}

/** How many times better a form is, with its interval, as pages say it. */
const gain = (name: Name, estimator = clean(name)): string => {
  const row = rowOf(name, estimator)
  return times(row.betterThanReinforce, row.betterThanReinforceInterval)
}

describe('choosing an estimator', () => {
  it.each([
    ['choosing an estimator', choosing],
    ['the results', results]
  ] as const)('has the tables of what was measured: %s', (_, page) => {
    expect(read(page)).toBe(withTables(read(page), page))
  })

  it.each(files)('says how many times better the clean prediction makes REINFORCE, and RLR: %s', (name) => {
    expect(read(results)).toContain(gain(name))
    expect(read(choosing)).toContain(gain(name))
    const rlr = name === 'compressibility' ? 'black-box rlr(h = 2)' : 'rlr(h = 1)'
    expect(read(results)).toContain(gain(name, rlr))
  })

  it('says what siblings are worth', () => {
    for (const form of ['siblings(family = 4, spacing = 49)', 'siblings(family = 2, spacing = 5)']) {
      for (const page of [choosing, results]) expect(read(page)).toContain(gain('siblings', form))
    }
  })

  it('says what the other forms are worth', () => {
    const text = read(choosing)
    expect(text).toContain(gain('glasses', 'rlr(h = 2, rest = halfOrder)'))
    expect(text).toContain(gain('glasses', 'subsampled(9.8 of 49 steps, by chances)'))
    expect(text).toContain(gain('glasses', 'subsampled(every = 5)'))
    const { slopeRatio, slopeRatioError, tailIndex } = rowOf('glasses', 'full backpropagation(recompute)')
    expect(text).toContain(`${slopeRatio.toFixed(2)} +- ${slopeRatioError.toFixed(2)}`)
    expect(text).toContain(`tail index ${(tailIndex ?? Number.NaN).toFixed(1)}`)
    expect(text).not.toContain('31 times')
    const ratio = (one: string, other: string): string =>
      String(Math.round(rowOf('glasses', one).variance / rowOf('glasses', other).variance))
    expect(text).toContain(
      `the one-point form had ${ratio('rlr(h = 2), one-point', 'rlr(h = 2)')} times the variance of the central one, and a direction for each step ${ratio('rlr(h = 2), per-step', 'rlr(h = 2)')} times that of a shared one`
    )
    const { parts } = rowOf('glasses', 'rlr(h = 2)')
    const part = (kind: string): number =>
      Object.entries(parts).find(([name]) => name.startsWith(kind))?.[1] ?? Number.NaN
    expect(text).toContain(
      `the half-order cell adds ${part('HO').toPrecision(2)} and the first-order one ${part('FO').toPrecision(1)} to ${Math.round(part('ZO'))}`
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
