/**
 * The training of the score that ships, on choices between drawn faces.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Model from 'halforder/network/Model'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Trained, Training } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { under } from 'halforder/tensor/Program'
import type { Tensor } from 'halforder/tensor/Tensor'
import type { Recipe } from 'halforder/training/Pretrain'
import * as Aesthetic from './Aesthetic.js'
import * as Objective from './AestheticObjective.js'
import * as Faces from './Faces.js'
import * as Preference from './Preference.js'
import { draw } from './Renderer.js'

/** How the shipped score is trained. */
const recipe: Recipe = {
  steps: 4000,
  learningRate: 3e-3,
  warmup: 100,
  beta2: 0.999,
  weightDecay: 1e-3,
  clip: 1,
  average: 0.999
}

// -------------------------------------------------------------------------------------
// data
// -------------------------------------------------------------------------------------

/** How many faces are held out, beside those for training: half as many pairs, in each of which both faces are new. */
const heldOutFaces = (faces: number): number => Math.min(8192, Math.ceil(faces / 2))

const sample = (key: Key.Key, count: number): ReadonlyArray<Faces.Attributes> =>
  pipe(
    Faces.sample(Draw.uniform(key, [count, Faces.attributeNames.length])),
    // uniforms of the right shape in (0, 1) are faces
    E.getOrElse((): ReadonlyArray<Faces.Attributes> => [])
  )

interface Data {
  readonly training: Tensor
  readonly heldOut: Tensor
}

/** Faces to learn from, and other faces to judge by, each of which occurs once. */
const dataOf = (key: Key.Key, faces: number): Data => {
  const code = (face: Faces.Attributes): string => Faces.encode(face).join('')
  const training = sample(Key.foldInString(key, 'training'), faces)
  const seen = new Set(training.map(code))
  const fresh = new Map(
    sample(Key.foldInString(key, 'held-out'), 4 * heldOutFaces(faces))
      .map((face) => [code(face), face] as const)
      .filter(([name]) => !seen.has(name))
  )
  return { training: draw(training).images, heldOut: draw([...fresh.values()].slice(0, heldOutFaces(faces))).images }
}

// -------------------------------------------------------------------------------------
// the training
// -------------------------------------------------------------------------------------

const scoresOf = (images: Tensor, { target, parameters }: Trained): TE.TaskEither<string, Tensor> =>
  pipe(
    Build.using(target, { batch: images.shape[0] ?? 1 })('score', Objective.scoring(Aesthetic.shipped))((run) =>
      run({ ...under('params', parameters), x: images })
    ),
    TE.mapLeft(Build.showError),
    TE.flatMapEither(({ score }) => (score === undefined ? E.left('the program has no score') : E.right(score)))
  )

/**
 * The score as a training: choices between pairs of faces, judged on pairs in which both faces are new.
 *
 * @category constructors
 * @since 0.1.0
 */
export const aestheticTraining: Training = {
  about: 'the score of images, learned from choices',
  network: Aesthetic.shipped,
  objective: () => Objective.preferring(Aesthetic.shipped),
  recipe,
  batch: 128,
  examples: 16_384,
  prepare: (key, examples) => {
    if (examples < 2) return TE.left(`--examples: expected at least 2, got ${examples}`)
    const { training, heldOut } = dataOf(key, examples)
    return TE.right({
      details: {},
      batches: (batch, of) => Objective.choicesAt(training, Preference.utilities(training), batch, of),
      judge: (trained) =>
        pipe(
          scoresOf(heldOut, trained),
          TE.map((scores) => Preference.quality(scores.data, Preference.utilities(heldOut), trained.key)),
          TE.map((found) => ({
            numbers: { ...found },
            pictures: {},
            line:
              `${found.pairs} held-out pairs, accuracy ${found.accuracy.toFixed(4)} +- ${found.standardError.toFixed(4)}, ` +
              `true utility ${found.trueAccuracy.toFixed(4)}, Bayes rate ${found.bayesRate.toFixed(4)}, correlation ${found.correlation.toFixed(4)}`
          }))
        )
    })
  },
  encode: (parameters, metadata) =>
    pipe(Aesthetic.encodeAesthetic(Aesthetic.shipped, parameters, metadata), E.mapLeft(Model.showError)),
  decode: (bytes) =>
    pipe(
      Aesthetic.loadAesthetic(bytes),
      E.bimap(Model.showError, ({ parameters }) => parameters)
    )
}
