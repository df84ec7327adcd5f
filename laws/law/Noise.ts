/**
 * Laws of noise: what is drawn, the log-density, the score and the quadrature rule are of one density.
 *
 * An estimator multiplies with the score, and samples from the draws. Where they are of two densities every
 * likelihood ratio is wrong, and no law that looks at the score and the log-density alone can see it. So each is held
 * against the log-density, integrated by a rule of its own.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Noise as AnyNoise } from '../../src/chain/Noise.js'
import { draw, fromUniforms, isCustom } from '../../src/random/Density.js'
import type { Key } from '../../src/random/Key.js'
import { ofQuantile, unit, type Rule } from '../../src/random/Nodes.js'
import { derivatives } from '../exact/Differences.js'
import { constants, integrals, read, refined, type Known } from '../exact/NoiseIntegrals.js'
import { ruleOf } from '../exact/NoiseRule.js'
import { sum, unitRoundoff } from '../exact/Rounding.js'
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
      subject.noise,
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
 * **Score.** The score is minus the derivative of the log-density: at random draws, at twice and at four times as far
 * out.
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
          subject.noise,
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
        read(subject.noise, points),
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
 * **Parts.** `E[g score] = E[g']` for functions `g` that fall off, and `E[score] = 0`: integration by parts, on which
 * every likelihood ratio stands. A density that jumps, such as the uniform's, has a score almost everywhere and fails
 * here.
 *
 * @category laws
 * @since 0.1.0
 */
export const parts = (subject: Subject): Verdict =>
  settle(
    `${subject.name}: the score integrates by parts`,
    pipe(
      integrals(
        subject.noise,
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
        integrals(subject.noise, [() => 1]),
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

const drawn = 2 ** 16
const alpha = 1e-6

/**
 * **Draws.** What is drawn has the log-density's expectations. First exactly, for draws that are functions of one or
 * two uniforms: integrated over these, where that resolves four digits. Then on 65,536 draws of a key: means of
 * numbers in [0, 1] that are off by `sqrt(ln(2 m / alpha) / 2 n)`, 0.011, refute falsely with probability `alpha =
 * 1e-6` at most (Hoeffding, JASA 58, 1963), whatever the tails.
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
