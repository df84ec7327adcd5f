/**
 * What the worker of the page of faces computes: a fine-tune of the faces' model, its samples on the same noise after each step, and
 * what the judges say of them. It is the fine-tune of the program, of the same library.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { showError as showDocumentError } from 'halforder/document/Document'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import { loadClassifier, loadModel, showError as showModelError, type DescribedModel } from 'halforder/network/Model'
import type { TrainedClassifier } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import type { Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Config from 'halforder/training/Config'
import * as Finetune from 'halforder/training/Finetune'
import { pairwiseDistance } from 'halforder/training/measure/Diversity'
import * as Setup from 'halforder/training/Setup'
import { language } from '../../../cli/tasks/faces/Conditions.js'
import { heldOut, shelf } from '../../../cli/tasks/faces/Rewards.js'
import { camera, scale } from '../Camera.js'
import * as Design from './Design.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** The files that a fine-tune is made of. */
export interface Files {
  readonly model: Uint8Array
  readonly classifier: Uint8Array
  readonly judge: Uint8Array
}

/**
 * Where a fine-tune is: the samples, their mean reward, that by the judge whose weights no reward has, the mean distance of two
 * samples, and of the last step's batch the divergence from the base model along the chain, where it has a price.
 */
export interface Frame {
  readonly step: number
  readonly images: Float32Array
  readonly side: number
  readonly reward: number | undefined
  readonly heldOut: number | undefined
  readonly diversity: number
  readonly kl: number | undefined
}

/** A fine-tune that goes on. `saved`: the model as it is now, as a file. */
export interface Tuning {
  readonly step: () => Promise<E.Either<string, number>>
  readonly frame: () => Promise<E.Either<string, Frame>>
  readonly saved: () => E.Either<string, Uint8Array>
  readonly dispose: () => Promise<void>
}

interface Parts {
  readonly model: DescribedModel
  readonly classifier: TrainedClassifier
  readonly judge: TrainedClassifier
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const read = (files: Files): E.Either<string, Parts> =>
  pipe(
    E.Do,
    E.bind('model', () => loadModel(files.model)),
    E.bind('classifier', () => loadClassifier(files.classifier)),
    E.bind('judge', () => loadClassifier(files.judge)),
    E.mapLeft(showModelError),
    E.filterOrElse(
      ({ model, classifier }) =>
        model.denoiser.features === classifier.description.features && model.decoder._tag === 'None',
      ({ model, classifier }) =>
        `expected a model of images of ${classifier.description.features} numbers, got one of ${model.denoiser.features}; load one of faces`
    )
  )

const configOf = (design: Design.Design): E.Either<string, Config.Config> =>
  pipe(
    Named.document(design.estimator),
    E.flatMap((estimator) =>
      Config.decode()({
        task: 'faces',
        model: 'faces-mlp',
        reward: design.reward,
        prompt: design.prompt,
        estimator,
        trained: ['**.labels.bias'],
        kl: { beta: design.kl },
        optimizer: { learningRate: design.rate },
        batch: design.batch,
        mode: design.mode,
        seed: design.seed
      })
    ),
    E.mapLeft(showDocumentError)
  )

/** The fine-tune of a design. Left: what does not fit, and what to do. */
export const tuning = (design: Design.Design, files: Files, target: Target): E.Either<string, Tuning> =>
  pipe(
    read(files),
    E.bindTo('parts'),
    E.bind('config', () => configOf(design)),
    E.let('rewards', ({ parts: { classifier } }) => shelf({ classifier, blackBoxes: {} })),
    E.bind('setup', ({ parts: { model }, config, rewards }) =>
      pipe(
        Setup.setup(config, { model, rewards, language: language(model.denoiser.labels) }, target),
        E.mapLeft(showDocumentError)
      )
    ),
    E.let('c', ({ parts: { model }, setup }) => {
      const { c } = setup.conditions(Key.foldInString(Key.make(design.seed), 'told'), Design.shown)
      return (
        c ?? {
          shape: [Design.shown, model.denoiser.labels],
          data: new Float32Array(Design.shown * model.denoiser.labels)
        }
      )
    }),
    E.bind('shots', ({ setup, c }) =>
      camera(setup.base.chain, c, Key.foldInString(Key.make(design.seed), 'shown'), target)
    ),
    E.bind('own', ({ parts: { model }, rewards, c }) => scale(design.reward, { model, rewards, c }, target)),
    E.bind('other', ({ parts: { model, judge }, c }) =>
      scale(design.reward, { model, rewards: heldOut(judge, 1).rewards, c }, target)
    ),
    E.bind('run', ({ setup: { problem, optimizer, conditions } }) =>
      pipe(Finetune.compile(problem, { optimizer, conditions, target }), E.mapLeft(Gradient.showError))
    ),
    E.map(({ parts: { model }, config, setup, shots, own, other, run }): Tuning => {
      let state = run.start(setup.initial)
      let kl: number | undefined
      return {
        step: async () => {
          const made = await run.step(Key.make(config.seed), state)()
          if (E.isLeft(made)) return E.left(Finetune.showError(made.left))
          const { stepRewards } = made.right
          state = made.right.state
          kl = design.kl > 0 ? -mean(stepRewards) / design.kl : undefined
          return E.right(state.step)
        },
        frame: async () => {
          const states = await shots.shot(state.params)
          if (E.isLeft(states)) return states
          const x0: Tensor = states.right.at(-1) ?? { shape: [0, 0], data: new Float32Array() }
          return E.right({
            step: state.step,
            images: Float32Array.from(x0.data),
            side: Math.sqrt(model.denoiser.features / 3),
            reward: await own.mean(x0),
            heldOut: await other.mean(x0),
            diversity: pairwiseDistance(x0),
            kl
          })
        },
        saved: () =>
          pipe(
            setup.finished(state.params),
            E.mapLeft(showDocumentError),
            E.flatMap((values) =>
              pipe(
                model.encode(
                  values,
                  { ...model.metadata, finetuned: JSON.stringify({ ...design, steps: state.step }) },
                  'own'
                ),
                E.mapLeft(showModelError)
              )
            )
          ),
        dispose: async () => {
          await run.dispose()
          await shots.dispose()
          await own.dispose()
          await other.dispose()
        }
      }
    })
  )

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
