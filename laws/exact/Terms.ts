/**
 * The terms of the gradient of a scalar chain's expected reward, step by step, by carrying its density down a lattice and its
 * value function up: no sampling, no pullback.
 *
 *     p_{t-1}(y) = sum over x of p_t(x) K_t(x, y),    V_t(x) = sum over y of K_t(x, y) V_{t-1}(y),    K_t = N(mean(x), sigma_t^2)
 *
 * The term of step `t` is `E[d mean / d theta (x_t) (y - mean) / sigma_t^2 V_{t-1}(y)]`. A reward of the step itself,
 * `r_t(x_t; theta_t)`, is added to `V_t`, and its derivative to the term. For the smoothed objective the
 * perturbation is integrated by Gauss-Hermite rules: outside, where one direction is shared by all steps; inside each
 * step's kernel, where directions are independent.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { range } from '../../src/estimator/Cover.js'
import type { Uncertain } from './Expectation.js'
import { product } from './Quadrature.js'
import { unitRoundoff } from './Rounding.js'
import type { Smoothing } from '../Setting.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain of numbers from `x_T ~ N(0, 1)`, as plain functions: `sigma` of the steps `1..T`, all above 0, the mean of a step and
 * its derivative in the parameters, and the reward. `steepest` is the most that the mean's slope in `x` comes to where
 * the chain goes; it sets how fine the lattice is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Process {
  readonly sigma: ReadonlyArray<number>
  readonly mean: (x: number, theta: ReadonlyArray<number>) => number
  readonly gradient: (x: number, theta: ReadonlyArray<number>) => ReadonlyArray<number>
  readonly reward: (x: number) => number
  readonly steepest: number
  readonly step?: StepReward
}

/**
 * A reward of a step from a state, of its deviation and parameters, and its derivative in the parameters.
 *
 * @category model
 * @since 0.1.0
 */
export interface StepReward {
  readonly value: (x: number, sigma: number, theta: ReadonlyArray<number>) => number
  readonly gradient: (x: number, sigma: number, theta: ReadonlyArray<number>) => ReadonlyArray<number>
}

/**
 * The reward of a step for staying near a reference: `-beta |mean(x; theta) - mean(x; reference)|^2 / (2 sigma^2)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nearTo = (
  { mean, gradient }: Pick<Process, 'mean' | 'gradient'>,
  { beta, reference }: { readonly beta: number; readonly reference: ReadonlyArray<number> }
): StepReward => {
  const gap = (x: number, theta: ReadonlyArray<number>): number => mean(x, theta) - mean(x, reference)
  return {
    value: (x, sigma, theta) => (-beta * gap(x, theta) ** 2) / (2 * sigma * sigma),
    gradient: (x, sigma, theta) => gradient(x, theta).map((g) => (-beta * gap(x, theta) * g) / (sigma * sigma))
  }
}

/** Values at `(from + i) spacing`. */
interface Lattice {
  readonly from: number
  readonly values: Float64Array
}

/** The parameters that a step uses, with their probabilities. */
type Choices = ReadonlyArray<{ readonly theta: ReadonlyArray<number>; readonly weight: number }>

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/** How far a Gaussian is followed, in standard deviations: what lies beyond has a probability below 1e-18. */
const reach = 9

/** Densities below this share of their peak are dropped. */
const negligible = 1e-24

const mostPoints = 40_000

/**
 * Within a lattice sum, a density of width `sigma` meets a kernel whose width in `x` is `sigma / slope`: at a spacing of two
 * thirds of their joint width the trapezoidal rule is off by `2 exp(-2 pi^2 1.5^2)`, below 1e-19. A quarter at most, so
 * that functions with singularities a distance of `pi / 2` off the axis, as `tanh`, are resolved as well.
 */
const spacingOf = ({ sigma, steepest }: Process): number =>
  Math.min(0.25, Math.min(1, ...sigma) / (1.5 * Math.hypot(1, steepest)))

const gaussian = (z: number): number => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI)

const trim = ({ from, values }: Lattice): Lattice => {
  const peak = values.reduce((most, v) => Math.max(most, v), 0)
  const first = values.findIndex((v) => v > negligible * peak)
  const last = values.findLastIndex((v) => v > negligible * peak)
  return { from: from + first, values: values.slice(first, last + 1) }
}

/** Where a step leads from a point of the lattice: probabilities of the points `from, from + 1, ...`. */
interface Kernel {
  readonly center: number
  readonly from: number
  readonly values: Float64Array
}

/** A process on its lattice: its kernels, of which those met first are remembered. */
interface Stage {
  readonly process: Process
  readonly h: number
  readonly parameters: number
  readonly kernel: (sigma: number, theta: ReadonlyArray<number>) => (i: number) => Kernel
}

/** How many numbers are remembered: 16 MiB. */
const remembered = 2 ** 21

const stageOf = (process: Process, parameters: number): Stage => {
  const h = spacingOf(process)
  const tables = new Map<string, Map<number, Kernel>>()
  let room = remembered
  const kernel: Stage['kernel'] = (sigma, theta) => {
    const name = JSON.stringify([sigma, theta])
    const table = tables.get(name) ?? new Map<number, Kernel>()
    tables.set(name, table)
    const margin = Math.ceil((reach * sigma) / h)
    return (i) => {
      const known = table.get(i)
      if (known !== undefined) return known
      const center = process.mean(i * h, theta)
      const from = Math.round(center / h) - margin
      const values = Float64Array.from(
        { length: 2 * margin + 1 },
        (_, j) => (gaussian(((from + j) * h - center) / sigma) * h) / sigma
      )
      if (room > values.length) {
        room -= values.length
        table.set(i, { center, from, values })
      }
      return { center, from, values }
    }
  }
  return { process, h, parameters, kernel }
}

/** The density one step down. Left: the lattice would be too large. */
const descend = (
  { process, h, kernel }: Stage,
  sigma: number,
  choices: Choices,
  density: Lattice
): E.Either<string, Lattice> => {
  let low = Infinity
  let high = -Infinity
  for (const { theta } of choices) {
    for (let i = 0; i < density.values.length; i++) {
      const center = process.mean((density.from + i) * h, theta)
      low = Math.min(low, center)
      high = Math.max(high, center)
    }
  }
  const from = Math.round(low / h) - Math.ceil((reach * sigma) / h)
  const size = Math.round(high / h) + Math.ceil((reach * sigma) / h) - from + 1
  if (!(size <= mostPoints)) {
    return E.left(`its states spread over more than ${mostPoints} lattice points, so its gradient is not known exactly`)
  }
  const values = new Float64Array(size)
  for (const { theta, weight } of choices) {
    const at = kernel(sigma, theta)
    density.values.forEach((p, i) => {
      const one = at(density.from + i)
      for (let j = 0; j < one.values.length; j++) {
        const k = one.from - from + j
        values[k] = (values[k] ?? 0) + p * weight * (one.values[j] ?? 0)
      }
    })
  }
  return E.right(trim({ from, values }))
}

/** The value function one step up, on the lattice of a density, and the term of that step, with its scale. */
const ascend = (
  { process, h, parameters, kernel }: Stage,
  sigma: number,
  choices: Choices,
  density: Lattice,
  below: Lattice
): { readonly value: Lattice; readonly term: ReadonlyArray<number>; readonly size: ReadonlyArray<number> } => {
  const term = new Array<number>(parameters).fill(0)
  const size = new Array<number>(parameters).fill(0)
  const values = new Float64Array(density.values.length)
  for (const { theta, weight } of choices) {
    const at = kernel(sigma, theta)
    density.values.forEach((p, i) => {
      const one = at(density.from + i)
      let value = 0
      let slope = 0
      let magnitude = 0
      for (let j = 0; j < one.values.length; j++) {
        const v = (one.values[j] ?? 0) * (below.values[one.from + j - below.from] ?? 0)
        const pull = (v * ((one.from + j) * h - one.center)) / (sigma * sigma)
        value += v
        slope += pull
        magnitude += Math.abs(pull)
      }
      process.gradient((density.from + i) * h, theta).forEach((g, c) => {
        term[c] = (term[c] ?? 0) + p * h * weight * g * slope
        size[c] = (size[c] ?? 0) + p * h * weight * Math.abs(g) * magnitude
      })
      const paid = process.step?.gradient((density.from + i) * h, sigma, theta) ?? []
      paid.forEach((g, c) => {
        term[c] = (term[c] ?? 0) + p * h * weight * g
        size[c] = (size[c] ?? 0) + p * h * weight * Math.abs(g)
      })
      values[i] = (values[i] ?? 0) + weight * (value + (process.step?.value((density.from + i) * h, sigma, theta) ?? 0))
    })
  }
  return { value: { from: density.from, values }, term, size }
}

/** The terms of steps `1..T` and the expected reward, with the choices of parameters that each step has. */
const pass = (
  stage: Stage,
  choicesAt: (t: number) => Choices
): E.Either<string, { readonly terms: ReadonlyArray<Uncertain>; readonly reward: number }> => {
  const { process, h } = stage
  const T = process.sigma.length
  const half = Math.ceil(reach / h)
  const start: Lattice = {
    from: -half,
    values: Float64Array.from({ length: 2 * half + 1 }, (_, i) => gaussian((i - half) * h))
  }
  const sigma = (t: number): number => process.sigma[t - 1] ?? 0
  return pipe(
    range(1, T).reduceRight<E.Either<string, ReadonlyArray<Lattice>>>(
      (above, t) =>
        pipe(
          above,
          E.flatMap((densities) =>
            pipe(
              descend(stage, sigma(t), choicesAt(t), densities[0] ?? start),
              E.map((density) => [density, ...densities])
            )
          )
        ),
      E.right([start])
    ),
    E.map((densities) => {
      const [lowest = start] = densities
      let below: Lattice = {
        from: lowest.from,
        values: lowest.values.map((_, i) => process.reward((lowest.from + i) * h))
      }
      const found = range(1, T).map((t): Uncertain => {
        const density = densities[t] ?? start
        const { value, term, size } = ascend(stage, sigma(t), choicesAt(t), density, below)
        below = value
        // a rounding for each addend of a lattice sum, of which a term has one for each step
        const roundings = T * Math.ceil((2 * reach * sigma(t)) / h + density.values.length)
        return { value: term, error: size.map((s) => unitRoundoff * roundings * s) }
      })
      return { terms: found, reward: start.values.reduce((sum, p, i) => sum + p * h * (below.values[i] ?? 0), 0) }
    })
  )
}

/** Perturbed parameters at the nodes of a rule of `n` nodes an axis. */
const perturbed = (theta: ReadonlyArray<number>, radius: number, n: number): Choices => {
  const { points, weights } = product(theta.map(() => n))
  return points.map((xi, k) => ({
    theta: theta.map((x, i) => x + radius * (xi[i] ?? 0)),
    weight: weights[k] ?? 0
  }))
}

const termsOf = E.map(({ terms: found }: { readonly terms: ReadonlyArray<Uncertain> }) => found)

const smoothed = (
  stage: Stage,
  theta: ReadonlyArray<number>,
  { steps, radius, perturbation }: Smoothing,
  n: number
): E.Either<string, ReadonlyArray<Uncertain>> => {
  const clean: Choices = [{ theta, weight: 1 }]
  const nodes = perturbed(theta, radius, n)
  if (perturbation === 'perStep') {
    return termsOf(pass(stage, (t) => (steps.includes(t) ? nodes : clean)))
  }
  return pipe(
    nodes,
    RA.traverse(E.Applicative)((node) =>
      termsOf(pass(stage, (t) => (steps.includes(t) ? [{ theta: node.theta, weight: 1 }] : clean)))
    ),
    E.map((passes) => {
      const mean = (t: number, read: (one: Uncertain) => ReadonlyArray<number>): ReadonlyArray<number> =>
        theta.map((_, i) =>
          passes.reduce((total, terms, k) => {
            const one = terms[t - 1]
            return total + (nodes[k]?.weight ?? 0) * (one === undefined ? Number.NaN : (read(one)[i] ?? Number.NaN))
          }, 0)
        )
      return stage.process.sigma.map((_, i) => ({
        value: mean(i + 1, ({ value }) => value),
        error: mean(i + 1, ({ error }) => error)
      }))
    })
  )
}

/** Nodes an axis of the perturbation: exact for what is a polynomial of degree 9 in it, and of degree 7 for the coarser rule. */
const nodesAnAxis = 5

/**
 * Gives the term of each step, `t = 1..T` at positions `0..T-1`: of `J`, or with a smoothing of `J_s`. Its error is rounding, and
 * for `J_s` the distance to a rule of one node less an axis as well. Left: the chain spreads too far for a lattice.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const terms = (
  process: Process,
  theta: ReadonlyArray<number>
): ((smoothing?: Smoothing) => E.Either<string, ReadonlyArray<Uncertain>>) => {
  const stage = stageOf(process, theta.length)
  return (smoothing) =>
    smoothing === undefined
      ? termsOf(pass(stage, () => [{ theta, weight: 1 }]))
      : pipe(
          smoothed(stage, theta, smoothing, nodesAnAxis),
          E.bindTo('fine'),
          E.bind('coarse', () => smoothed(stage, theta, smoothing, nodesAnAxis - 1)),
          E.map(({ fine, coarse }) =>
            fine.map(({ value, error }, t) => ({
              value,
              error: error.map((e, i) => e + Math.abs((value[i] ?? 0) - (coarse[t]?.value[i] ?? 0)))
            }))
          )
        )
}

/**
 * The expected reward. Left: the chain spreads too far for a lattice.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const expectedReward = (process: Process, theta: ReadonlyArray<number>): E.Either<string, number> =>
  pipe(
    pass(stageOf(process, theta.length), () => [{ theta, weight: 1 }]),
    E.map(({ reward }) => reward)
  )
