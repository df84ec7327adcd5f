/**
 * The networks that ship and the rewards that need an encoder.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { defaults, type Config } from '../finetune/Config.js'
import type * as Setup from '../finetune/Setup.js'
import * as Aesthetic from '../model/Aesthetic.js'
import * as Model from '../model/Model.js'
import * as Files from './Files.js'
import { broken, file, type Step } from './FinetuneRun.js'
import * as Jpeg from './Jpeg.js'
import { framesOf, loadNamed } from './ModelFile.js'

const asset = (name: string): string => join(Files.packageFolder(), 'assets', name)

/**
 * Reads what a configuration may draw on: the model that it names, the shipped classifier, and the black-box rewards.
 *
 * @category effects
 * @since 0.1.0
 */
export const materialsOf = (config: Pick<Config, 'model'>): Step<Setup.Materials> =>
  pipe(
    TE.Do,
    TE.bind('model', () => loadNamed(config.model)),
    TE.bind('classifier', () =>
      pipe(
        file(Files.read(asset('classifier.safetensors'))),
        TE.flatMapEither((bytes) =>
          pipe(
            Model.loadClassifier(bytes),
            E.mapLeft((error) => broken(Model.showError(error)))
          )
        )
      )
    ),
    TE.bind('aesthetic', () =>
      pipe(
        file(Files.read(asset('aesthetic.safetensors'))),
        TE.flatMapEither((bytes) =>
          pipe(
            Aesthetic.loadAesthetic(bytes),
            E.mapLeft((error) => broken(Model.showError(error)))
          )
        )
      )
    ),
    TE.let('frames', ({ model }) => framesOf(model.description)),
    TE.let('blackBoxes', ({ frames }) => Jpeg.rewards(frames))
  )

/**
 * The same with the shipped model of faces.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadMaterials: Step<Setup.Materials> = /*#__PURE__*/ materialsOf(defaults)
