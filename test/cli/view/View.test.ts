import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { view } from '../../../cli/command/view/View.js'
import { showMetrics } from '../../../cli/edge/Metrics.js'
import { look } from '../../../cli/view/Folder.js'
import { answer, listen, type Listening } from '../../../cli/view/Server.js'
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

const textOf = async (folder: string, address: string): Promise<string> => {
  const { body } = await answer(folder, address)
  return typeof body === 'string' ? body : `file ${body.file}`
}

describe('what is shown of a run', () => {
  it('is where it is, its curves, pictures, configuration and files', async () => {
    const page = await textOf(runFolder('shown'), '/')
    expect(page).toContain('step 2 of 4; the run ended before its summary')
    expect(page).toContain('aria-label="mean of glasses, by batch by step: -1 at step 2"')
    expect(page).not.toContain('divergence from the base')
    expect(page).toMatch(/<img src="files\/before\.png\?\d+" alt="before\.png of the run">/)
    expect(page).toContain('<th scope="row">seed</th><td><code>1</code></td>')
    expect(page).toContain('<a href="files/metrics.jsonl">')
    expect(page).not.toContain('.part')
  })

  it('is going on while a process is in its folder, and says what the summary says when it is there', async () => {
    const folder = runFolder('going')
    writeFileSync(join(folder, 'run.lock'), '{}')
    expect(await textOf(folder, '/now')).toContain('going on: step 2 of 4, 2 s')
    rmSync(join(folder, 'run.lock'))
    const level = { mean: -1, standardError: 0.25, skipped: 0 }
    const standing = { ...level, heldOut: null, kl: null, objective: level, pairwiseDistance: 0.5, frechetToBase: 0 }
    writeFileSync(
      join(folder, 'summary.json'),
      JSON.stringify({ reward: 'log p', before: standing, after: standing, interrupted: true, warning: '<gamed>' })
    )
    const now = await textOf(folder, '/now')
    expect(now).toContain('stopped: step 2 of 4')
    expect(now).toContain('<th scope="row">log p</th><td>-1 ± 0.25</td>')
    expect(now).toContain('<p class="warning" role="note">&lt;gamed&gt;</p>')
    expect(now).not.toContain('KL to the base')
  })

  it('is asked for again only where something is new', async () => {
    const folder = runFolder('live')
    const first = await answer(folder, '/now')
    const tag = first.headers['ETag'] ?? ''
    expect(first.status).toBe(200)
    expect((await answer(folder, '/now', tag)).status).toBe(304)
    appendFileSync(join(folder, 'metrics.jsonl'), line(3))
    const next = await answer(folder, '/now', tag)
    expect(next.status).toBe(200)
    expect(next.body).toContain('step 3 of 4')
  })

  it('is no markup, whatever stands in the files', async () => {
    const folder = runFolder('hostile')
    const text = `<img src=x onerror="alert('1')">`
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ [text]: text, reward: text, steps: text }))
    writeFileSync(join(folder, `${text.replaceAll('/', '')}.png`), '')
    expect((await textOf(folder, '/')).match(/<img(?! src="files\/)/g)).toBeNull()
  })

  it('has faults of files said, and the rest shown', async () => {
    const folder = runFolder('damaged')
    appendFileSync(join(folder, 'metrics.jsonl'), '{"step":')
    writeFileSync(join(folder, 'summary.json'), '[]')
    const now = await textOf(folder, '/now')
    expect(now).toContain('metrics.jsonl, line 3: expected an object')
    expect(now).toContain('summary.json: expected a JSON object')
    expect(now).toContain('<summary>Configuration</summary>')
  })

  it('leads nowhere else', async () => {
    const folder = runFolder('closed')
    writeFileSync(join(scratch, 'secret.txt'), 'secret')
    mkdirSync(join(folder, 'below'))
    for (const address of [
      '/files/../secret.txt',
      '/files/%2e%2e%2fsecret.txt',
      '/files/below',
      '/../secret.txt',
      '/%'
    ]) {
      expect([address, (await answer(folder, address)).status]).toEqual([address, 404])
    }
    expect(await textOf(folder, '/files/before.png')).toBe(`file ${join(folder, 'before.png')}`)
  })
})

describe('several runs, and pages', () => {
  it('are chosen from, the latest first', async () => {
    const folder = join(scratch, 'several')
    runFolder('several/one')
    mkdirSync(join(folder, 'no run'))
    expect(await textOf(folder, '/')).toContain('<a href="/runs/one/">one</a>')
    expect(await textOf(folder, '/runs/one/')).toContain('<h1>one</h1>')
    expect(await textOf(folder, '/runs/one/files/before.png')).toContain('before.png')
    for (const address of ['/runs/two/', '/runs/no run/', '/runs/../', '/runs/one/files/no'])
      expect((await answer(folder, address)).status).toBe(404)
  })

  it('of reports are shown as they are, with their own scripts and no others', async () => {
    const folder = join(scratch, 'report')
    mkdirSync(folder)
    writeFileSync(join(folder, 'report.html'), '<h1>A report</h1><script>1 + 1</script>')
    const { headers, body } = await answer(folder, '/')
    expect(body).toContain('<h1>A report</h1>')
    // printf '1 + 1' | openssl dgst -sha256 -binary | base64
    expect(headers['Content-Security-Policy']).toContain(
      "script-src 'self' 'sha256-cvzllEegH0iLEWnS10JnnP4waol3LWf+8Bi8/pVDH2g='"
    )
    expect(headers['Content-Security-Policy']).not.toMatch(/script-src[^;]*unsafe/)
  })

  it('that are neither are refused', async () => {
    const folder = mkdtempSync(join(scratch, 'empty-'))
    expect(await look(folder)()).toEqual(
      E.left(
        `expected the folder of a run, one of such folders, or a page *.html, got ${folder}; give what finetune --out or report wrote`
      )
    )
  })
})

describe('the server', () => {
  const opened = async (folder: string): Promise<Listening> => {
    const made = await listen(folder, 0)()
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
