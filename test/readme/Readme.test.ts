import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, it } from 'vitest'
import { explain, rlr } from '../../src/estimator/index.js'
import { gradient } from './example.js'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('the README', () => {
  it('shows the example that is run here', () => {
    const shown = /```ts\n([\s\S]*?)```/.exec(read('../../README.md'))?.[1]
    expect(shown?.trim()).toBe(read('./example.ts').trim())
  })

  it('has an example that gives a gradient of every parameter, and says why to trust it', async () => {
    const result = await gradient()
    expect(E.isRight(result)).toBe(true)
    if (E.isLeft(result)) return
    expect(result.right.rewards).toHaveLength(8)
    const leaves = Object.entries(result.right.gradient)
    expect(leaves.map(([path]) => path)).toContain('blocks.0.film.scale.weight')
    expect(leaves.every(([, { data }]) => data.every(Number.isFinite))).toBe(true)
    expect(result.right.gradient['out.bias']?.data.some((g) => g !== 0)).toBe(true)
  })

  it('shows what explain says of the estimator of the example', () => {
    const explained = rlr({ T: 50, h: 2, radius: 0.02 })
    const shown = /```text\n([\s\S]*?)```/.exec(read('../../README.md'))?.[1]
    expect(E.isRight(explained) && explain(explained.right).text).toBe(shown?.trim())
  })

  it('names commands that exist', () => {
    const manifest = t.type({ scripts: t.UnknownRecord }).decode(JSON.parse(read('../../package.json')))
    const scripts = E.isRight(manifest) ? Object.keys(manifest.right.scripts) : []
    const named = [...read('../../README.md').matchAll(/npm run ([a-z:]+)/g)].map((match) => match[1])
    expect(scripts).toEqual(expect.arrayContaining([...new Set(named)]))
  })
})
