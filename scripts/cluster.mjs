// How fast workers at a Redis are, and what goes over the wire: `npm run scaling` measures on this machine (it should have nothing else to
// do), compares with the model, plays the model through to a thousand workers, and writes docs/results/scaling.json and scaling.md.
// `npm run scaling -- --simulate` writes the page anew from the numbers that are there. Needs redis-server and what `npm run build` makes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as Key from '../dist/src/random/Key.js'
import { meanSeconds } from '../cli/dist/cluster/Scaling.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const program = join(root, 'cli', 'bin', 'halforder.js')
const results = join(root, 'docs', 'results', 'scaling.json')
const page = join(root, 'docs', 'results', 'scaling.md')

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    workers: { type: 'string', default: '1,2,4' },
    steps: { type: 'string', default: '12' },
    model: { type: 'string', default: 'unet' }
  }
})
const steps = Number(values.steps)
/** The first steps compile. */
const warm = Math.min(3, steps - 2)

// -------------------------------------------------------------------------------------
// measuring
// -------------------------------------------------------------------------------------

const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

const run = async (args) => {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (text) => (out += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`halforder ${args.join(' ')} ended with ${code}`)
  return JSON.parse(out)
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** The median of the seconds of a step, once everything is compiled. */
const secondsIn = (folder) => {
  const at = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).seconds)
  return median(at.slice(warm).map((seconds, i) => seconds - at[i + warm - 1]))
}

/** What is measured: a fine-tune by rollouts of the U-Net with half-order cells, and one by numbers alone. */
const measured = {
  rlr: { estimator: { name: 'rlr' }, batch: 64 },
  zeroth: { estimator: { name: 'evolutionStrategies' }, batch: 256 }
}

const wire = (port) => {
  const { stdout } = spawnSync('redis-cli', ['-p', `${port}`, 'info', 'stats'], { encoding: 'utf8' })
  return ['input', 'output'].reduce(
    (n, way) => n + Number(new RegExp(`total_net_${way}_bytes:(\\d+)`).exec(stdout)[1]),
    0
  )
}

const measure = async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'halforder-scaling-'))
  const port = await freePort()
  const redis = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--appendonly', 'yes', '--dir', scratch],
    { stdio: 'ignore' }
  )
  const url = `redis://127.0.0.1:${port}`
  await pause(500)
  const rows = []
  try {
    for (const [name, { batch, estimator }] of Object.entries(measured)) {
      const config = join(scratch, `${name}.json`)
      writeFileSync(
        config,
        JSON.stringify({
          task: 'faces',
          model: values.model,
          chain: { T: 10 },
          batch,
          estimator,
          evaluationSamples: 32
        })
      )
      const one = async (label, count, more) => {
        const out = join(scratch, `${name}-${label}`)
        const summary = await run([
          'finetune',
          '--config',
          config,
          '--steps',
          `${count}`,
          '--out',
          out,
          '--json',
          ...more
        ])
        return { seconds: secondsIn(out), parameters: summary.trainedParameters }
      }
      const alone = await one('alone', steps, [])
      rows.push({ name, workers: 0, batch, ...alone, bytesARow: 0 })
      process.stderr.write(`${name}, one machine: ${alone.seconds.toFixed(3)} s a step\n`)
      for (const workers of values.workers.split(',').map(Number)) {
        const hired = Array.from({ length: workers }, () =>
          spawn(process.execPath, [program, 'worker', '--redis', url], { stdio: 'ignore' })
        )
        try {
          const before = wire(port)
          await one(`${workers}-short`, warm + 2, ['--redis', url])
          const between = wire(port)
          const found = await one(`${workers}`, warm + 2 + steps, ['--redis', url])
          const after = wire(port)
          // what both have, connecting, the base and the first state, is no part of a step
          const bytesARow = (after - between - (between - before)) / (steps * batch)
          rows.push({ name, workers, batch, ...found, bytesARow })
          process.stderr.write(
            `${name}, ${workers} workers: ${found.seconds.toFixed(3)} s a step, ${bytesARow.toFixed(0)} bytes a row\n`
          )
        } finally {
          for (const child of hired) child.kill('SIGTERM')
          await pause(500)
        }
      }
    }
    const tiny = join(scratch, 'tiny.json')
    // what a step takes beside its rows: the way there and back, for parameters of some size
    writeFileSync(
      tiny,
      JSON.stringify({
        task: 'faces',
        model: 'mlp',
        chain: { T: 2 },
        batch: 16,
        estimator: { name: 'fullBackprop' },
        evaluationSamples: 8
      })
    )
    const alone = join(scratch, 'tiny-alone')
    const { trainedParameters } = await run(['finetune', '--config', tiny, '--steps', '40', '--out', alone, '--json'])
    const child = spawn(process.execPath, [program, 'worker', '--redis', url], { stdio: 'ignore' })
    const apart = join(scratch, 'tiny-apart')
    await run(['finetune', '--config', tiny, '--steps', '40', '--out', apart, '--json', '--redis', url])
    child.kill('SIGTERM')
    const overhead = { megabytes: (4 * trainedParameters) / 2 ** 20, alone: secondsIn(alone), apart: secondsIn(apart) }
    const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}`
    const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim()
    writeFileSync(results, `${JSON.stringify({ machine, commit, steps, rows, overhead }, null, 2)}\n`)
  } finally {
    redis.kill('SIGKILL')
    rmSync(scratch, { recursive: true, force: true })
  }
}

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const nets = {
  'one machine': { latency: 0.0005, bandwidth: 2e9 },
  'a room at 1 Gbit/s': { latency: 0.0005, bandwidth: 1.25e8 },
  'a slow line at 20 Mbit/s': { latency: 0.02, bandwidth: 2.5e6 }
}

/** A step as it was measured on one machine, in blocks of 32 rows, of a batch that has enough of them. */
const stepOf = ({ name, batch, parameters, seconds }, { alone, apart }, blocks) => {
  const block = (seconds * 32) / batch
  const numbers = name === 'zeroth'
  // a rollout of ten steps against a pullback of three, which cost about twice as much each
  const share = numbers ? 1 : 10 / 16
  return {
    blocks,
    walk: share * block,
    credit: (1 - share) * block,
    spread: 0.15,
    down: numbers ? 16 * 32 * blocks : 4 * parameters,
    job: 2000,
    told: numbers ? 16 * 32 : 12 * 32,
    gradient: numbers ? 0 : 2 * 4 * parameters,
    post: Math.max(0.0005, (apart - alone) / 4),
    update: 0.001
  }
}

const show = () => {
  const { machine, commit, overhead, rows, steps: count } = JSON.parse(readFileSync(results, 'utf8'))
  const key = Key.make(1)
  const lines = [
    '# Scaling',
    '',
    `Written by \`npm run scaling\` (commit ${commit}; ${machine}; medians of ${count} steps). [What the model is](../scaling.md).`,
    '',
    '## Measured here, and what the model says',
    '',
    '| fine-tune | workers | seconds a step | as fast as one | of the model | bytes a row |',
    '|---|---|---|---|---|---|'
  ]
  for (const name of Object.keys(measured)) {
    const own = rows.filter((row) => row.name === name)
    const alone = own.find(({ workers }) => workers === 0)
    const one = own.find(({ workers }) => workers === 1)
    if (alone === undefined || one === undefined) continue
    const step = stepOf(alone, overhead, alone.batch / 32)
    const said = (workers) => meanSeconds(step, nets['one machine'], workers, 50)(key)
    for (const { bytesARow, seconds, workers } of own) {
      lines.push(
        `| ${name} | ${workers === 0 ? 'none, one machine' : workers} | ${seconds.toFixed(3)} | ${(one.seconds / seconds).toFixed(2)} | ${
          workers === 0 ? '' : (said(1) / said(workers)).toFixed(2)
        } | ${workers === 0 ? '' : bytesARow.toFixed(0)} |`
      )
    }
  }
  lines.push(
    '',
    `A step by one worker takes ${(1000 * (overhead.apart - overhead.alone)).toFixed(1)} ms more than on one machine, with ${overhead.megabytes.toFixed(1)} MB of trained parameters.`,
    '',
    '## Played through to a thousand workers',
    '',
    'Speed against one worker, of a step of 2,048 blocks (65,536 rows).',
    '',
    `| fine-tune | over | ${[1, 10, 100, 300, 1000].map((n) => `${n}`).join(' | ')} |`,
    '|---|---|---|---|---|---|---|'
  )
  for (const name of Object.keys(measured)) {
    const alone = rows.find((row) => row.name === name && row.workers === 0)
    if (alone === undefined) continue
    const step = stepOf(alone, overhead, 2048)
    for (const [over, net] of Object.entries(nets).slice(1)) {
      const one = meanSeconds(step, net, 1, 3)(key)
      const all = [1, 10, 100, 300, 1000].map((workers) => (one / meanSeconds(step, net, workers, 3)(key)).toFixed(1))
      lines.push(`| ${name} | ${over} | ${all.join(' | ')} |`)
    }
  }
  writeFileSync(page, `${lines.join('\n')}\n`)
}

if (!values.simulate) await measure()
show()
