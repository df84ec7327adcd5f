/**
 * The built site as a visitor has it, in Chromium.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as E from 'fp-ts/lib/Either.js'
import { gpuJs } from '../../src/kernel/index.js'
import { chromiumPath } from '../../test/browser/browser.js'
import { root } from '../scripts/modules.mjs'
import * as Faces from '../playground/faces/Design.js'
import { tuning } from '../playground/faces/Engine.js'
import { visit, type Visit } from './visit.js'

const installed = chromiumPath()
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

test.each(installed === undefined ? ['chromium is not installed (apt-get install chromium)'] : [])(
  'skipped: the site in a browser, since %s',
  () => {
    expect(chromiumPath()).toBeUndefined()
  }
)

/** What axe finds, a line each. */
const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)))'
  )
  return Array.isArray(found) ? found.map(String) : ['axe did not answer']
}

const wide = async (page: Page): Promise<boolean> =>
  Boolean(await page.evaluate('document.documentElement.scrollWidth > innerWidth'))

const pages = [
  '/',
  '/overview',
  '/guide',
  '/getting-started',
  '/choosing-an-estimator',
  '/errata',
  '/derivations/02-cells',
  '/results/finetune',
  '/changelog',
  '/api/',
  '/api/estimator/Cover',
  '/play/covers',
  '/play/points',
  '/play/faces'
]

describe.each(installed === undefined ? [] : [installed])('in %s', (path) => {
  let there: Visit | undefined
  const site = (): Visit => {
    if (there === undefined) throw new Error('the site did not open')
    return there
  }
  beforeAll(async () => {
    there = await visit(path)
  })
  afterAll(() => there?.close())

  test.each(pages)('axe finds nothing on %s, light, dark, or on a phone, where nothing is cut off', async (address) => {
    for (const options of [{}, { dark: true }, { phone: true }]) {
      const page = await site().open(address, options)
      expect(await violations(page)).toEqual([])
      expect(await wide(page)).toBe(false)
      await page.context().close()
    }
  })

  test.each(pages)('%s weighs at most 300 kB, as sent, before a visitor does something', async (address) => {
    const total = await site().weigh(address)
    expect(total).toBeGreaterThan(10_000)
    expect(total).toBeLessThan(300_000)
  })

  test('pages are isolated, and found without a network after the first visit', async () => {
    const page = await site().open('/errata')
    expect(await page.evaluate('crossOriginIsolated')).toBe(true)
    await page.evaluate('navigator.serviceWorker.ready')
    await page.reload({ waitUntil: 'networkidle' })
    await page.context().setOffline(true)
    await page.reload()
    expect(await page.locator('h1').innerText()).toContain('Errata')
    await page.context().setOffline(false)
  })

  test('search finds a name', async () => {
    const page = await site().open('/guide')
    await page.keyboard.press('Control+k')
    await page.locator('.VPLocalSearchBox input').fill('truncatedBackprop')
    await page.locator('.VPLocalSearchBox .result').first().waitFor()
    expect(await page.locator('.VPLocalSearchBox .result').count()).toBeGreaterThan(0)
  })

  describe('the page of covers', () => {
    const sampled = async (page: Page, least: number): Promise<ReadonlyArray<string>> => {
      await page.waitForFunction(
        (n) => {
          const cell = document.querySelector('.play tbody td')?.textContent ?? ''
          const [, digits, unit] = /^([\d.]+)([KM]?)$/.exec(cell) ?? []
          return Number(digits ?? 0) * (unit === 'K' ? 1e3 : unit === 'M' ? 1e6 : 1) >= n
        },
        least,
        { timeout: 120_000 }
      )
      return page.locator('.play figcaption strong').allInnerTexts()
    }
    const verdict = (page: Page): Promise<string> => page.locator('.play [role=status].claim').innerText()
    const choose = (page: Page, name: string): Promise<void> =>
      page.getByRole('button', { name, exact: true }).first().click()

    test('shows full backpropagation unbiased, and truncated backpropagation and equation (6) as printed biased', async () => {
      const page = await site().open('/play/covers?others=')
      await choose(page, 'Full backpropagation')
      expect(await verdict(page)).toMatch(/unbiased for the gradient of J$/)
      for (const text of await sampled(page, 1e5)) expect(text).toMatch(/^no bias seen/)
      await choose(page, 'Truncated backpropagation')
      expect(await verdict(page)).toMatch(/biased: steps 4..10 not paid in full/)
      for (const text of await sampled(page, 1e5)) expect(text).toMatch(/^biased by/)
      await choose(page, 'Equation (6) as printed')
      expect(await verdict(page)).toMatch(/step 1 paid more than once/)
      await page.waitForFunction(
        () =>
          [...document.querySelectorAll('.play figcaption strong')].some((one) =>
            one.textContent?.startsWith('biased')
          ),
        undefined,
        { timeout: 120_000 }
      )
    })

    test('gives steps that are dragged over to the cell that is chosen, and says so in the address', async () => {
      const page = await site().open('/play/covers?estimator=fullBackprop')
      const step = async (t: number): Promise<readonly [number, number]> => {
        const box = await page.locator(`[data-step="${t}"]`).boundingBox()
        if (box === null) throw new Error('no step')
        return [box.x + box.width / 2, box.y + box.height / 2]
      }
      await page.mouse.move(...(await step(10)))
      await page.mouse.down()
      await page.mouse.move(...(await step(8)), { steps: 4 })
      await page.mouse.move(...(await step(6)), { steps: 4 })
      await page.mouse.up()
      expect(await verdict(page)).toMatch(/unbiased for the gradient of J$/)
      expect(await page.locator('[data-step="6"]').getAttribute('aria-label')).toBe('step 6: half-order 1')
      expect(decodeURIComponent(page.url())).toContain('"from":6,"to":10')
      const again = await site().open(page.url().slice(site().url.length))
      expect(await again.locator('[data-step="6"]').getAttribute('aria-label')).toBe('step 6: half-order 1')
      expect(await again.locator('[data-step="5"]').getAttribute('aria-label')).toBe('step 5: first-order 1')
    })

    test('can be used by keys alone', async () => {
      const page = await site().open('/play/covers?estimator=fullBackprop')
      await page.locator('[data-step="1"]').focus()
      await page.keyboard.press('ArrowLeft')
      await page.keyboard.press('Shift+ArrowLeft')
      await page.keyboard.press('Enter')
      expect(await page.locator('[data-step="3"]').getAttribute('aria-label')).toBe('step 3: half-order 1')
      expect(await verdict(page)).toMatch(/biased: steps 4..10 not paid in full/)
    })

    test('says what is wrong with a text', async () => {
      const page = await site().open('/play/covers')
      await page.locator('#estimator').fill('rlr(h = 40)')
      await page.keyboard.press('Enter')
      expect(await verdict(page)).toMatch(/no cover: h: expected/)
    })
  })

  describe('the page of points', () => {
    test('fine-tunes its lanes beside each other, and earns the reward', async () => {
      const page = await site().open('/play/points')
      await page.getByRole('button', { name: 'Fine-tune' }).click()
      await page.waitForFunction(
        () => {
          const said = [...document.querySelectorAll('.play .lane figcaption')].map((one) => one.textContent ?? '')
          return said.length === 3 && said.every((text) => Number(/step (\d+)/.exec(text)?.[1] ?? 0) >= 8)
        },
        undefined,
        { timeout: 170_000 }
      )
      const said = await page.locator('.play .lane figcaption').allInnerTexts()
      const rewards = said.map((text) => Number(/reward (-?[\d.e-]+)/.exec(text)?.[1]))
      expect(Math.max(...rewards)).toBeGreaterThan(-2)
      await page.getByRole('button', { name: 'Pause' }).click()
    })

    test('moves the reward by keys, and says so in the address', async () => {
      const page = await site().open('/play/points')
      await page.locator('canvas.plane').first().focus()
      await page.keyboard.press('ArrowUp')
      expect(decodeURIComponent(page.url())).toContain('reward=near:1.4,0.1')
    })

    test('trains on data that is drawn', async () => {
      const page = await site().open('/play/points?pretraining=100')
      await page.locator('select').first().selectOption('drawn')
      const box = await page.locator('canvas.plane').first().boundingBox()
      if (box === null) throw new Error('no plane')
      await page.mouse.move(box.x + 200, box.y + 100)
      await page.mouse.down()
      await page.mouse.move(box.x + 260, box.y + 140, { steps: 8 })
      await page.mouse.up()
      expect(page.url()).toContain('stroke=')
      await page.getByRole('button', { name: 'Train on it' }).click()
      await page.waitForFunction(
        () => /Base model, step 100/.test(document.querySelector('.play figcaption')?.textContent ?? ''),
        undefined,
        { timeout: 120_000 }
      )
    })
  })

  describe('the page of faces', () => {
    const finished = async (page: Page, steps: number): Promise<void> => {
      await page.getByRole('button', { name: `Fine-tune ${steps} step${steps === 1 ? '' : 's'}` }).click()
      await page.getByRole('button', { name: 'Save the model' }).waitFor({ timeout: 170_000 })
    }

    test('gives the bits that Node gives, in a file', async () => {
      const page = await site().open('/play/faces?steps=5&batch=8')
      await finished(page, 5)
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Save the model' }).click()
      const saved = readFileSync(await (await download).path())
      const asset = (name: string): Uint8Array => readFileSync(`${root}cli/assets/${name}.safetensors`)
      const target = gpuJs()
      const run = tuning(
        { ...Faces.initial, steps: 5, batch: 8 },
        { model: asset('faces-mlp'), classifier: asset('classifier'), judge: asset('judge') },
        target
      )
      if (E.isLeft(run)) throw new Error(run.left)
      for (let i = 0; i < 5; i++) await run.right.step()
      const own = run.right.saved()
      expect(E.isRight(own) && Buffer.from(own.right).equals(saved)).toBe(true)
      await target.dispose()
    })

    test('runs on WebGPU', async () => {
      const page = await site().open('/play/faces?steps=1&batch=4&mode=webgpu')
      await finished(page, 1)
      expect(await page.locator('.play [role=status]').first().innerText()).toMatch(
        /^Step 1: reward -?[\d.]+, by another judge -?[\d.]+/
      )
    })

    test('says what is wrong with a reward', async () => {
      const page = await site().open('/play/faces?reward=glases')
      await page.getByRole('button', { name: 'Fine-tune 20 steps' }).click()
      expect(await page.locator('.play [role=alert]').innerText()).toMatch(/glasses/)
    })
  })

  test('without complaints of the browser, or requests to others', () => {
    expect(site().complaints).toEqual([])
  })
})
