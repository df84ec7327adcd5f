/**
 * The rooms of the house: which may import which, and what each keeps to itself. The functions take sources as text, so that
 * they can be tried on sources that break a rule.
 */
import { imports, isLibrary, reexports, type Source, specifiers } from './sources.js'

// -------------------------------------------------------------------------------------
// the table
// -------------------------------------------------------------------------------------

const floor = ['tensor', 'document', 'random']
const mathematics = [...floor, 'lens', 'chain', 'reward', 'estimator', 'optimizer']
const library = [...mathematics, 'kernel', 'format', 'network', 'training', 'task']

/** Which rooms a room may import, itself aside. */
export const table: Readonly<Record<string, ReadonlyArray<string>>> = {
  tensor: [],
  document: [],
  random: ['tensor'],
  lens: floor,
  optimizer: floor,
  kernel: floor,
  format: floor,
  chain: [...floor, 'lens'],
  reward: [...floor, 'lens', 'chain'],
  estimator: [...floor, 'lens', 'chain', 'reward'],
  network: [...floor, 'lens', 'chain', 'reward', 'format'],
  training: [...mathematics, 'kernel', 'format', 'network'],
  task: [...mathematics, 'kernel', 'format', 'network', 'training'],
  index: library,
  laws: library,
  'cli/edge': [...library, 'laws'],
  'cli/tasks': [...library, 'laws', 'cli/edge'],
  'cli/study': [...library, 'laws', 'cli/edge'],
  'cli/report': [...library, 'cli/edge'],
  'cli/view': ['cli/edge', 'cli/report'],
  'cli/cluster': [...library, 'cli/edge'],
  'cli/command': [...library, 'laws', 'cli/edge', 'cli/tasks', 'cli/study', 'cli/report', 'cli/view', 'cli/cluster'],
  cli: [...library, 'laws', 'cli/edge', 'cli/tasks', 'cli/command']
}

/** The storeys of the kernel room, from the ground: which may import which. What lies beside them may import all. */
export const storeys: Readonly<Record<string, ReadonlyArray<string>>> = {
  plan: [],
  wasm: ['plan'],
  gpujs: ['plan', 'wasm'],
  threads: ['plan', 'wasm'],
  webgpu: ['plan', 'gpujs']
}

/** Rooms that run anywhere: nothing of Node's own is imported there. */
export const portable: ReadonlyArray<string> = library.filter((room) => room !== 'kernel')

// -------------------------------------------------------------------------------------
// places
// -------------------------------------------------------------------------------------

/** The room of a file: `index` for the root of the library, `cli` for that of the program. */
export const roomOf = (path: string): string => {
  const [top = '', second = '', third] = path.split('/')
  if (top === 'src') return third === undefined ? 'index' : second
  return top === 'cli' && third !== undefined ? `cli/${second}` : top
}

/** The folder of a room of the library. */
const folderOf = (room: string): string => (room === 'laws' ? 'laws' : `src/${room}`)

const storeyOf = (path: string): string | undefined => {
  const [, , storey, file] = path.split('/')
  return path.startsWith('src/kernel/') && file !== undefined ? storey : undefined
}

// -------------------------------------------------------------------------------------
// rules
// -------------------------------------------------------------------------------------

const edges = (files: ReadonlyArray<Source>, wrong: (from: string, to: string) => boolean): ReadonlyArray<string> =>
  files.flatMap((file) =>
    imports(file)
      .filter((to) => wrong(file.path, to))
      .map((to) => `${file.path} imports ${to}`)
  )

/** Imports that the table does not allow. */
export const misplaced = (files: ReadonlyArray<Source>): ReadonlyArray<string> =>
  edges(files, (from, to) => {
    const [here, there] = [roomOf(from), roomOf(to)]
    return here !== there && table[here]?.includes(there) !== true
  })

/** Imports that go up in the kernel room. */
export const upstairs = (files: ReadonlyArray<Source>): ReadonlyArray<string> =>
  edges(files, (from, to) => {
    const here = storeyOf(from)
    if (here === undefined || roomOf(to) !== 'kernel') return false
    const there = storeyOf(to)
    return there !== here && (there === undefined || storeys[here]?.includes(there) !== true)
  })

/** Imports of the library by the way in from outside where the file is inside, and the other way round. */
export const byTheWrongDoor = (files: ReadonlyArray<Source>): ReadonlyArray<string> =>
  files.flatMap((file) => {
    const inside = !file.path.startsWith('cli/')
    return specifiers(file)
      .filter((specifier) =>
        inside
          ? isLibrary(specifier)
          : specifier.startsWith('.') && imports(file).length > 0 && leaves(file.path, specifier)
      )
      .map((specifier) => `${file.path} imports ${specifier}`)
  })

/** Does a relative specifier lead out of the first folder of a path? */
const leaves = (path: string, specifier: string): boolean =>
  specifier.split('/').filter((part) => part === '..').length >= path.split('/').length - 1

/** The files that each room of the library exports: its index, what that re-exports, and the folders whose tables those do. */
export const exported = (files: ReadonlyArray<Source>): ReadonlyMap<string, ReadonlySet<string>> => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const reached = (path: string, seen: ReadonlySet<string>): ReadonlySet<string> => {
    const file = byPath.get(path)
    if (seen.has(path)) return seen
    const all = file === undefined ? [] : path.endsWith('.gen.ts') ? imports(file) : reexports(file)
    const next =
      path.endsWith('index.ts') || path.endsWith('.gen.ts') ? all : all.filter((to) => to.endsWith('.gen.ts'))
    return next.reduce<ReadonlySet<string>>((sofar, one) => reached(one, sofar), new Set([...seen, path]))
  }
  return new Map(
    files
      .filter(({ path }) => path === `${folderOf(roomOf(path))}/index.ts`)
      .map((index) => [roomOf(index.path), reached(index.path, new Set())] as const)
  )
}

/** Imports of a file that another room keeps to itself. */
export const trespasses = (files: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const rooms = exported(files)
  return edges(files, (from, to) => roomOf(from) !== roomOf(to) && rooms.get(roomOf(to))?.has(to) === false)
}

// -------------------------------------------------------------------------------------
// entry points
// -------------------------------------------------------------------------------------

/**
 * What an entry point of a package leads to: a file with its declarations, a file, or nowhere. A `default` of null is nowhere too,
 * but types find the declarations: what users export may have a type that is declared in a module that a room keeps to itself.
 */
export type Entry = { readonly types: string; readonly default: string | null } | string | null

/** A room that is one thing, and has its index alone for the world. */
const closed = ['kernel']

/**
 * The entry points of the library that its rooms ask for: an index a room, every file below it, and for what the room keeps to
 * itself one that types find and programs do not.
 */
export const entries = (files: ReadonlyArray<Source>): Readonly<Record<string, Entry>> => {
  const rooms = exported(files)
  const to = (path: string): Entry => ({ types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` })
  const kept = (path: string): Entry => ({ types: `./dist/${path.replace(/\.ts$/, '')}.d.ts`, default: null })
  const room = (name: string): ReadonlyArray<readonly [string, Entry]> => {
    const folder = folderOf(name)
    const own = files.filter(({ path }) => path.startsWith(`${folder}/`) && rooms.get(name)?.has(path) === false)
    const index = [[`./${name}`, to(`${folder}/index`)] as const]
    return closed.includes(name)
      ? index
      : [
          ...index,
          [`./${name}/*`, to(`${folder}/*`)],
          ...own.map(
            ({ path }) => [`./${name}/${path.slice(folder.length + 1).replace(/\.ts$/, '')}`, kept(path)] as const
          )
        ]
  }
  return Object.fromEntries([
    ['.', to('src/index')] as const,
    ...[...library, 'laws'].flatMap(room),
    ['./package.json', './package.json'] as const
  ])
}

/** Where Node finds a subpath of a package, `./tensor/Shape`: the exact entry, or that of the longest pattern. */
export const resolve = (exports: Readonly<Record<string, Entry>>, subpath: string): Entry => {
  const exact = Object.entries(exports).find(([key]) => key === subpath)
  if (exact !== undefined) return typeof exact[1] === 'object' && exact[1]?.default === null ? null : exact[1]
  const [best] = Object.entries(exports)
    .flatMap(([key, entry]) => {
      const [before = '', after] = key.split('*')
      return after !== undefined &&
        subpath.startsWith(before) &&
        subpath.endsWith(after) &&
        subpath.length > before.length
        ? [{ before, entry, rest: subpath.slice(before.length, subpath.length - after.length) }]
        : []
    })
    .sort((a, b) => b.before.length - a.before.length)
  if (best === undefined || best.entry === null) return null
  const { entry, rest } = best
  return typeof entry === 'string'
    ? entry.replaceAll('*', rest)
    : { types: entry.types.replaceAll('*', rest), default: entry.default?.replaceAll('*', rest) ?? null }
}
