import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Experience from '../../src/estimator/policy/Experience.js'
import * as Surrogate from '../../src/estimator/policy/Surrogate.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const length = 3
const rows = 5
const sigma = [0.5, 0.25, 1]
const alpha = 0.5
const chain = tanhChain({ T: length, alpha, sigma })
const theta = T.tabulate([rows, 2], (i) => (i % 2 === 0 ? 0.25 : -0.5))
const moved = T.map((v, i) => v + (i % 2 === 0 ? 0.125 : 0.25))(theta)
const xT = Draw.normal(Key.make(1), [rows, 1])
const eps = Draw.normal(Key.make(2), [length, rows, 1])
const reuse: Surrogate.Reuse = { density: 'sum', clip: 0, form: 'ppo', dualClip: 0 }
const numbers = (tensor: T.Tensor | undefined): ReadonlyArray<number> => Array.from(tensor?.data ?? [])

const problem = Gradient.problem(chain, quadraticReward(1), rows, { advantage: Advantage.constant(-0.5) })(
  right(Catalogue.reinforce(length))
)
const asked: Gradient.Request = {
  cover: problem.estimator.covers[0].cover,
  params: { theta },
  condition: {},
  xT,
  eps,
  xi: {},
  weights: new Array<number>(rows).fill(1),
  advantageState: 0
}

/** What was drawn at `theta`, and the surrogate on a target. */
const made = async (
  target: Target,
  options: Partial<Surrogate.Reuse> = {}
): Promise<{
  readonly estimate: Gradient.Estimate
  readonly surrogate: Surrogate.Surrogate
  readonly experience: Experience.Experience
}> => {
  const gradients = right(Gradient.compile(problem, target))
  const estimate = right(await gradients.run(asked)())
  const surrogate = right(Surrogate.compile(problem, { ...reuse, ...options }, rows, target))
  const experience = right(await surrogate.record({ theta }, asked, estimate)())
  return { estimate, surrogate, experience }
}

/** The surrogate's gradient from the states alone, by its formula: `x' = alpha x + a tanh x + b + sigma eps`. */
const byHand = (
  { trajectory, rewards }: Gradient.Estimate,
  at: T.Tensor,
  drop: (ratio: number, advantage: number) => boolean
): ReadonlyArray<number> => {
  const states = (t: number): ReadonlyArray<number> => (trajectory === undefined ? [] : numbers(T.at(t)(trajectory)))
  return Array.from({ length: rows }, (_, n) => n).flatMap((n) => {
    const sums = [0, 0]
    for (let t = 1; t <= length; t++) {
      const s = sigma[t - 1] ?? 1
      const x = states(t)[n] ?? 0
      const phi = (p: T.Tensor): number => mean(x, p.data[2 * n] ?? 0, p.data[2 * n + 1] ?? 0)
      const noise = (p: T.Tensor): number => ((states(t - 1)[n] ?? 0) - phi(p)) / s
      const ratio = Math.exp((noise(theta) ** 2 - noise(at) ** 2) / 2)
      const advantage = (rewards[n] ?? 0) + 0.5
      if (drop(ratio, advantage)) continue
      const score = (ratio * advantage * noise(at)) / s
      // the derivatives of the mean in a and b
      ;[Math.tanh(x), 1].forEach((d, k) => (sums[k] = (sums[k] ?? 0) + score * d))
    }
    return sums
  })
}

/** The mean of the toy's step, as its page has it. */
const mean = (x: number, a: number, b: number): number => alpha * x + a * Math.tanh(x) + b

describe('before the first update', () => {
  it.each([reference, gpuJs()])(
    'every ratio is 1 and the gradient is the estimate, bit for bit: $name',
    async (target) => {
      const { estimate, experience, surrogate } = await made(target, { clip: 1e-12 })
      const { gradient, clippedShare, farthest } = right(await surrogate.gradient({ theta }, experience)())
      expect([clippedShare, farthest]).toEqual([0, 0])
      expect(numbers(gradient['theta'])).toEqual(numbers(estimate.gradient['theta']))
      // the wrong version: a mean that was recorded with another rounding has a ratio that is not 1
      const off = {
        ...experience,
        drawn: experience.drawn.map((one) => ({ ...one, mean: T.map((v) => v + 1e-6)(one.mean) }))
      }
      expect(right(await surrogate.gradient({ theta }, off)()).farthest).toBeGreaterThan(0)
      await target.dispose()
    }
  )
})

describe('after an update', () => {
  /** The largest difference, relative where numbers are large. */
  const apart = (got: ReadonlyArray<number>, expected: ReadonlyArray<number>): number =>
    Math.max(...got.map((g, i) => Math.abs(g - (expected[i] ?? NaN)) / Math.max(1, Math.abs(g))))

  it('terms are weighed by the ratio of the densities', async () => {
    const { estimate, experience, surrogate } = await made(reference)
    const { gradient } = right(await surrogate.gradient({ theta: moved }, experience)())
    const expected = byHand(estimate, moved, () => false)
    expect(apart(numbers(gradient['theta']), expected)).toBeLessThan(1e-12)
  })

  it.each([
    ['ppo', (ratio: number, a: number) => (ratio > 1.2 && a > 0) || (ratio < 0.8 && a < 0)],
    ['clamp', (ratio: number) => ratio > 1.2 || ratio < 0.8]
  ] as const)('terms beyond the interval are dropped: %s', async (form, drop) => {
    const { estimate, experience, surrogate } = await made(reference, { clip: 0.2, form })
    const { gradient, clippedShare } = right(await surrogate.gradient({ theta: moved }, experience)())
    expect(apart(numbers(gradient['theta']), byHand(estimate, moved, drop))).toBeLessThan(1e-12)
    expect(clippedShare).toBeGreaterThan(0)
    expect(clippedShare).toBeLessThan(1)
  })

  it('the forms differ', async () => {
    const shares = await Promise.all(
      (['ppo', 'clamp'] as const).map(async (form) => {
        const { experience, surrogate } = await made(reference, { clip: 0.2, form })
        return right(await surrogate.gradient({ theta: moved }, experience)()).clippedShare
      })
    )
    expect(shares[0]).toBeLessThan(shares[1] ?? 0)
  })

  it('shares of the rows add up to all of them', async () => {
    const { experience, surrogate: whole } = await made(reference)
    const one = right(Surrogate.compile(problem, reuse, 1, reference))
    const parts: Array<number> = []
    for (let n = 0; n < rows; n++) {
      const params = { theta: T.rows(n, n + 1)(moved) }
      const { gradient } = right(await one.gradient(params, Experience.take([n], 1)(experience))())
      parts.push(...numbers(gradient['theta']))
    }
    expect(parts).toEqual(numbers(right(await whole.gradient({ theta: moved }, experience)()).gradient['theta']))
  })
})

describe('a term that is dropped', () => {
  const program = right(Surrogate.program(chain, 1, { density: 'sum', form: 'ppo' }))
  const weights = async (target: Target, first: number): Promise<ReadonlyArray<number>> => {
    const executable = right(target.compile(program, { batch: 3 }))
    const out = right(
      await executable.run({
        'params.theta': T.tabulate([3, 2], (i) => (i % 2 === 0 ? 0.25 : -0.5)),
        x: T.tabulate([3, 1], (i) => i - 1),
        eps: T.fill([1, 3, 1], 20),
        high: T.scalar(2),
        // clipped: a gain whose ratio is beyond 1 + clip. without advantage: no term. the third is as any
        advantage: T.vector([2, 0, -1]),
        old: T.matrix([[first], [first], [mean(1, 0.25, -0.5)]]),
        low: T.scalar(0.8),
        up: T.scalar(1.2),
        dual: T.scalar(Number.POSITIVE_INFINITY)
      })()
    )
    await executable.dispose()
    return numbers(out['weight'])
  }

  it.each([reference, gpuJs()])('is no number times it: $name', async (target) => {
    // noises of 20 whose mean moves so that they become likely: a log-ratio of nearly 200, or of more than 700
    for (const old of [-6, -5, -4.5]) {
      const [first, second, third = 0] = await weights(target, old)
      expect([first, second]).toEqual([0, 0])
      expect(Math.abs(third + 1)).toBeLessThan(1e-5)
    }
    await target.dispose()
  })
})

describe('a ratio that overflows', () => {
  /** The samples of row 3 at step 2 were very unlikely: their log-ratio is `log`. */
  const updated = async (target: Target, log: number, dualClip = 0): Promise<unknown> => {
    const { experience, surrogate } = await made(target, { clip: 0.2, dualClip })
    const drawn = experience.drawn.map((one) => {
      if (one.cell.from !== 2) return { ...one, advantages: one.advantages.map(() => 1) }
      const s = sigma[1] ?? 1
      const shift = Math.sqrt(2 * log) * s
      return {
        ...one,
        advantages: one.advantages.map((_, n) => (n === 3 ? -1 : 1)),
        // the noise was far out, and is 0 now
        eps: T.map((v, n) => (n === 3 ? shift / s : v))(one.eps),
        mean: T.map((v, n) => (n === 3 ? v - shift : v))(one.mean)
      }
    })
    const result = await surrogate.gradient({ theta }, { ...experience, drawn })()
    return E.isLeft(result)
      ? Gradient.showError(result.left).replace(/\d+\.\d+/, (x) => String(Math.round(Number(x))))
      : [numbers(result.right.gradient['theta']).every(Number.isFinite), result.right.clippedShare]
  }

  // exp(88) is within f32, exp(90) is not; exp(709) is within f64
  it.each([
    ['f64', reference, 709, 711],
    ['f32', gpuJs(), 88, 90]
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

describe('what has no ratio', () => {
  it('is refused by name', () => {
    const first = Gradient.problem(chain, quadraticReward(1), rows)(right(Catalogue.reinforceAfterFirst(length)))
    const refused = Surrogate.compile(first, reuse, rows, reference)
    expect(E.isLeft(refused) && Gradient.showError(refused.left)).toContain('FO(1..1) has no ratio of densities')
  })
})
