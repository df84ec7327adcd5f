/**
 * Names with dots as keys in records in one another: `blocks.0.weight` is `weight` in `0` in `blocks`.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Exprs } from '../../tensor/Tree.js'
import * as Tree from '../../tensor/Tree.js'

/**
 * The keys of a name, from the outside.
 *
 * @category model
 * @since 0.1.0
 */
export type Path = ReadonlyArray<string>

/**
 * The path of each name. A name whose keys would be empty, or that is the beginning of another, is one key, with slashes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const paths = (names: ReadonlyArray<string>): ReadonlyMap<string, Path> => {
  const taken = new Set(names)
  const below = new Set(
    names.flatMap((name) => {
      const keys = name.split('.')
      return keys.slice(1).map((_, i) => keys.slice(0, i + 1).join('.'))
    })
  )
  const flat = (name: string): boolean => {
    const keys = name.split('.')
    const above = keys.slice(1).some((_, i) => taken.has(keys.slice(0, i + 1).join('.')))
    return keys.includes('') || below.has(name) || above
  }
  return new Map(names.map((name) => [name, flat(name) ? [name.replaceAll('.', '/') || '/'] : name.split('.')]))
}

/**
 * Leaves by their paths, as records in records.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nest = <A>(leaves: ReadonlyArray<readonly [Path, A]>): { readonly [key: string]: Tree.Tree<A> } => {
  const groups = new Map<string, Array<readonly [Path, A]>>()
  for (const [[key = '', ...rest], leaf] of leaves) groups.set(key, [...(groups.get(key) ?? []), [rest, leaf]])
  return Object.fromEntries(
    [...groups].map(([key, inside]): readonly [string, Tree.Tree<A>] => {
      const [first] = inside
      return [key, first !== undefined && first[0].length === 0 ? first[1] : nest(inside)]
    })
  )
}

/**
 * The leaf at a path; a number where there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const find = (tree: Exprs, [key, ...rest]: Path): Expr => {
  if (Tree.isExpr(tree)) return tree
  const next = key === undefined || !Object.hasOwn(tree, key) ? undefined : tree[key]
  return next === undefined ? X.scalar(0) : find(next, rest)
}
