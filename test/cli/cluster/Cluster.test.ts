import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { address } from '../../../cli/cluster/Address.js'
import { deliver } from '../../../cli/cluster/Dispatch.js'
import { lineOf } from '../../../cli/cluster/Kind.js'
import * as Parcel from '../../../cli/cluster/Parcel.js'
import { type Probe, probe } from '../../../cli/cluster/Probe.js'
import { keys, open } from '../../../cli/cluster/Redis.js'
import { join as joinWorkers, type Working } from '../../../cli/cluster/Worker.js'
import { opened } from '../../../cli/command/cluster/Recipe.js'
import { standing } from '../../../cli/command/cluster/Status.js'
import { worker } from '../../../cli/command/cluster/Worker.js'
import { finetune, type Options } from '../../../cli/command/Finetune.js'
import { sha256 } from '../../../cli/command/run/RunFolder.js'
import type { Step } from '../../../cli/edge/Failure.js'
import { version } from '../../../cli/edge/Version.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import { captured, type Ran } from '../captured.js'
import { installed, type RedisProcess, startRedis } from './redis.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-cluster-'))
const config = join(scratch, 'config.json')

const right = async <A>(step: Step<A>): Promise<A> => {
  const result = await step()
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const run = (out: string, redis?: string, more: Partial<Options> = {}): Promise<Ran> =>
  captured(() =>
    finetune(
      { config, out: join(scratch, out), ...(redis === undefined ? {} : { redis, patience: '60' }), ...more },
      new Date(0)
    )
  )

const checkpoint = (out: string): string => sha256(readFileSync(join(scratch, out, 'checkpoint.safetensors')))

const places = { block: gpuJs(), whole: gpuJs({ threads: 1 }) }
const probed = probe(places.block)

/** A worker of this process, with bits of its own where they are given. */
const joined = async (url: string, bits?: Probe): Promise<Working> => {
  const at = address(url)
  if (E.isLeft(at)) throw new Error(at.left.message)
  return await right(
    joinWorkers({
      address: at.right,
      version: version(),
      probe: bits ?? (await right(probed)),
      tolerant: bits !== undefined,
      tasks: [],
      shop: opened({ tasks: new Map(), rewards: [], cache: scratch, places })
    })
  )
}

// where redis-server is not installed (apt-get install redis-server) these are skipped
describe.skipIf(!installed)('a fine-tune at a Redis', () => {
  let redis: RedisProcess

  beforeAll(async () => {
    redis = await startRedis()
    // a cell of each order, on rows for two blocks
    const cells = [
      { kind: 'firstOrder', to: 1 },
      { kind: 'halfOrder', from: 2, to: 2 },
      { kind: 'zerothOrder', steps: [3] }
    ]
    const quick = {
      task: 'points',
      chain: { T: 3 },
      steps: 3,
      batch: 32,
      evaluationSamples: 8,
      estimator: { name: 'cells', cells }
    }
    writeFileSync(config, JSON.stringify(quick))
  })

  afterAll(async () => {
    await redis.remove()
    await places.block.dispose()
    await places.whole.dispose()
    rmSync(scratch, { recursive: true, force: true })
  })

  it('has the bits of one machine, whoever is gone, and whatever one of them says', async () => {
    expect(await run('alone')).toMatchObject({ code: 0 })
    const at = address(redis.url)
    if (E.isLeft(at)) throw new Error(at.left.message)
    const line = lineOf(version(), (await right(probed)).digest, false)
    // one takes a block, and is gone
    const gone = await right(open(at.right, 'gone'))
    let taken = 0
    gone.serve(line, async (_, job) => {
      taken += 1
      await gone.redis.set(keys.holder(job.split('-')[0] ?? ''), 'gone')
      await gone.close()
      await new Promise(() => undefined)
    })
    // another one is gone before it says that it has one
    const silent = await right(open(at.right, 'silent'))
    let unsaid = 0
    silent.serve(line, async () => {
      unsaid += 1
      await silent.close()
      await new Promise(() => undefined)
    })
    // one answers whatever comes to its mind
    const liar = await right(open(at.right, 'liar'))
    let lies = 0
    liar.serve(line, async (_, job) => {
      lies += 1
      const [digest = ''] = job.split('-')
      const of = { _tag: 'Told', lists: { cells: [0, 0, 1], rows: [], plain: true }, samples: [] }
      const arrays = [new Float64Array(3)]
      await deliver(liar, job, Parcel.encode({ head: { job: digest, worker: 'liar', seconds: 0, of }, arrays }))
      if (lies === 2) void liar.close()
    })
    const running = run('apart', redis.url)
    while (taken === 0 || unsaid === 0 || lies < 2) await pause(20)
    const working = await joined(redis.url)
    const seen = await right(standing(redis.url))
    expect(seen).toMatchObject({ workers: [{ version: version() }], leaders: [{ tasks: ['points'] }] })
    // and Redis loses its power
    await redis.kill()
    await pause(200)
    await redis.start()
    const ran = await running
    await working.stop()
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.err).toContain('a result of liar is refused, and asked for again')
    expect(checkpoint('apart')).toBe(checkpoint('alone'))
  })

  it('takes back what it gave out at Ctrl-C, and asks who gives other bits where both say so', async () => {
    const numbers = Float32Array.from((await right(probed)).numbers, (x) => x * (1 + 2 ** -10))
    const other = await joined(redis.url, { numbers, digest: Parcel.digestOf(Parcel.bytesOf(numbers)) })
    const running = run('interrupted', redis.url, { saveEvery: '0' })
    while ((await right(standing(redis.url))).waiting === 0) await pause(50)
    process.emit('SIGINT')
    const ended = await running
    expect(ended.code).toBe(130)
    expect(ended.err).toContain('(by up to 9.8e-4 of a number) is not asked; --tolerate-bits on both sides would')
    expect(await right(standing(redis.url))).toMatchObject({ leaders: [] })
    const looking = await right(open(other.open.address, 'looks'))
    expect(await looking.line(lineOf(version(), (await right(probed)).digest, false)).waiting()).toBe(0)
    await looking.close()
    const folder = join(scratch, 'interrupted')
    const goOn = { resume: folder, redis: redis.url, tolerateBits: true, patience: '60' }
    const resumed = await captured(() => finetune(goOn, new Date(0)))
    await other.stop()
    expect(resumed).toMatchObject({ code: 0 })
    // its bits are not those that it says
    expect(checkpoint('interrupted')).toBe(checkpoint('alone'))
  })

  it('does not take a critic along', async () => {
    const estimator = JSON.stringify({ name: 'reinforce', baseline: 'critic' })
    const ran = await run('critic', redis.url, { estimator })
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain('expected an estimator that fits nothing as it goes')
  })

  it('refuses who gives other bits, and says by how much they differ', async () => {
    const other = Float32Array.from((await right(probed)).numbers, (x, i) => (i === 7 ? x * (1 + 2 ** -10) : x))
    const digest = Parcel.digestOf(Parcel.bytesOf(other))
    const at = address(redis.url)
    if (E.isLeft(at)) throw new Error(at.left.message)
    const foreign = await right(
      joinWorkers({
        address: at.right,
        version: version(),
        probe: { numbers: other, digest },
        tolerant: false,
        tasks: [],
        shop: async () => E.left('none')
      })
    )
    const refused = await captured(() => worker({ redis: redis.url }))
    await foreign.stop()
    expect(refused.code).toBe(2)
    expect(refused.err).toMatch(/got some that differ by up to 9\.8e-4 of a number/)
  })
})

it('says how to start workers where none answers, and where Redis is where it does not', async () => {
  const ran = await captured(() => finetune({ config: 'none', redis: 'redis://far.example' }, new Date(0)))
  expect(ran.code).toBe(2)
})
