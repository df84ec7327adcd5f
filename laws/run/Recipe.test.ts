/**
 * The recipe of the guide, on steps and noises that are wrong in a way that estimators of one step do not show.
 */
import * as E from 'fp-ts/lib/Either.js'
import { segmented } from 'halforder/estimator'
import { Chain, Polynomial, Run } from 'halforder/laws'
import { key } from 'halforder/random'
import { describe, expect, it } from 'vitest'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import { library } from '../exact/Expectation.js'
import * as M from '../mutants/Others.js'

const setting = Polynomial.polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.5, sigma: [0.5, 0.75, 1] }, [0, 1, -1])

const one = (() => {
  const made = segmented({ T: 3, h: 1 })
  if (E.isLeft(made)) throw new Error('three steps have segments of one')
  return made.right
})()

/** A chain of one's own, then an estimator on it, as `laws/README.md` says. */
const recipe = async (mine: Polynomial.ScalarSetting, interpreter: Interpreter = library): Promise<void> => {
  await Run.chain(mine)
  await Run.estimator(mine)({ estimator: one, interpreter })
}

const said = async (suite: Promise<void>): Promise<string> =>
  suite.then(
    () => 'holds',
    (error: unknown) => (error instanceof Error ? error.message : String(error))
  )

describe('the recipe, with segments of one step', () => {
  it('holds for what is right', async () => expect(await said(recipe(setting))).toBe('holds'))

  it('refutes a state pullback that is wrong, which such an estimator does not use', async () => {
    const wrong = { ...setting, chain: M.passesState(setting.chain) }
    expect(await said(Run.estimator(wrong)({ estimator: one }))).toBe('holds')
    expect(await said(recipe(wrong))).toMatch(
      /polynomial\(1\), step \d: adjoint: refuted in 1 of 2 comparisons\n {2}a\.x: /
    )
  })

  it.each([
    ['draws of another density', M.drawnFromAnother, 'the quadrature rule is of the log-density: refuted'],
    ['the score of another density', M.scoredByAnother, 'the score is minus the gradient of the log-density: refuted'],
    ['the rule of another density', M.ruledByAnother, 'the quadrature rule is of the log-density: refuted'],
    ['a density that jumps', M.uniformNoise, 'the score integrates by parts: refuted']
  ])('refutes %s', async (_, noise, law) => {
    expect(await said(recipe({ ...setting, chain: { ...setting.chain, noise } }))).toContain(
      `polynomial(1), noise: ${law}`
    )
  })

  it('needs the laws of noise: those of likelihoods alone hold for draws of another density', () => {
    const wrong = { ...setting, chain: { ...setting.chain, noise: M.drawnFromAnother } }
    expect([Chain.onPolicy, Chain.scoreIsGradient].map((law) => E.isRight(law(wrong)(key(1))))).toEqual([true, true])
  })
})
