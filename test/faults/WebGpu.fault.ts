import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, chromiumPath, open } from '../browser/browser.js'
import { cases } from '../browser/cases.js'
import type { Forced } from '../browser/webgpu.js'
import { record } from './results.js'

const path = chromiumPath()

describe.each(path === undefined ? [] : [path])('in a page of %s', (executable) => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await open(executable)
  })
  afterAll(() => browser?.close())

  const call = async (name: string, ...args: ReadonlyArray<string | number>): Promise<unknown> => {
    if (browser === undefined) throw new Error('the page did not open')
    return browser.page.evaluate(
      ([f, given]) => {
        const api: unknown = Reflect.get(globalThis, 'halforder')
        const called: unknown = typeof api === 'object' && api !== null ? Reflect.get(api, f) : undefined
        if (typeof called !== 'function') throw new Error(`the page has no function '${f}'`)
        const result: unknown = Reflect.apply(called, undefined, given)
        return result
      },
      [name, args] as const
    )
  }

  test('200 compiles and 1,000 runs leave the memory of the GPU as it was', async () => {
    const [one = 0, ...after] = (await call('memory', 200, 5)) as ReadonlyArray<number>
    expect(one).toBeGreaterThan(1000)
    expect(after).toEqual(after.map(() => 0))
    expect(after).toHaveLength(201)
    const found = { 'bytes while one program is compiled': one, 'bytes after': after.at(-1) ?? 0 }
    record('WebGPU', 'programs compiled, run 5 times and disposed of, in Chromium', [
      { fault: 'none', tried: 200, found }
    ])
  })

  test.each(Object.keys(cases))('every way of every kernel agrees with the reference on %s', async (name) => {
    // the page's `forced` gives that
    const { worst, same } = (await call('forced', name)) as Forced
    expect(worst.ratio <= 1 ? undefined : worst.at).toBeUndefined()
    expect(same).toBe(true)
  })
})
