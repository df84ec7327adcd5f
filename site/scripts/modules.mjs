/**
 * The public modules of the library, from the package's own list of what is closed.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

const closed = () => {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  return new Set(
    Object.entries(exports).flatMap(([name, { default: file }]) => (file === null ? [name.slice('./'.length)] : []))
  )
}

const files = (folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => `${folder}/${name}`)
    .sort()

/** How a module is imported: `src/chain/Chain.ts` is `chain/Chain`, and the `index.ts` of a room is the room. */
export const specifier = (file) =>
  file
    .replace(/^src\//, '')
    .replace(/\.ts$/, '')
    .replace(/(^|\/)index$/, '')

/** The files of all modules, from the folder of the repository. */
export const allModules = () => [...files('src'), ...files('laws')]

/** The files of the modules that may be imported, from the folder of the repository. */
export const publicModules = () => {
  const no = closed()
  // of the room of kernels only the room is public
  const open = (file) => !file.startsWith('src/kernel/') || file === 'src/kernel/index.ts'
  return allModules().filter((file) => open(file) && !file.endsWith('.gen.ts') && !no.has(specifier(file)))
}
