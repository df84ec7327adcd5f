/**
 * Builds the site into `dist/`: installs what it needs where that is not there, writes the API pages, and draws all pages. With
 * `SITE_QUICK=1` it is the playground alone, in `dist-quick/`.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('..', import.meta.url))
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const run = (command, args) =>
  execFileSync(command, args, { cwd: here, stdio: 'inherit', shell: command === 'npm.cmd' })

const installed = `${here}node_modules/.package-lock.json`
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(`${here}package-lock.json`).mtimeMs) {
  run(npm, ['ci'])
}
run(process.execPath, ['../scripts/tables.mjs'])
if (process.env.SITE_QUICK !== '1') run(process.execPath, ['scripts/api.mjs'])
run(process.execPath, ['node_modules/vitepress/bin/vitepress.js', 'build', '.'])
