/**
 * What a denoising network is told: the time and the condition, as one embedding beside its argument.
 *
 * @since 0.1.0
 */
import type { DenoiserInput } from '../chain/Denoiser.js'
import { silu } from '../lens/layer/Activation.js'
import type { Carried } from '../lens/Carried.js'
import { labelEmbedding, timeEmbedding } from '../lens/layer/Conditioning.js'
import { dense, type Dense } from '../lens/layer/Dense.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'

/**
 * The parameters of the embedding: dense maps of the time's features and of the condition.
 *
 * @category model
 * @since 0.1.0
 */
export type Told = { readonly time: Dense<number, number>; readonly labels: Dense<number, number> }

/**
 * The argument of a denoising network as what `enter` makes of `x`, beside
 * `silu(dense(time features) + label embedding)` of width `embedding`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const entering = <P extends Params, B extends Expr>(
  enter: Lens<P, Rows<number>, B>,
  { labels, embedding }: { readonly labels: number; readonly embedding: number }
): Lens<P & Told, DenoiserInput<number, number>, Carried<B, Rows<number>>> => {
  const time = L.compose(timeEmbedding<number>(embedding), L.at('time', dense<number, number>(embedding, embedding)))
  const condition = L.at('labels', labelEmbedding<number, number>(labels, embedding))
  const activation = silu<readonly ['batch', number]>()
  return L.make({ ...enter.parameters, ...time.parameters, ...condition.parameters }, (p, input) => {
    const [x, backX] = enter.run(p, input.x)
    const [fromTime, backTime] = time.run(p, input.time)
    const [fromLabels, backLabels] = condition.run(p, input.c)
    const [c, backActivation] = activation.run({}, X.add(fromTime, fromLabels))
    return [
      { x, c },
      (bar) => {
        const [, sumBar] = backActivation(bar.c)
        const [enterBar, xBar] = backX(bar.x)
        const [timeBar, inputTimeBar] = backTime(sumBar)
        const [labelsBar, cBar] = backLabels(sumBar)
        return [
          { ...enterBar, ...timeBar, ...labelsBar },
          { x: xBar, time: inputTimeBar, c: cBar }
        ]
      }
    ]
  })
}
