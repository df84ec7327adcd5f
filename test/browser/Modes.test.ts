import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accuracy, gpuJs, type Mode } from '../../src/kernel/GpuJs.js'
import { agreement, type Agreement, runOn } from '../kernel/arbitrary.js'
import { type Browser, chromiumPath, open } from './browser.js'
import { cases } from './cases.js'
import type { Api } from './page.js'

const names = Object.keys(cases)

// a run in a page is a few hundred milliseconds: building shaders on a processor
const programs = 40

/** Every element lies within its bound, and there are bounds for some. */
const expectAgreement = ({ ratio, at, claimed }: Agreement): void => {
  expect(ratio, at).toBeLessThanOrEqual(1)
  expect(claimed).toBeGreaterThan(0)
}

describe.each(['webasm', 'cpu'] as const)('%s agrees with the reference', (mode) => {
  const target = gpuJs({ mode })
  afterAll(() => target.dispose())

  test.each(Object.entries(cases))('on %s', async (_, example) => {
    expectAgreement(agreement(example, await runOn(target, example), accuracy(mode)))
  })
})

const inBrowser = (path: string): void => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await open(path)
  })
  afterAll(() => browser?.close())

  /** Calls a function of the page. Numbers that JSON lacks are kept. */
  const call = async (name: keyof Api, ...args: ReadonlyArray<string | number>): Promise<unknown> => {
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
  const found = async (name: keyof Api, ...args: ReadonlyArray<string | number>): Promise<Agreement> => {
    const result = await call(name, ...args)
    // the page's `run` and `search` give an `Agreement`
    return result as Agreement
  }

  // `webasm` is here too: a page has its own engine and its own bundle
  describe.each<Mode>(['webasm', 'webgpu', 'webgl2'])('%s in Chromium agrees with the reference', (mode) => {
    afterAll(() => call('dispose', mode))

    test.each(names)('on %s', async (name) => {
      expectAgreement(await found('run', mode, name))
    })

    test('on random programs', async () => {
      expectAgreement(await found('search', mode, fc.readConfigureGlobal().seed ?? 0, programs))
    })
  })

  test('without complaints of the browser', () => {
    expect(browser?.complaints).toEqual([])
  })
}

const path = chromiumPath()
if (path === undefined) {
  test('skipped: chromium is not installed, so webgpu and webgl2 were not run (apt-get install chromium)', () => {
    expect(chromiumPath()).toBeUndefined()
  })
} else {
  inBrowser(path)
}
