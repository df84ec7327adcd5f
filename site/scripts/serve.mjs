/**
 * Serves `dist/` as a static host would, and isolated from other origins, so that kernels may share memory between threads.
 *
 *     node scripts/serve.mjs [--port 4173]
 */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, normalize, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = resolve(
  fileURLToPath(new URL(process.env.SITE_QUICK === '1' ? '../dist-quick' : '../dist', import.meta.url))
)

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.safetensors': 'application/octet-stream',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2'
}

const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer'
}

/** Of workers, whose own policy counts; pages have theirs in them. */
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self' blob:"

const isFile = (path) => existsSync(path) && statSync(path).isFile()

/** The file for an address: `/errata` is `errata.html`, and `/api/` is `api/index.html`. */
const fileFor = (address) => {
  const path = resolve(folder, `.${normalize(decodeURIComponent(new URL(address, 'http://localhost').pathname))}`)
  if (path !== folder && !path.startsWith(folder + sep)) return undefined
  return [path, `${path}.html`, `${path}${sep}index.html`].find(isFile)
}

/** A server of the site. */
export const server = () =>
  createServer((request, response) => {
    const found = (() => {
      try {
        return fileFor(request.url ?? '/')
      } catch {
        return undefined
      }
    })()
    const file = found ?? `${folder}${sep}404.html`
    const type = types[extname(file)] ?? 'application/octet-stream'
    const scripted = extname(file) === '.js' ? { 'Content-Security-Policy': policy } : {}
    const kept = file.includes(`${sep}assets${sep}`) ? 'public, max-age=31536000, immutable' : 'no-cache'
    response.writeHead(found === undefined ? 404 : 200, {
      ...headers,
      ...scripted,
      'Content-Type': type,
      'Content-Length': statSync(file).size,
      'Cache-Control': kept
    })
    if (request.method === 'HEAD') response.end()
    else createReadStream(file).pipe(response)
  })

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!existsSync(folder)) {
    console.error('there is no site yet: run npm run site')
    process.exit(1)
  }
  const at = process.argv.indexOf('--port')
  const port = at < 0 ? 4173 : Number(process.argv[at + 1])
  server().listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/`))
}
