/**
 * Graphs written in code: nodes are added one after the other, and a layer is a function that adds some.
 *
 * A builder is local to the function that makes a graph; what comes out is a value.
 *
 * @since 0.1.0
 */
import type { Attribute, Graph, GraphNode, GraphPort } from '../../format/Onnx.js'
import type { Tensor } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A graph whose parameters have no numbers yet: their names and shapes, in the order in which they are used.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plan {
  readonly nodes: ReadonlyArray<GraphNode>
  readonly constants: Readonly<Record<string, Tensor>>
  readonly parameters: ReadonlyMap<string, ReadonlyArray<number>>
  readonly inputs: ReadonlyArray<GraphPort>
  readonly outputs: ReadonlyArray<string>
}

/**
 * What a layer is given. `add` gives the name of the node's first output, which may be said; `parameter` and `constant` that of a
 * tensor.
 *
 * @category model
 * @since 0.1.0
 */
export interface Builder {
  readonly add: (
    op: string,
    inputs: ReadonlyArray<string>,
    attributes?: Readonly<Record<string, Attribute>>,
    name?: string
  ) => string
  readonly parts: (x: string, axis: number, count: number) => ReadonlyArray<string>
  readonly parameter: (name: string, shape: ReadonlyArray<number>) => string
  readonly floats: (shape: ReadonlyArray<number>, values: ReadonlyArray<number>) => string
  readonly ints: (values: ReadonlyArray<number>) => string
}

/** The version of operators that graphs in code use. */
const opset = 21

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A graph from its inputs and a function that adds its nodes and gives the names of the outputs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const plan = (inputs: ReadonlyArray<GraphPort>, write: (b: Builder) => ReadonlyArray<string>): Plan => {
  const nodes: Array<GraphNode> = []
  const constants: Record<string, Tensor> = {}
  const parameters = new Map<string, ReadonlyArray<number>>()
  const fresh = (): string => `#${nodes.length}`
  const literal = (tensor: Tensor, kind: string): string => {
    const name = `#${kind}${Object.keys(constants).length}`
    constants[name] = tensor
    return name
  }
  const outputs = write({
    add: (op, reads, attributes = {}, name = fresh()) => {
      nodes.push({ op, domain: '', name, inputs: reads, outputs: [name], attributes })
      return name
    },
    parts: (x, axis, count) => {
      const name = fresh()
      const made = Array.from({ length: count }, (_, i) => `${name}.${i}`)
      nodes.push({
        op: 'Split',
        domain: '',
        name,
        inputs: [x],
        outputs: made,
        attributes: { axis, num_outputs: count }
      })
      return made
    },
    parameter: (name, shape) => {
      parameters.set(name, shape)
      return name
    },
    floats: (shape, values) => literal({ shape, data: Float64Array.from(values) }, 'float'),
    ints: (values) => literal({ shape: [values.length], data: Float64Array.from(values) }, 'int')
  })
  return { nodes, constants, parameters, inputs, outputs }
}

/**
 * A graph with the numbers of its parameters, by name. The numbers are those that the plan's parameters have to have.
 *
 * @category combinators
 * @since 0.1.0
 */
export const graphOf = (
  { nodes, constants, inputs, outputs }: Plan,
  weights: Readonly<Record<string, Tensor>>
): Graph => ({
  opset,
  // constants are nodes, since initializers are parameters
  nodes: [
    ...Object.entries(constants).map(
      ([name, tensor]): GraphNode => ({
        op: 'Constant',
        domain: '',
        name,
        inputs: [],
        outputs: [name],
        attributes: { value: { dtype: name.startsWith('#int') ? 'I64' : 'F64', tensor, place: undefined } }
      })
    ),
    ...nodes
  ],
  initializers: Object.fromEntries(
    Object.entries(weights).map(([name, tensor]) => [name, { dtype: 'F32', tensor, place: undefined }] as const)
  ),
  inputs,
  outputs: outputs.map((name) => ({ name, dtype: 'F32', shape: undefined }))
})
