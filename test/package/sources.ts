/**
 * What the package tests read: the source files as text, their imports and their exported declarations. Nothing is
 * compiled, so the tests are quick and do not depend on a build.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** A source file: its path from the root, with forward slashes, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** The TypeScript files under a folder of the repository, without tests and what was compiled or installed. */
export const sources = (folder: string): ReadonlyArray<Source> =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test|\.test-d|\.d)\.ts$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !/\/(?:dist|node_modules)\//.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))

const statement =
  /^(?:import|export)\s+(?:type\s+)?(?:(?:[\w$]+\s*,\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+[\w$]+)?)|[\w$]+)\s+from\s+'([^']+)'/gm
const bare = /^import\s+'([^']+)'/gm
const dynamic = /\bimport\(\s*'([^']+)'/g

/** The module specifiers that a file imports or re-exports, types included; examples in comments left out. */
export const specifiers = (source: Source): ReadonlyArray<string> => {
  const code = source.text.replace(/^\s*(?:\*|\/\/).*$/gm, '')
  return [statement, bare, dynamic].flatMap((pattern) => [...code.matchAll(pattern)].flatMap((match) => match[1] ?? []))
}

/** Is a specifier of the library, as its packages' users write it? */
export const isLibrary = (specifier: string): boolean => /^halforder(?:\/|$)/.test(specifier)

/** The source that an entry point of the library stands for. */
export const entryOf = (specifier: string): string => {
  const [, room, ...file] = specifier.split('/')
  if (room === undefined) return 'src/index.ts'
  const folder = room === 'laws' ? room : `src/${room}`
  return `${folder}/${file.length === 0 ? 'index' : file.join('/')}.ts`
}

/** The repository paths of the files that a file imports, relatively or as entry points of the library. */
export const imports = (source: Source): ReadonlyArray<string> =>
  specifiers(source).flatMap((specifier) => {
    if (isLibrary(specifier)) return [entryOf(specifier)]
    return specifier.startsWith('.') ? [posix.join(posix.dirname(source.path), specifier).replace(/\.js$/, '.ts')] : []
  })

const reexport = /^export\s[^']*?\sfrom\s+'(\.[^']+)'/gm

/** The repository paths of the files that a file re-exports, whole or in part. */
export const reexports = (source: Source): ReadonlyArray<string> =>
  [...source.text.replace(/^\s*(?:\*|\/\/).*$/gm, '').matchAll(reexport)].map(([, specifier = '']) =>
    posix.join(posix.dirname(source.path), specifier).replace(/\.js$/, '.ts')
  )

/** The npm package of a bare specifier: `fp-ts/lib/Either.js` is `fp-ts`. */
export const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** The files that can be reached from one file along imports, itself included. */
export const reachable = (from: string, files: ReadonlyArray<Source>): ReadonlyArray<Source> => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const visit = (path: string): void => {
    const file = byPath.get(path)
    if (file === undefined || seen.has(path)) return
    seen.add(path)
    imports(file).forEach(visit)
  }
  visit(from)
  return files.filter((file) => seen.has(file.path))
}

/** One cycle of imports as a list of paths, the first repeated at the end; none where the graph has no cycle. */
export const cycle = (files: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const byPath = new Map(files.map((file) => [file.path, file]))
  const done = new Set<string>()
  const visit = (path: string, trail: ReadonlyArray<string>): ReadonlyArray<string> => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    const file = byPath.get(path)
    if (file === undefined || done.has(path)) return []
    for (const next of imports(file)) {
      const found = visit(next, [...trail, path])
      if (found.length > 0) return found
    }
    done.add(path)
    return []
  }
  for (const file of files) {
    const found = visit(file.path, [])
    if (found.length > 0) return found
  }
  return []
}

const declaration =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|function\*?|interface|type|class|enum) ([\w$]+)/

/**
 * The exported declarations of a file that have no doc comment right above them, as `path:line name`. Of a function's
 * overloads the first carries the comment.
 */
export const undocumented = (source: Source): ReadonlyArray<string> => {
  const lines = source.text.split('\n')
  const seen = new Set<string>()
  return lines.flatMap((line, i) => {
    const name = declaration.exec(line)?.[1]
    const overload = name !== undefined && line.includes('function') && seen.has(name)
    if (name === undefined || overload) return []
    seen.add(name)
    return documented(lines.slice(0, i)) ? [] : [`${source.path}:${i + 1} ${name}`]
  })
}

// the lines above end with a block that opens with `/**`, says something and carries `@since`
const documented = (above: ReadonlyArray<string>): boolean => {
  if (above.at(-1)?.trim().endsWith('*/') !== true) return false
  const open = above.findLastIndex((line) => line.trimStart().startsWith('/*'))
  const block = above.slice(open).join('\n')
  return block.trimStart().startsWith('/**') && /\w/.test(block.split('@')[0] ?? '') && block.includes('@since ')
}
