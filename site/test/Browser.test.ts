/**
 * The built site as a visitor has it, in Chromium.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath } from '../../test/browser/browser.js'
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
    "axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)))"
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
  '/play/covers'
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
    const page = await site().open('/errata')
    const sizes: Array<Promise<number>> = []
    page.on('response', (response) => {
      sizes.push(response.body().then((body) => (/\.(woff2|png|jpg)$/.test(response.url()) ? body.length : gzipSync(body).length)))
    })
    const fresh = await page.context().browser()?.newContext({ serviceWorkers: 'block' })
    const first = await fresh?.newPage()
    first?.on('response', (response) => {
      // pictures of results come as they are scrolled to, and are not counted
      if (!/\.(png|jpg|gif)$/.test(response.url()))
        sizes.push(response.body().then((body) => (response.url().endsWith('.woff2') ? body.length : gzipSync(body).length)))
    })
    await first?.goto(site().url + address, { waitUntil: 'networkidle' })
    const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
    await fresh?.close()
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
        () => [...document.querySelectorAll('.play figcaption strong')].some((one) => one.textContent?.startsWith('biased')),
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

  test('without complaints of the browser, or requests to others', () => {
    expect(site().complaints).toEqual([])
  })
})
