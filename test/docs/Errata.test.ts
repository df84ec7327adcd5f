import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  Advantage,
  Budget,
  compile,
  Cover,
  Estimator,
  evolutionStrategies,
  firstOrder,
  fullBackprop,
  halfOrder,
  Problem,
  problem,
  reinforce,
  reinforceAfterFirst,
  rlr,
  segmented,
  Variance
} from 'halforder/estimator'
import { Differences, MonteCarlo, NoiseRule, Propagation, Quadrature, Setting, Tanh } from 'halforder/laws'
import { Lens } from 'halforder/lens'
import { foldIn, key } from 'halforder/random'
import { Reward } from 'halforder/reward'
import { Expr, Target, Tensor } from 'halforder/tensor'
import { describe, expect, it } from 'vitest'

const page = readFileSync(new URL('../../docs/errata.md', import.meta.url), 'utf8')

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const T = 10
const h = 2
const theta = [0.3, 0.1]
const process = {
  sigma: new Array<number>(T).fill(0.3),
  mean: (x: number, [a = 0, b = 0]: ReadonlyArray<number>): number => 0.9 * x + a * Math.tanh(x) + b,
  reward: (x: number): number => -((x - 2) ** 2),
  grid: { from: -9, to: 13, spacing: 0.1 }
}

/** The terms of the steps 1..T, exact to about 1e-10. */
const terms = Cover.range(1, T).map((t) => Propagation.gradient(process, theta, (s) => s === t).value)

const total = (weight: (t: number) => number): ReadonlyArray<number> =>
  theta.map((_, k) => terms.reduce((sum, term, i) => sum + weight(i + 1) * (term[k] ?? 0), 0))

const share = (starts: ReadonlyArray<number>, t: number): number =>
  starts.filter((j) => j + h === t).length / starts.length

const printed = (value: ReadonlyArray<number>): string => `(${value.map((x) => x.toFixed(4)).join(', ')})`

describe('the errata', () => {
  it('print the terms of the tanh chain', () => {
    const rows = terms.map((term, i) => `| ${i + 1} | ${term.map((x) => x.toFixed(4)).join(' | ')} |`)
    expect(page).toContain(rows.join('\n'))
    expect(page).toContain(
      `$(${total(() => 1)
        .map((x) => x.toFixed(4))
        .join(',\\ ')})$`
    )
  })

  it('print the expectation of each reading of equation (6), with the starts that it prints', () => {
    const starts = Cover.range(1, T - h)
    expect(page).toContain(`| 1 | | ${printed(total((t) => (t === 1 ? 2 : 1)))} |`)
    expect(page).toContain(`| 1 | $j + h$ | ${printed(total((t) => (t === 1 ? 2 : 1) - share(starts, t)))} |`)
  })

  it('bound what smoothing does to the first reading', () => {
    const radius = 0.05
    const { points, weights } = Quadrature.product([3, 3])
    const starts = Cover.range(1, T - h)
    // the copy of step 1 moves twice as far, as its term is counted twice
    const moved = (j: number, k: number, amount: number): number =>
      points.reduce((sum, xi, i) => {
        const value = Propagation.expectedReward(process, (t) =>
          theta.map((x, c) => {
            const perturbed = t < j || t > j + h ? radius * (xi[c] ?? 0) : 0
            return x + perturbed + (c === k ? (t === 1 ? 2 : 1) * amount : 0)
          })
        )
        return sum + (weights[i] ?? 0) * value
      }, 0)
    const exact = total((t) => (t === 1 ? 2 : 1))
    theta.forEach((_, k) => {
      const all = (amount: number): number => starts.reduce((sum, j) => sum + moved(j, k, amount) / starts.length, 0)
      const { value, error } = Differences.derivatives((amount) => ({ value: [all(amount)], error: [0] }), {
        step: 2 ** -7,
        levels: 2
      })
      expect(Math.abs((value[0] ?? 0) - (exact[k] ?? 0)) + (error[0] ?? 0)).toBeLessThan(0.2)
    })
  })

  it('print samples that are of those expectations', () => {
    const rows = [...page.matchAll(/^\| (?:half-order on|as implemented).*$/gm)].map(([line]) => line.split('|'))
    expect(rows.length).toBe(3)
    for (const cells of rows) {
      const expected = [...(cells[4] ?? '').matchAll(/-?\d+\.\d+/g)].map(Number)
      for (const sampled of cells.slice(5, 7).filter((cell) => cell.includes('±'))) {
        const numbers = [...sampled.matchAll(/-?\d+\.\d+/g)].map(Number)
        expected.forEach((value, k) => {
          const [mean = Number.NaN, error = Number.NaN] = numbers.slice(2 * k, 2 * k + 2)
          // smoothing moves the expectation by less than 0.2, as the test below bounds
          expect(Math.abs(mean - value)).toBeLessThan(0.2 + MonteCarlo.upperQuantile(1e-6 / 20) * error)
        })
      }
    }
  })

  it.each([
    ['RLR', [1, 2, 4], 200_000, (length: number) => rlr({ T, h: length })],
    [
      'segmented half-order',
      [1, 2, 3, 9],
      400_000,
      (length: number) => (length === 1 ? reinforceAfterFirst(T) : segmented({ T, h: length }))
    ]
  ] as const)('print the variances of %s, which grow with the length', async (name, lengths, sampled, estimator) => {
    const shown = lengths.map((length, i) => {
      const row =
        new RegExp(`\\| variance${name === 'RLR' ? ' of RLR' : ''} \\|(.*)\\|`).exec(page)?.[1]?.split('|') ?? []
      return { length, variance: Number(row[i]) }
    })
    const n = 20_000
    const setting = {
      chain: Tanh.tanhChain({ T, alpha: 0.9, sigma: 0.3 }),
      trained: () => true,
      order: { xT: 1, eps: () => 1, xi: () => 1 }
    }
    const batches = name === 'RLR' ? T : 1
    const draws = (batch: number): Pick<Setting.Draws, 'xT' | 'eps' | 'xi'> => {
      const { xT, eps, xi } = Setting.sample(setting, foldIn(key(2502), batch), n)
      return { xT, eps, xi }
    }
    const measured = await Variance.compare(
      { ...setting, reward: Tanh.quadraticReward(2), advantage: Advantage.constant(-4), batch: n },
      shown.map(({ length }) => right(estimator(length))),
      Target.reference,
      {
        // every cover of a mixture in turn: their weights are equal
        uniform: (batch) => (batch + 0.5) / batches,
        request: (batch, cover) => ({
          cover,
          params: { theta: Tensor.tabulate([n, 2], (i) => theta[i % 2] ?? 0) },
          condition: {},
          ...draws(batch),
          weights: new Array<number>(n).fill(1),
          advantageState: 0
        })
      },
      batches
    )()
    const z = MonteCarlo.upperQuantile(MonteCarlo.standard.alpha / (2 * shown.length))
    right(measured).forEach(({ gradient }, i) => {
      const printedVariance = shown[i]?.variance ?? Number.NaN
      // the printed number has the error of its own sample, and is rounded to tens
      const error = gradient.varianceError * Math.sqrt(1 + n / sampled)
      expect(Math.abs(gradient.variance - printedVariance)).toBeLessThan(z * error + 5)
    })
    const variances = shown.map(({ variance }) => variance)
    expect(variances).toEqual([...variances].sort((a, b) => a - b))
  })

  it('say that the first-order cell and a segment that starts at 1 overlap', () => {
    const overlapping = Estimator.fromCells('j = 1', 4, [firstOrder(1), halfOrder(1, 2), halfOrder(3, 4)])
    expect(E.isLeft(overlapping) ? overlapping.left : undefined).toMatchObject({ _tag: 'Overlap', step: 1 })
  })

  describe('say what a jump costs', () => {
    const jump = Reward.differentiable<Lens.None, readonly ['batch', 1]>(
      'positive',
      Lens.pure((x) => [Expr.reshape(Expr.less(Expr.zeros(x.shape), x), ['batch']), () => Expr.zeros(x.shape)])
    )
    /** One step x_0 = b + eps. */
    const still = (): Tanh.Numbers => Expr.zeros(['batch', 1])
    const chain = Tanh.scalarChain('one step', { T: 1, alpha: 0, sigma: 1 }, still, still)

    const expectation = async (estimator: Estimator.Estimator): Promise<number> => {
      // half lines, since the reward is a constant on each
      const half = NoiseRule.halfLine(400)
      const nodes = [...half.nodes.map((x) => -x), ...half.nodes]
      const weights = [...half.weights, ...half.weights].map(
        (w, i) => (w * Math.exp(-((nodes[i] ?? 0) ** 2) / 2)) / Math.sqrt(2 * Math.PI)
      )
      const posed = problem(chain, jump, nodes.length, { advantage: Advantage.none })(estimator)
      const { run } = right(compile(posed, Target.reference))
      const { gradient } = right(
        await run({
          cover: estimator.covers[0].cover,
          params: { theta: Tensor.fill([nodes.length, 2], 0) },
          condition: {},
          xT: Tensor.fill([nodes.length, 1], 0),
          eps: Tensor.tabulate([1, nodes.length, 1], (i) => nodes[i] ?? 0),
          xi: {},
          weights,
          advantageState: 0
        })()
      )
      return Array.from(gradient['theta']?.data ?? []).reduce((sum, g, i) => sum + (i % 2 === 1 ? g : 0), 0)
    }

    it('first-order gives 0, and the likelihood ratio the gradient', async () => {
      const exact = 1 / Math.sqrt(2 * Math.PI)
      expect(page).toContain(`$J'(0) = 1/\\sqrt{2\\pi} = ${exact.toFixed(5)}$`)
      expect(await expectation(right(fullBackprop(1)))).toBe(0)
      expect(Math.abs((await expectation(right(reinforce(1)))) - exact)).toBeLessThan(1e-12)
    })

    it('and first-order is refused where the reward says that it jumps', () => {
      const jumping = Reward.jumping(jump)
      const said = (estimator: Estimator.Estimator): string => {
        const checked = Problem.check(problem(chain, jumping, 2)(estimator))
        return E.isLeft(checked) ? Problem.showError(checked.left) : 'stands'
      }
      expect(said(right(fullBackprop(1)))).toBe(
        "the reward 'positive' jumps, and its gradient knows nothing of the jumps, so FO(1..1) would miss what they contribute; use half- or zeroth-order cells without a control"
      )
      expect([reinforce(1), evolutionStrategies({ T: 1 })].map((one) => said(right(one)))).toEqual(['stands', 'stands'])
    })

    it('and the slope of J changes by no more than the page says', () => {
      // of Phi' = phi the slope is steepest at 1
      const steepest = Math.exp(-1 / 2) / Math.sqrt(2 * Math.PI)
      expect(page).toContain(`at most ${steepest.toFixed(4)} a unit`)
    })
  })

  it('say what equation (8) is stationary at', () => {
    const [length, vh, vz] = [50, 1, 2]
    const inner = (x: number): number => (x + 1) * vh + (length - x - 1) * vz
    const product = (x: number): number => (x + 1) * inner(x)
    const rule = Budget.segmentLength({
      T: length,
      memory: 1e9,
      halfOrderMemory: 2,
      zerothOrderMemory: 1,
      halfOrderDeviation: vh,
      zerothOrderDeviation: vz
    })
    expect(rule).toEqual(E.right(49))
    expect(page).toContain(
      `the rule says 49, and the expression at $h = 48, 49, 50$ is ${[48, 49, 50].map(product).join(', ')}`
    )
    const all = Cover.range(0, length)
    // a maximum, and a sum that falls throughout
    expect(Math.max(...all.map(product))).toBe(product(49))
    expect(all.slice(1).every((x) => inner(x) < inner(x - 1))).toBe(true)
  })
})
