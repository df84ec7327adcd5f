import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifier } from '../../src/network/Classifier.js'
import type { Description } from '../../src/network/Description.js'
import * as Network from '../../src/network/Network.js'
import * as Size from '../../src/network/Size.js'

const count = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max })
const even = count(4).map((n) => 2 * n)
const share = fc.constantFrom('cosine' as const, 'linear' as const, 'flow' as const)

/** Sides that halve as often as there are levels, and channels of whole groups. */
const levels = fc.tuple(count(3), count(3), count(3), count(3)).chain(([rank, depth, patch, groups]) =>
  fc.record({
    size: fc
      .tuple(fc.array(count(2), { minLength: rank, maxLength: rank }), count(4))
      .map(([sides, colors]) => [...sides.map((n) => n * patch * 2 ** (depth - 1)), colors]),
    patch: fc.constant(patch),
    groups: fc.constant(groups),
    channels: fc.array(count(3), { minLength: depth, maxLength: depth }).map((widths) => widths.map((w) => w * groups))
  })
)

const dense = { labels: count(5), hidden: count(5), blocks: count(4) }
const described: fc.Arbitrary<Description> = fc.oneof(
  fc.record({ kind: fc.constant('mlp' as const), features: count(6), embedding: even, share, ...dense }),
  fc.record({ kind: fc.constant('tokens' as const), length: count(3), alphabet: count(4), embedding: even, ...dense }),
  fc.record({ kind: fc.constant('classifier' as const), features: count(6), ...dense }),
  fc
    .tuple(levels, fc.record({ kind: fc.constant('unet' as const), labels: count(5), embedding: even, share }))
    .map(([a, b]) => ({ ...a, ...b })),
  fc
    .tuple(
      levels,
      fc.record({ kind: fc.constant('latent' as const), latent: count(4), embedding: even, share, ...dense })
    )
    .map(([a, b]) => ({ ...a, ...b }))
)

describe('the size of a network', () => {
  test('by arithmetic is that of what it declares', () => {
    fc.assert(
      fc.property(described, (description) => {
        const parameters =
          description.kind === 'classifier' ? classifier(description).parameters : Network.parameters(description)
        expect(Size.described(description)).toEqual(Size.declared(parameters))
      }),
      { numRuns: 500 }
    )
  })
})
