/** A program of its own: one gradient of the default estimator, what was said of its memory, and what it took. */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { ddim } from '../../../src/chain/sampler/Ddim.js'
import { cosine } from '../../../src/chain/Schedule.js'
import { rlr } from '../../../src/estimator/catalogue/Rlr.js'
import * as Gradient from '../../../src/estimator/Gradient.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import * as L from '../../../src/lens/Lens.js'
import { mlp } from '../../../src/network/Mlp.js'
import { key } from '../../../src/random/index.js'
import { brightness } from '../../../src/reward/Pixels.js'
import * as Tree from '../../../src/tensor/Tree.js'
import { size, tabulate, toFloat32 } from '../../../src/tensor/Tensor.js'
import { memory } from '../../../src/training/measure/Memory.js'
import * as Requests from '../../../src/training/Requests.js'

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const [hidden = 0, blocks = 0, T = 0, batch = 0, threads = 0] = process.argv.slice(2, 7).map(Number)
const features = 96
const denoiser = mlp({ features, labels: 2, hidden, blocks, embedding: 32, share: 'cosine' })
const params = Object.fromEntries(
  Tree.leaves(L.isParameter, denoiser.lens.parameters).map(([path, { shape }]) => {
    const own = shape.map(Number)
    return [path, toFloat32(tabulate(own, (i) => Math.sin(i + size(own)) / 40))]
  })
)
const chain = ddim({ denoiser, schedule: cosine(T), eta: 1 })
const problem = Gradient.problem(chain, brightness(features), batch)(right(rlr({ T, h: 2, radius: 0.01 })))
const target = gpuJs({ threads })
const gradients = right(Gradient.compile(problem, target))
const { rss, arrayBuffers } = process.memoryUsage()
const said = memory(problem, gradients.executables, target, rss - arrayBuffers)
const conditions = (_: unknown, n: number) => ({ c: { shape: [n, 2], data: new Float32Array(2 * n) } })
for (let i = 0; i < Number(process.argv[7] ?? 1); i++)
  right(await gradients.run(Requests.request(problem, conditions, key(i), params))())
const [, peak] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
process.stdout.write(JSON.stringify({ said, peak: 1024 * Number(peak) }))
await gradients.dispose()
await target.dispose()
