import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Tokens from '../../../laws/arbitrary/Tokens.js'
import { number as drawn } from '../../../laws/arbitrary/Toys.js'
import * as Law from '../../../laws/law/Tokens.js'
import * as Run from '../../../laws/run/Run.js'
import type { TokenToy } from '../../../laws/toy/Tokens.js'
import * as Verdict from '../../../laws/Verdict.js'
import type { Looking } from '../../../src/estimator/catalogue/Fields.js'
import { reinforce } from '../../../src/estimator/catalogue/Reinforce.js'
import * as C from '../../../src/estimator/Cover.js'
import type { Estimator } from '../../../src/estimator/Estimator.js'
import * as Est from '../../../src/estimator/Estimator.js'
import * as Named from '../../../src/estimator/Named.js'
import * as StateValue from '../../../src/estimator/StateValue.js'
import { klTo } from '../../../src/reward/Kl.js'
import { perturbed } from './mutants.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const number = drawn(3)
const toy = fc.oneof(Tokens.drawnAnew, Tokens.maskedToy())

const scored = ({ process }: TokenToy, looking: Looking = {}): Estimator => right(reinforce(process.T, looking))

/** What a cell may look at: the clean prediction is there where masks are revealed. */
const value = (clean: boolean): fc.Arbitrary<StateValue.StateValue | undefined> =>
  fc.oneof(
    fc.constant(undefined),
    fc.array(number, { minLength: 1, maxLength: 4 }).map(StateValue.polynomial),
    ...(clean ? [fc.constant(StateValue.clean)] : [])
  )

const looking = (clean: boolean): fc.Arbitrary<Looking> =>
  fc.record({ baseline: value(clean), control: value(clean) }).map(({ baseline, control }) => ({
    ...(baseline === undefined ? {} : { baseline }),
    ...(control === undefined ? {} : { control })
  }))

describe('on chains of tokens half-order cells of one step are unbiased', () => {
  it('with any baseline, any value of the state taken off, and a price on leaving a reference', () =>
    Run.forAll(
      toy.chain((one) =>
        fc.record({
          one: fc.constant(one),
          baseline: number,
          values: looking(one.chain.clean !== undefined),
          reference: fc.option(Tokens.parameters(one.process), { nil: undefined, freq: 2 })
        })
      ),
      ({ one, baseline, values, reference }) => {
        const penalty = reference === undefined ? undefined : { beta: 0.3, reference }
        return Law.unbiased(
          one,
          penalty === undefined
            ? { baseline }
            : { baseline, penalty, steps: [right(klTo(penalty.reference, penalty)(one.chain))] }
        )(scored(one, values))()
      },
      { numRuns: 200 }
    ))

  it('for some steps at random, each of them paid more', () =>
    Run.forAll(
      toy.filter(({ process }) => process.T === 3),
      (one) => {
        const some = [1, 2, 3].map((t) => ({
          weight: 1 / 3,
          cover: right(C.portion(3, [C.halfOrder(t, t, { shares: [3] })]))
        }))
        return Law.unbiased(one)(right(Est.balanced('one of three steps', some)))()
      },
      { numRuns: 20 }
    ))
})

describe('what is not so is found out', () => {
  const samples = fc.sample(Tokens.drawnAnew, { numRuns: 5, seed: 11 })
  const masks = fc.sample(Tokens.maskedToy(), { numRuns: 5, seed: 12 })

  it.each(Object.entries(perturbed))('%s', async (_, { of, mutate, looking = {} }) => {
    const verdicts = await Promise.all(
      (of === 'masked' ? masks : samples).map((one) => Law.unbiased(mutate(one))(scored(one, looking))())
    )
    expect(verdicts.every((verdict) => E.isLeft(verdict) && verdict.left._tag === 'Refuted')).toBe(true)
    const [first] = verdicts
    // by far more than rounding
    const worst =
      first !== undefined && E.isLeft(first) && first.left._tag === 'Refuted' ? first.left.failures[0] : undefined
    expect(Math.abs((worst?.got ?? 0) - (worst?.expected ?? 0))).toBeGreaterThan(1e-3)
  })

  it('a step that is not paid', async () => {
    const [one] = samples
    const part = right(C.cover(one?.process.T ?? 1, [C.halfOrder(1, 1)]))
    const verdict = one === undefined ? undefined : await Law.unbiased(one)(Est.always('step 1 alone', part))()
    expect(verdict !== undefined && E.isLeft(verdict) && verdict.left._tag).toBe('Refuted')
  })
})

describe('cells that differentiate draws are refused with what would do', () => {
  const [one] = fc.sample(Tokens.maskedToy(), { numRuns: 1, seed: 1 })

  it.each([
    ['FO(1..1)', [C.firstOrder(1)], 'no step'],
    ['HO(1..2)', [C.halfOrder(1, 2)], 'step 1 alone']
  ])('%s', async (shown, cells, paid) => {
    const cover = right(C.cover(one?.process.T ?? 2, cells))
    const verdict = one === undefined ? undefined : await Law.unbiased(one)(Est.always(shown, cover))()
    expect(verdict !== undefined && E.isLeft(verdict) ? Verdict.show(verdict.left) : '').toContain(
      `keeps one of ${one?.process.alphabet ?? 0} categories, through which no derivative passes, so ${shown} would pay for ${paid}; ` +
        'use half-order cells of one step, or zeroth-order cells'
    )
  })

  it('by name too', () => {
    const facts = Named.facts(one?.chain ?? { T: 2, sigma: [0, 1, 1], noise: {} }, { _tag: 'Differentiable' })
    const told = (text: string): string => {
      const built = Named.build(facts)(right(Named.parse(text)))
      return E.isLeft(built) ? right(E.right(Named.misfit('estimator')(built.left))).remedy : built.right.name
    }
    expect(['rlr', 'fullBackprop', 'reinforce', 'evolutionStrategies'].map(told)).toEqual([
      'choose reinforce or evolutionStrategies',
      'choose reinforce or evolutionStrategies',
      'reinforce',
      'evolution strategies'
    ])
  })
})
