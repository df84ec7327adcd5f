/**
 * The examples of doc comments, which API pages show: each is a file that is compiled and run here.
 */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { sources } from '../package/sources.js'

const here = new URL('./examples/', import.meta.url)
const marks = /^[\s\S]*?\/\/ the example\n([\s\S]*?)(?:\/\/ until here\n[\s\S]*)?$/

/** The examples of a file's doc comments, as they are typed. */
const examplesOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(([comment]) => {
    const lines = comment.split('\n').map((line) => line.replace(/^\s*\*(?: |$)/, ''))
    return lines.flatMap((line, i) => {
      if (!line.startsWith('@example')) return []
      const rest = lines.slice(i + 1)
      const end = rest.findIndex((other) => /^@\w|^\s*\/$|^\/$/.test(other))
      return [
        `${rest
          .slice(0, end < 0 ? -1 : end)
          .join('\n')
          .trim()}\n`
      ]
    })
  })

const all = [...sources('src'), ...sources('laws')].flatMap(({ path, text }) => {
  if (path.endsWith('.gen.ts')) return []
  const found = examplesOf(text)
  const room = path.startsWith('laws/') ? 'laws' : (path.split('/')[1] ?? '')
  const name = basename(path, '.ts')
  return found.map((example, i) => [`${room}/${found.length === 1 ? name : `${name}.${i}`}`, example] as const)
})

/** What an example gives, where that can be told. */
const expected: Readonly<Record<string, unknown>> = {
  'document/Pattern': ['0', 'film.scale'],
  'estimator/Named': { _tag: 'Right', right: { name: 'rlr', h: 3, radius: 0.1 } },
  'estimator/Ledger': { _tag: 'Right', right: { T: 50 } },
  'estimator/Start': { _tag: 'Right' },
  'lens/Parameter': { _tag: 'Right' },
  'random/Density': { name: 'secant' },
  'random/Philox': [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  'reward/Reward.0': { _tag: 'Differentiable', jumps: true },
  'reward/Reward.1': { _tag: 'BlackBox', name: 'a judge' },
  'reward/Weighted': [{ _tag: 'Differentiable' }, { _tag: 'BlackBox' }]
}

describe('an example', () => {
  it.each(all)('of %s is the file that is run here', (name, example) => {
    const file = new URL(`${name}.ts`, here)
    expect(existsSync(file), `write test/docs/examples/${name}.ts`).toBe(true)
    expect(marks.exec(readFileSync(file, 'utf8'))?.[1]).toBe(example)
  })

  it.each(all)('of %s does what it says', async (name) => {
    const run: unknown = await import(join(here.pathname, `${name}.ts`))
    const made: unknown = typeof run === 'object' && run !== null ? Reflect.get(run, 'made') : undefined
    expect({ run, made }).toMatchObject(name in expected ? { made: expected[name] } : { run: {} })
  })

  it('is found among others', () => {
    expect(all.length).toBeGreaterThan(15)
    expect(examplesOf('/**\n * Text.\n *\n * @example\n * a\n *\n *   b\n *\n * @since 0.1.0\n */')).toEqual([
      'a\n\n  b\n'
    ])
    expect(examplesOf('/**\n * @example\n * a\n */')).toEqual(['a\n'])
  })
})
