/**
 * A headless Chromium on a page that holds the library, with both GPU interfaces emulated on the processor.
 */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { build } from 'vite'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Two open pages with the same script: `page` is isolated from other origins and has `SharedArrayBuffer`, `bare` is not
 * and has none. `complaints` collects what went wrong in them outside of the code under test: shaders that did not
 * compile, lost devices, uncaught errors.
 */
export interface Browser {
  readonly page: Page
  readonly bare: Page
  readonly complaints: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// Chromium
// -------------------------------------------------------------------------------------

/** Where distributions put Chromium. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser to run: what `CHROMIUM` names, or where distributions put it. */
export const chromiumPath = (): string | undefined =>
  [process.env['CHROMIUM'] ?? '', ...places].find((path) => path !== '' && existsSync(path))

const flags = [
  // WebGPU and WebGL 2 by SwiftShader, on machines without a GPU
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-unsafe-swiftshader',
  // containers run tests as root
  '--no-sandbox',
  // no traffic of its own
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

// an empty icon, or the browser asks for one
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'

const bundle = (folder: string, entry: string): Promise<unknown> =>
  build({
    configFile: false,
    logLevel: 'error',
    // one copy of what the page and its libraries share
    resolve: { dedupe: ['@tensorflow/tfjs-core'] },
    build: {
      outDir: folder,
      lib: { entry, formats: ['es'], fileName: () => 'page.js' },
      minify: false,
      target: 'es2022'
    }
  })

const typeOf = (file: string): string => (file.endsWith('.wasm') ? 'application/wasm' : 'text/javascript')

/** Serves a folder on the loopback interface: an isolated page, and one that is not, at `/bare`. */
const serve = async (folder: string): Promise<readonly [url: string, server: Server]> => {
  const server = createServer(({ url = '/' }, response) => {
    if (url !== '/bare') {
      response.setHeader('Cross-Origin-Opener-Policy', 'same-origin')
      response.setHeader('Cross-Origin-Embedder-Policy', 'require-corp')
    }
    const file = readdirSync(folder).find((name) => url === `/${name}`)
    if (url === '/' || url === '/bare') response.setHeader('Content-Type', 'text/html').end(html)
    else if (file === undefined) response.writeHead(404).end()
    else response.setHeader('Content-Type', typeOf(file)).end(readFileSync(join(folder, file)))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port')
  return [`http://127.0.0.1:${address.port}/`, server]
}

const testPage = fileURLToPath(new URL('./page.ts', import.meta.url))

/** A page to open: its script, the global that it has when it is ready, and files that it asks for by their names. */
interface Opening {
  readonly entry: string
  readonly ready: string
  readonly beside: ReadonlyArray<string>
}

/** Bundles a page, serves it, and opens it until it has a global of a name. */
export const open = async (
  executablePath: string,
  { entry = testPage, ready = 'halforder', beside = [] }: Partial<Opening> = {}
): Promise<Browser> => {
  const folder = mkdtempSync(join(tmpdir(), 'halforder-browser-'))
  const opened: Array<() => Promise<unknown>> = [async () => rmSync(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).toReversed()) await end()
  }
  const complaints: Array<string> = []
  try {
    await bundle(folder, entry)
    for (const file of beside) copyFileSync(file, join(folder, basename(file)))
    const [url, server] = await serve(folder)
    opened.push(
      () =>
        new Promise((resolve) => {
          server.close(resolve)
        })
    )
    const browser = await chromium.launch({ executablePath, args: flags })
    opened.push(() => browser.close())
    const visit = async (address: string): Promise<Page> => {
      const page = await browser.newPage()
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text())
      })
      await page.goto(address)
      await page.waitForFunction((name) => name in globalThis, ready)
      return page
    }
    return { page: await visit(url), bare: await visit(`${url}bare`), complaints, close }
  } catch (error) {
    await close()
    throw new Error([String(error), ...complaints].join('\n'), { cause: error })
  }
}

/** Calls a function that a page's module has on `globalThis.halforder`. Numbers that JSON lacks are kept. */
export const callOn = (page: Page, name: string, args: ReadonlyArray<string | number>): Promise<unknown> =>
  page.evaluate(
    ([f, given]) => {
      const api: unknown = Reflect.get(globalThis, 'halforder')
      const called: unknown = typeof api === 'object' && api !== null ? Reflect.get(api, f) : undefined
      if (typeof called !== 'function') throw new Error(`the page has no function '${f}'`)
      const result: unknown = Reflect.apply(called, undefined, given)
      return result
    },
    [name, args] as const
  )
