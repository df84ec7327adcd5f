/**
 * What an ONNX file says: a graph of operators on tensors, and the tensors that it comes with.
 *
 * @since 0.1.0
 */
import { plain, quote } from '../../document/Shown.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Dtype } from '../Dtype.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where the numbers of a tensor are: in bytes `at..end-1` of the file itself, or of another one, in the file's own order, one after
 * another. `undefined` for those that are written otherwise.
 *
 * @category model
 * @since 0.1.0
 */
export interface Place {
  readonly file: string | undefined
  readonly at: number
  readonly end: number
}

/**
 * A tensor of a file: what it is stored as, its numbers, and where they are.
 *
 * @category model
 * @since 0.1.0
 */
export interface OnnxTensor {
  readonly dtype: Dtype
  readonly tensor: Tensor
  readonly place: Place | undefined
}

/**
 * What a node is told beside its inputs.
 *
 * @category model
 * @since 0.1.0
 */
export type Attribute = number | string | ReadonlyArray<number> | ReadonlyArray<string> | OnnxTensor

/**
 * One operator. An input that is left out has an empty name, as has an output that no one reads.
 *
 * @category model
 * @since 0.1.0
 */
export interface GraphNode {
  readonly op: string
  readonly domain: string
  readonly name: string
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly attributes: Readonly<Record<string, Attribute>>
}

/**
 * An input or an output: what its numbers are, and its shape as far as it is said. A dimension of which nothing is said is `?`.
 *
 * @category model
 * @since 0.1.0
 */
export interface GraphPort {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: ReadonlyArray<number | string> | undefined
}

/**
 * A graph, its nodes in an order in which each follows those whose outputs it reads.
 *
 * @category model
 * @since 0.1.0
 */
export interface Graph {
  readonly opset: number
  readonly nodes: ReadonlyArray<GraphNode>
  readonly initializers: Readonly<Record<string, OnnxTensor>>
  readonly inputs: ReadonlyArray<GraphPort>
  readonly outputs: ReadonlyArray<GraphPort>
}

/**
 * What can be wrong with an ONNX file. `NotOnnx`: it is none. `Damaged`: it is cut off, or its tensors are. `Unsupported`: it uses
 * what is not read. `MissingFile`: numbers are in another file, which was not given. `TooLarge`: more than `Limits` has.
 *
 * @category model
 * @since 0.1.0
 */
export type OnnxError =
  | { readonly _tag: 'NotOnnx' | 'Damaged'; readonly where: string; readonly expected: string; readonly got: string }
  | {
      readonly _tag: 'Unsupported'
      readonly where: string
      readonly expected: string
      readonly got: string
      readonly remedy: string
    }
  | { readonly _tag: 'MissingFile'; readonly tensor: string; readonly file: string }
  | { readonly _tag: 'TooLarge'; readonly where: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: OnnxError): string => {
  switch (error._tag) {
    case 'NotOnnx':
      return `${error.where}: expected ${error.expected}, got ${error.got}; check that this is an ONNX model`
    case 'Damaged':
      return `${error.where}: expected ${error.expected}, got ${error.got}; the file is damaged, copy or export it again`
    case 'Unsupported':
      return `${error.where}: expected ${error.expected}, got ${error.got}; ${error.remedy}`
    case 'MissingFile':
      return `${quote(error.tensor)}: expected the file ${quote(error.file)} with its numbers, got none; put it beside the model`
    case 'TooLarge':
      return `${error.where}: expected ${error.expected}, got ${plain(error.got)}; export a smaller model`
  }
}
