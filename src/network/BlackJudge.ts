/**
 * Graphs of other tools as black boxes: what has no gradient here, by an operator without a pullback or because another engine
 * runs it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { DocumentError } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import { type BlackBox, type RewardError } from '../reward/Reward.js'
import * as Build from '../tensor/Build.js'
import * as Program from '../tensor/Program.js'
import type { Target } from '../tensor/Target.js'
import { size, type Tensor } from '../tensor/Tensor.js'
import type { Imported } from './graph/Import.js'
import { type Judging, numbersOf, portsOf, ranged } from './Judge.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What runs a graph: from images `[rows, ...]`, as the graph wants them, to its output, some numbers for each row. Left: why it could not.
 *
 * @category model
 * @since 0.1.0
 */
export type Engine = (images: Tensor) => TE.TaskEither<string, Tensor>

// -------------------------------------------------------------------------------------
// what goes in and what comes out
// -------------------------------------------------------------------------------------

/** Rows of height, width, channel as the graph wants its images of the shape `[...]`. */
const images = (rows: Tensor, shape: ReadonlyArray<number>, judging: Judging): Tensor => {
  const { factor, shift } = ranged(judging)
  const count = rows.shape[0] ?? 0
  const each = size(shape)
  const first = shape.length > 1 && judging.layout !== 'channels last' && judging.layout !== 'rows'
  const channels = first ? (shape[0] ?? 1) : 1
  const places = each / channels
  const data = new Float32Array(count * each)
  for (let i = 0; i < data.length; i++) {
    const [row, at] = [Math.floor(i / each), i % each]
    const from = (at % places) * channels + Math.floor(at / places)
    data[i] = (rows.data[row * each + from] ?? 0) * factor + shift
  }
  return { shape: [count, ...shape], data }
}

const logSoftmax = (logits: ReadonlyArray<number>): ReadonlyArray<number> => {
  const most = Math.max(...logits)
  const log = most + Math.log(logits.reduce((sum, one) => sum + Math.exp(one - most), 0))
  return logits.map((one) => one - log)
}

/** One number a row: the only one, or the log-probability of a class. */
const scores = (
  out: Tensor,
  rows: number,
  { class: wanted }: Judging,
  asked: Tensor | undefined
): E.Either<string, ReadonlyArray<number>> => {
  const numbers = rows === 0 ? 1 : out.data.length / rows
  const row = (data: ArrayLike<number>, i: number, n: number): ReadonlyArray<number> =>
    Array.from({ length: n }, (_, k) => data[i * n + k] ?? 0)
  const each = Array.from({ length: rows }, (_, i) => row(out.data, i, numbers))
  if (wanted === undefined) return E.right(each.map(([one = 0]) => one))
  if (typeof wanted === 'number') return E.right(each.map((logits) => logSoftmax(logits)[wanted] ?? 0))
  if (asked === undefined || asked.data.length !== rows * numbers) {
    return E.left(
      `expected a label of ${numbers} that each sample was asked for, got ${asked?.shape.slice(1).join() ?? 'none'}`
    )
  }
  return E.right(
    each.map((logits, i) => {
      const label = row(asked.data, i, numbers)
      return logSoftmax(logits).reduce((sum, log, k) => sum + log * (label[k] ?? 0), 0)
    })
  )
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The reward of a graph that another engine runs, on rows of outputs, in height, width, channel where they are images. `shape`: that
 * of an image in the graph's input. A left of the engine is one of the reward.
 *
 * @category constructors
 * @since 0.1.0
 */
export const byEngine = (name: string, judging: Judging, shape: ReadonlyArray<number>, engine: Engine): BlackBox => {
  const because = (reason: string): RewardError => ({ _tag: 'RewardError', reward: name, reason })
  return {
    _tag: 'BlackBox',
    name,
    evaluate: (x0, asked) =>
      pipe(
        engine(images(x0, shape, judging)),
        TE.flatMapEither((out) => scores(out, x0.shape[0] ?? 0, judging, asked?.condition['c'])),
        TE.mapLeft(because)
      )
  }
}

/**
 * What an engine gives for one image of zeros tells how many numbers a row has. Left: the field of the record that has to say something
 * else, or why the engine could not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const probed = (
  judging: Judging,
  shape: ReadonlyArray<number>,
  engine: Engine
): TE.TaskEither<string | DocumentError, number> =>
  pipe(
    engine({ shape: [1, ...shape], data: new Float32Array(size(shape)) }),
    TE.flatMapEither((out): E.Either<string | DocumentError, number> => numbersOf(judging, out.data.length))
  )

/**
 * The same for a graph that is imported, whether it has a pullback or not, run on a target; each number of rows is compiled once.
 * Left: the field of the record that has to say something else.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackJudge =
  (name: string, judging: Judging, target: Target) =>
  (model: Imported): E.Either<DocumentError, BlackBox> =>
    pipe(
      portsOf(model, judging),
      E.map(({ x, shape, output }) => {
        const run = model._tag === 'Lens' ? model.lens : model.forward
        const program = Program.make({ p: L.shapesOf(run), x: ['batch', ...shape] }, ({ p, x: given }) => {
          const { [output]: value } = run.forward(p, { [x]: given })
          return value === undefined ? {} : { out: value }
        })
        const compiled = new Map<number, ReturnType<ReturnType<typeof Build.build>>>()
        return byEngine(name, judging, shape, (given) => {
          const rows = given.shape[0] ?? 0
          const executable = compiled.get(rows) ?? Build.build(target, { batch: rows })(name, program)
          compiled.set(rows, executable)
          return pipe(
            TE.fromEither(executable),
            TE.flatMap((one) => Build.run(name, one)({ ...Program.under('p', model.values), x: given })),
            TE.bimap(Build.showError, ({ out }) => out ?? { shape: [rows, 0], data: new Float32Array(0) })
          )
        })
      })
    )
