/**
 * The table of docs/numerics.md: what was measured of the cases, by their kinds. `NUMERICS=write` keeps it in the page.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Agreement } from '../kernel/arbitrary.js'
import { root } from '../package/sources.js'
import { cases, steps } from './cases.js'

const page = join(root, 'docs', 'numerics.md')

/** Whether this run is to write the page. */
export const isWriting = process.env['NUMERICS'] === 'write'

/** How many random programs a page tries: each is a few hundred milliseconds of building shaders on a processor. */
export const programs = 40

/** The kind of random programs. */
export const random = `${programs} random programs`

const modes = ['webasm', 'cpu', 'webgpu', 'webgl2'] as const

/** Kinds, and the names of their cases: the first that fits. */
const kinds: ReadonlyArray<readonly [kind: string, names: RegExp]> = [
  ['`exp` from -80 to 80', /^exp /],
  ['`log` from 1e-30 to 2', /^log /],
  ['`tanh` from 1e-20 to 20', /^tanh /],
  ['`sigmoid` from -90 to 90', /^sigmoid /],
  ['`erf` from 1e-20 to 5', /^erf /],
  ['`sin`, `cos` from 1e-10 to 1e10', /^sin and cos /],
  ['`sqrt`, quotients', /^(sqrt|quotients) /],
  [`a rollout of ${steps} steps, and the credit programs of the RLR estimator on it`, / of a chain of /],
  ['matrix products and their adjoints, attention', /^(a product|products|a contraction|attention)/],
  ['convolutions in 1, 2 and 3 dimensions and their adjoints', /^convolution /],
  ['softmax, group norm, layer norm, pooling', /^(softmax|group norm|layer norm|pooling)/],
  ['the literal 0.1', /^an output that is a literal tensor$/],
  ['few sums and products an element, copies, any rank', /^/]
]

const kindOf = (name: string): string => kinds.find(([, names]) => names.test(name))?.[0] ?? name

const seen = new Map<string, number>()

/** Keeps how far a mode is from the reference on a case, or on random programs. */
export const see = (mode: string, name: string, { ratio }: Pick<Agreement, 'ratio'>): void => {
  const cell = `${mode}: ${name === random ? random : kindOf(name)}`
  seen.set(cell, Math.max(seen.get(cell) ?? 0, ratio))
}

/** A kind and a cell for each mode, empty where nothing was measured. */
type Row = ReadonlyArray<string>

/** What was measured in this run. */
export const table = (): ReadonlyArray<Row> =>
  [
    ...kinds.map(([kind]) => kind).filter((kind) => Object.keys(cases).some((name) => kindOf(name) === kind)),
    random
  ].map((kind) => [kind, ...modes.map((mode) => seen.get(`${mode}: ${kind}`)?.toFixed(2) ?? '')])

const parts = /(\| cases \|[^\n]*\n\|[-|]+\|\n)((?:\|[^\n]*\n)*)/

/** What the page has. */
export const written = (): ReadonlyArray<Row> =>
  (parts.exec(readFileSync(page, 'utf8'))?.[2] ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
    )

/** Writes what was measured into the page. What was not stays as it is. */
export const write = (): void => {
  const before = written()
  const rows = table().map(([kind = '', ...cells]) => {
    const old = before.find(([other]) => other === kind) ?? []
    return `| ${[kind, ...cells.map((cell, i) => (cell === '' ? (old[i + 1] ?? '') : cell))].join(' | ')} |\n`
  })
  writeFileSync(
    page,
    readFileSync(page, 'utf8').replace(parts, (_, head: string) => `${head}${rows.join('')}`)
  )
}
