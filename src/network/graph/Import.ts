/**
 * Graphs of operators as lenses: values are handed on from node to node, and cotangents back along the same way, where those of a
 * value that several nodes read are added. There is no tape: each operator's pullback is written by hand, in its row.
 *
 * Parameters are the initializers, by their names. What depends on shapes and constants alone is computed at import; the batch stays
 * open. An operator without a pullback makes a model that runs forward only: it may be sampled, and stand in zeroth-order cells.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { captures } from '../../document/Pattern.js'
import type { Graph, GraphNode, GraphPort } from '../../format/Onnx.js'
import * as L from '../../lens/Lens.js'
import type { Forward, Lens, Params } from '../../lens/Lens.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { Values } from '../../tensor/Program.js'
import * as Reference from '../../tensor/Reference.js'
import { type Dim, type Shape, showError as showShape, type Sizes } from '../../tensor/Shape.js'
import { size, type Tensor } from '../../tensor/Tensor.js'
import { operators } from '../operator/All.gen.js'
import type { ImportError } from './ImportError.js'
import * as Keys from './Keys.js'
import type { Call, Kind, Refusal, Row, Value } from './Operator.js'
import { lensOf, type Named, type Plan, type Step } from './Wiring.js'

export { type Named } from './Wiring.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a graph is as a function: inputs and outputs with their shapes, and the numbers of its parameters by path, as they were in
 * the file. `names` are the initializers' names of the paths.
 *
 * @category model
 * @since 0.1.0
 */
export interface Described {
  readonly inputs: ReadonlyArray<{ readonly name: string; readonly shape: Shape; readonly kind: Kind }>
  readonly outputs: ReadonlyArray<{ readonly name: string; readonly shape: Shape }>
  readonly values: Values
  readonly names: Readonly<Record<string, string>>
}

/**
 * An imported graph: a lens, or, where a node has no pullback, what runs forward only, with the nodes that make it so.
 *
 * @category model
 * @since 0.1.0
 */
export type Imported =
  | (Described & { readonly _tag: 'Lens'; readonly lens: Lens<Params, Named, Named> })
  | (Described & {
      readonly _tag: 'Forward'
      readonly forward: Forward<Params, Named, Named>
      readonly without: ReadonlyArray<{ readonly op: string; readonly node: string }>
    })

/**
 * How a graph is imported.
 *
 * - `trained`: patterns of the initializers' names that are parameters; the others are constants. Default: all (`**`).
 * - `fixed`: inputs that are known at import, by name. Default: none.
 * - `sizes`: sizes for named dimensions. The name of the first axis of the first input that has one is the batch, and stays open
 *   unless it is given here.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly trained?: ReadonlyArray<string>
  readonly fixed?: Values
  readonly sizes?: Sizes
}

/** What is known of a graph while it is gone through. */
interface State {
  readonly values: Map<string, Value>
  readonly steps: Array<Step>
}

// -------------------------------------------------------------------------------------
// initializers and inputs
// -------------------------------------------------------------------------------------

const rows: ReadonlyMap<string, Row> = /*#__PURE__*/ new Map(operators.map((row) => [row.name, row]))

/**
 * The names of the operators that there are.
 *
 * @category constants
 * @since 0.1.0
 */
export const known: ReadonlyArray<string> = /*#__PURE__*/ [...rows.keys()].sort()

const kindOf = (dtype: string): Kind => (dtype === 'BOOL' ? 'bool' : /^(?:F|BF)/.test(dtype) ? 'float' : 'int')

/** The names that nodes need to know at import. */
const fixedNames = (graph: Graph): ReadonlySet<string> =>
  new Set(graph.nodes.flatMap(({ op, inputs }) => (rows.get(op)?.fixed ?? []).flatMap((at) => inputs[at] ?? [])))

/**
 * The inputs of a graph that have to be known when it is imported, such as a shape to take.
 *
 * @category utils
 * @since 0.1.0
 */
export const needed = (graph: Graph): ReadonlyArray<string> => {
  const fixed = fixedNames(graph)
  return graph.inputs.flatMap(({ name }) => (fixed.has(name) && !Object.hasOwn(graph.initializers, name) ? [name] : []))
}

/** A constant, as a value. */
const constantOf = (tensor: Tensor, kind: Kind): Value => ({
  expr: X.constant(tensor, tensor.shape),
  kind,
  known: tensor,
  dims: undefined
})

/** The shape of an input: names are bound, and that of the batch is called `batch`. */
const shapeOf =
  (batch: string | undefined, sizes: Sizes) =>
  ({ name, shape }: GraphPort): E.Either<ImportError, Shape> => {
    if (shape === undefined) return E.left({ _tag: 'Port', name, expected: 'a shape', got: 'none' })
    const dims = shape.map((d): Dim => {
      if (typeof d === 'number') return d
      // own keys: a dimension may be called `constructor`
      return Object.hasOwn(sizes, d) ? (sizes[d] ?? d) : d === batch ? 'batch' : d
    })
    const open = dims.find((d) => d === '?' || (typeof d === 'number' && d < 0))
    return open === undefined
      ? E.right(dims)
      : E.left({ _tag: 'Port', name, expected: 'sizes, or names for them', got: `[${shape.join(', ')}]` })
  }

const batchOf = (ports: ReadonlyArray<GraphPort>): string | undefined =>
  ports.map(({ shape }) => shape?.[0]).find((d) => typeof d === 'string')

// -------------------------------------------------------------------------------------
// nodes
// -------------------------------------------------------------------------------------

const nameOf = (node: GraphNode): string => (node.name === '' ? (node.outputs[0] ?? '') : node.name)

const refused = (node: GraphNode, expected: string, got: string): E.Either<ImportError, never> =>
  E.left({ _tag: 'Refused', op: node.op, node: nameOf(node), expected, got })

// a table of a million numbers is not computed again each time
const mostFolded = 2 ** 20

/** The numbers of expressions that depend on no input. */
const evaluated = (values: ReadonlyArray<Expr>): ReadonlyArray<Tensor> | undefined => {
  if (values.some(({ shape }) => !shape.every((d) => typeof d === 'number') || size(shape.map(Number)) > mostFolded)) {
    return undefined
  }
  const outputs = Object.fromEntries(values.map((value, i) => [`v${i}`, value]))
  const result = pipe(
    Program.make({}, () => outputs),
    E.flatMap((program) => Reference.run(program, {}, {}))
  )
  return E.isRight(result) ? values.flatMap((_, i) => result.right[`v${i}`] ?? []) : undefined
}

/** What a row makes of a call, if there is memory for its tables. */
const buildable = (row: Row, call: Call): ReturnType<Row['build']> =>
  pipe(
    E.tryCatch(
      () => row.build(call),
      (thrown): Refusal => {
        if (!(thrown instanceof RangeError)) throw thrown
        return { expected: 'sizes that there is memory for', got: thrown.message }
      }
    ),
    E.flatten
  )

/** The values of a node, and the node itself as a step where they are not known. */
const visit = (state: State, opset: number, node: GraphNode): E.Either<ImportError, void> => {
  const row = rows.get(node.op)
  if (row === undefined) return E.left({ _tag: 'Unknown', operators: [{ op: node.op, node: nameOf(node) }] })
  const missing = node.inputs.find((name) => name !== '' && !state.values.has(name))
  if (missing !== undefined) return E.left({ _tag: 'Missing', node: nameOf(node), name: missing })
  const inputs = node.inputs.map((name) => (name === '' ? undefined : state.values.get(name)))
  const read = node.outputs.filter((name) => name !== '').length
  const call: Call = { op: node.op, opset, attributes: node.attributes, inputs, outputs: read }
  const built = buildable(row, call)
  if (E.isLeft(built)) return refused(node, built.left.expected, built.left.got)
  const { kinds, dims, known: told, apply } = built.right
  const { values } = apply(inputs.map((value) => value?.expr))
  const wrong = values.find(({ op }) => op._tag === 'Invalid')
  if (wrong?.op._tag === 'Invalid') return refused(node, 'shapes that fit', showShape(wrong.op.error))
  const folds = inputs.every((value) => value === undefined || value.known !== undefined)
  const numbers = told !== undefined ? [told] : folds ? evaluated(values) : undefined
  node.outputs.forEach((name, i) => {
    const expr = values[i]
    if (name === '' || expr === undefined) return
    const kind = kinds?.[i] ?? inputs[0]?.kind ?? 'float'
    const sizes = i === 0 ? dims : undefined
    const literal = sizes?.every((d) => typeof d === 'number') === true
    const number =
      numbers?.[i] ?? (literal ? { shape: expr.shape.map(Number), data: Float64Array.from(sizes, Number) } : undefined)
    state.values.set(
      name,
      number === undefined ? { expr, kind, known: undefined, dims: sizes } : constantOf(number, kind)
    )
  })
  const made = node.outputs.filter((name) => name !== '')
  if (made.some((name) => state.values.get(name)?.known === undefined)) state.steps.push({ node, built: built.right })
  return E.right(undefined)
}

/** All operators without a row, at once. */
const unknown = (graph: Graph): E.Either<ImportError, void> => {
  const found = new Map<string, string>()
  for (const node of graph.nodes) {
    const name = node.domain === '' ? node.op : `${node.domain}.${node.op}`
    if ((!rows.has(node.op) || node.domain !== '') && !found.has(name)) found.set(name, nameOf(node))
  }
  return found.size === 0
    ? E.right(undefined)
    : E.left({ _tag: 'Unknown', operators: [...found].map(([op, node]) => ({ op, node })) })
}

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/** The steps that an output needs, in order. */
const used = (steps: ReadonlyArray<Step>, outputs: ReadonlyArray<string>): ReadonlyArray<Step> => {
  const wanted = new Set(outputs)
  const kept: Array<Step> = []
  for (const step of steps.toReversed()) {
    if (!step.node.outputs.some((name) => name !== '' && wanted.has(name))) continue
    step.node.inputs.forEach((name) => wanted.add(name))
    kept.unshift(step)
  }
  return kept
}

/** The nodes on the way from parameters and inputs to outputs that have no pullback. */
const withoutBack = (
  steps: ReadonlyArray<Step>,
  values: ReadonlyMap<string, Value>,
  sources: ReadonlyArray<string>
): ReadonlyArray<{ readonly op: string; readonly node: string }> => {
  const moving = new Set(sources)
  return steps.flatMap(({ node, built }) => {
    if (!node.inputs.some((name) => moving.has(name))) return []
    node.outputs.forEach((name) => values.get(name)?.kind === 'float' && moving.add(name))
    const { back } = built.apply(node.inputs.map((name) => values.get(name)?.expr))
    return back === undefined && node.outputs.some((name) => moving.has(name))
      ? [{ op: node.op, node: nameOf(node) }]
      : []
  })
}

// -------------------------------------------------------------------------------------
// importing
// -------------------------------------------------------------------------------------

/** The initializers that are parameters: arrays of floats whose names fit, and that no node has to know. */
const parametersOf = (graph: Graph, trained: ReadonlyArray<string>): ReadonlyArray<readonly [string, Tensor]> => {
  const fixed = fixedNames(graph)
  return Object.entries(graph.initializers).flatMap(([name, { dtype, tensor }]) =>
    kindOf(dtype) === 'float' &&
    tensor.shape.length > 0 &&
    !fixed.has(name) &&
    trained.some((pattern) => captures(pattern, name) !== undefined)
      ? [[name, tensor] as const]
      : []
  )
}

/**
 * A graph as a function of its parameters and inputs.
 *
 * Left: the graph has operators that have no row, uses one as its row does not take, or leaves sizes open; the error names the node.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromGraph = (
  graph: Graph,
  { trained = ['**'], fixed = {}, sizes = {} }: Options = {}
): E.Either<ImportError, Imported> => {
  const free = graph.inputs.filter(
    ({ name }) => !Object.hasOwn(graph.initializers, name) && !Object.hasOwn(fixed, name)
  )
  const parameters = parametersOf(graph, trained)
  const paths = Keys.paths(parameters.map(([name]) => name))
  return pipe(
    unknown(graph),
    E.flatMap(() => E.traverseArray(shapeOf(batchOf(free), sizes))(free)),
    E.flatMap((shapes) => {
      const state: State = { values: new Map(), steps: [] }
      for (const [name, { dtype, tensor }] of Object.entries(graph.initializers)) {
        state.values.set(name, constantOf(tensor, kindOf(dtype)))
      }
      for (const [name, { shape }] of parameters) {
        state.values.set(name, { expr: X.input(name, shape), kind: 'float', known: undefined, dims: undefined })
      }
      free.forEach(({ name, dtype }, i) => {
        const expr = X.input(`in.${name}`, shapes[i] ?? [])
        state.values.set(name, { expr, kind: kindOf(dtype), known: undefined, dims: undefined })
      })
      for (const { name, dtype } of graph.inputs) {
        const given = Object.hasOwn(fixed, name) ? fixed[name] : undefined
        if (given !== undefined) state.values.set(name, constantOf(given, kindOf(dtype)))
      }
      for (const node of graph.nodes) {
        const visited = visit(state, graph.opset, node)
        if (E.isLeft(visited)) return visited
      }
      const absent = graph.outputs.find(({ name }) => !state.values.has(name))
      if (absent !== undefined) return E.left<ImportError>({ _tag: 'Missing', node: 'outputs', name: absent.name })
      return E.right(imported(graph, state, free, parameters, paths))
    })
  )
}

const imported = (
  graph: Graph,
  { values, steps }: State,
  free: ReadonlyArray<GraphPort>,
  parameters: ReadonlyArray<readonly [string, Tensor]>,
  paths: ReadonlyMap<string, Keys.Path>
): Imported => {
  const outputs = graph.outputs.map(({ name }) => name)
  const running = used(steps, outputs)
  const floats = new Set([...values].flatMap(([name, { kind }]) => (kind === 'float' ? [name] : [])))
  const plan: Plan = {
    steps: running,
    constants: new Map(
      [...values].flatMap(([name, { known: number, expr }]) => (number === undefined ? [] : [[name, expr]]))
    ),
    parameters: paths,
    inputs: free.map(({ name }) => name),
    outputs,
    floats
  }
  const without = withoutBack(running, values, [
    ...plan.inputs.filter((name) => floats.has(name)),
    ...parameters.map(([name]) => name)
  ])
  const declared = Keys.nest(
    parameters.map(([name, { shape }]) => [paths.get(name) ?? [name], L.parameter(shape)] as const)
  )
  const path = (name: string): string => (paths.get(name) ?? [name]).join('.')
  const described: Described = {
    inputs: plan.inputs.map((name) => ({
      name,
      shape: values.get(name)?.expr.shape ?? [],
      kind: values.get(name)?.kind ?? 'float'
    })),
    outputs: outputs.map((name) => ({ name, shape: values.get(name)?.expr.shape ?? [] })),
    values: Object.fromEntries(parameters.map(([name, tensor]) => [path(name), tensor])),
    names: Object.fromEntries(parameters.map(([name]) => [path(name), name]))
  }
  const lens = lensOf(plan, declared)
  return without.length === 0
    ? { _tag: 'Lens', ...described, lens }
    : { _tag: 'Forward', ...described, forward: { parameters: lens.parameters, forward: lens.forward }, without }
}
