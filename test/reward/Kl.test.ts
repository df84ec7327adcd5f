import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { polynomialChain } from '../../laws/toy/Polynomial.js'
import type { Numbers, ScalarChain } from '../../laws/toy/Tanh.js'
import { laplace, logistic, type Noise } from '../../src/chain/Noise.js'
import { showError } from '../../src/document/Document.js'
import * as L from '../../src/lens/Lens.js'
import { klTo, type KlOptions, leftOut } from '../../src/reward/Kl.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <A, B>(result: E.Either<A, B>): B => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const reference = [0.25, -0.5] as const
const chain = (noise?: Noise): ScalarChain => {
  const one = polynomialChain(1, { T: 3, alpha: 0.5, sigma: [0, 0.5, 2] })
  return noise === undefined ? one : { ...one, noise }
}

/** The penalty of step `t` at `x`, with parameters `(a, b)`, for the chain `x -> 0.5 x + a x + b`. */
const penalty = (
  options: KlOptions,
  noise: Noise | undefined,
  t: number,
  x: number,
  [a, b]: readonly [number, number]
) => {
  const on = chain(noise)
  const lens = right(klTo({ theta: T.vector(reference) }, options)(on))
  const program = right(
    Program.make({ theta: ['batch', 2], own: { theta: [2] }, x: ['batch', 1] }, () => {
      const theta = { theta: X.input('theta', ['batch', 2]) }
      const state: Numbers = X.input('x', ['batch', 1])
      const mean = on.mean(X.scalar(t)).forward(theta, { x: state, c: {} })
      const own = { theta: X.input('own.theta', [2]) }
      return { value: lens.lens(X.scalar(t)).forward({ theta, own }, { mean, x: state, c: {} }) }
    })
  )
  const values = { theta: T.matrix([[a, b]]), 'own.theta': T.vector(reference), x: T.matrix([[x]]) }
  return right(Reference.run(program, { batch: 1 }, values))['value']?.data[0] ?? NaN
}

const gap = (x: number, [a, b]: readonly [number, number]): number => (a - reference[0]) * x + (b - reference[1])

describe('the penalty for leaving a reference', () => {
  it('is minus beta times the divergence of two normals', () => {
    const theta = [0.75, 1] as const
    expect(penalty({ beta: 0.3 }, undefined, 3, 1.5, theta)).toBeCloseTo(-(0.3 * gap(1.5, theta) ** 2) / 8, 13)
    expect(penalty({ beta: 2 }, undefined, 2, -0.5, theta)).toBeCloseTo(-(gap(-0.5, theta) ** 2) / 0.25, 13)
  })

  it('is minus beta times the divergence of two Laplace densities, |d| + e^-|d| - 1 in units of the scale', () => {
    const theta = [0.75, 1] as const
    const d = Math.abs(gap(1.5, theta)) / 2
    expect(penalty({ beta: 0.3 }, laplace, 3, 1.5, theta)).toBeCloseTo(-0.3 * (d + Math.exp(-d) - 1), 13)
  })

  it('leaves steps without noise out, or takes a floor for their deviation', () => {
    const theta = [0.75, 1] as const
    expect(penalty({ beta: 1 }, undefined, 1, 1, theta)).toBeCloseTo(0, 15)
    expect(penalty({ beta: 1, floor: 0.1 }, undefined, 1, 1, theta)).toBeCloseTo(-(gap(1, theta) ** 2) / 0.02, 10)
    expect(leftOut(chain().sigma, { beta: 1 })).toEqual([1])
    expect(leftOut(chain().sigma, { beta: 1, floor: 0.1 })).toEqual([])
  })

  it('refuses a noise whose divergence is not known, and a price that is none', () => {
    const refused = (options: KlOptions, noise?: Noise): string => {
      const made = klTo({ theta: T.vector(reference) }, options)(chain(noise))
      return E.isLeft(made) ? showError(made.left) : 'accepted'
    }
    expect(refused({ beta: 1 }, logistic)).toBe(
      'kl: expected a chain whose noise has a divergence from its own shift in closed form: normal, Laplace or categorical, got "logistic"; give the noise a `divergence`, or choose another chain'
    )
    expect(refused({ beta: 0 })).toBe('kl.beta: expected a number above 0, got 0; leave the penalty out for none')
    expect(refused({ beta: NaN })).toBe('kl.beta: expected a number above 0, got NaN; leave the penalty out for none')
    expect(refused({ beta: 1, floor: -1 })).toBe(
      'kl.floor: expected a number of at least 0, got -1; leave it out for none'
    )
  })

  it.each([
    ['normal', undefined],
    ['laplace', laplace]
  ] as const)('is a lens of the mean and the state, with %s noise', (name, noise) => {
    const { lens, shapes } = right(klTo({ theta: T.vector(reference) }, { beta: 0.5 })(chain(noise)))
    const step = lens(X.scalar(3))
    return Run.lens(
      {
        name,
        lens: L.make<
          { readonly own: L.Params },
          { readonly mean: Numbers; readonly x: Numbers },
          X.Expr<readonly ['batch']>
        >({ own: shapes }, ({ own }, { mean, x }) => {
          const theta = { theta: X.zeros(['batch', 2]) }
          const [value, back] = step.run({ theta, own }, { mean, x, c: {} })
          return [
            value,
            (bar) => {
              const [p, a] = back(bar)
              return [{ own: p.own }, { mean: a.mean, x: a.x }]
            }
          ]
        }),
        argument: { mean: ['batch', 1], x: ['batch', 1] },
        sizes: { batch: 3 },
        // the reference is a constant; means far from it keep Laplace's kink away
        held: (path) => path.startsWith('p'),
        place: (path, x) => (path === 'a.mean' ? x + Math.sign(x) * 20 : x)
      },
      { numRuns: 5 }
    )
  })
})
