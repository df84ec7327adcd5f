import * as fc from 'fast-check'
import { describe, it } from 'vitest'
import * as Covers from '../../laws/arbitrary/Covers.js'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Estimator from '../../laws/law/Estimator.js'
import * as Run from '../../laws/run/Run.js'

// Directions of their own for every step of a whole chain are the most dimensions: two steps are affordable there.
const longest = (family: Covers.Family): number => (/black-box.*perStep|any exact/.test(family.name) ? 2 : 3)

// the slowest: their six forms share six hundred chains
const runs = (family: Covers.Family): number => (family.name.startsWith('black-box') ? 100 : 200)

describe('every exact estimator has the gradient for its expectation, on random chains, rewards, radii and weights', () => {
  const families = Covers.families.filter(({ name }) => !name.startsWith('evolution'))

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
