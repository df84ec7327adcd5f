/**
 * Programs: expressions closed over named inputs, with equal subtrees shared.
 *
 * A program has no effects and no randomness: noise is an input like any other, declared with its density, and
 * whoever runs the program supplies the values (keyed draws to sample, quadrature nodes to take an expectation).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { inputName } from './Node.js'
import { between, type Faults } from './Need.js'
import type { Node, Op } from './Op.js'
import * as Sh from './Shape.js'
import type { Shape, ShapeError, Sizes } from './Shape.js'
import { size as count, type Tensor } from './Tensor.js'
import * as Tree from './Tree.js'
import type { Exprs, ExprsOf, Shapes, ShapesOf } from './Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The density of a noise input: independent, standard, one draw an element; `studentT` has that many degrees of freedom.
 * `named` is one of a user's own, by its name and whether it is even: a program is plain data, so whoever runs it knows
 * the draws.
 *
 * @category model
 * @since 0.1.0
 */
export type Density =
  | 'normal'
  | 'laplace'
  | 'logistic'
  | { readonly studentT: number }
  | { readonly named: string; readonly symmetric: boolean }

/**
 * A node of a closed program; arguments are positions of earlier nodes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Instruction {
  readonly op: Op
  readonly args: ReadonlyArray<number>
  readonly shape: Shape
}

/**
 * A named tensor at the edge of a program: an input, or an output at a node.
 *
 * @category model
 * @since 0.1.0
 */
export interface Port {
  readonly name: string
  readonly shape: Shape
}

/**
 * A closed program from a tree of inputs `I` to a tree of outputs `O` (both trees of shapes). Names are tree paths.
 * `instructions` are in an order in which they can be run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Program<I extends Shapes = Shapes, O extends Shapes = Shapes> {
  readonly inputs: ReadonlyArray<Port>
  readonly outputs: ReadonlyArray<Port & { readonly node: number }>
  readonly noise: Readonly<Record<string, Density>>
  readonly instructions: ReadonlyArray<Instruction>
  readonly inputTree: I
  readonly outputTree: O
}

/**
 * An instruction whose sizes are all known.
 *
 * @category model
 * @since 0.1.0
 */
export interface BoundInstruction extends Instruction {
  readonly shape: ReadonlyArray<number>
}

/**
 * A program whose sizes are all known. `Size` nodes have become literals.
 *
 * @category model
 * @since 0.1.0
 */
export interface BoundProgram {
  readonly inputs: ReadonlyArray<{ readonly name: string; readonly shape: ReadonlyArray<number> }>
  readonly outputs: ReadonlyArray<{
    readonly name: string
    readonly shape: ReadonlyArray<number>
    readonly node: number
  }>
  readonly instructions: ReadonlyArray<BoundInstruction>
}

/**
 * Host tensors by input or output name.
 *
 * @category model
 * @since 0.1.0
 */
export type Values = Readonly<Record<string, Tensor>>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Closes a function of named inputs into a program. Equal subtrees become one node. Left: every operation that did not
 * fit its arguments, every input that the body reads but that was not declared, and every name that two inputs or two
 * outputs have, as `a.b` and `b` below `a`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const I extends Shapes, O extends Exprs>(
  inputs: I,
  body: (inputs: ExprsOf<I>) => O,
  noise: Readonly<Record<string, Density>> = {}
): E.Either<ReadonlyArray<ShapeError>, Program<I, ShapesOf<O> & Shapes>> => {
  const outputTree = body(Tree.inputs('', inputs))
  const outputs = Tree.leaves(Tree.isExpr, outputTree)
  const ports = Tree.leaves(Tree.isShape, inputs).map(([name, shape]) => ({ name, shape }))
  const { instructions, positions } = share(outputs.map(([, expr]) => expr))
  const declared = new Map(ports.map((port) => [port.name, port.shape]))
  const wrong = instructions.flatMap((instruction): ReadonlyArray<ShapeError> => {
    const { op, shape } = instruction
    if (op._tag === 'Invalid') return [op.error]
    if (op._tag !== 'Input') return []
    const known = declared.get(op.name)
    return known !== undefined && Sh.equals(known, shape) ? [] : [undeclared(op.name, shape, known)]
  })
  const errors = distinct([
    ...ports.flatMap(({ name, shape }) => (Sh.isShape(shape) ? [] : [Sh.noShape(inputName(name), shape)])),
    ...taken('inputs', ports),
    ...taken(
      'outputs',
      outputs.map(([name, { shape }]) => ({ name, shape }))
    ),
    ...Object.entries(noise).flatMap(([name, density]) => densityFaults(`noise '${name}'`, density)),
    ...wrong
  ])
  return errors.length > 0
    ? E.left(errors)
    : E.right({
        inputs: ports,
        outputs: outputs.map(([name, expr], i) => ({ name, shape: expr.shape, node: positions[i] ?? 0 })),
        noise,
        instructions,
        inputTree: inputs,
        // the leaves of `outputTree` are expressions and `ShapesOf` takes each to its shape
        outputTree: Tree.map(Tree.isExpr, outputTree, (expr) => expr.shape) as ShapesOf<O> & Shapes
      })
}

/** What is wrong in several places, as forward and back, is said once. */
const distinct = (errors: ReadonlyArray<ShapeError>): ReadonlyArray<ShapeError> => [
  ...new Map(errors.map((error) => [Sh.showError(error), error])).values()
]

/** Each name that several ports have. */
const taken = (of: 'inputs' | 'outputs', ports: ReadonlyArray<Port>): ReadonlyArray<ShapeError> => {
  const byName = new Map<string, ReadonlyArray<Shape>>()
  ports.forEach(({ name, shape }) => byName.set(name, [...(byName.get(name) ?? []), shape]))
  return [...byName].flatMap(
    ([name, shapes]): ReadonlyArray<ShapeError> =>
      shapes.length < 2
        ? []
        : [
            {
              _tag: 'ShapeError',
              operation: of,
              expected: 'one name each',
              got: `${shapes.length} called '${name}' (${shapes.map(Sh.show).join(' and ')})`,
              remedy: "rename all but one: a name is a path, so that 'a.b' is what 'b' below 'a' is called"
            }
          ]
  )
}

/**
 * The degrees of freedom of Student's t that draws are made of. Of fewer the largest draw, whose probability is 2^-33, is beyond
 * f32; of more the normal is as good.
 *
 * @category constants
 * @since 0.1.0
 */
export const leastFreedom = 0.5
/** See `leastFreedom`. @category constants @since 0.1.0 */
export const mostFreedom: number = 2 ** 20

/**
 * What is wrong with a density: degrees of freedom that no draws are made of.
 *
 * @category utils
 * @since 0.1.0
 */
export const densityFaults = (operation: string, density: Density): Faults =>
  typeof density !== 'string' && 'studentT' in density
    ? between(operation, 'degrees of freedom', density.studentT, leastFreedom, mostFreedom)
    : []

const undeclared = (name: string, shape: Shape, known: Shape | undefined): ShapeError => ({
  _tag: 'ShapeError',
  operation: inputName(name),
  expected: known === undefined ? 'a declared input' : Sh.show(known),
  got: Sh.show(shape),
  remedy: 'declare it among the inputs of the program, with this shape'
})

/** Numbers the distinct nodes below some roots, arguments first. */
const share = (
  roots: ReadonlyArray<Node>
): { readonly instructions: ReadonlyArray<Instruction>; readonly positions: ReadonlyArray<number> } => {
  const instructions: Array<Instruction> = []
  const byIdentity = new Map<Node, number>()
  const byStructure = new Map<string, number>()
  const constants = new Map<Tensor, number>()
  const opKey = (op: Op): string => {
    // JSON writes infinities, NaN and -0 as other values
    if (op._tag === 'Scalar') return `Scalar ${Object.is(op.value, -0) ? '-0' : op.value}`
    if (op._tag !== 'Constant') return JSON.stringify(op)
    const known = constants.get(op.value) ?? constants.size
    constants.set(op.value, known)
    return `Constant ${known}`
  }
  // an explicit stack: chains of many steps are deeper than the call stack allows
  const visit = (root: Node): number => {
    const stack: Array<Node> = [root]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      if (byIdentity.has(top)) {
        stack.pop()
        continue
      }
      const waiting = top.args.filter((arg) => !byIdentity.has(arg))
      if (waiting.length > 0) {
        stack.push(...waiting)
        continue
      }
      const args = top.args.map((arg) => byIdentity.get(arg) ?? 0)
      // a name may look like a number, and have a comma
      const key = `${opKey(top.op)}|${args.join(',')}|${JSON.stringify(top.shape)}`
      const position = byStructure.get(key) ?? instructions.push({ op: top.op, args, shape: top.shape }) - 1
      byStructure.set(key, position)
      byIdentity.set(top, position)
      stack.pop()
    }
    return byIdentity.get(root) ?? 0
  }
  const positions = roots.map(visit)
  return { instructions, positions }
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Gives every named dimension its size. Left: each name without a size, and each size that is not a whole number above
 * zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const bind = (program: Program, sizes: Sizes): E.Either<ReadonlyArray<ShapeError>, BoundProgram> => {
  const names = new Set<string>()
  const bound = (shape: Shape): ReadonlyArray<number> => {
    const result = Sh.bind(shape, sizes)
    result.unbound.forEach((name) => names.add(name))
    return result.bound
  }
  const instructions = program.instructions.map(({ op, args, shape }): BoundInstruction => {
    if (op._tag !== 'Size') return { op, args, shape: bound(shape) }
    return { op: { _tag: 'Scalar', value: bound([op.dim])[0] ?? 0 }, args, shape: [] }
  })
  const inputs = program.inputs.map((port) => ({ name: port.name, shape: bound(port.shape) }))
  const outputs = program.outputs.map((port) => ({ name: port.name, shape: bound(port.shape), node: port.node }))
  const missing = [...names].map(
    (name): ShapeError => ({
      _tag: 'ShapeError',
      operation: `dimension '${name}'`,
      expected: 'a size',
      got: `sizes for ${Object.keys(sizes).join(', ') || 'no name'}`,
      remedy: `pass { ${name}: a whole number }`
    })
  )
  const bad = Object.entries(sizes)
    .filter(([, n]) => !Number.isSafeInteger(n) || n < 1)
    .map(
      ([name, n]): ShapeError => ({
        _tag: 'ShapeError',
        operation: `dimension '${name}'`,
        expected: 'a whole number above 0',
        got: String(n),
        remedy: 'pass another size'
      })
    )
  const errors = [...missing, ...bad]
  return errors.length > 0 ? E.left(errors) : E.right({ inputs, outputs, instructions })
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Checks values against the inputs that a bound program declares: each present, each of the declared shape.
 * Left: every input that is missing or of another shape.
 *
 * @category utils
 * @since 0.1.0
 */
export const checkValues = (program: BoundProgram, values: Values): E.Either<ReadonlyArray<ShapeError>, Values> => {
  const errors = program.inputs.flatMap(({ name, shape }): ReadonlyArray<ShapeError> => {
    // an own key: an input may be called `constructor`
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    const fits = value !== undefined && Sh.equals(value.shape, shape) && value.data.length === count(shape)
    if (fits) return []
    const got = value === undefined ? 'no value' : `${Sh.show(value.shape)} with ${value.data.length} elements`
    return [
      {
        _tag: 'ShapeError',
        operation: inputName(name),
        expected: Sh.show(shape),
        got,
        remedy: 'pass a tensor of that shape'
      }
    ]
  })
  return errors.length > 0 ? E.left(errors) : E.right(values)
}

/**
 * The values of a tree of host tensors, by path.
 *
 * @category utils
 * @since 0.1.0
 */
export const values = (tree: Tree.Tensors): Values => Object.fromEntries(Tree.leaves(Tree.isTensor, tree))

/**
 * Values renamed to stand under a name: `a.b` becomes `name.a.b`.
 *
 * @category utils
 * @since 0.1.0
 */
export const under = (name: string, given: Values): Values =>
  Object.fromEntries(Object.entries(given).map(([path, value]) => [`${name}.${path}`, value]))

/**
 * The values that stand under a name, without it: `name.a.b` becomes `a.b`. Undoes `under`.
 *
 * @category utils
 * @since 0.1.0
 */
export const below = (name: string, given: Values): Values =>
  Object.fromEntries(
    Object.entries(given).flatMap(([path, value]) =>
      path.startsWith(`${name}.`) ? [[path.slice(name.length + 1), value] as const] : []
    )
  )
