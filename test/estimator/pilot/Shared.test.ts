import { describe, expect, it } from 'vitest'
import * as Gradient from '../../../src/estimator/Gradient.js'
import * as Named from '../../../src/estimator/Named.js'
import { compared } from '../../../src/estimator/reading/Contenders.js'
import { ofCover as costOf } from '../../../src/estimator/reading/Cost.js'
import * as Runs from '../../../src/estimator/reading/pilot/Runs.js'
import * as Shared from '../../../src/estimator/reading/pilot/Shared.js'
import { reference } from '../../../src/tensor/Target.js'
import { drawsOf, problem, right } from './toy.js'

const batch = 3
const draws = drawsOf(5)(batch)
const on: Runs.On = { networkCalls: 1, stepCalls: 0, lookahead: false, discrete: false, scores: true }

/** The catalogue on the toy chain, and of each the cover that is drawn. */
const estimators = compared({ ...Named.facts(problem.chain, problem.reward), radius: 0.1 }).contenders.flatMap(
  ({ estimator }) => (estimator._tag === 'exact' ? [estimator] : [])
)
const covers = estimators.map(({ covers: [first] }) => first.cover)

describe('what a cover runs', () => {
  it('takes what the cover costs', () => {
    expect(covers.length).toBeGreaterThan(15)
    for (const cover of covers) {
      const runs = Runs.ofCover(cover, { ...on, networkCalls: 2 })
      const { networkEvaluations, pullbackSteps } = costOf(cover, 2)
      expect(runs.reduce((sum, { evaluations }) => sum + evaluations, 0)).toBe(networkEvaluations)
      expect(runs.reduce((sum, { pullbacks }) => sum + pullbacks, 0)).toBe(2 * pullbackSteps)
    }
  })
})

describe('several estimators on the same draws', () => {
  it('have the gradients that they have alone, and run what they have in common once', async () => {
    let now = 0
    const shared = right(Shared.share({ ...problem, batch }, estimators, reference, () => now++))
    const run = shared.batch()
    const each = new Map(covers.flatMap((cover) => Runs.ofCover(cover, on).map((one) => [one.program, one] as const)))
    let [taken, asked] = [0, 0]
    for (const [k, cover] of covers.entries()) {
      const request = draws.request(0, cover)
      const { estimate, calls } = right(await run(request)())
      const estimator = estimators[k]
      if (estimator === undefined) throw new Error('no estimator')
      const alone = right(Gradient.compile({ ...problem, batch, estimator }, reference))
      const { gradient } = right(await alone.run(request)())
      await alone.dispose()
      const [one, other] = [estimate.gradient['theta']?.data ?? [], gradient['theta']?.data ?? []]
      expect(one).toHaveLength(2 * batch)
      // a product is taken in another order: a few units in the last place of the largest term
      for (let i = 0; i < one.length; i++)
        expect(Math.abs((one[i] ?? 0) - (other[i] ?? 1))).toBeLessThanOrEqual(1e-10 * (1 + Math.abs(other[i] ?? 0)))
      for (const { program, fresh } of calls) {
        const { evaluations = 0, pullbacks = 0 } = each.get(program) ?? {}
        asked += evaluations + pullbacks
        if (fresh) taken += evaluations + pullbacks
      }
    }
    expect(taken).toBe(Runs.together(covers.flatMap((cover) => Runs.ofCover(cover, on))))
    expect(asked).toBe(
      covers.reduce((sum, cover) => sum + costOf(cover).networkEvaluations + costOf(cover).pullbackSteps, 0)
    )
    expect(asked / taken).toBeGreaterThan(1.4)
    await shared.dispose()
  })

  it('makes a run anew for other draws', async () => {
    const shared = right(Shared.share({ ...problem, batch }, estimators.slice(0, 1), reference, () => 0))
    const [cover] = covers
    if (cover === undefined) throw new Error('no cover')
    const run = shared.batch()
    const fresh = async (i: number): Promise<boolean> =>
      right(await run(draws.request(i, cover))()).calls.some((call) => call.fresh)
    expect([await fresh(0), await fresh(0), await fresh(1)]).toEqual([true, false, true])
    await shared.dispose()
  })
})
