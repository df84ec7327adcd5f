/**
 * New estimators from old ones: sums, multiples, averages, antithetic pairs and mixtures.
 *
 * A term of the algebra is drawn into *evaluations*: covers with coefficients, each on a named stream of noise, perhaps
 * negated. Its expectation is linear in its parts, so what it is unbiased for is read off: each step's term must be paid
 * in full on average.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Cost from './reading/Cost.js'
import * as C from './Cover.js'
import type { Cover, CoverError } from './Cover.js'
import type { Estimator } from './Estimator.js'
import * as Est from './Estimator.js'
import type { EstimatorError, Gradients, Request } from './Problem.js'
import type { Evaluation } from './Sampler.js'
import * as Sampler from './Sampler.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A term of the algebra.
 *
 * @category model
 * @since 0.1.0
 */
export type Algebra =
  | { readonly _tag: 'Of'; readonly estimator: Estimator }
  | { readonly _tag: 'Sum'; readonly parts: ReadonlyArray<Algebra> }
  | { readonly _tag: 'Scale'; readonly factor: number; readonly part: Algebra }
  | { readonly _tag: 'Average'; readonly n: number; readonly part: Algebra }
  | { readonly _tag: 'Antithetic'; readonly part: Algebra }
  | { readonly _tag: 'Mixture'; readonly parts: ReadonlyArray<readonly [weight: number, part: Algebra]> }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * An estimator as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (estimator: Estimator): Algebra => ({ _tag: 'Of', estimator })

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The sum of estimates on one noise (common random numbers). What the parts pay adds up: two half-paying estimators make
 * an exact one, and an estimator less another of the same steps, scaled, is a control variate.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sum = (...parts: ReadonlyArray<Algebra>): Algebra => ({ _tag: 'Sum', parts })

/**
 * A multiple of an estimate, which pays that multiple of each step's term.
 *
 * @category combinators
 * @since 0.1.0
 */
export const scale =
  (factor: number) =>
  (part: Algebra): Algebra => ({ _tag: 'Scale', factor, part })

/**
 * The mean of `n` independent estimates: the same expectation at `1 / n` of the variance and `n` times the cost. `n` is
 * rounded to a whole number of at least 1.
 *
 * @category combinators
 * @since 0.1.0
 */
export const average =
  (n: number) =>
  (part: Algebra): Algebra => ({ _tag: 'Average', n: Math.max(1, Math.round(n)), part })

/**
 * The mean of an estimate and the one on the negated noise: the same expectation if the noise is symmetric, at twice the
 * cost; `run` refuses another noise. The part of the estimate that is odd in the noise cancels, so the variance falls by
 * more than half where the estimate is mostly odd, and by less where it is mostly even.
 *
 * @category combinators
 * @since 0.1.0
 */
export const antithetic = (part: Algebra): Algebra => ({ _tag: 'Antithetic', part })

/**
 * One of several, drawn with the given weights (normalised; those that are not above 0 are never drawn).
 *
 * @category combinators
 * @since 0.1.0
 */
export const mixture = (parts: ReadonlyArray<readonly [weight: number, part: Algebra]>): Algebra => ({
  _tag: 'Mixture',
  parts
})

const drawable = (parts: ReadonlyArray<readonly [number, Algebra]>): ReadonlyArray<readonly [number, Algebra]> => {
  const positive = parts.filter(([weight]) => weight > 0)
  const total = positive.reduce((n, [weight]) => n + weight, 0)
  return positive.map(([weight, part]) => [weight / total, part])
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The expected fraction of each step's term that is paid, `t = 1..T` at positions `0..T-1`: all 1 where the estimator is
 * unbiased.
 *
 * @category readings
 * @since 0.1.0
 */
export const paid = (self: Algebra): ReadonlyArray<number> => {
  switch (self._tag) {
    case 'Of':
      return Est.paid(self.estimator)
    case 'Sum':
      return plus(self.parts.map((part) => [1, part] as const))
    case 'Mixture':
      return plus(drawable(self.parts))
    case 'Scale':
      return paid(self.part).map((fraction) => self.factor * fraction)
    case 'Average':
    case 'Antithetic':
      return paid(self.part)
  }
}

const plus = (parts: ReadonlyArray<readonly [number, Algebra]>): ReadonlyArray<number> => {
  const all = parts.map(([weight, part]) => paid(part).map((fraction) => weight * fraction))
  const longest = Math.max(0, ...all.map((fractions) => fractions.length))
  return Array.from({ length: longest }, (_, i) => all.reduce((n, fractions) => n + (fractions[i] ?? 0), 0))
}

/**
 * Is each step's term paid in full on average?
 *
 * @category readings
 * @since 0.1.0
 */
export const isExact = (self: Algebra): boolean => paid(self).every((fraction) => Math.abs(fraction - 1) <= 1e-9)

/**
 * The expected cost of one draw, per sample; evaluations on a shared noise are counted each.
 *
 * @category readings
 * @since 0.1.0
 */
export const cost = (self: Algebra, networkCalls = 1): Cost.Cost => {
  const combine = (parts: ReadonlyArray<readonly [number, Algebra]>): Cost.Cost =>
    parts
      .map(([weight, part]) => times(weight, cost(part, networkCalls)))
      .reduce(together, {
        rollouts: 0,
        networkEvaluations: 0,
        pullbackSteps: 0,
        rewardEvaluations: 0,
        activationSteps: 0
      })
  switch (self._tag) {
    case 'Of':
      return Cost.cost(self.estimator, networkCalls)
    case 'Sum':
      return combine(self.parts.map((part) => [1, part] as const))
    case 'Mixture':
      return combine(drawable(self.parts))
    case 'Scale':
      return cost(self.part, networkCalls)
    case 'Average':
      return times(self.n, cost(self.part, networkCalls))
    case 'Antithetic':
      return times(2, cost(self.part, networkCalls))
  }
}

const times = (n: number, c: Cost.Cost): Cost.Cost => ({
  rollouts: n * c.rollouts,
  networkEvaluations: n * c.networkEvaluations,
  pullbackSteps: n * c.pullbackSteps,
  rewardEvaluations: n * c.rewardEvaluations,
  activationSteps: c.activationSteps
})

const together = (a: Cost.Cost, b: Cost.Cost): Cost.Cost => ({
  rollouts: a.rollouts + b.rollouts,
  networkEvaluations: a.networkEvaluations + b.networkEvaluations,
  pullbackSteps: a.pullbackSteps + b.pullbackSteps,
  rewardEvaluations: a.rewardEvaluations + b.rewardEvaluations,
  activationSteps: Math.max(a.activationSteps, b.activationSteps)
})

/**
 * Every cover that can be drawn, as one estimator: what `Gradient.compile` needs to know to serve the whole algebra. Its
 * weights mean nothing. Left: the estimator has a cover that is none.
 *
 * @category readings
 * @since 0.1.0
 */
export const support = (self: Algebra): E.Either<CoverError, Estimator> => {
  const covers = (part: Algebra): ReadonlyArray<Cover> => {
    switch (part._tag) {
      case 'Of':
        return part.estimator.covers.map(({ cover }) => cover)
      case 'Sum':
        return part.parts.flatMap(covers)
      case 'Mixture':
        return drawable(part.parts).flatMap(([, inner]) => covers(inner))
      case 'Scale':
      case 'Average':
      case 'Antithetic':
        return covers(part.part)
    }
  }
  return Est.mixtureOf(
    show(self),
    covers(self).map((cover) => ({ weight: 1, cover }))
  )
}

/**
 * Draws the algebra for a person: `average(4, antithetic(rlr(h = 2)))`.
 *
 * @category readings
 * @since 0.1.0
 */
export const show = (self: Algebra): string => {
  switch (self._tag) {
    case 'Of':
      return self.estimator.name
    case 'Sum':
      return self.parts.map(show).join(' + ')
    case 'Scale':
      return `${self.factor} (${show(self.part)})`
    case 'Average':
      return `average(${self.n}, ${show(self.part)})`
    case 'Antithetic':
      return `antithetic(${show(self.part)})`
    case 'Mixture':
      return `mixture(${drawable(self.parts)
        .map(([weight, part]) => `${Number(weight.toPrecision(3))}: ${show(part)}`)
        .join(', ')})`
  }
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Draws the evaluations of one estimate.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const evaluations = (self: Algebra, uniform: Sampler.Uniforms): ReadonlyArray<Evaluation> => {
  const go = (part: Algebra, choice: string, stream: string): ReadonlyArray<Evaluation> => {
    switch (part._tag) {
      case 'Of':
        return [{ coefficient: 1, cover: Est.draw(part.estimator, uniform(choice)), stream, sign: 1 }]
      case 'Sum':
        return part.parts.flatMap((inner, i) => go(inner, `${choice}.${i}`, stream))
      case 'Scale':
        return go(part.part, choice, stream).map((e) => ({ ...e, coefficient: part.factor * e.coefficient }))
      case 'Average':
        return C.range(0, part.n - 1).flatMap((i) =>
          go(part.part, `${choice}.${i}`, `${stream}.${i}`).map((e) => ({ ...e, coefficient: e.coefficient / part.n }))
        )
      case 'Antithetic': {
        const half = go(part.part, choice, stream).map((e) => ({ ...e, coefficient: e.coefficient / 2 }))
        return [...half, ...half.map((e): Evaluation => ({ ...e, sign: e.sign === 1 ? -1 : 1 }))]
      }
      case 'Mixture': {
        let left = uniform(`${choice}.which`)
        const parts = drawable(part.parts)
        const index = parts.findIndex(([weight]) => (left -= weight) < 0)
        const chosen = parts[index < 0 ? 0 : index]?.[1]
        return chosen === undefined ? [] : go(chosen, `${choice}.${index}`, stream)
      }
    }
  }
  return go(self, Sampler.alone.choice, Sampler.alone.stream)
}

/**
 * The algebra as a sampler of covers, for whatever takes one: a fine-tune, say. Left: a term without any cover.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const sampler = (self: Algebra): E.Either<CoverError, Sampler.Sampler> =>
  pipe(
    support(self),
    E.map((covers) => ({
      support: covers,
      negates: hasAntithetic(self),
      draw: (uniform) => evaluations(self, uniform)
    }))
  )

/**
 * One estimate: draws the evaluations and adds up their gradients. `request` supplies the draws of a stream, unsigned, for a
 * cover; the same stream must get the same noise. The programs must serve all of `support(self)`. Left: an antithetic part on
 * a noise that is not symmetric, or what a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const run = (
  gradients: Gradients,
  self: Algebra,
  uniform: Sampler.Uniforms,
  request: (stream: string, cover: Cover) => Request
): TE.TaskEither<EstimatorError, Sampler.Sampled> =>
  pipe(
    TE.fromEither(Sampler.check(gradients, { negates: hasAntithetic(self) })),
    TE.flatMap(() => Sampler.run(gradients, evaluations(self, uniform), request))
  )

const hasAntithetic = (self: Algebra): boolean => {
  switch (self._tag) {
    case 'Of':
      return false
    case 'Antithetic':
      return true
    case 'Scale':
    case 'Average':
      return hasAntithetic(self.part)
    case 'Sum':
      return self.parts.some(hasAntithetic)
    case 'Mixture':
      return self.parts.some(([, part]) => hasAntithetic(part))
  }
}
