/**
 * Both packages as they are published: compiled and packed in a copy of the checkout, so that nothing in the checkout is
 * written to and nothing that was compiled before counts.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as t from 'io-ts'
import { root } from './sources.js'

/** What a program wrote to stdout; a failure tells both streams. */
export const output = (program: string, args: ReadonlyArray<string>, cwd: string): string => {
  const shell = process.platform === 'win32' && program === 'npm'
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', shell, maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return stdout
}

/** Something that a codec describes, from JSON. */
export const decode = <A>(codec: t.Type<A, unknown, unknown>, text: string): A => {
  const decoded = codec.decode(JSON.parse(text))
  if (decoded._tag === 'Left') throw new Error(`${codec.name}: unexpected ${text}`)
  return decoded.right
}

const Packed = t.array(
  t.type({
    filename: t.string,
    size: t.number,
    files: t.array(t.type({ path: t.string, size: t.number }))
  })
)

/** A tarball: where it lies, its bytes, and the paths in it. */
export interface Tarball {
  readonly path: string
  readonly size: number
  readonly files: ReadonlyArray<string>
}

/** A folder for a test, which is gone after `remove`. */
export interface Scratch {
  readonly folder: string
  readonly remove: () => void
}

/** A new folder outside of the checkout. */
export const scratch = (name: string): Scratch => {
  const folder = mkdtempSync(join(tmpdir(), `halforder-${name}-`))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

const made = /(?:^|[\\/])(?:node_modules|dist|runs|coverage|\.git|test|bench|docs)$/

/** Makes the name of a package in a folder of packages stand for another folder. */
export const link = (modules: string, name: string, to: string): void => {
  mkdirSync(dirname(join(modules, name)), { recursive: true })
  symlinkSync(to, join(modules, name), 'junction')
}

/** The installed packages, those with a scope by their whole name. */
const installed = (): ReadonlyArray<string> =>
  readdirSync(join(root, 'node_modules'))
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(root, 'node_modules', name)).map((inner) => `${name}/${inner}`) : [name]
    )

const compile = (stage: string, config: string): void => {
  output(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(stage, config)], stage)
}

/** A copy of the packages' sources below a folder, with the installed dependencies and each other within reach. */
const copy = (folder: string): string => {
  const stage = join(folder, 'stage')
  cpSync(root, stage, { recursive: true, filter: (from) => from === root || !made.test(from.slice(root.length)) })
  const modules = join(stage, 'node_modules')
  mkdirSync(modules)
  for (const name of installed()) {
    if (!name.startsWith('halforder')) link(modules, name, join(root, 'node_modules', name))
  }
  link(modules, 'halforder', stage)
  link(modules, 'halforder-cli', join(stage, 'cli'))
  return stage
}

const pack = (from: string, to: string): Tarball => {
  const said = output('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', to], from)
  const [packed] = decode(Packed, said)
  if (packed === undefined) throw new Error(`npm pack packed nothing: ${said}`)
  const path = join(to, packed.filename)
  if (!existsSync(path)) throw new Error(`npm pack left no ${path}`)
  return { path, size: packed.size, files: packed.files.map((file) => file.path) }
}

const Shared = t.type({ path: t.string, size: t.number, files: t.array(t.string) })

/** How long another worker's tarball is waited for, in milliseconds. */
const patience = 300_000

/** What is made once for all files of a run, by the first that asks; the others wait for it, and try themselves if it fails. */
const once = (folder: string, name: string, make: () => Tarball): Tarball => {
  const [begun, done] = [join(folder, `${name}.begun`), join(folder, `${name}.json`)]
  try {
    mkdirSync(begun)
  } catch {
    const until = Date.now() + patience
    while (!existsSync(done)) {
      if (Date.now() > until) throw new Error(`${name} was not packed in ${patience} ms by the test that began to`)
      if (!existsSync(begun)) return once(folder, name, make)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
    return decode(Shared, readFileSync(done, 'utf8'))
  }
  try {
    const tarball = make()
    writeFileSync(`${done}.part`, JSON.stringify(tarball))
    renameSync(`${done}.part`, done)
    return tarball
  } catch (error) {
    rmSync(begun, { recursive: true })
    throw error
  }
}

/** Packs the library, and with it the program where it is asked for: once for all the files of a run, below `folder` for one alone. */
export const packages = (folder: string): { readonly library: Tarball; readonly program: () => Tarball } => {
  const place = process.env['HALFORDER_PACKED'] ?? folder
  const stage = join(place, 'stage')
  return {
    library: once(place, 'library', () => {
      rmSync(stage, { recursive: true, force: true })
      copy(place)
      compile(stage, 'tsconfig.build.json')
      return pack(stage, place)
    }),
    program: () =>
      once(place, 'program', () => {
        compile(stage, join('cli', 'tsconfig.build.json'))
        return pack(join(stage, 'cli'), place)
      })
  }
}
