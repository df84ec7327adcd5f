import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asset } from '../../cli/edge/Files.js'
import { sha256 } from '../../cli/command/run/RunFolder.js'
import { installed } from '../cli/cluster/redis.js'
import { build, run, scratch, start } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('namespaces')
const rows: Array<Row> = []
const [here, there] = [`hoa${process.pid}`, `hob${process.pid}`]
const at = { here: '10.77.0.1', there: '10.77.0.2' }
const secret = 's3cretpass'

const ip = (args: string): boolean => spawnSync('ip', args.split(' ')).status === 0
const within = (space: string): ReadonlyArray<string> => ['ip', 'netns', 'exec', space]

/** May networks be made here? That takes root. */
const possible = installed && process.getuid?.() === 0 && ip(`netns add ${here}`)

beforeAll(() => {
  build()
  if (!possible) return
  ip(`netns add ${there}`)
  ip(`link add va${process.pid} netns ${here} type veth peer name vb${process.pid} netns ${there}`)
  ip(`-n ${here} addr add ${at.here}/24 dev va${process.pid}`)
  ip(`-n ${there} addr add ${at.there}/24 dev vb${process.pid}`)
  for (const [space, device] of [
    [here, `va${process.pid}`],
    [there, `vb${process.pid}`]
  ]) {
    ip(`-n ${space} link set lo up`)
    ip(`-n ${space} link set ${device} up`)
  }
})

afterAll(() => {
  record(
    'Namespaces',
    'A fine-tune of a model in a file by a worker in another network namespace, whose folder is its own, at a Redis with a password.',
    rows
  )
  ip(`netns del ${here}`)
  ip(`netns del ${there}`)
  remove()
})

describe.skipIf(!possible)('a worker on another machine', () => {
  test('gives the bits of one machine, has the model brought, and shows no password', async () => {
    const [one, other] = [join(path, 'leader'), join(path, 'worker')]
    for (const folder of [one, other]) mkdirSync(folder)
    copyFileSync(asset('moons.safetensors'), join(one, 'own.safetensors'))
    const config = { task: 'points', chain: { T: 4 }, batch: 32, evaluationSamples: 16, model: './own.safetensors' }
    writeFileSync(join(one, 'config.json'), JSON.stringify(config))
    const redis = `--port 6399 --bind ${at.here} 127.0.0.1 --requirepass ${secret} --appendonly yes --dir ${one} --daemonize yes --pidfile ${one}/pid`
    expect(spawnSync('ip', [...within(here).slice(1), 'redis-server', ...redis.split(' ')]).status).toBe(0)
    await pause(1000)
    const far = { under: within(there), cwd: other, patience: 600_000 }
    const near = { under: within(here), cwd: one, patience: 600_000 }
    const url = `redis://:${secret}@${at.here}:6399`
    const refused = await run(['worker', '--redis', `redis://${at.here}:6399`], far)
    expect(refused).toMatchObject({ code: 2 })
    const worker = start(['worker', '--redis', url, '--cache', join(other, 'cache')], far)
    const fineTune = ['finetune', '--config', 'config.json', '--steps', '4']
    const apart = await run([...fineTune, '--out', 'apart', '--redis', url], near)
    const alone = await run([...fineTune, '--out', 'alone'], near)
    worker.child.kill('SIGTERM')
    const ended = await worker.ended
    process.kill(Number(readFileSync(join(one, 'pid'), 'utf8')), 'SIGKILL')
    expect([apart.code, alone.code]).toEqual([0, 0])
    const same =
      sha256(readFileSync(join(one, 'apart', 'checkpoint.safetensors'))) ===
      sha256(readFileSync(join(one, 'alone', 'checkpoint.safetensors')))
    const shown = [refused, ended, apart].filter(({ err, out }) => `${err}${out}`.includes(secret)).length
    const brought = existsSync(join(other, 'cache'))
    rows.push({
      fault: 'nothing shared but a Redis',
      tried: 1,
      found: { 'other bytes': same ? 0 : 1, 'passwords shown': shown, 'models brought': brought ? 1 : 0 }
    })
    expect({ same, shown, brought }).toEqual({ same: true, shown: 0, brought: true })
  })
})
