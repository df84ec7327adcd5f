import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { ledger, type LedgerOptions } from '../../../cli/command/Ledger.js'
import { captured, type Ran } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-ledger-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const config = (name: string, document: unknown): string => {
  const path = join(scratch, name)
  writeFileSync(path, JSON.stringify(document))
  return path
}

const run = (options: LedgerOptions): Promise<Ran> => captured(() => ledger(options))

describe('halforder ledger', () => {
  it('prints what the estimator of a fine-tune pays, and what the fine-tune does besides', async () => {
    const { code, out, err } = await run({ task: 'points', T: '12', estimator: 'mixGrpo(steps = [3, 4])' })
    expect([code, err]).toEqual([0, ''])
    expect(out.split('\n').slice(0, 5)).toEqual([
      'mixGrpo(3..4), T = 12',
      '  step      paid     first    half     zeroth   of',
      '  1..2      -        -        -        -        nothing',
      '  3..4      1        -        1        -        J',
      '  5..12     -        -        -        -        nothing'
    ])
    expect(out).toContain('departs: gradients longer than 1 are shortened to it')
  })

  it('is data with --json', async () => {
    const { out } = await run({ task: 'points', T: '5', estimator: 'fullBackprop', json: true })
    expect(JSON.parse(out)).toMatchObject({ T: 5, entries: { length: 5, 4: { step: 5, paid: 1, first: 1, of: 'J' } } })
  })

  it('refuses what a fine-tune would', async () => {
    const { code, err } = await run({ task: 'points', T: '5', estimator: 'rlr(h = 9)' })
    expect(code).toBe(2)
    expect(err).toContain('got h: expected a whole number in 1..4, got 9; change the estimator or T')
  })
})

describe('groups', () => {
  it("of GRPO's advantages depart, and those of one's own prompt do not", async () => {
    const options = { task: 'points', T: '5', batch: '12', group: '4', estimator: 'reinforce' }
    const { out } = await run(options)
    expect(out).not.toContain('deviation of their group')
    const grpo = await run({ ...options, config: config('grpo.json', { advantage: { name: 'group' } }) })
    expect(grpo.out).toContain("departs: the baseline has the sample's own reward in it: half-order terms count 3/4")
    expect(grpo.out).toContain('departs: advantages are divided by the deviation of their group')
    const whole = await run({ ...options, group: '1', config: config('whole.json', { advantage: { name: 'group' } }) })
    expect(whole.out).toContain('half-order terms count 11/12')
    const odd = await run({ ...options, batch: '10' })
    expect([odd.code, odd.err]).toEqual([
      2,
      'halforder ledger: group: expected a number of samples that divides the batch of 10, got 4; change either\n'
    ])
  })
})
