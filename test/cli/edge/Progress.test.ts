import { afterEach, describe, expect, test, vi } from 'vitest'
import { meter } from '../../../cli/edge/Progress.js'

const terminal = process.stderr.isTTY
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  Object.defineProperty(process.stderr, 'isTTY', { value: terminal, configurable: true })
})

/** What is written to a terminal of some kind while something advances. */
const written = (isTTY: boolean, env: Readonly<Record<string, string>>): string => {
  let seen = ''
  Object.defineProperty(process.stderr, 'isTTY', { value: isTTY, configurable: true })
  vi.stubEnv('NO_COLOR', '')
  vi.stubEnv('TERM', 'xterm')
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    seen += String(text)
    return true
  })
  const bar = meter('work', 3)
  for (const step of [1, 2, 3]) bar.update(step, 'well')
  bar.stop()
  return seen
}

const escape = String.fromCodePoint(27)

describe('progress', () => {
  test('is a bar on a terminal', () => {
    expect(written(true, {})).toContain(escape)
  })

  test.each([
    ['a dumb terminal', true, { TERM: 'dumb' }],
    ['a terminal whose user wants no color', true, { NO_COLOR: '1' }],
    ['no terminal', false, {}]
  ])('is lines without escapes on %s', (_, isTTY, env) => {
    const seen = written(isTTY, env)
    expect(seen).not.toContain(escape)
    expect(seen).toMatch(/^work 1\/3 {2}well {2}\d+ s left\nwork 3\/3 {2}well {2}0 s left\n$/)
  })
})
