/**
 * Latents to rows of pixels, on a target: for pictures, and for rewards that are host functions.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import { parameterInputs } from '../chain/Chain.js'
import type { Model } from '../model/Model.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import { showError } from '../tensor/Shape.js'
import { showTargetError, type Target } from '../tensor/Target.js'
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
            TE.fromEither(
              pipe(
                Program.make(
                  { params: L.shapes(decoder.parameters), z: ['batch', model.denoiser.features] },
                  (): { readonly x: X.Expr } => ({
                    x: decoder.forward(
                      parameterInputs('params', decoder.parameters),
                      X.input('z', ['batch', model.denoiser.features])
                    )
                  })
                ),
                E.mapLeft((errors) => errors.map(showError).join('\n')),
                E.flatMap((program) =>
                  pipe(target.compile(program, { batch: outputs.shape[0] ?? 0 }), E.mapLeft(showTargetError))
                )
              )
            ),
            TE.flatMap((executable) =>
              pipe(
                executable.run({ ...Program.under('params', decoderValues(model)), z: outputs }),
                TE.mapLeft(showTargetError),
                TE.chainFirstTaskK(() => () => executable.dispose())
              )
            ),
            TE.map((out) => out['x'] ?? outputs)
          )
      )
    )
