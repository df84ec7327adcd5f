/**
 * Both packages as a stranger installs them: packed, and installed by npm in projects that have nothing else. Needs the npm
 * registry; where it can not be reached, the tests of what was installed are skipped and say so.
 */
import { type ExecFileException, execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { decode as decodePng } from 'fast-png'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest'
import { decode, output, packages, scratch, type Tarball } from './packed.js'

const { folder, remove } = scratch('install')

/** A project into which something was installed, or why it could not be. */
type Project =
  | { readonly _tag: 'Installed'; readonly path: string }
  | { readonly _tag: 'Offline'; readonly reason: string }

const unreachable = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/

/** What gpu.js would bring for headless OpenGL has to be compiled, and is optional. */
const bare = ['--omit=optional']

const install = async (
  name: string,
  tarballs: ReadonlyArray<Tarball>,
  flags: ReadonlyArray<string>
): Promise<Project> => {
  const path = join(folder, name)
  await mkdir(path)
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name, type: 'module', private: true }))
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1']
  const args = ['install', ...quiet, ...flags, ...tarballs.map((tarball) => tarball.path)]
  return new Promise((resolve, reject) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void => {
      const code = unreachable.exec(stderr)?.[0]
      if (error === null) resolve({ _tag: 'Installed', path })
      else if (code !== undefined) resolve({ _tag: 'Offline', reason: `the npm registry can not be reached: ${code}` })
      else reject(new Error(`npm ${args.join(' ')}:\n${stdout}${stderr}`))
    }
    execFile('npm', args, { cwd: path, encoding: 'utf8', shell: process.platform === 'win32' }, done)
  })
}

/** The folder of a project, or the end of the test where npm could not make it. */
const ready = (project: Project | undefined, context: TestContext): string => {
  if (project?._tag === 'Installed') return project.path
  context.skip(project?.reason ?? 'nothing was installed')
  return ''
}

interface Everything {
  readonly library: Tarball
  readonly program: Tarball
  readonly alone: Project
  readonly both: Project
}

const everything = async (): Promise<Everything> => {
  const packed = packages(folder)
  const { library } = packed
  // the one is installed while the other is compiled
  const waiting = install('alone', [library], bare)
  const program = packed.program()
  const both = await install('both', [library, program], [])
  return { library, program, alone: await waiting, both }
}

describe('both packages, packed and installed', () => {
  let made: Everything | undefined

  beforeAll(async () => {
    made = await everything()
  }, 300_000)

  afterAll(remove)

  test('the tarball of the library is below 1 MB', () => {
    expect(made?.library.size).toBeLessThan(1e6)
  })

  test('the tarball of the library has what is compiled of its sources, with their comments, its README and its licence, and nothing else', () => {
    const files = made?.library.files ?? []
    const other = files.filter((path) => !/^dist\/(?:src|laws)\/.+\.(?:d\.ts|js)$/.test(path))
    expect(other.sort()).toEqual(['CITATION.cff', 'LICENSE', 'README.md', 'package.json'])
    const modules = files.filter((path) => path.endsWith('.js'))
    const undeclared = modules.filter((path) => !files.includes(path.replace(/\.js$/, '.d.ts')))
    expect([modules.length > 300, undeclared]).toEqual([true, []])
    expect(files.filter((path) => /\.test(?:-d)?\./.test(path))).toEqual([])
  })

  test('the tarball of the program has its entry, what it loads, its weights, its README and its licence', () => {
    const files = made?.program.files ?? []
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'bin/halforder.js', 'dist/main.js', 'package.json'])
    )
    expect(files.filter((path) => path.startsWith('assets/')).length).toBeGreaterThan(8)
    expect(files.filter((path) => path.endsWith('.map'))).toEqual([])
    expect(files.filter((path) => !/^(?:assets|bin|dist)\/|^(?:LICENSE|README\.md|package\.json)$/.test(path))).toEqual(
      []
    )
  })

  test('no file of the library mentions the faces of the program', (context) => {
    const library = join(ready(made?.alone, context), 'node_modules', 'halforder')
    const mentions = readdirSync(library, { recursive: true, encoding: 'utf8' })
      .filter((path) => statSync(join(library, path)).isFile() && path !== 'README.md')
      .filter((path) => /\bfaces?\b/i.test(readFileSync(join(library, path), 'utf8')))
    expect(mentions).toEqual([])
  })

  test('the library alone brings at most 12 packages, itself included', (context) => {
    const modules = join(ready(made?.alone, context), 'node_modules')
    const found = readdirSync(modules)
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) =>
        name.startsWith('@') ? readdirSync(join(modules, name)).map((one) => `${name}/${one}`) : name
      )
    expect(found).toEqual(expect.arrayContaining(['fflate', 'fp-ts', 'gpu.js', 'halforder', 'io-ts']))
    expect(found.length).toBeLessThanOrEqual(12)
  })

  test('the ten lines of the README that was packed run, and give a gradient of every parameter', (context) => {
    const project = ready(made?.alone, context)
    const readme = readFileSync(join(project, 'node_modules', 'halforder', 'README.md'), 'utf8')
    const lines = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    writeFileSync(join(project, 'lines.mjs'), lines)
    writeFileSync(
      join(project, 'main.mjs'),
      `import { gradient } from './lines.mjs'
const { right } = await gradient()
const leaves = Object.values(right.gradient)
const finite = leaves.every(({ data }) => data.every(Number.isFinite))
console.log(JSON.stringify({ rewards: right.rewards.length, leaves: leaves.length, finite }))
`
    )
    const said = decode(
      t.type({ rewards: t.number, leaves: t.number, finite: t.boolean }),
      output(process.execPath, ['main.mjs'], project)
    )
    expect(said.rewards).toBe(8)
    expect(said.leaves).toBeGreaterThan(10)
    expect(said.finite).toBe(true)
  })

  test('what a room keeps to itself can not be imported, and what it exports can', (context) => {
    const project = ready(made?.alone, context)
    const found = (specifier: string): string =>
      output(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `console.log(await import('${specifier}').then(() => 'there', ({ code }) => code))`
        ],
        project
      ).trim()
    expect(found('halforder/tensor/Shape')).toBe('there')
    expect(found('halforder/tensor')).toBe('there')
    for (const inside of ['tensor/Node', 'kernel/GpuJs', 'dist/src/index.js', 'src/index.ts', 'laws/mutants/Others']) {
      expect([inside, found(`halforder/${inside}`)]).toEqual([inside, 'ERR_PACKAGE_PATH_NOT_EXPORTED'])
    }
  })

  test('the program draws a picture', (context) => {
    const project = ready(made?.both, context)
    const args = ['sample', '--task', 'points', '--count', '4', '--out', 'x.png']
    expect(output('npx', ['--no-install', 'halforder', ...args], project)).toBe(
      '4 of ddim(eta = 1), 50 steps, in x.png\n'
    )
    const { width, height } = decodePng(readFileSync(join(project, 'x.png')))
    expect([width, height]).toEqual([1440, 720])
  })

  test('the weights can be found by others', (context) => {
    const project = ready(made?.both, context)
    const find = "console.log(import.meta.resolve('halforder-cli/assets/moons.safetensors'))"
    const url = output(process.execPath, ['--input-type=module', '-e', find], project).trim()
    expect(existsSync(new URL(url))).toBe(true)
  })
})
