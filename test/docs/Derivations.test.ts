import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import {
  Advantage,
  compile,
  Cost,
  type Cover,
  evolutionStrategies,
  fullBackprop,
  Objective,
  problem,
  Programs,
  reinforce,
  rlr,
  type Estimator
} from 'halforder/estimator'
import { Expectation, Polynomial, Quadrature, Setting, Tanh } from 'halforder/laws'
import { key } from 'halforder/random'
import { Target, Tensor } from 'halforder/tensor'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// -------------------------------------------------------------------------------------
// links
// -------------------------------------------------------------------------------------

const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .map((path) => join('docs', path))

interface Link {
  readonly page: string
  readonly text: string
  readonly target: string
}

const links: ReadonlyArray<Link> = pages.flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/\[([^\]]*)\]\(([^)#\s]+)\)/g)]
    .map(([, text = '', target = '']) => ({ page, text, target }))
    .filter(({ target }) => !target.startsWith('http'))
    .map(({ page: from, text, target }) => ({ page: from, text, target: normalize(join(dirname(from), target)) }))
)

describe('the pages of docs', () => {
  it('link to files that are there', () => {
    expect(links.filter(({ target }) => !existsSync(join(root, target)))).toEqual([])
  })

  it('name what the linked sources export', () => {
    const named = links.flatMap(({ page, text, target }) => {
      const name = /^`(?:[\w$]+\.)*([\w$]+)`$/.exec(text)?.[1]
      return name === undefined || !target.endsWith('.ts') ? [] : [{ page, name, target }]
    })
    const absent = named.filter(({ name, target }) => {
      const path = join(root, target)
      const text = existsSync(path) && statSync(path).isFile() ? readFileSync(path, 'utf8') : ''
      return !new RegExp(`^export (?:const|function|interface|type) ${name}\\b`, 'm').test(text)
    })
    expect(named.length).toBeGreaterThan(50)
    expect(absent).toEqual([])
  })
})

// -------------------------------------------------------------------------------------
// statements without a law
// -------------------------------------------------------------------------------------

describe('page 2: the variances of first- and half-order have no order', () => {
  const frequency = 6
  const sigma = 0.5
  const b = 0.25
  // one step x_0 = b + sigma eps, and 60 nodes: the integrand is entire of exponential type, far below rounding by then
  const setting = Polynomial.sinSetting({ alpha: 0, a: 0, b, sigma: [sigma] }, frequency, 60)
  const decay = Math.exp(-2 * (frequency * sigma) ** 2) * Math.cos(2 * frequency * b)

  const second = async (estimator: Estimator.Estimator): Promise<number> => {
    const [draws] = right(Setting.nodes(setting, { xT: 1, eps: () => 60, xi: () => 1 }))
    if (draws === undefined) throw new Error('no nodes')
    const subject = { estimator }
    const [{ cover }] = estimator.covers
    const { estimate } = right(await Expectation.run(setting, subject, cover, draws)())
    // a row of weight w has the gradient w g
    const rows = Setting.byComponent(setting, estimate.gradient)[1] ?? []
    return rows.reduce((sum, g, row) => sum + g ** 2 / (draws.weights[row] ?? 1), 0)
  }

  it('first-order has its closed form', async () => {
    const expected = (frequency ** 2 / 2) * (1 + decay)
    expect(Math.abs((await second(right(fullBackprop(1)))) / expected - 1)).toBeLessThan(1e-9)
  })

  it('half-order has its closed form, and is the quieter one', async () => {
    const expected = (1 - (1 - 4 * (frequency * sigma) ** 2) * decay) / (2 * sigma ** 2)
    const measured = await second(right(reinforce(1)))
    expect(Math.abs(measured / expected - 1)).toBeLessThan(1e-9)
    expect(measured).toBeLessThan((await second(right(fullBackprop(1)))) / 8)
  })
})

describe('page 2: terms of J beside terms of J_r', () => {
  const page = readFileSync(join(root, 'docs/derivations/02-cells.md'), 'utf8')
  const setting = Polynomial.multiplicativeSetting({ a: 0.8, b: 0.05, sigma: [0.4, 0.4, 0.4] }, [-1, 2, -1])
  const estimator = right(rlr({ T: 3, h: 1 }))
  const mixed = (read: (cover: Cover.Cover) => ReadonlyArray<number>): ReadonlyArray<number> =>
    estimator.covers.reduce<ReadonlyArray<number>>(
      (sum, { weight, cover }) => read(cover).map((x, i) => (sum[i] ?? 0) + weight * x),
      []
    )
  const row = (name: string, numbers: ReadonlyArray<number>): string =>
    `| ${name} | ${numbers.map((x) => x.toFixed(4)).join(' | ')} |`

  it('are the expectation of RLR, which is neither gradient', async () => {
    const means = new Map<Cover.Cover, ReadonlyArray<number>>()
    for (const { cover } of estimator.covers) {
      means.set(cover, right(await Expectation.expectation(setting, { estimator }, cover)()).value)
    }
    const expectation = mixed((cover) => means.get(cover) ?? [])
    const smoothed = mixed((cover) => right(Expectation.terms(setting, () => 1, Expectation.smoothingOf(cover))).value)
    const plain = right(Expectation.terms(setting, () => 1)).value
    expect(page).toContain(row('expectation of the estimate', expectation))
    expect(page).toContain(row('$\\nabla J_r$, the mean of those of both covers', smoothed))
    expect(page).toContain(row('$\\nabla J$', plain))
    // the covers promise just that, term by term
    const promised = mixed((cover) => right(Expectation.promise(setting, cover)).value)
    promised.forEach((x, i) => expect(Math.abs(x - (expectation[i] ?? Number.NaN))).toBeLessThan(1e-9))
    expect(Objective.ofEstimator(estimator)).toBe('J and J_s')
  })

  it('and equal to those of J where J is quadratic in the copies jointly, not where it is quadratic alone', () => {
    // F = t1^3 - t2^3 with C = {1}: J = 0 is quadratic, and the smoothed term of step 1 is off by 3 r^2
    const r = 0.25
    const { nodes, weights } = Quadrature.gaussHermite(4)
    const smoothed = nodes.reduce((sum, xi, i) => sum + ((weights[i] ?? 0) * (1 + r * xi) ** 3 * xi) / r, 0)
    expect(smoothed - 3).toBeCloseTo(3 * r ** 2, 12)
    expect(page).toContain('$J = 0$ and the gap is\n$3r^2$')
  })
})

describe('page 4: leave-one-out under one direction for the batch', () => {
  it('cancels the one-point term, and a running mean does not', async () => {
    const rows = 5
    const estimator = right(evolutionStrategies({ T: 3, form: 'onePoint', radius: 0.5 }))
    const chain = Tanh.tanhChain({ T: 3, alpha: 0.5, sigma: 0.5 })
    const whole = async (advantage: Advantage.Advantage): Promise<ReadonlyArray<number>> => {
      const posed = problem(chain, Tanh.quadraticReward(1), rows, { advantage })(estimator)
      const { run } = right(compile(posed, Target.reference))
      const { xT, eps } = Setting.sample(
        { chain, trained: () => true, order: { xT: 1, eps: () => 1, xi: () => 1 } },
        key(4),
        rows
      )
      const estimate = await run({
        cover: estimator.covers[0].cover,
        params: { theta: Tensor.tabulate([rows, 2], (i) => (i % 2) / 4) },
        condition: {},
        xT,
        eps,
        // the same direction in every row, which a row-by-row check can not see
        xi: { theta: Tensor.tabulate([rows, 2], (i) => (i % 2 === 0 ? 1 : -2)) },
        weights: new Array<number>(rows).fill(1 / rows),
        advantageState: 0
      })()
      const gradient = right(estimate).gradient['theta']?.data ?? []
      return [0, 1].map((k) => Array.from(gradient).reduce((sum, g, i) => sum + (i % 2 === k ? g : 0), 0))
    }
    const size = Math.max(...(await whole(Advantage.runningMean(0.9))).map(Math.abs))
    expect(size).toBeGreaterThan(1e-2)
    // a dozen roundings of numbers of that size and of the rewards', which are below 2^6
    for (const left of await whole(Advantage.leaveOneOut)) expect(Math.abs(left)).toBeLessThan(12 * 2 ** (6 - 52))
  })
})

describe('page 7: forward runs of a segment', () => {
  const evaluations = (h: number, memory: 'store' | 'recompute'): number => {
    const chain = Tanh.tanhChain({ T: 8, alpha: 0.5, sigma: 0.5 })
    const program = right(Programs.halfOrder(chain, { h, memory, weighted: false, controlled: false }, () => true))
    return program.instructions.filter(({ op }) => op._tag === 'Map' && op.name === 'tanh').length
  }

  it('are h where activations are stored, and 2 h - 1 where they are recomputed', () => {
    for (const h of [1, 2, 3, 5, 8]) {
      expect(evaluations(h, 'store')).toBe(h)
      expect(evaluations(h, 'recompute')).toBe(2 * h - 1)
    }
    expect(Cost.cost(right(fullBackprop(8))).networkEvaluations).toBe(8 + evaluations(8, 'store'))
  })
})
