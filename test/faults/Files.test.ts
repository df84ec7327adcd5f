import { describe, expect, test } from 'vitest'
import { campaign, most, warming } from './files/Campaign.js'
import { type Kind, kinds } from './files/Kinds.js'

describe('bad files', () => {
  test.each(kinds.map((kind) => [kind.name, kind] as const))(
    'are each taken or refused in words, at once: %s',
    (_, kind) => {
      const { faults, refused, taken } = campaign(kind, 400, 7)
      expect(faults).toEqual([])
      expect(refused).toBeGreaterThan(100)
      expect(taken + refused).toBe(400)
    }
  )

  const found = (read: Kind['read']): ReadonlyArray<string> =>
    campaign({ name: 'bad', make: () => new Uint8Array(1), read }, 1, 1).faults.map(({ what }) => what)

  test.each<readonly [string, Kind['read'], RegExp]>([
    ['throws', () => expect.fail('no'), /^thrown: no/],
    ['says nothing', () => '', /^no words: $/],
    ['says a stack', () => 'expected a\n    at read (file.ts:3:14)', /^no words: /],
    ['says a control', () => 'expected \u001b[31m', /^characters that can not be printed/],
    ['says too much', () => `expected ${'x'.repeat(most.line)}`, /^a line of 2009 characters/],
    ['says too many lines', () => 'expected a\n'.repeat(most.lines), /^251 lines/],
    ['shows no value', () => 'expected a, got undefined', /^no words: /]
  ])('a reader that %s is found', (_, read, what) => {
    expect(found(read)).toHaveLength(1)
    expect(found(read)[0]).toMatch(what)
  })

  /** A reader that does something from the first file on that is measured. */
  const measured = (run: () => void): Kind['read'] => {
    let calls = 0
    return () => {
      if (calls++ >= warming) run()
      return undefined
    }
  }

  test('a reader that takes too long is found', () => {
    const slow = (): void => {
      const start = process.cpuUsage()
      // asking for the time is itself no time of the user's
      let sum = 0
      while (process.cpuUsage(start).user < 1.1e6 * most.seconds) for (let i = 0; i < 1e6; i++) sum += i
      expect(sum).toBeGreaterThan(0)
    }
    expect(found(measured(slow))[0]).toMatch(/^[\d.]+ seconds$/)
  })

  test('a reader that takes too much memory is found', () => {
    const large = (): void => void new Uint8Array((most.megabytes + 100) * 2 ** 20).fill(1)
    expect(found(measured(large))[0]).toMatch(/^[\d.]+ MB$/)
  })
})
