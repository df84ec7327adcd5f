import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { Estimator, Mutants, Polynomial, Run, Verdict } from 'halforder/laws'
import { reinforce, segmented } from 'halforder/estimator'
import { Activation, silu } from 'halforder/lens'
import { expect, test } from 'vitest'
import { randomTruncation } from '../../src/estimator/Catalogue.js'

test('the example of the README runs', async () => {
  await Run.lens({ name: 'silu', lens: silu(), argument: ['batch', 3], sizes: { batch: 2 } })
  await Run.lens({ name: 'silu', lens: Activation.silu(), argument: ['batch', 3], sizes: { batch: 2 } })
  expect(Mutants.trials.length).toBeGreaterThan(30)
})

test('an estimator of your own is verified in three lines', async () => {
  const setting = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.5, sigma: [0.5, 0.5] }, [0, 1, -1])
  const mine = segmented({ T: 2, h: 1 })
  if (E.isRight(mine)) await Run.estimator(setting)({ estimator: mine.right })
  expect(E.isRight(mine)).toBe(true)
})

test('random truncation is biased by what each draw leaves unpaid', async () => {
  const setting = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.5, sigma: [0.5, 0.75, 1] }, [0, 1, -1])
  const made = randomTruncation({ T: 3, weight: (k) => 4 - k })
  if (E.isRight(made)) Run.assert(await Estimator.biasIsUnpaid(setting)({ estimator: made.right })())
  expect(E.isRight(made)).toBe(true)
})

test('a violation is what the runner throws', async () => {
  const stuck = Verdict.stuck('law', 'there is nothing to see')
  expect(() => Run.assert(stuck)).toThrow('law: could not be tested: there is nothing to see')
  await expect(Run.forAll(fc.constant(1), () => stuck)).rejects.toThrow('there is nothing to see')
  expect(E.isRight(reinforce(2))).toBe(true)
})
