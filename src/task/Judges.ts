/**
 * What a run is judged by, beside the reward that it raises: a reward may be raised by what nobody wants, so that another judge,
 * which no gradient ever saw, has to agree.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import type { Model } from '../network/Model.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Reward } from '../reward/Reward.js'
import { type Named, type Outputs, shelf, type Shelf } from '../reward/Shelf.js'
import { reference, type Target } from '../tensor/Target.js'
import { size, type Tensor } from '../tensor/Tensor.js'
import { reward as rewardOf } from '../training/Setup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The judges of a model's outputs. `rewards` are held-out ones under the names of those that are raised, by other weights and other
 * data; `otherwise` judges what has no such name; `features` are what Fréchet distances are taken in. `measures` are other numbers of
 * an output, by name, which are told beside any reward. What is left out is not judged, but for distances: see `projections`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Judges {
  readonly rewards?: Shelf
  readonly otherwise?: Named
  readonly features?: Features
  readonly measures?: ReadonlyMap<string, Named>
}

/**
 * A space of features: what they are, in words, and how they are read off shown outputs `[N, numbers]`, as `[N, features]`.
 * Left: a line for a person.
 *
 * @category model
 * @since 0.1.0
 */
export interface Features {
  readonly about: string
  readonly read: (target: Target) => (outputs: Tensor) => TE.TaskEither<string, Tensor>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** A covariance of so many features is well determined by a few hundred samples. */
const most = 32

/**
 * Features for outputs of any kind: the numbers of a row themselves where they are at most 32, else their products with 32 fixed
 * directions, which are normal with the variance of one over the numbers of a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const projections: Features = {
  about: `the outputs, or their products with ${most} fixed random directions`,
  read: () => (outputs) => {
    const [rows = 0, ...row] = outputs.shape
    const numbers = size(row)
    if (numbers <= most) return TE.right({ shape: [rows, numbers], data: outputs.data })
    const directions = Draw.normal(Key.foldInString(Key.make(0), 'projections'), [most, numbers]).data
    const data = new Float32Array(rows * most)
    for (let n = 0; n < rows; n++) {
      for (let f = 0; f < most; f++) {
        let total = 0
        for (let k = 0; k < numbers; k++) {
          total += (outputs.data[n * numbers + k] ?? 0) * (directions[f * numbers + k] ?? 0)
        }
        data[n * most + f] = total / Math.sqrt(numbers)
      }
    }
    return TE.right({ shape: [rows, most], data })
  }
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The measures of a model's outputs, in their order, with their names. On a model of latents they decode them, as in `heldOut`.
 *
 * @category readings
 * @since 0.1.0
 */
export const measures = (
  { measures: named = new Map() }: Judges,
  model: Model,
  target: Target = reference
): ReadonlyArray<readonly [name: string, measure: Reward<Params, Outputs, Rows<number>>]> =>
  pipe(
    [...named],
    RA.filterMap(([name, one]) =>
      pipe(
        O.fromEither(rewardOf(name, { model, rewards: { named: new Map([[name, () => one]]) } }, target)),
        O.map((measure) => [name, measure] as const)
      )
    )
  )

/**
 * The held-out reward for a reward of that name, or for a sum of names: the same sum of held-out ones where each has its name
 * among them, else that which judges otherwise, and none where there is none. On a model of latents it decodes them, by `target`
 * for black boxes.
 *
 * @category readings
 * @since 0.1.0
 */
export const heldOut =
  ({ rewards, otherwise }: Judges, model: Model, target: Target = reference) =>
  (name: string): O.Option<Reward<Params, Outputs, Rows<number>>> => {
    const by = (of: Shelf, called: string): O.Option<Reward<Params, Outputs, Rows<number>>> =>
      O.fromEither(rewardOf(called, { model, rewards: of }, target))
    const rest: Shelf = { named: new Map(otherwise === undefined ? [] : [['otherwise', () => otherwise]]) }
    return pipe(
      by(rewards ?? shelf({}), name),
      O.alt(() => by(rest, 'otherwise'))
    )
  }
