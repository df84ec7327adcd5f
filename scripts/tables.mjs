/**
 * Writes the tables of folders in which each file is one entry, so that adding an entry is adding a file, to the folder or to
 * one in it that is a kind of entries. A folder's `All.gen.ts` exports every file as a namespace, and flat what bears the file's own name: of `Dense.ts`, `dense`. In a
 * folder with rows it is the files with a `row` (or some `rows`), and it has them as a tuple, so that their names stay
 * literal types.
 *
 * Git does not know the tables. Every npm script and `vitest.config.ts` write them first; a table that is right is not
 * touched.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The folders, and the name of the tuple where there are rows. */
export const folders = [
  { folder: 'src/chain/sampler', rows: 'samplers' },
  { folder: 'src/estimator/catalogue', rows: 'estimators' },
  { folder: 'src/lens/layer' },
  { folder: 'src/network/operator', rows: 'operators' },
  { folder: 'src/reward' }
]

const isEntry = (name) => /^([a-z]\w*\/)?[A-Z]\w*\.ts$/.test(name)
const exportsConst = (text, name) => new RegExp(`^export const ${name}\\b`, 'm').test(text)
const lower = (name) => name.slice(0, 1).toLowerCase() + name.slice(1)

/** The rows that a file adds to the tuple, if it has some. */
const rowOf = ({ name, text }) => {
  if (exportsConst(text, 'row')) return [`${name}.row`]
  return exportsConst(text, 'rows') ? [`...${name}.rows`] : []
}

/** The table of some files, by name. */
export const table = (files, rows) => {
  const entries = Object.entries(files)
    .filter(([name]) => isEntry(name))
    .map(([file, text]) => ({
      name: file.slice(file.indexOf('/') + 1, -'.ts'.length),
      from: file.slice(0, -'.ts'.length),
      text
    }))
    .filter((entry) => rows === undefined || rowOf(entry).length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const flat = entries.filter(({ name, text }) => exportsConst(text, lower(name)))
  return [
    '/**\n * Every entry of this folder. Written by `scripts/tables.mjs`.\n *\n * @since 0.1.0\n */\n',
    ...entries.map(({ name, from }) => `import * as ${name} from './${from}.js'\n`),
    `\nexport { ${entries.map(({ name }) => name).join(', ')} }\n`,
    ...flat.map(({ name, from }) => `export { ${lower(name)} } from './${from}.js'\n`),
    rows === undefined
      ? ''
      : `\n/**\n * The rows of this folder.\n *\n * @category table\n * @since 0.1.0\n */\nexport const ${rows} = [${entries.flatMap(rowOf).join(', ')}] as const\n`
  ].join('')
}

/** The entries of a folder, by their paths in it. */
export const filesOf = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .map((name) => name.split(sep).join('/'))
    .filter(isEntry)

for (const { folder, rows } of folders) {
  const path = join(root, folder)
  const text = table(
    Object.fromEntries(filesOf(folder).map((name) => [name, readFileSync(join(path, name), 'utf8')])),
    rows
  )
  const file = join(path, 'All.gen.ts')
  if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
}
