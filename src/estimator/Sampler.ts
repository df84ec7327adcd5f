/**
 * Samplers of covers: how the covers of one estimate are drawn, and their estimates added up.
 *
 * An estimator draws one cover and uses it once. A term of the algebra may use several, on noise that is shared, negated or
 * drawn anew. What runs an estimate needs to know neither.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isSymmetric, nameOf } from '../random/Density.js'
import type { Values } from '../tensor/Program.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Cover } from './Cover.js'
import type { Estimator } from './Estimator.js'
import * as Est from './Estimator.js'
import type { EstimatorError, Gradients, Request } from './Problem.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One use of a cover: `coefficient` times its estimate, on the noise of `stream` times `sign`. Evaluations of one stream
 * share their noise.
 *
 * @category model
 * @since 0.1.0
 */
export interface Evaluation {
  readonly coefficient: number
  readonly cover: Cover
  readonly stream: string
  readonly sign: 1 | -1
}

/**
 * A uniform number in [0, 1) for each name: how random choices are supplied. One name always has one number.
 *
 * @category model
 * @since 0.1.0
 */
export type Uniforms = (name: string) => number

/**
 * How the evaluations of one estimate are drawn. `support` has every cover that may be drawn: what is compiled, and whose
 * weights mean nothing here. `iteration` counts the draws of a run from 0. `draw` must not look at the noise of the streams, or the estimate is biased. `negates`: may
 * an evaluation have the sign -1? Its noise must then be symmetric.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sampler {
  readonly support: Estimator
  readonly negates: boolean
  readonly draw: (uniform: Uniforms, iteration?: number) => ReadonlyArray<Evaluation>
}

/**
 * What the evaluations of one estimate add up to: the gradient, by parameter path; of rewards and sums of step rewards the
 * mean over the evaluations, a row each; the rows that some evaluation skipped; the mean of the advantage's next states.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sampled {
  readonly gradient: Values
  readonly rewards: ReadonlyArray<number>
  readonly stepRewards: ReadonlyArray<number>
  readonly skipped: ReadonlyArray<number>
  readonly advantageState: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The name of the stream and of the choice of an estimator that stands alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const alone = { stream: 'noise', choice: 'choice' } as const

/**
 * An estimator as a sampler: one of its covers, once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofEstimator = (estimator: Estimator): Sampler => ({
  support: estimator,
  negates: false,
  draw: (uniform) => [
    { coefficient: 1, cover: Est.draw(estimator, uniform(alone.choice)), stream: alone.stream, sign: 1 }
  ]
})

/**
 * The covers of an estimator one after another, each for `every` iterations, and from the first again at the end: in place of chance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inTurn =
  (every: number) =>
  (estimator: Estimator): Sampler => ({
    support: estimator,
    negates: false,
    draw: (_, iteration = 0) => {
      const { cover } = estimator.covers[Math.floor(iteration / every) % estimator.covers.length] ?? estimator.covers[0]
      return [{ coefficient: 1, cover, stream: alone.stream, sign: 1 }]
    }
  })

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * May a sampler draw on this noise? Left: it negates noise that is not symmetric.
 *
 * @category checks
 * @since 0.1.0
 */
export const check = <A extends Pick<Sampler, 'negates'>>(
  { noise }: Pick<Gradients, 'noise'>,
  self: A
): E.Either<EstimatorError, A> =>
  self.negates && !isSymmetric(noise) ? E.left({ _tag: 'Asymmetric', density: nameOf(noise) }) : E.right(self)

/**
 * Runs evaluations one after another and adds up their gradients. `request` supplies the draws of a stream, unsigned, for a
 * cover; the same stream must get the same noise. A single evaluation of coefficient 1 is given on bit for bit.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const run = (
  gradients: Gradients,
  evaluations: ReadonlyArray<Evaluation>,
  request: (stream: string, cover: Cover) => Request
): TE.TaskEither<EstimatorError, Sampled> =>
  pipe(
    evaluations,
    RA.traverse(TE.ApplicativeSeq)(({ coefficient, cover, stream, sign }) =>
      pipe(
        gradients.run(signed(sign, request(stream, cover))),
        TE.map((estimate): Part => ({ ...estimate, coefficient }))
      )
    ),
    TE.map((parts) => ({
      gradient: combine(parts),
      rewards: rowMeans(parts.map(({ rewards }) => rewards)),
      stepRewards: rowMeans(parts.map(({ stepRewards }) => stepRewards)),
      skipped: [...new Set(parts.flatMap(({ skipped }) => skipped))].sort((a, b) => a - b),
      advantageState: parts.reduce((total, { advantageState }) => total + advantageState, 0) / parts.length
    }))
  )

interface Part extends Sampled {
  readonly coefficient: number
}

const rowMeans = (parts: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> =>
  (parts[0] ?? []).map((_, n) => parts.reduce((total, rows) => total + (rows[n] ?? 0), 0) / parts.length)

/**
 * A request with its noises and directions times a sign.
 *
 * @category combinators
 * @since 0.1.0
 */
export const signed = (sign: 1 | -1, request: Request): Request => {
  if (sign === 1) return request
  const negate: (tensor: Tensor) => Tensor = T.map((v) => -v)
  const negated: (values: Values) => Values = (values) =>
    Object.fromEntries(Object.entries(values).map(([path, value]) => [path, negate(value)]))
  const { fresh, moreXi, origin } = request
  return {
    ...request,
    ...(origin === undefined ? {} : { origin: { ...origin, sign: origin.sign === 1 ? -1 : 1 } }),
    xT: negate(request.xT),
    eps: negate(request.eps),
    xi: negated(request.xi),
    ...(moreXi === undefined ? {} : { moreXi: moreXi.map(negated) }),
    ...(fresh === undefined ? {} : { fresh: (at, k) => negate(fresh(at, k)) })
  }
}

/**
 * Gradients added up, each times its coefficient. A single one of coefficient 1 is given on bit for bit.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const combine = (parts: ReadonlyArray<Pick<Part, 'coefficient' | 'gradient'>>): Values => {
  const [first] = parts
  if (first === undefined) return {}
  if (parts.length === 1 && first.coefficient === 1) return first.gradient
  return Object.fromEntries(
    Object.entries(first.gradient).map(([path, value]) => [
      path,
      T.map((_, i) =>
        parts.reduce((total, { coefficient, gradient }) => total + coefficient * (gradient[path]?.data[i] ?? 0), 0)
      )(value)
    ])
  )
}
