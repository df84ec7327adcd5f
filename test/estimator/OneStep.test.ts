import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as OneStep from '../../src/estimator/neighbour/OneStep.js'
import * as Programs from '../../src/estimator/program/Programs.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp } from '../../src/network/Mlp.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import { under, type Program, type Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const batch = 2
const denoiser = mlp({ features: 6, labels: 34, hidden: 5, blocks: 1, embedding: 4, share: 'cosine' })
const schedule = cosine(4)
const options = {
  denoiser,
  schedule,
  reward: brightness(6),
  trained: (path: string): boolean => path === 'out.bias' || path === 'labels.bias'
}
// every leaf is moved off its start, or the zero-started layers would hide half of the network
const params: Values = Object.fromEntries(
  Object.entries(initial(denoiser.lens.parameters, Key.make(1))).map(([path, value]) => [
    path,
    T.map((v, i) => v + Math.sin(i + path.length) / 4)({ shape: value.shape, data: Float64Array.from(value.data) })
  ])
)
const values = (extra: Values): Values => ({
  ...under('params', params),
  c: Draw.uniform(Key.make(2), [batch, 34]),
  weights: T.vector([0.25, 0.75]),
  ...extra
})
const run = (program: Program, given: Values): Values => right(Reference.run(program, { batch }, given))
const noise = (seed: number): T.Tensor => Draw.normal(Key.make(seed), [batch, 6])

/** The weighted reward at parameters with one number moved. */
const moved = (program: Program, given: Values, path: string, index: number, by: number): number => {
  const leaf = given[`params.${path}`] ?? T.scalar(0)
  const out = run(program, { ...given, [`params.${path}`]: T.map((v, i) => (i === index ? v + by : v))(leaf) })
  return (out['reward']?.data[0] ?? 0) * 0.25 + (out['reward']?.data[1] ?? 0) * 0.75
}

describe.each([
  ['ReFL', right(OneStep.refl(options)), values({ x: noise(3), high: T.scalar(3) })],
  ['DRaFT-LV', right(OneStep.draftLv(options)), values({ x0: noise(4), eps: noise(5) })]
])('%s', (_, program, given) => {
  it('is the gradient of the reward of the predicted output', () => {
    const out = run(program, given)
    for (const path of ['out.bias', 'labels.bias']) {
      out[`gradient.${path}`]?.data.forEach((g: number, index: number) => {
        const step = 1e-3
        const central = (h: number): number =>
          (moved(program, given, path, index, h) - moved(program, given, path, index, -h)) / (2 * h)
        // Richardson: the h^2 term cancels, and what is left is of the order of the change from one step to the next, squared
        const [coarse, fine] = [central(2 * step), central(step)]
        expect(Math.abs((4 * fine - coarse) / 3 - g)).toBeLessThan(1e-10 + Math.abs(fine - coarse))
      })
    }
  })
})

describe('at step 1', () => {
  it('ReFL is truncated backpropagation of one step, whose mean is the predicted output', () => {
    const x = noise(6)
    const one = run(right(OneStep.refl(options)), values({ x, high: T.scalar(1) }))
    const chain = ddim({ denoiser, schedule, eta: 1 })
    const kind = { h: 1, memory: 'store', weighted: false, controlled: false } as const
    const x0Bar = T.tabulate([batch, 6], (i) => (i < 6 ? 0.25 : 0.75) / 6)
    const eps = T.fill([1, batch, 6], 0)
    const truncated = run(right(Programs.firstOrder(chain, kind, options.trained)), { ...values({ x, eps, x0Bar }) })
    one['gradient.out.bias']?.data.forEach((g: number, i: number) => {
      const other = truncated['gradient.out.bias']?.data[i] ?? Number.NaN
      // the same numbers up to a few dozen roundings
      expect(Math.abs(g - other)).toBeLessThan(100 * 2 ** -52 * Math.max(1, Math.abs(other)))
    })
  })
})
