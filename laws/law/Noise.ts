/**
 * Laws of noise: what is drawn, the log-density, the score and the quadrature rule are of one density.
 *
 * An estimator multiplies with the score, and samples from the draws. Where they are of two densities every likelihood ratio
 * is wrong, and no law that looks at the score and the log-density alone can see it. So each is held against the
 * log-density, integrated by a rule of its own.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Noise as AnyNoise } from '../../src/chain/Noise.js'
import { draw, fromUniforms, isCustom } from '../../src/random/Density.js'
import type { Key } from '../../src/random/Key.js'
import { ofQuantile, unit, type Rule } from '../../src/random/Nodes.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import { tabulate } from '../../src/tensor/Tensor.js'
import { derivatives } from '../exact/Differences.js'
import { halfLine, ruleOf } from '../exact/NoiseRule.js'
import { fromSingle, sum, unitRoundoff } from '../exact/Rounding.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A noise under test, with a name for reports.
 *
 * @category model
 * @since 0.1.0
 */
export interface Subject {
  readonly name: string
  readonly noise: AnyNoise
}

/** A function of a draw with values in [0, 1], and its derivative. */
interface Test {
  readonly name: string
  readonly value: (x: number) => number
  readonly slope: (x: number) => number
}

const bump = (centre: number, width: number): Test => {
  const value = (x: number): number => Math.exp(-(((x - centre) / width) ** 2) / 2)
  return { name: `a bump at ${centre} of width ${width}`, value, slope: (x) => (-(x - centre) / width ** 2) * value(x) }
}

/** Entire functions that fall off, so that rules for light and for heavy tails integrate them; and the constant. */
const tests: ReadonlyArray<Test> = [
  { name: 'the total', value: () => 1, slope: () => 0 },
  ...[-3, -2, -1, 0, 1, 2, 3].map((centre) => bump(centre, 1)),
  ...[-6, 0, 6].map((centre) => bump(centre, 4))
]

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** The constants of a log-density and the weights of a rule are rounded by whoever made them: 64 units of 1. */
const constants = 64 * 2 * unitRoundoff

/** Values at some points, with what rounding may have done to each. */
interface Read {
  readonly score: ArrayLike<number>
  readonly logDensity: ArrayLike<number>
  readonly scoreError: ArrayLike<number>
  readonly logDensityError: ArrayLike<number>
}

const read = ({ noise }: Subject, points: ReadonlyArray<number>): E.Either<string, Read> =>
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

/** A number and how far it may be off. */
interface Known {
  readonly value: number
  readonly error: number
}

/** Ever finer readings of a number: the finest one, with twice the largest distance to the others as its error, and rounding. */
const refined = (readings: ReadonlyArray<number>, rounding: number): Known => {
  const value = readings.at(-1) ?? Number.NaN
  return { value, error: 2 * Math.max(...readings.map((other) => Math.abs(value - other))) + rounding }
}

/** Nodes a half line: more bring nothing for a density that is smooth on each side of 0. */
const nodesPerHalf = [250, 310, 390]

interface Integrated {
  readonly value: number
  readonly rounding: number
}

/** Integrals of functions of the point and the score against the log-density itself. */
const integrals = (
  subject: Subject,
  integrands: ReadonlyArray<(x: number, score: number) => number>
): E.Either<string, ReadonlyArray<Known>> => {
  const at = (n: number): E.Either<string, ReadonlyArray<Integrated>> => {
    const half = halfLine(n)
    const points = [...half.nodes.map((x) => -x), ...half.nodes]
    const weights = [...half.weights, ...half.weights]
    return pipe(
      read(subject, points),
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

const expectation = (f: (x: number) => number, { nodes, weights }: Rule): number =>
  sum(nodes.map((x, i) => (weights[i] ?? 0) * f(x)))

const settle = (law: string, comparisons: E.Either<string, ReadonlyArray<Comparison>>): Verdict =>
  pipe(
    comparisons,
    E.match(
      (reason) => V.stuck(law, reason),
      (all) => V.verdict(law, all)
    )
  )

/** What some numbers should be by the log-density, against what they are. */
const against = (
  subject: Subject,
  got: ReadonlyArray<Known>,
  because: string
): E.Either<string, ReadonlyArray<Comparison>> =>
  pipe(
    integrals(
      subject,
      tests.map(({ value }) => value)
    ),
    E.map((expected) =>
      tests.map(({ name }, i): Comparison => {
        const right = expected[i] ?? { value: Number.NaN, error: 0 }
        const one = got[i] ?? { value: Number.NaN, error: 0 }
        return {
          at: `the expectation of ${name}`,
          expected: right.value,
          got: one.value,
          tolerance: right.error + one.error + constants,
          because
        }
      })
    )
  )

const quadratureError = 'rounding, and twice the distance to rules of fewer nodes'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Score.** The score is minus the derivative of the log-density: at random draws, at twice and at four times as far out.
 *
 * @category laws
 * @since 0.1.0
 */
export const scoreIsGradient =
  (subject: Subject) =>
  (key: Key): Verdict => {
    const drawn = Array.from(draw(subject.noise.density, key, [8]).data)
    const points = [1, 2, 4].flatMap((far) => drawn.map((x) => far * x))
    const moved = (x: number): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } =>
      pipe(
        read(
          subject,
          points.map((p) => p + x)
        ),
        E.match(
          () => ({ value: points.map(() => Number.NaN), error: points.map(() => 0) }),
          ({ logDensity, logDensityError }) => ({ value: Array.from(logDensity), error: Array.from(logDensityError) })
        )
      )
    return settle(
      `${subject.name}: the score is minus the gradient of the log-density`,
      pipe(
        read(subject, points),
        E.map(({ score, scoreError, logDensity }) => {
          const slopes = derivatives(moved, { step: 0.125, levels: 9 })
          return points.flatMap(
            (x, i): ReadonlyArray<Comparison> =>
              // a density may have a bounded support, and end near a point
              Number.isFinite(logDensity[i]) && Number.isFinite(slopes.error[i])
                ? [
                    {
                      at: `eps = ${x}`,
                      expected: -(slopes.value[i] ?? Number.NaN),
                      got: score[i] ?? Number.NaN,
                      tolerance: (slopes.error[i] ?? 0) + (scoreError[i] ?? 0),
                      because: 'the extrapolation error of differences, and forward error bounds in f64'
                    }
                  ]
                : []
          )
        })
      )
    )
  }

/**
 * **Parts.** `E[g score] = E[g']` for functions `g` that fall off, and `E[score] = 0`: integration by parts, on which every
 * likelihood ratio stands. A density that jumps, such as the uniform's, has a score almost everywhere and fails here.
 *
 * @category laws
 * @since 0.1.0
 */
export const parts = (subject: Subject): Verdict =>
  settle(
    `${subject.name}: the score integrates by parts`,
    pipe(
      integrals(
        subject,
        tests.map(
          ({ value, slope }) =>
            (x, score) =>
              value(x) * score - slope(x)
        )
      ),
      E.map((all) =>
        all.map(
          ({ value, error }, i): Comparison => ({
            at: `g is ${tests[i]?.name ?? ''}`,
            expected: 0,
            got: value,
            tolerance: error + constants,
            because: quadratureError
          })
        )
      )
    )
  )

/**
 * **Rule.** The quadrature rule of the density integrates as the log-density does, whose total is 1.
 *
 * @category laws
 * @since 0.1.0
 */
export const rule = (subject: Subject): Verdict => {
  const { density } = subject.noise
  const levels = [64, 80, 96].map((n) => ruleOf(density, n))
  return V.all(`${subject.name}: the quadrature rule is of the log-density`, [
    settle(
      `${subject.name}: the quadrature rule is of the log-density`,
      against(
        subject,
        tests.map(({ value }) =>
          refined(
            levels.map((one) => expectation(value, one)),
            0
          )
        ),
        quadratureError
      )
    ),
    settle(
      `${subject.name}: the log-density has the total 1`,
      pipe(
        integrals(subject, [() => 1]),
        E.map((all) =>
          all.map(({ value, error }) => ({
            at: 'the total',
            expected: 1,
            got: value,
            tolerance: error + constants,
            because: quadratureError
          }))
        )
      )
    )
  ])
}

/** Draws that the sampled law looks at, and its rate of false alarms. */
const drawn = 2 ** 16
const alpha = 1e-6

/**
 * **Draws.** What is drawn has the log-density's expectations. First exactly, for draws that are functions of one or two
 * uniforms: integrated over these, where that resolves four digits. Then on 65,536 draws of a key: means of numbers in
 * [0, 1] that are off by `sqrt(ln(2 m / alpha) / 2 n)`, 0.011, refute falsely with probability `alpha = 1e-6` at most
 * (Hoeffding, JASA 58, 1963), whatever the tails.
 *
 * @category laws
 * @since 0.1.0
 */
export const draws =
  (subject: Subject) =>
  (key: Key): Verdict => {
    const law = `${subject.name}: the draws are of the log-density`
    const sampled = Array.from(draw(subject.noise.density, key, [drawn]).data)
    const slack = Math.sqrt(Math.log((2 * tests.length) / alpha) / (2 * drawn))
    const exactly = overUniforms(subject)
    return V.all(law, [
      ...(exactly.every(({ error }) => error < resolved)
        ? [settle(law, against(subject, exactly, quadratureError))]
        : []),
      settle(
        law,
        against(
          subject,
          tests.map(({ value }) => ({ value: sum(sampled.map(value)) / drawn, error: slack })),
          `Hoeffding's bound for ${drawn} draws, false alarms ${alpha}`
        )
      )
    ])
  }

/** Draws of few degrees of freedom are functions of uniforms that are too steep for a rule; then only samples tell. */
const resolved = 1e-4

/** Expectations over the uniforms that draws are made of; unknown for more than two, which are too many nodes. */
const overUniforms = ({ noise: { density } }: Subject): ReadonlyArray<Known> => {
  const unknown = tests.map(() => ({ value: Number.NaN, error: Number.POSITIVE_INFINITY }))
  if (density === 'normal') return unknown
  const { uniforms, draw: one } = fromUniforms(density)
  if (uniforms > 2) return unknown
  const at = (n: number): ReadonlyArray<number> => {
    if (uniforms === 1) {
      const halves = ofQuantile((p) => one([p]), isCustom(density) && density.symmetric)(2 * n)
      return tests.map(({ value }) => expectation(value, halves))
    }
    const { nodes, weights } = unit(n)
    // a node that is rounded to 1 stands for what is below it
    const inside = { nodes: nodes.map((p) => Math.min(p, 1 - unitRoundoff)), weights }
    return tests.map(({ value }) => expectation((p) => expectation((v) => value(one([p, v])), inside), inside))
  }
  const levels = [120, 150, 190].map(at)
  return tests.map((_, i) =>
    refined(
      levels.map((level) => level[i] ?? Number.NaN),
      0
    )
  )
}

/**
 * All laws of a noise.
 *
 * @category laws
 * @since 0.1.0
 */
export const all =
  (subject: Subject) =>
  (key: Key): Verdict =>
    V.all(subject.name, [scoreIsGradient(subject)(key), parts(subject), rule(subject), draws(subject)(key)])
