/**
 * Integrals against a noise's own log-density, by a rule that knows nothing of the noise.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Noise } from '../../src/chain/Noise.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import { tabulate } from '../../src/tensor/Tensor.js'
import { halfLine } from './NoiseRule.js'
import { fromSingle, sum, unitRoundoff } from './Rounding.js'

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The constants of a log-density and the weights of a rule are rounded by whoever made them: 64 units of 1.
 *
 * @category readings
 * @since 0.1.0
 */
export const constants: number = 64 * 2 * unitRoundoff

/**
 * Values at some points, with what rounding may have done to each.
 *
 * @category readings
 * @since 0.1.0
 */
export interface Read {
  readonly score: ArrayLike<number>
  readonly logDensity: ArrayLike<number>
  readonly scoreError: ArrayLike<number>
  readonly logDensityError: ArrayLike<number>
}

/**
 * The score and the log-density of a noise at some points. Left: a program that does not close.
 *
 * @category readings
 * @since 0.1.0
 */
export const read = (noise: Noise, points: ReadonlyArray<number>): E.Either<string, Read> =>
  pipe(
    Program.make({ eps: [points.length] }, ({ eps }) => ({
      score: noise.score(eps),
      logDensity: noise.logDensity(eps)
    })),
    E.flatMap((program) =>
      Reference.runWithBounds(program, {}, { eps: tabulate([points.length], (i) => points[i] ?? 0) })
    ),
    E.bimap(
      (errors) => errors.map(showError).join('\n'),
      ({ values, bounds }) => {
        const error = (name: string): ReadonlyArray<number> =>
          Array.from(bounds[name]?.data ?? [], (b, i) =>
            // bounds are those of f32, which overflows long before f64 does: there, some roundings of the result
            Number.isFinite(b) ? b * fromSingle : constants * (1 + Math.abs(values[name]?.data[i] ?? 0))
          )
        return {
          score: values['score']?.data ?? [],
          logDensity: values['logDensity']?.data ?? [],
          scoreError: error('score'),
          logDensityError: error('logDensity')
        }
      }
    )
  )

/**
 * A number and how far it may be off.
 *
 * @category readings
 * @since 0.1.0
 */
export interface Known {
  readonly value: number
  readonly error: number
}

/**
 * Ever finer readings of a number: the finest one, with twice the largest distance to the others as its error, and
 * rounding.
 *
 * @category readings
 * @since 0.1.0
 */
export const refined = (readings: ReadonlyArray<number>, rounding: number): Known => {
  const value = readings.at(-1) ?? Number.NaN
  return { value, error: 2 * Math.max(...readings.map((other) => Math.abs(value - other))) + rounding }
}

/** Nodes a half line: more bring nothing for a density that is smooth on each side of 0. */
const nodesPerHalf = [250, 310, 390]

interface Integrated {
  readonly value: number
  readonly rounding: number
}

/**
 * Integrals of functions of the point and the score against the log-density itself.
 *
 * @category readings
 * @since 0.1.0
 */
export const integrals = (
  noise: Noise,
  integrands: ReadonlyArray<(x: number, score: number) => number>
): E.Either<string, ReadonlyArray<Known>> => {
  const at = (n: number): E.Either<string, ReadonlyArray<Integrated>> => {
    const half = halfLine(n)
    const points = [...half.nodes.map((x) => -x), ...half.nodes]
    const weights = [...half.weights, ...half.weights]
    return pipe(
      read(noise, points),
      E.map(({ score, logDensity, logDensityError, scoreError }) =>
        integrands.map((f): Integrated => {
          const terms = points.map((x, i): Integrated => {
            const mass = Math.exp(logDensity[i] ?? Number.NaN) * (weights[i] ?? 0)
            // beyond the support, or where the density is no number of f64 any more, there is nothing to add
            if (mass === 0) return { value: 0, rounding: 0 }
            const value = mass * f(x, score[i] ?? Number.NaN)
            const relative = (logDensityError[i] ?? 0) + 16 * unitRoundoff
            return { value, rounding: Math.abs(value) * relative + mass * (scoreError[i] ?? 0) }
          })
          return { value: sum(terms.map(({ value }) => value)), rounding: sum(terms.map(({ rounding }) => rounding)) }
        })
      )
    )
  }
  return pipe(
    nodesPerHalf,
    E.traverseArray(at),
    E.map((levels) =>
      integrands.map((_, i) =>
        refined(
          levels.map((level) => level[i]?.value ?? Number.NaN),
          levels.at(-1)?.[i]?.rounding ?? 0
        )
      )
    )
  )
}
