/**
 * Shows a folder on the loopback interface, to this machine alone.
 *
 * @since 0.1.0
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { basename, extname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { type Failure, file, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import type { Report } from '../report/Report.js'
import { look, type Seen, type SeenFolder } from './Folder.js'
import * as Page from './Page.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a folder becomes a report.
 *
 * @category model
 * @since 0.1.0
 */
export type Reporting = (folder: string) => Step<Report>

/**
 * What is shown: the path of a folder or a page, and how folders become reports.
 *
 * @category model
 * @since 0.1.0
 */
export interface Showing {
  readonly shown: string
  readonly reportOf: Reporting
}

/**
 * What is answered: a status, headers, and text, or a file to send.
 *
 * @category model
 * @since 0.1.0
 */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | { readonly file: string }
}

/**
 * A server that listens: at which address, and how to end it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Listening {
  readonly url: string
  readonly close: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// headers
// -------------------------------------------------------------------------------------

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.jsonl': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8'
}

/** What a page has in itself, by its hashes. */
interface Within {
  readonly scripts: ReadonlyArray<string>
  readonly styles: ReadonlyArray<string>
}

const nothingWithin: Within = { scripts: [], styles: [] }

/** Pages load what this server has, and run its one script, or what they have in themselves. */
const policy = ({ scripts, styles }: Within): string =>
  [
    "default-src 'none'",
    `script-src 'self'${scripts.map((hash) => ` '${hash}'`).join('')}`,
    `style-src 'self'${styles.map((hash) => ` '${hash}'`).join('')}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; ')

const headers = (type: string, within: Within = nothingWithin): Readonly<Record<string, string>> => ({
  'Content-Type': type,
  'Content-Security-Policy': policy(within),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-cache'
})

const html = (body: string, within?: Within): Answer => ({
  status: 200,
  headers: headers('text/html; charset=utf-8', within),
  body
})

const said = (status: number, body: string): Answer => ({ status, headers: headers('text/plain; charset=utf-8'), body })

const nothing = said(404, 'nothing is here\n')

const sha = (text: string): string => createHash('sha256').update(text).digest('base64')

// -------------------------------------------------------------------------------------
// answers
// -------------------------------------------------------------------------------------

/** What names what is shown: other files, or a process that came or went, give another name. */
const tagOf = ({ going, files }: SeenFolder): string =>
  `"${sha(JSON.stringify([going, files.map(({ name, bytes, written }) => [name, bytes, written])]))}"`

/** What is shown of a folder now. */
const shownOf = async (folder: SeenFolder, path: string, reportOf: Reporting): Promise<string> => {
  const report = await reportOf(path)()
  return E.isRight(report) ? Page.ofFolder(folder, report.right) : Page.ofFault(folder, report.left.message)
}

const ofFolder = async (
  folder: SeenFolder,
  path: string,
  rest: string,
  { known, reportOf }: Asked
): Promise<Answer> => {
  if (rest === '') return html(Page.page(`${folder.name}, halforder`, await shownOf(folder, path, reportOf)))
  if (rest === 'now') {
    const tag = tagOf(folder)
    const own = { ...headers('text/html; charset=utf-8'), ETag: tag }
    return known === tag
      ? { status: 304, headers: own, body: '' }
      : { status: 200, headers: own, body: await shownOf(folder, path, reportOf) }
  }
  // only what the folder lists is sent, so no name leads out of it
  const name = rest.startsWith('files/') ? rest.slice('files/'.length) : undefined
  const found = folder.files.find((one) => one.name === name)
  if (found === undefined) return nothing
  return {
    status: 200,
    headers: headers(types[extname(found.name)] ?? 'application/octet-stream'),
    body: { file: join(path, found.name) }
  }
}

/** A page as its writer left it: its own scripts run, by what they are, and nothing else does. */
const ofPage = async (path: string, rest: string): Promise<Answer> => {
  if (rest !== '') return nothing
  const bytes = await file(Files.read(path))()
  if (E.isLeft(bytes)) return said(500, `${bytes.left.message}\n`)
  const text = new TextDecoder().decode(bytes.right)
  const hashes = (tag: string): ReadonlyArray<string> => [
    ...new Set(
      [...text.matchAll(new RegExp(`<${tag}(?![^>]*\\bsrc=)[^>]*>([\\s\\S]*?)</${tag}>`, 'g'))].map(
        ([, own = '']) => `sha256-${sha(own)}`
      )
    )
  ]
  return html(text, { scripts: hashes('script'), styles: hashes('style') })
}

const assets: Readonly<Record<string, Answer>> = {
  '/view.css': { status: 200, headers: headers('text/css; charset=utf-8'), body: Page.style },
  '/view.js': { status: 200, headers: headers('text/javascript; charset=utf-8'), body: Page.script }
}

const decoded = (path: string): string | undefined => {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

/** What an asker has already, by its name, and how folders are read. */
interface Asked {
  readonly known: string | undefined
  readonly reportOf: Reporting
}

/**
 * The answer for an address below what is shown, `/` being the folder itself.
 *
 * @category effects
 * @since 0.1.0
 */
export const answer = async (shown: string, address: string, asked: Asked): Promise<Answer> => {
  const path = decoded(address.split('?')[0] ?? '/')
  if (path === undefined) return nothing
  const asset = assets[path]
  if (asset !== undefined) return asset
  const seen = await look(shown)()
  if (E.isLeft(seen)) return said(404, `${seen.left}\n`)
  return within(seen.right, shown, path.slice(1), asked)
}

const within = async (seen: Seen, path: string, rest: string, asked: Asked): Promise<Answer> => {
  switch (seen._tag) {
    case 'One':
      return ofFolder(seen.folder, path, rest, asked)
    case 'Page':
      return ofPage(seen.file, rest)
    case 'Several': {
      if (rest === '')
        return html(Page.page(`${basename(path)}, halforder`, Page.ofSeveral(basename(path), seen.names)))
      const [, name, below] = /^of\/([^/]+)\/(.*)$/.exec(rest) ?? []
      if (name === undefined || below === undefined || !seen.names.includes(name)) return nothing
      const one = await look(join(path, name))()
      return E.isRight(one) && one.right._tag === 'One'
        ? ofFolder(one.right.folder, join(path, name), below, asked)
        : nothing
    }
  }
}

// -------------------------------------------------------------------------------------
// the server
// -------------------------------------------------------------------------------------

/** A page of another host that has a name for this one may not read what is here. */
const hosts = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

const send = async (
  { shown, reportOf }: Showing,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> => {
  if (!hosts.test(request.headers.host ?? '')) return void response.writeHead(403).end()
  if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end()
  const known = request.headers['if-none-match']
  const { status, headers: own, body } = await answer(shown, request.url ?? '/', { known, reportOf })
  response.writeHead(status, own)
  if (request.method === 'HEAD' || status === 304) return void response.end()
  if (typeof body === 'string') return void response.end(body)
  createReadStream(body.file)
    .on('error', () => response.destroy())
    .pipe(response)
}

const ending = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/**
 * Listens on a port of the loopback interface; 0 takes one that is free. Left: it is taken, or may not be had.
 *
 * @category effects
 * @since 0.1.0
 */
export const listen =
  (showing: Showing, port: number): TE.TaskEither<Failure, Listening> =>
  () =>
    new Promise((resolve) => {
      const server = createServer((request, response) => {
        send(showing, request, response).catch(() => response.destroy())
      })
      server.once('error', (error) =>
        resolve(
          E.left(
            usage(
              `--port: expected one that is free, got ${port} (${error.message}); give another, or 0 for any that is free`
            )
          )
        )
      )
      server.listen(port, '127.0.0.1', () => {
        const at = server.address()
        const found = at === null || typeof at === 'string' ? port : at.port
        resolve(E.right({ url: `http://127.0.0.1:${found}/`, close: () => ending(server) }))
      })
    })
