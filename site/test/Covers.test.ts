/**
 * The page of covers.
 */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { inBrowser } from './visit.js'

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
const by = (page: Page): Promise<string> => page.locator('.play .bar-of-buttons .small').innerText()

inBrowser('the page of covers', (site) => {
  test('shows full backpropagation unbiased, and truncated backpropagation and equation (6) as printed biased', async () => {
    const page = await site().open('/play/covers?others=&mode=webasm')
    await choose(page, 'Full backpropagation')
    expect(await verdict(page)).toMatch(/unbiased for the gradient of J$/)
    for (const text of await sampled(page, 1e5)) expect(text).toMatch(/^no bias seen/)
    expect(await by(page)).toMatch(/a second, by WebAssembly in a worker/)
    await choose(page, 'Truncated backpropagation')
    expect(await verdict(page)).toMatch(/biased: steps 4..10 not paid in full/)
    for (const text of await sampled(page, 1e5)) expect(text).toMatch(/^biased by/)
    await choose(page, 'Equation (6) as printed')
    expect(await verdict(page)).toMatch(/step 1 paid more than once/)
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll('.play figcaption strong')].some((one) => one.textContent?.startsWith('biased')),
      undefined,
      { timeout: 120_000 }
    )
    await page.context().close()
  })

  test.each([
    ['automatic', /by WebAssembly in a worker/],
    ['threads', /by WebAssembly on \d threads/],
    ['webgpu', /by WebGPU, emulated/]
  ])('computes the same by the means %s, which the address says', async (mode, said) => {
    const page = await site().open('/play/covers?others=&estimator=truncatedBackprop(k=3)')
    await page.locator('select[name=kernels]').selectOption(mode)
    if (mode === 'automatic') await page.getByRole('button', { name: 'Sample it here' }).click()
    expect(new URL(page.url()).searchParams.get('mode')).toBe(mode === 'automatic' ? null : mode)
    for (const text of await sampled(page, 3e4)) expect(text).toMatch(/^biased by/)
    expect(await by(page)).toMatch(said)
    await page.context().close()
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
    await page.context().close()
    await again.context().close()
  })

  test('can be used by keys alone', async () => {
    const page = await site().open('/play/covers?estimator=fullBackprop')
    await page.locator('[data-step="1"]').focus()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Shift+ArrowLeft')
    await page.keyboard.press('Enter')
    expect(await page.locator('[data-step="3"]').getAttribute('aria-label')).toBe('step 3: half-order 1')
    expect(await verdict(page)).toMatch(/biased: steps 4..10 not paid in full/)
    await page.context().close()
  })

  test('says what is wrong with a text', async () => {
    const page = await site().open('/play/covers')
    await page.locator('#estimator').fill('rlr(h = 40)')
    await page.keyboard.press('Enter')
    expect(await verdict(page)).toMatch(/no cover: h: expected/)
    await page.context().close()
  })
})
