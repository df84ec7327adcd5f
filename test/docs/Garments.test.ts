import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { metadata, page, summaries, withTables } from './garmentsPage.js'

if (process.env['UPDATE_RESULTS'] === '1') writeFileSync(page, withTables(readFileSync(page, 'utf8')))

describe('the page of garments', () => {
  const text = readFileSync(page, 'utf8')

  it('has the numbers that the networks and the runs say of themselves', () => {
    expect(text).toBe(withTables(text))
  })

  it('would not have others', () => {
    const other = text.replaceAll(/\d\.\d/g, '9.9')
    expect(withTables(other)).not.toBe(other)
  })

  it('has the commands that made them', () => {
    for (const name of ['garments', 'garments-classifier', 'garments-judge'])
      expect(text).toContain(metadata(name)['command'])
    for (const { reward, kl, steps } of summaries()) {
      const command = `finetune --task garments --reward ${reward.split(' ')[0]}.* --kl ${kl.beta} --steps ${steps}`
      expect(text).toMatch(new RegExp(command))
    }
  })
})
