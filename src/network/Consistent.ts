/**
 * Whether what a record says of a model can be so: how the output moves with the state where that is noise alone, and where it is a sample.
 *
 * At the noise a model of the noise gives the state back, and one of straight paths the state less a constant; what the data are, or the
 * velocity, hardly depends on it. Next to the data, one of the data gives the state back, and a velocity hardly depends on it. A record that
 * says another prediction, turns the times around, or counts them otherwise than the model does, shows there; another range of the data
 * shows in samples.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { showError } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import type { ProgramError } from '../tensor/Build.js'
import * as Program from '../tensor/Program.js'
import type { Target } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Imported } from './graph/Import.js'
import { type Meaning, networkOf, unitOf } from './Meaning.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How the output moves with the state: by how much for each unit, and the share of its variance that this explains.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moved {
  readonly slope: number
  readonly explained: number
}

/**
 * What a model does by its record: how its output moves at the noisiest time, where the record has the state there as noise alone, and next to
 * the data with samples of a few steps, where its first step is nearly without noise. `range`: between which numbers 98 of 100 of the samples are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly noise: Moved | undefined
  readonly data: Moved | undefined
  readonly range: readonly [least: number, most: number]
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

/** A time in the record's unit, and the factors of the data and of the noise there. */
interface Level {
  readonly time: number
  readonly data: number
  readonly noise: number
}

const few = 8

/** Some levels, evenly from the noisiest to the one next to the data. */
const levels = (meaning: Meaning): ReadonlyArray<Level> => {
  const { alphaBar = [], flow } = meaning
  return Array.from({ length: few + 1 }, (_, i): Level => {
    const s = 1 - i / few
    if (flow !== undefined) return { time: s, data: 1 - s, noise: s }
    const step = Math.round(s * (alphaBar.length - 1))
    const share = alphaBar[step] ?? 1
    return { time: step / unitOf(meaning), data: Math.sqrt(share), noise: Math.sqrt(1 - share) }
  })
}

/** The data and the noise that an output tells of a state. */
const told = (
  { prediction }: Meaning,
  { data, noise }: Level,
  x: number,
  out: number
): readonly [data: number, noise: number] => {
  switch (prediction) {
    case 'epsilon':
      return [(x - noise * out) / data, out]
    case 'clean':
      return [out, noise === 0 ? 0 : (x - data * out) / noise]
    case 'velocity':
      return [data * x - noise * out, noise * x + data * out]
    case 'flow':
      return [x - noise * out, x + data * out]
  }
}

/** Below this share of noise a state is as good as data, and below that share of data it is as good as noise. */
const [clear, blind] = [0.005, 0.1]

const quantiles = ({ data }: Tensor): readonly [number, number] => {
  const sorted = Float64Array.from(data).sort()
  return [sorted[Math.floor(0.01 * sorted.length)] ?? 0, sorted[Math.floor(0.99 * sorted.length)] ?? 0]
}

/** What a model gives for states at a level. */
type Output = (x: Tensor, level: Level) => TE.TaskEither<ProgramError, Tensor>

/** Samples from a state of noise, and what is seen on the way. */
const sampled =
  (output: Output, meaning: Meaning, start: Tensor): TE.TaskEither<ProgramError, Measured> =>
  async () => {
    const all = levels(meaning)
    const seen: Array<Moved> = []
    let x = start
    for (const [i, level] of all.entries()) {
      const out = await output(x, level)()
      if (E.isLeft(out)) return out
      seen.push(moved(x, out.right))
      const next = all[i + 1] ?? { data: 1, noise: 0 }
      const data = x.data.map((now: number, j: number) => {
        const [clean, noise] = told(meaning, level, now, out.right.data[j] ?? 0)
        return next.data * clean + next.noise * noise
      })
      x = { ...x, data }
    }
    const [first, last] = [all.at(0)?.data ?? 1, all.at(-1)?.noise ?? 1]
    return E.right({
      noise: first ** 2 > blind ? undefined : seen.at(0),
      data: last ** 2 > clear ? undefined : seen.at(-1),
      range: quantiles(x)
    })
  }

/**
 * What a model does by its record, from samples of a few steps without noise. On straight paths its output is that of `noise - data`.
 * Left: the field of the record that has to say something else, or what the target says.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measured =
  (target: Target) =>
  (model: Imported, meaning: Meaning): TE.TaskEither<string, Measured> =>
    pipe(
      TE.fromEither(networkOf(model, meaning)),
      TE.mapLeft(showError),
      TE.flatMap(({ lens, features, labels }) => {
        const program = Program.make(
          { p: L.shapesOf(lens), x: ['batch', features], time: ['batch', 1], c: ['batch', labels] },
          ({ p, x, time, c }) => ({ out: lens.forward(p, { x, time, c }) })
        )
        const parameters = Program.under('p', model.values)
        const c: Tensor = { shape: [rows, labels], data: new Float64Array(rows * labels) }
        const of =
          (run: (values: Program.Values) => TE.TaskEither<ProgramError, Program.Values>): Output =>
          (x, { time }) =>
            pipe(
              run({ ...parameters, x, c, time: { shape: [rows, 1], data: new Float64Array(rows).fill(time) } }),
              TE.map(({ out }) => out ?? x)
            )
        const start = Draw.normal(Key.make(1), [rows, features])
        return pipe(
          Build.using(target, { batch: rows })('the model', program)((run) => sampled(of(run), meaning, start)),
          TE.mapLeft(Build.showError)
        )
      })
    )

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const percent = (share: number): string => `${Math.round(100 * share)} %`

/** What of a prediction cannot be so, from the noisiest time. */
const ofNoise = ({ prediction }: Meaning, seenThere: Moved | undefined): ReadonlyArray<string> => {
  if (seenThere === undefined) return []
  const { slope, explained } = seenThere
  const follows = slope > 0.7 && explained > 0.5
  const seen = `at the noisiest time the output moves by ${slope.toFixed(2)} for each unit of the state (${percent(explained)} of it)`
  if (prediction === 'epsilon' && !follows) {
    return [
      `prediction: ${seen}, and a model of the noise moves by 1: set \`prediction\` to clean or velocity, or say in \`alphaBar\` or \`scheduler\` the steps that it was trained at; or it is not trained`
    ]
  }
  if (prediction === 'flow' && slope < -0.7 && explained > 0.5) {
    return [`flow: ${seen}, and \`noise - data\` moves by 1: exchange \`flow.data\` and \`flow.noise\``]
  }
  if (prediction === 'flow' && !follows) {
    return [
      `prediction: ${seen}, and \`noise - data\` moves by 1: set \`prediction\` to clean, or say in \`flow\` the times that it is told, which are 0 and 1 or 0 and 1000; or it is not trained`
    ]
  }
  if ((prediction === 'clean' || prediction === 'velocity') && follows) {
    return [`prediction: ${seen}, as noise does: set \`prediction\` to epsilon, or to flow on straight paths`]
  }
  return []
}

/** The same of what is next to the data, where a model of the data gives them back. */
const ofData = ({ prediction, flow }: Meaning, near: Moved | undefined): ReadonlyArray<string> => {
  if (near === undefined || (prediction !== 'clean' && prediction !== 'velocity')) return []
  const follows = near.slope > 0.7 && near.explained > 0.5
  const seen = `next to the data the output moves by ${near.slope.toFixed(2)} for each unit of a sample (${percent(near.explained)} of it)`
  if (prediction === 'velocity' && follows) return [`prediction: ${seen}, as data do: set \`prediction\` to clean`]
  if (prediction === 'clean' && !follows) {
    const others =
      flow === undefined
        ? 'set `prediction` to velocity or epsilon, or say in `alphaBar` or `scheduler` the steps that it was trained at'
        : 'exchange `flow.data` and `flow.noise`, or say in `flow` the times that it is told'
    return [`prediction: ${seen}, and a model of the data by 1: ${others}; or it is not trained`]
  }
  return []
}

/** What of a range cannot be so, from samples of images. */
const ofRange = (meaning: Meaning, [least, most]: Measured['range']): ReadonlyArray<string> => {
  if (meaning.layout === 'rows') return []
  const [from, to] = meaning.range ?? [-1, 1]
  const seen = `samples of ${few} steps are from ${least.toFixed(2)} to ${most.toFixed(2)}, and the record has data from ${from} to ${to}`
  const span = to - from
  if (from < 0 && least > from + 0.35 * span && most > 0.5) return [`range: ${seen}: set \`range\` to [0, 1]`]
  if (from === 0 && least < -0.5 * span && most < to + span) return [`range: ${seen}: set \`range\` to [-1, 1]`]
  return least < from - 2 * span || most > to + 2 * span
    ? [`range: ${seen}: another \`prediction\`, \`alphaBar\`, \`scheduler\` or \`flow\`; or it is not trained`]
    : []
}

/**
 * What of a record cannot be so, in words that name its field; nothing where it may be. A doubt of the noisiest time is the only one: what
 * samples then are says nothing more.
 *
 * @category readings
 * @since 0.1.0
 */
export const doubts = (meaning: Meaning, { noise, data, range }: Measured): ReadonlyArray<string> => {
  const first = ofNoise(meaning, noise)
  return first.length > 0 ? first : [...ofData(meaning, data), ...ofRange(meaning, range)].slice(0, 1)
}
