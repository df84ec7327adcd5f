import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { afterAll, describe, expect, it } from 'vitest'
import { reportOf } from '../../../cli/command/report/Report.js'
import { view } from '../../../cli/command/view/View.js'
import { broken } from '../../../cli/edge/Failure.js'
import { showMetrics } from '../../../cli/edge/Metrics.js'
import { look } from '../../../cli/view/Folder.js'
import { type Answer, answer, listen, type Listening, type Reporting } from '../../../cli/view/Server.js'
import { captured, interrupt } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-view-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const line = (step: number): string =>
  showMetrics({
    step,
    rewardMean: -3 + step,
    rewardStandardError: 0.1,
    klMean: Number.NaN,
    objectiveMean: -3 + step,
    gradientNorm: 1 / step,
    skipped: 0,
    clippedShare: 0,
    seconds: step
  })

/** The folder of a run of 4 steps after its second. */
const runFolder = (name: string): string => {
  const folder = join(scratch, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ steps: 4, reward: 'glasses', seed: 1 }))
  writeFileSync(join(folder, 'metrics.jsonl'), line(1) + line(2))
  writeFileSync(join(folder, 'before.png'), 'pixels')
  writeFileSync(join(folder, 'model.safetensors.1.part'), 'half')
  return folder
}

/** A report that tells how often it was asked for. */
const counted = (): Reporting & { readonly asked: () => number } => {
  let asked = 0
  return Object.assign(
    () => {
      asked++
      return TE.right({ format: 1 as const, title: `asked ${asked}`, sections: [] })
    },
    { asked: () => asked }
  )
}

const real: Reporting = (path) => reportOf([path])

const at = (folder: string, address: string, reporting: Reporting = counted(), known?: string): Promise<Answer> =>
  answer(folder, address, { known, reportOf: reporting })

const textOf = async (folder: string, address: string, reporting?: Reporting): Promise<string> => {
  const { body } = await at(folder, address, reporting)
  return typeof body === 'string' ? body : `file ${body.file}`
}

describe('what is shown of a run', () => {
  it('is its report, and its files', async () => {
    const page = await textOf(runFolder('shown'), '/', real)
    expect(page).toContain('no process is in it, at step 2')
    expect(page).toContain('A fine-tune that raises <em>glasses</em>.')
    expect(page).toContain('<a href="files/metrics.jsonl">')
    expect(page).not.toContain('.part')
  })

  it('says that a process is in it, and what is not to be shown yet', async () => {
    const folder = runFolder('going')
    writeFileSync(join(folder, 'run.lock'), '{}')
    const page = await textOf(folder, '/now', real)
    expect(page).toContain('a process is in it, at step 2: what it writes is shown here')
    expect(page).not.toContain('run.lock')
    const fault = await textOf(folder, '/now', () => TE.left(broken('<half> a file')))
    expect(fault).toContain('not to be shown yet: &lt;half&gt; a file')
  })

  it('is drawn again only where something is new', async () => {
    const folder = runFolder('live')
    const reporting = counted()
    const first = await at(folder, '/now', reporting)
    const tag = first.headers['ETag'] ?? ''
    expect([first.status, reporting.asked()]).toEqual([200, 1])
    expect([(await at(folder, '/now', reporting, tag)).status, reporting.asked()]).toEqual([304, 1])
    appendFileSync(join(folder, 'metrics.jsonl'), line(3))
    const next = await at(folder, '/now', reporting, tag)
    expect([next.status, reporting.asked()]).toEqual([200, 2])
    expect(next.body).toContain('<h1>asked 2</h1>')
    writeFileSync(join(folder, 'run.lock'), '{}')
    expect((await at(folder, '/now', reporting, next.headers['ETag'])).status).toBe(200)
  })

  it('is no markup, whatever files are called', async () => {
    const folder = runFolder('hostile')
    writeFileSync(join(folder, `<img src=x onerror="alert('1')">.png`), '')
    expect(await textOf(folder, '/')).not.toContain('<img')
  })

  it('leads nowhere else', async () => {
    const folder = runFolder('closed')
    writeFileSync(join(scratch, 'secret.txt'), 'secret')
    mkdirSync(join(folder, 'below'))
    const addresses = ['/files/../secret.txt', '/files/%2e%2e%2fsecret.txt', '/files/below', '/../secret.txt', '/%']
    for (const address of addresses) expect([address, (await at(folder, address)).status]).toEqual([address, 404])
    expect(await textOf(folder, '/files/before.png')).toBe(`file ${join(folder, 'before.png')}`)
  })
})

describe('several, and pages', () => {
  it('are chosen from, the latest first', async () => {
    const folder = join(scratch, 'several')
    runFolder('several/one')
    mkdirSync(join(folder, 'no run'))
    expect(await textOf(folder, '/')).toContain('<a href="/of/one/">one</a>')
    expect(await textOf(folder, '/of/one/')).toContain('<h1>asked 1</h1>')
    expect(await textOf(folder, '/of/one/files/before.png')).toContain('before.png')
    for (const address of ['/of/two/', '/of/no run/', '/of/../', '/of/one/files/no'])
      expect((await at(folder, address)).status).toBe(404)
  })

  it('of reports are shown as they are, with their own scripts and styles and no others', async () => {
    const folder = join(scratch, 'report')
    mkdirSync(folder)
    writeFileSync(join(folder, 'report.html'), '<style>a{}</style><h1>A report</h1><script>1 + 1</script>')
    const { headers, body } = await at(folder, '/')
    expect(body).toContain('<h1>A report</h1>')
    // printf '1 + 1' | openssl dgst -sha256 -binary | base64
    expect(headers['Content-Security-Policy']).toContain(
      "script-src 'self' 'sha256-cvzllEegH0iLEWnS10JnnP4waol3LWf+8Bi8/pVDH2g='"
    )
    expect(headers['Content-Security-Policy']).toMatch(/style-src 'self' 'sha256-[^']+'/)
    expect(headers['Content-Security-Policy']).not.toContain('unsafe')
  })

  it('that are neither are refused', async () => {
    const folder = mkdtempSync(join(scratch, 'empty-'))
    expect(await look(folder)()).toEqual(
      E.left(
        `expected the folder of a run or of a study, one of such folders, or a page *.html, got ${folder}; give what finetune, study or report wrote`
      )
    )
  })
})

describe('the server', () => {
  const opened = async (folder: string): Promise<Listening> => {
    const made = await listen({ shown: folder, reportOf: counted() }, 0)()
    if (E.isLeft(made)) throw new Error(made.left.message)
    return made.right
  }
  const status = (url: string, host: string, method = 'GET'): Promise<number> =>
    new Promise((resolve, reject) => {
      request(url, { method, headers: { host } }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', reject)
        .end()
    })

  it('answers this machine by its own names alone, and only reads', async () => {
    const { url, close } = await opened(runFolder('served'))
    const { host } = new URL(url)
    expect(await status(url, host)).toBe(200)
    expect(await status(url, 'localhost')).toBe(200)
    expect(await status(url, 'evil.example')).toBe(403)
    expect(await status(url, `${host}.evil.example`)).toBe(403)
    expect(await status(url, host, 'POST')).toBe(405)
    const picture = await fetch(`${url}files/before.png`)
    expect([picture.headers.get('content-type'), await picture.text()]).toEqual(['image/png', 'pixels'])
    await close()
    await expect(fetch(url)).rejects.toThrow('fetch failed')
  })

  it('says that a port is taken', async () => {
    const { url, close } = await opened(runFolder('taken'))
    const port = new URL(url).port
    const { code, err } = await captured(() => view(runFolder('taken'), { port }))
    expect(code).toBe(2)
    expect(err).toContain(`halforder view: --port: expected one that is free, got ${port}`)
    await close()
  })
})

describe('halforder view', () => {
  it('says where to look, and ends with Ctrl-C', async () => {
    const folder = runFolder('command')
    interrupt()
    const { code, out, err } = await captured(() => view(folder, { port: '0' }))
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ shows .*command; Ctrl-C ends it\n$/)
  })

  it.each(['-1', '65536', 'x', ''])('refuses the port %j', async (port) => {
    const { code, err } = await captured(() => view(runFolder('ports'), { port }))
    expect(code).toBe(2)
    expect(err).toContain(`--port: expected a whole number from 0 to 65535, got ${port}`)
  })

  it('refuses a folder that is not there', async () => {
    const { code, err } = await captured(() => view(join(scratch, 'nowhere'), { port: '0' }))
    expect(code).toBe(2)
    expect(err).toMatch(/^halforder view: could not look at .*nowhere/)
  })
})
