import { describe, expect, it } from 'vitest'
import * as Estimator from '../../laws/law/Estimator.js'
import * as Run from '../../laws/run/Run.js'
import { rowParams } from '../../laws/Setting.js'
import { polynomialSetting } from '../../laws/toy/Polynomial.js'
import { tanhChain } from '../../laws/toy/Tanh.js'
import { ahead, noiseFree } from '../../src/chain/Ahead.js'
import * as Ch from '../../src/chain/Chain.js'
import * as Cost from '../../src/estimator/reading/Cost.js'
import { reinforce } from '../../src/estimator/Catalogue.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as T from '../../src/tensor/Tensor.js'
import { right } from './numbers.js'

const chain = tanhChain({ T: 4, alpha: 0.9, sigma: 0.3 })
const rows = 3
const x = T.tabulate([rows, 1], (i) => i - 0.5)
const params = rowParams(chain.parameters, { theta: T.vector([0.3, 0.1]) }, rows)

/** A step that is no literal, as where a program serves every step. */
const later = (t: number): X.Scalar => X.reshape(X.constant(T.vector([t]), [1]), [])

/** What a state becomes without noise, step by step. */
const stepped = (t: number): ReadonlyArray<number> =>
  Array.from(x.data, (from) => {
    let state = from
    for (let s = t; s >= 1; s--) state = 0.9 * state + 0.3 * Math.tanh(state) + 0.1
    return state
  })

const valueOf = (t: X.Scalar): ReadonlyArray<number> => {
  const program = right(
    Program.make({ params: L.shapes(chain.parameters), x: chain.state }, () => ({
      end: noiseFree(chain)(t).forward(L.parameterInputs('params', chain.parameters), {
        x: X.input('x', chain.state),
        c: {}
      })
    }))
  )
  const out = Reference.run(program, { batch: rows }, { ...Program.under('params', params), x })
  return Array.from(right(out)['end']?.data ?? [])
}

describe('the noise-free rest of a chain', () => {
  it.each([1, 2, 4])('from step %d is the means one after another, whether the step is known or not', (t) => {
    const expected = stepped(t)
    for (const got of [valueOf(X.scalar(t)), valueOf(later(t))]) {
      expect(got).toHaveLength(rows)
      got.forEach((one, n) => expect(one).toBeCloseTo(expected[n] ?? Number.NaN, 12))
    }
  })

  it('from step 0 is the state', () => {
    expect(valueOf(X.scalar(0))).toEqual(Array.from(x.data))
    expect(valueOf(later(0))).toEqual(Array.from(x.data))
  })

  it.each([
    ['a literal', X.scalar(3)],
    ['known later', later(3)]
  ])('is a lens, its step being %s', (name, t) =>
    Run.lens({ name, lens: noiseFree(chain)(t), argument: { x: chain.state, c: {} }, sizes: { batch: 2 } })
  )
})

describe('a chain that looks ahead', () => {
  const setting = polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5, 0.75] }, [-1, 1, -0.5])
  const looking = { ...setting, chain: ahead(setting.chain) }
  const covers = [
    ['baseline', reinforce(2, { baseline: StateValue.clean })],
    ['control', reinforce(2, { control: StateValue.clean })]
  ] as const

  it.each(covers)('has an unbiased %s', async (_, estimator) =>
    Run.assert(await Estimator.unbiased(looking)({ estimator: right(estimator) })())
  )

  it('is the same chain else', () => {
    const { clean, lookahead, ...rest } = ahead(chain)
    expect([rest, clean !== undefined, lookahead]).toEqual([chain, true, true])
    expect(Ch.lowest(ahead(chain), 2).T).toBe(2)
  })

  it('costs the steps that it runs', () => {
    const [[, baseline], [, control]] = covers
    const counted = (one: typeof baseline, lookahead: boolean) => {
      const { networkEvaluations, pullbackSteps } = Cost.cost(right(one), 1, 0, lookahead)
      return [networkEvaluations, pullbackSteps]
    }
    expect([counted(baseline, false), counted(baseline, true)]).toEqual([
      [4, 2],
      [5, 2]
    ])
    // the control of step 1 is the reward itself
    expect([counted(control, false), counted(control, true)]).toEqual([
      [5, 3],
      [6, 4]
    ])
  })
})
