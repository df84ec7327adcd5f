/**
 * An estimator whose parts are single steps.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'

/**
 * The same estimator with every differentiated cell split into one cell a step, each paying for its own step alone: its
 * parts by cell are the whole one's parts by step. The estimate is the same, the cost is not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const byStep = (self: Estimator): E.Either<CoverError, Estimator> =>
  pipe(
    self.covers,
    RA.traverse(E.Applicative)(({ weight, cover }) =>
      pipe(
        C.cover(
          cover.T,
          cover.cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [cell] : splitSteps(cell)))
        ),
        E.map((split): Est.Weighted => ({ weight, cover: split }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf(`${self.name}, by step`, covers))
  )

const splitSteps = (cell: C.FirstOrder | C.HalfOrder): ReadonlyArray<C.Cell> => {
  const own = C.steps(cell)
  const [from = 1] = own
  return own.map((t, i) => {
    const options = {
      memory: cell.memory ?? 'store',
      shares: own.slice(0, i + 1).map((s) => (s === t ? (cell.shares?.[i] ?? 1) : 0))
    }
    if (cell._tag === 'FirstOrder') {
      const { through, gradient } = cell
      return C.firstOrder(t, {
        ...options,
        ...(through === undefined ? {} : { through }),
        ...(gradient === undefined ? {} : { gradient })
      })
    }
    const { baseline, control, siblings } = cell
    return C.halfOrder(from, t, {
      ...options,
      ...(siblings === undefined ? {} : { siblings }),
      ...(baseline === undefined ? {} : { baseline }),
      ...(control === undefined ? {} : { control })
    })
  })
}
