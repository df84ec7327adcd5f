#!/usr/bin/env node
/**
 * Measures what docs/results/performance.md says, and writes the page.
 *
 *     npm run build && npx tsc -p tsconfig.bench.json && node bench/scripts/performance.mjs [--rounds 7] [--cpu] [--only works,...] [--who torch,...]
 *
 * What was measured is kept in runs/performance, a file each for `works`, `growth`, `compile` and `kernels`; `--only` measures those
 * anew, or works by name, beside those of `--who`, and takes the others from there, and `--only none` writes the page of what is there. With `--cpu` the page has the least time of
 * the processor, of all threads together, for machines on which others compute.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const folder = join(root, 'runs', 'performance')
const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    cpu: { type: 'boolean', default: false },
    who: { type: 'string', default: '' },
    only: { type: 'string', default: 'works,growth,compile,kernels' }
  }
})

// -------------------------------------------------------------------------------------
// measuring
// -------------------------------------------------------------------------------------

const single = ['matmul', 'elementwise', 'mlp', 'unet', 'credit', 'gradient', 'finetune']
const parts = {
  works: single.flatMap((name) => (name === 'elementwise' ? ['--only elementwise-1m'] : [`--only ${name}`])),
  growth: ['--only growth'],
  compile: ['--only compile'],
  kernels: ['--kernels']
}

const bench = (args) => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'dist', 'bench', 'main.js'), '--json', ...args.split(' '), '--rounds', options.rounds],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 2 ** 26 }
  )
  if (status !== 0) throw new Error(`bench ${args}: exit ${status}`)
  return stdout.trim().split('\n').map(JSON.parse)
}

const fileOf = (part) => join(folder, `${part}.json`)
mkdirSync(folder, { recursive: true })
const asked = options.only.split(',')
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const head = () => ({ commit, load: Math.max(...loadavg()), rounds: Number(options.rounds) })
const keep = (part, about, lines) => writeFileSync(fileOf(part), JSON.stringify({ ...about, lines }))
for (const [part, runs] of Object.entries(parts)) {
  if (asked.includes(part)) keep(part, head(), runs.flatMap(bench))
}
const read = (part) =>
  existsSync(fileOf(part))
    ? JSON.parse(readFileSync(fileOf(part), 'utf8'))
    : { commit: '', load: 0, rounds: 0, lines: [] }

for (const name of asked.filter((one) => one !== 'none' && !(one in parts))) {
  // what is kept of others was measured as often as they were
  const about = { ...head(), rounds: Math.min(Number(options.rounds), read('works').rounds || Infinity) }
  const found = bench(`--only ${name}${options.who === '' ? '' : ` --who ${options.who}`}`)
  const isWork = ({ work }) => work !== undefined
  const [anew, old] = [found.filter(isWork), read('works').lines.filter(isWork)]
  const same = (a) => (b) => a.work === b.work && a.threads === b.threads
  const given = (line) => Object.fromEntries(Object.entries(line).filter(([, value]) => value !== null))
  const onto = (line, over) => ({
    ...line,
    ...given(over),
    least: { ...line.least, ...over.least },
    cpu: { ...line.cpu, ...over.cpu }
  })
  const lines = old.map((line) => onto(line, anew.find(same(line)) ?? {}))
  keep('works', about, [
    ...found.filter((line) => !isWork(line)),
    ...lines,
    ...anew.filter((line) => !old.some(same(line)))
  ])
}

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const of = ({ least, cpu, ...line }, name) => (options.cpu ? cpu[name] : (line[name] ?? least[name]))
const digits = (value) => (value === undefined || value === null ? '' : value.toFixed(value < 100 ? 2 : 0))
const mib = (bytes) => (bytes === null ? '' : (bytes / 2 ** 20).toFixed(2))
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const columns = [
  ['torch', 'PyTorch'],
  ['onnxruntime', 'onnxruntime'],
  ['tfjs', 'TensorFlow.js'],
  ['jaxjs', 'jax-js'],
  ['stock', 'stock gpu.js'],
  ['js', 'plain JavaScript'],
  ['limit', 'limit']
]
const works = read('works')
const measured = works.lines.filter(({ work }) => work !== undefined)
const beside = (line, name) => {
  const value = of(line, name)
  if (value === undefined || value === null) return ''
  return `${digits(value)} (${(value / of(line, 'ours')).toFixed(2)})`
}
const worksTable = table(
  ['work', 'threads', 'ours', ...columns.map(([, title]) => title), 'MiB'],
  measured.map((line) => [
    `\`${line.work}\``,
    line.threads,
    digits(of(line, 'ours')),
    ...columns.map(([name]) => beside(line, name)),
    mib(line.bytes)
  ])
)
const find = (work, threads) => measured.find((line) => line.work === work && line.threads === threads)

/** Lines about PyTorch and the vectors of the machine. */
const native = [
  'matmul-512',
  'mlp-rollout',
  'unet-forward',
  'credit-full',
  'credit-h2',
  'gradient-default',
  'finetune-step'
]
const times = (line, other, share = 1) =>
  line && of(line, other) ? ((share * of(line, 'ours')) / of(line, other)).toFixed(2) : ''
// what two threads take by the clock is not known from the processor's time: it is half of it at least
const both = options.cpu ? 0.5 : 1
const nativeTable = table(
  [
    'work',
    'one thread, of PyTorch',
    `two threads${options.cpu ? ', half of both' : ''}, of PyTorch on one`,
    'one thread, of onnxruntime'
  ],
  native.map((work) => {
    const [one, two] = [find(work, 1), find(work, 2)]
    return [`\`${work}\``, times(one, 'torch'), times(two, 'torch', both), times(one, 'onnxruntime')]
  })
)

const kernels = read('kernels')
const { peak = Number.NaN } = kernels.lines.find((line) => line.peak !== undefined) ?? {}
const square = (n, name) => {
  const line = find(`matmul-${n}`, 1)
  const ms = line && of(line, name)
  return ms ? ((2 * n ** 3) / ms / 1e6).toFixed(0) : '?'
}
const each = kernels.lines.filter(({ kernel }) => kernel !== undefined)
const programs = [...new Set(each.map(({ program }) => program))]
const kernelTable = table(
  ['program', 'kernel', 'calls', 'ms', 'GFLOP/s', 'of the limit, %'],
  programs.flatMap((program) => {
    const own = each.filter((line) => line.program === program)
    const total = own.reduce((sum, { ms }) => sum + ms, 0)
    return own
      .filter(({ ms }) => ms >= 0.01 * total)
      .map(({ kernel, calls, ms, gflops }) => [
        program,
        kernel,
        calls,
        ms.toFixed(2),
        gflops.toFixed(1),
        ((100 * gflops) / peak).toFixed(0)
      ])
  })
)
const share = programs.map((program) => {
  const own = each.filter((line) => line.program === program)
  const total = own.reduce((sum, { ms }) => sum + ms, 0)
  const flops = own.reduce((sum, { ms, gflops }) => sum + ms * gflops, 0)
  const products = own.filter(({ kernel }) => kernel.startsWith('contraction'))
  const inProducts = products.reduce((sum, { ms }) => sum + ms, 0)
  return `${program}: ${((100 * flops) / total / peak).toFixed(0)} % of the limit over all of its kernels, ${((100 * inProducts) / total).toFixed(0)} % of the time in products`
})

const growth = read('growth')
const grown = (program, axis, value) => {
  const line = growth.lines.find(({ work }) => work === `growth-${program}-${axis}-${value}`)
  return line === undefined ? '' : `${digits(of(line, 'ours'))} ms, ${mib(line.bytes)}`
}
const places = growth.lines.flatMap(({ work = '' }) => {
  const [, program, axis, value] = work.split('-')
  return program === 'rollout' ? [[axis, value]] : []
})
const growthTable = table(
  ['axis', 'value', 'rollout', 'credit, h = 2', 'full backpropagation'],
  places.map(([axis, value]) => [axis, value, ...['rollout', 'credit', 'full'].map((p) => grown(p, axis, value))])
)

const compiled = read('compile').lines.filter(({ work }) => work !== undefined)
const compileTable = table(
  ['program', 'cold and a run, ms', 'cached and a run, ms', 'a run, ms'],
  compiled.map((line) => [`\`${line.work}\``, ...['ours', 'cached', 'run'].map((name) => digits(of(line, name)))])
)

const { machine = '' } = works.lines.find((line) => line.machine !== undefined) ?? {}
const libraries = new Map(works.lines.flatMap((line) => (line.library ? [[line.library, line]] : [])))
const present = [...libraries.values()].flatMap(({ _tag, what }) => (_tag === 'Present' ? [what] : []))
const absent = [...libraries.values()].flatMap(({ _tag, library, remedy }) =>
  _tag === 'Absent' ? [`Absent, and so an empty column: ${library} (${remedy}).`] : []
)
const clock = options.cpu
  ? `least of ${works.rounds} interleaved rounds, in milliseconds of the processor, of all threads together, for others computed on\nthe machine (load ${works.load.toFixed(0)})`
  : `median of ${works.rounds} interleaved rounds, in milliseconds by the clock (load ${works.load.toFixed(1)} before)`
const held = growth.lines.filter(({ work }) => /^growth-(credit|full)-T-50$/.test(work ?? '')).map(({ bytes }) => bytes)

const page = `# Performance

\`node bench/scripts/performance.mjs${options.cpu ? ' --cpu' : ''}\` at ${works.commit}, on ${machine};
${present.join('; ')}.
Each is \`npm run bench\`, ${clock}.${absent.map((line) => `\n${line}`).join('')}

In brackets is the ratio to ours: above 1 we are faster. Copies in and out are included, but for PyTorch and onnxruntime, which run in
processes of their own and are timed there. TensorFlow.js is 4.22 on its wasm backend (SIMD; it has no threads in Node), jax-js 0.1.25
on wasm, stock is gpu.js 2.24.1 on \`webasm\` as it comes, limit a hand-written WebAssembly kernel of 4 rows by 8 columns without packing,
copies or fused multiply-add. Only ours uses a second thread where the column says 2; the others have one. MiB is our peak of
intermediate values.

${worksTable}

The \`credit-h\` rows are different estimates of one gradient: a half-order segment of \`h\` steps here and by PyTorch, full
backpropagation of 50 steps by TensorFlow.js. Like with like is \`credit-full\`. \`gradient-default\` is a rollout, two perturbed ones and
three cells of \`rlr\` with \`h = 2\`; \`finetune-step\` draws its numbers, too, and moves the parameters.

## What is the machine's, and what is ours

WebAssembly has vectors of 128 bits. On one thread this machine multiplies and adds ${peak.toFixed(0)} GFLOP/s with them where everything is in registers:
no kernel of ours can do more. PyTorch and onnxruntime use what the processor has, up to 512 bits: their product of 512 x 512
matrices runs at ${square(512, 'torch')} and ${square(512, 'onnxruntime')} GFLOP/s, ours at ${square(512, 'ours')}, copies included. Our time as a multiple of theirs:

${nativeTable}

PyTorch on Debian's reference BLAS is many times slower than on OpenBLAS (\`apt-get install libopenblas0-pthread\`): the line at the top
says on which it ran.

Each kernel by itself, the least of several runs, those of 1 % of their program and more (\`npm run bench -- --kernels\`):

${kernelTable}

${share.map((line) => `- ${line}.`).join('\n')}

So what is left to close by better code on one thread is between that share and 100 %; the rest of the distance to PyTorch is the width of
the vectors. A second thread takes half of the rows, and the bits do not change.

## Growth

Milliseconds, and MiB of intermediate values, on one thread. Rollout and full backpropagation of 50 steps at batch 64 and width 256, and
credit of a segment of 2 steps, each varied along one axis.

${growthTable}

Credit costs the same at 10 steps as at 200, in time up to noise and in memory to the byte; at 50 steps it holds ${held.length === 2 ? (Math.max(...held) / Math.min(...held)).toFixed(0) : '?'} times less than our
own full backpropagation.

## Compilation

A new target, the first compilation and a run; the second compilation, from the cache, and a run; a run alone. Programs of 50 steps (the
segment of \`credit\` has 2), batch 8, width 64.

${compileTable}
`
writeFileSync(join(root, 'docs', 'results', 'performance.md'), page)
process.stdout.write(page)
