/**
 * Every snippet of every page, and where it is run: one that is added must be added here, with its test.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { pipe } from 'fp-ts/lib/function.js'
import { decode } from '../../src/network/Record.js'
import * as Json from '../../src/document/Json.js'
import { readConfig } from '../../cli/command/ConfigOptions.js'
import { root } from '../package/sources.js'

/** The snippets of a page that are code, by language. */
const snippetsOf = (text: string): ReadonlyArray<readonly [language: string, code: string]> =>
  [...text.matchAll(/^```(ts|js|mjs|json|yaml|html|python)\n([\s\S]*?)^```/gm)].map(([, language = '', code = '']) => [
    language,
    code
  ])

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Where the snippets of a page are run, in their order: a file that has them as they stand, or the test that reads the page. */
const runs: Readonly<Record<string, ReadonlyArray<string>>> = {
  'README.md': ['test/readme/example.ts'],
  'CONTRIBUTING.md': new Array<string>(6).fill('test/docs/Contributing.test.ts'),
  'laws/README.md': ['test/docs/examples/laws/index.ts', 'test/docs/pages/laws.ts'],
  'docs/audit.md': ['test/audit/traces.py', 'test/audit/model.py'],
  'docs/extending-chains.md': new Array<string>(8).fill('test/docs/ExtendingChains.test.ts'),
  'docs/getting-started.md': [
    'test/docs/Snippets.test.ts',
    'test/docs/GettingStarted.test.ts',
    'test/docs/ExtendingChains.test.ts'
  ],
  'docs/in-a-page.md': ['site/test/View.test.ts', 'test/docs/ExtendingChains.test.ts'],
  'docs/own-denoiser.md': [
    'test/docs/Snippets.test.ts',
    'test/network/fixtures/onnx_files.py',
    ...new Array<string>(6).fill('test/docs/ExtendingChains.test.ts')
  ],
  'docs/studies.md': ['test/docs/pages/catalogue/Batches.ts'],
  'docs/verify-files.md': new Array<string>(8).fill('test/docs/VerifyFiles.test.ts'),
  'docs/your-own-task.md': ['docs/examples/points.mjs', 'test/docs/pages/ownTask.ts']
}

/** The pages of the repository that the site has too. */
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'cli/README.md',
  'laws/README.md',
  'src/kernel/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
]

describe('every snippet', () => {
  it.each(pages)('of %s has a place where it is run', (page) => {
    expect(snippetsOf(read(page))).toHaveLength(runs[page]?.length ?? 0)
  })

  const shown = Object.entries(runs).flatMap(([page, places]) =>
    places.flatMap((place, i) => (/\.(test\.ts|py)$/.test(place) ? [] : [[page, i, place] as const]))
  )
  it.each(shown)('of %s, number %d, is %s as it stands', (page, i, place) => {
    const [, code] = snippetsOf(read(page))[i] ?? ['', '']
    const text = read(place)
    const marked = /\/\/ the example\n([\s\S]*?)(?:\/\/ until here\n[\s\S]*)?$/.exec(text)?.[1] ?? text
    expect(marked).toBe(code)
  })

  it('of the laws holds', async () => {
    await expect(import('./pages/laws.js')).resolves.toBeDefined()
  })

  it('that is a study is one', async () => {
    const { batches } = await import('./pages/catalogue/Batches.js')
    expect(batches.name).toBe('batches')
  })

  it('that is an estimator of one’s own is read as one', async () => {
    const [, code] = snippetsOf(read('docs/getting-started.md')).find(([language]) => language === 'json') ?? ['', '']
    const folder = mkdtempSync(join(tmpdir(), 'halforder-snippets-'))
    const path = join(folder, 'mine.json')
    writeFileSync(path, code)
    const config = await readConfig({ estimator: path })()
    rmSync(folder, { recursive: true })
    expect(E.isRight(config) && config.right.config.estimator).toMatchObject({ name: 'cells' })
  })

  it('that is a record of what a model means is read as one', () => {
    const [, code] = snippetsOf(read('docs/own-denoiser.md'))[0] ?? ['', '']
    const record = pipe(Json.parse(code), E.flatMap(decode({ inputs: [] })))
    expect(record).toMatchObject({ right: { meaning: { prediction: 'epsilon' } } })
  })
})
