import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as EstimatorFile from '../verify/EstimatorFile.js'
import { either } from '../../src/estimator/catalogue/Row.js'
import { names } from '../../src/estimator/Named.js'
import { options } from '../../src/estimator/reading/Help.js'
import { showError } from '../../src/document/Document.js'
import { decode, type ModelDescription } from './Description.js'

/** The names that have segments, as refusals list them. */
const withH = either(options.find(({ key }) => key === 'h')?.names ?? [])

const linear = {
  kind: 'linearGaussian',
  T: 3,
  A: [
    [1, 0.5],
    [0, 1]
  ],
  B: [[1], [2]],
  c: [0, 0],
  sigma: [0, 0.5, 1],
  prior: {
    mean: [1, -1],
    cov: [
      [4, 2],
      [2, 1]
    ]
  },
  theta: [0.5],
  reward: {
    Q: [
      [1, 1],
      [0, 1]
    ],
    m: [0, 0],
    q: [1, 1]
  }
}

const tanh = { kind: 'tanh', T: 10, alpha: 0.9, theta: [0.3, 0.1], sigma: 0.3, reward: { kind: 'quadratic', m: 2 } }

const decoded = (given: unknown): ModelDescription => {
  const result = decode(given)
  if (E.isLeft(result)) throw new Error(showError(result.left))
  return result.right
}

const complaint = (given: unknown): string => {
  const result = decode(given)
  return E.isLeft(result) ? showError(result.left) : 'none'
}

describe('model files', () => {
  it('of both kinds are read, with a singular covariance and one sigma for all steps', () => {
    expect(decoded(tanh)).toEqual({ kind: 'tanh', T: 10, alpha: 0.9, theta: [0.3, 0.1], sigma: 0.3, m: 2 })
    const one = decoded(linear)
    if (one.kind !== 'linearGaussian') throw new Error(one.kind)
    expect(one.prior.factor).toEqual([
      [2, 0],
      [1, 0]
    ])
    expect(one.numbers.Q).toEqual([
      [1, 0.5],
      [0.5, 1]
    ])
    const kl = { beta: 0.2, reference: [0.25] }
    expect([decoded({ ...linear, kl }).kl, one.kl]).toEqual([kl, undefined])
    const even = decoded({ ...linear, sigma: 0.5 })
    expect(even.kind === 'linearGaussian' && even.numbers.sigma).toEqual([0.5, 0.5, 0.5])
  })

  it.each([
    [3, 'the document: expected a group of fields'],
    [{ ...tanh, kind: 'sine' }, 'kind: expected linearGaussian or tanh, got "sine"'],
    [{ ...tanh, alpha: 'x' }, 'alpha: expected a finite number, got "x"'],
    [{ ...tanh, T: 0 }, 'T: expected a whole number in 1..4096, got 0'],
    [{ ...tanh, sigma: 0 }, 'sigma: expected a number above 0, got 0'],
    [{ ...tanh, theta: [1] }, 'theta: expected a list of 2'],
    [{ ...tanh, aplha: 1 }, 'aplha: expected one of the fields kind, T, alpha'],
    [{ ...tanh, kl: 3 }, 'kl: expected a group of fields'],
    [{ ...tanh, kl: { beta: 0, reference: [0, 0] } }, 'kl.beta: expected a number above 0, got 0'],
    [{ ...tanh, kl: { beta: 1 } }, 'kl.reference: expected a list of numbers'],
    [{ ...tanh, kl: { beta: 1, reference: [0] } }, 'kl.reference: expected a list of 2 (theta has 2)'],
    [{ ...tanh, kl: { beta: 1, reference: [0, 0], floor: 1 } }, 'kl.floor: expected one of the fields beta, reference'],
    [{ ...linear, kl: { beta: 1, reference: [0, 0] } }, 'kl.reference: expected a list of 1 (theta has 1)'],
    [{ ...tanh, reward: { kind: 'cubic', m: 2 } }, 'reward.kind: expected "quadratic", got "cubic"'],
    [{ ...tanh, reward: { kind: 'quadratic', m: 2, n: 1 } }, 'reward.n: expected one of the fields kind, m'],
    [{ ...tanh, reward: undefined }, 'reward: expected a group of fields, got nothing'],
    [{ ...linear, A: [] }, 'A: expected at least one row'],
    [{ ...linear, A: [[1, 0]] }, 'A[0]: expected a list of 1'],
    [{ ...linear, A: [[1, 0], [0]] }, 'A[1]: expected a list of 2'],
    [
      {
        ...linear,
        A: [
          [1, 0],
          [0, null]
        ]
      },
      'A[1][1]: expected a finite number, got null'
    ],
    [{ ...linear, B: [[1]] }, 'B: expected a list of 2'],
    [{ ...linear, B: [[1], [1, 2]] }, 'B[1]: expected a list of 1'],
    [{ ...linear, c: [0] }, 'c: expected a list of 2'],
    [{ ...linear, theta: [] }, 'theta: expected at least one number'],
    [{ ...linear, sigma: [1, 1] }, 'sigma: expected a list of 3'],
    [{ ...linear, sigma: -1 }, 'sigma: expected a number of at least 0, or a list of T of them, got -1'],
    [{ ...linear, prior: { ...linear.prior, mean: [0] } }, 'prior.mean: expected a list of 2'],
    [
      {
        ...linear,
        prior: {
          ...linear.prior,
          cov: [
            [1, 2],
            [2, 1]
          ]
        }
      },
      'prior.cov: expected a symmetric, positive'
    ],
    [
      {
        ...linear,
        prior: {
          ...linear.prior,
          cov: [
            [0, 1],
            [1, 1]
          ]
        }
      },
      'prior.cov: expected a symmetric, positive'
    ],
    [
      {
        ...linear,
        prior: {
          ...linear.prior,
          cov: [
            [1, 0.5],
            [0, 1]
          ]
        }
      },
      'prior.cov[1][0]: expected a symmetric'
    ],
    [{ ...linear, reward: { ...linear.reward, Q: [[1, 0]] } }, 'reward.Q: expected a list of 2'],
    [{ ...linear, reward: { ...linear.reward, m: [1, 2, 3] } }, 'reward.m: expected a list of 2']
  ])('that are wrong are refused with the path: %j', (given, message) => {
    expect(complaint(given)).toContain(message)
  })
})

const show = (given: unknown, T: number): string => {
  const result = EstimatorFile.decode(given)
  if (E.isLeft(result)) return showError(result.left)
  const built = result.right.at({ T, noisyFirst: true, differentiable: true, clean: false })
  return E.isLeft(built)
    ? built.left._tag
    : `${result.right.baseline} ${built.right._tag} ${built.right.covers.map(({ weight, cover }) => `${weight} ${cover.cells.length}`).join(', ')}`
}

describe('estimator files', () => {
  it.each([
    [
      {
        cells: [
          { kind: 'firstOrder', to: 1 },
          { kind: 'halfOrder', from: 2, to: 3 },
          { kind: 'zerothOrder', steps: [4, 5], form: 'onePoint', perturbation: 'perStep', radius: 0.05 }
        ],
        baseline: -4
      },
      5,
      '-4 exact 1 3'
    ],
    [{ cells: [{ kind: 'firstOrder', to: 1, memory: 'recompute', shares: [0.5] }] }, 2, '0 partial 1 1'],
    [{ name: 'rlr', h: 2, start: 'uniform' }, 4, '0 exact 0.5 3, 0.5 3'],
    [{ name: 'rlr', start: { interval: [3, 3] }, baseline: 1 }, 5, '1 exact 1 3'],
    [{ name: 'rlr', start: { interval: [3, 3] }, constant: 1 }, 5, '1 exact 1 3'],
    [{ name: 'rlr', start: { interval: [3, 3] }, constant: 2, baseline: { state: [1] } }, 5, '2 exact 1 3'],
    [{ name: 'rlr', start: { weights: [0, 1, 3] } }, 5, '0 exact 0.25 3, 0.75 3'],
    [{ name: 'blackBoxRlr', lowest: 2, form: 'forward' }, 4, '0 exact 0.5 2, 0.5 2'],
    [{ name: 'segmented', h: 2 }, 5, '0 exact 1 3'],
    [{ name: 'fullBackprop', memory: 'recompute' }, 5, '0 exact 1 1'],
    [{ name: 'truncatedBackprop', k: 2 }, 5, '0 partial 1 1'],
    [{ name: 'randomTruncation', weights: [1, 0, 1] }, 3, '0 partial 0.5 1, 0.5 1'],
    [{ name: 'reinforce' }, 3, '0 exact 1 3'],
    [{ name: 'reinforceAfterFirst' }, 3, '0 exact 1 3'],
    [{ name: 'evolutionStrategies', perturbation: 'perStep', radius: 0.1 }, 3, '0 exact 1 1'],
    [{ name: 'geometricHalfOrder', lambda: 0.5, pathwise: 0.2 }, 3, '0 exact 1 3'],
    [{ name: 'truncatedBackprop', k: 7 }, 5, 'OutOfRange'],
    [[], 5, 'the document: expected a group of fields, got []; write it as key: value pairs'],
    [{}, 5, `name: expected one of ${names.join(', ')}, got nothing; choose one of them`],
    [{ name: 'toString' }, 5, `name: expected one of ${names.join(', ')}, got "toString"; choose one of them`],
    [{ name: 'rlrr' }, 5, `name: expected one of ${names.join(', ')}, got "rlrr"; near it is rlr`],
    [{ name: 'segmented' }, 5, '0 exact 1 3'],
    [{ name: 'truncatedBackprop' }, 5, '0 partial 1 1'],
    [{ name: 'geometricHalfOrder' }, 3, '0 exact 1 3'],
    [{ name: 'segmented', h: null }, 5, 'h: expected a whole number of at least 1, got null; correct it'],
    [
      { name: 'reinforce', h: 2 },
      5,
      `h: expected one of the fields of reinforce (name, baseline, control, form, radius, constant), got "h"; remove it, or choose ${withH}`
    ],
    [
      { name: 'rlr', baselin: 2 },
      5,
      'baselin: expected one of the fields of rlr (name, h, start, baseline, control, rest, every, form, perturbation, directions, radius, constant), got "baselin"; correct or remove it'
    ],
    [
      { name: 'rlr', baseline: 1, constant: 1 },
      5,
      'constant: expected one constant, and baseline is another word for it, got 1; leave one of them out'
    ],
    [{ name: 'rlr', constant: 'x' }, 5, 'constant: expected a finite number, got "x"'],
    [
      { name: 'rlr', baseline: 'x' },
      5,
      'baseline: expected auto, clean, critic, none, {"state": [..]} or {"value": NAME}, got "x"; choose one of them'
    ],
    [
      { name: 'rlr', directions: 'batch' },
      5,
      'directions: expected "row" or "auto", since each sample is measured with a direction of its own, got "batch"; leave it out'
    ],
    [{ name: 'rlr', directions: 'row', start: [2, 2] }, 4, '0 exact 1 3'],
    [{ name: 'rlr', start: null }, 4, '0 exact 0.5 3, 0.5 3'],
    [{ name: 'rlr', h: 1.5 }, 5, 'h: expected a whole number of at least 1, got 1.5'],
    [{ name: 'rlr', form: 'left' }, 5, 'form: expected one of onePoint, forward, central, got "left"'],
    [
      { name: 'rlr', start: 'late' },
      5,
      'start: expected null, [lowest, highest] or {"weights": [..]}, got "late"; choose one of them'
    ],
    [
      { name: 'rlr', start: [3] },
      5,
      'start: expected a list of 2 (the lowest and the highest start), got [3]; give it 2'
    ],
    [{ name: 'rlr', start: { interval: [1] } }, 5, 'start.interval: expected a list of 2'],
    [{ name: 'rlr', start: { weights: [1, -1] } }, 5, 'start.weights[1]: expected a number of at least 0, got -1'],
    [{ cells: [{ kind: 'firstOrder', to: 1 }, { kind: 'third' }] }, 5, 'cells[1].kind: expected one of firstOrder'],
    [{ cells: [{ kind: 'halfOrder', from: 1 }] }, 5, 'cells[0].to: expected a whole number of at least 1, got nothing'],
    [
      { cells: [{ kind: 'zerothOrder', steps: [1], radius: 0 }] },
      5,
      'cells[0].radius: expected a number above 0 that f32 holds, got 0; correct it'
    ],
    [{ cells: 3 }, 5, 'cells: expected a list of cells, got 3']
  ])('%j', (given, T, expected) => {
    expect(show(given, T)).toContain(expected)
  })
})
