import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Estimator from '../../laws/law/Estimator.js'
import * as Run from '../../laws/run/Run.js'
import type { ScalarSetting } from '../../laws/toy/Polynomial.js'
import { mixGrpo } from '../../src/estimator/catalogue/MixGrpo.js'
import * as C from '../../src/estimator/Cover.js'
import type * as Est from '../../src/estimator/Estimator.js'
import { type Facts, showError } from '../../src/estimator/catalogue/Row.js'
import * as Named from '../../src/estimator/Named.js'
import { get } from '../network/adjoint.js'

/** A chain that has noise at some of its steps only, with which ones. */
const windows = fc.tuple(fc.integer({ min: 2, max: 4 }), fc.nat(), fc.nat()).chain(([T, some, one]) =>
  Toys.scalar(T).map((setting): { readonly setting: ScalarSetting; readonly noisy: ReadonlyArray<number> } => {
    // one step at least has noise, and three at most: quadrature is a product over them
    const noisy = C.range(1, T)
      .filter((t) => t === (one % T) + 1 || (some >> t) % 2 === 1)
      .slice(0, 3)
    const sigma = setting.chain.sigma.map((s, t) => (noisy.includes(t) ? s : 0))
    return { setting: { ...setting, chain: { ...setting.chain, sigma } }, noisy }
  })
)

const built = ({ chain, reward }: ScalarSetting, text: string): Est.Estimator =>
  get(Named.build(Named.facts(chain, reward))(get(Named.parse(text))))

describe('on a chain that has noise at some of its steps', () => {
  it('the segments between them pay for every step: the gradient is unbiased', () =>
    Run.forAll(windows, ({ setting }) => Estimator.unbiased(setting)({ estimator: built(setting, 'windowed') })(), {
      numRuns: 200
    }))

  it('so they do from any of them', () =>
    Run.forAll(
      windows,
      ({ setting, noisy }) => {
        const [t = 1] = noisy.slice(-1)
        return Estimator.unbiased(setting)({ estimator: built(setting, `windowed(steps = [${t}, ${t}])`) })()
      },
      { numRuns: 100 }
    ))

  it('scoring them alone is biased by the terms of the others', () =>
    Run.forAll(windows, ({ setting }) => Estimator.biasIsUnpaid(setting)({ estimator: built(setting, 'mixGrpo') })(), {
      numRuns: 100
    }))
})

describe('a window that forgets the steps without noise', () => {
  it('is refuted where it claims to be exact', async () => {
    const refuted: Array<boolean> = []
    await fc.assert(
      fc.asyncProperty(windows, async ({ setting, noisy }) => {
        if (noisy.length === setting.chain.T) return
        const claimed: Est.Estimator = { ...get(mixGrpo({ T: setting.chain.T, scored: noisy })), _tag: 'exact' }
        refuted.push(E.isLeft(await Estimator.unbiased(setting)({ estimator: claimed })()))
      }),
      { numRuns: 50 }
    )
    // where the steps that are left out do not matter, there is nothing to see
    expect(refuted.filter((one) => one).length).toBeGreaterThan(0.8 * refuted.length)
  })
})

describe('a window', () => {
  const facts = { T: 6, noisyFirst: false, differentiable: true, clean: false, noisy: [3, 5] }
  const shown = (text: string, more: Partial<Facts> = {}): string => {
    const made = Named.build({ ...facts, ...more })(get(Named.parse(text)))
    return E.isLeft(made) ? showError(made.left) : C.show(made.right.covers[0].cover)
  }

  it('is of the steps that have noise', () => {
    expect(shown('windowed')).toBe('FO(1..2) + HO(3..4) + HO(5..6)')
    expect(shown('windowed(steps = [4, 6])')).toBe('FO(1..4) + HO(5..6)')
    expect(shown('windowed', { noisy: [1, 2, 3, 4, 5, 6] })).toBe(
      'HO(1..1) + HO(2..2) + HO(3..3) + HO(4..4) + HO(5..5) + HO(6..6)'
    )
    expect(shown('windowed', { differentiable: false })).toBe(
      'ZO(1..2; central, shared, s = 0.05) + HO(3..4) + HO(5..6)'
    )
    expect(shown('mixGrpo')).toBe('HO(3..3) + HO(5..5)')
  })

  it('without any is refused, with those that have some', () => {
    expect(shown('windowed(steps = [1, 2])')).toContain('expected some of the steps that have noise, 3, 5, got [1, 2]')
    expect(shown('mixGrpo', { noisy: [] })).toContain('of which the chain has none')
  })
})
