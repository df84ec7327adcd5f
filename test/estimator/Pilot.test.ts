import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Pilot from '../../src/estimator/reading/Pilot.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import { reference } from '../../src/tensor/Target.js'
import { drawsOf, length, problem, right } from './pilot/toy.js'

/** Every look at it is a second later: batches take one each. */
const ticking = (): (() => number) => {
  let now = 0
  return () => now++
}

const named = (
  estimators: ReadonlyArray<E.Either<unknown, Estimator>>
): ReadonlyArray<{ readonly estimator: Estimator }> => estimators.map((estimator) => ({ estimator: right(estimator) }))

const candidates = named([
  Catalogue.reinforce(length),
  Catalogue.fullBackprop(length),
  Catalogue.segmented({ T: length, h: 2 }),
  Catalogue.segmented({ T: length, h: 3 }),
  Catalogue.evolutionStrategies({ T: length, radius: 0.1 }),
  Catalogue.truncatedBackprop({ T: length, k: 2 })
])

const run = (
  samples: number,
  seed: number,
  of = candidates,
  more: Partial<Pilot.Options> = {}
): Promise<E.Either<Pilot.PilotError, Pilot.Found<{ readonly estimator: Estimator }>>> =>
  Pilot.pilot(problem, of, reference, {
    samples,
    share: 0.05,
    peers: 8,
    draws: drawsOf(seed),
    clock: ticking(),
    ...more
  })()

describe('a pilot', () => {
  it('finds what is within a fifth of the best, from a twentieth of the run, whatever the seed', async () => {
    const measured = right(
      await Variance.compare(
        { ...problem, batch: 300 },
        candidates.map(({ estimator }) => estimator).filter(({ _tag }) => _tag === 'exact'),
        reference,
        drawsOf(1)(300),
        2
      )()
    )
    const truth = new Map(measured.map(({ estimator, gradient }) => [estimator.name, gradient.variance]))
    const best = Math.min(...truth.values())
    for (let seed = 10; seed < 13; seed++) {
      const { entries, work, allowed } = right(await run(20_000, seed))
      expect(truth.get(entries[0].candidate.estimator.name) ?? Number.POSITIVE_INFINITY).toBeLessThan(1.2 * best)
      expect(work).toBeLessThanOrEqual(allowed)
      expect(allowed).toBeCloseTo(0.05 * 20_000 * entries[0].work, 6)
      // nothing is taken that is biased, however little it varies
      expect(entries.map(({ candidate }) => candidate.estimator.name)).not.toContain('truncated backpropagation(k = 2)')
      expect(entries).toHaveLength(5)
    }
  })

  it('measures the better ones longer, on further draws, as if at once', async () => {
    const { entries, rates } = right(await run(5_000, 3))
    const [best] = entries
    expect(best.rounds).toBeGreaterThan(entries.at(-1)?.rounds ?? 0)
    const whole = right(
      await Variance.measure(
        { ...problem, batch: 8, estimator: best.candidate.estimator },
        reference,
        drawsOf(3)(8),
        best.samples / 8
      )()
    )
    expect(best.variance / whole.gradient.variance).toBeCloseTo(1, 9)
    // a rollout of 6 steps takes a second for 8 rows, and so does the reward
    expect([rates.evaluation, rates.reward]).toEqual([1 / 48, 1 / 8])
    const { networkEvaluations } = whole.cost
    const seconds = rates.evaluation * networkEvaluations + rates.pullback * whole.pullbacks + rates.reward
    expect(best.seconds).toBeCloseTo(seconds, 12)
    expect(best.work).toBe(whole.cost.networkEvaluations + whole.pullbacks)
  })

  it('weighs the variance with the time', async () => {
    const { entries } = right(await run(5_000, 3))
    const sorted = [...entries].filter(({ rounds }) => rounds === entries[0].rounds)
    for (const { score, variance, seconds } of entries) expect(score).toBeCloseTo(variance * seconds, 12)
    const scores = sorted.map(({ score }) => score)
    expect(scores.every((score, i) => i === 0 || score >= (scores[i - 1] ?? 0))).toBe(true)
    expect(Pilot.table({ entries, work: 10, allowed: 20 }, 100)).toContain('the pilot took 10 evaluations')
  })

  it('takes the same covers under two names for one, and says what it can not choose among', async () => {
    const twice = [...candidates, ...named([Catalogue.fullBackprop(length)])]
    expect(right(await run(2_000, 3, twice)).entries).toHaveLength(5)
    const biased = await run(2_000, 3, named([Catalogue.truncatedBackprop({ T: length, k: 1 })]))
    expect(E.isLeft(biased) && Pilot.showError(biased.left)).toBe(
      'no candidate is unbiased and can stand on the chain and the reward: all are biased; name an estimator'
    )
    const short = await run(10, 3)
    expect(E.isLeft(short) && Pilot.showError(short.left)).toMatch(
      /^a pilot of every candidate takes \d+ network evaluations and pullbacks, and may take \d+; make the run longer/
    )
  })

  it('looks at what it can afford, those that are believed first and those that perturb several steps last', async () => {
    const { entries, work, allowed } = right(await run(500, 3))
    expect(work).toBeLessThanOrEqual(allowed)
    const seen = entries.filter(({ samples }) => samples > 0).map(({ candidate }) => candidate.estimator.name)
    expect(seen).toContain('reinforce')
    expect(seen).not.toContain('evolution strategies')
    expect(Pilot.table({ entries, work, allowed }, 500)).toMatch(/evolution strategies +0 .* not looked at/)
  })

  it('measures as many samples as it is told, whatever it takes', async () => {
    const { entries, work, allowed } = right(await run(100, 3, candidates, { measured: 100 }))
    expect(entries[0].samples).toBe(128)
    expect(work).toBeGreaterThan(allowed)
  })
})
