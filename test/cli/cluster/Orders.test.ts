import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import * as Parcel from '../../../cli/cluster/Parcel.js'
import { Result, says } from '../../../cli/cluster/Wire.js'
import { cellOf } from '../../../cli/command/cluster/Elsewhere.js'
import type { Order } from '../../../cli/command/study/Hands.js'

const cache = mkdtempSync(join(tmpdir(), 'halforder-orders-'))
afterAll(() => rmSync(cache, { recursive: true, force: true }))

/** A Redis that is asked for nothing, and so is not looked for. */
const nobody = { redis: new Redis({ lazyConnect: true }) }

const good = {
  order: 'Finetune',
  options: [
    ['config', '{config}'],
    ['out', '{run}'],
    ['seed', '3'],
    ['steps', '2']
  ],
  config: JSON.stringify({ task: 'points', reward: 'left' }),
  files: []
}

const compare = ['task', 'model', 'chain', 'T', 'reward', 'samples', 'batch', 'only', 'estimator', 'trained', 'lora']

/** What an order may be about, whatever else the program can do. */
const allowed = {
  Finetune: ['config', 'measureAt', 'out', 'resume', 'seed', 'steps'],
  Compare: [...compare, 'seed', 'byStep'],
  CompareShare: [...compare, 'seed', 'byStep', 'share'],
  VerifyShare: ['task', 'estimator', 'samples', 'seed', 'share']
}

const carriedOut = async (head: unknown): Promise<{ readonly result: E.Either<string, Result>; ran?: Order }> => {
  const seen: { ran?: Order } = {}
  const message = Parcel.encode({ head, arrays: [] })
  const work = cellOf(cache, new AbortController().signal, async (order) => {
    seen.ran = order
    return { _tag: 'Done', value: {} }
  })
  const bytes = await work(nobody, message, Parcel.digestOf(message), 'one')
  const result = pipe(
    Parcel.decode(bytes),
    E.flatMap(({ head: said }) => says(Result)(said))
  )
  return { result, ...seen }
}

const name = fc.oneof(
  fc.constantFrom(...allowed.Finetune, ...allowed.CompareShare),
  fc.constantFrom(
    'redis',
    'threads',
    'json',
    'saveEvery',
    'mode',
    'preset',
    'estimatorFile',
    '__proto__',
    'constructor'
  ),
  fc.string({ maxLength: 12 })
)
const value = fc.oneof(
  fc.constantFrom('{config}', '{run}', '1', 'true', '1 of 2', 'points', 'reinforce', ''),
  fc.constantFrom(
    '/etc/passwd',
    '../x',
    'a\\b',
    './own.mjs',
    'own.js',
    'x.json',
    '{run}/../x',
    '{"name":"rlr"}',
    'm.onnx'
  ),
  fc.string({ maxLength: 12 })
)
const config = fc.oneof(
  fc.constantFrom(null, good.config, '{', '[]', JSON.stringify({ task: './own.mjs' }), JSON.stringify({ task: 7 })),
  fc.constantFrom(JSON.stringify({ reward: './own.mjs' }), JSON.stringify({ model: '/a/b.safetensors' }))
)
const orders = fc.record({
  order: fc.constantFrom<keyof typeof allowed>('Finetune', 'Compare', 'CompareShare', 'VerifyShare'),
  options: fc.array(fc.tuple(name, value), { maxLength: 5 }),
  config,
  files: fc.constant([])
})

describe('orders of others', () => {
  it('are carried out where they name nothing but what a study asks for', async () => {
    const { ran, result } = await carriedOut(good)
    expect(result).toMatchObject(E.right({ of: { _tag: 'Ran' } }))
    expect(ran?._tag).toBe('Finetune')
    expect(ran?.options).toMatchObject({ seed: '3', steps: '2' })
  })

  it('are refused for any other option, file or place, and the worker goes on', async () => {
    await fc.assert(
      fc.asyncProperty(orders, async (order) => {
        const { ran, result } = await carriedOut(order)
        const asked = allowed[order.order]
        const fits = order.options.every(([key, given]) => {
          const place = key === 'config' ? '{config}' : key === 'out' || key === 'resume' ? '{run}' : undefined
          if (key === 'byStep') return asked.includes(key) && given === 'true'
          const own = place === undefined ? !/[/\\{]|\.(?:[cm]?js|json|onnx)$/.test(given) : given === place
          return asked.includes(key) && own
        })
        const became = ran === undefined ? 'Left' : 'Ran'
        expect(result).toMatchObject(E.right({ of: { _tag: became } }))
        expect(became).toBe(fits && [null, good.config].includes(order.config) ? 'Ran' : 'Left')
      }),
      { numRuns: 1000 }
    )
    expect(nobody.redis.status).toBe('wait')
    // nothing is left lying about
    expect(readdirSync(cache)).toEqual([])
  })

  it('say what is to be told step by step', async () => {
    const options = [
      ['byStep', 'true'],
      ['T', '3']
    ]
    const { ran } = await carriedOut({ order: 'Compare', options, config: null, files: [] })
    expect(ran?.options).toEqual({ byStep: true, T: '3', samples: '1024', seed: '1' })
  })

  it('that are damaged are refused by part', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue({ maxDepth: 2 }),
        fc.constantFrom('order', 'options', 'files'),
        async (other, part) => {
          const { ran, result } = await carriedOut({ ...good, [part]: other })
          const fits = part === 'order' ? other === 'Finetune' : Array.isArray(other) && other.length === 0
          expect(ran !== undefined).toBe(fits)
          expect(E.isRight(result)).toBe(true)
        }
      ),
      { numRuns: 200 }
    )
  })
})
