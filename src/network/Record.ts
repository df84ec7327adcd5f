/**
 * The record of what a model's numbers mean, as a document.
 *
 *     { "alphaBar": [0.999, 0.998], "prediction": "epsilon" }
 *     { "scheduler": { "_class_name": "DDPMScheduler", "num_train_timesteps": 1000 } }
 *     { "flow": { "data": 1, "noise": 0 }, "prediction": "clean", "labels": 10, "nullLabel": 10, "range": [0, 1] }
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { decodeWith, type DocumentError, fault, finite, listUpTo, oneOf, whole, wholeIn } from '../document/Document.js'
import { anyScheduler, type FlowScheduler, meaning as said, type Scheduler } from './diffusers/Scheduler.js'
import type { Imported } from './graph/Import.js'
import type { Meaning } from './Meaning.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

const mostSteps = 100_000

const ends = t.tuple([finite, finite], 'two numbers')

const Codec = t.partial(
  {
    scheduler: t.UnknownRecord,
    alphaBar: listUpTo(finite, mostSteps),
    flow: t.type({ data: finite, noise: finite }, 'the times of the data and of the noise'),
    prediction: oneOf('epsilon', 'clean', 'velocity', 'flow'),
    layout: oneOf('rows', 'channels first', 'channels last'),
    x: t.string,
    time: t.string,
    label: t.string,
    output: t.string,
    labels: whole,
    nullLabel: wholeIn(0, 2 ** 24),
    guided: ends,
    range: ends
  },
  'a record'
)

/**
 * What a record comes to.
 *
 * @category model
 * @since 0.1.0
 */
export interface Recorded {
  readonly meaning: Meaning
  readonly scheduler: Scheduler | FlowScheduler | undefined
}

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

const schedulerOf = (
  config: Readonly<Record<string, unknown>> | undefined
): E.Either<DocumentError, Scheduler | FlowScheduler | undefined> =>
  config === undefined
    ? E.right(undefined)
    : pipe(
        anyScheduler(config),
        E.mapLeft(({ field, expected, got }) => ({
          ...fault(
            `scheduler.${field}`,
            expected,
            undefined,
            'correct it, or leave `scheduler` out and say `alphaBar`'
          ),
          got
        }))
      )

/** How the state lies, from the shape of the first input that is not a column. */
const layoutOf = ({ inputs }: Pick<Imported, 'inputs'>): Meaning['layout'] =>
  inputs.some(({ shape }) => shape.length > 2) ? 'channels first' : 'rows'

/**
 * The meaning of a document for a model. `layout` may be left out: then images have their channels first; so may be what a scheduler
 * says. Left: a field that is unknown or not of its kind, a prediction that is not said.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  (model: Pick<Imported, 'inputs'>) =>
  (document: unknown): E.Either<DocumentError, Recorded> =>
    pipe(
      decodeWith(Codec, document),
      E.bindTo('given'),
      E.bind('scheduler', ({ given }) => schedulerOf(given.scheduler)),
      E.flatMap(({ given: { scheduler: _, ...given }, scheduler }) => {
        const { prediction, ...rest } = { ...(scheduler === undefined ? {} : said(scheduler)), ...given }
        return prediction === undefined
          ? E.left<DocumentError>(
              fault(
                'prediction',
                'epsilon, clean, velocity or flow',
                undefined,
                'set `prediction` to what the output is'
              )
            )
          : E.right({ meaning: { layout: layoutOf(model), ...rest, prediction }, scheduler })
      })
    )

/**
 * A record to be filled in, as lines of JSON: what has to be said of a model before it can be sampled.
 *
 * @category utils
 * @since 0.1.0
 */
export const template = ({ inputs }: Pick<Imported, 'inputs'>): string => {
  const labelled = inputs.some(({ name }) => /label|class|^y$/.test(name))
  return JSON.stringify({
    scheduler: { _class_name: 'DDPMScheduler', num_train_timesteps: 1000, beta_schedule: 'linear' },
    prediction: 'epsilon',
    ...(labelled ? { labels: 10, nullLabel: 10 } : {})
  })
}
