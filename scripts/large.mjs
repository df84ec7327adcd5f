/**
 * A network of diffusers that is large, by its configuration alone: does it bind, is it in ONNX what it is here, how long does a
 * forward pass take beside onnxruntime, and does a gradient take the memory that was said? Writes `docs/results/large.md`.
 *
 *     npm run build && node scripts/large.mjs CONFIG.json [T] [ROUNDS]
 *
 * Weights are random. Times are measured in turns in one process, on one thread each: run it on a machine that does nothing else.
 * onnxruntime-node is taken from `HALFORDER_NODE_MODULES`, or from beside the project.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { weightsFor } from './weights.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const [path, T = '10', rounds = '15'] = process.argv.slice(2)
if (path === undefined) {
  process.stderr.write('large: expected a config.json of diffusers, got none\n')
  process.exit(2)
}
const from = (name) => import(`../dist/src/${name}`)
const Diffusers = await from('network/FromDiffusers.js')
const { toOnnx } = await from('network/graph/ToOnnx.js')
const { showOnnxError } = await from('network/FromOnnx.js')
const { errorOf, defaultBounds } = await from('network/Check.js')
const { gpuJs } = await from('kernel/GpuJs.js')
const Build = await from('tensor/Build.js')
const Program = await from('tensor/Program.js')
const { total } = await from('training/measure/Memory.js')
const L = await from('lens/Lens.js')

const right = (result, show = JSON.stringify) => {
  if (result._tag === 'Left') throw new Error(show(result.left))
  return result.right
}
const modules = process.env['HALFORDER_NODE_MODULES'] ?? join(root, 'node_modules')
const ort = createRequire(join(resolve(modules), 'x.js'))('onnxruntime-node')
const version = createRequire(join(resolve(modules), 'x.js'))('onnxruntime-node/package.json').version

// -------------------------------------------------------------------------------------
// the model, here and there
// -------------------------------------------------------------------------------------

const config = JSON.parse(readFileSync(path, 'utf8'))
const { parameters } = right(Diffusers.planOf(config))
const weights = weightsFor(parameters)
// the names and shapes of the weights that were given out, where they lie beside the configuration
const listed = join(dirname(path), 'params.json')
const given = existsSync(listed) ? JSON.parse(readFileSync(listed, 'utf8')) : undefined
const sorted = (shapes) => JSON.stringify(Object.entries(shapes).toSorted(([a], [b]) => (a < b ? -1 : 1)))
if (given !== undefined && sorted(given) !== sorted(Object.fromEntries(parameters)))
  throw new Error(`${listed}: other names or shapes`)
const count = Object.values(weights).reduce((n, { data }) => n + data.length, 0)
const graph = right(Diffusers.diffusersGraph(config, weights), Diffusers.showDiffusersError)
const model = right(Diffusers.fromDiffusers(config, weights), Diffusers.showDiffusersError)
const folder = mkdtempSync(join(tmpdir(), 'halforder-large-'))
const file = join(folder, 'model.onnx')
const bytes = right(toOnnx(graph), showOnnxError)
writeFileSync(file, bytes)
const session = await ort.InferenceSession.create(file, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential'
})
rmSync(folder, { recursive: true })

const [image, time] = model.inputs
const shape = [1, ...image.shape.slice(1)]
const x = new Float32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) => Math.sin(1.3 * i))
const target = gpuJs({ threads: 1 })
const shapes = Object.fromEntries(model.inputs.map((one) => [one.name, one.shape]))
const program = Program.make({ p: L.shapesOf(model.lens), in: shapes }, ({ p, in: read }) => ({
  y: model.lens.forward(p, read)
}))
const values = {
  ...Program.under('p', model.values),
  ...Program.under('in', { [image.name]: { shape, data: x }, [time.name]: { shape: [1], data: Float64Array.of(500) } })
}
const feed = {
  [image.name]: new ort.Tensor('float32', x, shape),
  [time.name]: new ort.Tensor('int64', BigInt64Array.of(500n), [1])
}

const timed = async (run) => {
  const [cpu, wall] = [process.cpuUsage(), performance.now()]
  const out = await run()
  const used = process.cpuUsage(cpu)
  return { out, wall: performance.now() - wall, cpu: (used.user + used.system) / 1000 }
}

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]

const measure = async (ours, theirs) => {
  for (let i = 0; i < 3; i++) await Promise.resolve(ours()).then(theirs)
  const turns = []
  for (let i = 0; i < Number(rounds); i++) turns.push([await timed(ours), await timed(theirs)])
  return turns
}

const measured = await Build.using(target, { batch: 1 })('forward', program)((go) => async () => {
  const ours = async () => right(await go(values)(), JSON.stringify)['y.out']
  const theirs = async () => (await session.run(feed)).out
  return { _tag: 'Right', right: await measure(ours, theirs) }
})()
const turns = right(measured, Build.showError)
await target.dispose()
const [{ out: mine }, { out: other }] = turns[0]
const error = errorOf({ shape: other.dims, data: other.data }, mine)
const over = (of, by) => median(turns.map((turn) => turn[of][by]))
const ratio = (by) => median(turns.map(([a, b]) => a[by] / b[by]))

// -------------------------------------------------------------------------------------
// memory
// -------------------------------------------------------------------------------------

const said = execFileSync(process.execPath, [join(root, 'scripts/memory.mjs'), path, T], { encoding: 'utf8' })
const taken = JSON.parse(said.trimEnd().split('\n').at(-1))
const mib = (n) => `${(n / 2 ** 20).toFixed(0)} MiB`
const all = total(taken.said)

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const row = (...cells) => `| ${cells.join(' | ')} |`
const ms = (n) => n.toFixed(0)
writeFileSync(
  join(root, 'docs/results/large.md'),
  [
    '# A large network of another tool',
    '',
    `\`node scripts/large.mjs ${basename(dirname(resolve(path)))}/config.json ${T}\` writes this page (here at ${commit}, on ${cpus()[0]?.model ?? 'an unknown CPU'}, Node`,
    `${process.versions.node.split('.')[0]}). \`${config._class_name}\` by its configuration alone, with random weights: ${parameters.size} tensors of ${(count / 1e6).toFixed(1)} million`,
    given === undefined ? 'parameters.' : 'parameters, in the names and shapes of the file that its authors gave out.',
    '',
    `As ONNX (\`halforder export\`) it has ${(bytes.length / 1e6).toFixed(0)} MB, and onnxruntime ${version} computes from it what is computed here: the largest`,
    `difference is ${error.toExponential(1)} of the largest value, within the bound of ${defaultBounds.single.toExponential(0)}.`,
    '',
    `A forward pass of one image, on one thread each, in turns; the median of ${rounds}:`,
    '',
    row('', 'here, ms', `onnxruntime, ms`, 'ratio'),
    row('---', '---:', '---:', '---:'),
    row('time', ms(over(0, 'wall')), ms(over(1, 'wall')), ratio('wall').toFixed(2)),
    row('of the processor', ms(over(0, 'cpu')), ms(over(1, 'cpu')), ratio('cpu').toFixed(2)),
    '',
    `One gradient of the default estimator, T = ${T}, one row, in a process of its own. What \`plan\` says, and what the process took at most:`,
    '',
    row('memory', ''),
    row('---', '---:'),
    row('that programs work in', mib(taken.said.shared)),
    row('arrays', mib(taken.said.arrays)),
    row('compiled code', mib(taken.said.code)),
    row('the process and its programs', mib(taken.said.process)),
    row('to spare', mib(taken.said.spare)),
    row('said in all', mib(all)),
    row('taken at most', `${mib(taken.peak)}, ${((100 * taken.peak) / all).toFixed(0)} %`),
    ''
  ].join('\n')
)
process.stdout.write(`error ${error}, ratio ${ratio('wall')} (cpu ${ratio('cpu')}), memory ${taken.peak / all}\n`)
process.exitCode = error < defaultBounds.single && taken.peak <= all ? 0 : 1
