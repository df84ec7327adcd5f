import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Ddpo from '../../src/estimator/neighbour/Ddpo.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Programs from '../../src/estimator/program/Programs.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as Reference from '../../src/tensor/Reference.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const length = 3
const rows = 5
const chain = tanhChain({ T: length, alpha: 0.5, sigma: [0.5, 0.25, 1] })
const trained = (): boolean => true
const theta = T.tabulate([rows, 2], (i) => (i % 2 === 0 ? 0.25 : -0.5))
const xT = Draw.normal(Key.make(1), [rows, 1])
const eps = Draw.normal(Key.make(2), [length, rows, 1])
const rolled = right(
  Reference.run(
    right(Programs.rollout(chain, { perturbation: 'none', keep: true, trained })),
    { batch: rows },
    { 'params.theta': theta, xT, eps }
  )
)
const trajectory = rolled['trajectory'] ?? xT
const rewards = Array.from(rolled['x0']?.data ?? [], (x: number) => -((x - 1) ** 2))
const updates = right(Ddpo.compile({ chain, trained, batch: rows, clip: 0.2 }, reference))
const numbers = (tensor: T.Tensor | undefined): ReadonlyArray<number> => Array.from(tensor?.data ?? [])

describe('updates from recorded trajectories', () => {
  it('are REINFORCE at the parameters that drew them, and clip nothing', async () => {
    const experience = right(await updates.record({ theta }, trajectory, {})())
    const { gradient, clippedShare } = right(await updates.gradient({ theta }, experience, rewards)())
    expect(clippedShare).toBe(0)
    const estimator = right(Catalogue.reinforce(length))
    const problem = Gradient.problem(chain, quadraticReward(1), rows, { advantage: Advantage.none })(estimator)
    const [{ cover }] = estimator.covers
    const asked = {
      cover,
      params: { theta },
      condition: {},
      xT,
      eps,
      xi: {},
      weights: rewards.map(() => 1),
      advantageState: 0
    }
    const expected = right(await right(Gradient.compile(problem, reference)).run(asked)())
    numbers(gradient['theta']).forEach((g, i) => {
      const e = numbers(expected.gradient['theta'])[i] ?? Number.NaN
      // the noise is recomputed from the states, which costs a dozen roundings relative to 1 / sigma^2 = 16
      expect(Math.abs(g - e)).toBeLessThan(1000 * 16 * 2 ** -52 * Math.max(1, Math.abs(e)))
    })
  })

  it('weigh by the ratio of the densities, and drop what has left the interval in the direction of its advantage', async () => {
    const experience = right(await updates.record({ theta }, trajectory, {})())
    const moved = T.map((v, i) => v + (i % 2 === 0 ? 0.125 : 0.25))(theta)
    const drawn = right(await updates.record({ theta: moved }, trajectory, {})())
    const ratios = drawn.logDensities.flatMap(({ data }, t) =>
      numbers({ shape: [rows], data }).map(
        (log, n) => [Math.exp(log - (experience.logDensities[t]?.data[n] ?? 0)), rewards[n] ?? 0] as const
      )
    )
    const left = ratios.filter(([ratio, a]) => (ratio > 1.2 && a > 0) || (ratio < 0.8 && a < 0))
    expect(left.length).toBeGreaterThan(0)
    const { clippedShare } = right(await updates.gradient({ theta: moved }, experience, rewards)())
    expect(clippedShare).toBeCloseTo(left.length / ratios.length, 12)
    // with no clipping at all, the same trajectories give another gradient
    const loose = right(Ddpo.compile({ chain, trained, batch: rows, clip: 1e9 }, reference))
    const free = right(await loose.gradient({ theta: moved }, experience, rewards)())
    expect(free.clippedShare).toBe(0)
    const kept = right(await updates.gradient({ theta: moved }, experience, rewards)())
    expect(numbers(free.gradient['theta'])).not.toEqual(numbers(kept.gradient['theta']))
  })
})

describe('a term that is dropped', () => {
  const program = right(Ddpo.program(chain, trained))
  // a log-ratio above 88.7 overflows in f32, one above 709.8 in f64
  const old = [-1e4, -1000, -200, -89, -50, -Infinity]
  const gradients = async (target: Target, first: number): Promise<ReadonlyArray<number>> => {
    const executable = right(target.compile(program, { batch: 3 }))
    const out = right(
      await executable.run({
        'params.theta': T.tabulate([3, 2], (i) => (i % 2 === 0 ? 0.25 : -0.5)),
        x: T.tabulate([3, 1], (i) => i - 1),
        next: T.tabulate([3, 1], (i) => 0.5 * i),
        high: T.scalar(2),
        // clipped: a gain whose ratio is beyond 1 + clip. without advantage: no term. the third is as any
        advantage: T.vector([2, 0, -1]),
        old: T.vector([first, first, -5]),
        clip: T.scalar(0.2),
        dualClip: T.scalar(Number.POSITIVE_INFINITY)
      })()
    )
    await executable.dispose()
    return numbers(out['gradient.theta'])
  }

  it.each([reference, gpuJs()])('is no number times it: $name', async (target) => {
    const expected = await gradients(target, -30)
    expect(expected.slice(0, 4).map(Math.abs)).toEqual([0, 0, 0, 0])
    expect(expected.slice(4).every((g) => Number.isFinite(g) && g !== 0)).toBe(true)
    for (const first of old) {
      expect((await gradients(target, first)).map((g) => g + 0)).toEqual(expected.map((g) => g + 0))
    }
    await target.dispose()
  })
})

describe('a ratio that overflows', () => {
  const losses = rewards.map((_, n) => (n === 3 ? -1 : 1))
  const moved = T.map((v) => v + 0.125)(theta)
  /** Old densities of row 3 at step 2 that are e^-shift of what they were. */
  const updated = async (target: Target, shift: number, dualClip?: number): Promise<unknown> => {
    const options = { chain, trained, batch: rows, clip: 0.2, ...(dualClip === undefined ? {} : { dualClip }) }
    const made = right(Ddpo.compile(options, target))
    const experience = right(await made.record({ theta: moved }, trajectory, {})())
    const logDensities = experience.logDensities.map((one, i) =>
      i === 1 ? T.map((log, n) => (n === 3 ? log - shift : log))(one) : one
    )
    const result = await made.gradient({ theta: moved }, { ...experience, logDensities }, losses)()
    await made.dispose()
    return E.isLeft(result)
      ? Gradient.showError(result.left).replace(/\d+\.\d+/, (x) => String(Math.round(Number(x))))
      : [numbers(result.right.gradient['theta']).every(Number.isFinite), result.right.clippedShare]
  }

  // exp(88) is within f32, exp(89) is not; exp(709) is within f64
  it.each([
    ['f64', reference, 709, 710],
    ['f32', gpuJs(), 88, 89]
  ] as const)('under a loss is a left that names step and row, in %s', async (_, target, within, beyond) => {
    expect(await updated(target, within)).toEqual([true, 0])
    expect(await updated(target, beyond)).toBe(
      `step 2: expected a ratio of new to old density that is finite in the number format, got one whose logarithm is ${beyond}, in row 3; make fewer or smaller updates from one set of trajectories, or drop such terms with dualClip`
    )
    expect(await updated(target, beyond, 3)).toEqual([true, 1 - 14 / 15])
    // what a dual clip leaves alone: ratios below it
    expect(await updated(target, Math.log(2.5), 3)).toEqual([true, 0])
    await target.dispose()
  })
})
