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
import { build, type Ended, run, scratch, start } from './program.js'
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
  writeFileSync(config, JSON.stringify({ task: 'points', chain: { T: 8 }, batch: 256, steps, evaluationSamples: 16 }))
}, 300_000)

afterAll(async () => {
  record(
    'Cluster',
    `A fine-tune of ${steps} steps, of 256 rows each, by two workers at a Redis with append-only persistence, all on this ` +
      'machine: a worker is killed at random every 2 to 6 seconds, whatever it does, and another one started; Redis is killed and started ' +
      'twice; the leader is killed once and resumed.',
    rows
  )
  await redis?.remove()
  remove()
})

/** Far longer than all of it takes: what hangs is killed then. */
const patience = 3_600_000

const uniform = (i: number): number => Draw.uniform(Key.foldIn(Key.make(17), i), [1]).data[0] ?? 0

const checkpoint = (folder: string): string => sha256(readFileSync(join(folder, 'checkpoint.safetensors')))

const stepsIn = (folder: string): number => {
  const file = join(folder, 'metrics.jsonl')
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

/** What the log says of each step, but for the time that it took. */
const stepsOf = (folder: string): ReadonlyArray<string> => {
  const read = readMetrics(readFileSync(join(folder, 'metrics.jsonl'), 'utf8'))
  return E.isRight(read) ? read.right.map((line) => JSON.stringify({ ...line, seconds: 0 })) : [read.left]
}

/** Says what a process said that ended by itself. */
const tellEnd = (who: string, { code, err }: Ended): void =>
  console.error(`${who} ended with ${code ?? 'a signal'}:\n${err.slice(-4000)}`)

describe.skipIf(!installed)('a fine-tune by workers', () => {
  test('has the bytes of one machine, whatever dies', async () => {
    const url = redis?.url ?? ''
    const alone = join(path, 'alone')
    const apart = join(path, 'apart')
    expect(await run(['finetune', '--config', config, '--out', alone], { patience })).toMatchObject({ code: 0 })

    const workers = new Set<ChildProcess>()
    let ends = 0
    const hire = (): void => {
      const { child, ended } = start(['worker', '--redis', url], { patience })
      workers.add(child)
      void ended.then((how) => {
        // who is killed is let go before
        if (!workers.delete(child)) return
        ends += 1
        tellEnd('a worker', how)
      })
    }
    const kill = (one: ChildProcess | undefined): void => {
      if (one === undefined || !workers.delete(one)) return
      one.kill('SIGKILL')
    }
    hire()
    hire()
    let done = false
    let killed = 0
    const killing = (async () => {
      for (let i = 0; !done; i++) {
        await pause(2000 + 4000 * uniform(i))
        if (done) break
        kill([...workers][Math.floor(workers.size * uniform(1000 + i))])
        killed += 1
        hire()
      }
    })()
    let restarts = 0
    let resumed = 0
    const at = (share: number): boolean => stepsIn(apart) >= share * steps
    const lead = (...args: ReadonlyArray<string>) =>
      start(['finetune', ...args, '--redis', url, '--save-every', '1'], { patience })
    let leader = lead('--config', config, '--out', apart)
    let ended: Ended | undefined
    const watch = (): void => {
      const { child } = leader
      void leader.ended.then((how) => {
        if (child === leader.child) ended = how
      })
    }
    watch()
    while (ended === undefined) {
      await pause(200)
      if (restarts < 2 && at(restarts === 0 ? 0.2 : 0.6)) {
        restarts += 1
        await redis?.kill()
        await pause(1500)
        await redis?.start()
      }
      if (resumed === 0 && at(0.4)) {
        resumed = 1
        const before = leader
        before.child.kill('SIGKILL')
        await before.ended
        leader = lead('--resume', apart)
        ended = undefined
        watch()
      }
    }
    done = true
    for (const one of workers) kill(one)
    await killing
    for (const one of workers) kill(one)
    if (ended.code !== 0) tellEnd('the leader', ended)
    const [own, others] = [stepsOf(apart), stepsOf(alone)]
    const found = {
      'workers killed': killed,
      'Redis restarted': restarts,
      'leader resumed': resumed,
      'ended by themselves': ends + (ended.code === 0 ? 0 : 1),
      'other bytes': ended.code === 0 && checkpoint(apart) === checkpoint(alone) ? 0 : 1,
      'steps missing, doubled or others':
        others.filter((line, i) => own[i] !== line).length + Math.abs(own.length - others.length)
    }
    rows.push({ fault: 'workers, Redis and the leader killed', tried: killed + restarts + resumed, found })
    expect(found).toEqual({
      'workers killed': killed,
      'Redis restarted': 2,
      'leader resumed': 1,
      'ended by themselves': 0,
      'other bytes': 0,
      'steps missing, doubled or others': 0
    })
    expect(killed).toBeGreaterThan(steps < 200 ? 0 : 9)
  })
})
