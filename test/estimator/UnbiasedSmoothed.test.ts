import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Estimator from '../../laws/law/Estimator.js'
import { blackBoxOf } from '../../laws/exact/Expectation.js'
import * as Run from '../../laws/run/Run.js'
import { linearSetting } from '../../laws/toy/LinearGaussian.js'

// Directions of their own for every step of a whole chain are the most dimensions: two steps are affordable there.
const longest = (family: Covers.Family): number => (/perStep/.test(family.name) ? 2 : 3)

// and they are the slowest: the three forms that they have share two hundred chains
const runs = (family: Covers.Family): number => (/perStep/.test(family.name) ? 70 : 200)

describe('evolution strategies have the gradient of J_s for their expectation, on random chains, rewards and radii', () => {
  const families = Covers.families.filter(({ name }) => name.startsWith('evolution'))

  it.each(families.map((family) => [family.name, family] as const))('%s', (_, family) =>
    Run.forAll(
      fc
        .integer({ min: 2, max: longest(family) })
        .chain((T) => fc.record({ setting: Toys.scalar(T), estimator: family.estimator(T) })),
      ({ setting, estimator }) => Estimator.unbiased(setting)({ estimator })(),
      { numRuns: runs(family) }
    )
  )
})

describe('in two dimensions with a linear-Gaussian chain', () => {
  it.each(
    Covers.families
      .filter(({ name }) => !name.includes('perStep') && !name.includes('any'))
      .map((family) => [family.name, family] as const)
  )('%s', (_, family) =>
    Run.forAll(
      fc.record({ numbers: Toys.linearGaussian(2, 1, 2), estimator: family.estimator(2) }),
      ({ numbers, estimator }) => Estimator.unbiased(linearSetting(numbers))({ estimator })(),
      { numRuns: 10 }
    )
  )
})

describe('with a black-box reward', () => {
  it.each(
    Covers.families
      .filter(({ name }) => name === 'reinforce' || name.startsWith('black-box rlr') || name.startsWith('evolution'))
      .map((family) => [family.name, family] as const)
  )('%s', (_, family) =>
    Run.forAll(
      fc.record({ setting: Toys.scalar(2), estimator: family.estimator(2) }),
      ({ setting, estimator }) => Estimator.unbiased(setting)({ estimator, blackBox: blackBoxOf(setting) })(),
      { numRuns: 20 }
    )
  )
})
