/**
 * How many quadrature nodes make expectations on a scalar polynomial chain exact: counted from degrees.
 *
 * @since 0.1.0
 */
import type { Order } from '../Setting.js'
import { nodesFor } from '../Quadrature.js'

/**
 * The degree of one step's output in a random number, from the degrees `x` of its input and `theta[i]` of its parameters.
 * It must not fall as its arguments grow.
 *
 * @category model
 * @since 0.1.0
 */
export type StepDegree = (x: number, theta: ReadonlyArray<number>) => number

/**
 * The order for a chain of `T` steps with `parameters` numbers and a reward of a degree. With `d` the degree of `x_0` in a
 * random number, the estimates have at most the degree of the reward times `d`, plus `d` for a Jacobian beside a reward,
 * plus 1 for a score or a direction.
 *
 * @category constructors
 * @since 0.1.0
 */
export const order = (options: {
  readonly T: number
  readonly parameters: number
  readonly step: StepDegree
  readonly reward: number
}): Order => {
  const { T, parameters, step, reward } = options
  const none = new Array<number>(parameters).fill(0)
  const nodes = (d: number): number => nodesFor((reward + 1) * d + 1)
  // the degree of x_0 from that of x_t, with the parameters' degrees at each step
  const run = (from: number, x: number, theta: (t: number) => ReadonlyArray<number>): number => {
    let d = x
    for (let t = from; t >= 1; t--) d = step(d, theta(t))
    return d
  }
  const unit = (i: number): ReadonlyArray<number> => none.map((_, k) => (k === i ? 1 : 0))
  return {
    xT: nodes(run(T, 1, () => none)),
    eps: (t) => nodes(run(t - 1, 1, () => none)),
    xi: (i, steps, perturbation) => {
      const degree = (set: ReadonlyArray<number>): number => run(T, 0, (t) => (set.includes(t) ? unit(i) : none))
      return nodes(perturbation === 'shared' ? degree(steps) : Math.max(0, ...steps.map((t) => degree([t]))))
    }
  }
}
