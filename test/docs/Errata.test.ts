import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  Advantage,
  Cover,
  Estimator,
  firstOrder,
  halfOrder,
  reinforceAfterFirst,
  segmented,
  Variance
} from 'halforder/estimator'
import { Differences, MonteCarlo, Propagation, Quadrature, Setting, Tanh } from 'halforder/laws'
import { key } from 'halforder/random'
import { Target, Tensor } from 'halforder/tensor'
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

  it('print the expectation of each reading of equation (6)', () => {
    const starts = Cover.range(2, T - h + 1)
    expect(page).toContain(`| 1 | | ${printed(total((t) => (t === 1 ? 2 : 1)))} |`)
    expect(page).toContain(`| 1 | $j + h$ | ${printed(total((t) => (t === 1 ? 2 : 1) - share(starts, t)))} |`)
  })

  it('bound what smoothing does to the first reading', () => {
    const radius = 0.05
    const { points, weights } = Quadrature.product([3, 3])
    const starts = Cover.range(2, T - h)
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

  it('print the variances of segmented half-order, which grow with the length', async () => {
    const sampled = 400_000
    const shown = [1, 2, 3, 9].map((length, i) => {
      const row = /\| variance \|(.*)\|/.exec(page)?.[1]?.split('|') ?? []
      return { length, variance: Number(row[i]) }
    })
    const n = 20_000
    const setting = {
      chain: Tanh.tanhChain({ T, alpha: 0.9, sigma: 0.3 }),
      trained: () => true,
      order: { xT: 1, eps: () => 1, xi: () => 1 }
    }
    const draws = Setting.sample(setting, key(2502), n)
    const measured = await Variance.compare(
      { ...setting, reward: Tanh.quadraticReward(2), advantage: Advantage.constant(-4), batch: n },
      shown.map(({ length }) => right(length === 1 ? reinforceAfterFirst(T) : segmented({ T, h: length }))),
      Target.reference,
      {
        uniform: () => 0,
        request: (_, cover) => ({
          cover,
          params: { theta: Tensor.tabulate([n, 2], (i) => theta[i % 2] ?? 0) },
          condition: {},
          xT: draws.xT,
          eps: draws.eps,
          xi: {},
          weights: new Array<number>(n).fill(1),
          advantageState: 0
        })
      },
      1
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
})
