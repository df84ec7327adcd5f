/**
 * The closed programs that an estimator is made of: rollouts, rewards, and one credit program for each *shape* of cell.
 * Which steps a cell stands on is an input, so one program serves every start of a segment; and a credit program sees
 * its own segment only, so its activations do not grow with the length of the chain.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as Ch from '../../chain/Chain.js'
import type { Chain } from '../../chain/Chain.js'
import * as Reference from '../../chain/Reference.js'
import * as Transition from '../../chain/Transition.js'
import * as L from '../../lens/Lens.js'
import type { Parameter, Parameters, Params } from '../../lens/Lens.js'
import { declared } from '../../random/Density.js'
import type { Differentiable } from '../../reward/Reward.js'
import type { StepLens } from '../../reward/StepReward.js'
import * as X from '../../tensor/Expr.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { Batched, Shape, ShapeError } from '../../tensor/Shape.js'
import { carriedThrough } from './Carriers.js'
import { along, stepInputs, stepParameters } from './StepPrograms.js'
import * as Tree from '../../tensor/Tree.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import type { Perturbation } from '../Cover.js'
import type { SegmentKind } from './SegmentKind.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Which parameters are trained, by path.
 *
 * @category model
 * @since 0.1.0
 */
export type Trained = (path: string) => boolean

type Built = E.Either<ReadonlyArray<ShapeError>, Program.Program>

/**
 * The trained parameters with their shapes, by path.
 *
 * @category utils
 * @since 0.1.0
 */
export const trainedShapes = (parameters: Parameters, trained: Trained): ReadonlyArray<readonly [string, Shape]> =>
  Tree.leaves<Parameter>(L.isParameter, parameters).flatMap(([path, { shape }]) =>
    trained(path) ? [[path, shape] as const] : []
  )

/**
 * The shapes of the directions of a zeroth-order cell: those of the trained parameters, with a leading axis of `T` where
 * each step has its own.
 *
 * @category utils
 * @since 0.1.0
 */
export const directionShapes = (
  parameters: Parameters,
  trained: Trained,
  perturbation: Perturbation,
  T: number
): Readonly<Record<string, Shape>> =>
  Object.fromEntries(
    trainedShapes(parameters, trained).map(([path, shape]) => [path, perturbation === 'shared' ? shape : [T, ...shape]])
  )

/**
 * The outputs named `gradient.path`: the cotangents of the trained parameters, zeros where a pullback gave none.
 *
 * @category utils
 * @since 0.1.0
 */
export const gradientOutputs = (parameters: Parameters, trained: Trained, bar: Exprs): { readonly gradient: Exprs } => {
  const given = new Map(Tree.leaves(Tree.isExpr, bar))
  return {
    gradient: Object.fromEntries(
      trainedShapes(parameters, trained).map(([path, shape]) => [
        path,
        X.retype(given.get(path) ?? X.zeros(shape), shape)
      ])
    )
  }
}

/**
 * A number a row, spread over the rest of a shape that starts with the batch.
 *
 * @category utils
 * @since 0.1.0
 */
export const spreadRows = <S extends Shape>(rows: Expr<readonly ['batch']>, shape: S): Expr<S> =>
  X.broadcastTo(X.reshape(rows, ['batch', ...shape.slice(1).map(() => 1)]), shape)

// -------------------------------------------------------------------------------------
// rollouts
// -------------------------------------------------------------------------------------

/**
 * How a rollout is run. `keep`: the states are wanted. `clean`: so are the chain's clean predictions. `steps`: the step rewards
 * that are evaluated on the way.
 *
 * @category model
 * @since 0.1.0
 */
export interface RolloutOptions<P extends Params, S extends Batched, C extends Exprs> {
  readonly perturbation: Perturbation | 'none'
  readonly keep: boolean
  readonly trained: Trained
  readonly clean?: boolean
  readonly steps?: ReadonlyArray<StepLens<P, S, C>>
}

/**
 * A rollout: `params, xT, eps [T, ...], c` to `x0`, and with `keep` to `trajectory [T + 1, ...]` too. With a perturbation,
 * step `t` uses `theta + radius mask[t] xi`; the extra inputs are `xi.path`, `mask [T]` of zeros and ones, and `radius` (negative
 * for the other side of a central difference). With `clean`, `clean [T, ...]` has what each of the states `x_1, ..., x_T` lets one expect
 * of the output; with step rewards, `steps [T, batch]` has their sum at each step, and the inputs are `step.i.path` for the
 * parameters of the `i`-th.
 *
 * @category programs
 * @since 0.1.0
 */
export const rollout = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  options: RolloutOptions<P, S, C>
): Built => {
  const { perturbation, keep, trained, steps: rewards = [] } = options
  const predicted = options.clean === true ? chain.clean : undefined
  const { T } = chain
  const directions = perturbation === 'none' ? {} : directionShapes(chain.parameters, trained, perturbation, T)
  const params = L.parameterInputs<P>('params', chain.parameters)
  const mask = X.input('mask', [T])
  const radius: Scalar = X.input('radius', [])
  // each step reads one of the two, which are made once
  const both = new Map(
    Tree.leaves(Tree.isExpr, params).flatMap(([path, leaf]) => {
      const shape = perturbation === 'shared' ? directions[path] : undefined
      if (shape === undefined) return []
      const moved = X.add(leaf, X.mul(X.input(`xi.${path}`, shape), radius))
      return [[path, X.stack<Shape>([leaf, moved])] as const]
    })
  )
  const parametersAt = (t: number): P => {
    const marked: Scalar = X.reshape(X.slice(mask, 0, t - 1, 1), [])
    if (perturbation === 'shared') {
      return Tree.mapExprs(params, (leaf, path) => {
        const two = both.get(path)
        return two === undefined ? leaf : X.retype(X.take(two, 0, marked), leaf.shape)
      })
    }
    const reach = X.mul(radius, marked)
    return Tree.mapExprs(params, (leaf, path) => {
      const shape = directions[path]
      if (shape === undefined) return leaf
      const xi = X.reshape(X.slice<Shape, 0, 1>(X.input(`xi.${path}`, shape), 0, t - 1, 1), leaf.shape)
      return X.add(leaf, X.mul(xi, reach))
    })
  }
  const eps: readonly [number, ...S] = [T, ...chain.state]
  const extra: Shapes = perturbation === 'none' ? {} : { xi: directions, mask: [T], radius: [] }
  const inputs: Shapes = {
    params: L.shapes(chain.parameters),
    xT: chain.state,
    eps,
    c: chain.condition,
    ...stepInputs(rewards),
    ...extra
  }
  return Program.make(
    inputs,
    (): Exprs => {
      const at = perturbation === 'none' ? (): P => params : parametersAt
      const c = Ch.conditionInputs(chain)
      const states = Ch.rollout(chain)(at, X.input('xT', chain.state), X.input('eps', eps), c)
      const each = <A>(f: (t: number, x: Expr<S>) => A): ReadonlyArray<A> =>
        states.flatMap((x, t) => (t === 0 ? [] : [f(t, x)]))
      const rewarded = (name: string, which: (one: StepLens<P, S, C>) => boolean): Exprs => {
        const some = rewards.flatMap((one, i) => (which(one) ? [{ one, own: stepParameters(one, i) }] : []))
        if (some.length === 0) return {}
        const total = (t: number, x: Expr<S>): Expr<readonly ['batch']> => {
          const mean = chain.mean(X.scalar(t)).forward(at(t), { x, c })
          return some
            .map(({ one, own }) => one.lens(X.scalar(t)).forward({ theta: at(t), own }, { mean, x, c }))
            .reduce((a, b) => X.add(a, b))
        }
        return { [name]: X.stack(each(total)) }
      }
      return {
        x0: states[0] ?? X.zeros(chain.state),
        ...(keep ? { trajectory: X.stack(states) } : {}),
        ...(predicted === undefined
          ? {}
          : { clean: X.stack(each((t, x) => predicted(X.scalar(t)).forward(at(t), { x, c }))) }),
        ...rewarded('steps', ({ only }) => only !== 'differentiated'),
        ...rewarded('aside', ({ only }) => only === 'differentiated')
      }
    },
    {
      xT: declared(chain.noise.density),
      eps: declared(chain.noise.density),
      ...Object.fromEntries(Object.keys(directions).map((path) => [`xi.${path}`, 'normal' as const]))
    }
  )
}

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

/**
 * The reward and its gradient in the output: `reward.path, x0, c, weights [batch]` to `reward [batch]` and `x0Bar`, the
 * gradient of the weighted sum of rewards.
 *
 * @category programs
 * @since 0.1.0
 */
export const reward = <R extends Params, P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  { lens, shapes }: Differentiable<R, S, C>
): Built =>
  Program.make({ reward: L.shapes(shapes), x0: chain.state, c: chain.condition, weights: ['batch'] }, (): Exprs => {
    const [value, back] = lens(Ch.conditionInputs(chain)).run(
      L.parameterInputs<R>('reward', shapes),
      X.input('x0', chain.state)
    )
    const [, x0Bar] = back(X.input('weights', ['batch']))
    return { reward: value, x0Bar }
  })

// -------------------------------------------------------------------------------------
// credit
// -------------------------------------------------------------------------------------

/**
 * The credit program of a first-order cell on steps `1..h`: `params, x (= x_h), eps [h, ...] (step 1's first; its own is
 * not used), c, x0Bar` to `gradient.path`. With step rewards, whose gradients it adds, also `weights [batch]` and `step.i.path`;
 * carried through the reference, also `reference.path`.
 *
 * @category programs
 * @since 0.1.0
 */
export const firstOrder = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  kind: SegmentKind,
  trained: Trained,
  rewards: ReadonlyArray<StepLens<P, S, C>> = []
): Built =>
  credit(
    carriedThrough(kind.through)(chain),
    kind,
    trained,
    rewards,
    X.scalar(kind.h),
    {
      x0Bar: chain.state,
      ...(kind.through === 'reference' ? { reference: L.shapes(Reference.declared(chain)) } : {})
    },
    () => X.input('x0Bar', chain.state)
  )

/**
 * The credit program of a half-order cell on `h` steps `j..m`: `params, x (= x_m), eps [h, ...] (step j's first), c,
 * high (= m), advantage [batch]` to `gradient.path`: the pullback of `advantage * score(eps_j) / sigma_j`, and where there is a
 * control of its gradient `control` too. Where steps keep discrete outcomes the score is that of the outcome, which is an input,
 * `below (= x_{j-1})`. For `K` siblings it is that of the sum of theirs, and `advantage [K, batch]` and `fresh [K, ...]`, their noises of
 * step `j` (or outcomes), stand for one's. With step rewards, whose gradients within the segment it adds, also `weights [batch]` and
 * `step.i.path`.
 *
 * @category programs
 * @since 0.1.0
 */
export const halfOrder = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  kind: SegmentKind,
  trained: Trained,
  rewards: ReadonlyArray<StepLens<P, S, C>> = []
): Built => {
  const high: Scalar = X.input('high', [])
  const { siblings = 1 } = kind
  const extra: Readonly<Record<string, Shape>> = {
    high: [],
    ...(siblings === 1
      ? { advantage: ['batch'], ...(chain.noise.outcome === undefined ? {} : { below: chain.state }) }
      : { advantage: [siblings, 'batch'], fresh: [siblings, ...chain.state] }),
    ...(kind.controlled ? { control: chain.state } : {})
  }
  return credit(chain, kind, trained, rewards, high, extra, (eps, mean) => {
    const { noise, state } = chain
    const sigma = Ch.lookup(chain.sigma, Ch.below(high, kind.h - 1))
    // of a draw, or of what a step that keeps outcomes made of it
    const score = (drawn: Expr<S>): Expr<S> =>
      noise.outcome === undefined ? noise.score(drawn) : Transition.score(noise, sigma)(mean, drawn)
    const scored = (advantage: Expr<readonly ['batch']>, drawn: Expr<S>): Expr<S> =>
      X.mul(spreadRows(advantage, state), X.div(score(drawn), sigma))
    if (siblings > 1) {
      const fresh: Ch.Noises<S> = X.input('fresh', [siblings, ...state])
      const advantages = X.input('advantage', [siblings, 'batch'])
      return Array.from({ length: siblings }, (_, k) =>
        scored(X.reshape(X.slice<Shape, 0, 1>(advantages, 0, k, 1), ['batch']), Ch.noiseAt(fresh, k, state))
      ).reduce((sum, one) => X.add(sum, one))
    }
    const drawn = noise.outcome === undefined ? Ch.noiseAt(eps, 0, state) : X.input('below', state)
    const one = scored(X.input('advantage', ['batch']), drawn)
    return kind.controlled ? X.add(one, X.input('control', state)) : one
  })
}

const credit = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  { h, memory, weighted, through }: SegmentKind,
  trained: Trained,
  rewards: ReadonlyArray<StepLens<P, S, C>>,
  high: Scalar,
  extra: Readonly<Record<string, Shapes>>,
  cotangent: (eps: Ch.Noises<S>, mean: Expr<S>) => Expr<S>
): Built => {
  const shape: readonly [number, ...S] = [h, ...chain.state]
  const inputs: Shapes = {
    params: L.shapes(chain.parameters),
    x: chain.state,
    eps: shape,
    c: chain.condition,
    ...(weighted ? { shares: [h] } : {}),
    ...(rewards.length === 0 ? {} : { weights: ['batch'] }),
    ...stepInputs(rewards),
    ...extra
  }
  return Program.make(inputs, () => {
    const eps = X.input('eps', shape)
    const options = {
      recompute: memory === 'recompute',
      wanted: trained,
      ...(weighted ? { shares: X.input('shares', [h]) } : {}),
      ...(rewards.length === 0 ? {} : { along: along(rewards), apart: through !== undefined })
    }
    const [mean, back] = Ch.segment(
      chain,
      h,
      options
    )(high).run(L.parameterInputs<P>('params', chain.parameters), {
      x: X.input('x', chain.state),
      c: Ch.conditionInputs(chain),
      eps
    })
    const [bar] = back(cotangent(eps, mean))
    return gradientOutputs(chain.parameters, trained, bar)
  })
}

// -------------------------------------------------------------------------------------
// zeroth order
// -------------------------------------------------------------------------------------

/**
 * The credit program of a zeroth-order cell: `xi.path, delta [batch], mask [T]` to `gradient.path`: the directions of the
 * cell's steps, times `delta`, each row's weighted difference of rewards over the radius. Parameters that the batch
 * shares sum over it; parameters with a batch axis keep a row each.
 *
 * @category programs
 * @since 0.1.0
 */
export const zerothOrder = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  perturbation: Perturbation,
  trained: Trained
): Built => {
  const directions = directionShapes(chain.parameters, trained, perturbation, chain.T)
  const inputs: Shapes = { xi: directions, delta: ['batch'], mask: [chain.T] }
  return Program.make(inputs, () => {
    const delta = X.input('delta', ['batch'])
    const total: Scalar = X.sum(delta, [0])
    const gradient = trainedShapes(chain.parameters, trained).map(([path, shape]) => {
      const xi = X.input(`xi.${path}`, directions[path] ?? shape)
      const direction =
        perturbation === 'shared' ? X.retype(xi, shape) : X.sumTo(X.mul(xi, overSteps(chain.T, shape)), shape)
      const factor = shape[0] === 'batch' ? spreadRows(delta, shape) : X.broadcastTo(total, shape)
      return [path, X.mul(direction, factor)] as const
    })
    return { gradient: Object.fromEntries(gradient) }
  })
}

const overSteps = (T: number, shape: Shape): Expr =>
  X.broadcastTo(X.reshape(X.input('mask', [T]), [T, ...shape.map(() => 1)]), [T, ...shape])
