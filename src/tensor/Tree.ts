/**
 * Trees of named leaves: how parameters, inputs and outputs are grouped. A leaf has a path, its keys joined by dots,
 * which is also its name in a checkpoint.
 *
 * @since 0.1.0
 */
import * as X from './Expr.js'
import type { Expr } from './Expr.js'
import type { Shape } from './Shape.js'
import type { Tensor } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A leaf, or a record of trees.
 *
 * @category model
 * @since 0.1.0
 */
export type Tree<L> = L | { readonly [key: string]: Tree<L> }

/**
 * A tree of shapes: what a program or a layer declares.
 *
 * @category model
 * @since 0.1.0
 */
export type Shapes = Tree<Shape>

/**
 * A tree of expressions.
 *
 * @category model
 * @since 0.1.0
 */
export type Exprs = Tree<Expr>

/**
 * A tree of host tensors.
 *
 * @category model
 * @since 0.1.0
 */
export type Tensors = Tree<Tensor>

/**
 * The tree of expressions with the shapes of a tree of shapes.
 *
 * @category model
 * @since 0.1.0
 */
export type ExprsOf<T> = T extends Shape ? Expr<T> : { readonly [K in keyof T]: ExprsOf<T[K]> }

/**
 * The tree of shapes of a tree of expressions.
 *
 * @category model
 * @since 0.1.0
 */
export type ShapesOf<T> = T extends Expr<infer S> ? S : { readonly [K in keyof T]: ShapesOf<T[K]> }

/**
 * The tree of host tensors with the keys of a tree of shapes or of expressions.
 *
 * @category model
 * @since 0.1.0
 */
export type TensorsOf<T> = T extends Shape
  ? Tensor
  : T extends Expr
    ? Tensor
    : { readonly [K in keyof T]: TensorsOf<T[K]> }

/**
 * The paths and leaves of a tree, in the order of its keys.
 *
 * @category model
 * @since 0.1.0
 */
export type Leaves<L> = ReadonlyArray<readonly [path: string, leaf: L]>

// -------------------------------------------------------------------------------------
// predicates
// -------------------------------------------------------------------------------------

/**
 * Is it a shape (a leaf of `Shapes`)?
 *
 * @category predicates
 * @since 0.1.0
 */
export const isShape = (tree: unknown): tree is Shape => Array.isArray(tree)

/**
 * Is it an expression (a leaf of `Exprs`)?
 *
 * @category predicates
 * @since 0.1.0
 */
export const isExpr = (tree: unknown): tree is Expr =>
  typeof tree === 'object' && tree !== null && 'op' in tree && 'args' in tree && Array.isArray(tree.args)

/**
 * Is it a host tensor (a leaf of `Tensors`)?
 *
 * @category predicates
 * @since 0.1.0
 */
export const isTensor = (tree: unknown): tree is Tensor =>
  typeof tree === 'object' && tree !== null && 'data' in tree && ArrayBuffer.isView(tree.data)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

type Test<L> = (tree: unknown) => tree is L

/**
 * The leaves of a tree with their paths.
 *
 * @category combinators
 * @since 0.1.0
 */
export const leaves = <L>(isLeaf: Test<L>, tree: Tree<L>, path = ''): Leaves<L> =>
  isLeaf(tree)
    ? [[path, tree]]
    : Object.entries(tree).flatMap(([key, value]) => leaves(isLeaf, value, path === '' ? key : `${path}.${key}`))

/**
 * Applies a function to each leaf; the shape of the tree stays.
 *
 * @category combinators
 * @since 0.1.0
 */
export const map = <L, M>(isLeaf: Test<L>, tree: Tree<L>, f: (leaf: L, path: string) => M, path = ''): Tree<M> =>
  isLeaf(tree)
    ? f(tree, path)
    : Object.fromEntries(
        Object.entries(tree).map(([key, value]) => [key, map(isLeaf, value, f, path === '' ? key : `${path}.${key}`)])
      )

/**
 * Expression inputs for a tree of shapes, named by their paths under a prefix.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inputs = <T extends Shapes>(prefix: string, shapes: T): ExprsOf<T> =>
  // `map` keeps the keys and makes an expression of each leaf's shape: the definition of `ExprsOf`
  map<Shape, Expr>(isShape, shapes, (shape, path) => X.input(path, shape), prefix) as ExprsOf<T>

/**
 * Applies a function to each expression of a tree; it must keep the shapes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapExprs = <T extends Exprs>(tree: T, f: (leaf: Expr, path: string) => Expr): T =>
  // each leaf keeps its shape: `retype` makes a leaf that does not an error of the program
  map<Expr, Expr>(isExpr, tree, (leaf, path) => X.retype(f(leaf, path), leaf.shape)) as T

/**
 * A tree of zeros of the same shapes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const zerosOf = <T extends Exprs>(tree: T): T => mapExprs(tree, (leaf) => X.fill(leaf.shape, 0))

/**
 * Combines two trees of expressions leaf by leaf; a leaf or branch that only one of them has is kept.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mergeWith =
  (f: (a: Expr, b: Expr) => Expr) =>
  <A extends Exprs, B extends Exprs>(a: A, b: B): A & B => {
    const go = (x: Exprs, y: Exprs): Exprs => {
      if (isExpr(x)) return isExpr(y) ? f(x, y) : x
      if (isExpr(y)) return y
      const keys = [...new Set([...Object.keys(x), ...Object.keys(y)])]
      return Object.fromEntries(
        keys.flatMap((key) => {
          // own keys: a weight may be called `constructor`
          const p = Object.hasOwn(x, key) ? x[key] : undefined
          const q = Object.hasOwn(y, key) ? y[key] : undefined
          return p === undefined ? (q === undefined ? [] : [[key, q]]) : [[key, q === undefined ? p : go(p, q)]]
        })
      )
    }
    // every key of either is present, which is what the intersection says
    return go(a, b) as A & B
  }

/**
 * The sum of two trees of expressions: a commutative monoid with the empty record, where a branch that one of them
 * lacks counts as zero. This is how the parameter cotangents of composed lenses add up.
 *
 * @category combinators
 * @since 0.1.0
 */
export const add: <A extends Exprs, B extends Exprs>(a: A, b: B) => A & B = /*#__PURE__*/ mergeWith(X.add)
