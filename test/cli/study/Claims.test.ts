import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { study } from '../../../cli/command/study/Study.js'
import { type Claim, type Contrast, contrasted, page, tested } from '../../../cli/study/Claims.js'
import type { Estimate, Point } from '../../../cli/study/Line.js'
import { claims } from '../../../cli/study/catalogue/Claims.js'
import { studies } from '../../../cli/study/catalogue/index.js'
import { captured } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-claims-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const point = (condition: string, seed: number, steps: number, heldOut: number): Point => ({
  condition,
  seed,
  steps,
  evaluations: steps,
  pullbacks: 0,
  reward: 0,
  rewardError: null,
  heldOut,
  heldOutError: null,
  kl: null,
  diversity: 1,
  frechet: null
})

const estimate = (seed: number, estimator: string, variance: number): Estimate => ({
  condition: 'T = 5',
  seed,
  at: 5,
  estimator,
  variance,
  parts: {},
  varianceTimesCost: null,
  networkEvaluations: null,
  pullbacks: null,
  slopeRatio: null,
  slopeRatioError: null,
  tailIndex: null
})

const claim = (of: string, over: string): Claim => ({
  says: 'a | b',
  paper: undefined,
  study: 'methods',
  task: 'points',
  contrast: { _tag: 'Finetunes', quantity: 'heldOut', of, over },
  why: { refuted: 'because' }
})

// the differences of a from b are 1, 2, 3 by seed: mean 2, standard error 1 / sqrt(3)
const points = [1, 2, 3].flatMap((seed) => [point('a', seed, 8, 10 * seed + seed), point('b', seed, 4, 10 * seed)])

const lines = { points, estimates: [], computing: [] }

describe('a claim', () => {
  test('is of the differences of runs of one seed, wherever a run ended', () => {
    const { difference, verdict, errors } = tested(lines)(claim('a', 'b'))
    expect(difference.mean).toBe(2)
    expect(difference.n).toBe(3)
    expect(errors).toBeCloseTo(2 * Math.sqrt(3), 9)
    // t at 0.975 with 2 degrees of freedom is 4.30: 3.46 standard errors are too few
    expect(verdict).toBe('not reproduced')
    const four = { ...lines, points: [...points, point('a', 4, 8, 42), point('b', 4, 4, 40)] }
    expect(tested(four)(claim('a', 'b')).verdict).toBe('reproduced')
    expect(tested(four)(claim('b', 'a')).verdict).toBe('refuted')
  })

  test('may be of the course of one condition, and of estimators by their logarithms', () => {
    const course = [1, 2].flatMap((seed) => [0, 3, 9].map((steps) => point('a', seed, steps, steps === 3 ? 5 : seed)))
    const fall = { _tag: 'Course', quantity: 'heldOut', of: 'a', since: 1 / 3, falls: true } as const
    expect(contrasted(fall, { points: course, estimates: [] }).mean).toBe(3.5)
    expect(contrasted({ ...fall, falls: false }, { points: course, estimates: [] }).mean).toBe(-3.5)
    const estimates = [1, 2].flatMap((seed) => [estimate(seed, 'x', Math.E ** seed), estimate(seed, 'y', 1)])
    const ratio = { _tag: 'Estimates', quantity: 'variance', under: 'T = 5', of: 'x', over: 'y' } as const
    expect(contrasted(ratio, { points: [], estimates }).mean).toBeCloseTo(1.5, 12)
    expect(contrasted({ ...ratio, of: Math.E, over: 'x' }, { points: [], estimates }).mean).toBeCloseTo(-0.5, 12)
    expect(contrasted({ ...ratio, under: 'T = 9' }, { points: [], estimates }).n).toBe(0)
  })

  test('may be of methods that each have the form that the other seeds choose', () => {
    const forms = ['b1', 'b2'].map((name, i) => [
      point(name, 1, 4, i === 0 ? 10 : 1),
      point(name, 2, 4, i === 0 ? 1 : 10)
    ])
    const tuned: Contrast = {
      _tag: 'Tuned',
      quantity: 'heldOut',
      of: { name: 'b', forms: ['b1', 'b2'] },
      over: { name: 'a', forms: ['a'] }
    }
    const own = [point('a', 1, 4, 0), point('a', 2, 4, 0), ...forms.flat()]
    // the best by all seeds, or by the one that is told, would have 5.5 or 10
    expect(contrasted(tuned, { points: own, estimates: [] }).mean).toBe(1)
    const unlike = own.map((one) => (one.condition === 'b2' ? { ...one, heldOut: (one.heldOut ?? 0) + 90 } : one))
    expect(contrasted(tuned, { points: unlike, estimates: [] }).mean).toBe(95.5)
    expect(contrasted(tuned, { points: own.filter(({ seed }) => seed === 1), estimates: [] }).n).toBe(0)
  })

  test('has a row with its verdict, and says so where its study was not run', () => {
    const two = page([claim('b', 'a'), { ...claim('a', 'b'), task: 'faces' }], new Map([['methods-points', lines]]))
    expect(two).toContain('| a \\| b | ours | [methods, points](studies/methods-points.md) |')
    expect(two).toContain('| -2.0 ± 2.5 | **not reproduced**, 3.5 standard errors |  |')
    expect(two).toContain('|  | not run |')
  })

  test('names a study, a task and conditions that there are', () => {
    for (const { study: name, task, contrast } of claims) {
      const one = studies.find((other) => other.name === name)
      expect(one?.on).toHaveProperty(task)
      const conditions = one?.conditions.map((condition) => condition.name) ?? []
      const named = namedBy(contrast)
      expect(named.length).toBeGreaterThan(0)
      expect(conditions).toEqual(expect.arrayContaining([...named]))
    }
  })

  test('is read from the lines in a folder', async () => {
    const [first] = claims
    const { of = '', over = '' } = first?.contrast._tag === 'Finetunes' ? first.contrast : {}
    const found = [1, 2, 3].flatMap((seed) => [point(of, seed, 1, seed + 1), point(over, seed, 1, seed)])
    writeFileSync(join(scratch, 'methods-faces.jsonl'), found.map((one) => `${JSON.stringify(one)}\n`).join(''))
    writeFileSync(join(scratch, 'other.jsonl'), 'nothing')
    const { code, out } = await captured(() => study(undefined, { claims: scratch }))
    expect(code).toBe(0)
    expect(out).toContain('| 1.0000 ± 0.0000 | **reproduced**, all seeds alike |')
  })
})

const namedBy = (contrast: Contrast): ReadonlyArray<string> => {
  switch (contrast._tag) {
    case 'Finetunes':
      return [contrast.of, contrast.over]
    case 'Tuned':
      return [...contrast.of.forms, ...contrast.over.forms]
    case 'Course':
      return [contrast.of]
    case 'Estimates':
      return [contrast.under]
  }
}

const results = new URL('../../../docs/results/', import.meta.url)

test.runIf(existsSync(new URL('studies', results)))('the page of claims is what the lines beside it say', async () => {
  const { out } = await captured(() => study(undefined, { claims: new URL('studies', results).pathname }))
  expect(readFileSync(new URL('README.md', results), 'utf8')).toBe(out)
})
