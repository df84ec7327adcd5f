/**
 * What a lens declares of its parameters: their shapes, and what they start at.
 *
 * @since 0.1.0
 */
import { type Expr, zeros } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import * as Sh from '../tensor/Shape.js'
import type { Shape, ShapeError } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One parameter: its shape, and the mean and standard deviation of the normal it is drawn from at the start.
 *
 * @category model
 * @since 0.1.0
 */
export interface Parameter<out S extends Shape = Shape> {
  readonly shape: S
  readonly mean: number
  readonly deviation: number
}

/**
 * The parameters of a lens, by key.
 *
 * @category model
 * @since 0.1.0
 */
export type Parameters = { readonly [key: string]: Tree.Tree<Parameter> }

/**
 * A record of parameter expressions.
 *
 * @category model
 * @since 0.1.0
 */
export type Params = { readonly [key: string]: Exprs }

declare const declares: unique symbol

/**
 * Declarations that are known to be those of `P`: what a lens or a chain with the parameters `P` declares. The property is a
 * phantom that no value has. It takes a `P`, so that declarations that are spread into one record are those of both.
 *
 * @category model
 * @since 0.1.0
 */
export type ParametersFor<P> = Parameters & { readonly [declares]?: Taking<P> }

// a method, so that declarations of some parameters are those of any
type Taking<P> = { take(p: P): void }['take']

/**
 * The expressions of the parameters that are declared: `{ weight: Parameter<[2, 8]> }` has `{ weight: Expr<[2, 8]> }`, and
 * what a lens declares has what the lens takes.
 *
 * @category model
 * @since 0.1.0
 */
export type Declared<D> = typeof declares extends keyof D
  ? D extends { readonly [declares]?: (p: infer P extends Params) => void }
    ? keyof Own<D> extends never
      ? P
      : P & Own<D>
    : never
  : D extends Parameter<infer S>
    ? Expr<S>
    : { readonly [K in keyof D]: Declared<D[K]> }

/** What is declared by keys that the type checker knows. */
type Own<D> = {
  readonly [K in keyof D as K extends string ? (string extends K ? never : K) : never]: Declared<D[K]>
}

/**
 * `unknown` for declarations whose expressions the type checker knows; else a type that nothing satisfies, which says what to
 * do.
 *
 * @category model
 * @since 0.1.0
 */
export type CheckKnown<D> = typeof declares extends keyof D
  ? unknown
  : string extends keyof D
    ? { readonly 'state the parameters: make<P, A, B>': never }
    : unknown

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The two declarations by key. A key that both have is one parameter, and it is a fault where they declare it otherwise, by
 * shape or by what it starts at.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (
  a: Parameters,
  b: Parameters
): { readonly parameters: Parameters; readonly faults: Need.Faults } => {
  const faults: Array<ShapeError> = []
  const go = (x: Branch, y: Branch, path: string): Branch => {
    if (!isParameter(x) && !isParameter(y)) return merged(x, y, `${path}.`)
    if (!isParameter(x) || !isParameter(y) || !alike(x, y)) faults.push(...conflict(path, x, y))
    return y
  }
  const merged = (x: Parameters, y: Parameters, prefix: string): Parameters => ({
    ...x,
    ...Object.fromEntries(
      Object.entries(y).map(([key, value]) => {
        const other = Object.hasOwn(x, key) ? x[key] : undefined
        return [key, other === undefined ? value : go(other, value, `${prefix}${key}`)]
      })
    )
  })
  return { parameters: merged(a, b, ''), faults }
}

type Branch = Tree.Tree<Parameter>

const alike = (x: Parameter, y: Parameter): boolean =>
  Sh.equals(x.shape, y.shape) && Object.is(x.mean, y.mean) && Object.is(x.deviation, y.deviation)

const conflict = (path: string, x: Branch, y: Branch): Need.Faults => {
  const drawn = (one: Branch): string =>
    isParameter(one)
      ? `${Sh.show(one.shape)} of mean ${one.mean} and deviation ${one.deviation}`
      : `a record of ${Object.keys(one).join(', ')}`
  return Need.fault(
    `parameter '${path}'`,
    'one declaration, since one name is one parameter',
    `${drawn(x)}, and ${drawn(y)}`,
    'put one of the lenses under another key by `at`, or declare what they share the same way'
  )
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * What is wrong with a key of a record of parameters.
 *
 * @category utils
 * @since 0.1.0
 */
export const keyFaults = (key: string): Need.Faults =>
  key !== '' && !key.includes('.')
    ? []
    : Need.fault(
        `at '${key}'`,
        'a key without dots',
        key === '' ? 'none' : 'one with dots',
        "use `at` once for each level: at('a', at('b', ...)) makes the path a.b"
      )

/**
 * Is it a parameter (a leaf of `Parameters`)?
 *
 * @category utils
 * @since 0.1.0
 */
export const isParameter = (tree: unknown): tree is Parameter =>
  typeof tree === 'object' && tree !== null && 'shape' in tree && Array.isArray(tree.shape)

/**
 * The shapes of the parameters of a lens, a tree with the same keys.
 *
 * @category utils
 * @since 0.1.0
 */
export const shapes = (parameters: Parameters): { readonly [key: string]: Tree.Shapes } =>
  Object.fromEntries(
    Object.entries(parameters).map(([key, tree]) => [
      key,
      Tree.map<Parameter, Shape>(isParameter, tree, ({ shape }) => shape)
    ])
  )

/**
 * The shapes of the parameters of a lens or chain, in the type too: declared as inputs of a program, they come as the
 * parameters that the lens takes.
 *
 * @example
 * import { dense, Lens } from 'halforder/lens'
 * import { Program } from 'halforder/tensor'
 *
 * const layer = dense(2, 8)
 * export const program = Program.make({ p: Lens.shapesOf(layer), x: ['batch', 2] }, ({ p, x }) => ({
 *   y: layer.forward(p, x)
 * }))
 *
 * @category utils
 * @since 0.1.0
 */
export const shapesOf = <P extends Params>(of: { readonly parameters: ParametersFor<P> }): Tree.ShapesOf<P> =>
  // the declarations are those of `P`
  shapes(of.parameters) as Tree.ShapesOf<P>

/**
 * The parameters of a lens or chain as input expressions, named by path under a prefix: `parameterInputs` of what it declares.
 *
 * @category utils
 * @since 0.1.0
 */
export const inputsOf = <P extends Params>(prefix: string, of: { readonly parameters: ParametersFor<P> }): P =>
  parameterInputs<P>(prefix, of.parameters)

/**
 * Input expressions for the parameters of a lens or chain, named by path under a prefix.
 *
 * @category utils
 * @since 0.1.0
 */
export const parameterInputs = <P extends Params>(prefix: string, parameters: ParametersFor<P>): P =>
  // `P` is by construction the tree of expressions with the shapes that `parameters` declares
  Tree.inputs(prefix, shapes(parameters)) as P

/**
 * Zeros in the shapes that are declared.
 *
 * @category utils
 * @since 0.1.0
 */
export const zerosOf = <P extends Params>(parameters: ParametersFor<P>): P =>
  // as in `parameterInputs`
  Tree.map<Parameter, Expr>(isParameter, parameters, ({ shape }) => zeros(shape)) as P

/**
 * Applies a function to each parameter declaration and its path.
 *
 * @category utils
 * @since 0.1.0
 */
export const mapParameters = (
  parameters: Parameters,
  f: (parameter: Parameter, path: string) => Parameter
): Parameters =>
  Object.fromEntries(
    Object.entries(parameters).map(([key, tree]) => [key, Tree.map<Parameter, Parameter>(isParameter, tree, f, key)])
  )

/**
 * A parameter declaration: `deviation` 0 and `mean` 0 by default.
 *
 * @category utils
 * @since 0.1.0
 */
export const parameter = <const S extends Shape>(shape: S, deviation = 0, mean = 0): Parameter<S> => ({
  shape,
  mean,
  deviation
})
