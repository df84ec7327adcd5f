import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { metadata, page, withTables } from './clipsPage.js'

if (process.env['UPDATE_RESULTS'] === '1') writeFileSync(page, withTables(readFileSync(page, 'utf8')))

describe('the page of clips', () => {
  const text = readFileSync(page, 'utf8')

  it('has the numbers that the networks say of themselves', () => {
    expect(text).toBe(withTables(text))
  })

  it('would not have others', () => {
    const other = text.replaceAll(/\d\.\d/g, '9.9')
    expect(withTables(other)).not.toBe(other)
  })

  it('has the commands that made them', () => {
    for (const name of ['clip', 'clip-classifier', 'clip-judge']) expect(text).toContain(metadata(name)['command'])
  })
})
