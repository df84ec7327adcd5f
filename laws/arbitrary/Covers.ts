/**
 * Random covers and estimators for fast-check.
 *
 * @since 0.1.0
 */
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Cell, Cover, CoverError, Form, Perturbation } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'

// -------------------------------------------------------------------------------------
// covers
// -------------------------------------------------------------------------------------

/**
 * The three forms of zeroth-order cells.
 *
 * @category constants
 * @since 0.1.0
 */
export const forms: ReadonlyArray<Form> = ['onePoint', 'forward', 'central']

/**
 * The two kinds of perturbation.
 *
 * @category constants
 * @since 0.1.0
 */
export const perturbations: ReadonlyArray<Perturbation> = ['shared', 'perStep']

/**
 * A radius in `[1/16, 1]`.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const radius: fc.Arbitrary<number> = fc.integer({ min: 1, max: 16 }).map((n) => n / 16)

/**
 * Options of a zeroth-order cell.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const zeroth: fc.Arbitrary<Required<Catalogue.ZerothOrderOptions>> = fc.record({
  form: fc.constantFrom(...forms),
  perturbation: fc.constantFrom(...perturbations),
  radius
})

/**
 * Cells over `1..T` that do not overlap: a first-order cell, half-order segments and a set of zeroth-order steps, each of
 * which may be missing, in a random order. With `exact` no step is left out.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const cells = (T: number, exact: boolean): fc.Arbitrary<ReadonlyArray<Cell>> =>
  fc
    .record({
      first: fc.nat(T),
      kinds: fc.array(fc.constantFrom('half', 'zeroth', exact ? 'half' : 'none'), { minLength: T, maxLength: T }),
      lengths: fc.array(fc.integer({ min: 1, max: T }), { minLength: T, maxLength: T }),
      memory: fc.constantFrom<C.Memory>('store', 'recompute'),
      options: zeroth
    })
    .chain(({ first, kinds, lengths, memory, options }) => {
      const out: Array<Cell> = first > 0 ? [C.firstOrder(first, { memory })] : []
      const perturbed: Array<number> = []
      for (let t = first + 1; t <= T; t++) {
        const kind = kinds[t - 1]
        if (kind === 'zeroth') perturbed.push(t)
        if (kind !== 'half') continue
        const to = Math.min(T, t + (lengths[t - 1] ?? 1) - 1)
        out.push(C.halfOrder(t, to, { memory }))
        t = to
      }
      const all = perturbed.length > 0 ? [...out, C.zerothOrder(perturbed, options)] : out
      return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })
    })

const rights = <A>(result: E.Either<CoverError, A>): A => {
  if (E.isLeft(result)) throw new Error(`an arbitrary built what is no cover: ${C.showError(result.left)}`)
  return result.right
}

/**
 * A cover of `T` steps, exact or not.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const cover = (T: number): fc.Arbitrary<Cover> => cells(T, false).map((some) => rights(C.cover(T, some)))

/**
 * An exact cover of `T` steps.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const exactCover = (T: number): fc.Arbitrary<Cover<'exact'>> =>
  cells(T, true).map((some) => rights(C.exact(T, some)))

// -------------------------------------------------------------------------------------
// estimators
// -------------------------------------------------------------------------------------

/**
 * The random options of the catalogue: a segment length, a zeroth-order cell, and weights over start indices.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly h: number
  readonly radius: number
  readonly weights: ReadonlyArray<number>
}

const options = (T: number): fc.Arbitrary<Options> =>
  fc.record({
    h: fc.integer({ min: 1, max: Math.max(1, T - 1) }),
    radius,
    weights: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: T, maxLength: T })
  })

/**
 * An exact estimator of the catalogue with random options, for `T >= 2` steps. Weights over start indices are random, with at
 * least one positive.
 *
 * @category model
 * @since 0.1.0
 */
export interface Family {
  readonly name: string
  readonly estimator: (T: number) => fc.Arbitrary<Estimator<'exact'>>
}

const family = (
  name: string,
  build: (T: number, options: Options) => E.Either<CoverError, Estimator<'exact'>>
): Family => ({
  name,
  estimator: (T) => options(T).map((some) => rights(build(T, some)))
})

const start =
  ({ weights }: Options) =>
  (j: number): number =>
    weights.every((w) => w === 0) ? 1 : (weights[j - 1] ?? 0)

const positive = (some: Options, T: number): Options =>
  // the starts are 2..T-h+1: one of them must keep a weight
  C.range(2, T - some.h + 1).some((j) => start(some)(j) > 0) ? some : { ...some, weights: [] }

/**
 * Every estimator of the catalogue that is exact, in every form and with either perturbation, and a random exact cover. The
 * weights of generalised half-order are random.
 *
 * @category constants
 * @since 0.1.0
 */
export const families: ReadonlyArray<Family> = [
  family('full backpropagation', (T) => Catalogue.fullBackprop(T)),
  family('reinforce', (T) => Catalogue.reinforce(T)),
  family('reinforce after first', (T) => Catalogue.reinforceAfterFirst(T)),
  family('segmented', (T, { h }) => Catalogue.segmented({ T, h })),
  family('generalised half-order', (T, { weights }) =>
    Catalogue.generalisedHalfOrder({ T, weight: (i, k) => 0.25 + (weights[(3 * i + k) % T] ?? 0), lowest: 1 })
  ),
  family('geometric half-order', (T, { radius: lambda, h }) =>
    Catalogue.geometricHalfOrder({ T, lambda, pathwise: h / (2 * T) })
  ),
  ...forms.flatMap((form) =>
    perturbations.flatMap((perturbation) => [
      family(`rlr, ${form}, ${perturbation}`, (T, some) => {
        const { h, radius: s } = some
        return Catalogue.rlr({ T, h, radius: s, form, perturbation, start: start(positive(some, T)) })
      }),
      family(`black-box rlr, ${form}, ${perturbation}`, (T, some) => {
        const { h, radius: s } = some
        return Catalogue.blackBoxRlr({ T, h, radius: s, form, perturbation, start: start(positive(some, T)) })
      }),
      family(`evolution strategies, ${form}, ${perturbation}`, (T, { radius: s }) =>
        Catalogue.evolutionStrategies({ T, radius: s, form, perturbation })
      )
    ])
  ),
  { name: 'any exact cover', estimator: (T) => exactCover(T).map((one) => Est.always(C.show(one), one)) }
]
