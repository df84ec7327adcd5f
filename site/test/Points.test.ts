/**
 * The page of points.
 */
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { inBrowser } from './visit.js'

/** What lanes say, when each has made so many steps. */
const after = async (page: Page, steps: number): Promise<ReadonlyArray<string>> => {
  await page.waitForFunction(
    (least) => {
      const said = [...document.querySelectorAll('.play .lane figcaption')].map((one) => one.textContent ?? '')
      return said.length > 0 && said.every((text) => Number(/step (\d+)/.exec(text)?.[1] ?? 0) >= least)
    },
    steps,
    { timeout: 170_000 }
  )
  return page.locator('.play .lane figcaption').allInnerTexts()
}

inBrowser('the page of points', (site) => {
  test('fine-tunes its lanes beside each other, and earns the reward', async () => {
    const page = await site().open('/play/points?mode=webasm')
    await page.getByRole('button', { name: 'Fine-tune' }).click()
    const said = await after(page, 8)
    expect(said).toHaveLength(3)
    const rewards = said.map((text) => Number(/reward (-?[\d.e-]+)/.exec(text)?.[1]))
    expect(Math.max(...rewards)).toBeGreaterThan(-2)
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.context().close()
  })

  test('computes on WebGPU', async () => {
    const page = await site().open('/play/points?mode=webgpu&lanes=truncatedBackprop(k=1)@0.5')
    await page.getByRole('button', { name: 'Fine-tune' }).click()
    await after(page, 1)
    expect(await page.locator('.play [role=status]').innerText()).toMatch(/by WebGPU, emulated/)
    await page.context().close()
  })

  test('moves the reward by keys, and says so in the address', async () => {
    const page = await site().open('/play/points')
    await page.locator('canvas.plane').first().focus()
    await page.keyboard.press('ArrowUp')
    expect(decodeURIComponent(page.url())).toContain('reward=near:1.4,0.1')
    await page.context().close()
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
    await page.context().close()
  })
})
