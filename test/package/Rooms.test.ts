import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  byTheWrongDoor,
  entries,
  exported,
  misplaced,
  portable,
  resolve,
  roomOf,
  storeys,
  table,
  trespasses,
  upstairs
} from './rooms.js'
import { cycle, imports, packageOf, type Source, sources, specifiers } from './sources.js'

const src = sources('src')
const laws = sources('laws')
const cli = sources('cli')
const all = [...src, ...laws, ...cli]

const source = (path: string, ...lines: ReadonlyArray<string>): Source => ({ path, text: lines.join('\n') })

const from = (specifier: string): string => `import type * as A from '${specifier}'`

const builtin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

// -------------------------------------------------------------------------------------
// the house
// -------------------------------------------------------------------------------------

describe('rooms', () => {
  test('every file is in one', () => {
    expect(all.map(({ path }) => path).filter((path) => !(roomOf(path) in table))).toEqual([])
    expect([...new Set(all.map(({ path }) => roomOf(path)))].sort()).toEqual(Object.keys(table).sort())
  })

  test('import what they may, and nothing else', () => {
    expect(misplaced(all)).toEqual([])
  })

  test('import files that are there', () => {
    const known = new Set(all.map(({ path }) => path))
    const missing = all.flatMap((file) =>
      imports(file)
        .filter((to) => !known.has(to))
        .map((to) => `${file.path} imports ${to}`)
    )
    expect(missing).toEqual([])
  })

  test('import each other within the library by paths, and the program imports entry points of the library', () => {
    expect(byTheWrongDoor(all)).toEqual([])
  })

  test('keep to themselves what their index does not export', () => {
    expect(trespasses(all)).toEqual([])
  })

  test('have no import cycle', () => {
    expect(cycle(all)).toEqual([])
  })

  test('the storeys of the kernel import what lies below them', () => {
    expect(upstairs(src)).toEqual([])
    const found = src.flatMap(({ path }) => /^src\/kernel\/(\w+)\//.exec(path)?.[1] ?? [])
    expect([...new Set(found)].sort()).toEqual(Object.keys(storeys).sort())
  })

  test('Node is not needed but by the kernel and the program', () => {
    const bound = [...src.filter(({ path }) => portable.includes(roomOf(path))), ...laws].flatMap((file) =>
      specifiers(file)
        .filter(builtin)
        .map((specifier) => `${file.path} imports ${specifier}`)
    )
    expect(bound).toEqual([])
  })

  test('the program does not load what only tests of laws need', () => {
    const byPath = new Map(all.map((file) => [file.path, file]))
    const seen = new Set<string>()
    const visit = (path: string): void => {
      const file = byPath.get(path)
      if (file === undefined || seen.has(path)) return
      seen.add(path)
      imports(file).forEach(visit)
    }
    visit('cli/main.ts')
    expect(seen.size).toBeGreaterThan(100)
    const loading = [...seen].filter((path) =>
      specifiers(byPath.get(path) ?? source(path)).some((specifier) =>
        ['fast-check', 'vitest'].includes(packageOf(specifier))
      )
    )
    expect(loading).toEqual([])
  })
})

describe('files', () => {
  test('no folder has more than 20', () => {
    const counts = new Map<string, number>()
    for (const { path } of all) {
      const folder = posix.dirname(path)
      counts.set(folder, (counts.get(folder) ?? 0) + 1)
    }
    expect([...counts].filter(([, n]) => n > 20)).toEqual([])
  })

  test('none has more than 400 lines', () => {
    const lines = ({ text }: Source): number => text.trimEnd().split('\n').length
    expect(all.filter((file) => lines(file) > 400).map((file) => `${file.path}: ${lines(file)}`)).toEqual([])
  })
})

// -------------------------------------------------------------------------------------
// the rules find what breaks them
// -------------------------------------------------------------------------------------

describe('a wrong import is found:', () => {
  test.each([
    ['src/tensor/A.ts', '../random/Key.js', 'src/random/Key.ts'],
    ['src/lens/layer/A.ts', '../../chain/Chain.js', 'src/chain/Chain.ts'],
    ['src/chain/A.ts', '../kernel/index.js', 'src/kernel/index.ts'],
    ['src/estimator/A.ts', '../training/Config.js', 'src/training/Config.ts'],
    ['src/training/A.ts', '../task/Task.js', 'src/task/Task.ts'],
    ['src/task/A.ts', '../../laws/index.js', 'laws/index.ts'],
    ['src/task/A.ts', '../index.js', 'src/index.ts'],
    ['src/task/A.ts', '../../cli/edge/Files.js', 'cli/edge/Files.ts'],
    ['src/index.ts', '../laws/index.js', 'laws/index.ts'],
    ['laws/law/A.ts', '../../cli/edge/Files.js', 'cli/edge/Files.ts'],
    ['cli/tasks/points/A.ts', '../../command/Sample.js', 'cli/command/Sample.ts'],
    ['cli/edge/A.ts', '../tasks/Find.js', 'cli/tasks/Find.ts'],
    ['cli/command/A.ts', '../main.js', 'cli/main.ts'],
    ['src/unknown/A.ts', '../tensor/Shape.js', 'src/tensor/Shape.ts']
  ])('%s, %s', (path, specifier, to) => {
    expect(misplaced([source(path, from(specifier))])).toEqual([`${path} imports ${to}`])
  })

  test.each([
    ['src/random/A.ts', '../tensor/Shape.js'],
    ['src/training/A.ts', '../kernel/Mode.js'],
    ['src/tensor/A.ts', './Shape.js'],
    ['laws/law/A.ts', '../../src/task/Task.js'],
    ['cli/edge/A.ts', 'halforder/task/Task'],
    ['cli/command/A.ts', 'halforder/laws/verify/Verify'],
    ['cli/command/A.ts', '../tasks/Find.js'],
    ['cli/tasks/points/A.ts', '../faces/Faces.js'],
    ['cli/main.ts', './command/Sample.js']
  ])('%s, %s is none', (path, specifier) => {
    expect(misplaced([source(path, from(specifier))])).toEqual([])
  })

  test.each([
    ['src/kernel/plan/A.ts', '../wasm/Tile.js', 'src/kernel/wasm/Tile.ts'],
    ['src/kernel/threads/A.ts', '../gpujs/Door.js', 'src/kernel/gpujs/Door.ts'],
    ['src/kernel/wasm/A.ts', '../GpuJs.js', 'src/kernel/GpuJs.ts']
  ])('in the kernel, %s, %s', (path, specifier, to) => {
    expect(upstairs([source(path, from(specifier))])).toEqual([`${path} imports ${to}`])
    expect(upstairs([source('src/kernel/gpujs/A.ts', from('../plan/Plan.js'), from('./Door.js'))])).toEqual([])
    expect(upstairs([source('src/kernel/GpuJs.ts', from('./webgpu/Blocked.js'))])).toEqual([])
  })

  test.each([
    ['src/tensor/A.ts', 'halforder/tensor/Shape'],
    ['laws/A.ts', 'halforder'],
    ['cli/main.ts', '../src/index.js'],
    ['cli/tasks/points/A.ts', '../../../laws/index.js']
  ])('by the wrong door, %s, %s', (path, specifier) => {
    expect(byTheWrongDoor([source(path, from(specifier))])).toEqual([`${path} imports ${specifier}`])
    expect(byTheWrongDoor([source('cli/tasks/points/A.ts', from('../../edge/Files.js'), from('halforder'))])).toEqual(
      []
    )
    expect(byTheWrongDoor([source('laws/law/A.ts', from('../../src/tensor/Shape.js'))])).toEqual([])
  })
})

describe('a room that keeps things to itself', () => {
  const house: ReadonlyArray<Source> = [
    source(
      'src/tensor/index.ts',
      ' * from its index',
      "export * as Shape from './Shape.js'",
      "export { type A } from './view/A.js'",
      from('./Node.js')
    ),
    source('src/tensor/Shape.ts', from('./Node.js')),
    source('src/tensor/view/A.ts'),
    source('src/tensor/Node.ts')
  ]

  test('is its index, and what that exports', () => {
    expect(exported(house)).toEqual(
      new Map([['tensor', new Set(['src/tensor/index.ts', 'src/tensor/Shape.ts', 'src/tensor/view/A.ts'])]])
    )
  })

  test('and is entered elsewhere: found, by a path or by an entry point', () => {
    const visitors = [
      source('src/lens/Lens.ts', from('../tensor/Node.js'), from('../tensor/view/A.js'), from('../tensor/index.js')),
      source('cli/main.ts', from('halforder/tensor/Node'), from('halforder/tensor/Shape'), from('halforder/tensor'))
    ]
    expect(trespasses([...house, ...visitors])).toEqual([
      'src/lens/Lens.ts imports src/tensor/Node.ts',
      'cli/main.ts imports src/tensor/Node.ts'
    ])
  })

  test('has no entry point for it', () => {
    const found = entries(house)
    expect(found).toMatchObject({
      './tensor': { default: './dist/src/tensor/index.js' },
      './tensor/*': { types: './dist/src/tensor/*.d.ts' },
      './tensor/Node': { types: './dist/src/tensor/Node.d.ts', default: null }
    })
    expect(Object.keys(found)).not.toContain('./tensor/Shape')
    expect(Object.keys(found)).not.toContain('./kernel/*')
    expect(resolve(found, './tensor/Node')).toBe(null)
    expect(resolve(found, './tensor/view/A')).toEqual({
      types: './dist/src/tensor/view/A.d.ts',
      default: './dist/src/tensor/view/A.js'
    })
    expect(resolve(found, './kernel/GpuJs')).toBe(null)
    expect(resolve(found, './package.json')).toBe('./package.json')
  })
})

describe('a cycle', () => {
  test('is found, through entry points too', () => {
    const a = source('src/x/A.ts', "import { b } from './B.js'")
    const b = source('src/x/B.ts', "import { c } from '../y/C.js'")
    const c = source('src/y/C.ts', "import type { A } from '../x/A.js'")
    expect(cycle([a, b])).toEqual([])
    expect(cycle([a, b, c])).toEqual(['src/x/A.ts', 'src/x/B.ts', 'src/y/C.ts', 'src/x/A.ts'])
    const d = source('cli/D.ts', from('halforder/x/E'))
    const e = source('src/x/E.ts', from('../../cli/D.js'))
    expect(cycle([d, e])).toEqual(['cli/D.ts', 'src/x/E.ts', 'cli/D.ts'])
  })
})

describe('the scanner', () => {
  test('sees every form of import, and none in comments', () => {
    const text = [
      "import a from './a.js'",
      "import * as B from './b.js'",
      "import type { C } from './c.js'",
      "import {\n  d,\n  e\n} from './d.js'",
      "import './f.js'",
      "export * as G from './g.js'",
      "export { h } from './h.js'",
      "const late = import('./i.js')",
      "type T = import('./j.js').T",
      "import j, { k } from './k.js'",
      "export * from './l.js'",
      " * import { no } from './no.js'",
      "// import { no } from './no.js'",
      "export const from = './no.js'"
    ].join('\n')
    expect(new Set(specifiers(source('src/x/X.ts', text)))).toEqual(
      new Set(['a', 'b', 'c', 'd', 'f', 'g', 'h', 'i', 'j', 'k', 'l'].map((name) => `./${name}.js`))
    )
  })
})
