/**
 * The estimators of the literature, as covers: one file of `catalogue/` each, with its constructor and its row.
 *
 * @since 0.1.0
 */
<<<<<<< HEAD
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from './Cover.js'
import type { CoverError, Form, Perturbation } from './Cover.js'
import * as Est from './Estimator.js'
import type { Estimator, Weighted } from './Estimator.js'
import * as Start from './Start.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How zeroth-order cells perturb: `form` (default `central`), `perturbation` (`shared`), `radius` (0.05).
 *
 * @category model
 * @since 0.1.0
 */
export interface ZerothOrderOptions {
  readonly form?: Form
  readonly perturbation?: Perturbation
  readonly radius?: number
}

/**
 * Options of RLR: the length of the chain, the length `h` of the half-order segment (default 2), weights for its start
 * `j = 2, ..., T - h + 1` (default: uniform) or an interval of them, and the zeroth-order cell.
 *
 * @category model
 * @since 0.1.0
 */
export interface RlrOptions extends ZerothOrderOptions {
  readonly T: number
  readonly h?: number
  readonly start?: Start.Start
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The Recursive Likelihood Ratio estimator (arXiv 2502.00639): first-order on step 1, half-order on steps `j..j+h-1` with
 * a random start, zeroth-order on the rest. Unbiased for J_s. The paper's equation (6) as printed leaves step 1 in
 * the zeroth-order set and removes `h + 1` steps from it, which would pay for step 1 twice; here every step is paid once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rlr = ({
  T,
  h = 2,
  start = Start.uniform,
  ...zeroth
}: RlrOptions): E.Either<CoverError, Estimator<'exact'>> =>
  segments(`rlr(h = ${h})`, T, h, 2, start, (j) => [
    C.firstOrder(1),
    C.halfOrder(j, j + h - 1),
    C.zerothOrder(
      C.range(2, T).filter((t) => t < j || t > j + h - 1),
      zeroth
    )
  ])

/**
 * RLR without a first-order cell, for rewards that can not be differentiated: half-order on a random segment, zeroth-order
 * on every other step, step 1 among them. `lowest` is the first step that may start a segment: 2 where step 1 is
 * deterministic, else 1 (the default). Unbiased for J_s.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxRlr = ({
  T,
  h = 2,
  start = Start.uniform,
  lowest = 1,
  ...zeroth
}: RlrOptions & { readonly lowest?: 1 | 2 }): E.Either<CoverError, Estimator<'exact'>> =>
  segments(`black-box rlr(h = ${h})`, T, h, lowest, start, (j) => [
    C.halfOrder(j, j + h - 1),
    C.zerothOrder(
      C.range(1, T).filter((t) => t < j || t > j + h - 1),
      zeroth
    )
  ])

/** The mixture over the starts `j` of a segment of `h` steps of the exact covers with the given cells. */
const segments = (
  name: string,
  T: number,
  h: number,
  lowest: number,
  start: Start.Start,
  cells: (j: number) => ReadonlyArray<C.Cell>
): E.Either<CoverError, Estimator<'exact'>> => {
  if (!Number.isInteger(T) || T < lowest) {
    return E.left({ _tag: 'BadOption', option: 'T', expected: `a whole number of at least ${lowest}`, got: `${T}` })
  }
  return !Number.isInteger(h) || h < 1 || h > T - lowest + 1
    ? E.left({ _tag: 'BadOption', option: 'h', expected: `a whole number in 1..${T - lowest + 1}`, got: `${h}` })
    : pipe(
        Start.on(start, lowest, T - h + 1),
        E.flatMap((weight) =>
          pipe(
            C.range(lowest, T - h + 1),
            RA.traverse(E.Applicative)((j) =>
              pipe(
                C.exact(T, cells(j)),
                E.map((cover): Weighted<'exact'> => ({ weight: weight(j), cover }))
              )
            )
          )
        ),
        E.flatMap((covers) => Est.mixture(name, covers))
      )
}

/**
 * Full backpropagation: first-order on every step. Unbiased for J. With `memory: 'recompute'` it keeps one step's
 * activations at a time, for one more evaluation of each step.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fullBackprop = (T: number, options: C.SegmentOptions = {}): E.Either<CoverError, Estimator<'exact'>> =>
  single(`full backpropagation${options.memory === 'recompute' ? '(recompute)' : ''}`, T, [C.firstOrder(T, options)])

/**
 * Truncated backpropagation: first-order on the last `k` steps alone, as AlignProp (arXiv 2310.03739), DRaFT-K
 * (arXiv 2309.17400) and VADER (arXiv 2407.08737) do. Its bias is minus the terms of steps `k+1..T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const truncatedBackprop = ({
  T,
  k
}: {
  readonly T: number
  readonly k: number
}): E.Either<CoverError, Estimator> => Est.fromCells(`truncated backpropagation(k = ${k})`, T, [C.firstOrder(k)])

/**
 * REINFORCE over the denoising steps, as DDPO-SF (arXiv 2305.13301): half-order on each step by itself. Unbiased for J.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reinforce = (T: number): E.Either<CoverError, Estimator<'exact'>> =>
  single(
    'reinforce',
    T,
    C.range(1, T).map((t) => C.halfOrder(t, t))
  )

/**
 * REINFORCE for chains whose last step is deterministic: first-order on step 1, half-order on each other step by itself.
 * Unbiased for J.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reinforceAfterFirst = (T: number): E.Either<CoverError, Estimator<'exact'>> => segmented({ T, h: 1 })

/**
 * Segmented half-order: first-order on step 1, then half-order segments of `h` steps each, the last one perhaps shorter.
 * No zeroth-order cell at all, so unbiased for J, at RLR's memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const segmented = ({
  T,
  h
}: {
  readonly T: number
  readonly h: number
}): E.Either<CoverError, Estimator<'exact'>> =>
  !Number.isInteger(h) || h < 1
    ? E.left({ _tag: 'BadOption', option: 'h', expected: 'a whole number of at least 1', got: `${h}` })
    : single(`segmented half-order(h = ${h})`, T, [
        C.firstOrder(1),
        ...C.range(2, T)
          .filter((t) => (t - 2) % h === 0)
          .map((t) => C.halfOrder(t, Math.min(t + h - 1, T)))
      ])

/**
 * Generalised half-order: step `i`'s term flows pathwise down to step `k` and is scored there, with weight `weight(i, k)`,
 * for `k = lowest..i`, and pathwise all the way through the reward with weight `weight(i, 0)`. Weights are divided by
 * their sum over `k`, so any weights are unbiased for J. Steps below `lowest` (default 2, for chains whose step 1 has no
 * noise) have the pathwise term only. A cell on `k..i` re-runs those steps, so the cost grows with the band of weights.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generalisedHalfOrder = ({
  T,
  weight,
  lowest = 2,
  name = 'generalised half-order'
}: {
  readonly T: number
  readonly weight: (i: number, k: number) => number
  readonly lowest?: number
  readonly name?: string
}): E.Either<CoverError, Estimator<'exact'>> => {
  const scored = (i: number): ReadonlyArray<number> => C.range(lowest, i)
  const pathwise = (i: number): number => (scored(i).length === 0 ? 1 : weight(i, 0))
  const whole = (i: number): number => pathwise(i) + scored(i).reduce((sum, k) => sum + weight(i, k), 0)
  const upTo = (shares: ReadonlyArray<number>): number => shares.findLastIndex((w) => w !== 0) + 1
  const segment = (
    from: number,
    all: ReadonlyArray<number>,
    cell: (shares: ReadonlyArray<number>) => C.Cell
  ): ReadonlyArray<C.Cell> => {
    const used = all.slice(0, upTo(all))
    return used.length === 0 || from > T ? [] : [cell(used)]
  }
  return single(name, T, [
    ...segment(
      1,
      C.range(1, T).map((i) => pathwise(i) / whole(i)),
      (shares) => C.firstOrder(shares.length, { shares })
    ),
    ...scored(T).flatMap((k) =>
      segment(
        k,
        C.range(k, T).map((i) => weight(i, k) / whole(i)),
        (shares) => C.halfOrder(k, k + shares.length - 1, { shares })
      )
    )
  ])
}

/**
 * Generalised half-order with geometric weights `lambda^(i - k)` over the scores, as TD(lambda) and GAE (arXiv 1506.02438)
 * have over returns, and a share `pathwise` (default 0) that goes through the reward. `lambda = 0` is REINFORCE after a
 * first-order step 1; weights below 1e-4 are dropped. Unbiased for J.
 *
 * @category constructors
 * @since 0.1.0
 */
export const geometricHalfOrder = ({
  T,
  lambda,
  pathwise = 0
}: {
  readonly T: number
  readonly lambda: number
  readonly pathwise?: number
}): E.Either<CoverError, Estimator<'exact'>> => {
  if (!(lambda >= 0 && lambda <= 1 && pathwise >= 0 && pathwise < 1)) {
    return E.left({
      _tag: 'BadOption',
      option: 'lambda, pathwise',
      expected: 'numbers in [0, 1] and [0, 1)',
      got: `${lambda}, ${pathwise}`
    })
  }
  const power = (i: number, k: number): number => {
    const w = lambda ** (i - k)
    return w < 1e-4 ? 0 : w
  }
  const scores = (i: number): number => C.range(2, i).reduce((sum, k) => sum + power(i, k), 0)
  return generalisedHalfOrder({
    T,
    name: `generalised half-order(lambda = ${lambda}${pathwise === 0 ? '' : `, pathwise = ${pathwise}`})`,
    weight: (i, k) => (k === 0 ? pathwise : ((1 - pathwise) * power(i, k)) / scores(i))
  })
}

/**
 * AlignProp with random truncation (arXiv 2310.03739): first-order on the last `k` steps, `k` drawn with the given weights.
 * Its bias is minus the terms of the steps beyond `k`, each times the probability that `k` does not reach it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const randomTruncation = ({
  T,
  weight
}: {
  readonly T: number
  readonly weight: (k: number) => number
}): E.Either<CoverError, Estimator> =>
  pipe(
    C.range(1, T),
    RA.traverse(E.Applicative)((k) =>
      pipe(
        C.cover(T, [C.firstOrder(k)]),
        E.map((cover): Weighted => ({ weight: weight(k), cover }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf('random truncation', covers))
  )

/**
 * Evolution strategies over the whole chain, as MeZO (arXiv 2305.17333): zeroth-order on every step. Unbiased for J_s.
 *
 * @category constructors
 * @since 0.1.0
 */
export const evolutionStrategies = ({
  T,
  ...zeroth
}: { readonly T: number } & ZerothOrderOptions): E.Either<CoverError, Estimator<'exact'>> =>
  single('evolution strategies', T, [C.zerothOrder(C.range(1, T), zeroth)])

const single = (name: string, T: number, cells: ReadonlyArray<C.Cell>): E.Either<CoverError, Estimator<'exact'>> =>
  pipe(
    C.exact(T, cells),
    E.map((cover) => Est.always(name, cover))
  )
=======
export * from './catalogue/All.gen.js'
export type { ZerothOrderOptions } from './catalogue/Fields.js'
export type { RlrOptions } from './catalogue/Rlr.js'
>>>>>>> house
