import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { explain, rlr } from 'halforder/estimator'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/command/ConfigOptions.js'

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

  it('shows what explain says', () => {
    const shown = /```text\n([\s\S]*?)\n```/.exec(page)?.[1]
    const made = rlr({ T: 50, h: 2 })
    expect(E.isRight(made) && explain(made.right).text).toBe(shown)
  })
})
