/**
 * What estimator laws are about: a chain, a reward and values for the parameters, small enough to be integrated
 * exactly; and the draws, random or quadrature nodes, that it is run on.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Chain } from '../src/chain/Chain.js'
import type { Perturbation } from '../src/estimator/Cover.js'
import { trainedShapes, type Trained } from '../src/estimator/program/Programs.js'
import type { Parameter, Params } from '../src/lens/Lens.js'
import * as L from '../src/lens/Lens.js'
import type { Noise } from '../src/chain/Noise.js'
import { draw } from '../src/random/Density.js'
import * as Draw from '../src/random/Draw.js'
import type { Key } from '../src/random/Key.js'
import { foldIn, foldInString } from '../src/random/Key.js'
import type { Rule } from '../src/random/Nodes.js'
import type { Differentiable } from '../src/reward/Reward.js'
import type { StateLens } from '../src/reward/StateLens.js'
import type { StepLens } from '../src/reward/StepReward.js'
import type { Values } from '../src/tensor/Program.js'
import type { Batched, Shape } from '../src/tensor/Shape.js'
import * as T from '../src/tensor/Tensor.js'
import type { Tensor } from '../src/tensor/Tensor.js'
import * as Tree from '../src/tensor/Tree.js'
import type { Exprs } from '../src/tensor/Tree.js'
import type { Scheme } from './exact/Differences.js'
import { ruleOf } from './exact/NoiseRule.js'
import * as Q from './exact/Quadrature.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How many quadrature nodes each random number gets: the elements of `x_T`, those of the noise of step `t`, and the
 * `i`-th trained number's direction at the steps of a zeroth-order cell (any order of the set). Enough nodes for the
 * degree of the integrand make an expectation exact under normal noise; `Toy` settings come with such numbers. Noise
 * of another density is integrated by the rule of that density: give it about twice the nodes, and a `refined` order
 * where it is not exact.
 *
 * @category model
 * @since 0.1.0
 */
export interface Order {
  readonly xT: number
  readonly eps: (t: number) => number
  readonly xi: (component: number, steps: ReadonlyArray<number>, perturbation: Perturbation) => number
}

/**
 * A chain with a reward at some parameters. `params` and `condition` are by path and input name, one row each: a tensor
 * whose declared shape begins with the batch is given without it. Exact expectations over zeroth-order cells are cheap
 * where the trained parameters have a batch axis, since every node then carries its own direction.
 *
 * - `steps`: rewards on the way, which are lenses; the expected *return* is what estimates are of.
 * - `reference`: the parameters' values at a reference, for cells that carry cotangents through it.
 * - `values`: learned values of a state that cells may name, with the parameters that they have.
 * - `objective`: nodes for the expected reward alone, whose degree is less than that of an estimate (default: `order`).
 * - `refined`: a finer order, for integrands that no rule integrates exactly; laws then measure the truncation of
 *   `order` by it and add that to their tolerance.
 * - `scheme`: differences that fit how `J` varies with the parameters (default: `Differences.standard`).
 *
 * @category model
 * @since 0.1.0
 */
export interface Setting<P extends Params, S extends Batched, C extends Exprs, R extends Params> {
  readonly chain: Chain<P, S, C>
  readonly reward: Differentiable<R, S, C>
  readonly steps?: ReadonlyArray<StepLens<P, S, C>>
  readonly reference?: Values
  readonly values?: ReadonlyMap<string, StateLens<S, C> & { readonly parameters: Values }>
  readonly params: Values
  readonly condition: Values
  readonly trained: Trained
  readonly order: Order
  readonly objective?: Order
  readonly refined?: Order
  readonly scheme?: Scheme
}

/**
 * One trained number: its parameter's path, its position there, and both for a reader.
 *
 * @category model
 * @since 0.1.0
 */
export interface Component {
  readonly path: string
  readonly index: number
  readonly label: string
}

/**
 * Perturbed steps: which, how far, and whether in one direction for all.
 *
 * @category model
 * @since 0.1.0
 */
export interface Smoothing {
  readonly steps: ReadonlyArray<number>
  readonly radius: number
  readonly perturbation: Perturbation
}

/**
 * Rows of random numbers, drawn or nodes, with their weights: `xT [rows, ...]`, `eps [T, rows, ...]`, and directions
 * by path as gradient requests take them. `others` are noises for siblings, `[T, rows, ...]` for each continuation but the first: every
 * branch of a cover has the lower ones of the same, which no expectation of a sum can tell.
 *
 * @category model
 * @since 0.1.0
 */
export interface Draws {
  readonly rows: number
  readonly xT: Tensor
  readonly eps: Tensor
  readonly xi: Values
  readonly weights: ReadonlyArray<number>
  readonly others?: ReadonlyArray<Tensor>
}

/**
 * How much noise siblings need: of how many `others` than the trajectory itself, and of the steps up to `at`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Fresh {
  readonly others: number
  readonly at: number
}

/**
 * Any setting's chain and parameters, without its types.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sized {
  readonly chain: {
    readonly T: number
    readonly state: Shape
    readonly parameters: L.Parameters
    readonly noise: Pick<Noise, 'density'>
  }
  readonly trained: Trained
  readonly order: Order
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const isBatched = (shape: Shape): boolean => shape[0] === 'batch'

/** The literal sizes of a shape, without the batch. */
const one = (shape: Shape): ReadonlyArray<number> =>
  (isBatched(shape) ? shape.slice(1) : shape).map((d) => (typeof d === 'number' ? d : 1))

const trainedOf = ({ chain, trained }: Sized): ReadonlyArray<readonly [string, Shape]> =>
  trainedShapes(chain.parameters, trained)

/**
 * Does every trained parameter have a batch axis?
 *
 * @category readings
 * @since 0.1.0
 */
export const allBatched = (setting: Sized): boolean => trainedOf(setting).every(([, shape]) => isBatched(shape))

/**
 * The trained numbers in order.
 *
 * @category readings
 * @since 0.1.0
 */
export const components = (setting: Sized): ReadonlyArray<Component> =>
  trainedOf(setting).flatMap(([path, shape]) =>
    Array.from({ length: T.size(one(shape)) }, (_, index) => ({ path, index, label: `${path}[${index}]` }))
  )

/**
 * The parameters as a batch of `rows` takes them.
 *
 * @category readings
 * @since 0.1.0
 */
export const rowParams = (parameters: L.Parameters, params: Values, rows: number): Values =>
  Object.fromEntries(
    Tree.leaves<Parameter>(L.isParameter, parameters).map(([path, { shape }]) => {
      const value = params[path] ?? T.fill(one(shape), 0)
      return [path, isBatched(shape) ? repeat(value, rows) : inDouble(value)]
    })
  )

/**
 * The same numbers in f64: weights are kept in f32, and would round every shift of them.
 *
 * @category utils
 * @since 0.1.0
 */
export const inDouble = ({ shape, data }: Tensor): Tensor => ({ shape, data: Float64Array.from(data) })

/**
 * The same tensor in each of `rows` rows.
 *
 * @category utils
 * @since 0.1.0
 */
export const repeat = (value: Tensor, rows: number): Tensor =>
  T.tabulate([rows, ...value.shape], (i) => value.data[i % value.data.length] ?? 0)

/**
 * Each of some condition values in each of `rows` rows.
 *
 * @category utils
 * @since 0.1.0
 */
export const rowCondition = (condition: Values, rows: number): Values =>
  Object.fromEntries(Object.entries(condition).map(([name, value]) => [name, repeat(value, rows)]))

// -------------------------------------------------------------------------------------
// draws
// -------------------------------------------------------------------------------------

/**
 * The most quadrature nodes that a law will use.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostNodes = 100_000

/**
 * The quadrature nodes of a setting, as batches. Where all trained parameters have a batch axis, or nothing is
 * perturbed, there is one batch; else one for each node of the directions, which a batch shares. Left: too many
 * nodes.
 *
 * @category draws
 * @since 0.1.0
 */
export const nodes = (
  setting: Sized,
  order: Order,
  smoothing?: Smoothing,
  siblings: Fresh = { others: 0, at: 0 }
): E.Either<string, ReadonlyArray<Draws>> => {
  const { T: length, state } = setting.chain
  const width = T.size(one(state))
  const names = components(setting)
  const copies = smoothing === undefined ? 0 : smoothing.perturbation === 'shared' ? 1 : smoothing.steps.length
  const { density } = setting.chain.noise
  const below = (highest: number): ReadonlyArray<number> => Array.from({ length: highest }, (_, t) => order.eps(t + 1))
  const ofOthers = Array.from({ length: siblings.others }, () => below(siblings.at)).flat()
  const noiseRules = [order.xT, ...below(length), ...ofOthers].flatMap((n) =>
    new Array<Rule>(width).fill(ruleOf(density, n))
  )
  const directionSizes = Array.from({ length: copies }, () =>
    names.map((_, i) => order.xi(i, smoothing?.steps ?? [], smoothing?.perturbation ?? 'shared'))
  ).flat()
  const together = allBatched(setting)
  const sizes = together ? [...noiseRules, ...directionSizes] : noiseRules
  const wanted = directionSizes.reduce(
    (n, m) => n * m,
    noiseRules.reduce((n, { nodes: own }) => n * own.length, 1)
  )
  if (wanted > mostNodes) {
    return E.left(
      `${wanted} quadrature nodes, more than ${mostNodes}: take a shorter chain, fewer parameters or a shared direction`
    )
  }
  const noise = Q.product(sizes)
  const rows = noise.points.length
  const at = (row: number, i: number): number => noise.points[row]?.[i] ?? 0
  const xT = T.tabulate([rows, ...one(state)], (i) => at(Math.floor(i / width), i % width))
  const noises = (steps: number, first: number): Tensor =>
    T.tabulate([steps, rows, ...one(state)], (i) => {
      const inStep = i % (rows * width)
      return at(Math.floor(inStep / width), width * (first + Math.floor(i / (rows * width))) + (inStep % width))
    })
  const eps = noises(length, 1)
  const others = Array.from({ length: siblings.others }, (_, k) => noises(siblings.at, 1 + length + k * siblings.at))
  const first = noiseRules.length
  if (smoothing === undefined || together) {
    const xi = smoothing === undefined ? {} : directions(setting, smoothing, rows, (row, i) => at(row, first + i))
    return E.right([{ rows, xT, eps, xi, weights: noise.weights, others }])
  }
  const outer = Q.product(directionSizes)
  return E.right(
    outer.points.map((point, k) => ({
      rows,
      xT,
      eps,
      xi: directions(setting, smoothing, rows, (_, i) => point[i] ?? 0),
      others,
      weights: noise.weights.map((weight) => weight * (outer.weights[k] ?? 0))
    }))
  )
}

/** Lays out directions as requests take them; `read(row, i)` is the `i`-th number, those of one step after another. */
const directions = (
  setting: Sized,
  { steps, perturbation }: Smoothing,
  rows: number,
  read: (row: number, i: number) => number
): Values => {
  const total = components(setting).length
  let offset = 0
  return Object.fromEntries(
    trainedOf(setting).map(([path, shape]) => {
      const inner = one(shape)
      const width = T.size(inner)
      const copies = isBatched(shape) ? rows : 1
      const start = offset
      offset += width
      const body = isBatched(shape) ? [rows, ...inner] : inner
      const each = copies * width
      if (perturbation === 'shared') {
        return [path, T.tabulate(body, (i) => read(Math.floor(i / width), start + (i % width)))]
      }
      const value = T.tabulate([setting.chain.T, ...body], (i) => {
        const slot = steps.indexOf(Math.floor(i / each) + 1)
        return slot < 0 ? 0 : read(Math.floor((i % each) / width), slot * total + start + (i % width))
      })
      return [path, value]
    })
  )
}

/**
 * Random draws from a key, of weight `1 / rows` each.
 *
 * @category draws
 * @since 0.1.0
 */
export const sample = (
  setting: Sized,
  key: Key,
  rows: number,
  perturbation: Perturbation = 'shared',
  siblings: Fresh = { others: 0, at: 0 }
): Draws => {
  const { T: length, state, noise } = setting.chain
  const lead = perturbation === 'shared' ? [] : [length]
  return {
    rows,
    xT: draw(noise.density, foldIn(key, 0), [rows, ...one(state)]),
    eps: draw(noise.density, foldIn(key, 1), [length, rows, ...one(state)]),
    xi: Object.fromEntries(
      trainedOf(setting).map(([path, shape]) => [
        path,
        Draw.normal(foldInString(foldIn(key, 2), path), [...lead, ...(isBatched(shape) ? [rows] : []), ...one(shape)])
      ])
    ),
    others: Array.from({ length: siblings.others }, (_, k) =>
      draw(noise.density, foldIn(foldIn(key, 3), k), [siblings.at, rows, ...one(state)])
    ),
    weights: new Array<number>(rows).fill(1 / rows)
  }
}

/**
 * The numbers of a gradient, or of anything by parameter path, in the order of `components`; rows of a batch are kept
 * apart: element `[i][row]`. Parameters without a batch axis have one row.
 *
 * @category utils
 * @since 0.1.0
 */
export const byComponent = (setting: Sized, values: Values): ReadonlyArray<ReadonlyArray<number>> =>
  trainedOf(setting).flatMap(([path, shape]) => {
    const width = T.size(one(shape))
    const data = values[path]?.data ?? new Float64Array(0)
    const rows = isBatched(shape) ? data.length / width : 1
    return Array.from({ length: width }, (_, i) =>
      Array.from({ length: rows }, (_row, r) => data[r * width + i] ?? Number.NaN)
    )
  })
