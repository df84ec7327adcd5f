/**
 * `npm run bench`: this library beside TensorFlow.js, jax-js and gpu.js as it comes, on the same numbers, in one run.
 *
 * `--only NAME` runs one work, or all whose names start with NAME and a hyphen (`growth`, `compile`), `--rounds N` sets the rounds
 * (default 15), `--json` prints one object a line. `--browser` runs what a browser can in a page of Chromium, on WebGPU
 * (`Browser.ts`), by those that `--who` names (`webgpu,jaxjs`).
 */
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { init } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { bench } from './Browser.js'
import { compiling } from './Compile.js'
import { credits } from './Credit.js'
import { elementwise } from './Elementwise.js'
import { growth } from './Growth.js'
import { matmul } from './Matmul.js'
import { rollout } from './Rollout.js'
import { unet } from './Unet.js'
import { time, type Work } from './Work.js'

const works: ReadonlyArray<Work> = [
  ...[64, 128, 256, 512, 1024].map(matmul),
  elementwise,
  rollout,
  unet,
  ...credits,
  ...compiling,
  ...growth
]

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
    browser: { type: 'boolean', default: false },
    who: { type: 'string', default: '' }
  }
})
if (values.browser) {
  const parties = ['webgpu', 'webasm', 'tfjs', 'jaxjs', 'onnx'] as const
  const named = values.who.split(',')
  const who = parties.filter((one) => named.includes(one))
  process.exit(await bench(values.only ?? '', Number(values.rounds), values.json, who))
}

const chosen = works.filter(
  ({ name }) => values.only === undefined || values.only === name || name.startsWith(`${values.only}-`)
)
const rounds = Number(values.rounds)
if (chosen.length === 0 || !(rounds >= 1)) {
  process.stderr.write(`bench: --only takes ${works.map(({ name }) => name).join(', ')}; --rounds a number above 0\n`)
  process.exit(2)
}

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')
await tf.ready()
await init('wasm')

if (!values.json) process.stdout.write(`${cpus()[0]?.model ?? 'unknown processor'}, node ${process.version}\n`)
for (const work of chosen) {
  for (const threads of work.threads) {
    const timings = await time(work, threads, rounds)
    const ours = timings.get('ours')
    if (values.json) {
      const median = (name: string): number | null => timings.get(name)?.median ?? null
      const names = {
        ours: median('ours'),
        tfjs: median('tfjs'),
        jaxjs: median('jaxjs'),
        stock: median('stock'),
        js: median('js'),
        // those that only some works have
        ...Object.fromEntries(
          (['limit', 'cached', 'run'] as const).flatMap((name) => (timings.has(name) ? [[name, median(name)]] : []))
        )
      }
      process.stdout.write(
        `${JSON.stringify({ work: work.name, threads, unit: 'ms', ...names, bytes: ours?.bytes ?? null })}\n`
      )
      continue
    }
    process.stdout.write(
      `\n${work.name} (${work.about}), ours on ${threads} thread${threads === 1 ? '' : 's'}, median of ${rounds} interleaved rounds\n`
    )
    for (const [name, { median, least, most, bytes }] of timings) {
      const ratio = name === 'ours' ? '' : `   ${(median / (ours?.median ?? Number.NaN)).toFixed(2)} x ours`
      const memory = bytes === undefined ? '' : `   ${(bytes / 2 ** 20).toFixed(2)} MiB at the peak`
      process.stdout.write(
        `  ${name.padEnd(6)} ${median.toFixed(2).padStart(9)} ms   (${least.toFixed(2)} to ${most.toFixed(2)})${ratio}${memory}\n`
      )
    }
  }
}
process.exit(0)
