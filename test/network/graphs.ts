import * as E from 'fp-ts/lib/Either.js'
import type { Attribute, Graph, GraphNode } from '../../src/format/Onnx.js'
import { fromGraph, type Imported, known, type Options } from '../../src/network/graph/Import.js'
import { showImportError } from '../../src/network/graph/ImportError.js'
import type { Tensor } from '../../src/tensor/Tensor.js'

export const right = <L, A>(result: E.Either<L, A>, show: (error: L) => string): A => {
  if (E.isLeft(result)) throw new Error(show(result.left))
  return result.right
}

export const node = (
  op: string,
  inputs: ReadonlyArray<string>,
  outputs: ReadonlyArray<string> = ['y'],
  attributes: Readonly<Record<string, Attribute>> = {}
): GraphNode => ({ op, domain: '', name: `${op} here`, inputs, outputs, attributes })

type Shape = ReadonlyArray<number | string>

export const ints = (values: ReadonlyArray<number>): Tensor => ({
  shape: [values.length],
  data: Float64Array.from(values)
})

/** A graph by hand: float inputs, whole numbers among them in `whole`, and constants. */
export const graph = (
  nodes: ReadonlyArray<GraphNode>,
  inputs: Readonly<Record<string, Shape>>,
  {
    constants = {},
    weights = {},
    whole = [],
    outputs = ['y'],
    opset = 17
  }: {
    readonly constants?: Readonly<Record<string, Tensor>>
    readonly weights?: Readonly<Record<string, Tensor>>
    readonly whole?: ReadonlyArray<string>
    readonly outputs?: ReadonlyArray<string>
    readonly opset?: number
  } = {}
): Graph => ({
  opset,
  nodes,
  initializers: {
    ...Object.fromEntries(
      Object.entries(constants).map(([name, tensor]) => [name, { dtype: 'I64', tensor, place: undefined }] as const)
    ),
    ...Object.fromEntries(
      Object.entries(weights).map(([name, tensor]) => [name, { dtype: 'F32', tensor, place: undefined }] as const)
    )
  },
  inputs: Object.entries(inputs).map(([name, shape]) => ({ name, shape, dtype: whole.includes(name) ? 'I64' : 'F32' })),
  outputs: outputs.map((name) => ({ name, shape: undefined, dtype: 'F32' }))
})

export const imported = (given: Graph, options: Options = {}): Imported =>
  right(fromGraph(given, options), (error) => showImportError(error, known))

export const said = (given: Graph, options: Options = {}): string => {
  const result = fromGraph(given, options)
  return E.isLeft(result) ? showImportError(result.left, known) : 'imported'
}
