import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type Case, cases, measure, type Measured, page, raw, read, withTable } from './referenceTable.js'

const update = process.env['UPDATE_RESULTS'] === '1'
const samples = 300_000

/** How many standard errors a measured gradient is off, at most. */
const off = ({ exactGradient, expectation, standardError }: Measured): number =>
  Math.max(...expectation.map((value, i) => Math.abs(value - (exactGradient[i] ?? 0)) / (standardError[i] ?? 1)))

describe.runIf(update)('measuring the reference table', () => {
  it('writes the counts and the page', { timeout: 3_600_000 }, async () => {
    const rows: Array<Measured> = []
    for (const one of cases) rows.push(await measure(one, samples))
    writeFileSync(raw, `${rows.map((row) => JSON.stringify(row)).join('\n')}\n`)
    writeFileSync(page, withTable(readFileSync(page, 'utf8'), rows))
    expect(rows.map(({ verdict }) => verdict)).toEqual(rows.map(() => 'unbiased'))
  })
})

describe('the reference table', () => {
  const rows = update ? [] : read()

  it.skipIf(update)('is made of what was measured', () =>
    expect(readFileSync(page, 'utf8')).toBe(withTable(readFileSync(page, 'utf8'), rows))
  )

  it.skipIf(update)('has every case, unbiased, on at least so many samples', () => {
    expect(rows.map(({ model, file }) => [model, file])).toEqual(cases.map(({ model, file }) => [model, file]))
    expect(rows.filter(({ verdict, samples: n }) => verdict !== 'unbiased' || n < samples)).toEqual([])
    // the largest of 34 normals is above 4.5 with a probability of about 2e-4
    expect(Math.max(...rows.map(off))).toBeLessThan(4.5)
  })

  it.skipIf(update)('has the gradients that are known', () => {
    const exact = (model: Case['model']): ReadonlyArray<number> =>
      rows.find((row) => row.model === model)?.exactGradient.map((g) => Number(g.toFixed(4))) ?? []
    expect(exact('model')).toEqual([-20.6457, 24.7331])
    expect(exact('model-kl')).toEqual([-22.4392, 21.6495])
  })

  it
    .skipIf(update)
    .each(cases.filter(({ file }) => ['control-noise-free', 'baseline-noise-free', 'siblings-2'].includes(file)))(
    '$model: $what, agrees on fresh draws',
    async (one) => {
      const row = await measure(one, 4096, 2)
      expect(row.verdict).toBe('unbiased')
      const known = rows.find(({ model, file }) => model === one.model && file === one.file)
      expect(Math.abs(row.variance - (known?.variance ?? 0))).toBeLessThan(5 * row.varianceError)
    }
  )
})
