import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import * as P from '../../../laws/exact/Propagation.js'
import * as Verify from '../../../laws/verify/Verify.js'
import * as Models from '../../../laws/verify/Catalogue.js'
import type { Contender, Model } from '../../../laws/verify/Model.js'
import * as Report from '../../../laws/verify/Report.js'
import { terms } from '../../../laws/exact/Terms.js'
import { verify, type VerifyOptions } from '../../../cli/command/Verify.js'
import * as C from '../../../src/estimator/Cover.js'
import { either } from '../../../src/estimator/catalogue/Row.js'
import type { Estimator } from '../../../src/estimator/Estimator.js'
import { options } from '../../../src/estimator/reading/Help.js'
import * as Key from '../../../src/random/Key.js'
import { reference } from '../../../src/tensor/Target.js'

/** The names that have segments, as refusals list them. */
const withH = either(options.find(({ key }) => key === 'h')?.names ?? [])

let folder = ''
let stdout = ''
let stderr = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-'))
  stdout = ''
  stderr = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const run = (options: Partial<VerifyOptions>): Promise<number> =>
  verify({ samples: '4000', seed: '1', json: true, ...options })

const rows = (): ReadonlyArray<Verify.Row> =>
  stdout
    .trim()
    .split('\n')
    // what the command printed a moment ago
    .map((line) => JSON.parse(line) as Verify.Row)

const tanh = (T: number): unknown => ({
  kind: 'tanh',
  T,
  alpha: 0.9,
  theta: [0.3, 0.1],
  sigma: 0.3,
  reward: { kind: 'quadratic', m: 2 }
})

/** One parameter, two steps: `x_0 = x_2 + 2 theta + ...`, so `J' = -(mean - m) 2` with mean `3 + 2 theta`. */
const linear = (sigma: number | ReadonlyArray<number>): unknown => ({
  kind: 'linearGaussian',
  T: 2,
  A: [[1]],
  B: [[1]],
  c: [0],
  sigma,
  prior: { mean: [3], cov: [[0.25]] },
  theta: [0.5],
  reward: { Q: [[1]], m: [1], q: [0] }
})

describe('terms by propagation', () => {
  const process: P.ScalarProcess & {
    readonly gradient: (x: number) => ReadonlyArray<number>
    readonly steepest: number
  } = {
    sigma: [0.3, 0.4, 0.5],
    mean: (x, [a = 0, b = 0]) => 0.9 * x + a * Math.tanh(x) + b,
    gradient: (x) => [Math.tanh(x), 1],
    reward: (x) => -((x - 2) ** 2),
    steepest: 1.2,
    grid: { from: -10, to: 11, spacing: 0.1 }
  }

  test('are derivatives of the propagated reward', () => {
    const made = terms(process, [0.3, 0.1])()
    if (E.isLeft(made)) throw new Error(made.left)
    for (const t of [1, 2, 3]) {
      const grid = P.gradient(process, [0.3, 0.1], (s) => s === t, { step: 0.125, levels: 5 })
      grid.value.forEach((value, i) => {
        // both lattices are exact to 1e-15 of values up to 50, whose differences over 1/128 add two digits
        const error = (grid.error[i] ?? 0) + (made.right[t - 1]?.error[i] ?? 0) + 1e-11
        expect(Math.abs((made.right[t - 1]?.value[i] ?? 0) - value)).toBeLessThan(error)
      })
    }
  })

  test('on a linear chain with a quadratic reward do not depend on the smoothing', () => {
    const line = terms(
      {
        sigma: [0.5, 0.5],
        mean: (x, [b = 0]) => 0.8 * x + b,
        gradient: () => [1],
        reward: (x) => -((x - 1) ** 2),
        steepest: 0.8
      },
      [0.25]
    )
    const plain = line()
    for (const perturbation of ['shared', 'perStep'] as const) {
      const smooth = line({ steps: [1, 2], radius: 0.3, perturbation })
      if (E.isLeft(smooth) || E.isLeft(plain)) throw new Error('no terms')
      smooth.right.forEach(({ value, error }, t) => {
        const [expected = 0] = plain.right[t]?.value ?? []
        const [slack = 0] = plain.right[t]?.error ?? []
        expect(Math.abs((value[0] ?? 0) - expected)).toBeLessThanOrEqual((error[0] ?? 0) + slack)
      })
    }
  })
})

describe('halforder verify', () => {
  test('finds the exact gradient of a linear model of its own, and every estimator true to its type', async () => {
    expect(await run({ model: file('model.json', linear(0.5)) })).toBe(0)
    const all = rows()
    expect(all.length).toBeGreaterThan(20)
    for (const row of all) {
      expect(row.exactGradient?.[0]).toBeCloseTo(-6, 10)
      expect(row.verdict).toBe(row.claim === 'exact' ? 'unbiased' : 'biased as predicted')
    }
    const truncated = all.find(({ estimator }) => estimator === 'truncated backpropagation(k = 1)')
    expect(truncated).toMatchObject({ target: 'J', unpaidSteps: [2], networkEvaluations: 3 })
    // half of the gradient is not paid
    expect(truncated?.predictedBias?.[0]).toBeCloseTo(3, 10)
  })

  test('finds the whole catalogue true to its types on every toy chain', async () => {
    expect(await run({ samples: '1000' })).toBe(0)
    const all = rows()
    expect([...new Set(all.map(({ model }) => model))]).toEqual([
      'tanh',
      'linear-Gaussian',
      'multiplicative',
      'feedback'
    ])
    expect(all.filter(({ verdict }) => verdict === 'skipped')).toEqual([])
    // where all steps of x (1 + b x) are perturbed, x_0 is of degree 8 in normals and the reward of degree 16: no number of
    // samples that can be waited for tells its mean
    const open = all.filter(({ verdict }) => verdict === 'undecided')
    for (const { model, estimator, reason } of open) {
      expect(`${estimator} on ${model}`).toMatch(/^evolution strategies, .* on multiplicative$/)
      expect(reason).toMatch(/take more$/)
    }
    expect(open.length).toBeLessThan(8)
    for (const row of all.filter((one) => !open.includes(one))) {
      expect(row.verdict).toBe(row.claim === 'exact' ? 'unbiased' : 'biased as predicted')
    }
    // by a finer lattice and extrapolated differences
    const full = all.find(({ estimator }) => estimator === 'full backpropagation')
    expect(full?.exactGradient?.[0]).toBeCloseTo(-20.64574805995, 9)
    expect(full?.exactGradient?.[1]).toBeCloseTo(24.73311361549, 9)
  }, 180_000)

  test('names what cannot stand on a model', async () => {
    const model = file('model.json', linear([0, 0.5]))
    expect(await run({ model })).toBe(0)
    expect(rows().filter(({ verdict }) => verdict === 'skipped')).toEqual([])
    // a name knows what a step without noise asks for, and cells do not
    expect(rows().map(({ estimator }) => estimator)).toContain('reinforce (first-order on step 1)')
    stdout = ''
    const cells = [
      { kind: 'halfOrder', from: 1, to: 1 },
      { kind: 'halfOrder', from: 2, to: 2 }
    ]
    expect(await run({ model, estimator: file('estimator.json', { cells }) })).toBe(1)
    expect(rows()).toMatchObject([{ verdict: 'skipped' }])
    expect(rows()[0]?.reason).toContain('sigma of step 1 is 0')
    expect(stderr).toContain('nothing was tested')
  })

  test('takes a name with options, without a file', async () => {
    const model = file('model.json', linear(0.5))
    expect(await run({ model, estimator: 'evolutionStrategies(form = forward, radius = 0.1)' })).toBe(0)
    expect(rows()).toMatchObject([{ estimator: 'evolution strategies', target: 'J_s', verdict: 'unbiased' }])
    expect(await run({ model, estimator: 'rlr(h = 7)' })).toBe(2)
    expect(stderr).toContain('halforder verify: --estimator: h: expected a whole number in 1..1, got 7\n')
    stderr = ''
    expect(await run({ model, estimator: 'fullBackprop(h = 7)' })).toBe(2)
    expect(stderr).toBe(
      `halforder verify: --estimator: h: expected one of the fields of fullBackprop (name, memory, baseline, constant), got "h"; remove it, or choose ${withH}\n`
    )
  })

  test('refuses a radius that no kernel holds', async () => {
    const model = file('model.json', linear(0.5))
    expect(await run({ model, estimator: 'evolutionStrategies(radius = 1e-320)' })).toBe(2)
    expect(stderr).toContain('--estimator: radius: expected a number above 0 that f32 holds, got ')
  })

  test('verifies an estimator file, with its baseline, and prints a table', async () => {
    const model = file('model.json', tanh(5))
    const cells = [
      { kind: 'firstOrder', to: 1 },
      { kind: 'halfOrder', from: 2, to: 3 },
      { kind: 'zerothOrder', steps: [4, 5], form: 'onePoint', perturbation: 'perStep', radius: 0.05 }
    ]
    expect(await run({ model, estimator: file('estimator.json', { cells, baseline: -4 }) })).toBe(0)
    expect(rows()).toMatchObject([{ target: 'J_s', unpaidSteps: [], verdict: 'unbiased', networkEvaluations: 8 }])
    stdout = ''
    expect(await run({ model, json: false, estimator: file('partial.json', { cells: cells.slice(0, 2) }) })).toBe(0)
    expect(stdout).toContain('biased as predicted')
    expect(stdout).toContain('4..5')
    expect(stdout).toContain('refuted with probability 0.000001')
  })

  test.each([
    ['model', 'model.json', { kind: 'tanh', T: 'ten' }, 'T: expected a whole number in 1..4096, got "ten"'],
    ['model', 'model.json', '{', 'expected JSON'],
    ['estimator', 'estimator.json', { cells: [{ kind: 'halfOrder' }] }, 'cells[0].from'],
    [
      'estimator',
      'estimator.json',
      {
        cells: [
          { kind: 'firstOrder', to: 1 },
          { kind: 'halfOrder', from: 1, to: 1 }
        ]
      },
      'paid for twice'
    ]
  ] as const)(
    'refuses a bad %s file with its path, and prints nothing else',
    async (option, name, content, message) => {
      const path = file(name, content)
      expect(await run({ [option]: path })).toBe(2)
      expect(stdout).toBe('')
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(stderr).toContain(path)
      expect(stderr).toContain(message)
    }
  )

  test('runs an estimator file on the toy models that it fits, and says which it does not fit', async () => {
    const cells = [{ kind: 'firstOrder', to: 5 }]
    expect(await run({ estimator: file('estimator.json', { cells }) })).toBe(0)
    expect(rows().map(({ model, verdict }) => `${model} ${verdict}`)).toEqual([
      'tanh biased as predicted',
      'linear-Gaussian unbiased',
      'feedback unbiased'
    ])
    expect(stderr).toContain('estimator.json on multiplicative: skipped: FO(1..5): expected steps within 1..3')
  })

  test('refuses a file that is not there, and wrong numbers', async () => {
    expect(await run({ model: join(folder, 'none.json') })).toBe(2)
    expect(stderr).toContain('none.json')
    expect(await run({ samples: '1' })).toBe(2)
    expect(await run({ samples: '999' })).toBe(2)
    expect(stderr).toContain('--samples: expected a whole number of at least 1000, got "999"')
    expect(await run({ seed: 'x' })).toBe(2)
    expect(stdout).toBe('')
  })
})

describe('wrong claims', () => {
  const [model] = Models.models()
  if (model === undefined) throw new Error('no model')

  const judged = async (estimator: Estimator): Promise<ReadonlyArray<Verify.Row>> => {
    const contender: Contender = { name: 'mine', estimator, baseline: 0 }
    const result = await Verify.verify([{ model, contenders: [contender] }], {
      samples: 20_000,
      key: Key.make(3),
      target: reference
    })()
    if (E.isLeft(result)) throw new Error('it did not run')
    return result.right.rows
  }
  const claimed = (cells: ReadonlyArray<C.Cell>, tag: 'exact' | 'partial'): Estimator => ({
    _tag: tag,
    name: 'mine',
    T: 10,
    covers: [{ weight: 1, cover: { _tag: tag, T: 10, cells } }]
  })

  test('of an exact cover that leaves a step unpaid', async () => {
    const all = await judged(claimed([C.firstOrder(9)], 'exact'))
    expect(all).toMatchObject([{ verdict: 'refuted', unpaidSteps: [10], claim: 'exact' }])
    expect(Report.sound(all)).toBe(false)
    expect(Report.refusal(all)).toContain('mine on tanh is refuted: it claims to be unbiased')
  })

  test('of an exact cover that pays for a step twice', async () => {
    const all = await judged(claimed([C.firstOrder(10), C.firstOrder(1)], 'exact'))
    expect(all).toMatchObject([{ verdict: 'refuted' }])
  })

  test('of a partial cover whose bias is not that of its unpaid steps', async () => {
    const forged: Model = {
      ...model,
      // the term of step 1 is told wrong
      terms: (smoothing) => {
        const told = model.terms(smoothing)
        return E.isLeft(told)
          ? told
          : E.right(told.right.map((one, t) => (t === 0 ? { ...one, value: one.value.map((v) => v + 1) } : one)))
      }
    }
    const estimator = claimed([C.firstOrder(5)], 'partial')
    const options = { samples: 20_000, key: Key.make(3), target: reference }
    const honest = await Verify.verify([{ model, contenders: [{ name: 'mine', estimator, baseline: 0 }] }], options)()
    const wrong = await Verify.verify(
      [{ model: forged, contenders: [{ name: 'mine', estimator, baseline: 0 }] }],
      options
    )()
    expect(E.isRight(honest) && honest.right.rows[0]?.verdict).toBe('biased as predicted')
    expect(E.isRight(wrong) && wrong.right.rows[0]?.verdict).toBe('refuted')
  })

  test('of a radius so small that rewards differ by rounding alone are not decided, and no more is drawn', async () => {
    const tiny = (radius: string): Promise<number> =>
      run({
        model: file('linear.json', linear(0.5)),
        estimator: `evolutionStrategies(form = central, radius = ${radius})`
      })
    expect(await tiny('1e-30')).toBe(1)
    expect(rows()).toMatchObject([{ verdict: 'undecided', samples: 4000, tolerance: null, detectable: null }])
    expect(stderr).toMatch(
      /nothing was decided: .* on .*linear\.json: rounding leaves [\d.e+]+ open, more than the gradient \([\d.e+]+\) that is looked for; take a larger radius\n$/
    )
    stdout = ''
    expect(await tiny('0.1')).toBe(0)
    expect(rows()).toMatchObject([{ verdict: 'unbiased' }])
  })

  test('nothing tested is not sound', () => {
    expect(Report.sound([])).toBe(false)
    expect(Report.refusal([])).toBe('nothing was tested')
  })
})
