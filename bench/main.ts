/**
 * `npm run bench`: this library beside TensorFlow.js and jax-js, on the same numbers, in one run.
 *
 * `--only NAME` runs one work, `--rounds N` sets the rounds (default 15), `--json` prints one object a line.
 */
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { rollout } from './Rollout.js'
import { time, type Work } from './Work.js'

const works: ReadonlyArray<Work> = [rollout]

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false }
  }
})
const chosen = works.filter(({ name }) => values.only === undefined || values.only === name)
const rounds = Number(values.rounds)
if (chosen.length === 0 || !(rounds >= 1)) {
  process.stderr.write(`bench: --only takes ${works.map(({ name }) => name).join(', ')}; --rounds a number above 0\n`)
  process.exit(2)
}

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')
await tf.ready()

if (!values.json)
  process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, node ${process.version}, one thread each\n`)
for (const work of chosen) {
  const timings = await time(work, rounds)
  const ours = timings['ours']?.median ?? NaN
  if (values.json) {
    const medians = Object.fromEntries(Object.entries(timings).map(([name, { median }]) => [name, median]))
    process.stdout.write(`${JSON.stringify({ work: work.name, threads: 1, unit: 'ms', ...medians })}\n`)
    continue
  }
  process.stdout.write(`\n${work.name} (${work.about}), median of ${rounds} interleaved rounds\n`)
  for (const [name, { median, least, most }] of Object.entries(timings)) {
    const ratio = name === 'ours' ? '' : `   ${(median / ours).toFixed(2)} x ours`
    process.stdout.write(
      `  ${name.padEnd(6)} ${median.toFixed(1).padStart(8)} ms   (${least.toFixed(1)} to ${most.toFixed(1)})${ratio}\n`
    )
  }
}
process.exit(0)
