/**
 * Whether what a record says of a model can be so: how the output moves with the state where that is noise alone.
 *
 * There a model of the noise gives the state back, and one of straight paths the state less a constant; what the data are, or the velocity,
 * hardly depends on it. A record that says another prediction, turns the times around, or counts them otherwise than the
 * model does, shows there.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { showError } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import * as Program from '../tensor/Program.js'
import type { Target } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Imported } from './graph/Import.js'
import { type Meaning, networkOf, unitOf } from './Meaning.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How the output moves with a state of noise: by how much for each unit, and the share of its variance that this explains.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moved {
  readonly slope: number
  readonly explained: number
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

const rows = 16

/** The slope of outputs in states, both less their mean over the rows. */
const moved = (states: Tensor, outputs: Tensor): Moved => {
  const features = states.data.length / rows
  const [sums, totals] = [new Float64Array(features), new Float64Array(features)]
  for (let i = 0; i < states.data.length; i++) {
    const at = i % features
    sums[at] = (sums[at] ?? 0) + (states.data[i] ?? 0) / rows
    totals[at] = (totals[at] ?? 0) + (outputs.data[i] ?? 0) / rows
  }
  let [xx, xy, yy] = [0, 0, 0]
  for (let i = 0; i < states.data.length; i++) {
    const x = (states.data[i] ?? 0) - (sums[i % features] ?? 0)
    const y = (outputs.data[i] ?? 0) - (totals[i % features] ?? 0)
    xx += x * x
    xy += x * y
    yy += y * y
  }
  return { slope: xy / xx, explained: yy === 0 ? 0 : xy ** 2 / (xx * yy) }
}

/**
 * How a model's output moves with its state at the noisiest time that its record says. On straight paths it is that of `noise - data`. Left:
 * the field of the record that has to say something else, or what the target says.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const atNoise =
  (target: Target) =>
  (model: Imported, meaning: Meaning): TE.TaskEither<string, Moved> =>
    pipe(
      TE.fromEither(networkOf(model, meaning)),
      TE.mapLeft(showError),
      TE.flatMap(({ lens, features, labels }) => {
        const time = meaning.flow === undefined ? ((meaning.alphaBar ?? []).length - 1) / unitOf(meaning) : 1
        const program = Program.make(
          { p: L.shapesOf(lens), x: ['batch', features], time: ['batch', 1], c: ['batch', labels] },
          ({ p, x, time: told, c }) => ({ out: lens.forward(p, { x, time: told, c }) })
        )
        const x = Draw.normal(Key.make(1), [rows, features])
        const values = {
          ...Program.under('p', model.values),
          x,
          time: { shape: [rows, 1], data: new Float64Array(rows).fill(time) },
          c: { shape: [rows, labels], data: new Float64Array(rows * labels) }
        }
        return pipe(
          Build.using(target, { batch: rows })('the noisiest step', program)((run) => run(values)),
          TE.bimap(Build.showError, ({ out }) => moved(x, out ?? x))
        )
      })
    )

/**
 * What of a record cannot be so, in words that name its field; nothing where it may be.
 *
 * @category readings
 * @since 0.1.0
 */
export const doubts = ({ prediction }: Meaning, { slope, explained }: Moved): ReadonlyArray<string> => {
  const follows = slope > 0.7 && explained > 0.5
  const measured = `at the noisiest time the output moves by ${slope.toFixed(2)} for each unit of the state (${Math.round(100 * explained)} % of it)`
  if (prediction === 'epsilon' && !follows) {
    return [
      `prediction: ${measured}, and a model of the noise moves by 1: set \`prediction\` to clean or velocity, or say in \`alphaBar\` or \`scheduler\` the steps that it was trained at; or it is not trained`
    ]
  }
  if (prediction === 'flow' && slope < -0.7 && explained > 0.5) {
    return [`flow: ${measured}, and \`noise - data\` moves by 1: exchange \`flow.data\` and \`flow.noise\``]
  }
  if (prediction === 'flow' && !follows) {
    return [
      `prediction: ${measured}, and \`noise - data\` moves by 1: set \`prediction\` to clean, or say in \`flow\` the times that it is told, which are 0 and 1 or 0 and 1000; or it is not trained`
    ]
  }
  if ((prediction === 'clean' || prediction === 'velocity') && follows) {
    return [`prediction: ${measured}, as noise does: set \`prediction\` to epsilon, or to flow on straight paths`]
  }
  return []
}
