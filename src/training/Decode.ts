/**
 * Latents to rows of pixels, on a target: for pictures, and for rewards that are host functions.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import type { Model } from '../network/Model.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Target } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'

/**
 * The values of a model that its decoder reads.
 *
 * @category utils
 * @since 0.1.0
 */
export const decoderValues = ({ parameters }: Model): Values =>
  Object.fromEntries(Object.entries(parameters).filter(([path]) => path.startsWith('decoder.')))

/**
 * What a chain's outputs show: the outputs themselves, or what the model's decoder makes of them. Left: why it could not be
 * compiled or run.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const decode =
  (model: Model, target: Target) =>
  (outputs: Tensor): TE.TaskEither<string, Tensor> =>
    pipe(
      model.decoder,
      O.match(
        () => TE.right(outputs),
        (decoder) =>
          pipe(
            Build.using(target, { batch: outputs.shape[0] ?? 0 })('decoder', program(decoder, model.denoiser.features))(
              (run) => run({ ...Program.under('params', decoderValues(model)), z: outputs })
            ),
            TE.bimap(Build.showError, (out) => out['x'] ?? outputs)
          )
      )
    )

const program = (decoder: Lens<Params, Rows<number>, Rows<number>>, features: number): Build.Closed =>
  Program.make({ params: L.shapes(decoder.parameters), z: ['batch', features] }, (): { readonly x: X.Expr } => ({
    x: decoder.forward(L.parameterInputs('params', decoder.parameters), X.input('z', ['batch', features]))
  }))
