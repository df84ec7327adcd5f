import { describe, expect, test } from 'vitest'
import { reachable, sources, undocumented } from './sources.js'

describe('documentation', () => {
  test('everything exported in the public surface has a doc comment', () => {
    const files = [...sources('src'), ...sources('laws')]
    const surface = new Set(['src/index.ts', 'laws/index.ts'].flatMap((entry) => reachable(entry, files)))
    // room indexes count as entries too: each is a public subpath
    const indexes = files.filter((file) => /^src\/[a-z]+\/index\.ts$/.test(file.path))
    for (const index of indexes) for (const file of reachable(index.path, files)) surface.add(file)
    expect([...surface].flatMap(undocumented)).toEqual([])
  })

  test('the scanner tells a documented declaration from others', () => {
    const report = (text: string): ReadonlyArray<string> => undocumented({ path: 'x.ts', text })
    const doc = '/**\n * The identity.\n *\n * @since 0.1.0\n */\n'
    expect(report(`${doc}export const id = 1`)).toEqual([])
    expect(report(`${doc}export function id(a: 1): 1\nexport function id(a: 2): 2`)).toEqual([])
    expect(report('export const id = 1')).toEqual(['x.ts:1 id'])
    expect(report('// The identity.\nexport interface Id {}')).toEqual(['x.ts:2 Id'])
    expect(report('/* The identity. @since 0.1.0 */\nexport type Id = 1')).toEqual(['x.ts:2 Id'])
    expect(report('/**\n * @since 0.1.0\n */\nexport type Id = 1')).toEqual(['x.ts:4 Id'])
    expect(report('/** The identity. */\nexport type Id = 1')).toEqual(['x.ts:2 Id'])
    expect(report(`${doc}const own = 1\nexport const id = 1`)).toEqual(['x.ts:7 id'])
  })
})
