/**
 * `halforder check`: a model beside what another tool computed of it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Npz from 'halforder/format/Npz'
import { gpuJs } from 'halforder/kernel'
import { type Compared, check as compare, defaultBounds, showCheckError } from 'halforder/network/Check'
import { reference } from 'halforder/tensor/Target'
import { broken, fail, file, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { mode } from '../edge/Options.js'
import { doubtsOf } from './file/Doubts.js'
import { open } from './ForeignModel.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface CheckOptions {
  readonly weightsKey?: string
  readonly part?: 'encoder' | 'decoder'
  readonly mode: string
  readonly json?: boolean
}

/** One array, in f64 and in the mode. */
interface Row {
  readonly array: string
  readonly double: Compared
  readonly single: Compared
}

const shownError = ({ error }: Compared): string => (error === undefined ? '-' : error.toExponential(1))

const table = (rows: ReadonlyArray<Row>, target: string): string => {
  const width = Math.max(5, ...rows.map(({ array }) => array.length))
  const line = (cells: ReadonlyArray<string>): string =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(width) : cell.padStart(10))).join(' ')
  return [
    line(['array', 'f64', 'bound', '', target, 'bound', '']),
    ...rows.map(({ array, double, single }) =>
      line([
        array,
        shownError(double),
        double.bound.toExponential(0),
        double.verdict,
        shownError(single),
        single.bound.toExponential(0),
        single.verdict
      ])
    )
  ].join('\n')
}

/**
 * Runs the command and gives its exit code: 0 if every array is within its bound, 1 if one is off or is not there, 2 on wrong usage.
 *
 * @category effects
 * @since 0.1.0
 */
export const check = async (path: string, arrays: string, options: CheckOptions): Promise<number> => {
  const result = await pipe(
    TE.Do,
    TE.bind('mode', () => TE.fromEither(mode(options.mode))),
    TE.bind('found', () => open(path, options)),
    TE.bind('model', ({ found }) =>
      found._tag === 'Model'
        ? TE.right(found.model)
        : TE.left(usage(`${path}: expected a model that runs, got weights; give the folder with config.json, or ONNX`))
    ),
    TE.bind('doubts', ({ found }) => (options.json === true ? TE.right(undefined) : doubtsOf(found))),
    TE.bind('arrays', () =>
      pipe(
        file(Files.read(arrays)),
        TE.flatMapEither((bytes) =>
          pipe(
            Npz.decode(bytes),
            E.mapLeft((error) => usage(`${arrays}: ${Npz.showError(error)}`))
          )
        )
      )
    ),
    TE.bind('double', ({ model, arrays: given }) =>
      pipe(
        compare(reference, defaultBounds)(model, given),
        TE.mapLeft((error) => broken(showCheckError(error)))
      )
    ),
    TE.bind('single', ({ model, arrays: given, mode: chosen }) => {
      const target = gpuJs({ mode: chosen })
      // both sides are rounded, whatever the array is
      const bounds = { single: defaultBounds.single, double: defaultBounds.single }
      return TE.bracket(
        TE.right(target),
        () =>
          pipe(
            compare(target, bounds)(model, given),
            TE.mapLeft((error) => broken(showCheckError(error)))
          ),
        () => TE.fromTask(() => target.dispose())
      )
    })
  )()
  if (E.isLeft(result)) return fail('check')(result.left)
  const { double, single, mode: chosen, doubts } = result.right
  const rows = double.flatMap((one, i): ReadonlyArray<Row> => {
    const other = single[i]
    return other === undefined ? [] : [{ array: one.array, double: one, single: other }]
  })
  const doubted = (doubts?.doubted ?? []).map((line) => `\ndoubtful: ${line}`).join('')
  const output =
    options.json === true ? rows.map((row) => JSON.stringify(row)).join('\n') : `${table(rows, chosen)}${doubted}`
  process.stdout.write(`${output}\n`)
  return rows.every((row) => row.double.verdict === 'equal' && row.single.verdict === 'equal') ? 0 : 1
}
