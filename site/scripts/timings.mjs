/**
 * How fast the playground is, of the built site in Chromium: writes `docs/results/playground.md`.
 *
 *     npm run site && npm run site:timings
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { chromium } from 'playwright-core'
import { browserPath, flags } from './browser.mjs'
import { root } from './modules.mjs'
import { counting } from './processor.mjs'
import { server } from './serve.mjs'

const seconds = 6
const visits = 5
const pages = { Covers: '/play/covers', Points: '/play/points', Faces: '/play/faces' }
const starts = { Covers: 'Sample it here', Points: 'Fine-tune', Faces: 'Fine-tune 1000 steps' }

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

const opened = async (browser, address) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await page.goto(address, { waitUntil: 'commit' })
  return page
}

/** Milliseconds from the start of a first visit until the button that starts can be pressed. */
const untilReady = async (browser, address, name) => {
  const page = await opened(browser, address)
  const at = await page.waitForFunction(
    (text) =>
      [...document.querySelectorAll('.play button')].some((one) => one.textContent?.trim() === text && !one.disabled) &&
      performance.now(),
    name,
    { polling: 'raf' }
  )
  const found = await at.jsonValue()
  await page.context().close()
  return found
}

/** The frames that a page draws in some seconds: how many a second, and the longest time between two. */
const framesOf = (page) =>
  page.evaluate(
    (length) =>
      new Promise((resolve) => {
        const times = []
        const note = (at) => {
          times.push(at)
          if (at - times[0] < 1000 * length) requestAnimationFrame(note)
          else {
            const gaps = times.slice(1).map((time, i) => time - times[i])
            gaps.sort((a, b) => a - b)
            resolve({
              frames: gaps.length,
              rate: (1000 * gaps.length) / (times.at(-1) - times[0]),
              most: gaps.at(-1),
              nearlyAll: gaps[Math.floor(0.99 * gaps.length)]
            })
          }
        }
        requestAnimationFrame(note)
      }),
    seconds
  )

const numberOf = (text) => Number(text.replace('K', 'e3').replace('M', 'e6'))

/** How far a page is: samples of the first estimator, or steps of all fine-tunes. */
const counts = {
  Covers: async (page) => numberOf((await page.locator('.play tbody td').first().textContent()) ?? '0'),
  Points: async (page) =>
    (await page.locator('.play .lane figcaption').allInnerTexts())
      .map((text) => Number(/step (\d+)/.exec(text)?.[1] ?? 0))
      .reduce((sum, steps) => sum + steps, 0),
  Faces: async (page) =>
    Number(/Step (\d+)/.exec(await page.locator('.faces-sheets [role=status]').innerText())?.[1] ?? 0)
}

/** Of what a page counts, how many in a second once it is warm, drawing and all: by the clock, and of its workers' time of the processor. */
const rateOf = async (page, name) => {
  await page.waitForFunction(working[name], undefined, { timeout: 120_000 })
  await page.waitForTimeout(1500)
  const [before, start, spent] = [await counts[name](page), performance.now(), counting()]
  await page.waitForTimeout(1000 * seconds)
  const done = (await counts[name](page)) - before
  return { clock: (1000 * done) / (performance.now() - start), processor: (1000 * done) / spent().workers }
}

const start = async (page, name) => {
  const button = page.getByRole('button', { name: starts[name], exact: true })
  await button.waitFor()
  await button.click()
}

const working = {
  Covers: () => document.querySelector('.play tbody td')?.textContent,
  Points: () =>
    [...document.querySelectorAll('.play .lane figcaption')].every((one) => /step/.test(one.textContent ?? '')),
  Faces: () => /Step \d/.test(document.body.innerText)
}

const means = ['webasm', 'threads', 'webgpu']
const named = { webasm: 'WebAssembly', threads: 'WebAssembly on threads', webgpu: 'WebGPU' }

const served = server()
await new Promise((resolve) => served.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${served.address().port}`
const browser = await chromium.launch({ executablePath: browserPath(), args: flags })
const rows = { ready: [], frames: [], samples: [], steps: [], emulated: true }
try {
  for (const [name, address] of Object.entries(pages)) {
    const times = []
    for (let i = 0; i < visits; i++)
      times.push(await untilReady(browser, url + address, name === 'Faces' ? 'Fine-tune 20 steps' : starts[name]))
    rows.ready.push([name, median(times), Math.max(...times)])
    console.log(`${name}: ready after ${Math.round(median(times))} ms`)
  }
  for (const [name, address] of Object.entries(pages)) {
    const page = await opened(browser, `${url}${address}?mode=webasm&steps=1000`)
    await start(page, name)
    await page.waitForFunction(working[name], undefined, { timeout: 120_000 })
    const spent = counting()
    const found = await framesOf(page)
    const drawing = spent().main / found.frames
    rows.frames.push([name, { ...found, drawing }])
    console.log(`${name}: ${found.rate.toFixed(1)} frames a second while it computes, ${drawing.toFixed(1)} ms each`)
    await page.context().close()
  }
  for (const estimator of ['rlr(h = 2)', 'segmented(h = 3)', 'fullBackprop', 'reinforce']) {
    const rates = []
    for (const mode of means) {
      const query = new URLSearchParams({ estimator, others: '', mode })
      const page = await opened(browser, `${url}/play/covers?${query}`)
      await start(page, 'Covers')
      rates.push(await rateOf(page, 'Covers'))
      rows.emulated &&=
        mode !== 'webgpu' || /emulated/.test((await page.locator('.play .bar-of-buttons').innerText()) ?? '')
      await page.context().close()
    }
    rows.samples.push([estimator, rates])
    console.log(`${estimator}: ${rates.map(({ clock }) => Math.round(clock)).join(', ')} samples a second`)
  }
  for (const name of ['Points', 'Faces']) {
    const rates = []
    for (const mode of means) {
      const page = await opened(browser, `${url}${pages[name]}?mode=${mode}&steps=1000`)
      await start(page, name)
      rates.push(await rateOf(page, name))
      await page.context().close()
    }
    rows.steps.push([name, rates])
    console.log(`${name}: ${rates.map(({ clock }) => clock.toFixed(2)).join(', ')} steps a second`)
  }
} finally {
  await browser.close()
  served.close()
  served.closeAllConnections()
}

const [processor] = cpus()
// what else was computed at the time: below 3 or so this alone was
const load = loadavg()[1]
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const thousands = (x) => `${Math.round(x / 1000).toLocaleString('en')},000`
const both =
  (show) =>
  ({ clock, processor }) =>
    `${show(clock)} (${show(processor)})`
const text = [
  '# The playground, timed',
  '',
  `\`npm run site && npm run site:timings\`, at commit ${commit}, in Chromium ${browser.version()} without a window, on ${cpus().length} cores of an`,
  `${processor?.model.trim()}${load > cpus().length + 2 ? `, which had ${Math.round(load)} other things to do: on a quiet one it is faster` : ''}.`,
  '',
  `From the start of a first visit, with nothing in the cache, until the button that starts can be pressed, median and longest of ${visits}:`,
  '',
  '| page | ms | longest |',
  '|---|---|---|',
  ...rows.ready.map(([name, middle, most]) => `| ${name} | ${Math.round(middle)} | ${Math.round(most)} |`),
  '',
  `Frames drawn while it computes in its worker, on \`webasm\`, over ${seconds} seconds, and milliseconds between two of them; and what a`,
  `frame takes of the processor in the thread that draws, of the 16.7 ms that there are. That is the page's own: what else runs is not in it.`,
  '',
  '| page | frames a second | ms, 99 % | ms, longest | ms of the processor |',
  '|---|---|---|---|---|',
  ...rows.frames.map(
    ([name, { rate, nearlyAll, most, drawing }]) =>
      `| ${name} | ${rate.toFixed(1)} | ${nearlyAll.toFixed(1)} | ${most.toFixed(1)} | ${drawing.toFixed(1)} |`
  ),
  '',
  `Samples a second of *Covers*, its chain of 10 steps as the page has it at first, one estimator at a time, drawing and the split by step included;`,
  `in brackets, of a second of the processor in its worker and threads${rows.emulated ? '. This machine has no GPU: its WebGPU is emulated on the processor, in a process of its own' : ''}:`,
  '',
  `| estimator | ${means.map((one) => named[one]).join(' | ')} |`,
  `|---|${means.map(() => '---|').join('')}`,
  ...rows.samples.map(([name, rates]) => `| \`${name}\` | ${rates.map(both(thousands)).join(' | ')} |`),
  '',
  'Steps a second of the other pages as they are at first, those of all lanes of *Points* added up, samples after each step of *Faces* included:',
  '',
  `| page | ${means.map((one) => named[one]).join(' | ')} |`,
  `|---|${means.map(() => '---|').join('')}`,
  ...rows.steps.map(([name, rates]) => `| ${name} | ${rates.map(both((x) => x.toFixed(2))).join(' | ')} |`),
  ''
]
writeFileSync(`${root}docs/results/playground.md`, text.join('\n'))
