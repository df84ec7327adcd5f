import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { isRecord, showError } from 'halforder/document/Document'
import * as Models from 'halforder/laws/toy/Description'
import * as EstimatorFile from 'halforder/laws/verify/EstimatorFile'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../cli/command/Verify.js'
import { captured } from '../cli/captured.js'

const page = readFileSync(new URL('../../docs/verify-files.md', import.meta.url), 'utf8')

const documents: ReadonlyArray<Readonly<Record<string, unknown>>> = [...page.matchAll(/```json\n([\s\S]*?)\n```/g)].map(
  ([, text = '']) => {
    const given: unknown = JSON.parse(text)
    return isRecord(given) ? given : {}
  }
)
const models = documents.filter((one) => 'kind' in one)
const estimators = documents.filter((one) => !('kind' in one))

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-verify-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

/** The fields that a decoder names when it meets one that it does not know. */
const known = (result: E.Either<Parameters<typeof showError>[0], unknown>): ReadonlyArray<string> =>
  E.isLeft(result) ? (/one of the fields (.*), got/.exec(showError(result.left))?.[1]?.split(', ') ?? []) : []

/** The lines of a table whose first cell is code. */
const tableOf = (heading: string): ReadonlyArray<readonly [first: string, rest: string]> => {
  const [, section = ''] = page.split(`### ${heading}\n`)
  const [body = ''] = section.split('\n##')
  return [...body.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, first = '', rest = '']) => [first, rest])
}

describe('the page on files for verify', () => {
  it('has models and estimators of every kind', () => {
    expect(models.map(({ kind, kl }) => [kind, kl !== undefined])).toEqual([
      ['linearGaussian', false],
      ['tanh', false],
      ['tanh', true]
    ])
    expect(estimators).toHaveLength(5)
  })

  it.each(['linearGaussian', 'tanh'])('lists every field of a %s model', (kind) => {
    expect(tableOf(kind).map(([field]) => field)).toEqual(known(Models.decode({ kind, other: 1 })))
  })

  it.each(['firstOrder', 'halfOrder', 'zerothOrder'])('lists every field of a %s cell', (kind) => {
    const [, fields = ''] = tableOf('By cells').find(([cell]) => cell === kind) ?? []
    const named = [...fields.matchAll(/`(\w+)`/g)].map(([, field]) => field)
    expect([...new Set(named)]).toEqual(known(EstimatorFile.decode({ cells: [{ kind, other: 1 }] })))
  })

  it.each(models.flatMap((model) => estimators.map((estimator) => [model, estimator] as const)))(
    'shows what verify bears out: on %j, %j',
    async (model, estimator) => {
      const { code, out } = await captured(() =>
        verify({
          model: file('model.json', model),
          estimator: file('mine.json', estimator),
          samples: '2000',
          seed: '1',
          json: true
        })
      )
      expect(code).toBe(0)
      // the cells are of four steps, and some of those are paid in part
      const partial = JSON.stringify(estimator).includes('[0.5,1]') || ('cells' in estimator && model['T'] !== 4)
      expect(JSON.parse(out)).toMatchObject({ verdict: partial ? 'biased as predicted' : 'unbiased' })
    }
  )

  it('has the gradient of the model with a reference, and of the same without', async () => {
    const { kl: _, ...without } = models[2] ?? {}
    for (const model of [models[2], without]) {
      const { out } = await captured(() =>
        verify({ model: file('model.json', model), estimator: 'fullBackprop', samples: '2000', seed: '1', json: true })
      )
      const { exactGradient } = JSON.parse(out) as { readonly exactGradient: ReadonlyArray<number> }
      expect(page).toContain(`$(${exactGradient.map((g) => g.toFixed(4)).join(', ')})$`)
    }
  })

  it('has a command line that names an estimator with options', async () => {
    const [, text = ''] = /--estimator "([^"]*)"/.exec(page) ?? []
    const { code } = await captured(() =>
      verify({ model: file('model.json', models[0]), estimator: text, samples: '2000', seed: '1' })
    )
    expect(code).toBe(0)
  })
})
