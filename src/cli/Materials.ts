/**
 * The networks that ship and the rewards that need an encoder.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type * as Setup from '../finetune/Setup.js'
import * as Aesthetic from '../model/Aesthetic.js'
import * as Model from '../model/Model.js'
import * as Files from './Files.js'
import { broken, file, type Step } from './FinetuneRun.js'
import * as Jpeg from './Jpeg.js'

const asset = (name: string): string => join(Files.packageFolder(), 'assets', name)

/**
 * Reads what a configuration may draw on: the shipped networks, and the black-box rewards.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadMaterials: Step<Setup.Materials> = pipe(
  TE.Do,
  TE.bind('model', () =>
    pipe(
      file(Files.read(asset('faces-mlp.safetensors'))),
      TE.flatMapEither((bytes) =>
        pipe(
          Model.loadModel(bytes),
          E.mapLeft((error) => broken(Model.showError(error)))
        )
      )
    )
  ),
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
  TE.let('blackBoxes', () => Jpeg.rewards())
)
