/**
 * First-order optimizers as pure pairs of a state and an update, which chain.
 *
 * An optimizer is a transformation of gradients: it takes a gradient to be descended, its own state and the parameters,
 * and gives the step to add to the parameters and the next state. All are expressions, so an optimizer runs wherever
 * a program does.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import type { Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The state of an optimizer: a record, empty for one that needs none.
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
  stateless(numberFaults('scale', 'factor', factor), (gradient) =>
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
  stateless(Need.single('weightDecay', 'rate', rate), (gradient, parameters) =>
    Tree.mergeWith((g, p) => X.add(g, X.scale(p, rate)))(gradient, parameters)
  )

/**
 * Scales the whole gradient down so that its Euclidean norm over all leaves is at most `norm`, 0 or more; `Infinity` leaves it
 * as it is. A clipped gradient is not unbiased: its direction is kept and its length is not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clipByGlobalNorm = (norm: number): Optimizer =>
  stateless(Need.atLeast('clipByGlobalNorm', 'norm', norm, 0), (gradient) => {
    const { unit, length } = measured(gradient)
    // not a quotient of the two, which is no number where both are infinite
    const longer = X.less(X.mul(unit, X.scalar(norm)), length)
    const factor = X.div(X.scalar(norm), length)
    return Tree.mapExprs(gradient, (g) => X.select(X.broadcastTo(longer, g.shape), X.mul(X.mul(g, unit), factor), g))
  })

/**
 * Running means of the gradient and of its square, corrected for their start at zero (Kingma and Ba, arXiv 1412.6980):
 * `m / (sqrt(v) + epsilon)`. `beta1` and `beta2` are in [0, 1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const adam = (beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8): Optimizer => ({
  state: (parameters) => ({ count: [] as const, mean: parameters, square: parameters }),
  update: (gradient, state) => {
    const { count: before = X.scalar(0), mean = {}, square = {} } = state
    const count = X.add(Tree.isExpr(before) ? X.retype(before, []) : X.scalar(0), X.scalar(1))
    const m = Tree.mergeWith(averaged(beta1))(mean, gradient)
    const v = Tree.mergeWith(averaged(beta2))(
      square,
      Tree.mapExprs(gradient, (g) => X.mul(g, g))
    )
    const root = X.sqrt(seen(beta2, count))
    const factor = X.div(root, seen(beta1, count))
    const step = Tree.mergeWith((a, b) => X.div(X.mul(a, factor), X.add(X.sqrt(b), X.scale(root, epsilon))))(m, v)
    const faults = [
      ...Need.fraction('adam', 'beta1', beta1),
      ...Need.fraction('adam', 'beta2', beta2),
      ...Need.atLeast('adam', 'epsilon', epsilon, 0)
    ]
    return { step: spoilt(faults, step), state: { count, mean: m, square: v } }
  }
})

/** A running mean with the next value: by the step that it makes, since f32 has `1 - beta` and not `beta` near 1. */
const averaged =
  (beta: number) =>
  (old: Expr, value: Expr): Expr =>
    beta === 0 ? value : X.add(old, X.scale(X.sub(value, old), 1 - beta))

/** The share `1 - beta^count` of the values that a running mean has seen; with `t = tanh(x / 2)`, `1 - e^-x = 2 t / (1 + t)`. */
const seen = (beta: number, count: Scalar): Scalar => {
  if (beta === 0) return X.scalar(1)
  const t = X.tanh(X.scale(count, -Math.log(beta) / 2))
  return X.div(X.scale(t, 2), X.add(t, X.scalar(1)))
}

/**
 * Running sums of gradients, `b <- momentum b + g`: heavy-ball momentum, and what `torch.optim.SGD` has without dampening.
 * `nesterov` gives `g + momentum b` (Sutskever et al., 2013). `momentum` is in [0, 1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const momentum = (momentum: number, { nesterov = false }: { readonly nesterov?: boolean } = {}): Optimizer => ({
  state: (parameters) => ({ velocity: parameters }),
  update: (gradient, { velocity: before = {} }) => {
    const ahead = (of: Exprs): Exprs => Tree.mergeWith((b, g) => X.add(X.scale(b, momentum), g))(of, gradient)
    const velocity = ahead(before)
    const step = nesterov ? ahead(velocity) : velocity
    return { step: spoilt(Need.fraction('momentum', 'momentum', momentum), step), state: { velocity } }
  }
})

/**
 * - `momentum`: the share of the last steps that the next one keeps, in [0, 1). Default: 0, as in PyTorch.
 * - `nesterov`: default false.
 *
 * @category model
 * @since 0.1.0
 */
export interface SgdOptions {
  readonly momentum?: number
  readonly nesterov?: boolean
}

/**
 * Gradient descent: the step is minus the learning rate times the gradient, or times the running sum of gradients where
 * there is `momentum`. As `torch.optim.SGD` with `dampening` 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sgd = (learningRate: number | Scalar, options: SgdOptions = {}): Optimizer =>
  (options.momentum ?? 0) === 0
    ? descend(learningRate)
    : chain(momentum(options.momentum ?? 0, { nesterov: options.nesterov ?? false }), descend(learningRate))

/**
 * - `beta1`, `beta2`, `epsilon`: defaults 0.9, 0.999 and 1e-8, as in PyTorch.
 * - `decay`: default 1e-4, as in optax. `torch.optim.AdamW` has 0.01: pass that for its runs.
 *
 * @category model
 * @since 0.1.0
 */
export interface AdamWOptions {
  readonly beta1?: number
  readonly beta2?: number
  readonly epsilon?: number
  readonly decay?: number
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101): each step also takes the learning rate times
 * `decay` of the parameters away, as `torch.optim.AdamW` does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const adamW = (learningRate: number | Scalar, options: AdamWOptions = {}): Optimizer =>
  chain(adam(options.beta1, options.beta2, options.epsilon), weightDecay(options.decay ?? 1e-4), descend(learningRate))

const descend = (rate: number | Scalar): Optimizer =>
  stateless(numberFaults('optimizer', 'learning rate', rate), (gradient) =>
    Tree.mapExprs(gradient, (g) => X.mul(g, typeof rate === 'number' ? X.scalar(-rate) : X.neg(rate)))
  )

const numberFaults = (operation: string, name: string, value: number | Scalar): Need.Faults =>
  typeof value === 'number' ? Need.single(operation, name, value) : []

const stateless = (faults: Need.Faults, f: (gradient: Exprs, parameters: Exprs) => Exprs): Optimizer => ({
  state: () => ({}),
  update: (gradient, _, parameters) => ({ step: spoilt(faults, f(gradient, parameters)), state: {} })
})

/** A step that a program with it does not close for, where an option is wrong. */
const spoilt = (faults: Need.Faults, step: Exprs): Exprs =>
  faults.length === 0 ? step : Tree.mapExprs(step, (leaf) => X.ill([leaf], leaf.shape, faults))

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
 * The Euclidean norm over all leaves of a tree, also where squares would leave the range of f32.
 *
 * @category utils
 * @since 0.1.0
 */
export const globalNorm = (tree: Exprs): Scalar => {
  const { unit, length } = measured(tree)
  return X.div(length, unit)
}

/** A unit in which the squares of a tree's numbers, and their sum, are within f32, and the norm in it. */
const measured = (tree: Exprs): { readonly unit: Scalar; readonly length: Scalar } => {
  const leaves = Tree.leaves(Tree.isExpr, tree).map(([, leaf]) => leaf)
  const total = (of: (leaf: Expr) => Scalar, join: (a: Scalar, b: Scalar) => Scalar): Scalar =>
    leaves.reduce<Scalar>((sum, leaf) => join(sum, of(leaf)), X.scalar(0))
  const largest = total((leaf) => largestOf(X.abs(leaf)), X.max)
  // powers of two, which change no digit; 1 where squares are safe
  const large = X.less(X.scalar(2 ** 50), largest)
  const small = X.less(largest, X.scalar(2 ** -50))
  const unit = X.select(large, X.scalar(2 ** -100), X.select(small, X.scalar(2 ** 100), X.scalar(1)))
  const square = (leaf: Expr): Expr => {
    const scaled = X.mul<Shape, readonly []>(leaf, unit)
    return X.mul(scaled, scaled)
  }
  return { unit, length: X.sqrt(total((leaf) => X.sumTo(square(leaf), []), X.add)) }
}

const largestOf = (leaf: Expr<Shape>): Scalar =>
  X.retype(
    X.maximum<Shape, ReadonlyArray<number>>(
      leaf,
      leaf.shape.map((_, i) => i)
    ),
    []
  )
