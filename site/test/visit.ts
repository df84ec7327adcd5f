/**
 * The built site in a headless Chromium, and what went wrong in it.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { chromium, type BrowserContext, type Page, type Response } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath } from '../../test/browser/browser.js'
import { flags } from '../scripts/browser.mjs'
import { server } from '../scripts/serve.mjs'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** How a page is opened: as on a phone, in the dark, and with what to be told of each answer. */
export interface Opening {
  readonly phone?: boolean
  readonly dark?: boolean
  readonly fresh?: boolean
  readonly onResponse?: (response: Response) => void
}

/**
 * `open` opens a page of the site; with `fresh` without a service worker. `complaints`: errors of pages, violations of their policy, and
 * requests to other hosts.
 */
export interface Visit {
  readonly url: string
  readonly open: (path: string, options?: Opening) => Promise<Page>
  readonly complaints: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** Is the playground alone built? */
export const quick = process.env['SITE_QUICK'] === '1'

// -------------------------------------------------------------------------------------
// visiting
// -------------------------------------------------------------------------------------

/** Serves the site, or what is at `given`, and starts a browser. */
export const visit = async (executablePath: string, given?: string): Promise<Visit> => {
  const served = server()
  await new Promise<void>((resolve) => {
    served.listen(0, '127.0.0.1', resolve)
  })
  const address = served.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const url = given ?? `http://127.0.0.1:${address.port}`
  const browser = await chromium.launch({ executablePath, args: [...flags] })
  const complaints: Array<string> = []
  const contexts: Array<BrowserContext> = []
  return {
    url,
    complaints,
    open: async (path, { phone = false, dark = false, fresh = false, onResponse } = {}) => {
      const context = await browser.newContext({
        viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
        hasTouch: phone,
        deviceScaleFactor: 1,
        colorScheme: dark ? 'dark' : 'light',
        // colours that are on their way are of no theme
        reducedMotion: 'reduce',
        serviceWorkers: fresh ? 'block' : 'allow'
      })
      contexts.push(context)
      const page = await context.newPage()
      page.on('pageerror', (error) => complaints.push(`${path}: ${String(error)}`))
      page.on('console', (message) => {
        // what this test does itself is no matter of the page's
        if (message.text().startsWith('Service Worker registration blocked by Playwright')) return
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${path}: ${message.text()}`)
      })
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
          complaints.push(`${path}: ${request.url()}`)
      })
      if (onResponse !== undefined) page.on('response', onResponse)
      await page.goto(url + path, { waitUntil: 'networkidle' })
      return page
    },
    close: async () => {
      for (const context of contexts) await context.close()
      await browser.close()
      served.close()
      served.closeAllConnections()
    }
  }
}

/** Tests in a browser, where there is one, and one that says so where there is none. They end with one that hears of complaints. */
export const inBrowser = (what: string, tests: (site: () => Visit) => void): void => {
  const installed = chromiumPath()
  test.each(installed === undefined ? ['chromium is not installed (apt-get install chromium)'] : [])(
    `skipped: ${what} in a browser, since %s`,
    () => {
      expect(chromiumPath()).toBeUndefined()
    }
  )
  describe.each(installed === undefined ? [] : [installed])(`${what} in %s`, (path) => {
    let there: Visit | undefined
    const site = (): Visit => {
      if (there === undefined) throw new Error('the site did not open')
      return there
    }
    beforeAll(async () => {
      there = await visit(path)
    })
    afterAll(() => there?.close())
    tests(site)
    test('had no complaints of the browser, and no requests to others', () => {
      expect(site().complaints).toEqual([])
    })
  })
}

// -------------------------------------------------------------------------------------
// looking
// -------------------------------------------------------------------------------------

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds, a line each. */
export const violations = async (page: Page): Promise<ReadonlyArray<string>> => {
  // scripts of the test are no matter of the page's policy
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`)))'
  )
  return Array.isArray(found) ? found.map(String) : ['axe did not answer']
}

/** Is a page wider than its window? */
export const isWide = async (page: Page): Promise<boolean> =>
  Boolean(await page.evaluate('document.documentElement.scrollWidth > innerWidth'))

/** What axe finds in the light, in the dark and at a phone's width, and whether something is cut off there. */
export const looks = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  const note = async (where: string): Promise<void> => {
    for (const one of await violations(page)) found.push(`${where}: ${one}`)
    if (await isWide(page)) found.push(`${where}: wider than its window`)
  }
  await note('light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.waitForTimeout(50)
  await note('dark')
  await page.setViewportSize({ width: 390, height: 844 })
  await page.waitForTimeout(100)
  await note('phone')
  return found
}

/** Counts what is sent, text compressed; pictures, which come as they are scrolled to, are not counted. */
export const scales = (): { readonly note: (response: Response) => void; readonly total: () => Promise<number> } => {
  const sizes: Array<Promise<number>> = []
  const sizeOf = async (response: Response): Promise<number> => {
    // what comes after the page is closed is nobody's
    const body = await response.body().catch(() => Buffer.alloc(0))
    return response.url().endsWith('.woff2') ? body.length : gzipSync(body).length
  }
  return {
    note: (response) => {
      if (!/\.(png|jpg|gif)$/.test(response.url())) sizes.push(sizeOf(response))
    },
    total: async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  }
}
