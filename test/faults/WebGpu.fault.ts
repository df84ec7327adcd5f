import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, callOn, chromiumPath, open } from '../browser/browser.js'
import { cases } from '../browser/cases.js'
import type { Alive, Cycled } from '../browser/memory.js'
import type { Forced } from '../browser/webgpu.js'
import { record, type Row } from './results.js'

const path = chromiumPath()

/** The most shaders that are kept for the next kernel (`src/kernel/webgpu/Adapter.ts`). */
const mostKept = 512

// Bytes of one program: feedback of the engine in the heap, and what allocators hold and give back in the process of the GPU, up to
// 20 MB in all. The buffers of one of the programs that are alike are 2 MB there, the shaders of one that differs are 300 kB.
const [heapSlack, residentSlack] = [8 * 1024, 128 * 1024]

/** What is held: by the GPU, as the page counts it, in the page's heap, and by the process of the GPU. */
interface Held extends Alive {
  readonly heap: number
  readonly resident: number
}

describe.each(path === undefined ? [] : [path])('in a page of %s', (executable) => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await open(executable)
  })
  afterAll(() => browser?.close())

  const opened = (): Browser => {
    if (browser === undefined) throw new Error('the page did not open')
    return browser
  }

  const call = async (name: string, ...args: ReadonlyArray<string | number>): Promise<unknown> =>
    callOn(opened().page, name, args)

  /** What is held after collections. */
  const held = async (): Promise<Held> => {
    const { page } = opened()
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable')
    // what a collection frees ends in another process, and finalizers run between two
    for (let i = 0; i < 4; i++) {
      await session.send('HeapProfiler.collectGarbage')
      await page.waitForTimeout(250)
    }
    const { metrics } = await session.send('Performance.getMetrics')
    await session.detach()
    const whole = await page.context().browser()?.newBrowserCDPSession()
    const { processInfo = [] } = (await whole?.send('SystemInfo.getProcessInfo')) ?? {}
    await whole?.detach()
    const gpu = processInfo.find(({ type }) => type === 'GPU')
    if (gpu === undefined) throw new Error('there is no process of the GPU')
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${gpu.id}/status`, 'utf8')) ?? []
    // the page's `alive` gives that
    const counted = (await call('alive')) as Alive
    const heap = metrics.find(({ name }) => name === 'JSHeapUsedSize')?.value ?? Number.NaN
    const seen = { ...counted, heap, resident: 1024 * Number(kilobytes) }
    process.stdout.write(`${JSON.stringify(seen)}\n`)
    return seen
  }

  describe('the memory of the GPU', () => {
    const rows: Array<Row> = []
    afterAll(() =>
      record(
        'WebGPU',
        'Programs of six kernels that are compiled, run and disposed of in Chromium, whose GPU is emulated on the processor. ' +
          'Buffers and shaders are counted in the page; the heap is that of the page after a collection, and resident is the ' +
          'process of the GPU.',
        rows
      )
    )
    const row = (fault: string, tried: number, before: Held, after: Held): Row => ({
      fault,
      tried,
      found: {
        'buffers left': after.buffers - before.buffers,
        'bytes left': after.bytes - before.bytes,
        'shaders compiled': after.made - before.made,
        'shaders kept': after.kept,
        'pipelines held': after.pipelines,
        'heap, bytes a program': Math.round((after.heap - before.heap) / tried),
        'resident, bytes a program': Math.round((after.resident - before.resident) / tried)
      }
    })

    test('is flat over 200 compiles and 1,000 runs of programs that are alike', async () => {
      await call('cycles', 'alike', 0, 40, 5, 0)
      const before = await held()
      const [one, left] = (await call('cycles', 'alike', 0, 200, 5, 0)) as Cycled
      const after = await held()
      rows.push(row('none: programs that are alike', 200, before, after))
      expect(one).toBeGreaterThan(500_000)
      expect(left).toBe(0)
      expect([after.buffers, after.bytes]).toEqual([before.buffers, before.bytes])
      expect([after.made, after.kept]).toEqual([before.made, before.kept])
      expect(after.pipelines).toBeLessThanOrEqual(after.kept)
      expect(after.heap - before.heap).toBeLessThan(200 * heapSlack)
      expect(after.resident - before.resident).toBeLessThan(200 * residentSlack)
    })

    test('has no more than so many shaders over 200 compiles and 1,000 runs of programs that differ', async () => {
      // the process of the GPU takes some for its own, until about three times as many shaders are compiled as are kept
      await call('cycles', 'different', 0, 320, 1, 0)
      const before = await held()
      const [, left] = (await call('cycles', 'different', 320, 200, 5, 0)) as Cycled
      const after = await held()
      rows.push(row('none: programs that differ', 200, before, after))
      expect(left).toBe(0)
      expect([after.buffers, after.bytes]).toEqual([before.buffers, before.bytes])
      expect(before.kept).toBe(mostKept)
      expect(after.kept).toBe(mostKept)
      expect(after.made - before.made).toBeGreaterThan(mostKept)
      expect(after.pipelines).toBeLessThanOrEqual(mostKept)
      expect(after.heap - before.heap).toBeLessThan(200 * heapSlack)
      expect(after.resident - before.resident).toBeLessThan(200 * residentSlack)
    })

    test('grows, and is seen to, where programs are not disposed of', async () => {
      const before = await held()
      const [one] = (await call('cycles', 'alike', 0, 40, 1, 1)) as Cycled
      const after = await held()
      rows.push(row('programs that are not disposed of', 40, before, after))
      expect(after.bytes - before.bytes).toBe(40 * one)
      expect(after.resident - before.resident).toBeGreaterThan(40 * residentSlack)
      await call('ended')
      const { buffers, bytes } = await held()
      expect([buffers, bytes]).toEqual([before.buffers, before.bytes])
    })
  })

  test.each(Object.keys(cases))('every way of every kernel agrees with the reference on %s', async (name) => {
    // the page's `forced` gives that
    const { worst, same } = (await call('forced', name)) as Forced
    expect(worst.ratio <= 1 ? undefined : worst.at).toBeUndefined()
    expect(same).toBe(true)
  })
})
