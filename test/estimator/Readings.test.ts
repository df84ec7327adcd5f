import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { multiplicativeChain, polynomialReward, type ScalarReward } from '../../laws/toy/Polynomial.js'
import type { ScalarChain } from '../../laws/toy/Tanh.js'
import * as A from '../../src/estimator/Advantage.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import { cost, peakActivationBytes } from '../../src/estimator/reading/Cost.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import { explain } from '../../src/estimator/reading/Explain.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as L from '../../src/lens/Lens.js'
import * as Reward from '../../src/reward/Reward.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <A>(result: E.Either<C.CoverError, A>): A => {
  if (E.isLeft(result)) throw new Error(C.showError(result.left))
  return result.right
}

describe('explain: the whole text', () => {
  it('of RLR', () => {
    expect(explain(right(Catalogue.rlr({ T: 50 })))).toEqual({
      text: [
        'rlr(h = 2), T = 50',
        '  cover      FO(1..1) + HO(2..3) + ZO(4..50; central, shared, s = 0.05), and 47 others drawn at random',
        '  FO(1..1) = D phi(1:1)^T grad R(x_0)',
        '  HO(2..3) = A D phi(2:3)^T eps_2 / sigma_2',
        '  ZO(4..50; central, shared, s = 0.05) = (R(theta + s xi) - R(theta - s xi)) xi / (2 s)',
        '  unbiased, term by term in the cover shown: for J at steps 1..3, for J_s (J with the parameters of the zeroth-order steps smoothed) at steps 4..50; the sum is within O(s^2) of either gradient',
        '  a sample costs 3 rollouts, 152.92 network evaluations, 3 steps pulled back'
      ].join('\n'),
      latex:
        '\\hat g = D_\\theta \\varphi_{1:1}^\\top \\nabla R(x_0) + ' +
        'A \\, D_\\theta \\varphi_{2:3}^\\top \\varepsilon_{2} / \\sigma_{2} + ' +
        '\\frac{R(\\theta + s \\xi) - R(\\theta - s \\xi)}{2 s} \\xi'
    })
  })

  it('of steps that keep an outcome, by the probability of the outcome', () => {
    const { text, latex } = explain(right(Catalogue.reinforce(2)), [], { outcome: {} })
    expect(text.split('\n').slice(2, 4)).toEqual([
      '  HO(1..1) = A D phi(1:1)^T grad log P(x_0)',
      '  HO(2..2) = A D phi(2:2)^T grad log P(x_1)'
    ])
    expect(latex).toContain('A \\, D_\\theta \\varphi_{2:2}^\\top \\nabla_{\\mu_{2}} \\log P(x_{1})')
    const siblings = explain(right(Catalogue.siblings({ T: 2, family: 3 })), [], { outcome: {} })
    expect(siblings.text).toMatch(/D phi\(2:2\)\^T grad log P\(x_1\)$/m)
    expect(`${text}${latex}${siblings.text}${siblings.latex}`).not.toMatch(/sigma|eps_|varepsilon/)
  })

  it('of a partial estimator', () => {
    expect(explain(right(Catalogue.truncatedBackprop({ T: 4, k: 2 }))).text).toBe(
      [
        'truncated backpropagation(k = 2), T = 4',
        '  cover      FO(1..2)',
        '  FO(1..2) = D phi(1:2)^T grad R(x_0)',
        '  biased: the terms of steps 3..4 of the gradient are not paid in full, and the bias is minus the sum of what is missing',
        '  a sample costs 1 rollout, 6 network evaluations, 2 steps pulled back'
      ].join('\n')
    )
  })

  it('of one-point evolution strategies with a direction for each step', () => {
    const estimator = right(
      Catalogue.evolutionStrategies({ T: 3, form: 'onePoint', perturbation: 'perStep', radius: 0.1 })
    )
    expect(explain(estimator)).toEqual({
      text: [
        'evolution strategies, T = 3',
        '  cover      ZO(1..3; onePoint, perStep, s = 0.1)',
        '  ZO(1..3; onePoint, perStep, s = 0.1) = A(theta + s xi) (sum over i of xi_i) / s',
        '  unbiased for the gradient of J_s (J with the parameters of the zeroth-order steps smoothed)',
        '  a sample costs 1 rollout, 3 network evaluations, 0 steps pulled back'
      ].join('\n'),
      latex: '\\hat g = \\frac{A(\\theta + s \\xi)}{s} \\textstyle\\sum_{i \\in \\{1..3\\}} \\xi_i'
    })
  })
})

describe('explain: what half-order cells look at', () => {
  const shown = (estimator: Estimator, ...steps: Parameters<typeof explain>[1][]): ReadonlyArray<string> =>
    explain(estimator, ...steps).text.split('\n')

  it('writes the baseline and the control out', () => {
    const [, , first] = shown(right(Catalogue.reinforce(2, { baseline: StateValue.clean })))
    expect(first).toBe('  HO(1..1; baseline clean) = A[R - R(x0hat_1)] D phi(1:1)^T eps_1 / sigma_1')
    const [, , , second] = shown(right(Catalogue.reinforce(2, { control: StateValue.polynomial([1, 2]) })))
    expect(second).toBe(
      '  HO(2..2; control polynomial 1, 2) = D phi(2:2)^T (A[R - P(x_1)] eps_2 / sigma_2 + grad P(x_1))'
    )
    expect(explain(right(Catalogue.reinforce(1, { control: StateValue.clean }))).latex).toBe(
      '\\hat g = D_\\theta \\varphi_{1:1}^\\top \\bigl( A(R - R(\\hat x_{0|0})) \\, \\varepsilon_{1} / \\sigma_{1} + \\nabla R(\\hat x_{0|0}) \\bigr)'
    )
  })

  it('writes the objective with its step rewards', () => {
    const lines = shown(right(Catalogue.rlr({ T: 4 })), [{ name: '-0.1 KL to the reference', networkCalls: 1 }])
    expect(lines).toContain('  FO(1..1) = D phi(1:1)^T grad G')
    expect(lines).toContain('  HO(2..3) = A[G_<2] D phi(2:3)^T eps_2 / sigma_2')
    expect(lines).toContain('  ZO(4; central, shared, s = 0.05) = (G(theta + s xi) - G(theta - s xi)) xi / (2 s)')
    expect(lines).toContain('  J = E[G], G = R(x_0) + the sum over the steps of: -0.1 KL to the reference')
  })
})

describe('cost', () => {
  const rows: ReadonlyArray<readonly [string, Estimator, readonly [number, number, number, number, number]]> = [
    // rollouts, network evaluations (all rollouts, and each segment once more), pulled back, rewards, activations
    ['full backpropagation', right(Catalogue.fullBackprop(4)), [1, 4 + 4, 4, 1, 4]],
    ['truncated', right(Catalogue.truncatedBackprop({ T: 4, k: 1 })), [1, 4 + 1, 1, 1, 1]],
    ['reinforce', right(Catalogue.reinforce(4)), [1, 4 + 4, 4, 1, 1]],
    ['segmented', right(Catalogue.segmented({ T: 4, h: 2 })), [1, 4 + 4, 4, 1, 2]],
    // a clean prediction is made anyway; as a control it is run again and pulled back through, but for x_0's, which is x_0
    ['reinforce, baseline', right(Catalogue.reinforce(4, { baseline: StateValue.clean })), [1, 4 + 4, 4, 1 + 4, 1]],
    [
      'reinforce, control',
      right(Catalogue.reinforce(4, { control: StateValue.clean })),
      [1, 4 + 4 + 3, 4 + 3, 1 + 3, 1]
    ],
    // one of three steps above the first is scored in each sample
    ['subsampled', right(Catalogue.subsampled({ T: 4, every: 3 })), [1, 4 + 2, 2, 1, 1]],
    // the segment is on steps 2 and 3, or on 3 and 4: the sides of the difference run 4 steps, or from step 2
    ['rlr, central', right(Catalogue.rlr({ T: 4, h: 2 })), [3, 4 + 2 * 3 + 3, 3, 3, 2]],
    ['rlr, forward', right(Catalogue.rlr({ T: 4, h: 2, form: 'forward' })), [2, 4 + 3 + 3, 3, 2, 2]],
    ['rlr, one point', right(Catalogue.rlr({ T: 4, h: 2, form: 'onePoint' })), [1, 4 + 3, 3, 1, 2]],
    ['evolution strategies, central', right(Catalogue.evolutionStrategies({ T: 4 })), [2, 8, 0, 2, 0]]
  ]

  it.each(rows)('of %s', (_, estimator, [rollouts, evaluations, pulled, rewards, activations]) => {
    expect(cost(estimator)).toEqual({
      rollouts,
      networkEvaluations: evaluations,
      pullbackSteps: pulled,
      rewardEvaluations: rewards,
      activationSteps: activations
    })
    expect(cost(estimator, 2).networkEvaluations).toBeCloseTo(2 * evaluations, 12)
    // a step reward looks at each step of each rollout, and at those that are differentiated
    expect(cost(estimator, 1, 1).networkEvaluations).toBeGreaterThanOrEqual(evaluations + 4)
  })
})

const noiseless: ScalarChain = multiplicativeChain([0, 0.5, 0.5])
const noisy = (T_: number): ScalarChain => multiplicativeChain(new Array<number>(T_).fill(0.5))
const reward = polynomialReward([0, 1])
const blackBox = Reward.blackBox('counted', (x0) => Array.from(x0.data))

const problem = (
  estimator: Estimator,
  options: {
    readonly chain?: ScalarChain
    readonly reward?: ScalarReward | Reward.BlackBox
    readonly advantage?: A.Advantage
    readonly trained?: (path: string) => boolean
  } = {}
): ReturnType<typeof Gradient.compile> =>
  Gradient.compile(
    {
      chain: options.chain ?? noisy(estimator.T),
      reward: options.reward ?? reward,
      estimator,
      advantage: options.advantage ?? A.none,
      trained: options.trained ?? (() => true),
      batch: 2
    },
    reference
  )

const text = (result: ReturnType<typeof problem>): string =>
  E.isLeft(result) ? Gradient.showError(result.left) : 'compiled'

describe('what an estimator refuses: the whole text', () => {
  it('a chain of another length', () => {
    expect(text(problem(right(Catalogue.reinforce(3)), { chain: noisy(2) }))).toBe(
      "T: expected the chain's 2 steps, got an estimator for 3; build both with one T"
    )
  })

  it('a step without a score', () => {
    expect(text(problem(right(Catalogue.reinforce(3)), { chain: noiseless }))).toBe(
      'sigma of step 1 is 0 in multiplicative, so HO(1..1) has no score there; pay for step 1 with a first- or zeroth-order cell, or give the step noise'
    )
    expect(text(problem(right(Catalogue.reinforceAfterFirst(3)), { chain: noiseless }))).toBe('compiled')
  })

  it('a black box under a first-order cell', () => {
    expect(text(problem(right(Catalogue.rlr({ T: 3, h: 1 })), { reward: blackBox }))).toBe(
      "the reward 'counted' is a black box, which FO(1..1) can not pull back through; use half- or zeroth-order cells, or a differentiable reward"
    )
    expect(text(problem(right(Catalogue.blackBoxRlr({ T: 3, h: 1 })), { reward: blackBox }))).toBe('compiled')
  })

  it('nothing to train', () => {
    expect(text(problem(right(Catalogue.reinforce(2)), { trained: () => false }))).toBe(
      'no parameter is trained; choose some of theta'
    )
  })

  it('a batch baseline under a one-point direction that the batch shares', () => {
    const estimator = right(Catalogue.evolutionStrategies({ T: 2, form: 'onePoint' }))
    const chain = noisy(2)
    const shared: ScalarChain = { ...chain, parameters: { theta: L.parameter([2]) } }
    expect(text(problem(estimator, { chain: shared, advantage: A.leaveOneOut }))).toBe(
      "the baseline 'leaveOneOut' reads rewards under the same perturbation as ZO(1..2; onePoint, shared, s = 0.05), which cancels its signal; use a running mean, or a difference form"
    )
    expect(text(problem(estimator, { advantage: A.leaveOneOut }))).toBe('compiled')
  })

  it('a cover that was not compiled, and a reward that fails', async () => {
    const request = {
      cover: right(C.cover(2, [C.firstOrder(2)])),
      params: { theta: T.fill([2, 2], 0.5) },
      condition: {},
      xT: T.fill([2, 1], 0),
      eps: T.fill([2, 2, 1], 0),
      xi: {},
      weights: [0.5, 0.5],
      advantageState: 0
    }
    const compiled = problem(right(Catalogue.reinforce(2)))
    if (E.isLeft(compiled)) throw new Error(Gradient.showError(compiled.left))
    const other = await compiled.right.run(request)()
    expect(E.isLeft(other) ? Gradient.showError(other.left) : '').toBe(
      'firstOrder(2) was not compiled; draw covers from the estimator that was'
    )
    const failing: Reward.BlackBox = {
      ...blackBox,
      evaluate: () => () => Promise.resolve(E.left({ _tag: 'RewardError', reward: 'counted', reason: 'out of order' }))
    }
    const broken = problem(right(Catalogue.reinforce(2)), { reward: failing })
    if (E.isLeft(broken)) throw new Error(Gradient.showError(broken.left))
    const said = await broken.right.run({ ...request, cover: right(Catalogue.reinforce(2)).covers[0].cover })()
    expect(E.isLeft(said) ? Gradient.showError(said.left) : '').toBe("reward 'counted': out of order")
  })
})

describe('credit memory', () => {
  const bytes = (T_: number, h: number): number => {
    const compiled = problem(Est.always('one', right(C.cover(T_, [C.halfOrder(2, h + 1)]))), { chain: noisy(T_) })
    if (E.isLeft(compiled)) throw new Error(Gradient.showError(compiled.left))
    return peakActivationBytes(compiled.right).bytes
  }

  it('does not grow with the length of the chain', () => {
    // but for the table of sigma, which is a constant of the program and not counted
    expect(new Set([6, 12, 48].map((T_) => bytes(T_, 3))).size).toBe(1)
  })

  it('grows by the same amount with each step of a segment', () => {
    const sizes = [2, 3, 4, 5, 6].map((h) => bytes(12, h))
    const gaps = sizes.slice(1).map((size, i) => size - (sizes[i] ?? 0))
    expect(new Set(gaps).size).toBe(1)
    expect(gaps[0]).toBeGreaterThan(0)
  })
})
