/**
 * Learning a score from pairwise choices: the loss of Bradley and Terry's model, and the batches that it is trained on.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import type { Rows } from 'halforder/lens/Rows'
import * as L from 'halforder/lens/Lens'
import type { Lens, None, Params } from 'halforder/lens/Lens'
import type { PerRow } from 'halforder/lens/layer/Loss'
import { score, type AestheticDescription, type AestheticParameters } from './Aesthetic.js'
import * as Preference from './Preference.js'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import * as X from 'halforder/tensor/Expr'
import * as Program from 'halforder/tensor/Program'
import type { Values } from 'halforder/tensor/Program'
import type { ShapeError } from 'halforder/tensor/Shape'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Tree from 'halforder/tensor/Tree'
import type { Objective } from 'halforder/training/Objective'

// -------------------------------------------------------------------------------------
// objectives
// -------------------------------------------------------------------------------------

/**
 * Minus the log-likelihood of a choice from the difference `x` of the two scores, the preferred one's being `c = 1` for the
 * first and `c = 0` for the second: `log(1 + exp(x)) - c x`, computed so that nothing overflows. Pullback:
 * `bar (sigmoid(x) - c)`, and `-bar x` to the choice.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bradleyTerry: Lens<None, { readonly x: PerRow; readonly c: PerRow }, PerRow> = L.pure(({ x, c }) => {
  const one = X.scalar(1)
  const softplus = X.add(X.max(x, X.scalar(0)), X.log(X.add(X.exp(X.neg(X.abs(x))), one)))
  return [X.sub(softplus, X.mul(c, x)), (bar) => ({ x: X.mul(bar, X.sub(X.sigmoid(x), c)), c: X.neg(X.mul(bar, x)) })]
})

/**
 * The standard deviation of the pixel noise that the score is trained under, times `time` in (0, 1): the images of a chain
 * are not as clean as drawn faces.
 *
 * @category constants
 * @since 0.1.0
 */
export const pixelNoise = 0.1

/**
 * The objective: rows `x0 [batch, 2 features]` are the two images of a pair, one after the other; `labels [batch, 1]` is 1
 * where the first was preferred and 0 else; both images get pixel noise. The loss is Bradley and Terry's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const preferring = (description: AestheticDescription): Objective<Params> => {
  const features = 3 * description.side ** 2
  const network = score(description)
  return {
    parameters: network.parameters,
    features: 2 * features,
    labels: 1,
    run: (params, { x0, labels, noise, time }) => {
      // the training step passes the tree of inputs that `parameters` declares
      const p = params as AestheticParameters
      const deviation = X.broadcastTo(X.scale(time, pixelNoise), ['batch', 2 * features])
      const seen = X.add(x0, X.mul(deviation, noise))
      const half = (i: number): Rows<number> => X.retype(X.slice(seen, 1, i * features, features), ['batch', features])
      const [first, backFirst] = network.run(p, half(0))
      const [second, backSecond] = network.run(p, half(1))
      const [losses, back] = bradleyTerry.run({}, { x: X.sub(first, second), c: X.reshape(labels, ['batch']) })
      return [
        losses,
        (bar) => {
          const [, { x }] = back(bar)
          return Tree.add(backFirst(x)[0], backSecond(X.neg(x))[0])
        }
      ]
    }
  }
}

// -------------------------------------------------------------------------------------
// batches, and scores
// -------------------------------------------------------------------------------------

/**
 * The batch of a step: choices between random pairs of `images`, whose utilities are given, as a function of the key and the
 * step alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const choicesAt =
  (images: Tensor, utility: ArrayLike<number>, batch: number, key: Key.Key) =>
  (step: number): Values => {
    const at = (name: string): Key.Key => Key.foldInString(Key.foldIn(key, step), name)
    const features = images.shape[1] ?? 1
    const some = Preference.choices(utility, batch, at('choices'))
    const x0 = new Float32Array(batch * 2 * features)
    some.forEach(({ first, second }, i) =>
      [first, second].forEach((row, j) =>
        x0.set(images.data.subarray(row * features, (row + 1) * features), (2 * i + j) * features)
      )
    )
    const time = Draw.uniform(at('time'), [batch, 1])
    return {
      x0: { shape: [batch, 2 * features], data: x0 },
      labels: { shape: [batch, 1], data: Float32Array.from(some, ({ chosen }) => (chosen ? 1 : 0)) },
      noise: Draw.normal32(at('noise'), [batch, 2 * features]),
      time: { shape: [batch, 1], data: Float32Array.from(time.data) }
    }
  }

/**
 * The program that scores images: `params` and rows `x` to `score`, one number a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scoring = (description: AestheticDescription): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const network = score(description)
  return Program.make(
    { params: L.shapes(network.parameters), x: ['batch', 3 * description.side ** 2] },
    ({ params, x }) => ({
      // the tree of inputs has the shapes that the network declares
      score: network.forward(params as AestheticParameters, X.retype(x, ['batch', 3 * description.side ** 2]))
    })
  )
}
