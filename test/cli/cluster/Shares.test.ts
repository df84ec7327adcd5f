import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address } from '../../../cli/cluster/Address.js'
import { probe } from '../../../cli/cluster/Probe.js'
import { join as joinWorkers, type Working } from '../../../cli/cluster/Worker.js'
import { cellOf } from '../../../cli/command/cluster/Elsewhere.js'
import { packed, placesOf, real } from '../../../cli/command/cluster/Shares.js'
import { comparedShare, compareEstimators } from '../../../cli/command/Compare.js'
import type { Answer, Order, Program } from '../../../cli/command/study/Hands.js'
import { verifiedShare, verify } from '../../../cli/command/Verify.js'
import type { Step } from '../../../cli/edge/Failure.js'
import { version } from '../../../cli/edge/Version.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import { captured } from '../captured.js'
import { installed, type RedisProcess, startRedis } from './redis.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-shares-'))
const place = gpuJs()
const probed = probe(place)

const right = async <A>(step: Step<A>): Promise<A> => {
  const result = await step()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

afterAll(async () => {
  await place.dispose()
  rmSync(scratch, { recursive: true, force: true })
})

const where = { task: 'points', T: '2', samples: '8', batch: '4', seed: '3' }
const comparing = { ...where, only: 'reinforce|truncated' }
const verifying = { estimator: 'fullBackprop', samples: '1000', seed: '1', json: true }

const before = new Map<string, Answer>()

/** What a process would do, here and once, as it comes back from one. */
const carryOut = async (order: Order): Promise<Answer> => {
  if (order._tag !== 'CompareShare' && order._tag !== 'VerifyShare') return { _tag: 'Failed', reason: 'no share' }
  const known = before.get(JSON.stringify(order))
  if (known !== undefined) return known
  const value = await right(order._tag === 'CompareShare' ? comparedShare(order.options) : verifiedShare(order.options))
  const answer: Answer = { _tag: 'Done', value: JSON.parse(JSON.stringify(value)) }
  before.set(JSON.stringify(order), answer)
  return answer
}

/** All but the time that it took. */
const numbersOf = (out: string): ReadonlyArray<string> =>
  out
    .trim()
    .split('\n')
    .map((line) => line.replace(/"seconds":[^,]*/, '"seconds":0'))

describe('shares', () => {
  it('have each place once', () => {
    const parts = Array.from({ length: 5 }, (_, k) => placesOf(`${k + 1} of 5`))
    const owners = Array.from({ length: 23 }, (_, i) => parts.filter((part) => E.isRight(part) && part.right(i)).length)
    expect(new Set(owners)).toEqual(new Set([1]))
  })

  it('are refused where they are none', () => {
    for (const text of ['', '0 of 2', '3 of 2', '1 of 0', '1/2', '1 of 9999', ' 1 of 2']) {
      expect([text, E.isLeft(placesOf(text))]).toEqual([text, true])
    }
  })

  it('bring back numbers that JSON has none of', () => {
    const numbers = [1.5, Number.NaN, Infinity, -Infinity]
    const sent: unknown = JSON.parse(JSON.stringify(packed(numbers)))
    expect(t.array(real).decode(sent)).toEqual(E.right(numbers))
    expect(E.isLeft(real.decode('1'))).toBe(true)
  })
})

it('what is in a file is refused before anybody is looked for', async () => {
  const estimator = JSON.stringify({ name: 'reinforce' })
  const ran = await captured(() => compareEstimators({ ...where, estimator, redis: 'redis://127.0.0.1:1' }))
  expect(ran).toMatchObject({ code: 2, out: '' })
  expect(ran.err).toContain('--redis: estimator: expected a value that names no file')
})

// where redis-server is not installed (apt-get install redis-server) these are skipped
describe.skipIf(!installed)('at a Redis', () => {
  let redis: RedisProcess
  let workers: ReadonlyArray<Working> = []
  const heard: Array<string> = []
  let program: Program = carryOut

  const joined = async (): Promise<Working> => {
    const at = address(redis.url)
    if (E.isLeft(at)) throw new Error(at.left.message)
    const asked: Program = (order, stop) => {
      heard.push('share' in order.options ? order.options.share : order._tag)
      return program(order, stop)
    }
    return await right(
      joinWorkers({
        address: at.right,
        version: version(),
        probe: await right(probed),
        tolerant: false,
        tasks: [],
        shop: async () => E.left('none'),
        cell: cellOf(scratch, new AbortController().signal, asked)
      })
    )
  }

  beforeAll(async () => {
    redis = await startRedis()
    workers = [await joined(), await joined()]
  })

  afterAll(async () => {
    for (const one of workers) await one.stop()
    await redis.remove()
  })

  it('compare says what it says on one machine', async () => {
    heard.length = 0
    const alone = await captured(() => compareEstimators({ ...comparing, json: true }))
    const apart = await captured(() => compareEstimators({ ...comparing, json: true, redis: redis.url, threads: '2' }))
    expect(apart.code).toBe(0)
    const numbers = numbersOf(apart.out)
    expect(numbers.length).toBeGreaterThan(3)
    expect(numbers).toEqual(numbersOf(alone.out))
    // some of the other share are compared with one of the first
    expect(numbers.filter((line) => /"betterThanReinforce":[\d.]/.test(line)).length).toBeGreaterThan(1)
    // one that is late is asked for twice
    expect(new Set(heard)).toEqual(new Set(['1 of 2', '2 of 2']))
    // what was measured is not measured again
    const table = await captured(() => compareEstimators({ ...comparing, redis: redis.url }))
    expect(table.out).toContain('truncated backpropagation(k = 1)')
  })

  it('verify says what it says on one machine', async () => {
    const alone = await captured(() => verify(verifying))
    const apart = await captured(() => verify({ ...verifying, redis: redis.url }))
    expect(apart).toMatchObject({ code: alone.code, out: alone.out })
    expect(numbersOf(apart.out).length).toBeGreaterThan(3)
  })

  it('nobody is believed who leaves something out', async () => {
    program = async () => ({ _tag: 'Done', value: [] })
    const ran = await captured(() => verify({ ...verifying, redis: redis.url }))
    program = carryOut
    expect(ran).toMatchObject({ code: 1, out: '' })
    expect(ran.err).toContain('is not that of share')
  })
})
