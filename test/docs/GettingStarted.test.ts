import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { explain, rlr } from 'halforder/estimator'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/command/ConfigOptions.js'
import { withFile } from '../../cli/command/RewardFile.js'
import * as Shelf from '../../src/reward/Shelf.js'

const page = readFileSync(new URL('../../docs/getting-started.md', import.meta.url), 'utf8')

/** The fields of a configuration with their values, groups unfolded. */
const fields = (given: object, path = ''): ReadonlyArray<readonly [string, unknown]> =>
  Object.entries(given).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? fields(value, `${path}${key}.`)
      : [[`${path}${key}`, value] as const]
  )

describe('getting started', () => {
  it('lists every field of a configuration with its default, and no other', async () => {
    const configured = await readConfig({})()
    if (E.isLeft(configured)) throw new Error(configured.left.message)
    const rows = [...page.matchAll(/^\| `([\w.]+)` \|.*\| `([^`]*)` \|$/gm)].map(([, field, value]) => [field, value])
    expect(rows).toEqual(fields(configured.right.config).map(([field, value]) => [field, JSON.stringify(value)]))
  })

  it('has a reward of its own that is one, and measures what it says', async () => {
    const shown = /```js\n([\s\S]*?)\n```/.exec(page)?.[1] ?? ''
    const folder = mkdtempSync(join(tmpdir(), 'halforder-page-'))
    try {
      const path = join(folder, 'reward.mjs')
      writeFileSync(path, shown)
      const shelf = await withFile(path)({ named: new Map() })()
      if (E.isLeft(shelf)) throw new Error(shelf.left.message)
      const found = Shelf.reward(shelf.right)(path)
      if (E.isLeft(found) || found.right._tag !== 'BlackBox') throw new Error('expected a black box')
      // 20 rows are two batches; the upper half of row n is n, and its lower half is 100
      const data = Float32Array.from({ length: 20 * 4 }, (_, i) => (i % 4 < 2 ? Math.floor(i / 4) : 100))
      const rewards = await found.right.evaluate({ shape: [20, 4], data })()
      expect(rewards).toEqual(E.right(Array.from({ length: 20 }, (_, n) => n)))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('shows what explain says', () => {
    const shown = /```text\n([\s\S]*?)\n```/.exec(page)?.[1]
    const made = rlr({ T: 50, h: 2 })
    expect(E.isRight(made) && explain(made.right).text).toBe(shown)
  })
})
