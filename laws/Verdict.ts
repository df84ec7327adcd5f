/**
 * What a law answers: evidence that it held, or what refuted it, in numbers.
 *
 * A verdict is a value. Predicates return it without knowing a test framework; `halforder/laws`' runners turn a
 * violation into a failing test.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Two numbers that should agree: where they were read, how far apart they may be, and what that distance is made of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Comparison {
  readonly at: string
  readonly expected: number
  readonly got: number
  readonly tolerance: number
  readonly because: string
}

/**
 * A law that held: how many numbers were compared, and the comparison nearest to its tolerance.
 *
 * @category model
 * @since 0.1.0
 */
export interface Evidence {
  readonly law: string
  readonly compared: number
  readonly nearest: Comparison
}

/**
 * A law that did not hold. `Refuted`: some numbers disagree by more than their tolerance, the worst first. `Stuck`: there
 * was nothing to compare, for example because a program did not close.
 *
 * @category model
 * @since 0.1.0
 */
export type Violation =
  | {
      readonly _tag: 'Refuted'
      readonly law: string
      readonly compared: number
      readonly failures: ReadonlyArray<Comparison>
    }
  | { readonly _tag: 'Stuck'; readonly law: string; readonly reason: string }

/**
 * The answer of a law.
 *
 * @category model
 * @since 0.1.0
 */
export type Verdict = E.Either<Violation, Evidence>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** How many tolerances apart; infinite where one of the numbers is none. */
const excess = ({ expected, got, tolerance }: Comparison): number => {
  if (expected === got) return 0
  const ratio = Math.abs(got - expected) / tolerance
  return Number.isNaN(ratio) ? Infinity : ratio
}

/**
 * The verdict on some comparisons. Nothing to compare is `Stuck`, and so is a tolerance that would accept anything.
 *
 * @category constructors
 * @since 0.1.0
 */
export const verdict = (law: string, comparisons: ReadonlyArray<Comparison>): Verdict => {
  const loose = comparisons.find(({ tolerance }) => !Number.isFinite(tolerance))
  if (loose !== undefined) return stuck(law, `no finite tolerance at ${loose.at} (${loose.because})`)
  const ranked = [...comparisons].sort((a, b) => excess(b) - excess(a))
  const [nearest] = ranked
  if (nearest === undefined) return stuck(law, 'nothing was compared')
  const failures = ranked.filter((comparison) => !(excess(comparison) <= 1))
  return failures.length > 0
    ? E.left({ _tag: 'Refuted', law, compared: comparisons.length, failures })
    : E.right({ law, compared: comparisons.length, nearest })
}

/**
 * A law that could not be put to the test.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stuck = (law: string, reason: string): Verdict => E.left({ _tag: 'Stuck', law, reason })

/**
 * The verdict on statements that are true or false: each is compared as 1 or 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const holds = (law: string, statements: ReadonlyArray<readonly [at: string, truth: boolean]>): Verdict =>
  verdict(
    law,
    statements.map(([at, truth]) => ({
      at,
      expected: 1,
      got: truth ? 1 : 0,
      tolerance: 0,
      because: 'a statement is true or false'
    }))
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The first violation among some verdicts, else their joint evidence. No verdict at all is `Stuck`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const all = (law: string, verdicts: ReadonlyArray<Verdict>): Verdict => {
  let joint: Evidence | undefined
  for (const one of verdicts) {
    if (E.isLeft(one)) return one
    const { compared, nearest } = one.right
    joint =
      joint === undefined
        ? { law, compared, nearest }
        : {
            law,
            compared: joint.compared + compared,
            nearest: excess(nearest) > excess(joint.nearest) ? nearest : joint.nearest
          }
  }
  return joint === undefined ? stuck(law, 'nothing was compared') : E.right(joint)
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Draws a comparison: where, what was expected, what was there, how far off, and what would have been allowed.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showComparison = ({ at, expected, got, tolerance, because }: Comparison): string =>
  `${at}: expected ${expected}, got ${got}, off by ${Math.abs(got - expected).toExponential(2)}; ` +
  `allowed ${tolerance.toExponential(2)} (${because})`

/**
 * Draws a violation: the law, then up to four comparisons, the worst first.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (violation: Violation): string => {
  switch (violation._tag) {
    case 'Stuck':
      return `${violation.law}: could not be tested: ${violation.reason}`
    case 'Refuted': {
      const { law, compared, failures } = violation
      const more = failures.length > 4 ? [`  and ${failures.length - 4} more`] : []
      return [
        `${law}: refuted in ${failures.length} of ${compared} comparisons`,
        ...failures.slice(0, 4).map((failure) => `  ${showComparison(failure)}`),
        ...more
      ].join('\n')
    }
  }
}
