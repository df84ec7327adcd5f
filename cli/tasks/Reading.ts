/**
 * What is read in images by networks, and images that networks draw: for judgements of trainings, and for rewards that are held out.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { guided } from 'halforder/chain/Denoiser'
import { ddim } from 'halforder/chain/sampler/Ddim'
import { schedules } from 'halforder/chain/Share'
import { erase } from 'halforder/lens/Erase'
import * as L from 'halforder/lens/Lens'
import type { Lens, Params } from 'halforder/lens/Lens'
import type { Rows } from 'halforder/lens/Rows'
import { classifier } from 'halforder/network/Classifier'
import type { NumbersDescription } from 'halforder/network/Description'
import { loadClassifier, showError as showModelError, type TrainedClassifier } from 'halforder/network/Model'
import { decoder, denoiser, featuresOf } from 'halforder/network/Network'
import type * as Key from 'halforder/random/Key'
import type { Trained } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import * as X from 'halforder/tensor/Expr'
import * as Program from 'halforder/tensor/Program'
import { under, type Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import { joinRows, paddedRows, rows, type Tensor } from 'halforder/tensor/Tensor'
import { frechet, moments } from 'halforder/training/measure/Frechet'
import * as Sampling from 'halforder/training/Sampling'
import * as Files from '../edge/Files.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A stage of judging. Left: a line for a person.
 *
 * @category model
 * @since 0.1.0
 */
export type Judged<A> = TE.TaskEither<string, A>

/**
 * Reads a number for each of some features in each row.
 *
 * @category model
 * @since 0.1.0
 */
export type Reading = (images: Tensor) => Judged<Tensor>

/** How many rows a kernel takes at a time. */
const chunk = 128

/** The steps of the chain that draws. */
const chainSteps = 50

// -------------------------------------------------------------------------------------
// running programs
// -------------------------------------------------------------------------------------

/**
 * A lens on rows as a function of rows of `features` numbers, with the parameters that it declares.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const applying =
  (target: Target, lens: Lens<Params, Rows<number>, Rows<number>>, features: number, parameters: Values): Reading =>
  (images) => {
    const program = Program.make({ params: L.shapes(lens.parameters), x: ['batch', features] }, (inputs) => ({
      value: lens.forward(inputs.params, X.retype(inputs.x, ['batch', features]))
    }))
    const named = under('params', parameters)
    const count = images.shape[0] ?? 0
    return pipe(
      Build.using(target, { batch: chunk })('reading', program)((run) =>
        pipe(
          Array.from({ length: Math.ceil(count / chunk) }, (_, i) => i * chunk),
          TE.traverseSeqArray((from) => run({ ...named, x: paddedRows(from, from + chunk)(images) }))
        )
      ),
      TE.bimap(Build.showError, (parts) => rows(0, count)(joinRows(parts.flatMap(({ value }) => value ?? []))))
    )
  }

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * A classifier that ships, by the name of its file; the one beside the training's folder goes first, where there is one.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const readClassifier =
  (name: string) =>
  ({ folder }: Pick<Trained, 'folder'>): Judged<TrainedClassifier> => {
    const beside = join(folder, `${name}.safetensors`)
    const path = existsSync(beside) ? beside : Files.asset(`${name}.safetensors`)
    return pipe(
      Files.read(path),
      TE.mapLeft(Files.showError),
      TE.flatMapEither((bytes) =>
        pipe(
          loadClassifier(bytes),
          E.mapLeft((error) => `${path}: ${showModelError(error)}`)
        )
      )
    )
  }

/**
 * The classifier's logits of images.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const logitsBy = (target: Target, { description, parameters }: TrainedClassifier): Reading =>
  applying(target, erased(description), description.features, parameters)

/**
 * What the classifier's last layer sees: its hidden features. They are the logits of the same classifier with the identity
 * as its last layer.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const featuresBy = (target: Target, { description, parameters }: TrainedClassifier): Reading => {
  const { hidden, features } = description
  const weight = Float32Array.from({ length: hidden * hidden }, (_, i) => (i % (hidden + 1) === 0 ? 1 : 0))
  return applying(target, erased({ ...description, labels: hidden }), features, {
    ...parameters,
    'out.weight': { shape: [hidden, hidden], data: weight },
    'out.bias': { shape: [hidden], data: new Float32Array(hidden) }
  })
}

const erased = (description: TrainedClassifier['description']): Lens<Params, Rows<number>, Rows<number>> =>
  erase(classifier(description))

/**
 * The Fréchet distance of two sets of images in what a reader sees of them.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const distance = (see: Reading, a: Tensor, b: Tensor): Judged<number> =>
  pipe(
    TE.Do,
    TE.bind('left', () => see(a)),
    TE.bind('right', () => see(b)),
    TE.map(({ left, right }) => frechet(moments(left), moments(right)))
  )

// -------------------------------------------------------------------------------------
// drawing
// -------------------------------------------------------------------------------------

/**
 * Draws rows of pixels for conditions: DDIM with `eta = 1` and 50 steps on the schedule of the denoiser, under guidance of the
 * given scale, decoded where the denoiser works on latents.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const sampler =
  ({ target, parameters }: Pick<Trained, 'target' | 'parameters'>, description: NumbersDescription, guidance: number) =>
  (c: Tensor, key: Key.Key): Judged<Tensor> => {
    const schedule = schedules[description.share](chainSteps)
    const chain = ddim({ denoiser: guided(guidance)(denoiser(description)), schedule, eta: 1 })
    const features = featuresOf(description)
    const own = description.kind === 'latent' ? only('denoiser', parameters) : parameters
    const told = { c }
    return pipe(
      Sampling.sample(
        { chain, parameters: own, condition: () => told, count: c.shape[0] ?? 0, key, batch: chunk },
        target
      ),
      TE.mapLeft(Sampling.showError),
      TE.flatMap(({ x0 }) =>
        pipe(
          decoder(description),
          O.match(
            () => TE.right(x0),
            (lens) => applying(target, lens, features, only('decoder', parameters))(x0)
          )
        )
      )
    )
  }

/**
 * The parameters below a branch, under their own names.
 *
 * @category utils
 * @since 0.1.0
 */
export const only = (branch: string, parameters: Values): Values =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => name.startsWith(`${branch}.`)))
