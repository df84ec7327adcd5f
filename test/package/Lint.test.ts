import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './sources.js'

const Report = t.type({ diagnostics: t.array(t.type({ code: t.string, filename: t.string })) })

const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin', 'oxlint')

/** The rules that the repository's configuration reports in a folder, as `file rule`. */
const lint = (folder: string): ReadonlySet<string> => {
  // the overrides name folders from where the configuration lies
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  const run = spawnSync(process.execPath, [oxlint, '--format', 'json', '.'], { cwd: folder, encoding: 'utf8' })
  const decoded = Report.decode(JSON.parse(run.stdout))
  if (decoded._tag === 'Left') throw new Error(`oxlint did not answer with a report: ${run.stdout}${run.stderr}`)
  return new Set(decoded.right.diagnostics.map(({ code, filename }) => `${filename} ${code}`))
}

/** One file a rule of the house that must be refused, and one that must pass. */
const files: Readonly<Record<string, string>> = {
  'src/tensor/Any.ts': 'export const f = (a: any): unknown => a\n',
  'src/tensor/NonNull.ts': 'export const f = (a: ReadonlyArray<number>): number => a[0]!\n',
  'src/tensor/Ignore.ts': "// @ts-ignore\nexport const a: number = ''\n",
  'src/tensor/Random.ts': 'export const a: number = Math.random()\n',
  'src/tensor/Clock.ts': 'export const a: number = Date.now()\n',
  'src/tensor/Console.ts': "console.log('here')\n",
  'src/tensor/Window.ts': 'export const a: unknown = window\n',
  'src/tensor/Left.ts': "import { right } from './Right.js'\nexport const left = (): unknown => right\n",
  'src/tensor/Right.ts': "import { left } from './Left.js'\nexport const right = (): unknown => left\n",
  'test/Skip.test.ts': "import { test } from 'vitest'\ntest.skip('a', () => {})\n",
  'test/Only.test.ts': "import { test } from 'vitest'\ntest.only('a', () => {})\n",
  'laws/law/Random.ts': 'export const a: number = Math.random()\n',
  'laws/law/Clock.ts': 'export const a: number = Date.now()\n',
  'laws/law/Console.ts': "console.log('here')\n",
  'cli/edge/Console.ts': "console.log(Date.now(), Math.random(), 'here')\n",
  'cli/edge/Any.ts': 'export const f = (a: any): unknown => a\n',
  'src/tensor/Fine.ts': 'export const f = (a: number): number => a + 1\n'
}

describe('the lint configuration', () => {
  let folder = ''
  let found: ReadonlySet<string> = new Set()

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'halforder-lint-'))
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    found = lint(folder)
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test.each([
    ['src/tensor/Any.ts', 'typescript(no-explicit-any)'],
    ['src/tensor/NonNull.ts', 'typescript(no-non-null-assertion)'],
    ['src/tensor/Ignore.ts', 'typescript(ban-ts-comment)'],
    ['src/tensor/Random.ts', 'eslint(no-restricted-properties)'],
    ['src/tensor/Clock.ts', 'eslint(no-restricted-properties)'],
    ['src/tensor/Console.ts', 'eslint(no-console)'],
    ['laws/law/Random.ts', 'eslint(no-restricted-properties)'],
    ['laws/law/Clock.ts', 'eslint(no-restricted-properties)'],
    ['laws/law/Console.ts', 'eslint(no-console)'],
    ['cli/edge/Any.ts', 'typescript(no-explicit-any)'],
    ['src/tensor/Window.ts', 'eslint(no-restricted-globals)'],
    ['src/tensor/Left.ts', 'import(no-cycle)'],
    ['test/Skip.test.ts', 'vitest(no-disabled-tests)'],
    ['test/Only.test.ts', 'vitest(no-focused-tests)']
  ])('refuses %s by %s', (path, rule) => {
    expect([...found]).toContain(`${path} ${rule}`)
  })

  test.each(['cli/edge/Console.ts', 'src/tensor/Fine.ts'])('accepts %s', (path) => {
    expect([...found].filter((line) => line.startsWith(`${path} `))).toEqual([])
  })
})

describe('the sources', () => {
  test('have no `any`, and no value that is only said to be there', () => {
    const rules = [
      '--allow',
      'all',
      '--deny',
      'typescript/no-explicit-any',
      '--deny',
      'typescript/no-non-null-assertion'
    ]
    const folders = ['src', 'laws', 'cli', 'test']
    expect(() =>
      execFileSync(process.execPath, [oxlint, ...rules, ...folders], { cwd: root, encoding: 'utf8', stdio: 'pipe' })
    ).not.toThrow()
  })
})
