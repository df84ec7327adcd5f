/**
 * Makes the pictures of the playground that the overview shows, `docs/pictures/*.png`, of the built site in Chromium.
 *
 *     npm run site && npm run site:pictures
 *
 * With `--all FOLDER` it makes one of every page of the playground, on a desktop and on a phone, light and dark, into a folder.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import sharp from 'sharp'
import { browserPath, flags } from './browser.mjs'
import { server } from './serve.mjs'

const out = fileURLToPath(new URL('../../docs/pictures/', import.meta.url))

const samples = (least) => (page) =>
  page.waitForFunction(
    (n) => {
      const cells = [...document.querySelectorAll('.play tbody tr td:first-of-type')].map(
        (one) => one.textContent ?? ''
      )
      return cells.length > 0 && cells.every((cell) => Number(cell.replace('K', 'e3').replace('M', 'e6')) >= n)
    },
    least,
    { timeout: 300_000 }
  )

const button = (page, name) => page.getByRole('button', { name }).first()

const stepOf = (least) => (page) =>
  page.waitForFunction((n) => Number(/Step (\d+)/.exec(document.body.innerText)?.[1] ?? 0) >= n, least, {
    timeout: 600_000
  })

const lanesAt = (least) => (page) =>
  page.waitForFunction(
    (n) => {
      const said = [...document.querySelectorAll('.play .lane figcaption')].map((one) => one.textContent ?? '')
      return said.length > 0 && said.every((text) => Number(/step (\d+)/.exec(text)?.[1] ?? 0) >= n)
    },
    least,
    { timeout: 600_000 }
  )

/** What is done on a page before its picture is taken. */
const scenes = {
  covers: {
    address: '/play/covers?estimator=segmented(h%20%3D%203)',
    parts: ['.play .chain', '.play .claim', '.play .formula', '.play .plots'],
    act: async (page) => {
      await button(page, 'Sample it here').click()
      await samples(2e6)(page)
      await button(page, 'Pause').click()
    }
  },
  points: {
    address: '/play/points',
    act: async (page) => {
      await button(page, 'Fine-tune').click()
      await lanesAt(25)(page)
      await button(page, 'Pause').click()
      await page.waitForTimeout(2500)
    }
  },
  faces: {
    address: '/play/faces',
    parts: ['.play .points-top', '.play .plots'],
    act: async (page) => {
      await button(page, 'Fine-tune 20 steps').click()
      await stepOf(20)(page)
    }
  },
  teach: {
    address: '/play/faces?choices=LRLRLLRR',
    act: async (page) => {
      await page.locator('.teach .pair').waitFor({ timeout: 120_000 })
    }
  }
}

const shoot = async (browser, url, { address, act, parts = [] }, { viewport, dark = false, whole = false }) => {
  const context = await browser.newContext({ viewport, colorScheme: dark ? 'dark' : 'light', deviceScaleFactor: 1 })
  const page = await context.newPage()
  await page.goto(url + address, { waitUntil: 'networkidle' })
  await act(page)
  if (!whole) await page.addStyleTag({ content: '.VPNav, .VPLocalNav { display: none !important; }' })
  await page.evaluate('scrollTo(0, 0)')
  const bytes = whole ? [await page.screenshot({ fullPage: true })] : []
  if (!whole) for (const part of parts) bytes.push(await page.locator(part).first().screenshot())
  await context.close()
  return bytes
}

/** Pictures below each other, on white. */
const below = async (pictures) => {
  const sizes = await Promise.all(pictures.map((one) => sharp(one).metadata()))
  const width = Math.max(...sizes.map((size) => size.width ?? 0)) + 32
  const gap = 16
  let top = gap
  const placed = pictures.map((input, i) => {
    const at = { input, left: 16, top }
    top += (sizes[i].height ?? 0) + gap
    return at
  })
  return sharp({ create: { width, height: top, channels: 3, background: '#fff' } })
    .composite(placed)
    .png()
    .toBuffer()
}

const all = process.argv.indexOf('--all')
const served = server()
await new Promise((resolve) => served.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${served.address().port}`
const browser = await chromium.launch({ executablePath: browserPath(), args: flags })
try {
  if (all >= 0) {
    const folder = process.argv[all + 1] ?? '.'
    mkdirSync(folder, { recursive: true })
    const only = process.argv[all + 2]
    for (const [name, scene] of Object.entries(scenes)) {
      if (only !== undefined && name !== only) continue
      for (const [kind, options] of Object.entries({
        desktop: { viewport: { width: 1280, height: 900 } },
        phone: { viewport: { width: 390, height: 844 }, dark: true }
      })) {
        const [bytes] = await shoot(browser, url, scene, { ...options, whole: true })
        await sharp(bytes)
          .png()
          .toFile(join(folder, `${name}-${kind}.png`))
        console.log(join(folder, `${name}-${kind}.png`))
      }
    }
  } else {
    mkdirSync(out, { recursive: true })
    for (const name of ['covers', 'faces']) {
      const parts = await shoot(browser, url, scenes[name], { viewport: { width: 1000, height: 900 } })
      const made = await sharp(await below(parts))
        // few colours: a palette is a third of the size
        .png({ palette: true, colours: 64, compressionLevel: 9, effort: 10 })
        .toFile(join(out, `${name}.png`))
      console.log(`docs/pictures/${name}.png: ${made.width} x ${made.height}, ${Math.round(made.size / 1000)} kB`)
    }
  }
} finally {
  await browser.close()
  served.close()
  served.closeAllConnections()
}
