/**
 * What points of the plane are rewarded for.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { type DocumentError, fault } from 'halforder/document/Document'
import * as Numbers from 'halforder/document/Numbers'
import * as L from 'halforder/lens/Lens'
import type { Lens, None } from 'halforder/lens/Lens'
import type { PerRow } from 'halforder/lens/layer/Loss'
import type { Rows } from 'halforder/lens/Rows'
import { differentiable } from 'halforder/reward/Reward'
import { free, type Named, shelf, type Shelf } from 'halforder/reward/Shelf'
import * as X from 'halforder/tensor/Expr'

/** A linear function of the point. */
const along = (x: number, y: number): Lens<None, Rows<number>, PerRow> =>
  L.pure((points) => {
    const direction = X.constant({ shape: [2, 1], data: Float64Array.of(x, y) }, [2, 1])
    return [
      X.reshape(X.matmul(X.retype(points, ['batch', 2]), direction), ['batch']),
      (bar) => X.retype(X.matmul(X.reshape(bar, ['batch', 1]), X.transpose(direction)), ['batch', 2])
    ]
  })

/** Minus the squared distance to a point. */
const near = (x: number, y: number): Lens<None, Rows<number>, PerRow> =>
  L.pure((points) => {
    const place = X.broadcastTo(X.constant({ shape: [1, 2], data: Float64Array.of(x, y) }, [1, 2]), ['batch', 2])
    const gap = X.sub(X.retype(points, ['batch', 2]), place)
    return [
      X.neg(X.reshape(X.sumTo(X.mul(gap, gap), ['batch', 1]), ['batch'])),
      (bar) => X.scale(X.mul(gap, X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', 2])), -2)
    ]
  })

const directions: Readonly<Record<string, readonly [number, number]>> = {
  right: [1, 0],
  left: [-1, 0],
  up: [0, 1],
  down: [0, -1]
}

const place = (text: string): E.Either<DocumentError, Named> => {
  const [x, y, ...rest] = text.split(',').map(Numbers.parse({}))
  return x !== undefined && y !== undefined && rest.length === 0 && E.isRight(x) && E.isRight(y)
    ? E.right(free(differentiable(`minus the squared distance to (${x.right}, ${y.right})`, near(x.right, y.right))))
    : E.left(fault('reward', 'near:X,Y with two numbers', `near:${text}`, 'write it as near:1,-0.5'))
}

/**
 * The rewards by name: `right`, `left`, `up`, `down`, and `near:X,Y`, minus the squared distance to a point.
 *
 * @category constants
 * @since 0.1.0
 */
export const rewards: Shelf = {
  ...shelf(
    Object.fromEntries(
      Object.entries(directions).map(([name, [x, y]]) => [name, differentiable(`how far ${name}`, along(x, y))])
    )
  ),
  pattern: {
    about: 'near:X,Y such as near:1,-0.5',
    find: (name) => (name.startsWith('near:') ? O.some(place(name.slice('near:'.length))) : O.none)
  }
}
