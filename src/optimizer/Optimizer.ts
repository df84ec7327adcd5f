/**
 * First-order optimisers as pure pairs of a state and an update, which chain.
 *
 * An optimiser is a transformation of gradients: it takes a gradient to be descended, its own state and the parameters,
 * and gives the step to add to the parameters and the next state. All are expressions, so an optimiser runs wherever
 * a program does.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The state of an optimiser: a record, empty for one that needs none.
 *
 * @category model
 * @since 0.1.0
 */
export type State = { readonly [key: string]: Exprs }

/**
 * A transformation of gradients. `state` gives the shapes of its state for parameters of given shapes; every state
 * starts at zero. `update` gives the transformed gradient and the next state.
 *
 * @category model
 * @since 0.1.0
 */
export interface Optimizer {
  readonly state: (parameters: Shapes) => { readonly [key: string]: Shapes }
  readonly update: (gradient: Exprs, state: State, parameters: Exprs) => { readonly step: Exprs; readonly state: State }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Multiplies by a number, or by a scalar expression such as a learning rate that is an input of the program.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scale = (factor: number | Scalar): Optimizer =>
  stateless((gradient) =>
    Tree.mapExprs(gradient, (g) => X.mul(g, typeof factor === 'number' ? X.scalar(factor) : factor))
  )

/**
 * Adds `rate` times the parameters: weight decay, decoupled from the gradient's scale where it follows `adam`
 * (Loshchilov and Hutter, arXiv 1711.05101).
 *
 * @category constructors
 * @since 0.1.0
 */
export const weightDecay = (rate: number): Optimizer =>
  stateless((gradient, parameters) => Tree.mergeWith((g, p) => X.add(g, X.scale(p, rate)))(gradient, parameters))

/**
 * Scales the whole gradient down so that its Euclidean norm over all leaves is at most `norm`. A clipped gradient is not
 * unbiased: its direction is kept and its length is not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clipByGlobalNorm = (norm: number): Optimizer =>
  stateless((gradient) => {
    const length = globalNorm(gradient)
    const factor = X.div(X.scalar(norm), X.max(length, X.scalar(norm)))
    return Tree.mapExprs(gradient, (g) => X.mul(g, factor))
  })

/**
 * Running means of the gradient and of its square, corrected for their start at zero (Kingma and Ba, arXiv 1412.6980):
 * `m / (sqrt(v) + epsilon)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const adam = (beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): Optimizer => ({
  state: (parameters) => ({ count: [] as const, mean: parameters, square: parameters }),
  update: (gradient, state) => {
    const { count: before = X.scalar(0), mean = {}, square = {} } = state
    const count = X.add(Tree.isExpr(before) ? X.retype(before, []) : X.scalar(0), X.scalar(1))
    const average =
      (beta: number): ((old: Expr, value: Expr) => Expr) =>
      (old, value) =>
        X.add(X.scale(old, beta), X.scale(value, 1 - beta))
    const m = Tree.mergeWith(average(beta1))(mean, gradient)
    const v = Tree.mergeWith(average(beta2))(
      square,
      Tree.mapExprs(gradient, (g) => X.mul(g, g))
    )
    // 1 - beta^count
    const missing = (beta: number): Scalar => X.sub(X.scalar(1), X.exp(X.scale(count, Math.log(beta))))
    const root = X.sqrt(missing(beta2))
    const factor = X.div(root, missing(beta1))
    const step = Tree.mergeWith((a, b) => X.div(X.mul(a, factor), X.add(X.sqrt(b), X.scale(root, epsilon))))(m, v)
    return { step, state: { count, mean: m, square: v } }
  }
})

/**
 * Gradient descent: the step is minus the learning rate times the gradient.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sgd = (learningRate: number | Scalar): Optimizer => descend(learningRate)

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).
 *
 * @category constructors
 * @since 0.1.0
 */
export const adamW = (
  learningRate: number | Scalar,
  options: { readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number; readonly decay?: number } = {}
): Optimizer =>
  chain(adam(options.beta1, options.beta2, options.epsilon), weightDecay(options.decay ?? 1e-4), descend(learningRate))

const descend = (rate: number | Scalar): Optimizer => scale(typeof rate === 'number' ? -rate : X.neg(rate))

const stateless = (f: (gradient: Exprs, parameters: Exprs) => Exprs): Optimizer => ({
  state: () => ({}),
  update: (gradient, _, parameters) => ({ step: f(gradient, parameters), state: {} })
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Each transformation after the one before it. The states stand under the keys `0`, `1`, and so on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const chain = (...parts: ReadonlyArray<Optimizer>): Optimizer => ({
  state: (parameters) => Object.fromEntries(parts.map((part, i) => [String(i), part.state(parameters)])),
  update: (gradient, state, parameters) => {
    let step = gradient
    const next: Record<string, Exprs> = {}
    parts.forEach((part, i) => {
      const own = state[String(i)] ?? {}
      const result = part.update(step, Tree.isExpr(own) ? {} : own, parameters)
      step = result.step
      next[String(i)] = result.state
    })
    return { step, state: next }
  }
})

/**
 * The parameters after a step.
 *
 * @category combinators
 * @since 0.1.0
 */
export const apply = <P extends Exprs>(parameters: P, step: Exprs): P =>
  // `mergeWith` keeps the keys of both, and a step has the keys of the parameters
  Tree.mergeWith(X.add)(parameters, step) as P

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The Euclidean norm over all leaves of a tree.
 *
 * @category utils
 * @since 0.1.0
 */
export const globalNorm = (tree: Exprs): Scalar =>
  X.sqrt(
    Tree.leaves(Tree.isExpr, tree).reduce<Scalar>(
      (total, [, leaf]) => X.add(total, total_(X.mul(leaf, leaf))),
      X.scalar(0)
    )
  )

const total_ = (leaf: Expr<Shape>): Scalar => X.sumTo(leaf, [])
