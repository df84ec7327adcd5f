import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { Estimator, Mutants, Polynomial, Run, Verdict } from 'halforder/laws'
import { reinforce, segmented } from 'halforder/estimator'
import { Activation, silu } from 'halforder/lens'
import { describe, expect, test } from 'vitest'
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

describe('by default', () => {
  const fiveSeconds = 5000
  const coefficients = { alpha: 0.5, a: 0.25, b: 0.5, sigma: [0.5, 0.75, 1] }
  const setting = Polynomial.polynomialSetting(1, coefficients, [0, 1, -1])

  test('each suite tries as often as the guide says', () => {
    const guide = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replaceAll('\n', ' ')
    const { lens, chain, estimator, program } = Run.defaultRuns
    expect(guide).toContain(
      `\`numRuns\` is ${lens} for lenses, ${chain} for chains and noises, ${estimator} for estimators and ${program} for programs unless you give it`
    )
  })

  test('and as often as it says, or as it is told', async () => {
    let tried = 0
    const counted: typeof setting.chain.mean = (t) => {
      tried++
      return setting.chain.mean(t)
    }
    const subject = { ...setting, chain: { ...setting.chain, mean: counted } }
    const triedOf = async (parameters?: Run.Parameters): Promise<number> => {
      tried = 0
      await Run.chain(subject, parameters)
      return tried
    }
    const [one, two, byDefault] = [await triedOf({ numRuns: 1 }), await triedOf({ numRuns: 2 }), await triedOf()]
    expect(byDefault - one).toBe((Run.defaultRuns.chain - 1) * (two - one))
  })

  test('a chain, its noise, a lens and an estimator take less than five seconds', {
    timeout: fiveSeconds
  }, async () => {
    await Run.chain(setting)
    await Run.lens({ name: 'silu', lens: silu(), argument: ['batch', 3], sizes: { batch: 2 } })
    const mine = segmented({ T: 3, h: 1 })
    if (E.isRight(mine)) await Run.estimator(setting)({ estimator: mine.right })
    expect(E.isRight(mine)).toBe(true)
  })
})
