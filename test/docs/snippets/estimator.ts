import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { always, Cover, exact, halfOrder, zerothOrder, type Estimator } from 'halforder/estimator'

/** Two half-order segments of `h` steps next to the output, zeroth-order on the rest. */
export const twoSegments = (T: number, h: number): E.Either<Cover.CoverError, Estimator.Estimator<'exact'>> =>
  pipe(
    exact(T, [halfOrder(1, h), halfOrder(h + 1, 2 * h), zerothOrder(Cover.range(2 * h + 1, T), { radius: 0.1 })]),
    E.map((cover) => always(`two segments(h = ${h})`, cover))
  )
