/**
 * `npm run bench`: this library beside PyTorch, onnxruntime-node, TensorFlow.js, jax-js and gpu.js as it comes, on the same numbers, in
 * one run. The first two are native and no dependencies: where they are absent it says so, and how to get them.
 *
 * `--only NAME` runs one work, or all whose names start with NAME and a hyphen (`growth`, `compile`), `--rounds N` sets the rounds
 * (default 15), `--who torch,tfjs` who is beside us, `--json` prints one object a line. `--browser` runs what a browser can in a page of Chromium, on WebGPU
 * (`Browser.ts`), by those that `--who` names (`webgpu,jaxjs`). `--kernels` runs each kernel of some programs by itself
(`Kernels.ts`).
 */
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { init } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { apart, presence } from './Apart.js'
import { bench } from './Browser.js'
import { compiling } from './Compile.js'
import { credits } from './Credit.js'
import { elementwise } from './Elementwise.js'
import { gradients } from './Gradient.js'
import { growth } from './Growth.js'
import { kernels, peak } from './Kernels.js'
import { matmul } from './Matmul.js'
import { rollout } from './Rollout.js'
import { unet } from './Unet.js'
import { time, type Native, type Work } from './Work.js'

const works: ReadonlyArray<Work> = [
  ...[64, 128, 256, 512, 1024].map(matmul),
  elementwise,
  rollout,
  unet,
  ...credits,
  ...gradients,
  ...compiling,
  ...growth
]

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
    kernels: { type: 'boolean', default: false },
    browser: { type: 'boolean', default: false },
    who: { type: 'string', default: '' },
    write: { type: 'string' }
  }
})
if (values.browser) {
  const parties = ['webgpu', 'webasm', 'tfjs', 'jaxjs', 'onnx'] as const
  const named = values.who.split(',')
  const who = parties.filter((one) => named.includes(one))
  process.exit(await bench(values.only ?? '', Number(values.rounds), values.json, who, values.write))
}

const chosen = works.filter(
  ({ name }) => values.only === undefined || values.only === name || name.startsWith(`${values.only}-`)
)
const rounds = Number(values.rounds)
if (chosen.length === 0 || !(rounds >= 1)) {
  process.stderr.write(`bench: --only takes ${works.map(({ name }) => name).join(', ')}; --rounds a number above 0\n`)
  process.exit(2)
}

const machine = `${cpus()[0]?.model ?? 'unknown processor'}, node ${process.version}`
const say = (line: object | string): void => {
  process.stdout.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
}
say(values.json ? { machine } : machine)

if (values.kernels) {
  const most = peak(rounds)
  say(values.json ? { peak: most } : `128-bit vectors, in registers: ${most.toFixed(1)} GFLOP/s`)
  for (const one of kernels(rounds)) {
    const { program, kernel, calls, ms, gflops } = one
    const rate = `${gflops.toFixed(1).padStart(6)} GFLOP/s  ${((100 * gflops) / most).toFixed(0).padStart(3)} %`
    say(
      values.json
        ? one
        : `${program.padEnd(20)} ${ms.toFixed(3).padStart(8)} ms ${`${calls}`.padStart(4)} x  ${rate}  ${kernel}`
    )
  }
  process.exit(0)
}

setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
await tf.setBackend('wasm')
await tf.ready()
await init('wasm')

const present: Array<Native> = []
for (const library of ['torch', 'onnxruntime'] as const) {
  const found = await presence(library)
  if (found._tag === 'Present') present.push(library)
  if (values.json) say({ library, ...found })
  else say(found._tag === 'Present' ? `${library}: ${found.what}` : `${library}: absent; ${found.remedy}`)
}
/** The work with those beside us who run in processes of their own. */
const joined = ({ contenders: { ours, ...others }, native = {}, ...work }: Work): Work => {
  const natives = present.flatMap((library) => {
    const told = native[library]
    return told === undefined ? [] : [[library, apart(library, told)] as const]
  })
  const named = values.who === '' ? undefined : values.who.split(',')
  const chosenOnes = [...natives, ...Object.entries(others)].filter(([name]) => named?.includes(name) ?? true)
  return { ...work, contenders: { ...(ours && { ours }), ...Object.fromEntries(chosenOnes) } }
}

for (const work of chosen.map(joined)) {
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
          (['torch', 'onnxruntime', 'limit', 'cached', 'run'] as const).flatMap((name) =>
            timings.has(name) ? [[name, median(name)]] : []
          )
        )
      }
      const each = (of: 'least' | 'cpu'): object =>
        Object.fromEntries([...timings].map(([name, timing]) => [name, timing[of]]))
      const [least, cpu] = [each('least'), each('cpu')]
      say({ work: work.name, threads, unit: 'ms', ...names, bytes: ours?.bytes ?? null, least, cpu })
      continue
    }
    say(
      `\n${work.name} (${work.about}), ours on ${threads} thread${threads === 1 ? '' : 's'}, median of ${rounds} interleaved rounds`
    )
    for (const [name, { median, least, most, cpu, bytes }] of timings) {
      const ratio = name === 'ours' ? '' : `   ${(median / (ours?.median ?? Number.NaN)).toFixed(2)} x ours`
      const memory = bytes === undefined ? '' : `   ${(bytes / 2 ** 20).toFixed(2)} MiB at the peak`
      say(
        `  ${name.padEnd(11)} ${median.toFixed(2).padStart(9)} ms   (${least.toFixed(2)} to ${most.toFixed(2)}, ${cpu.toFixed(2)} of the processor)${ratio}${memory}`
      )
    }
  }
}
process.exit(0)
