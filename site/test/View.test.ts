/**
 * What is looked at in a browser beside the site: the viewer of runs, and a page of one's own.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { build } from 'vite'
import { afterAll, expect, test } from 'vitest'
import { showMetrics } from '../../cli/edge/Metrics.js'
import { reportOf } from '../../cli/command/report/Report.js'
import { listen } from '../../cli/view/Server.js'
import { chromiumPath } from '../../test/browser/browser.js'
import { report } from '../../test/docs/snippets/page.js'
import { root } from '../scripts/modules.mjs'
import { looks, visit } from './visit.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-site-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const installed = chromiumPath()

const line = (step: number): string =>
  showMetrics({
    step,
    rewardMean: -3 + 0.1 * step,
    rewardStandardError: 0.1,
    klMean: 0.1 * step,
    objectiveMean: -3,
    gradientNorm: 1,
    skipped: 0,
    clippedShare: 0,
    seconds: step
  })

test.skipIf(installed === undefined)(
  'a run is shown while it goes on, and the viewer says when it has ended',
  async () => {
    const folder = mkdtempSync(join(scratch, 'run-'))
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ steps: 9, reward: 'glasses', kl: { beta: 0.5 } }))
    writeFileSync(join(folder, 'metrics.jsonl'), [1, 2, 3].map(line).join(''))
    writeFileSync(join(folder, 'before.png'), readFileSync(`${root}docs/results/glasses.png`))
    writeFileSync(join(folder, 'run.lock'), '{}')
    const opened = await listen({ shown: folder, reportOf: (path) => reportOf([path]) }, 0)()
    if (E.isLeft(opened)) throw new Error(opened.left.message)
    const there = await visit(installed ?? '', opened.right.url.replace(/\/$/, ''))
    const page = await there.open('/')
    const state = page.locator('[role=status]')
    expect(await state.innerText()).toBe('a process is in it, at step 3: what it writes is shown here')
    expect(await page.locator('svg').count()).toBe(3)
    expect(await page.evaluate('[...document.images].every((one) => one.naturalWidth > 0)')).toBe(true)
    await page.locator('summary').first().click()
    appendFileSync(join(folder, 'metrics.jsonl'), line(4))
    await page.getByText('a process is in it, at step 4').waitFor({ timeout: 10_000 })
    // what was open is open
    expect(await page.locator('details[open]').count()).toBe(1)
    expect(await looks(page)).toEqual([])
    expect(there.complaints).toEqual([])
    await opened.right.close()
    await page.getByText('(the viewer has ended)').waitFor({ timeout: 15_000 })
    await there.close()
  }
)

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

test.skipIf(installed === undefined)('the page of one’s own says what Node says, under a policy', async () => {
  const folder = mkdtempSync(join(scratch, 'own-'))
  const text = readFileSync(`${root}docs/in-a-page.md`, 'utf8')
  const snippet = (language: string): string =>
    new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ''
  writeFileSync(join(folder, 'index.html'), snippet('html'))
  writeFileSync(join(folder, 'mine.ts'), snippet('ts'))
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    resolve: {
      alias: [
        { find: /^halforder\/([a-z]+)$/, replacement: `${root}src/$1/index.ts` },
        { find: /^fp-ts\//, replacement: `${root}node_modules/fp-ts/` }
      ]
    },
    build: { target: 'es2022', chunkSizeWarningLimit: 2000, modulePreload: false }
  })
  const server = createServer(({ url = '/' }, response) => {
    const path = join(folder, 'dist', url === '/' ? 'index.html' : url)
    response.setHeader('Content-Type', types[extname(path)] ?? 'text/plain')
    response.setHeader(
      'Content-Security-Policy',
      "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'"
    )
    response.end(readFileSync(path))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const there = await visit(installed ?? '', `http://127.0.0.1:${address.port}`)
  const page = await there.open('/')
  await page.locator('#report', { hasText: 'The gradient is' }).waitFor({ timeout: 60_000 })
  const found = await report()
  expect(await page.locator('#report').textContent()).toBe(E.isRight(found) ? found.right : found.left)
  expect(there.complaints).toEqual([])
  await there.close()
  server.close()
  server.closeAllConnections()
})
