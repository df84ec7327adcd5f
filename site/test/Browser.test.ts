/**
 * Every kind of page of the built site as a visitor has it.
 */
import { expect, test } from 'vitest'
import { inBrowser, looks, quick, scales } from './visit.js'

const documents = [
  '/overview',
  '/guide',
  '/getting-started',
  '/choosing-an-estimator',
  '/errata',
  '/derivations/02-cells',
  '/results/finetune',
  '/changelog',
  '/api/',
  '/api/estimator/Cover'
]
const pages = ['/', ...(quick ? [] : documents), '/play/covers', '/play/points', '/play/faces']

inBrowser('the site', (site) => {
  test.each(pages)(
    '%s: axe finds nothing, light, dark, or on a phone, where nothing is cut off; it weighs at most 300 kB, as sent, before a visitor does something',
    async (address) => {
      const scale = scales()
      const page = await site().open(address, { fresh: true, onResponse: scale.note })
      const total = await scale.total()
      expect(await looks(page)).toEqual([])
      expect(total).toBeGreaterThan(10_000)
      expect(total).toBeLessThan(300_000)
      await page.context().close()
    }
  )

  test('pages are isolated, and found without a network after the first visit', async () => {
    const page = await site().open('/play/faces')
    expect(await page.evaluate('crossOriginIsolated')).toBe(true)
    await page.evaluate('navigator.serviceWorker.ready')
    await page.reload({ waitUntil: 'networkidle' })
    await page.context().setOffline(true)
    await page.reload()
    expect(await page.locator('h1').innerText()).toContain('Faces')
    await page.getByRole('button', { name: 'Fine-tune 20 steps' }).waitFor()
    await page.context().setOffline(false)
    await page.context().close()
  })

  test.skipIf(quick)('search finds a name', async () => {
    const page = await site().open('/guide')
    await page.keyboard.press('Control+k')
    await page.locator('.VPLocalSearchBox input').fill('truncatedBackprop')
    await page.locator('.VPLocalSearchBox .result').first().waitFor()
    expect(await page.locator('.VPLocalSearchBox .result').count()).toBeGreaterThan(0)
    await page.context().close()
  })
})
