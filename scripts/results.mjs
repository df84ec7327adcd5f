// Publishes studies: node scripts/results.mjs [FOLDER...] copies the page, the lines and the plots of each study below the folders (studies/ by
// default) into docs/results/studies, and writes docs/results/README.md, the table of claims, from the lines there.
import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const to = join(root, 'docs/results/studies')
const from = process.argv.length > 2 ? process.argv.slice(2) : ['studies']

mkdirSync(to, { recursive: true })
for (const folder of from.flatMap((one) => readdirSync(one).map((name) => join(one, name)))) {
  if (!existsSync(join(folder, 'study.json')) || folder.endsWith('-quick')) continue
  const names = readdirSync(folder)
  // a study that is not done has no page
  if (!names.some((name) => name.endsWith('.md'))) continue
  for (const name of names)
    if (/\.(md|jsonl|png)$/.test(name) && statSync(join(folder, name)).isFile())
      copyFileSync(join(folder, name), join(to, name))
}
const program = join(root, 'cli/bin/halforder.js')
writeFileSync(join(root, 'docs/results/README.md'), execFileSync(process.execPath, [program, 'study', '--claims', to]))
