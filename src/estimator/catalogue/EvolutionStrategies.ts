/**
 * Evolution strategies.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Zeroth, ZerothOrderOptions } from './Fields.js'
import { define, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Evolution strategies over the whole chain, as MeZO (arXiv 2305.17333): zeroth-order on every step. Unbiased for J_s.
 * Left: `T`, the radius or a form that is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const evolutionStrategies = ({
  T,
  ...zeroth
}: { readonly T: number } & ZerothOrderOptions): E.Either<CoverError, Estimator<'exact'>> =>
  Est.fromExactCells('evolution strategies', T, [C.zerothOrder(C.range(1, T), zeroth)])

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `evolutionStrategies` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'evolutionStrategies', Zeroth> = /*#__PURE__*/ define({
  name: 'evolutionStrategies',
  prose: 'zeroth-order on every step, as MeZO: evaluations only, for any chain and any reward',
  cover: 'ZO(1..T)',
  unbiasedFor: 'J_s',
  options: F.zeroth,
  defaults: F.zerothDefaults,
  make: ({ T }, { form, perturbation, radius }) => evolutionStrategies({ T, form, perturbation, radius }),
  compared: () =>
    (['central', 'forward', 'onePoint'] as const).map((form) => ({
      name: `evolution strategies, ${form}`,
      options: { form }
    })),
  verified: () => F.inForms<Zeroth>('evolution strategies', (zeroth) => zeroth, false)
})
