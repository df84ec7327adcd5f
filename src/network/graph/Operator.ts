/**
 * Operators of graphs: what each makes of its inputs, and how a cotangent comes back.
 *
 * A row says what an operator of a name means. It is given the shapes of its inputs and what is known of them, and gives a function
 * of expressions with its pullback, by hand. A graph is then wired by handing values on, and cotangents back.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Attribute, OnnxTensor } from '../../format/Onnx.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import type { Tensor } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What the numbers of a value are. Cotangents are those of floats alone.
 *
 * @category model
 * @since 0.1.0
 */
export type Kind = 'float' | 'int' | 'bool'

/**
 * A value at import: a stand-in of its shape, what its numbers are, and the numbers where they are known before the graph runs.
 * `dims` are those of a list of sizes, some of which may have names.
 *
 * @category model
 * @since 0.1.0
 */
export interface Value {
  readonly expr: Expr
  readonly kind: Kind
  readonly known: Tensor | undefined
  readonly dims: ReadonlyArray<Dim> | undefined
}

/**
 * One use of an operator: its attributes, its inputs (`undefined` for one that is left out), how many outputs are read, and the
 * version of the operators.
 *
 * @category model
 * @since 0.1.0
 */
export interface Call {
  readonly op: string
  readonly opset: number
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly inputs: ReadonlyArray<Value | undefined>
  readonly outputs: number
}

/**
 * Why there is no such operator: what was expected, and what the graph has.
 *
 * @category model
 * @since 0.1.0
 */
export interface Refusal {
  readonly expected: string
  readonly got: string
}

/**
 * From cotangents of the outputs to those of the inputs, none for an input that has none.
 *
 * @category model
 * @since 0.1.0
 */
export type Back = (bars: ReadonlyArray<Expr>) => ReadonlyArray<Expr | undefined>

/**
 * The values of the outputs, and the pullback; none for an operator that runs forward only.
 *
 * @category model
 * @since 0.1.0
 */
export interface Applied {
  readonly values: ReadonlyArray<Expr>
  readonly back: Back | undefined
}

/**
 * An operator that fits its inputs. `kinds` are those of its outputs, by default that of its first input; `dims` those of its
 * first output, where it is a list of sizes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Built {
  readonly apply: (inputs: ReadonlyArray<Expr | undefined>) => Applied
  readonly kinds?: ReadonlyArray<Kind>
  readonly dims?: ReadonlyArray<Dim> | undefined
  readonly known?: Tensor | undefined
}

/**
 * An operator by its name. `fixed` are the inputs that have to be known at import, such as a shape.
 *
 * @category model
 * @since 0.1.0
 */
export interface Row {
  readonly name: string
  readonly fixed?: ReadonlyArray<number>
  readonly build: (call: Call) => E.Either<Refusal, Built>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A refusal.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (expected: string, got: string): E.Either<Refusal, never> => E.left({ expected, got })

const nothing: Expr = X.scalar(0)

/**
 * An operator of one output, from a function of its inputs to the value and the pullback.
 *
 * @category constructors
 * @since 0.1.0
 */
export const one = (
  run: (
    x: Expr,
    ...more: ReadonlyArray<Expr | undefined>
  ) => readonly [Expr, (bar: Expr) => ReadonlyArray<Expr | undefined>],
  kinds?: ReadonlyArray<Kind>
): E.Either<Refusal, Built> =>
  E.right({
    apply: ([x = nothing, ...more]) => {
      const [value, back] = run(x, ...more)
      return { values: [value], back: ([bar = value]) => back(bar) }
    },
    ...(kinds === undefined ? {} : { kinds })
  })

/**
 * A linear operator of one input that others leave as it is: the function and its adjoint.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linear = (f: (x: Expr) => Expr, adjoint: (bar: Expr, x: Expr) => Expr): E.Either<Refusal, Built> =>
  one((x) => [f(x), (bar) => [adjoint(bar, x)]])

/**
 * An operator that has no pullback.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forward = (
  run: (inputs: ReadonlyArray<Expr | undefined>) => Expr,
  kind?: Kind
): E.Either<Refusal, Built> =>
  E.right({
    apply: (inputs) => ({ values: [run(inputs)], back: undefined }),
    ...(kind === undefined ? {} : { kinds: [kind] })
  })

/**
 * An operator whose value does not move with its inputs, such as a comparison: no cotangent comes back.
 *
 * @category constructors
 * @since 0.1.0
 */
export const constant = (
  run: (inputs: ReadonlyArray<Expr | undefined>) => Expr,
  kind: Kind,
  dims?: ReadonlyArray<Dim>
): E.Either<Refusal, Built> =>
  E.right({ apply: (inputs) => ({ values: [run(inputs)], back: () => [] }), kinds: [kind], dims })

// -------------------------------------------------------------------------------------
// what a use says
// -------------------------------------------------------------------------------------

const own = (call: Call, name: string): Attribute | undefined =>
  Object.hasOwn(call.attributes, name) ? call.attributes[name] : undefined

/** A number that a node is told. @category attributes @since 0.1.0 */
export const number = (call: Call, name: string, otherwise: number): number => {
  const value = own(call, name)
  return typeof value === 'number' ? value : otherwise
}

/** A word that a node is told. @category attributes @since 0.1.0 */
export const word = (call: Call, name: string, otherwise: string): string => {
  const value = own(call, name)
  return typeof value === 'string' ? value : otherwise
}

/** Numbers that a node is told. @category attributes @since 0.1.0 */
export const numbers = (call: Call, name: string): ReadonlyArray<number> | undefined => {
  const value = own(call, name)
  if (!Array.isArray(value)) return undefined
  return value.flatMap((item: unknown) => (typeof item === 'number' ? [item] : []))
}

/** A tensor that a node is told. @category attributes @since 0.1.0 */
export const tensor = (call: Call, name: string): OnnxTensor | undefined => {
  const value = own(call, name)
  return typeof value === 'object' && 'tensor' in value ? value : undefined
}

/** An input that there is. @category inputs @since 0.1.0 */
export const input = (call: Call, at: number): Value | undefined => call.inputs[at]

/** The shape of an input. @category inputs @since 0.1.0 */
export const shapeAt = (call: Call, at = 0): Shape => call.inputs[at]?.expr.shape ?? []

/** The numbers of an input that are known. @category inputs @since 0.1.0 */
export const knownAt = (call: Call, at: number): ReadonlyArray<number> | undefined => {
  const data = call.inputs[at]?.known?.data
  return data === undefined ? undefined : Array.from(data)
}

/** The sizes in an input, some of which may have names. @category inputs @since 0.1.0 */
export const dimsAt = (call: Call, at: number): ReadonlyArray<Dim> | undefined =>
  call.inputs[at]?.dims ?? knownAt(call, at)

/** The axes of a node, which newer versions have as an input and older as an attribute. @category inputs @since 0.1.0 */
export const axesOf = (call: Call, at: number): ReadonlyArray<number> | undefined =>
  numbers(call, 'axes') ?? knownAt(call, at)
