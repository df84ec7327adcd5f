// How fast workers at a Redis are, and what goes over the wire. `npm run scaling` measures on this machine (it should have nothing else to
// do), point by point, each kept in docs/results/scaling.jsonl as it comes; compares with the model, plays it through to a thousand workers,
// and writes docs/results/scaling.md. What was measured of the same sources on the same machine is not measured again: a run that was ended
// goes on. `-- --seconds 80` begins no point after so many, `-- --again` measures all anew, `-- --simulate` only writes the page.
// Needs redis-server and what `npm run build` makes.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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
const results = join(root, 'docs', 'results', 'scaling.jsonl')
const page = join(root, 'docs', 'results', 'scaling.md')

const { values } = parseArgs({
  options: {
    simulate: { type: 'boolean', default: false },
    again: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '3600' },
    only: { type: 'string', default: '' }
  }
})

const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}`

/** The commit of what is measured, which results do not change. */
const commit = spawnSync('git', ['log', '-1', '--format=%h', '--', 'src', 'cli', 'scripts/cluster.mjs'], {
  cwd: root,
  encoding: 'utf8'
}).stdout.trim()

// -------------------------------------------------------------------------------------
// points
// -------------------------------------------------------------------------------------

/** A fine-tune by rollouts of the U-Net with cells of every order, and one by numbers alone. */
const speeds = {
  rlr: { chain: { T: 4 }, estimator: { name: 'rlr' }, batch: 64 },
  zeroth: { chain: { T: 2 }, estimator: { name: 'evolutionStrategies' }, batch: 256 }
}

/** What one step does beside its rows, for 1 MB of trained parameters and one block of rows. */
const light = {
  model: 'faces-mlp',
  trained: ['blocks.0', 'time'],
  chain: { T: 2 },
  batch: 8,
  estimator: { name: 'fullBackprop' }
}

/** What goes over the wire for each estimator, two blocks of rows by one worker. */
const wired = ['evolutionStrategies', 'reinforce', 'segmented', 'rlr', 'fullBackprop']

const points = [
  ...Object.keys(speeds).flatMap((name) => [0, 1, 2, 4].map((workers) => ({ point: 'speed', name, workers }))),
  { point: 'row', name: 'zeroth', workers: 2 },
  { point: 'overhead' },
  ...wired.map((name) => ({ point: 'wire', name }))
]

const same = (a, b) => ['point', 'name', 'workers'].every((key) => a[key] === b[key])

const lines = () =>
  existsSync(results)
    ? readFileSync(results, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    : []

/** The last that was found of each point on this machine, of any commit. */
const found = (point) => lines().findLast((line) => same(line, point) && line.machine === machine)

const isFresh = (point) => found(point)?.commit === commit

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

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]

const scratch = mkdtempSync(join(tmpdir(), 'halforder-scaling-'))
let runs = 0

/** A fine-tune of so many steps: the seconds of each, and its summary. */
const run = async (config, steps, more = []) => {
  const folder = join(scratch, `${(runs += 1)}`)
  const file = `${folder}.json`
  writeFileSync(file, JSON.stringify({ task: 'faces', model: 'unet', evaluationSamples: 8, ...config }))
  const args = ['finetune', '--config', file, '--steps', `${steps}`, '--out', folder, '--json', ...more]
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', (text) => (out += text))
  child.stderr.on('data', (text) => (err += text))
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`halforder ${args.join(' ')} ended with ${code}: ${err}`)
  const at = readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).seconds)
  return { seconds: at.slice(1).map((one, i) => one - at[i]), parameters: JSON.parse(out).trainedParameters }
}

/** Something with a Redis, and so many workers at it. */
const withWorkers = async (workers, use) => {
  if (workers === 0) return await use([], () => ({ in: 0, out: 0 }))
  const port = await freePort()
  const redis = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--appendonly', 'yes', '--save', '', '--dir', scratch],
    { stdio: 'ignore' }
  )
  const url = `redis://127.0.0.1:${port}`
  const cli = (...args) => spawnSync('redis-cli', ['-p', `${port}`, ...args], { encoding: 'utf8' }).stdout
  while (!cli('ping').includes('PONG')) await pause(50)
  const hired = Array.from({ length: workers }, () =>
    spawn(process.execPath, [program, 'worker', '--redis', url], { stdio: 'ignore' })
  )
  const bytes = () => {
    const text = cli('info', 'stats')
    const of = (way) => Number(new RegExp(`total_net_${way}_bytes:(\\d+)`).exec(text)[1])
    return { in: of('input'), out: of('output') }
  }
  try {
    while (cli('keys', 'halforder:worker:*').split('\n').filter(Boolean).length < workers) await pause(50)
    return await use(['--redis', url], bytes)
  } finally {
    const ended = hired.map((child) => once(child, 'close'))
    for (const child of hired) child.kill('SIGTERM')
    await Promise.all(ended)
    redis.kill('SIGKILL')
    await once(redis, 'close')
    rmSync(join(scratch, 'appendonlydir'), { recursive: true, force: true })
  }
}

/** What goes over the wire in a step: what a longer run has more than a shorter one. Connecting, the base and the first state are in both. */
const bytesOf = async (config, more, bytes, [short, long]) => {
  const at = [bytes()]
  let parameters = 0
  for (const steps of [short, long]) {
    parameters = (await run(config, steps, more)).parameters
    at.push(bytes())
  }
  const [before, between, after] = at
  const way = (name) => (after[name] - between[name] - (between[name] - before[name])) / (long - short)
  return { in: way('in'), out: way('out'), parameters }
}

const measures = {
  speed: ({ name, workers }) =>
    withWorkers(workers, async (more) => {
      const { parameters, seconds } = await run(speeds[name], 7, more)
      // the first steps compile
      return { seconds: median(seconds.slice(1)), steps: seconds.length - 1, parameters, batch: speeds[name].batch }
    }),
  row: ({ name, workers }) =>
    withWorkers(workers, async (more, bytes) => {
      const { batch } = speeds[name]
      const one = await bytesOf(speeds[name], more, bytes, [2, 7])
      return { ...one, batch, bytesARow: (one.in + one.out) / batch }
    }),
  overhead: () =>
    withWorkers(1, async (more) => {
      const all = { alone: [], apart: [] }
      let parameters = 0
      // by turns: what else the machine does is in both
      for (let i = 0; i < 2; i++) {
        for (const [name, options] of Object.entries({ alone: [], apart: more })) {
          const one = await run(light, 40, options)
          parameters = one.parameters
          all[name].push(...one.seconds.slice(5))
        }
      }
      return { alone: median(all.alone), apart: median(all.apart), steps: all.alone.length, parameters }
    }),
  wire: ({ name }) =>
    withWorkers(1, async (more, bytes) => {
      const config = { ...light, chain: { T: 4 }, batch: 64, estimator: { name } }
      return { ...(await bytesOf(config, more, bytes, [3, 11])), batch: config.batch }
    })
}

const measure = async () => {
  const began = performance.now()
  try {
    for (const one of points) {
      const label = Object.values(one).join(' ')
      if (!label.includes(values.only) || (isFresh(one) && !values.again)) continue
      if (performance.now() - began > 1000 * Number(values.seconds)) {
        process.stderr.write(`${label} and what follows is left for the next time\n`)
        break
      }
      const line = { ...one, ...(await measures[one.point](one)), commit, machine }
      appendFileSync(results, `${JSON.stringify(line)}\n`)
      process.stderr.write(`${label}: ${JSON.stringify(line)}\n`)
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0)} s\n`)
}

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const nets = {
  'one machine': { latency: 0.0005, bandwidth: 2e9 },
  'a room at 1 Gbit/s': { latency: 0.0005, bandwidth: 1.25e8 },
  'a slow line at 20 Mbit/s': { latency: 0.02, bandwidth: 2.5e6 }
}

const blockRows = 32

/** A step as it was measured on one machine, of a batch of so many blocks. */
const stepOf = ({ batch, name, parameters, seconds }, { alone, apart }, blocks) => {
  const block = (seconds * blockRows) / batch
  const numbers = name === 'zeroth'
  // a rollout and two perturbed ones of four steps, against pullbacks through three, which cost about twice as much each
  const share = numbers ? 1 : 12 / 18
  return {
    blocks,
    walk: share * block,
    credit: (1 - share) * block,
    spread: 0.15,
    down: numbers ? 16 * blockRows * blocks : 4 * parameters,
    job: 2000,
    told: numbers ? 16 * blockRows : 12 * blockRows,
    gradient: numbers ? 0 : 2 * 4 * parameters,
    post: Math.max(0.0005, (apart - alone) / 4),
    update: 0.001
  }
}

const kib = (bytes) => (bytes / 1024).toFixed(1)

const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---|').join('')}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`)
]

const show = () => {
  const key = Key.make(1)
  const all = points.flatMap((point) => found(point) ?? [])
  const of = (kind) => all.filter(({ point }) => point === kind)
  const [overhead] = of('overhead')
  const rowsOf = (name) => of('speed').filter((line) => line.name === name)
  const cores = cpus().length
  const speed = Object.keys(speeds).flatMap((name) => {
    const [alone, one] = [0, 1].map((workers) => rowsOf(name).find((line) => line.workers === workers))
    if (alone === undefined || one === undefined || overhead === undefined) return []
    const step = stepOf(alone, overhead, alone.batch / blockRows)
    const said = (workers) => meanSeconds(step, nets['one machine'], Math.min(workers, cores), 50)(key)
    return rowsOf(name).map(({ batch, seconds, workers }) => [
      name,
      batch,
      workers === 0 ? 'none, one machine' : workers,
      seconds.toFixed(3),
      (one.seconds / seconds).toFixed(2),
      workers === 0 ? '' : (said(1) / said(workers)).toFixed(2)
    ])
  })
  const counts = [1, 10, 100, 300, 1000]
  const played = Object.keys(speeds).flatMap((name) => {
    const alone = rowsOf(name).find(({ workers }) => workers === 0)
    if (alone === undefined || overhead === undefined) return []
    const step = stepOf(alone, overhead, 2048)
    return Object.entries(nets)
      .slice(1)
      .map(([over, net]) => {
        const one = meanSeconds(step, net, 1, 3)(key)
        return [name, over, ...counts.map((workers) => (one / meanSeconds(step, net, workers, 3)(key)).toFixed(1))]
      })
  })
  const commits = [...new Set(all.map((line) => line.commit))].join(', ')
  const lines = [
    '# Scaling',
    '',
    `Written by \`npm run scaling\` from [scaling.jsonl](scaling.jsonl) (commit ${commits}; ${machine}). [What the model is](../scaling.md).`,
    '',
    '## Measured here, and what the model says',
    '',
    `\`rlr\`: rollouts of the U-Net with cells of every order, in four steps; \`zeroth\`: by numbers alone, in two. Medians of five steps, ${cores} cores.`,
    '',
    ...table(['fine-tune', 'rows', 'workers', 'seconds a step', 'as fast as one', 'of the model'], speed),
    '',
    ...(overhead === undefined
      ? []
      : [
          `A step by one worker takes ${(1000 * (overhead.apart - overhead.alone)).toFixed(1)} ms more than on one machine (${(1000 * overhead.alone).toFixed(1)} ms), with ` +
            `${((4 * overhead.parameters) / 1e6).toFixed(2)} MB of trained parameters and one block of rows; medians of ${overhead.steps} steps, by turns.`,
          ''
        ]),
    ...of('row').flatMap(({ batch, bytesARow, workers }) => [
      `A step of \`zeroth\` by ${workers} workers sends ${bytesARow.toFixed(0)} bytes a row through Redis, in and out together, of ${batch} rows.`,
      ''
    ]),
    '## Bytes of a step',
    '',
    'What a step sends into Redis and out of it, as Redis counts it, for two blocks of 32 rows by one worker; `of which 4 P`: how many times the ' +
      'trained parameters that is.',
    '',
    ...table(
      ['estimator', 'KiB in', 'KiB out', 'in, of which 4 P', 'out, of which 4 P'],
      of('wire').map(({ in: into, name, out, parameters }) => [
        `\`${name}\``,
        kib(into),
        kib(out),
        (into / (4 * parameters)).toFixed(2),
        (out / (4 * parameters)).toFixed(2)
      ])
    ),
    '',
    '## Played through to a thousand workers',
    '',
    'Speed against one worker, of a step of 2,048 blocks (65,536 rows).',
    '',
    ...table(['fine-tune', 'over', ...counts], played)
  ]
  writeFileSync(page, `${lines.join('\n')}\n`)
}

if (!values.simulate) await measure()
show()
