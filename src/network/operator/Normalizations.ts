/**
 * Normalisations.
 *
 * Each brings numbers to mean 0 and variance 1 over some axes, `z = (x - mean) / sqrt(variance + epsilon)`, and maps them affinely.
 * With `g` the cotangent times the gain, what comes back is `(g - mean(g) - z mean(g z)) / deviation`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Shape } from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import { type Applied, type Call, number, refuse, type Row, shapeAt } from '../graph/Operator.js'

interface Normal {
  readonly z: Expr
  readonly mean: Expr
  readonly inverse: Expr
  readonly variance: Expr
  readonly back: (g: Expr) => Expr
}

/** The numbers of `x` at mean 0 and variance 1 over axes; `mean`, `inverse` and `variance` without those. */
const standard = (x: Expr, axes: ReadonlyArray<number>, epsilon: number): Normal => {
  const at = (reduced: Expr): Expr => A.spread(reduced, x.shape, axes)
  const mean = A.mean(x, axes)
  const centred = X.sub(x, at(mean))
  const variance = A.mean(X.mul(centred, centred), axes)
  const inverse = X.div(X.fill(variance.shape, 1), X.sqrt(X.add(variance, X.scalar(epsilon))))
  const z = X.mul(centred, at(inverse))
  return {
    z,
    mean,
    inverse,
    variance,
    back: (g) => X.mul(X.sub(X.sub(g, at(A.mean(g, axes))), X.mul(z, at(A.mean(X.mul(g, z), axes)))), at(inverse))
  }
}

/** A vector as a factor of each entry of an axis. */
const onAxis = (vector: Expr, shape: Shape, axis: number): Expr =>
  X.broadcastTo(
    X.reshape<Shape>(
      vector,
      shape.map((d, i) => (i === axis ? d : 1))
    ),
    shape
  )

const offAxis = (bar: Expr, axis: number, vector: Expr): Expr =>
  X.reshape<Shape>(
    A.sum(
      bar,
      bar.shape.flatMap((_, i) => (i === axis ? [] : [i]))
    ),
    vector.shape
  )

const epsilonOf = (call: Call): number => number(call, 'epsilon', 1e-5)

/** `z` times a gain plus a bias, where both broadcast, and what comes back. */
const affine = (
  x: Expr,
  { z, back }: Normal,
  gain: Expr | undefined,
  bias: Expr | undefined,
  wide: (vector: Expr) => Expr,
  narrow: (bar: Expr, vector: Expr) => Expr
): Applied => {
  const scaled = gain === undefined ? z : X.mul(z, wide(gain))
  const value = bias === undefined ? scaled : X.add(scaled, wide(bias))
  return {
    values: [value],
    back: ([bar = x]) => [
      back(gain === undefined ? bar : X.mul(bar, wide(gain))),
      gain && narrow(X.mul(bar, z), gain),
      bias && narrow(bar, bias)
    ]
  }
}

const layerNorm: Row = {
  name: 'LayerNormalization',
  build: (call) => {
    const shape = shapeAt(call)
    const first = A.axisOf(number(call, 'axis', -1), shape.length)
    const axes = A.upTo(shape.length).slice(first)
    return E.right({
      apply: ([x = X.scalar(0), gain, bias]) => {
        const normal = standard(x, axes, epsilonOf(call))
        const kept = A.kept(shape, axes)
        const { values, back } = affine(
          x,
          normal,
          gain,
          bias,
          (vector) => X.broadcastTo(vector, shape),
          (bar, vector) => X.sumTo<Shape>(bar, vector.shape)
        )
        const moments = [normal.mean, normal.inverse].map((one) => X.reshape<Shape>(one, kept))
        return { values: [...values, ...moments], back: call.outputs > 1 ? undefined : back }
      },
      kinds: ['float', 'float', 'float']
    })
  }
}

/** The channels of `[batch, channels, ...]` in groups, each of which is normalised over its places. */
const grouped = (x: Expr, groups: number, epsilon: number): Normal => {
  const [n = 1, c = 1, ...places] = x.shape
  const channels = typeof c === 'number' ? c / groups : 0
  const shape: Shape = [n, groups, channels, ...places]
  const axes = A.upTo(shape.length).slice(2)
  const { z, back, ...rest } = standard(X.reshape<Shape>(x, shape), axes, epsilon)
  return {
    ...rest,
    z: X.reshape<Shape>(z, x.shape),
    back: (g) => X.reshape<Shape>(back(X.reshape<Shape>(g, shape)), x.shape)
  }
}

/** A number for each group as one for each of its channels. */
const perChannel = (vector: Expr, channels: number): Expr => {
  const groups = A.length(vector.shape, 0)
  return X.reshape<Shape>(X.broadcastTo(X.reshape<Shape>(vector, [groups, 1]), [groups, channels / groups]), [channels])
}

const perGroup = (bar: Expr, vector: Expr): Expr => {
  const [groups, channels] = [A.length(vector.shape, 0), A.length(bar.shape, 0)]
  return A.sum(X.reshape<Shape>(bar, [groups, channels / groups]), [1])
}

const groupNorm: Row = {
  name: 'GroupNormalization',
  build: (call) => {
    const [shape, groups] = [shapeAt(call), number(call, 'num_groups', 1)]
    const channels = A.length(shape, 1)
    if (channels % groups !== 0 || channels === 0)
      return refuse(`a divisor of ${channels} channels`, `${groups} groups`)
    return E.right({
      apply: ([x = X.scalar(0), gain, bias]) =>
        affine(
          x,
          grouped(x, groups, epsilonOf(call)),
          gain,
          bias,
          (vector) => onAxis(perChannel(vector, channels), shape, 1),
          (bar, vector) => perGroup(offAxis(bar, 1, X.zeros([channels])), vector)
        )
    })
  }
}

const instanceNorm: Row = {
  name: 'InstanceNormalization',
  build: (call) => {
    const shape = shapeAt(call)
    const channels = A.length(shape, 1)
    return E.right({
      apply: ([x = X.scalar(0), gain, bias]) =>
        affine(
          x,
          grouped(x, channels, epsilonOf(call)),
          gain,
          bias,
          (vector) => onAxis(vector, shape, 1),
          (bar, vector) => offAxis(bar, 1, vector)
        )
    })
  }
}

const batchNorm: Row = {
  name: 'BatchNormalization',
  fixed: [3, 4],
  build: (call) => {
    const [shape, epsilon] = [shapeAt(call), epsilonOf(call)]
    const training = number(call, 'training_mode', 0) === 1
    const at = (vector: Expr): Expr => onAxis(vector, shape, 1)
    if (shape.length < 2) return refuse('a batch with channels', Sh.show(shape))
    if (training) {
      const momentum = number(call, 'momentum', 0.9)
      const axes = A.upTo(shape.length).filter((axis) => axis !== 1)
      const moved = (old: Expr, now: Expr): Expr => X.add(X.scale(old, momentum), X.scale(now, 1 - momentum))
      return E.right({
        apply: ([x = X.scalar(0), gain, bias, mean = x, variance = x]) => {
          const normal = standard(x, axes, epsilon)
          const { values, back } = affine(x, normal, gain, bias, at, (bar, vector) => offAxis(bar, 1, vector))
          return { values: [...values, moved(mean, normal.mean), moved(variance, normal.variance)], back }
        },
        kinds: ['float', 'float', 'float']
      })
    }
    return E.right({
      apply: ([x = X.scalar(0), gain = x, bias = x, mean = x, variance = x]) => {
        const inverse = X.div(X.fill(variance.shape, 1), X.sqrt(X.add(variance, X.scalar(epsilon))))
        const z = X.mul(X.sub(x, at(mean)), at(inverse))
        return {
          values: [X.add(X.mul(z, at(gain)), at(bias))],
          back: ([bar = x]) => [
            X.mul(bar, at(X.mul(gain, inverse))),
            offAxis(X.mul(bar, z), 1, gain),
            offAxis(bar, 1, bias)
          ]
        }
      }
    })
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [layerNorm, groupNorm, instanceNorm, batchNorm]
