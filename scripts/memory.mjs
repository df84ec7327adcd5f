/**
 * The memory that one gradient of the default estimator takes on a network of diffusers with random weights, beside what is said before it runs.
 *
 *     npm run build && node scripts/memory.mjs CONFIG.json [T] [THREADS] [GRADIENTS]
 */
import { readFileSync } from 'node:fs'
import { weightsFor } from './weights.mjs'
const imp = (path) => import(`../dist/src/${path}`)
const { fromDiffusers, planOf } = await imp('network/FromDiffusers.js')
const { meant } = await imp('network/Meant.js')
const { decode } = await imp('network/Record.js')
const Gradient = await imp('estimator/Gradient.js')
const { gpuJs } = await imp('kernel/GpuJs.js')
const { brightness } = await imp('reward/Pixels.js')
const { rlr } = await imp('estimator/catalogue/Rlr.js')
const Requests = await imp('training/Requests.js')
const { key } = await imp('random/index.js')
const mib = (n) => (n / 2 ** 20).toFixed(0)
const peak = () => {
  const s = readFileSync('/proc/self/status', 'utf8')
  return `${(/VmHWM:\s+(\d+)/.exec(s)[1] / 1024) | 0} peak, ${(/VmRSS:\s+(\d+)/.exec(s)[1] / 1024) | 0} now, heap ${mib(process.memoryUsage().heapUsed)}, buffers ${mib(process.memoryUsage().arrayBuffers)}`
}
const config = JSON.parse(readFileSync(process.argv[2] ?? 'config.json', 'utf8'))
const T = Number(process.argv[3] ?? 10)
const plan = planOf(config).right
const weights = weightsFor(plan.parameters)
console.log('weights', peak())
const model = fromDiffusers(config, weights)
if (model._tag === 'Left') throw new Error(JSON.stringify(model.left))
const recorded = decode(model.right)({
  scheduler: { _class_name: 'DDPMScheduler', num_train_timesteps: 1000, beta_schedule: 'linear' },
  prediction: 'epsilon'
}).right
const m = meant(model.right, {
  ...recorded,
  source: {
    name: 'x',
    encode: () => {
      throw new Error('samples are not written here')
    }
  }
}).right
console.log('model', peak())
const chain = m.own.build(m.own.network, { T, eta: 1, guidance: 1 }).right
const threads = process.argv[4] === undefined ? undefined : Number(process.argv[4])
const target = gpuJs(threads === undefined ? {} : { threads })
const est = rlr({ T, h: 2, radius: 0.01 }).right
const problem = Gradient.problem(chain, brightness(m.denoiser.features), 1)(est)
const t0 = performance.now()
const g = Gradient.compile(problem, target)
if (g._tag === 'Left') throw new Error(Gradient.showError(g.left))
const M = await imp('training/measure/Memory.js')
const { rss, arrayBuffers } = process.memoryUsage()
const said = M.memory(problem, g.right.executables, target, rss - arrayBuffers)
console.log(M.showMemory(said))
console.log('compiled', ((performance.now() - t0) / 1000).toFixed(1), 's', peak())
for (const [name, ex] of Object.entries(g.right.executables)) {
  console.log(' ', name, mib(ex.work.peakBytes), 'MiB alive', (ex.work.flops / 1e9).toFixed(1), 'Gflops')
}
const { cpu } = { cpu: () => process.cpuUsage().user / 1e6 }
for (let i = 0; i < Number(process.argv[5] ?? 1); i++) {
  const c0 = cpu()
  const t1 = performance.now()
  const req = Requests.request(
    problem,
    (_, n) => ({ c: { shape: [n, 1], data: new Float32Array(n) } }),
    key(i + 3),
    m.parameters
  )
  const r = await g.right.run(req)()
  if (r._tag === 'Left') throw new Error(Gradient.showError(r.left))
  let s = 0,
    n = 0
  for (const t of Object.values(r.right.gradient))
    for (const v of t.data) {
      s += v * v
      n++
    }
  console.log(
    'gradient',
    ((performance.now() - t1) / 1000).toFixed(1),
    's wall',
    (cpu() - c0).toFixed(1),
    's cpu',
    'norm',
    Math.sqrt(s),
    n,
    peak()
  )
}
await g.right.dispose()
const most = 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])
console.log(JSON.stringify({ said, peak: most }))
