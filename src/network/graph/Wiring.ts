/**
 * Nodes wired into a lens: values are handed on from node to node, and cotangents back along the same way, where those of a value
 * that several nodes read are added.
 *
 * @since 0.1.0
 */
import type { GraphNode } from '../../format/Onnx.js'
import * as L from '../../lens/Lens.js'
import type { Lens, Params } from '../../lens/Lens.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Keys from './Keys.js'
import type { Back, Built } from './Operator.js'

/**
 * Expressions by the name of an input or output.
 *
 * @category model
 * @since 0.1.0
 */
export type Named = { readonly [name: string]: Expr }

/**
 * A node that runs: what it reads and makes, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step {
  readonly node: GraphNode
  readonly built: Built
}

/**
 * What runs: the steps, the constants, and what is a parameter, an input, an output and a float, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plan {
  readonly steps: ReadonlyArray<Step>
  readonly constants: ReadonlyMap<string, Expr>
  readonly parameters: ReadonlyMap<string, Keys.Path>
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly floats: ReadonlySet<string>
}

type Trail = Array<{ readonly step: Step; readonly values: ReadonlyArray<Expr>; readonly back: Back | undefined }>

/** Every value, by name, and how the cotangents of each step come back. */
const advance = (
  plan: Plan,
  p: Params,
  a: Named
): { readonly at: ReadonlyMap<string, Expr>; readonly trail: Trail } => {
  const at = new Map<string, Expr>(plan.constants)
  for (const name of plan.inputs) at.set(name, a[name] ?? X.scalar(0))
  for (const [name, path] of plan.parameters) at.set(name, Keys.find(p, path))
  const trail: Trail = []
  for (const step of plan.steps) {
    const { values, back } = step.built.apply(step.node.inputs.map((name) => at.get(name)))
    step.node.outputs.forEach((name, i) => {
      const value = values[i]
      if (name !== '' && value !== undefined) at.set(name, value)
    })
    trail.push({ step, values, back })
  }
  return { at, trail }
}

/** The cotangents of all values, from those of the outputs. */
const retreat = (plan: Plan, trail: Trail, outputs: Named): ReadonlyMap<string, Expr> => {
  const bars = new Map<string, Expr>()
  const add = (name: string, bar: Expr): void => {
    const sofar = bars.get(name)
    bars.set(name, sofar === undefined ? bar : X.add(sofar, bar))
  }
  for (const name of plan.outputs) {
    const bar = outputs[name]
    if (bar !== undefined) add(name, bar)
  }
  for (const { step, values, back } of trail.toReversed()) {
    const { inputs, outputs: made } = step.node
    if (back === undefined || !made.some((name) => bars.has(name))) continue
    const results = back(values.map((value, i) => bars.get(made[i] ?? '') ?? X.zeros(value.shape)))
    inputs.forEach((name, i) => {
      const bar = results[i]
      if (bar !== undefined && plan.floats.has(name)) add(name, bar)
    })
  }
  return bars
}

const record = (names: ReadonlyArray<string>, of: (name: string) => Expr): Named =>
  Object.fromEntries(names.map((name) => [name, of(name)]))

/**
 * The lens of a plan.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lensOf = (plan: Plan, parameters: L.Parameters): Lens<Params, Named, Named> =>
  L.make<Params, Named, Named>(parameters, (p, a) => {
    const { at, trail } = advance(plan, p, a)
    return [
      record(plan.outputs, (name) => at.get(name) ?? X.scalar(0)),
      (outputs) => {
        const bars = retreat(plan, trail, outputs)
        const barOf = (name: string): Expr => bars.get(name) ?? X.zeros(at.get(name)?.shape ?? [])
        return [
          Keys.nest([...plan.parameters].map(([name, path]) => [path, barOf(name)] as const)),
          record(plan.inputs, barOf)
        ]
      }
    ]
  })
