/**
 * How many quadrature nodes make expectations on a scalar polynomial chain exact: counted from degrees.
 *
 * @since 0.1.0
 */
import type { Scheme } from '../exact/Differences.js'
import type { Order } from '../Setting.js'
import { nodesFor } from '../exact/Quadrature.js'

/**
 * The degree of one step's output in a random number, from the degrees `x` of its input and `theta[i]` of its parameters.
 * It must not fall as its arguments grow.
 *
 * @category model
 * @since 0.1.0
 */
export type StepDegree = (x: number, theta: ReadonlyArray<number>) => number

/**
 * The numbers that an order is counted from: the length of the chain, how many numbers the parameters are, a step's degree
 * and the reward's.
 *
 * @category model
 * @since 0.1.0
 */
export interface Degrees {
  readonly T: number
  readonly parameters: number
  readonly step: StepDegree
  readonly reward: number
}

/** The degree of x_0 from that of x_t, with the parameters' degrees at each step. */
const run = ({ step }: Degrees, from: number, x: number, theta: (t: number) => ReadonlyArray<number>): number => {
  let d = x
  for (let t = from; t >= 1; t--) d = step(d, theta(t))
  return d
}

const unit = ({ parameters }: Degrees, i: number): ReadonlyArray<number> =>
  Array.from({ length: parameters }, (_, k) => (k === i ? 1 : 0))

const counted = (degrees: Degrees, nodes: (d: number) => number): Order => {
  const none = new Array<number>(degrees.parameters).fill(0)
  return {
    xT: nodes(run(degrees, degrees.T, 1, () => none)),
    eps: (t) => nodes(run(degrees, t - 1, 1, () => none)),
    xi: (i, steps, perturbation) => {
      const degree = (set: ReadonlyArray<number>): number =>
        run(degrees, degrees.T, 0, (t) => (set.includes(t) ? unit(degrees, i) : none))
      return nodes(perturbation === 'shared' ? degree(steps) : Math.max(0, ...steps.map((t) => degree([t]))))
    }
  }
}

/**
 * The order for estimates. With `d` the degree of `x_0` in a random number, they have at most the degree of the reward times
 * `d`, plus `d` for a Jacobian beside a reward, plus 1 for a score or a direction.
 *
 * @category constructors
 * @since 0.1.0
 */
export const estimates = (degrees: Degrees): Order => counted(degrees, (d) => nodesFor((degrees.reward + 1) * d + 1))

/**
 * The order for the reward alone: its degree times `d`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const objective = (degrees: Degrees): Order => counted(degrees, (d) => nodesFor(degrees.reward * d))

/**
 * Differences without truncation: one level more than the degree of `J` in a parameter of all steps needs, so that the
 * last two extrapolations are both exact.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scheme = (degrees: Degrees): Scheme => {
  const most = Math.max(
    0,
    ...Array.from({ length: degrees.parameters }, (_, i) => run(degrees, degrees.T, 0, () => unit(degrees, i)))
  )
  return { step: 0.25, levels: Math.ceil((degrees.reward * most) / 2) + 1 }
}
