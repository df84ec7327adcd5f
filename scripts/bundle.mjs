/**
 * What the library weighs in a page, and what of: bundles some programs as Vite does for a page, and writes
 * `docs/results/bundle.md`.
 *
 *     npm run bundle
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The programs: a name, what a page would have of it, and the text. */
export const programs = [
  {
    name: 'tensors',
    about: 'a product of matrices on `webasm`',
    text: `import { kernel, tensor } from 'halforder'
const made = tensor.Program.make({ x: ['batch', 8], w: [8, 8] }, ({ x, w }) => ({ y: tensor.Expr.matmul(x, w) }))
globalThis.ran = [made, kernel.gpuJs()]`
  },
  {
    name: 'readings',
    about: '`explain` of an estimator: no kernels',
    text: `import { estimator } from 'halforder'
globalThis.ran = [estimator.rlr({ T: 50, h: 2 }), estimator.explain]`
  },
  {
    name: 'gradient',
    about: 'the ten lines of the overview: a chain, an estimator, a gradient',
    text: `import { gradient } from '${root}test/readme/example.ts'\nglobalThis.ran = gradient`
  },
  { name: 'all', about: 'all of `halforder`', text: `import * as all from 'halforder'\nglobalThis.ran = all` }
]

/** Of which package, or which room, a module is. */
export const partOf = (id) => {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//g
  const last = [...id.matchAll(found)].at(-1)
  if (last !== undefined) return last[1]
  return /\/src\/(?:([a-z]+)\/)?[^?]*$/.exec(id)?.[1] ?? 'others'
}

/**
 * A program as a page would load it: `code`, minified in one piece; bytes of it, and compressed by gzip; `parts`, the bytes of each
 * package and room before minification, most first; `absent`, modules of Node that are asked for; `warnings` of the bundler.
 */
export const bundle = async ({ name, text }) => {
  const entry = `${root}${name}.bundle.ts`
  const warnings = []
  const { output } = await build({
    configFile: false,
    logLevel: 'warn',
    customLogger: {
      hasWarned: false,
      info: () => undefined,
      warn: (message) => warnings.push(message),
      warnOnce: (message) => warnings.push(message),
      error: (message) => warnings.push(message),
      clearScreen: () => undefined,
      hasErrorLogged: () => false
    },
    resolve: { alias: [{ find: /^halforder$/, replacement: `${root}src/index.ts` }] },
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? text : undefined)
      }
    ],
    build: {
      write: false,
      target: 'es2022',
      reportCompressedSize: false,
      modulePreload: false,
      rolldownOptions: { input: entry }
    }
  })
  const chunks = output.filter(({ type }) => type === 'chunk')
  const code = chunks.map((chunk) => chunk.code).join('\n')
  const parts = new Map()
  const modules = chunks.flatMap((chunk) => Object.entries(chunk.modules))
  for (const [id, { renderedLength }] of modules) {
    if (renderedLength > 0) parts.set(partOf(id), (parts.get(partOf(id)) ?? 0) + renderedLength)
  }
  return {
    code,
    bytes: Buffer.byteLength(code),
    compressed: gzipSync(code, { level: 9 }).length,
    parts: [...parts].sort((a, b) => b[1] - a[1]),
    // Vite has an empty module in the place of one of Node
    absent: modules.flatMap(([id]) => /__vite-browser-external:?(.*)$/.exec(id)?.[1] ?? []),
    warnings
  }
}

const kB = (bytes) => (bytes / 1000).toFixed(0)

/** The page. */
export const page = (measured, said) => {
  const share = (parts) => {
    const total = parts.reduce((sum, [, bytes]) => sum + bytes, 0)
    return parts
      .map(([name, bytes]) => [name, Math.round((100 * bytes) / total)])
      .filter(([, percent]) => percent >= 2)
      .map(([name, percent]) => `${name} ${percent} %`)
      .join(', ')
  }
  return [
    '# What the library weighs in a page',
    '',
    `\`npm run bundle\`${said}: programs bundled and minified for a page by Vite,`,
    'as one file each. Shares are of the text before it is minified; those below 2 % are left out. No bundle asks for a module of Node,',
    'and none leaves a warning: a test bundles them again. Where kernels are compiled, most of it is gpu.js, which has all of its modes',
    'in one file. Rooms that a program does not use are hardly in its bundle.',
    '',
    '| program | kB | kB, gzip | of which |',
    '|---|---|---|---|',
    ...measured.map(
      ([{ name, about }, { bytes, compressed, parts }]) =>
        `| \`${name}\`: ${about} | ${kB(bytes)} | ${kB(compressed)} | ${share(parts)} |`
    ),
    ''
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const measured = []
  for (const program of programs) measured.push([program, await bundle(program)])
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  writeFileSync(
    `${root}docs/results/bundle.md`,
    page(measured, `, at commit ${commit}, with Vite ${devDependencies.vite}`)
  )
  for (const [{ name }, { bytes, compressed, warnings }] of measured) {
    console.log(
      `${name}: ${kB(bytes)} kB, ${kB(compressed)} kB compressed${warnings.map((one) => `\n  ${one}`).join('')}`
    )
  }
}
