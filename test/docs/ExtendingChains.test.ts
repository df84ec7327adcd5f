import { readdirSync, readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { Noise } from 'halforder/chain'
import { Advantage, compile, explain, fullBackprop, Gradient, problem, reinforce } from 'halforder/estimator'
import { MonteCarlo, Run, Verdict } from 'halforder/laws'
import { Density, foldIn, key } from 'halforder/random'
import { Target, Tensor } from 'halforder/tensor'
import { describe, expect, it } from 'vitest'
import { control } from './snippets/chain.js'
import { chain as faces } from './snippets/denoiser.js'
import { twoSegments } from './snippets/estimator.js'
import { laws } from './snippets/laws.js'
import { laplace } from './snippets/noise.js'
import { report } from './snippets/page.js'
import { inside, near } from './snippets/reward.js'
import { marginals } from './snippets/sampler.js'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

const blocks = (page: string): ReadonlyArray<string> =>
  [...read(`../../docs/${page}`).matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')

const guides: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ['extending-chains.md', ['chain', 'sampler', 'noise', 'categorical', 'reward', 'estimator', 'setting', 'laws']],
  ['getting-started.md', ['denoiser']],
  ['in-a-page.md', ['page']],
  ['own-denoiser.md', ['file', 'net', 'weights', 'check', 'gradient', 'unet']]
]

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

describe('the snippets', () => {
  it.each(guides)('of %s are the files that are run here, in order', (page, names) => {
    expect(blocks(page)).toEqual(names.map((name) => read(`./snippets/${name}.ts`)))
  })

  it('are all shown', () => {
    const files = readdirSync(new URL('./snippets', import.meta.url)).map((file) => file.replace('.ts', ''))
    expect(files.sort()).toEqual(guides.flatMap(([, names]) => names).sort())
  })
})

describe('what the guides build', () => {
  it('keeps its laws', () => laws())

  it('has the marginals of its data', () => expect(marginals).not.toThrow())

  it('is a chain with any noise', async () => {
    for (const noise of [Noise.normal, Noise.logistic, Noise.studentT(5)]) {
      const subject = { chain: control([0.5, 1], noise), params: { gain: Tensor.vector([0.25]) }, condition: {} }
      await Run.chain(subject, { numRuns: 5 })
    }
  })

  it('is a denoiser that a sampler takes', async () => {
    const params = {
      'layer.weight': Tensor.matrix([
        [0.5, -0.25],
        [0.75, 1]
      ]),
      'layer.bias': Tensor.vector([0.125, -0.5])
    }
    await Run.chain({ chain: faces, params, condition: { c: Tensor.vector([1]) } }, { numRuns: 2 })
  })

  it('is an estimator that says what it computes', () => {
    expect(explain(right(twoSegments(6, 2))).text).toBe(
      [
        'two segments(h = 2), T = 6',
        '  cover      HO(1..2) + HO(3..4) + ZO(5..6; central, shared, s = 0.1)',
        '  HO(1..2) = A D phi(1:2)^T eps_1 / sigma_1',
        '  HO(3..4) = A D phi(3:4)^T eps_3 / sigma_3',
        '  ZO(5..6; central, shared, s = 0.1) = (R(theta + s xi) - R(theta - s xi)) xi / (2 s)',
        '  unbiased, term by term: for J at steps 1..4, for J_s (J with the parameters of the zeroth-order steps smoothed) at steps 5..6; the sum is within O(s^2) of either gradient',
        '  a sample costs 3 rollouts, 22 network evaluations, 4 steps pulled back'
      ].join('\n')
    )
  })

  it('has the gradient for its mean under Laplace noise, whose variance is 2', async () => {
    const sigma = 0.5
    const gain = 0.25
    // x_0 = (1 - g)^2 x_2 + (1 - g) sigma eps_2 + sigma eps_1, and J = -E x_0^2 - 1
    const exact = 8 * (1 - gain) ** 3 + 4 * sigma ** 2 * (1 - gain)
    // the tails of a product of four Laplace draws: with as few as a test of normals needs, one sample can outweigh the others
    const n = 8 * MonteCarlo.sampleSize(MonteCarlo.standard, 1)
    const estimator = right(reinforce(2))
    const posed = problem(control([sigma, sigma], laplace), near(1), n, { advantage: Advantage.none })(estimator)
    const { run } = right(compile(posed, Target.reference))
    const draw = (name: number, shape: ReadonlyArray<number>): Tensor.Tensor =>
      Density.draw32('laplace', foldIn(key(1), name), shape)
    const estimate = await run({
      cover: estimator.covers[0].cover,
      params: { gain: Tensor.fill([n, 1], gain) },
      condition: {},
      xT: draw(0, [n, 1]),
      eps: draw(1, [2, n, 1]),
      xi: {},
      weights: new Array<number>(n).fill(1),
      advantageState: 0
    })()
    const samples = Array.from(right(estimate).gradient['gain']?.data ?? [])
    const test = MonteCarlo.zTest('gain', exact, samples, MonteCarlo.standard, 1)
    Run.assert(Verdict.verdict('unbiased, by sampling', [test]))
  })

  it('is a report of a page, whose estimates are near the gradient as it says', async () => {
    const text = right(await report())
    const [, exact = ''] = /^The gradient is (\d\.\d{3})\./.exec(text) ?? []
    expect(exact).toBe('2.114')
    const found = [...text.matchAll(/found {6}(-?[\d.]+) \+- ([\d.]+)/g)].map((match) => [
      Number(match[1]),
      Number(match[2])
    ])
    expect(found).toHaveLength(2)
    for (const [mean = 0, error = 0] of found) {
      expect(error).toBeLessThan(0.1)
      expect(Math.abs(mean - Number(exact))).toBeLessThan(4 * error)
    }
    const page = read('../../docs/in-a-page.md')
    for (const [mean = 0, error = 0] of found) expect(page).toContain(`${mean.toFixed(3)} +- ${error.toFixed(3)}`)
  })

  it('is a black box that first-order cells refuse by name', () => {
    const chain = control([0.5, 0.5, 0.5, 0.5, 0.5], laplace)
    const half = compile(problem(chain, inside, 2)(right(twoSegments(5, 2))), Target.reference)
    expect(E.isRight(half)).toBe(true)
    const first = compile(problem(chain, inside, 2)(right(fullBackprop(5))), Target.reference)
    expect(E.isLeft(first) ? Gradient.showError(first.left) : '').toBe(
      "the reward 'inside' is a black box, which FO(1..5) can not pull back through; use half- or zeroth-order cells, or a differentiable reward"
    )
  })
})
