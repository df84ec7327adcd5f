import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bundle, partOf, programs } from '../../scripts/bundle.mjs'
import { root } from './sources.js'

const page = readFileSync(join(root, 'docs/results/bundle.md'), 'utf8')

/** What the page says of a program, in kilobytes. */
const said = (name: string): readonly [plain: number, compressed: number] => {
  const [, plain, compressed] = new RegExp(`^\\| \`${name}\`: [^|]*\\| (\\d+) \\| (\\d+) \\|`, 'm').exec(page) ?? []
  return [Number(plain), Number(compressed)]
}

describe('a bundle for a page', () => {
  test.each(programs.filter(({ name }) => ['readings', 'gradient'].includes(name)))(
    'of $about leaves no warning, asks for no module of Node, and weighs what the page says',
    async (program) => {
      const { bytes, compressed, parts, absent, warnings } = await bundle(program)
      expect({ absent, warnings }).toEqual({ absent: [], warnings: [] })
      expect(parts.some(([name]) => name === 'gpu.js')).toBe(program.name === 'gradient')
      const [plain, small] = said(program.name)
      // the library grows: the page is written again when a tenth has come to it
      expect(Math.abs(bytes / 1000 / plain - 1)).toBeLessThan(0.1)
      expect(Math.abs(compressed / 1000 / small - 1)).toBeLessThan(0.1)
    }
  )

  test('that asks for a module of Node is seen to', async () => {
    const { absent } = await bundle({ name: 'wrong', text: "globalThis.ran = import('node:worker_threads')" })
    expect(absent).toEqual(['node:worker_threads'])
  })

  test('is divided by packages and rooms', () => {
    expect(partOf('/a/src/kernel/wasm/Module.ts')).toBe('kernel')
    expect(partOf('/a/node_modules/fp-ts/es6/Either.js')).toBe('fp-ts')
    expect(partOf('/a/node_modules/@b/c/node_modules/d/src/e/f.js')).toBe('d')
    expect(partOf('/a/src/index.ts')).toBe('others')
  })
})
