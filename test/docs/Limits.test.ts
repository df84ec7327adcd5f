import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as Documents from '../../cli/edge/Documents.js'
import * as Json from '../../src/document/Json.js'
import * as Cover from '../../src/estimator/Cover.js'
import { limits } from '../../src/format/Limits.js'
import * as Model from '../../src/network/Model.js'
import * as Config from '../../src/training/Config.js'

/** What the table has at most, row by row: the numbers of the second column. */
const table = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
  .map((line) => {
    const [, what = '', most = ''] = line.split(' | ').flatMap((cell, i) => (i === 0 ? ['', cell.slice(2)] : [cell]))
    return [what, (most.replace('2^53', String(2 ** 53)).match(/\d+/g) ?? []).map(Number)] as const
  })

test('the page of limits has those of the code', () => {
  expect(table.map(([, numbers]) => numbers)).toEqual([
    [limits.rank],
    [2 ** 53],
    [limits.tensors],
    [limits.safetensorsHeader],
    [limits.npyHeader],
    [limits.nested],
    [limits.unpacked],
    [limits.ratio, limits.unpackedFreely],
    [Model.most.tensors],
    [Model.most.numbers, Model.most.ratio],
    [Json.deepest],
    [Documents.limits.json],
    [Documents.limits.yaml],
    [Documents.limits.references],
    [Cover.longest],
    [Config.limits.samples],
    [Config.limits.steps],
    [Config.limits.rank],
    [Config.limits.threads],
    [Config.limits.text],
    [Config.limits.paths]
  ])
  expect(Config.limits.T).toBe(Cover.longest)
})
