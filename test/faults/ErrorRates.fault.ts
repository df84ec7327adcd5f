/**
 * Measures the error rates of `verify` and of intervals of variances, holds them to what is stated, and compares them with the
 * page. `UPDATE_RESULTS=1 npx vitest run --config vitest.faults.config.ts test/faults/ErrorRates.fault.ts` writes the page.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { agree, close, open, page, raw, read, withTables, within } from './errorRatesPage.js'
import { study } from './errorRates.js'

it('error rates are within what is stated, and are those of the page', async () => {
  const results = await study((result) => process.stderr.write(`${JSON.stringify(result)}\n`))
  const lines = `${results.map((result) => JSON.stringify(result)).join('\n')}\n`
  const text = readFileSync(page, 'utf8')
  expect([text.includes(open), text.includes(close)]).toEqual([true, true])
  if (process.env['UPDATE_RESULTS'] === '1') {
    writeFileSync(raw, lines)
    writeFileSync(page, withTables(text, results))
  }
  expect(within(results)).toEqual([])
  expect(agree(read(), results)).toBe(true)
})
