/**
 * A headless Chromium on a page that holds the library, both GPU interfaces emulated on the processor.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { build } from 'vite'

/** Where distributions put Chromium; `CHROMIUM` names another place. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const executable = (): string | undefined => [process.env['CHROMIUM'] ?? '', ...places].find((path) => path !== '' && existsSync(path))

const flags = [
  // no GPU is needed: WebGPU and WebGL 2 run on SwiftShader
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  // tests may run as root in a container
  '--no-sandbox',
  // no traffic of its own
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

// an empty icon, which the browser would ask for
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'

export interface Browser {
  readonly page: Page
  /** what went wrong in the page outside of the code under test: failed shaders, lost devices, uncaught errors */
  readonly complaints: Array<string>
  readonly close: () => Promise<void>
}

/** Bundles `page.ts`, serves it on the loopback interface, and opens it. */
export const open = async (executablePath: string): Promise<Browser> => {
  const folder = mkdtempSync(join(tmpdir(), 'halforder-browser-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      lib: { entry: fileURLToPath(new URL('./page.ts', import.meta.url)), formats: ['es'], fileName: () => 'page.js' },
      minify: false,
      target: 'es2022'
    }
  })
  const server = createServer((request, response) => {
    // an isolated page has SharedArrayBuffer
    response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
    response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    const { url = '/' } = request
    const file = readdirSync(folder).find((name) => url === `/${name}`)
    if (url === '/') response.setHeader('Content-Type', 'text/html').end(html)
    else if (file === undefined) response.writeHead(404).end()
    else response.setHeader('Content-Type', 'text/javascript').end(readFileSync(join(folder, file)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const browser = await chromium.launch({ executablePath, args: flags })
  const page = await browser.newPage()
  const complaints: Array<string> = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.waitForFunction(() => 'halforder' in globalThis, undefined, { timeout: 20_000 }).catch((error: unknown) => {
    throw new Error([String(error), ...complaints].join('\n'))
  })
  return {
    page,
    complaints,
    close: async () => {
      await browser.close()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
