import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { audit as command } from '../../cli/command/Audit.js'
import { audit, type Audit, show } from '../../laws/audit/Audit.js'
import { solve } from '../../laws/audit/LeastSquares.js'
import * as Model from '../../laws/audit/Model.js'
import { decode } from '../../laws/audit/Trace.js'
import { showError } from '../../src/document/Document.js'
import * as Npz from '../../src/format/Npz.js'
import { fromOnnx } from '../../src/network/FromOnnx.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { reference } from '../../src/tensor/Target.js'
import { captured, type Ran } from '../cli/captured.js'
import { get } from '../network/adjoint.js'

/** Written by PyTorch 1.13: `python3 test/audit/traces.py test/audit/traces`. */
const file = (name: string): string => fileURLToPath(new URL(`traces/${name}.npz`, import.meta.url))
const arrays = (name: string): Values => get(Npz.decode(readFileSync(file(name))))
const of = (name: string, change: (given: Values) => Values = (given) => given): Audit =>
  audit(get(decode(change(arrays(name)))))
const verdicts = ({ steps }: Audit): ReadonlyArray<string> => steps.map(({ verdict }) => verdict)

describe('an audit of a DDPO loop in PyTorch', () => {
  it('that is right finds every step paid once', () => {
    const found = of('correct')
    expect([found.density, found.baseline, found.verdict]).toEqual(['sum', 'leaveOneOut', 'unbiased'])
    expect(verdicts(found)).toEqual(['paid', 'paid', 'paid', 'paid', 'paid'])
    found.steps.forEach(({ paid }) => expect(Math.abs(paid - 1)).toBeLessThan(1e-5))
    expect(found.unexplained).toBeLessThan(1e-9)
  })

  it('with the mean density finds each step paid a quarter, which a learning rate makes up for', () => {
    const found = of('mean-density')
    expect([found.density, found.baseline, found.verdict]).toEqual(['mean', 'none', 'scaled'])
    found.steps.forEach(({ paid }) => expect(Math.abs(paid - 0.25)).toBeLessThan(1e-5))
    expect(found.departures).toEqual([{ _tag: 'MeanDensity', elements: 4 }])
    expect(show(found)).toContain('the gradient, 0.25 times as long')
  })

  it('that leaves a step out names it', () => {
    const found = of('last-unpaid')
    expect([found.density, found.baseline, found.verdict]).toEqual(['sum', 'leaveOneOut', 'biased'])
    expect(verdicts(found)).toEqual(['paid', 'paid', 'paid', 'paid', 'unpaid'])
    expect(show(found).split('\n').at(-1)).toBe('biased: not paid are steps 5; each is missing by as much of its term')
  })

  it('that divides its advantages says what they are', () => {
    const found = of('normalised')
    expect([found.baseline, found.verdict]).toEqual(['normalised', 'biased'])
    // four samples share a mean that has their own reward in it
    found.steps.forEach(({ paid }) => expect(Math.abs(paid - 0.75)).toBeLessThan(1e-5))
    expect(show(found)).toContain('divided by a number which depends on the noise')
  })

  it('without noise at its last step finds that step unpaid: scores have nothing to say of it', () => {
    const found = of('no-last-noise')
    expect(verdicts(found)).toEqual(['unpaid', 'paid', 'paid', 'paid', 'paid'])
    expect(found.verdict).toBe('biased')
  })

  it('finds a step that is doubled, and one whose sign is wrong', () => {
    const { T, samples, parameters, score, advantage } = get(decode(arrays('correct')))
    const weighed =
      (weights: ReadonlyArray<number>) =>
      (given: Values): Values => ({
        ...given,
        gradient: {
          shape: [samples, parameters],
          data: Float64Array.from({ length: samples * parameters }, (_, i) => {
            const [n, p] = [Math.floor(i / parameters), i % parameters]
            return weights.reduce(
              (sum, w, t) =>
                sum + w * (advantage?.data[n] ?? 0) * (score.data[(t * samples + n) * parameters + p] ?? 0),
              0
            )
          })
        }
      })
    const found = of('correct', weighed([1, 2, 1, -1, 1]))
    expect(found.steps.map(({ paid }) => Math.round(1e6 * paid) / 1e6)).toEqual([1, 2, 1, -1, 1])
    expect([found.verdict, T]).toEqual(['biased', 5])
    expect(show(found)).toContain('paid by another amount are steps 2, 4')
  })

  it('of steps that are drawn at random has errors that hold, and says so where they are too large', () => {
    const { samples, parameters, score, advantage } = get(decode(arrays('correct')))
    // each sample scores one step of five, five times: paid once on average
    let state = 1
    const uniform = (): number => (state = (state * 16807) % 2147483647) / 2147483647
    const drawn = Array.from({ length: samples }, () => Math.floor(5 * uniform()))
    const found = of('correct', (given) => ({
      ...given,
      gradient: {
        shape: [samples, parameters],
        data: Float64Array.from({ length: samples * parameters }, (_, i) => {
          const [n, p] = [Math.floor(i / parameters), i % parameters]
          const at = ((drawn[n] ?? 0) * samples + n) * parameters + p
          return 5 * (advantage?.data[n] ?? 0) * (score.data[at] ?? 0)
        })
      }
    }))
    expect(found.unexplained).toBeGreaterThan(0.1)
    // none is refuted, and what 64 samples can not say is said
    found.steps.forEach(({ paid, error }) => expect(Math.abs(paid - 1)).toBeLessThan(5 * error))
    expect(['undecided', 'unbiased']).toContain(found.verdict)
  })
})

describe('a trace of states of many numbers', () => {
  const [T, samples, elements, parameters] = [2, 24, 3000, 3]
  const normal = (key: number, shape: ReadonlyArray<number>): Tensor => Draw.normal(Key.make(key), shape)
  const eps = normal(1, [T, samples, elements])
  const score = normal(2, [T, samples, parameters])
  const reward = normal(3, [samples])
  const density = Float64Array.from({ length: T * samples }, (_, i) => {
    const own = Array.from(eps.data.slice(i * elements, (i + 1) * elements))
    return -own.reduce((sum, v) => sum + v * v, 0) / 2 / elements
  })
  const trace = (weights: ReadonlyArray<number>, advantage = reward): Audit =>
    audit(
      get(
        decode({
          sigma: { shape: [T], data: Float64Array.of(0.5, 0.5) },
          eps,
          score,
          reward,
          advantage,
          log_density: { shape: [T, samples], data: density },
          gradient: {
            shape: [samples, parameters],
            data: Float64Array.from({ length: samples * parameters }, (_, i) =>
              weights.reduce(
                (sum, w, t) =>
                  sum +
                  w *
                    (advantage.data[Math.floor(i / parameters)] ?? 0) *
                    (score.data[t * samples * parameters + i] ?? 0),
                0
              )
            )
          }
        })
      )
    )

  it('by the mean density is the gradient but for a small factor, and not unpaid', () => {
    const found = trace([1, 1])
    expect([found.density, found.verdict, verdicts(found)]).toEqual(['mean', 'scaled', ['other', 'other']])
    found.steps.forEach(({ paid }) => expect(paid * elements).toBeCloseTo(1, 9))
    expect(verdicts(trace([1, 0]))).toEqual(['other', 'unpaid'])
    expect(trace([1, 0]).verdict).toBe('biased')
  })

  it('by advantages of a kind that is not known is undecided', () => {
    const cubed: Tensor = { shape: [samples], data: Float64Array.from(reward.data, (r: number) => r ** 3) }
    expect([trace([1, 1], cubed).baseline, trace([1, 1], cubed).verdict]).toEqual(['other', 'undecided'])
  })
})

describe('arrays that are no trace', () => {
  const message = (change: (given: Values) => Values): string => {
    const decoded = decode(change(arrays('correct')))
    return E.isLeft(decoded) ? showError(decoded.left) : 'accepted'
  }
  const without =
    (name: string) =>
    (given: Values): Values =>
      Object.fromEntries(Object.entries(given).filter(([key]) => key !== name))

  it('are refused by name', () => {
    expect(message(without('score'))).toContain(
      'score: expected an array beside sigma, eps, reward, score, gradient, got nothing'
    )
    expect(message((given) => ({ ...given, reward: { shape: [63], data: new Float32Array(63) } }))).toMatch(
      /^eps: expected the shape \[5, 63, 4\]/
    )
    expect(message((given) => ({ ...given, advantage: { shape: [2], data: new Float32Array(2) } }))).toMatch(
      /^advantage: expected the shape \[64\]/
    )
    const nan = { shape: [64], data: new Float32Array(64).fill(Number.NaN) }
    expect(message((given) => ({ ...given, reward: nan }))).toContain('reward: expected finite numbers, got NaN')
    expect(message((given) => ({ ...given, gradient: { shape: [5, 31], data: new Float32Array(155) } }))).toContain(
      'gradient: expected rows whose number divides the 64 samples, got 5'
    )
    expect(message(without('log_density'))).toBe('accepted')
  })
})

describe('halforder audit', () => {
  it('prints what was found, and exits 1 unless every step is paid once', async () => {
    const right = await captured(() => command(file('correct'), {}))
    expect([right.code, right.out.trim().split('\n').at(-1)]).toEqual([0, 'unbiased: every step is paid once'])
    const wrong = await captured(() => command(file('last-unpaid'), { json: true }))
    expect(wrong.code).toBe(1)
    expect(JSON.parse(wrong.out)).toMatchObject({ verdict: 'biased', T: 5 })
    const none = await captured(() => command(file('nowhere'), {}))
    expect(none.err).toContain('could not read')
    expect(none.code).not.toBe(0)
  })
})

describe('an audit with the model of the program', () => {
  /** Written by PyTorch 1.13: `python3 test/audit/model.py test/audit/traces`. */
  const model = fileURLToPath(new URL('traces/model.onnx', import.meta.url))
  const run = (name: string): Promise<Ran> => captured(() => command(file(name), { model }))

  it('has scores of its own, for a trace that has none', async () => {
    const { code, out } = await run('model-correct')
    expect(out).toMatch(/^the noises are those of the model at every step\n48 samples of 5 steps/)
    expect([code, out.trim().split('\n').at(-1)]).toEqual([0, 'unbiased: every step is paid once'])
  })

  it('finds the mean density by its size, though no density is told', async () => {
    const { code, out } = await run('model-mean-density')
    expect(code).toBe(1)
    expect(out).toContain('the gradient, 0.25 times as long')
  })

  it('names the step that is not paid, and the one that is doubled', async () => {
    const { code, out } = await run('model-unpaid-doubled')
    expect(code).toBe(1)
    expect(out).toMatch(/\n {2}2 +2 +\+- \S+ +paid twice\n/)
    expect(out).toMatch(/\n {2}4 +\S+ +\+- \S+ +not paid\n/)
    expect(out).toContain('biased: not paid are steps 4; paid by another amount are steps 2;')
  })

  it('says where the trace is not of the model', async () => {
    const { code, out } = await run('model-stale')
    expect(code).toBe(1)
    expect(out).toContain('not of this model: at step 3 the noise is off by 10 % of its size')
  })

  it("tells how the program's scores differ", () => {
    const given = arrays('model-correct')
    const imported = get(fromOnnx(readFileSync(model)))
    if (imported._tag !== 'Lens') throw new Error('no lens')
    return Model.scores(
      imported,
      reference
    )(given)().then(async (first) => {
      const { arrays: own } = get(first)
      const score = own['score']
      if (score === undefined) throw new Error('no scores')
      const third = {
        shape: score.shape,
        data: score.data.map((s: number, i: number) => (i < score.data.length / 5 ? s / 3 : s))
      }
      const again = get(await Model.scores(imported, reference)({ ...given, score: third })())
      expect(again.steps.map(({ scale = 0 }) => Math.round(1e6 * scale) / 1e6)).toEqual([0.333333, 1, 1, 1, 1])
      expect(Model.show(again)).toBe(
        "the noises are those of the model at every step\nstep 1: the program's score is 0.333 times the model's"
      )
    })
  })

  it('wants states, and a model that runs', async () => {
    const without = await run('correct')
    expect([without.code, without.err]).toEqual([
      2,
      expect.stringContaining('x: expected the arrays x, eps and sigma beside a model')
    ])
  })
})

describe('least squares', () => {
  it('gives the unknowns, tells those that it can not tell apart, and has errors of the right size', () => {
    const rows = [
      [1, 0, 0],
      [0, 1, 1],
      [1, 1, 1]
    ]
    const { values, determined } = solve(
      3,
      rows.map((row) => ({ rows: [row], right: [2 * (row[0] ?? 0) + 3 * (row[1] ?? 0)] }))
    )
    expect(determined.filter((one) => one)).toHaveLength(2)
    expect(values[0]).toBeCloseTo(2, 12)
    // a mean of n numbers of variance 1 has the error 1 / sqrt(n)
    let state = 7
    const uniform = (): number => (state = (state * 16807) % 2147483647) / 2147483647
    const numbers = Array.from({ length: 2000 }, () => (uniform() < 0.5 ? -1 : 1))
    const mean = solve(
      1,
      numbers.map((y) => ({ rows: [[1]], right: [y] }))
    )
    expect(mean.errors[0]).toBeCloseTo(1 / Math.sqrt(2000), 3)
  })
})
