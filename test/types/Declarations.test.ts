/**
 * What users export of the library has a type that their declarations can name: a project of theirs, with the packed library,
 * compiles to declarations, and another compiles against those. With the newest TypeScript as Node resolves modules
 * and as bundlers do, with the oldest as Node does, and with the declarations of libraries checked.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode, link, output, packages, scratch } from '../package/packed.js'
import { root } from '../package/sources.js'

const Manifest = t.type({ dependencies: t.record(t.string, t.string) })
const Version = t.type({ version: t.string })

const compilers = {
  oldest: join(root, 'test', 'types', 'node_modules', 'typescript'),
  newest: join(root, 'node_modules', 'typescript')
} as const

const resolutions = {
  nodenext: { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' }
} as const

const { folder, remove } = scratch('declarations')
const modules = join(folder, 'node_modules')

/** Layers that a user exports without a word on their types, of one room. */
const layers = `
import {
  at, averagePool2d, compose, conv2d, crossAttention, dense, embedding, fanout, film, freeze, groupNorm, layerNorm, Lens, lora,
  relu, residual, selfAttention, softmaxCrossEntropy, tanh, timeEmbedding
} from 'halforder/lens'
import * as lens from 'halforder/lens'

export const layer = dense(2, 8)
export const net = compose(at('a', dense(2, 8)), compose(tanh(), at('b', dense(8, 1))))
export const conv = compose(conv2d(3, 8), compose(groupNorm(8, 2), averagePool2d(2)))
export const attention = selfAttention(8, { heads: 2 })
export const cross = crossAttention(8, 4)
export const norm = layerNorm(8)
export const table = embedding(10, 4)
export const loss = softmaxCrossEntropy(3)
export const act = relu<readonly ['batch', 8]>()
export const two = fanout(dense(2, 3), residual(dense(2, 2)))
export const told = film(2, 4)
export const time = timeEmbedding(4)
export const held = freeze(dense(2, 8))
export const low = lora({ rank: 2 })(() => true)(dense(2, 8))
export const weight = Lens.parameter([3])
// every function that lenses and layers are made with
export const everyLens = { ...lens.Lens, ...lens.Carried }
export const everyLayer = { ...lens.Dense, ...lens.Convolution, ...lens.Attention, ...lens.Normalization, ...lens.Unet }
`

/** Things of the other rooms. */
const others = `
import { Chain, cosine, ddim, guided, perStep, type Denoiser } from 'halforder/chain'
import { dense, Lens, make, type Rows } from 'halforder/lens'
import { adamW, sgd } from 'halforder/optimizer'
import { brightness, weighted } from 'halforder/reward'
import { Expr, Program, Reference, Tensor } from 'halforder/tensor'
import * as tensor from 'halforder/tensor'

const layer = dense(2, 8)
export const mine = make({ gain: Lens.parameter([3]) }, ({ gain }, x: Rows<3>) => [
  Expr.mul(x, Expr.broadcastTo(gain, x.shape)),
  (bar: Rows<3>) => [{ gain: Expr.sumTo(Expr.mul(bar, x), [3]) }, Expr.mul(bar, Expr.broadcastTo(gain, bar.shape))]
])
export const program = Program.make({ p: Lens.shapesOf(layer), x: ['batch', 2] }, ({ p, x }) => ({ y: layer.forward(p, x) }))
export const run = (values: Program.Values) => (one: Program.Program) => Reference.run(one, { batch: 1 }, values)
export const reward = brightness(4)
export const sum = weighted([[1, brightness<number>(4)]])
export const optimizer = adamW(0.1)
export const descent = sgd(0.1, { momentum: 0.9 })
export const schedule = cosine(4)
export const chain = (denoiser: Denoiser.Denoiser<{ readonly w: Expr.Expr<readonly [2]> }, 2, 1>) =>
  perStep([['first', 2], ['last', 1]])(ddim({ denoiser: guided(2)(denoiser), schedule, eta: 1 }))
export const noises = Chain.noiseAt
export const vector = Tensor.vector([1, 2])
export const everyExpr = { ...tensor.Expr }
export const everyOther = { ...tensor.Program, ...tensor.Tree, ...tensor.Need, ...tensor.Indexing }
`

/** Another project, which has the declarations of the first and no source. */
const importing = `
import type { Rows } from 'halforder/lens'
import * as layers from './declared/layers.js'
import * as others from './declared/others.js'

export const value = (x: Rows<2>): Rows<8> => layers.layer.forward({} as never, x)
export const [first] = layers.net.run({} as never, {} as never)
export const all = [layers.act, others.mine, others.program]
`

beforeAll(() => {
  mkdirSync(modules)
  const { library } = packages(folder)
  output('tar', ['-xzf', library.path], folder)
  renameSync(join(folder, 'package'), join(modules, 'halforder'))
  const { dependencies } = decode(Manifest, readFileSync(join(modules, 'halforder', 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) link(modules, name, join(root, 'node_modules', name))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', type: 'module', private: true }))
  writeFileSync(join(folder, 'layers.ts'), layers)
  writeFileSync(join(folder, 'others.ts'), others)
  writeFileSync(join(folder, 'importing.ts'), importing)
}, 300_000)

afterAll(remove)

/** Compiles files of the project, with the given compiler and options. */
const compile = (age: keyof typeof compilers, options: object, files: ReadonlyArray<string>): string => {
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    target: 'es2022',
    lib: ['es2023', 'dom'],
    types: [],
    ...options
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
  return output(process.execPath, [join(compilers[age], 'bin', 'tsc'), '-p', 'tsconfig.json'], folder)
}

const outDir = join(folder, 'declared')
const declaring = { declaration: true, emitDeclarationOnly: true, outDir }

describe.each(Object.keys(compilers) as ReadonlyArray<keyof typeof compilers>)('the %s TypeScript', (age) => {
  test('is the one that it should be', () => {
    const { version } = decode(Version, readFileSync(join(compilers[age], 'package.json'), 'utf8'))
    expect(version).toMatch(age === 'oldest' ? /^5\.9\./ : /^7\./)
  })

  // how modules are resolved does not depend on the age, and the oldest takes its time
  test.each(
    Object.keys(resolutions).slice(0, age === 'oldest' ? 1 : undefined) as ReadonlyArray<keyof typeof resolutions>
  )(
    'declares what is exported, and others compile against it (%s)',
    (name) => {
      const how = resolutions[name]
      compile(age, { ...how, ...declaring }, ['layers.ts', 'others.ts'])
      const declared = readFileSync(join(outDir, 'layers.d.ts'), 'utf8')
      expect(declared).toMatch(/export declare const layer: .*Dense<2, 8>/)
      // nothing has been given up on
      expect(declared).not.toMatch(/\bany\b/)
      compile(age, { ...how, noEmit: true }, ['importing.ts'])
    },
    240_000
  )
})

describe('a type that has no name outside', () => {
  test('is found: private modules that are closed to types too', () => {
    const entry = join(modules, 'halforder', 'package.json')
    const before = readFileSync(entry, 'utf8')
    const closed = before.replaceAll(/\{\s*"types": "[^"]*",\s*"default": null\s*\}/g, 'null')
    expect(closed).not.toBe(before)
    const how = resolutions.nodenext
    compile('newest', { ...how, ...declaring }, ['layers.ts', 'others.ts'])
    writeFileSync(entry, closed)
    expect(() => compile('newest', { ...how, noEmit: true }, ['importing.ts'])).toThrow(
      "Cannot find module 'halforder/tensor/Node' or its corresponding type declarations."
    )
    writeFileSync(entry, before)
  })
})
