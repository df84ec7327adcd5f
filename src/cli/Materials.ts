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
import * as Model from '../model/Model.js'
import type { BlackBox } from '../reward/Reward.js'
import * as Files from './Files.js'
import { broken, file, type Step } from './FinetuneRun.js'
import * as Jpeg from './Jpeg.js'
import { loadNamed } from './ModelFile.js'

const asset = (name: string): string => join(Files.packageFolder(), 'assets', name)

/** Kilobytes of each face as a JPEG, and minus them: DDPO's tasks (arXiv 2305.13301). */
const jpegRewards: Readonly<Record<string, BlackBox>> = Object.fromEntries(
  (
    [
      ['compressibility', -1],
      ['incompressibility', 1]
    ] as const
  ).map(([name, sign]) => [
    name,
    {
      _tag: 'BlackBox',
      name: `${name} (kB of the JPEG)`,
      evaluate: (x0) =>
        pipe(
          Jpeg.jpegSizes(Jpeg.defaultJpegOptions)(x0),
          TE.bimap(
            (error) => ({ _tag: 'RewardError' as const, reward: name, reason: Jpeg.showError(error) }),
            (sizes) => Array.from(sizes, (bytes) => (sign * bytes) / 1000)
          )
        )
    }
  ])
)

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
    TE.let('blackBoxes', () => jpegRewards)
  )

/**
 * The same with the shipped model of faces.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadMaterials: Step<Setup.Materials> = /*#__PURE__*/ materialsOf(defaults)
