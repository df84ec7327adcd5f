import { builtinModules } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { cycle, imports, packageOf, reachable, root, type Source, sources, specifiers } from './sources.js'

/** Which rooms a room may import. The mathematics (tensor to optimizer) does not know where it runs. */
const rooms: Readonly<Record<string, ReadonlyArray<string>>> = {
  tensor: [],
  random: ['tensor'],
  kernel: ['tensor'],
  lens: ['tensor'],
  chain: ['tensor', 'random', 'lens'],
  reward: ['tensor', 'lens'],
  estimator: ['tensor', 'lens', 'chain', 'reward'],
  optimizer: ['tensor'],
  model: ['tensor', 'random', 'lens', 'chain', 'reward'],
  finetune: ['tensor', 'random', 'kernel', 'lens', 'chain', 'reward', 'estimator', 'optimizer', 'model'],
  cli: ['tensor', 'random', 'kernel', 'lens', 'chain', 'reward', 'estimator', 'optimizer', 'model', 'finetune']
}

/** Rooms that run anywhere: nothing of Node's own is imported there. */
const portable = ['tensor', 'random', 'lens', 'chain', 'estimator', 'optimizer']

const Manifest = t.type({
  dependencies: t.record(t.string, t.string),
  peerDependencies: t.record(t.string, t.string)
})

const manifest = (): t.TypeOf<typeof Manifest> => {
  const decoded = Manifest.decode(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  if (decoded._tag === 'Left') throw new Error('package.json has no dependencies or peerDependencies')
  return decoded.right
}

const room = (path: string): string => path.split('/')[1] ?? ''

const source = (path: string, text: string): Source => ({ path, text })

const external = (file: Source): ReadonlyArray<string> =>
  specifiers(file).filter((specifier) => !specifier.startsWith('.'))

const builtin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

const files = sources('src')

describe('rooms', () => {
  test('every file but the root index is in a room', () => {
    expect(files.map((file) => file.path).filter((path) => path !== 'src/index.ts' && !(room(path) in rooms))).toEqual(
      []
    )
  })

  test('imports go down only', () => {
    const upward = files
      .filter((file) => file.path !== 'src/index.ts')
      .flatMap((file) =>
        imports(file)
          .filter((to) => room(to) !== room(file.path) || !to.startsWith('src/'))
          // the command line runs the laws; nothing else below `src` knows them
          .filter((to) => !(room(file.path) === 'cli' && to.startsWith('laws/')))
          .filter((to) => !to.startsWith('src/') || rooms[room(file.path)]?.includes(room(to)) !== true)
          .map((to) => `${file.path} imports ${to}`)
      )
    expect(upward).toEqual([])
  })

  test('no import cycle', () => {
    expect(cycle(files)).toEqual([])
    expect(cycle([...files, ...sources('laws')])).toEqual([])
  })

  test('what is imported is installed with the package', () => {
    const { dependencies, peerDependencies } = manifest()
    const missing = (file: Source, known: Readonly<Record<string, string>>): ReadonlyArray<string> =>
      external(file)
        .filter((specifier) => !builtin(specifier) && !(packageOf(specifier) in known))
        .map((specifier) => `${file.path} imports ${specifier}`)
    expect(files.flatMap((file) => missing(file, dependencies))).toEqual([])
    expect(sources('laws').flatMap((file) => missing(file, { ...dependencies, ...peerDependencies }))).toEqual([])
  })

  test('the command line does not need the optional peer', () => {
    const { dependencies } = manifest()
    const all = [...files, ...sources('laws')]
    const missing = reachable('src/cli/main.ts', all).flatMap((file) =>
      external(file)
        .filter((specifier) => !builtin(specifier) && !(packageOf(specifier) in dependencies))
        .map((specifier) => `${file.path} imports ${specifier}`)
    )
    expect(missing).toEqual([])
  })

  test('Node is not needed where the mathematics lives', () => {
    const bound = files
      .filter((file) => portable.includes(room(file.path)))
      .flatMap((file) =>
        external(file)
          .filter(builtin)
          .map((specifier) => `${file.path} imports ${specifier}`)
      )
    expect(bound).toEqual([])
  })
})

/** Which storeys of the kernel a storey may import; `.` is the top, the files of the room itself. */
const storeys: Readonly<Record<string, ReadonlyArray<string>>> = {
  plan: [],
  wasm: ['plan'],
  threads: ['plan', 'wasm'],
  gpujs: ['plan', 'wasm'],
  webgpu: ['plan', 'gpujs'],
  '.': ['plan', 'wasm', 'threads', 'gpujs', 'webgpu']
}

/** The storey of the kernel that a file is in, or undefined for files of other rooms. */
const storey = (path: string): string | undefined => {
  const [, within] = /^src\/kernel\/(?:(\w+)\/)?\w+\.ts$/.exec(path) ?? []
  return path.startsWith('src/kernel/') ? (within ?? '.') : undefined
}

/** The imports of files of the kernel that go up, or to a storey that has no place in the house. */
const climbing = (house: ReadonlyArray<Source>): ReadonlyArray<string> =>
  house.flatMap((file) => {
    const from = storey(file.path)
    if (from === undefined) return []
    return imports(file)
      .filter((to) => {
        const at = storey(to)
        return at !== undefined && at !== from && storeys[from]?.includes(at) !== true
      })
      .map((to) => `${file.path} imports ${to}`)
  })

describe('the storeys of the kernel', () => {
  test('are those of the table', () => {
    expect(new Set(files.flatMap((file) => storey(file.path) ?? []))).toEqual(new Set(Object.keys(storeys)))
  })

  test('import what is below them only', () => {
    expect(climbing(files)).toEqual([])
  })

  test('a table without cycles: each storey may import those that come before it', () => {
    const order = Object.keys(storeys)
    const upward = Object.entries(storeys).flatMap(([from, below]) =>
      below.filter((to) => order.indexOf(to) >= order.indexOf(from)).map((to) => `${from} to ${to}`)
    )
    expect(upward).toEqual([])
  })

  test('a wrong import is found', () => {
    const wrong = [
      source('src/kernel/plan/A.ts', "import { b } from '../wasm/B.js'"),
      source('src/kernel/wasm/B.ts', "import { a } from '../plan/A.js'"),
      source('src/kernel/threads/C.ts', "import type { d } from '../gpujs/D.js'"),
      source(
        'src/kernel/gpujs/D.ts',
        "import { Mode } from '../Mode.js'\nimport { strides } from '../../tensor/Strides.js'"
      ),
      source('src/kernel/webgpu/E.ts', "import { f } from './F.js'"),
      source('src/kernel/attic/G.ts', "import { a } from '../plan/A.js'"),
      source('src/kernel/Mode.ts', "export { b } from './wasm/B.js'")
    ]
    expect(climbing(wrong)).toEqual([
      'src/kernel/plan/A.ts imports src/kernel/wasm/B.ts',
      'src/kernel/threads/C.ts imports src/kernel/gpujs/D.ts',
      'src/kernel/gpujs/D.ts imports src/kernel/Mode.ts',
      'src/kernel/attic/G.ts imports src/kernel/plan/A.ts'
    ])
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
      " * import { no } from './no.js'",
      "// import { no } from './no.js'",
      "export const from = './no.js'"
    ].join('\n')
    expect(new Set(specifiers(source('src/x/X.ts', text)))).toEqual(
      new Set(['a', 'b', 'c', 'd', 'f', 'g', 'h', 'i'].map((name) => `./${name}.js`))
    )
  })

  test('finds a cycle', () => {
    const a = source('src/x/A.ts', "import { b } from './B.js'")
    const b = source('src/x/B.ts', "import { c } from '../y/C.js'")
    const c = source('src/y/C.ts', "import type { A } from '../x/A.js'")
    expect(cycle([a, b])).toEqual([])
    expect(cycle([a, b, c])).toEqual(['src/x/A.ts', 'src/x/B.ts', 'src/y/C.ts', 'src/x/A.ts'])
  })
})
