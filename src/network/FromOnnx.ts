/**
 * ONNX models as lenses: bytes in, a function of parameters and inputs out.
 *
 *     const model = fromOnnx(bytes)
 *     // a lens from the inputs by name to the outputs by name, and the numbers of its parameters by path
 *     model._tag === 'Right' && model.right._tag === 'Lens' && model.right.lens
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Onnx from '../format/Onnx.js'
import type { OnnxError } from '../format/Onnx.js'
import { fromGraph, type Imported, known, type Options } from './graph/Import.js'
import { type ImportError, showImportError } from './graph/ImportError.js'

/**
 * Why a file is no lens: it is not read, or its graph is none.
 *
 * @category model
 * @since 0.1.0
 */
export type FromOnnxError =
  | { readonly _tag: 'File'; readonly error: OnnxError }
  | { readonly _tag: 'Graph'; readonly error: ImportError }

/**
 * How a model is imported: as a graph is, and with the files beside it that hold its numbers, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface OnnxOptions extends Options {
  readonly beside?: Readonly<Record<string, Uint8Array>>
}

/**
 * The model in a file's bytes. Left: a file that is no ONNX model or is damaged, or a graph that is no lens; the error names the
 * operator and the node.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromOnnx = (
  bytes: Uint8Array,
  { beside = {}, ...options }: OnnxOptions = {}
): E.Either<FromOnnxError, Imported> =>
  pipe(
    Onnx.decode(bytes, beside),
    E.mapLeft((error): FromOnnxError => ({ _tag: 'File', error })),
    E.flatMap((graph) =>
      pipe(
        fromGraph(graph, options),
        E.mapLeft((error): FromOnnxError => ({ _tag: 'Graph', error }))
      )
    )
  )

/**
 * One line for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showOnnxError = (error: FromOnnxError): string =>
  error._tag === 'File' ? Onnx.showError(error.error) : showImportError(error.error, known)
