import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { entries, type Entry, resolve } from './rooms.js'
import { isLibrary, packageOf, root, type Source, sources, specifiers } from './sources.js'

// -------------------------------------------------------------------------------------
// what a manifest says
// -------------------------------------------------------------------------------------

const Texts = t.record(t.string, t.string)

const Manifest = t.intersection([
  t.type({
    name: t.string,
    version: t.string,
    description: t.string,
    license: t.string,
    type: t.string,
    sideEffects: t.boolean,
    homepage: t.string,
    repository: t.intersection([t.type({ type: t.string, url: t.string }), t.partial({ directory: t.string })]),
    bugs: t.type({ url: t.string }),
    engines: Texts,
    files: t.array(t.string),
    exports: t.record(
      t.string,
      t.union([t.strict({ types: t.string, default: t.union([t.string, t.null]) }), t.string, t.null])
    ),
    dependencies: Texts
  }),
  t.partial({ bin: Texts, scripts: Texts, peerDependencies: Texts, workspaces: t.array(t.string) })
])

type Manifest = t.TypeOf<typeof Manifest>

const read = (folder: string): Manifest => {
  const decoded = Manifest.decode(JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')))
  if (decoded._tag === 'Left') {
    const paths = decoded.left.map(({ context }) => context.map(({ key }) => key).join('.'))
    throw new Error(`${folder}/package.json: unexpected ${paths.join(', ')}`)
  }
  return decoded.right
}

const library = read('.')
const program = read('cli')
const both: ReadonlyArray<readonly [string, Manifest]> = [
  ['halforder', library],
  ['halforder-cli', program]
]

const inLibrary = sources('src')
const inLaws = sources('laws')
const inProgram = sources('cli')

// -------------------------------------------------------------------------------------
// both packages
// -------------------------------------------------------------------------------------

describe.each(both)('the manifest of %s', (name, manifest) => {
  const folder = name === 'halforder' ? '.' : 'cli'

  test('says what it is, and where it comes from', () => {
    expect(manifest).toMatchObject({
      name,
      type: 'module',
      sideEffects: false,
      license: 'MIT',
      homepage: 'https://github.com/halforder/halforder#readme',
      bugs: { url: 'https://github.com/halforder/halforder/issues' },
      repository: { type: 'git', url: 'git+https://github.com/halforder/halforder.git' },
      engines: { node: '>=20.16' }
    })
    expect(manifest.repository.directory).toBe(folder === '.' ? undefined : folder)
    expect(manifest.description.length).toBeGreaterThan(40)
  })

  test('packs files that are there, or that are compiled', () => {
    const given = manifest.files.filter((path) => !path.startsWith('!') && !path.startsWith('dist'))
    expect(given.filter((path) => !existsSync(join(root, folder, path)))).toEqual([])
    for (const always of ['README.md', 'LICENSE']) expect(existsSync(join(root, folder, always))).toBe(true)
  })

  test('runs no script of its own on an install', () => {
    // npm skips pre- and post-scripts where `ignore-scripts` is set, as .npmrc does here
    const names = Object.keys(manifest.scripts ?? {})
    expect(names.filter((script) => /^(?:pre|post)(?!train$)|^(?:install|prepare)$/.test(script))).toEqual([])
  })
})

test('both packages have one version, and the program asks for the library of that version', () => {
  expect(program.version).toBe(library.version)
  expect(program.dependencies['halforder']).toBe(`^${library.version}`)
})

// -------------------------------------------------------------------------------------
// dependencies
// -------------------------------------------------------------------------------------

const builtin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

const external = (file: Source): ReadonlyArray<string> =>
  specifiers(file).filter((specifier) => !specifier.startsWith('.') && !builtin(specifier))

const undeclared = (files: ReadonlyArray<Source>, known: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  files.flatMap((file) =>
    external(file)
      .filter((specifier) => !(packageOf(specifier) in known))
      .map((specifier) => `${file.path} imports ${specifier}`)
  )

/** Packages that are declared and that no file names. */
const unused = (files: ReadonlyArray<Source>, known: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.keys(known).filter(
    (name) => !files.some(({ text }) => text.includes(`'${name}'`) || text.includes(`'${name}/`))
  )

describe('dependencies', () => {
  test('of the library are four', () => {
    expect(Object.keys(library.dependencies).sort()).toEqual(['fflate', 'fp-ts', 'gpu.js', 'io-ts', 'pbf'])
  })

  test('are declared by the package that imports them', () => {
    expect(undeclared(inLibrary, library.dependencies)).toEqual([])
    expect(undeclared(inLaws, { ...library.dependencies, ...library.peerDependencies })).toEqual([])
    expect(undeclared(inProgram, { ...program.dependencies, ...program.peerDependencies })).toEqual([])
  })

  test('are imported by the package that declares them', () => {
    expect(unused(inLibrary, library.dependencies)).toEqual([])
    expect(unused(inLaws, library.peerDependencies ?? {})).toEqual([])
    expect(unused(inProgram, program.dependencies)).toEqual([])
  })

  test('that both packages have, they have in one version', () => {
    const shared = Object.entries(program.dependencies).filter(([name]) => name in library.dependencies)
    expect(shared.filter(([name, version]) => library.dependencies[name] !== version)).toEqual([])
  })

  test('that are not declared, or not imported, are found', () => {
    const file = { path: 'src/A.ts', text: "import a from '@scope/a/b.js'\nimport 'node:fs'\nimport './B.js'" }
    expect(undeclared([file], {})).toEqual(['src/A.ts imports @scope/a/b.js'])
    expect(undeclared([file], { '@scope/a': '^1' })).toEqual([])
    expect(unused([file], { '@scope/a': '^1', '@scope/ab': '^1' })).toEqual(['@scope/ab'])
  })
})

// -------------------------------------------------------------------------------------
// entry points
// -------------------------------------------------------------------------------------

describe('the entry points of the library', () => {
  const exports: Readonly<Record<string, Entry>> = library.exports

  test('are an index a room, the files below it but for those that it keeps to itself, and nothing else', () => {
    // what is missing here is a line of "exports" in package.json
    expect(exports).toEqual(entries([...inLibrary, ...inLaws]))
  })

  test('are compiled from sources that are there', () => {
    const missing = Object.entries(exports).flatMap(([subpath, entry]) => {
      if (entry === null || subpath.includes('*')) return []
      if (typeof entry === 'string') return existsSync(join(root, entry)) ? [] : [subpath]
      const source = entry.types.replace('./dist/', './').replace(/\.d\.ts$/, '.ts')
      const agree = entry.default === null || entry.types === entry.default.replace(/\.js$/, '.d.ts')
      return agree && existsSync(join(root, source)) ? [] : [`${subpath} -> ${source}`]
    })
    expect(missing).toEqual([])
  })

  test('are all that the program imports', () => {
    const closed = inProgram.flatMap((file) =>
      specifiers(file)
        .filter((specifier) => isLibrary(specifier))
        .filter((specifier) => resolve(exports, specifier.replace(/^halforder/, '.')) === null)
        .map((specifier) => `${file.path} imports ${specifier}`)
    )
    expect(closed).toEqual([])
  })

  test('do not lead inside', () => {
    const { resolve: find } = createRequire(join(root, 'package.json'))
    const inside = ['dist/src/index.js', 'src/tensor/Tensor.ts', 'cli', 'cli/main', 'kernel/GpuJs', 'tensor/Node']
    for (const path of inside) {
      expect([path, resolve(exports, `./${path}`)]).toEqual([path, null])
      expect(() => find(`halforder/${path}`)).toThrow(/not defined by "exports"/)
    }
  })
})

describe('the program', () => {
  test('is one command, and its entry loads what is compiled', () => {
    expect(program.bin).toEqual({ halforder: 'bin/halforder.js' })
    const text = readFileSync(join(root, 'cli/bin/halforder.js'), 'utf8')
    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true)
    expect(text).toContain("'../dist/main.js'")
    expect(existsSync(join(root, 'cli/main.ts'))).toBe(true)
  })

  test('packs its entry, what is compiled, and its weights, which others can find', () => {
    expect(program.files).toEqual(['bin', 'dist', 'assets'])
    expect(program.exports).toEqual({ './assets/*': './assets/*', './package.json': './package.json' })
    const { resolve: find } = createRequire(join(root, 'package.json'))
    const weights = readdirSync(join(root, 'cli', 'assets'))
    expect(weights.length).toBeGreaterThan(8)
    for (const name of weights) expect(existsSync(find(`halforder-cli/assets/${name}`))).toBe(true)
  })
})

// -------------------------------------------------------------------------------------
// the checkout
// -------------------------------------------------------------------------------------

describe('the checkout', () => {
  test('serves both packages', () => {
    expect(library.workspaces).toEqual(['.', 'cli', 'test/types'])
  })

  test('`npm start` needs no other command before it', () => {
    const scripts = library.scripts ?? {}
    for (const name of ['start', 'pretrain', 'examples']) {
      expect(scripts[name]).toMatch(/^npm run --silent build && node cli\/bin\/halforder\.js [a-z]+( --threads 2)?$/)
    }
    expect(scripts['build']).toBe(
      'node scripts/tables.mjs && tsc -p tsconfig.build.json && tsc -p cli/tsconfig.build.json'
    )
  })

  test('`npm run` runs programs that the checkout has', () => {
    const named = Object.values(library.scripts ?? {}).flatMap((script) =>
      [...script.matchAll(/-p (\S+)|--config (\S+)|node (\S+\.js)/g)].map(
        (match) => match[1] ?? match[2] ?? match[3] ?? ''
      )
    )
    expect(named.filter((path) => !path.startsWith('dist/') && !existsSync(join(root, path)))).toEqual([])
    expect(named.length).toBeGreaterThan(4)
  })

  const Lock = t.type({
    packages: t.record(t.string, t.partial({ optionalDependencies: t.record(t.string, t.string) }))
  })

  test('locks the optional packages of every platform, so that `npm ci` works on each', () => {
    const decoded = Lock.decode(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')))
    if (decoded._tag === 'Left') throw new Error('package-lock.json has no packages')
    const { packages } = decoded.right
    const missing = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages)
      )
    )
    expect(missing).toEqual([])
  })
})
