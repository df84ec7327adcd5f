import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { scalarChain, type Numbers } from '../../laws/toy/Tanh.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import { check, problem, showError } from '../../src/estimator/Gradient.js'
import * as Named from '../../src/estimator/Named.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as L from '../../src/lens/Lens.js'
import { meanOverFrames } from '../../src/reward/Clip.js'
import { decoded } from '../../src/reward/Decoded.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as Reward from '../../src/reward/Reward.js'
import { weighted } from '../../src/reward/Weighted.js'
import * as X from '../../src/tensor/Expr.js'
import type { Exprs } from '../../src/tensor/Tree.js'

const right = <F, A>(result: E.Either<F, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** 1 where the first number is positive. */
const positive = Reward.jumping(
  Reward.differentiable<L.None, readonly ['batch', 1]>(
    'positive',
    L.pure((x) => [X.reshape(X.less(X.zeros(x.shape), x), ['batch']), () => X.zeros(x.shape)])
  )
)
const smooth = brightness(1)

const zero = (x: Numbers): Numbers => X.zeros(x.shape)
const chain = scalarChain('two steps', { T: 2, alpha: 0.5, sigma: 1 }, zero, zero)

const said = (reward: typeof positive, estimator: Est.Estimator): string => {
  const checked = check(problem(chain, reward, 2)(estimator))
  return E.isLeft(checked) ? showError(checked.left) : 'stands'
}

describe('a reward that jumps', () => {
  it('is refused where its gradient is pulled back, and nowhere else', () => {
    const missed = (cell: string): string =>
      `the reward 'positive' jumps, and its gradient knows nothing of the jumps, so ${cell} would miss what they contribute; use half- or zeroth-order cells without a control`
    const standing = [
      right(Catalogue.reinforce(2)),
      right(Catalogue.evolutionStrategies({ T: 2 })),
      right(Catalogue.blackBoxRlr({ T: 2, h: 1 }))
    ]
    expect(standing.map((one) => said(positive, one))).toEqual(['stands', 'stands', 'stands'])
    expect(said(positive, right(Catalogue.fullBackprop(2)))).toBe(missed('FO(1..2)'))
    expect(said(positive, right(Catalogue.truncatedBackprop({ T: 2, k: 1 })))).toBe(missed('FO(1..1)'))
    expect(said(smooth, right(Catalogue.fullBackprop(2)))).toBe('stands')
  })

  it('is no control by its own gradient, but may be a baseline', () => {
    const known = { ...chain, clean: chain.mean }
    const looking = (options: C.HalfOrderOptions): string => {
      const estimator = right(Est.fromCells('looking', 2, [C.halfOrder(1, 1, options), C.halfOrder(2, 2)]))
      const checked = check(problem(known, positive, 2)(estimator))
      return E.isLeft(checked) ? checked.left._tag : 'stands'
    }
    expect(looking({ control: StateValue.clean })).toBe('Jumps')
    expect(looking({ baseline: StateValue.clean })).toBe('stands')
  })

  it('gives what is made of it its jumps: sums, means over frames, decoded ones', () => {
    const sums = [
      weighted([
        [1, smooth],
        [0.5, positive]
      ]),
      weighted([
        [1, smooth],
        [0, positive]
      ]),
      weighted([[1, smooth]])
    ]
    expect(sums.map(({ jumps }) => jumps)).toEqual([true, undefined, undefined])
    const frames = { frames: 2, size: 1 }
    const wide = positive as unknown as Reward.Differentiable<L.None, readonly ['batch', number], Exprs>
    expect(meanOverFrames(frames, wide).jumps).toBe(true)
    expect(meanOverFrames(frames, brightness<number>(1)).jumps).toBe(undefined)
    const decoder = L.identity<X.Expr<readonly ['batch', 1]>>()
    expect(decoded(decoder)(positive).jumps).toBe(true)
    expect(decoded(decoder)(smooth).jumps).toBe(undefined)
  })

  it('has no gradient for an estimator that chooses its cells by that', () => {
    expect(Named.facts(chain, positive).differentiable).toBe(false)
    expect(Named.facts(chain, smooth).differentiable).toBe(true)
  })
})
