import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asset } from '../../cli/edge/Files.js'
import { sha256 } from '../../cli/command/run/RunFolder.js'
import { installed } from '../cli/cluster/redis.js'
import { root } from '../package/sources.js'
import { build, type Ended, program, run, scratch, start, type Started } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('namespaces')
const rows: Array<Row> = []
const [here, there] = [`hoa${process.pid}`, `hob${process.pid}`]
// the address that the guide has
const at = { here: '10.0.0.1', there: '10.0.0.2' }
const secret = 's3cretpass'
const [one, other] = [join(path, 'leader'), join(path, 'worker')]

const ip = (args: string): boolean => spawnSync('ip', args.split(' ')).status === 0
const within = (space: string): ReadonlyArray<string> => ['ip', 'netns', 'exec', space]

/** There, under whose mounts the folder of the leader is empty: nothing is shared but the network. */
const alone: ReadonlyArray<string> = [...within(there), 'sh', '-c', `mount -t tmpfs tmpfs ${one} && exec "$@"`, 'sh']

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
    'Fine-tunes by a worker in another network namespace, from which the folder of the leader is hidden: of a model in a file, and ' +
      '[more machines](../more-machines.md) word by word, each of its commands in its place.',
    rows
  )
  ip(`netns del ${here}`)
  ip(`netns del ${there}`)
  remove()
})

const patience = 600_000
const near = { under: within(here), cwd: one, patience }
const far = { under: alone, cwd: other, patience }

const checkpoint = (folder: string): string => sha256(readFileSync(join(one, folder, 'checkpoint.safetensors')))

/** Until a Redis takes connections. */
const answers = async (...args: ReadonlyArray<string>): Promise<void> => {
  const ping = [...within(here).slice(1), 'redis-cli', ...args, 'ping']
  while (!spawnSync('ip', ping, { encoding: 'utf8' }).stdout.includes('PONG')) await pause(100)
}

describe.skipIf(!possible)('a worker on another machine', () => {
  beforeAll(() => {
    for (const folder of [one, other]) mkdirSync(folder)
  })

  test('gives the bits of one machine, has the model brought, and shows no password', async () => {
    copyFileSync(asset('moons.safetensors'), join(one, 'own.safetensors'))
    const config = { task: 'points', chain: { T: 4 }, batch: 32, evaluationSamples: 16, model: './own.safetensors' }
    writeFileSync(join(one, 'config.json'), JSON.stringify(config))
    const redis = start(
      `--port 6399 --bind ${at.here} 127.0.0.1 --requirepass ${secret} --appendonly yes --dir ${one}`.split(' '),
      { ...near, program: ['redis-server'] }
    )
    await answers('-p', '6399', '-a', secret)
    const url = `redis://:${secret}@${at.here}:6399`
    const refused = await run(['worker', '--redis', `redis://${at.here}:6399`], far)
    expect(refused).toMatchObject({ code: 2 })
    const worker = start(['worker', '--redis', url, '--cache', join(other, 'cache')], far)
    const fineTune = ['finetune', '--config', 'config.json', '--steps', '4']
    const apart = await run([...fineTune, '--out', 'apart', '--redis', url], near)
    const whole = await run([...fineTune, '--out', 'whole'], near)
    worker.child.kill('SIGTERM')
    const ended = await worker.ended
    redis.child.kill('SIGKILL')
    await redis.ended
    expect([apart.code, whole.code, apart.err, whole.err]).toEqual([0, 0, expect.any(String), expect.any(String)])
    const same = checkpoint('apart') === checkpoint('whole')
    const shown = [refused, ended, apart].filter(({ err, out }) => `${err}${out}`.includes(secret)).length
    const brought = existsSync(join(other, 'cache'))
    rows.push({
      fault: 'a model in a file, a Redis with a password',
      tried: 1,
      found: { 'other bytes': same ? 0 : 1, 'passwords shown': shown, 'models brought': brought ? 1 : 0 }
    })
    expect({ same, shown, brought }).toEqual({ same: true, shown: 0, brought: true })
  })

  test('joins as the guide says, command by command', async () => {
    const guide = readFileSync(join(root, 'docs', 'more-machines.md'), 'utf8')
    const commands = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) => block.trim().split('\n'))
    const lasting: Array<Started> = []
    const ended: Array<Ended> = []
    /** As it is written, but for where the program is. */
    const shell = (line: string): ReadonlyArray<string> => [
      '-c',
      `SECRET=${secret}; exec ${line.replace('npx halforder', `${process.execPath} ${program}`)}`
    ]
    const stop = async (): Promise<void> => {
      // who works is stopped before the Redis that it works at
      for (const { child, ended: end } of lasting.splice(0).reverse()) {
        child.kill('SIGTERM')
        ended.push(await end)
      }
    }
    const away: Array<string> = []
    for (const line of commands) {
      if (line.startsWith('npm install')) continue
      if (line.startsWith('redis-server')) {
        await stop()
        lasting.push(start(shell(line), { ...near, program: ['sh'] }))
        await answers(...(line.includes('requirepass') ? ['-a', secret] : []))
      } else if (line.startsWith('npx halforder worker')) {
        const elsewhere = line.includes(at.here)
        if (elsewhere) away.push(line)
        const how = elsewhere ? { ...far, env: { TMPDIR: other } } : near
        lasting.push(start(shell(line), { ...how, program: ['sh'] }))
      } else {
        const done = await run(shell(line), { ...near, program: ['sh'] })
        if (done.code !== 0) throw new Error(`${line} ended with ${done.code ?? 'a signal'}: ${done.err}`)
        ended.push(done)
      }
    }
    // what the guide says of the other machine holds for the same fine-tune
    const fineTune = (commands.find((line) => line.startsWith('npx halforder finetune')) ?? '').split(' ').slice(2)
    const own = fineTune.slice(0, fineTune.indexOf('--redis'))
    const url = `redis://:${secret}@${at.here}:6379`
    const apart = await run([...own, '--redis', url, '--out', 'guide-apart'], near)
    const whole = await run([...own, '--out', 'guide-whole'], near)
    await stop()
    expect([apart.code, whole.code, apart.err, whole.err]).toEqual([0, 0, expect.any(String), expect.any(String)])
    const same = checkpoint('guide-apart') === checkpoint('guide-whole')
    const shown = [...ended, apart].filter(({ err, out }) => `${err}${out}`.includes(secret)).length
    rows.push({
      fault: 'the guide',
      tried: commands.length,
      found: { 'other bytes': same ? 0 : 1, 'passwords shown': shown, 'workers elsewhere': away.length }
    })
    expect({ same, shown, away: away.length }).toEqual({ same: true, shown: 0, away: 1 })
  })
})
