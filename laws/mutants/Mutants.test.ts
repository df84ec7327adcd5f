import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { markdown, outcome, trials, type Outcome } from './Table.js'

const readme = fileURLToPath(new URL('../README.md', import.meta.url))
const open = '<!-- mutants: this table is written by `UPDATE_README=1 npx vitest run laws/mutants` -->'
const close = '<!-- end of mutants -->'

describe('mutants', () => {
  const outcomes: Array<Outcome> = []

  it.each(trials.map((trial) => [trial.structure, trial.name, trial] as const))(
    '%s: %s is refuted',
    async (_structure, _name, trial) => {
      const result = await outcome(trial)
      outcomes.push(result)
      // a law that does not hold for the right one refutes nothing
      expect(result.broken).toEqual([])
      expect(result.refutedBy).not.toEqual([])
    }
  )

  it('the table in the README is up to date', () => {
    const text = readFileSync(readme, 'utf8')
    const table = `${open}\n\n${markdown(outcomes)}\n\n${close}`
    const before = text.slice(0, text.indexOf(open))
    const after = text.slice(text.indexOf(close) + close.length)
    const updated = `${before}${table}${after}`
    const update = process.env['UPDATE_README'] === '1'
    if (update) writeFileSync(readme, updated)
    expect(update ? updated : text).toBe(updated)
  })
})
