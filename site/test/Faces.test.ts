/**
 * The page of faces.
 */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { gpuJs, type GpuJsOptions } from '../../src/kernel/index.js'
import { root } from '../scripts/modules.mjs'
import * as Faces from '../playground/faces/Design.js'
import { tuning } from '../playground/faces/Engine.js'
import { inBrowser } from './visit.js'

const asset = (name: string): Uint8Array => readFileSync(`${root}cli/assets/${name}.safetensors`)
const files = { model: asset('faces-mlp'), classifier: asset('classifier'), judge: asset('judge') }

/** The model that Node makes by so many steps of a design. */
const made = async (
  design: Partial<Faces.Design>,
  steps: number,
  options: GpuJsOptions = {},
  model: Uint8Array = files.model
): Promise<Uint8Array> => {
  const target = gpuJs(options)
  const run = tuning({ ...Faces.initial, ...design }, { ...files, model }, target)
  if (E.isLeft(run)) throw new Error(run.left)
  for (let i = 0; i < steps; i++) await run.right.step()
  const saved = run.right.saved()
  await run.right.dispose()
  await target.dispose()
  if (E.isLeft(saved)) throw new Error(saved.left)
  const [file, ...others] = saved.right
  if (file === undefined || others.length > 0) throw new Error('expected one file')
  return file.bytes
}

const status = (page: Page): Promise<string> => page.locator('.play [role=status]').first().innerText()
const saving = (page: Page): Promise<void> =>
  page.getByRole('button', { name: 'Save the model' }).waitFor({ timeout: 170_000 })
const finished = async (page: Page, steps: number): Promise<void> => {
  await page.getByRole('button', { name: `Fine-tune ${steps} step${steps === 1 ? '' : 's'}` }).click()
  await saving(page)
}
const saved = async (page: Page): Promise<Buffer> => {
  const download = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Save the model' }).click()
  return readFileSync(await (await download).path())
}
const same = (a: Buffer, b: Uint8Array): boolean => Buffer.from(b).equals(a)

inBrowser('the page of faces', (site) => {
  test('gives the bits that Node gives, in a file, and goes on from the file', async () => {
    const design: Partial<Faces.Design> = { steps: 5, batch: 8, mode: 'webasm' }
    const page = await site().open('/play/faces?steps=5&batch=8&mode=webasm')
    await finished(page, 5)
    expect(await status(page)).toMatch(/^Step 5, by WebAssembly: reward -?[\d.]+, by another judge -?[\d.]+/)
    const first = await saved(page)
    const own = await made(design, 5)
    expect(same(first, own)).toBe(true)
    await page.locator('input[type=file]').setInputFiles({
      name: 'mine.safetensors',
      mimeType: 'application/octet-stream',
      buffer: first
    })
    await finished(page, 5)
    expect(same(await saved(page), await made(design, 5, {}, own))).toBe(true)
    await page.context().close()
  })

  test('gives them on threads too, and after a pause', async () => {
    const page = await site().open('/play/faces?steps=3&batch=16&mode=threads')
    await page.getByRole('button', { name: 'Fine-tune 3 steps' }).click()
    await page.getByText(/^Step [01], by WebAssembly on/).waitFor({ timeout: 60_000 })
    await page.getByRole('button', { name: 'Pause' }).click()
    await saving(page)
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'As many steps more' }).waitFor({ timeout: 170_000 })
    expect(same(await saved(page), await made({ steps: 3, batch: 16, mode: 'threads' }, 3, { threads: 2 }))).toBe(true)
    await page.context().close()
  })

  test('fine-tunes on WebGPU', async () => {
    const page = await site().open('/play/faces?steps=1&batch=4&mode=webgpu')
    await finished(page, 1)
    expect(await status(page)).toMatch(/^Step 1, by WebGPU, emulated: reward -?[\d.]+, by another judge -?[\d.]+/)
    await page.context().close()
  })

  test('is taught a reward by choices between faces, which the address says', async () => {
    const page = await site().open('/play/faces?steps=1&batch=4&mode=webasm')
    await page.getByRole('button', { name: 'Teach a reward, by choosing between faces' }).click()
    await page.getByRole('button', { name: 'The left face' }).click({ timeout: 60_000 })
    expect(await page.getByRole('button', { name: 'Make it the reward' }).isEnabled()).toBe(false)
    await page.getByRole('button', { name: 'Neither' }).click()
    for (const key of ['Right', 'Left', 'Left', 'Right', 'Left', 'Right', 'Left'])
      await page.keyboard.press(`Arrow${key}`)
    expect(await page.locator('.teach .learned').innerText()).toMatch(/^Liked so far: \w.*Not liked: \w/)
    await page.getByRole('button', { name: 'Make it the reward' }).click()
    expect(new URL(page.url()).searchParams.get('choices')).toBe('L-RLLRLRL')
    expect(new URL(page.url()).searchParams.get('reward')).toBe('taught')
    await page.keyboard.press('Enter')
    await saving(page)
    const said = await status(page)
    expect(said).toMatch(/^Step 1, by WebAssembly: reward -?[\d.]+, by another judge -?[\d.]+/)
    const again = await site().open(page.url().slice(site().url.length))
    await finished(again, 1)
    expect(await status(again)).toBe(said)
    await page.context().close()
    await again.context().close()
  })

  test('says what is wrong with a reward, and with a file', async () => {
    const page = await site().open('/play/faces?reward=glases&mode=webasm')
    await page.getByRole('button', { name: 'Fine-tune 20 steps' }).click()
    expect(await page.locator('.play [role=alert]').innerText()).toMatch(/glasses/)
    await page.locator('input[type=file]').setInputFiles(`${root}cli/assets/moons.safetensors`)
    await page.getByRole('button', { name: 'Fine-tune 20 steps' }).click()
    await page.getByText('expected a model of images of 768 numbers, got one of 2').waitFor()
    await page.locator('input[type=file]').setInputFiles(`${root}README.md`)
    await page.getByRole('button', { name: 'Fine-tune 20 steps' }).click()
    await page.getByText('got README.md').waitFor()
    await page.context().close()
  })

  test('takes a model of another tool with its record, and gives both back', async () => {
    const page = await site().open('/play/faces?steps=1&batch=4&mode=webasm&reward=clarity')
    const scheduler = { _class_name: 'DDPMScheduler', num_train_timesteps: 100, beta_schedule: 'linear' }
    const onnx = `${root}site/test/fixtures/faces.onnx`
    await page.locator('input[type=file]').setInputFiles(onnx)
    await page.getByRole('button', { name: 'Fine-tune 1 step' }).click()
    await page.getByText('choose faces.json together with it').waitFor()
    await page.locator('input[type=file]').setInputFiles([
      { name: 'faces.onnx', mimeType: 'application/octet-stream', buffer: readFileSync(onnx) },
      {
        name: 'faces.json',
        mimeType: 'application/json',
        buffer: Buffer.from(JSON.stringify({ scheduler, prediction: 'epsilon' }))
      }
    ])
    await finished(page, 1)
    expect(await status(page)).toMatch(/^Step 1, by WebAssembly: reward -?[\d.]+, by another judge -?[\d.]+/)
    const names: Array<string> = []
    page.on('download', (download) => names.push(download.suggestedFilename()))
    await page.getByRole('button', { name: 'Save the model' }).click()
    await expect.poll(() => [...names].sort()).toEqual(['model.json', 'model.onnx'])
    await page.context().close()
  })
})
