import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { root } from './sources.js'

const Target = t.type({ types: t.string, default: t.string })

const Manifest = t.type({
  type: t.literal('module'),
  sideEffects: t.literal(false),
  bin: t.record(t.string, t.string),
  exports: t.record(t.string, t.union([Target, t.string])),
  files: t.array(t.string),
  scripts: t.record(t.string, t.string)
})

const manifest = (): t.TypeOf<typeof Manifest> => {
  const decoded = Manifest.decode(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  if (decoded._tag === 'Left') throw new Error(`package.json: ${JSON.stringify(decoded.left.map((e) => e.context))}`)
  return decoded.right
}

const rooms = ['tensor', 'random', 'kernel', 'lens', 'chain', 'reward', 'estimator', 'optimizer', 'model', 'finetune']

const Lock = t.type({
  packages: t.record(t.string, t.partial({ optionalDependencies: t.record(t.string, t.string) }))
})

describe('package-lock.json', () => {
  test('lists the optional packages of every platform, so that `npm ci` works on each', () => {
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

describe('package.json', () => {
  test('exports the root, a subpath a room, the laws, and nothing else', () => {
    const expected = ['.', ...rooms.map((room) => `./${room}`), './laws', './package.json']
    expect(Object.keys(manifest().exports).sort()).toEqual(expected.sort())
  })

  test('every export is compiled from a source that is there', () => {
    // `publint` and `attw` look at the packed files; here the sources must agree, once the root index lists the rooms
    if (!existsSync(join(root, 'src/index.ts'))) return
    const missing = Object.entries(manifest().exports).flatMap(([subpath, target]) => {
      if (typeof target === 'string') return existsSync(join(root, target)) ? [] : [subpath]
      const source = target.default.replace('./dist/', './').replace(/\.js$/, '.ts')
      const agree = target.types === target.default.replace(/\.js$/, '.d.ts')
      return agree && existsSync(join(root, source)) ? [] : [`${subpath} -> ${source}`]
    })
    expect(missing).toEqual([])
  })

  test('internals are not reachable', () => {
    const { resolve } = createRequire(join(root, 'package.json'))
    for (const inside of ['halforder/dist/src/index.js', 'halforder/src/tensor/Tensor.ts', 'halforder/cli']) {
      expect(() => resolve(inside)).toThrow(/ERR_PACKAGE_PATH_NOT_EXPORTED|not defined by "exports"/)
    }
  })

  test('the command is shipped, and the compiled program it loads is too', () => {
    const { bin, files } = manifest()
    expect(Object.keys(bin)).toEqual(['halforder'])
    expect(files).toEqual(expect.arrayContaining(['bin', 'dist/src', 'dist/laws', 'assets']))
    const text = readFileSync(join(root, bin['halforder'] ?? ''), 'utf8')
    expect(text.startsWith('#!/usr/bin/env node\n')).toBe(true)
    expect(text).toContain("'../dist/src/cli/main.js'")
  })

  test('`npm start` needs no other command before it', () => {
    // npm skips pre- and post-scripts where `ignore-scripts` is set, as .npmrc does here
    const { scripts } = manifest()
    expect(Object.keys(scripts).filter((name) => /^(?:pre|post)(?!train$)/.test(name))).toEqual([])
    for (const name of ['start', 'pretrain', 'faces']) expect(scripts[name]).toContain('npm run --silent build && ')
  })
})
