/**
 * Networks that are written in code as files of ONNX: what another engine runs.
 *
 *     const file = pipe(diffusersGraph(config, weights), E.flatMap(toOnnx))
 *     const file = toOnnx(Builder.graphOf(plan, weights))
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Onnx from '../../format/Onnx.js'
import type { Attribute, Graph, GraphPort, OnnxTensor } from '../../format/Onnx.js'
import { toFloat32 } from '../../tensor/Tensor.js'
import type { FromOnnxError } from '../FromOnnx.js'
import { fromGraph, type Imported } from './Import.js'

/** Literal numbers are in f64 in code, and models in f32: an operator of ONNX takes one kind. */
const rounded = (one: OnnxTensor): OnnxTensor =>
  one.dtype === 'F64' ? { dtype: 'F32', tensor: toFloat32(one.tensor), place: undefined } : one

const told = (attribute: Attribute): Attribute =>
  typeof attribute === 'object' && 'dtype' in attribute ? rounded(attribute) : attribute

const mapped = <A>(record: Readonly<Record<string, A>>, of: (value: A) => A): Readonly<Record<string, A>> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)] as const))

/** Outputs have shapes in a file. */
const shaped =
  (model: Imported) =>
  (port: GraphPort): GraphPort => ({
    ...port,
    shape: port.shape ?? model.outputs.find(({ name }) => name === port.name)?.shape
  })

/**
 * The bytes of a graph as a model of ONNX, in f32 and with its batch left open. What is read of them (`fromOnnx`) computes what the
 * graph does, up to the rounding of its constants to f32.
 *
 * Left: a graph that is no network, or one that is larger than a file may be.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toOnnx = (graph: Graph): E.Either<FromOnnxError, Uint8Array> =>
  pipe(
    fromGraph(graph),
    E.mapLeft((error): FromOnnxError => ({ _tag: 'Graph', error })),
    E.flatMap((model) =>
      pipe(
        Onnx.encode({
          ...graph,
          nodes: graph.nodes.map((node) => ({ ...node, attributes: mapped(node.attributes, told) })),
          initializers: mapped(graph.initializers, rounded),
          outputs: graph.outputs.map(shaped(model))
        }),
        E.mapLeft((error): FromOnnxError => ({ _tag: 'File', error }))
      )
    )
  )
