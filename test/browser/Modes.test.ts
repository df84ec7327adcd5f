import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { accuracy, gpuJs } from '../../src/kernel/index.js'
import type { Mode } from '../../src/kernel/Mode.js'
import { agreement, type Agreement, cases as drawn, runOn } from '../kernel/arbitrary.js'
import { examples } from '../kernel/examples.js'
import * as Target from '../../src/tensor/Target.js'
import { toFloat32 } from '../../src/tensor/Tensor.js'
import { type Browser, callOn, chromiumPath, open } from './browser.js'
import { cases, exact, misplaced, own, places, wide } from './cases.js'
import { digest } from './digest.js'
import type { Seen } from './finetune.js'
import type { Alive, Cycled } from './memory.js'
import type { Api, Ran } from './page.js'
import { isWriting, programs, random, see, table, write, written } from './numerics.js'
import { shapes } from './shapes.js'
import type { Forced } from './webgpu.js'

/** Every way of a kernel on WebGPU, in words. */
const allWays: ReadonlyArray<string> = [
  ...[1, 2, 4, 8].flatMap((rows) =>
    [1, 2, 4, 8]
      .filter((columns) => rows <= 4 * columns && columns <= 4 * rows)
      .map((columns) => `${rows} x ${columns} a thread`)
  ),
  ...['4 x 4', '4 x 8', '8 x 16'].map((block) => `${block} a thread, four share what they read`),
  ...['1 x 1', '1 x 4', '4 x 4'].flatMap((block) =>
    [8, 64].map((parts) => `${block} a thread, the sum in ${parts} parts`)
  ),
  ...['a thread', 'a tree'].flatMap((by) =>
    ['nowhere', 'of what is kept', 'of what is reduced'].map((where) => `${by}, vectors ${where}`)
  ),
  'an element a thread',
  'four elements a thread'
]

/** More than f32 tells halves of. */
const elements = 8_401_300

/** What is wrong: an element outside of its bound, or elements without one. */
const wrong = ({ ratio, at, claimed }: Agreement): string | undefined =>
  !(ratio <= 1) ? at : claimed < 1 ? `${1 - claimed} of the elements have no bound` : undefined

describe.each(['webasm', 'cpu'] as const)('%s agrees with the reference', (mode) => {
  const target = gpuJs({ mode })
  afterAll(() => target.dispose())

  test.each(Object.entries(own))('on %s', async (name, example) => {
    const found = agreement(example, await runOn(target, example), accuracy(mode))
    see(mode, name, found)
    expect(wrong(found)).toBeUndefined()
  })

  // Node runs these by the tests of kernels already
  test.runIf(isWriting).each(Object.entries(examples))('on %s, for the page', async (name, example) => {
    const found = agreement(example, await runOn(target, example), accuracy(mode))
    see(mode, name, found)
    expect(wrong(found)).toBeUndefined()
  })

  test.runIf(isWriting)('on random programs, for the page', async () => {
    await fc.assert(
      fc.asyncProperty(drawn, async (example) => {
        const found = agreement(example, await runOn(target, example), accuracy(mode))
        see(mode, random, found)
        expect(found.ratio).toBeLessThanOrEqual(1)
      }),
      { numRuns: programs }
    )
  })

  test(`has ${elements} elements in their places`, async () => {
    expect(misplaced(await runOn(target, places))).toEqual([-1, elements])
  })
})

const installed = chromiumPath()

test.each(installed === undefined ? ['chromium is not installed (apt-get install chromium)'] : [])(
  'skipped: webgpu and webgl2, since %s',
  () => {
    expect(chromiumPath()).toBeUndefined()
  }
)

describe.each(installed === undefined ? [] : [installed])('in a page of %s', (path) => {
  let browser: Browser | undefined
  beforeAll(async () => {
    browser = await open(path)
  })
  afterAll(() => browser?.close())

  /** Calls a function of a page. */
  const callIn = async (
    which: 'page' | 'bare',
    name: keyof Api,
    ...args: ReadonlyArray<string | number>
  ): Promise<unknown> => {
    if (browser === undefined) throw new Error('the page did not open')
    return callOn(browser[which], name, args)
  }
  const call = (name: keyof Api, ...args: ReadonlyArray<string | number>): Promise<unknown> =>
    callIn('page', name, ...args)
  // `webasm` is here too: a page has its own engine and its own bundle
  describe.each<readonly [Mode, string]>([
    ['webasm', 'fused-sync: as it should be'],
    ['webgpu', 'fused-encoder: as it should be'],
    ['webgl2', 'generic: pipeline backend is gpu; the fused executor requires webasm']
  ])('%s agrees with the reference', (mode, way) => {
    const node = gpuJs()
    beforeAll(async () => {
      await call('dispose', mode)
      await call('ways')
    })
    afterAll(() => node.dispose())

    test.each(Object.entries(cases))(
      `on %s${mode === 'webasm' ? ', with the bits that it gives in Node' : ''}`,
      async (name, example) => {
        // the page's `run` gives that
        const ran = (await call('run', mode, name)) as Ran
        see(mode, name, ran)
        expect(wrong(ran)).toBeUndefined()
        expect(ran.bits).toBe(mode === 'webasm' ? digest(await runOn(node, example)) : ran.bits)
      }
    )

    test(`with ${elements} elements in their places`, async () => {
      expect(await call('astray', mode)).toEqual([-1, elements])
    })

    test('on random programs', async () => {
      const seed = fc.readConfigureGlobal().seed ?? 0
      // the page's `search` gives that
      const found = (await call('search', mode, seed, programs)) as Agreement
      const { ratio, at } = found
      see(mode, random, found)
      expect(ratio <= 1 ? undefined : at).toBeUndefined()
    })

    test('in pipelines that gpu.js runs in one way', async () => {
      await call('dispose', mode)
      expect(await call('ways')).toEqual([way])
    })
  })

  describe.each<Mode>(['webasm', 'webgpu', 'webgl2'])('%s gives the numbers of the reference', (mode) => {
    afterAll(() => call('dispose', mode))

    test.each(Object.entries(exact))('on %s', async (name, example) => {
      const reference = Object.entries(await runOn(Target.reference, example))
      const rounded = reference.map(([output, value]) => [output, toFloat32(value)] as const)
      expect(await call('bits', mode, name)).toBe(digest(Object.fromEntries(rounded)))
    })
  })

  // every adapter of WebGPU binds 128 MiB; WebGL counts in f32
  test.each<readonly [Mode, number]>([
    ['webgpu', 2 ** 25],
    ['webgl2', 2 ** 24]
  ])('%s refuses arrays of more than %i elements', async (mode, most) => {
    expect(await call('refusal', mode, most)).toBe('compiled')
    expect(await call('refusal', mode, most + 1)).toBe(
      `gpu.js ${mode}: input 'x' asks for ${4 * most + 4} bytes, and an array of a shader has at most ${4 * most} ` +
        `(${most} elements); use a smaller batch, or the mode 'webasm'`
    )
    await call('dispose', mode)
  })

  test.each<readonly [Mode, string]>([
    ['webgpu', 'WebGPU backend does not yet support Array(4) pipeline results as kernel arguments'],
    ['webgl2', 'Unhandled binary expression between Array(4) & LiteralInteger']
  ])('on %s no kernel reads the vectors of another one as an array, unless by our door', async (mode, reason) => {
    expect(await call('vectors', mode)).toContain(reason)
  })

  describe('threads are Web Workers', () => {
    const target = gpuJs({ threads: 1 })
    afterAll(() => target.dispose())

    test.each(Object.entries(wide))('which give the bits of one thread, on %s', async (name, example) => {
      const bits = digest(await runOn(target, example))
      expect(await call('threads', 1, name)).toEqual([bits, ''])
      expect(await call('threads', 2, name)).toEqual([
        bits,
        expect.stringMatching(/^on 2 threads, in 2 blocks of rows$/)
      ])
    })

    test.each(Object.entries(wide))(
      'a page that is not isolated has none, and says why, on %s',
      async (name, example) => {
        expect(await callIn('bare', 'threads', 2, name)).toEqual([
          digest(await runOn(target, example)),
          'on one thread: there is no SharedArrayBuffer; serve the page with the headers ' +
            'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp'
        ])
      }
    )
  })

  describe('webgpu', () => {
    const ways = new Set<string>()

    test.each(Object.keys(shapes))(
      'agrees with the reference in each of its ways, twice with the same bits, on %s',
      async (name) => {
        // the page's `forced` gives that
        const { worst, same, names: tried } = (await call('forced', name)) as Forced
        expect(wrong(worst)).toBeUndefined()
        expect(same).toBe(true)
        for (const way of tried) ways.add(way)
      }
    )

    test('has ways of every kind', () => {
      expect([...ways].sort()).toEqual([...allWays].sort())
    })

    test('writes what changed, and submits once', async () => {
      // x, w and c are 96, 144 and 12 numbers
      expect(await call('written')).toEqual([4 * 252, 0, 4 * 96, 0])
    })

    test.each([
      'a product with tails everywhere',
      'a convolution and its adjoints',
      'sums along rows, columns and all'
    ])('cuts what is long, within kernels too, and gives the same bits: %s', async (name) => {
      const [whole, parts, same] = (await call('cut', name)) as readonly [number, number, boolean]
      expect(same).toBe(true)
      expect(whole).toBe(1)
      expect(parts).toBeGreaterThan(6)
    })

    test('says that the device went, and starts again', async () => {
      const [said, recovered] = (await call('lost')) as readonly [string, boolean]
      expect(said).toMatch(/^gpu\.js webgpu: .*(lost|destroyed|abort)/i)
      expect(recovered).toBe(true)
    })

    test('fine-tunes for 5 steps, each run of a program within both bounds of webasm', async () => {
      const { steps, runs, worst, claimed, moved, apart } = (await call('finetune', 5)) as Seen
      expect(steps).toBe(5)
      expect(runs).toBeGreaterThanOrEqual(20)
      expect(worst).toBeGreaterThan(0)
      expect(worst).toBeLessThanOrEqual(1)
      expect(claimed).toBeGreaterThan(0.9)
      expect(moved).toBeGreaterThan(0.01)
      expect(apart).toBeLessThan(1e-5 * moved)
    })

    test('keeps nothing of what was disposed of, nor of what was not when its target is', async () => {
      const none = (await call('alive')) as Alive
      const [one, left] = (await call('cycles', 'different', 0, 4, 5, 0)) as Cycled
      expect(one).toBeGreaterThan(1000)
      expect(left).toBe(0)
      expect(await call('alive')).toMatchObject({ buffers: none.buffers, bytes: none.bytes })
      const [again, forgotten] = (await call('cycles', 'different', 0, 4, 1, 1)) as Cycled
      expect(forgotten).toBeGreaterThan(3 * again)
      await call('ended')
      expect(await call('alive')).toMatchObject({ buffers: none.buffers, bytes: none.bytes })
    })
  })

  test('without complaints of the browser', () => {
    expect(browser?.complaints).toEqual([])
  })
})

describe('the numbers of docs/numerics.md', () => {
  beforeAll(() => {
    if (isWriting) write()
  })

  test('are of these cases, kind by kind', () => {
    expect(written().map(([kind]) => kind)).toEqual(table().map(([kind]) => kind))
  })

  // processors without multiplications and additions in one instruction round otherwise, by a share of a bound
  test('are those that are measured here, to a fifth of a bound', () => {
    const now = table()
    const then = written()
    // without writing, the modes of Node run their own cases alone, and so may be nearer than the page says
    const isOff = (cell: string, mode: number, kept: string | undefined): boolean => {
      const more = Number(cell) - Number(kept)
      return !(mode < 2 && !isWriting ? more <= 0.2 : Math.abs(more) <= 0.2)
    }
    const stale = now.flatMap(([kind = '', ...cells], row) =>
      cells
        .filter((cell, i) => kind !== random && cell !== '' && isOff(cell, i, then[row]?.[i + 1]))
        .map((cell) => `${kind}: ${cell}`)
    )
    expect(stale).toEqual([])
  })
})
