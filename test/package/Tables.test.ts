import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesOf, folders, table } from '../../scripts/tables.mjs'
import { root } from './sources.js'

describe('the table of a folder', () => {
  const files = {
    'Zeta.ts': 'export const zeta = 1\nexport const row = { name: "z" }\n',
    'Alpha.ts': 'export const other = 1\nexport const rows = [1, 2]\n',
    'Helper.ts': 'export const helper = 1\nexport const rowOf = 2\n  export const row = 3\n',
    'All.gen.ts': 'export const row = 1\n',
    'Zeta.test.ts': 'export const row = 1\n'
  }

  it('has the files with rows, their own functions, and the rows as a tuple', () => {
    expect(table(files, 'things')).toBe(
      [
        '/**',
        ' * Every entry of this folder. Written by `scripts/tables.mjs`.',
        ' *',
        ' * @since 0.1.0',
        ' */',
        "import * as Alpha from './Alpha.js'",
        "import * as Zeta from './Zeta.js'",
        '',
        'export { Alpha, Zeta }',
        "export { zeta } from './Zeta.js'",
        '',
        '/**',
        ' * The rows of this folder.',
        ' *',
        ' * @category table',
        ' * @since 0.1.0',
        ' */',
        'export const things = [...Alpha.rows, Zeta.row] as const',
        ''
      ].join('\n')
    )
  })

  it('has those of the kinds in it', () => {
    const text = table({ 'near/Zeta.ts': files['Zeta.ts'], 'Alpha.ts': files['Alpha.ts'] }, 'things')
    expect(text).toContain("import * as Alpha from './Alpha.js'\nimport * as Zeta from './near/Zeta.js'\n")
    expect(text).toContain("export { zeta } from './near/Zeta.js'\n")
  })

  it('has every file where there are no rows', () => {
    expect(table(files)).toContain("\nexport { Alpha, Helper, Zeta }\nexport { helper } from './Helper.js'\n")
  })

  it.each(folders)('$folder has one, as its files are now, which git does not know', ({ folder, rows }) => {
    const names = filesOf(folder)
    const now = Object.fromEntries(names.map((name) => [name, readFileSync(join(root, folder, name), 'utf8')]))
    expect(readFileSync(join(root, folder, 'All.gen.ts'), 'utf8')).toBe(table(now, rows))
    expect(readFileSync(join(root, '.gitignore'), 'utf8').split('\n')).toContain('*.gen.ts')
  })

  it('is written before anything reads it', () => {
    // npm skips pre- and post-scripts where `ignore-scripts` is set, as .npmrc does here
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const [name, script] of Object.entries(scripts)) {
      if (!/\b(?:tsc|oxlint)\b/.test(script)) continue
      expect(`${name}: ${script}`).toContain(`${name}: node scripts/tables.mjs && `)
    }
    expect(readFileSync(join(root, 'vitest.config.ts'), 'utf8')).toContain("\nimport './scripts/tables.mjs'\n")
  })
})
