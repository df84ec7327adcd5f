/**
 * How good a pretrained network is: the programs that draw and read images, and the numbers that are reported.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { lookup, type Chain } from '../chain/Chain.js'
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as Faces from '../model/Faces.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Shape, ShapeError } from '../tensor/Shape.js'
import type { Executable, TargetError } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

/**
 * The program of one step of a chain, which serves every step: `parameters`, the state `x`, the condition `c`, the noise
 * `eps` and the step's number `t` to the next state `x`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const samplingStep = <P extends Params, D extends number, K extends number>(
  chain: Chain<P, readonly ['batch', D], Rows<K>>,
  labels: K
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const state: Shape = chain.state
  const condition: Shape = ['batch', labels]
  return Program.make(
    { parameters: L.shapes(chain.parameters), x: state, c: condition, eps: state, t: [] },
    ({ parameters, x, c, eps, t }) => {
      const step = X.retype(t, [])
      const argument = { x: X.retype(x, chain.state), c: X.retype(c, ['batch', labels]) }
      // the tree of inputs has the shapes that the chain declares
      const mean = chain.mean(step).forward(parameters as P, argument)
      return { x: X.add(mean, X.mul(X.retype(eps, chain.state), lookup(chain.sigma, step))) }
    }
  )
}

/**
 * The program that reads images: `parameters` and rows `x` to `logits`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reading = <P extends Params>(
  network: Lens<P, Rows<number>, Rows<number>>,
  features: number
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make({ parameters: L.shapes(network.parameters), x: ['batch', features] }, ({ parameters, x }) => ({
    // the tree of inputs has the shapes that the network declares
    logits: network.forward(parameters as P, X.retype(x, ['batch', features]))
  }))

// -------------------------------------------------------------------------------------
// drawing
// -------------------------------------------------------------------------------------

/**
 * Images drawn by a chain of `T` steps for the conditions in the rows of `c`, from the noise of a key.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const draw = async (
  step: Executable,
  T: number,
  features: number,
  parameters: Values,
  c: Tensor,
  key: Key.Key
): Promise<E.Either<TargetError, Tensor>> => {
  const shape = [c.shape[0] ?? 1, features]
  const noise = (t: number): Tensor => Draw.normal32(Key.foldIn(key, t), shape)
  const named = Program.under('parameters', parameters)
  let x: Tensor = noise(T + 1)
  for (let t = T; t >= 1; t--) {
    const result = await step.run({ ...named, x, c, eps: noise(t), t: { shape: [], data: Float32Array.of(t) } })()
    if (E.isLeft(result)) return result
    x = result.right['x'] ?? x
  }
  return E.right(x)
}

// -------------------------------------------------------------------------------------
// numbers
// -------------------------------------------------------------------------------------

/**
 * For each attribute, the share of rows in which the greatest logit of the attribute's block is the labelled one. Rows in
 * which the labels leave the attribute open do not count.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accuracy = (logits: Tensor, labels: Tensor): Readonly<Record<Faces.AttributeName, number>> => {
  const width = Faces.labelWidth
  const rows = labels.shape[0] ?? 0
  const of = (attribute: Faces.AttributeName): number => {
    const { offset, width: values } = Faces.block(attribute)
    let right = 0
    let counted = 0
    for (let row = 0; row < rows; row++) {
      const from = row * width + offset
      const label = labels.data.subarray(from, from + values).indexOf(1)
      if (label < 0) continue
      const scores = logits.data.subarray(from, from + values)
      counted += 1
      right += scores.indexOf(Math.max(...scores)) === label ? 1 : 0
    }
    return right / Math.max(counted, 1)
  }
  return {
    skin: of('skin'),
    hair: of('hair'),
    hairColor: of('hairColor'),
    glasses: of('glasses'),
    hat: of('hat'),
    beard: of('beard'),
    mouth: of('mouth'),
    clothing: of('clothing')
  }
}

/**
 * For each row of `images`, the root mean square of its difference to the same row of `others`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const distances = (images: Tensor, others: Tensor): ReadonlyArray<number> => {
  const [rows = 0, features = 1] = images.shape
  return Array.from({ length: rows }, (_, row) => Math.sqrt(squares(images, row, others, row, Infinity) / features))
}

/**
 * For each row of `images`, the root mean square of its difference to the nearest row of `others`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nearest = (images: Tensor, others: Tensor): ReadonlyArray<number> => {
  const [rows = 0, features = 1] = images.shape
  return Array.from({ length: rows }, (_, row) => {
    let least = Infinity
    for (let other = 0; other < (others.shape[0] ?? 0); other++) {
      least = Math.min(least, squares(images, row, others, other, least))
    }
    return Math.sqrt(least / features)
  })
}

/** The sum of squared differences of two rows, or some number of at least `enough`. */
const squares = (a: Tensor, i: number, b: Tensor, j: number, enough: number): number => {
  const features = a.shape[1] ?? 1
  let total = 0
  for (let k = 0; k < features; k++) {
    total += ((a.data[i * features + k] ?? 0) - (b.data[j * features + k] ?? 0)) ** 2
    if (total >= enough) return total
  }
  return total
}

/**
 * The mean of some numbers; 0 of none.
 *
 * @category utils
 * @since 0.1.0
 */
export const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((total, value) => total + value, 0) / Math.max(values.length, 1)
