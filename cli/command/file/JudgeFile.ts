/**
 * A graph as the reward: differentiable where all of its operators have pullbacks, and else a black box.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, showError as showDocument } from 'halforder/document/Document'
import { plain } from 'halforder/document/Shown'
import * as Onnx from 'halforder/format/Onnx'
import { gpuJs } from 'halforder/kernel'
import { blackJudge, byEngine, probed } from 'halforder/network/BlackJudge'
import { decode, judge, type Judging } from 'halforder/network/Judge'
import type { Named } from 'halforder/reward/Shelf'
import { file, type Failure, type Step, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { type Found, open } from '../ForeignModel.js'
import { documentAt } from './FileModel.js'
import { openSession } from './OnnxRuntime.js'

const failed = (where: string, reason: string): Failure => usage(`--reward: ${where}: ${reason}`)

const recordOf = (path: string): string => path.replace(/\.onnx$/, '.json')

const inRecord =
  (path: string) =>
  (error: DocumentError): Failure =>
    failed(recordOf(path), showDocument(error))

/** Where a person reads that there will be no gradient, and why. */
const note = (path: string, why: string): void => {
  process.stderr.write(`halforder: ${path} is a black box: ${why}\n`)
}

type Shaped = ReadonlyArray<{ readonly shape: ReadonlyArray<number | string> }>

const featuresOf = (inputs: Shaped): number =>
  (inputs[0]?.shape ?? []).slice(1).reduce<number>((product, d) => product * Number(d), 1)

const fits = (path: string, features: number | undefined, inputs: Shaped): E.Either<Failure, void> =>
  features === undefined || featuresOf(inputs) === features
    ? E.right(undefined)
    : E.left(
        failed(
          path,
          `expected an image of ${features} numbers, as the model gives, got ${featuresOf(inputs)}; export it at that size`
        )
      )

// -------------------------------------------------------------------------------------
// by this library
// -------------------------------------------------------------------------------------

const own = (path: string, judging: Judging, found: Found): E.Either<Failure, Named> => {
  if (found._tag === 'Weights') return E.left(failed(path, 'expected a graph, got weights alone'))
  const { model } = found
  if (model._tag === 'Lens' && judging.blackBox !== true) {
    return pipe(model, judge(path, judging), E.mapLeft(inRecord(path)))
  }
  return pipe(
    model,
    // it is asked beside whatever else runs
    blackJudge(path, judging, gpuJs()),
    E.bimap(inRecord(path), (reward): Named => {
      if (model._tag === 'Forward') {
        note(path, `${model.without.map(({ op, node }) => `${op} in node ${plain(node)}`).join(', ')} has no pullback`)
      }
      return { _tag: 'Opaque', reward }
    })
  )
}

// -------------------------------------------------------------------------------------
// by another engine
// -------------------------------------------------------------------------------------

/** The shape of an image in a graph whose operators may be unknown. */
const graphAt = (path: string, refused: Failure): Step<Pick<Onnx.Graph, 'inputs'>> =>
  pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) => Onnx.decode(bytes)),
    TE.mapLeft(() => refused)
  )

/** The same by onnxruntime-node. Left: why it is not run here, and what to do. */
const elsewhere =
  (path: string, judging: Judging, features: number | undefined) =>
  (refused: Failure): Step<Named> =>
    pipe(
      TE.Do,
      TE.bind('graph', () => graphAt(path, refused)),
      TE.bind('session', () =>
        pipe(
          openSession(path),
          TE.mapLeft((reason) => ({ ...refused, message: `${refused.message}\n${reason}` }))
        )
      ),
      TE.flatMap(({ graph, session }) => {
        const x = graph.inputs.find(({ name }) => name === (judging.x ?? session.inputs[0]))
        const output = session.outputs.find((name) => judging.output === undefined || name === judging.output)
        const shape = (x?.shape ?? []).slice(1)
        if (x === undefined || output === undefined || !shape.every((d) => typeof d === 'number')) {
          const names = [...session.inputs, ...session.outputs].join(', ')
          return TE.left(
            failed(recordOf(path), `x, output: expected an image of known size and an output, got ${names}; say which`)
          )
        }
        const engine = session.engine(x.name, output)
        return pipe(
          TE.fromEither(fits(path, features, [{ shape: x.shape ?? [] }])),
          TE.flatMap(() => probed(judging, shape.map(Number), engine)),
          TE.mapLeft((error) => {
            if (typeof error === 'string') return failed(path, error)
            return '_tag' in error ? inRecord(path)(error) : error
          }),
          TE.map((): Named => {
            note(path, `onnxruntime-node runs it; ${refused.message}`)
            return { _tag: 'Opaque', reward: byEngine(path, judging, shape.map(Number), engine) }
          })
        )
      })
    )

/**
 * The reward of a graph, with the record beside it of what its numbers mean, where there is one. `features`: how many numbers an output
 * has, where they are known. Left: it is no graph, the field of its record that has to say something else, or an operator that is none
 * here where onnxruntime-node is not installed.
 *
 * @category effects
 * @since 0.1.0
 */
export const judgeAt = (path: string, features: number | undefined): Step<Named> =>
  pipe(
    documentAt(recordOf(path)),
    TE.flatMapEither((document) => pipe(decode(document ?? {}), E.mapLeft(inRecord(path)))),
    TE.flatMap((judging) => {
      const other = elsewhere(path, judging, features)
      const here = (found: Found): Step<Named> =>
        TE.fromEither(
          pipe(
            own(path, judging, found),
            E.tap(() => (found._tag === 'Weights' ? E.right(undefined) : fits(path, features, found.model.inputs)))
          )
        )
      return pipe(
        open(path),
        TE.foldW(other, (found) =>
          judging.blackBox === true
            ? pipe(
                other(usage('its record says `blackBox`')),
                TE.orElse(() => here(found))
              )
            : here(found)
        )
      )
    })
  )
