/**
 * The built site in a headless Chromium, and what went wrong in it.
 */
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { chromium, type BrowserContext, type Page, type Response } from 'playwright-core'
import { server } from '../scripts/serve.mjs'

/**
 * `open` opens a page of the site. `weigh`: bytes that a first visit to a page takes, text compressed; pictures, which come as they are
 * scrolled to, are not counted. `complaints`: errors of pages, violations of their policy, and requests to other hosts.
 */
export interface Visit {
  readonly url: string
  readonly open: (path: string, options?: { readonly phone?: boolean; readonly dark?: boolean }) => Promise<Page>
  readonly weigh: (path: string) => Promise<number>
  readonly complaints: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

const flags = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

/** Serves the site and starts a browser. */
export const visit = async (executablePath: string): Promise<Visit> => {
  const served = server()
  await new Promise<void>((resolve) => {
    served.listen(0, '127.0.0.1', resolve)
  })
  const { port } = served.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const browser = await chromium.launch({ executablePath, args: flags })
  const complaints: Array<string> = []
  const contexts: Array<BrowserContext> = []
  return {
    url,
    complaints,
    open: async (path, { phone = false, dark = false } = {}) => {
      const context = await browser.newContext({
        viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
        hasTouch: phone,
        deviceScaleFactor: 1,
        colorScheme: dark ? 'dark' : 'light'
      })
      contexts.push(context)
      const page = await context.newPage()
      page.on('pageerror', (error) => complaints.push(`${path}: ${String(error)}`))
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${path}: ${message.text()}`)
      })
      page.on('request', (request) => {
        if (!request.url().startsWith(url) && !/^(data|blob):/.test(request.url()))
          complaints.push(`${path}: ${request.url()}`)
      })
      await page.goto(url + path, { waitUntil: 'networkidle' })
      return page
    },
    weigh: async (path) => {
      const context = await browser.newContext({ serviceWorkers: 'block' })
      const page = await context.newPage()
      const sizes: Array<Promise<number>> = []
      const sizeOf = async (response: Response): Promise<number> => {
        // what comes after the page is closed is nobody's
        const body = await response.body().catch(() => Buffer.alloc(0))
        return response.url().endsWith('.woff2') ? body.length : gzipSync(body).length
      }
      page.on('response', (response) => {
        if (!/\.(png|jpg|gif)$/.test(response.url())) sizes.push(sizeOf(response))
      })
      await page.goto(url + path, { waitUntil: 'networkidle' })
      const total = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
      await context.close()
      return total
    },
    close: async () => {
      for (const context of contexts) await context.close()
      await browser.close()
      served.close()
      served.closeAllConnections()
    }
  }
}
