import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sha256 } from '../../cli/command/run/RunFolder.js'
import { readMetrics } from '../../cli/edge/Metrics.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { installed, type RedisProcess, startRedis } from '../cli/cluster/redis.js'
import { build, run, scratch, start } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('cluster')
const rows: Array<Row> = []

/** How many steps; the page has 200. */
const steps = Number(process.env['FAULT_STEPS'] ?? 200)

const config = join(path, 'config.json')
let redis: RedisProcess | undefined

beforeAll(async () => {
  build()
  if (!installed) return
  redis = await startRedis()
  writeFileSync(config, JSON.stringify({ task: 'points', chain: { T: 6 }, batch: 32, steps, evaluationSamples: 16 }))
}, 300_000)

afterAll(async () => {
  record(
    'Cluster',
    `A fine-tune of ${steps} steps by two workers at a Redis with append-only persistence, all on this machine: a worker is killed at a ` +
      'random moment every few seconds, once a step has been made since the last, and another one started, Redis is killed and started twice, the leader is killed once and resumed.',
    rows
  )
  await redis?.remove()
  remove()
})

const uniform = (i: number): number => Draw.uniform(Key.foldIn(Key.make(17), i), [1]).data[0] ?? 0

const checkpoint = (folder: string): string => sha256(readFileSync(join(folder, 'checkpoint.safetensors')))

const stepsIn = (folder: string): number => {
  const file = join(folder, 'metrics.jsonl')
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').length : 0
}

describe.skipIf(!installed)('a fine-tune by workers', () => {
  test('has the bytes of one machine, whatever dies', async () => {
    const url = redis?.url ?? ''
    const alone = join(path, 'alone')
    const apart = join(path, 'apart')
    const patient = { patience: 4 * 3_600_000 }
    expect(await run(['finetune', '--config', config, '--out', alone], patient)).toMatchObject({ code: 0 })

    const workers = new Set<ChildProcess>()
    const hire = (): void => {
      const { child } = start(['worker', '--redis', url], patient)
      workers.add(child)
      child.on('close', () => workers.delete(child))
    }
    hire()
    hire()
    let done = false
    let killed = 0
    const killing = (async () => {
      for (let i = 0; !done; i++) {
        const from = stepsIn(apart)
        // who compiles when it is killed makes no step, and a machine that is busy compiles for long
        for (let waited = 0; !done && waited < 60_000 && stepsIn(apart) <= from; waited += 200) await pause(200)
        await pause(1000 + 4000 * uniform(i))
        const [first, second] = [...workers]
        const one = uniform(1000 + i) < 0.5 ? first : (second ?? first)
        if (one === undefined || done) continue
        one.kill('SIGKILL')
        killed += 1
        hire()
      }
    })()
    let restarts = 0
    let resumed = 0
    const at = (share: number): boolean => stepsIn(apart) >= share * steps
    let leader = start(['finetune', '--config', config, '--out', apart, '--redis', url, '--save-every', '1'], patient)
    let ended: Awaited<typeof leader.ended> | undefined
    void leader.ended.then((how) => (ended = how))
    for (;;) {
      await pause(200)
      if (restarts < 2 && at(restarts === 0 ? 0.2 : 0.6)) {
        restarts += 1
        await redis?.kill()
        await pause(1500)
        await redis?.start()
      }
      if (resumed === 0 && at(0.4)) {
        resumed = 1
        leader.child.kill('SIGKILL')
        await leader.ended
        leader = start(['finetune', '--resume', apart, '--redis', url, '--save-every', '1'], patient)
        ended = undefined
        void leader.ended.then((how) => (ended = how))
      }
      if (ended !== undefined) break
    }
    done = true
    await killing
    for (const one of workers) one.kill('SIGKILL')
    expect({ code: ended.code, err: ended.code === 0 ? '' : ended.err.slice(-2000) }).toEqual({ code: 0, err: '' })
    const same = checkpoint(apart) === checkpoint(alone)
    const seen = (folder: string): ReadonlyArray<number> => {
      const read = readMetrics(readFileSync(join(folder, 'metrics.jsonl'), 'utf8'))
      return E.isRight(read) ? read.right.map(({ rewardMean }) => rewardMean) : []
    }
    const equal = JSON.stringify(seen(apart)) === JSON.stringify(seen(alone))
    rows.push({
      fault: 'workers, Redis and the leader killed',
      tried: killed + restarts + resumed,
      found: {
        'workers killed': killed,
        'Redis restarted': restarts,
        'leader resumed': resumed,
        'other bytes': same ? 0 : 1,
        'steps with other rewards': equal ? 0 : 1
      }
    })
    expect({ same, equal, restarts, resumed }).toEqual({ same: true, equal: true, restarts: 2, resumed: 1 })
    expect(killed).toBeGreaterThan(0)
  })
})
