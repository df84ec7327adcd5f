import { describe, expect, it } from 'vitest'
import * as Catalogue from '../../../src/estimator/Catalogue.js'
import type { Estimator } from '../../../src/estimator/Estimator.js'
import * as Race from '../../../src/estimator/reading/pilot/Race.js'
import * as Shared from '../../../src/estimator/reading/pilot/Shared.js'
import { type Matrix, moments, rowsOf } from '../../../src/estimator/reading/Spread.js'
import * as Draw from '../../../src/random/Draw.js'
import * as Key from '../../../src/random/Key.js'
import { reference } from '../../../src/tensor/Target.js'
import { drawsOf, length, right, steep } from './toy.js'

const width = 3

/** Normals about a mean. */
const normals = (seed: number, n: number, scale: number, mean = 0): Matrix => ({
  width,
  data: Float64Array.from(Draw.normal(Key.make(seed), [n * width]).data, (z) => mean + scale * z)
})

const runner = (plain: boolean, samples: Matrix, seconds = 1): Race.Runner => ({
  plain,
  samples: [samples],
  size: 1,
  draws: samples.data.length / width,
  factor: 1,
  seconds
})

describe('a race', () => {
  it('is led by the least variance times time, and leaves behind who is far behind', () => {
    const [a, b, c] = [normals(1, 100, 1, 2), normals(2, 100, 0.5, 2), normals(3, 100, 3, 2)]
    const { leader, on, may, settled, standings } = Race.race([runner(true, a), runner(false, b), runner(true, c)])
    expect([leader, on, may, settled]).toEqual([1, [0, 1], [0, 1], true])
    expect(standings.map(({ why }) => why)).toEqual(['behind', 'leads', 'behind'])
    expect(standings[0]?.variance).toBeCloseTo(moments([a]).variance, 12)
    expect(standings[0]?.score).toBe(standings[0]?.variance)
    // who takes ten times as long does not lead
    expect(Race.race([runner(true, a), runner(false, b, 10), runner(true, c)]).leader).toBe(0)
  })

  it('does not believe a lead that may be luck, nor one of too few samples to miss a mean', () => {
    const [a, b] = [normals(1, 12, 1, 2), normals(2, 12, 0.9, 2)]
    expect(Race.race([runner(true, a), runner(false, b)]).standings.map(({ why }) => why)).toEqual(['leads', 'close'])
    const [c, d] = [normals(1, 12, 1), normals(2, 12, 0.1)]
    expect(Race.race([runner(true, c), runner(false, d)]).standings.map(({ why }) => why)).toEqual(['leads', 'few'])
    // without anyone to be believed, samples are all there is
    expect(Race.race([runner(false, c), runner(false, d)]).leader).toBe(1)
  })

  it('finds a mean that is not missing missing about as seldom as luck has it', () => {
    const trials = 200
    const missed = Array.from({ length: trials }, (_, k) => {
      const race = Race.race([runner(true, normals(2 * k, 40, 1, 0.5)), runner(false, normals(2 * k + 1, 40, 1, 0.5))])
      return (race.standings[1]?.missing ?? 0) > 0
    }).filter((is) => is).length
    // 0.3 % of 200 are 0.6, of which five and more are one in two thousand
    expect(missed).toBeLessThan(5)
  })

  it('takes an estimator for plain that differentiates one step at a time', () => {
    const isPlain = (one: ReturnType<typeof Catalogue.reinforce>): boolean => Race.isPlain(right(one))
    expect(isPlain(Catalogue.reinforce(length))).toBe(true)
    expect(isPlain(Catalogue.fullBackprop(length))).toBe(false)
    expect(isPlain(Catalogue.segmented({ T: length, h: 2 }))).toBe(false)
    expect(isPlain(Catalogue.subsampled({ T: length, every: 2 }))).toBe(false)
  })
})

describe('full backpropagation under a reward that all but jumps', () => {
  /** So many samples of each on the same draws. */
  const measured = async (estimators: ReadonlyArray<Estimator>, seed: number, n: number) => {
    const batch = n
    const shared = right(Shared.share({ ...steep(1e-4), batch }, estimators, reference, () => 0))
    const draws = drawsOf(seed)(batch)
    const run = shared.batch()
    const all = []
    for (const estimator of estimators)
      all.push(rowsOf(right(await run(draws.request(0, estimator.covers[0].cover))()).estimate.gradient, batch))
    await shared.dispose()
    return all
  }

  it('seems to vary least, and is not believed; a race that believes everyone takes it', async () => {
    const estimators = [right(Catalogue.reinforce(length)), right(Catalogue.fullBackprop(length))]
    const races = []
    for (let seed = 0; seed < 10; seed++) {
      const samples = (await measured(estimators, 100 * seed, 200)).map((matrix) => ({
        plain: false,
        samples: [matrix],
        size: 1,
        draws: 200,
        factor: 1,
        seconds: 1
      }))
      const believed = samples.map((one, k) => ({
        ...one,
        plain: Race.isPlain(estimators[k] ?? right(Catalogue.reinforce(length)))
      }))
      races.push({ with: Race.race(believed), without: Race.race(samples) })
    }
    expect(races.map((race) => race.with.leader)).toEqual(new Array(10).fill(0))
    // some seeds meet the step, and see how much it varies
    expect(races.filter((race) => race.without.leader === 1).length).toBeGreaterThan(5)
    const missing = races.filter((race) => race.without.leader === 1).map((race) => race.with.standings[1]?.why)
    expect(new Set(missing)).toEqual(new Set(['missing']))
  })
})
