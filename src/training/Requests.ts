/**
 * Requests for gradients, drawn from a key: the cover, the noises, what the samples are asked for, the directions.
 *
 * @since 0.1.0
 */
import * as Cover from '../estimator/Cover.js'
import { draw } from '../estimator/Estimator.js'
import { type AnyProblem, branches, type Request } from '../estimator/Gradient.js'
import { directionShapes, trainedShapes } from '../estimator/program/Programs.js'
import { alone, type Uniforms } from '../estimator/Sampler.js'
import { draw32 } from '../random/Density.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import type { Shape } from '../tensor/Shape.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Conditions } from './Conditions.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What requests are drawn for: a problem, what its samples are asked for, and its parameters as they are, by path. The
 * advantage's state is its initial one by default. `group`: so many samples in a row are asked for the same (1 by default); it divides
 * the batch, or the last group is smaller.
 *
 * @category model
 * @since 0.1.0
 */
export interface Asked {
  readonly problem: AnyProblem
  readonly conditions: Conditions
  readonly params: Values
  readonly advantageState?: number
  readonly group?: number
}

// -------------------------------------------------------------------------------------
// drawing
// -------------------------------------------------------------------------------------

/**
 * Everything that one gradient depends on, drawn from a key: the cover, the noises, the conditioning, and the
 * directions of the cover's zeroth-order cell. The weights are those of the batch mean. Parameters that the chain keeps
 * for each row (`Chain.perRow`) are given shared, and copied.
 *
 * @category drawing
 * @since 0.1.0
 */
export const request = (problem: AnyProblem, conditions: Conditions, key: Key.Key, params: Values): Request =>
  onStreams({ problem, conditions, params }, key)(alone.stream, draw(problem.estimator, uniforms(key)(alone.choice)))

/**
 * Requests by the stream of their noise, for a cover each: a stream has its noises, its conditions and its directions. That of an
 * estimator that stands alone has those of `request`.
 *
 * @category drawing
 * @since 0.1.0
 */
export const onStreams = (
  { problem, conditions, params, advantageState = problem.advantage.initial, group = 1 }: Asked,
  key: Key.Key
): ((stream: string, cover: Cover.Cover) => Request) => {
  const { batch } = problem
  const copied = copies(problem, batch, params)
  const drawn = new Map<string, Pick<Request, 'condition' | 'xT' | 'eps'>>()
  return (stream, cover) => {
    const own = stream === alone.stream ? key : Key.foldInString(key, stream)
    const shared = drawn.get(stream) ?? {
      condition: each(group, batch, conditions(Key.foldInString(own, 'condition'), Math.ceil(batch / group))),
      ...noise(problem, own)
    }
    drawn.set(stream, shared)
    return {
      cover,
      params: switchedTo(problem, cover, copied),
      ...shared,
      xi: directions(problem, cover, Key.foldInString(own, 'xi')),
      ...(branches(cover).length === 0 ? {} : { fresh: fresh(problem, Key.foldInString(own, 'fresh')) }),
      weights: new Array<number>(batch).fill(1 / batch),
      advantageState,
      origin: { key, stream, sign: 1 },
      ...(group === 1 ? {} : { groups: Array.from({ length: batch }, (_, row) => Math.floor(row / group)) })
    }
  }
}

/**
 * Parameters that give a chain its noise on the steps that a cover scores, where they tell which have it; else as they are.
 *
 * @category parameters
 * @since 0.1.0
 */
export const switchedTo = (
  { chain: { switched, T: steps } }: AnyProblem,
  cover: Cover.Cover,
  params: Values
): Values => {
  if (switched === undefined) return params
  const scored = new Set(cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell.from] : [])))
  const told = T.toFloat32(T.tabulate([steps + 1], (t) => (scored.has(t) ? 1 : 0)))
  return { ...params, [switched.path]: told }
}

/** Rows that are each taken `group` times in a row, `batch` in all. */
const each = (group: number, batch: number, values: Values): Values =>
  group === 1
    ? values
    : Object.fromEntries(
        Object.entries(values).map(([name, { shape, data }]) => {
          const [, ...rest] = shape
          const width = T.size(rest)
          const rows = Float32Array.from(
            { length: batch * width },
            (_, i) => data[Math.floor(i / width / group) * width + (i % width)] ?? 0
          )
          return [name, { shape: [batch, ...rest], data: rows }]
        })
      )

/**
 * A uniform number for each name, from a key.
 *
 * @category drawing
 * @since 0.1.0
 */
export const uniforms =
  (key: Key.Key): Uniforms =>
  (name) => {
    const own = Key.foldInString(key, name === alone.choice ? 'cover' : `cover ${name}`)
    return Draw.uniform(own, [1]).data[0] ?? 0
  }

/**
 * The noises of one batch: `xT` and the `eps` of all steps, in f32, from a key.
 *
 * @category drawing
 * @since 0.1.0
 */
export const noise = (
  { chain, batch }: Pick<AnyProblem, 'chain' | 'batch'>,
  key: Key.Key
): { readonly xT: Tensor; readonly eps: Tensor } => {
  const state = sizes(chain.state, batch)
  return {
    xT: draw32(chain.noise.density, Key.foldInString(key, 'xT'), state),
    eps: draw32(chain.noise.density, Key.foldInString(key, 'eps'), [chain.T, ...state])
  }
}

/**
 * The noises of siblings, in f32, from a key: those below the state of step `at`, for the `k`-th continuation.
 *
 * @category drawing
 * @since 0.1.0
 */
export const fresh =
  ({ chain, batch }: Pick<AnyProblem, 'chain' | 'batch'>, key: Key.Key): NonNullable<Request['fresh']> =>
  (at, k) =>
    draw32(chain.noise.density, Key.foldIn(Key.foldIn(key, at), k), [at, ...sizes(chain.state, batch)])

/**
 * The directions of a cover's zeroth-order cell, none where it has none, from a key.
 *
 * @category drawing
 * @since 0.1.0
 */
export const directions = ({ chain, batch, trained }: AnyProblem, cover: Cover.Cover, key: Key.Key): Values => {
  const cell = Cover.zerothOrderCell(cover)
  if (cell === undefined) return {}
  const shapes = directionShapes(chain.parameters, trained, cell.perturbation, chain.T)
  return Object.fromEntries(
    Object.entries(shapes).map(([path, shape]) => [
      path,
      Draw.normal32(Key.foldInString(key, path), sizes(shape, batch))
    ])
  )
}

const sizes = (shape: Shape, batch: number): ReadonlyArray<number> =>
  shape.map((d) => (typeof d === 'number' ? d : batch))

// -------------------------------------------------------------------------------------
// parameters that rows have copies of
// -------------------------------------------------------------------------------------

/**
 * The shapes of the trained parameters without the copies that each row may have of them, by path.
 *
 * @category parameters
 * @since 0.1.0
 */
export const sharedShapes = ({ chain, trained }: AnyProblem): Readonly<Record<string, Shape>> =>
  Object.fromEntries(
    trainedShapes(chain.parameters, trained).map(([path, shape]) => [
      path,
      shape[0] === 'batch' ? shape.slice(1) : shape
    ])
  )

/**
 * The gradient of the shared parameters: the sum of the rows' where each row has a copy.
 *
 * @category parameters
 * @since 0.1.0
 */
export const gather = ({ chain, trained }: AnyProblem, gradient: Values): Values => {
  const shapes = new Map(trainedShapes(chain.parameters, trained))
  return Object.fromEntries(
    Object.entries(gradient).map(([path, value]) => {
      if (shapes.get(path)?.[0] !== 'batch') return [path, value]
      const shape = value.shape.slice(1)
      const data = new Float32Array(T.size(shape))
      value.data.forEach((g: number, i: number) => {
        data[i % data.length] = (data[i % data.length] ?? 0) + g
      })
      return [path, { shape, data }]
    })
  )
}

/**
 * The shared parameters with a copy for each of `rows` rows of those that the chain keeps for each row.
 *
 * @category parameters
 * @since 0.1.0
 */
export const copies = ({ chain }: AnyProblem, rows: number, params: Values): Values =>
  spread(new Map(trainedShapes(chain.parameters, () => true)), rows, params)

/** A copy for each row of the parameters that are declared so. */
const spread = (shapes: ReadonlyMap<string, Shape>, batch: number, params: Values): Values =>
  Object.fromEntries(
    Object.entries(params).map(([path, value]) => {
      if (shapes.get(path)?.[0] !== 'batch') return [path, value]
      const n = value.data.length
      const data = new Float32Array(batch * n)
      for (let row = 0; row < batch; row++) data.set(value.data, row * n)
      return [path, { shape: [batch, ...value.shape], data }]
    })
  )
