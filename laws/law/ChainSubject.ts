/**
 * A chain under test: its values, and programs over them run in f64 with forward error bounds.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Draw from '../../src/random/Draw.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn } from '../../src/random/Key.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Batched, ShapeError } from '../../src/tensor/Shape.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { fromSingle } from '../exact/Rounding.js'
import { rowCondition, rowParams } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain at some parameters and condition, given for one row as in a `Setting`. Conditions may be labels, which have no
 * derivative: `varied` tells, by input name, which are to be differentiated (none, by default).
 *
 * @category model
 * @since 0.1.0
 */
export interface Subject<P extends Params, S extends Batched, C extends Exprs> {
  readonly chain: Chain<P, S, C>
  readonly params: Values
  readonly condition: Values
  readonly varied?: (name: string) => boolean
}

/**
 * Rows of a batch that a chain is run on.
 *
 * @category constants
 * @since 0.1.0
 */
export const rows = 3

/**
 * Shape errors, one a line.
 *
 * @category utils
 * @since 0.1.0
 */
export const describe = (errors: ReadonlyArray<ShapeError>): string => errors.map(Sh.showError).join('\n')

/**
 * The inputs of a program over a chain: `params`, `c`, `xT`, `eps` and more.
 *
 * @category utils
 * @since 0.1.0
 */
export const declared = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  more: Shapes = {}
): Shapes => ({
  params: L.shapes(chain.parameters),
  c: chain.condition,
  xT: chain.state,
  eps: [chain.T, ...chain.state],
  ...(Tree.isShape(more) ? {} : more)
})

/**
 * Values for them: the subject's own parameters and condition in every row, and normals.
 *
 * @category utils
 * @since 0.1.0
 */
export const valuesOf = <P extends Params, S extends Batched, C extends Exprs>(
  { chain, params, condition }: Subject<P, S, C>,
  key: Key
): Values => {
  const state = Sh.bind(chain.state, { batch: rows }).bound
  return {
    ...Object.fromEntries(
      Object.entries(rowParams(chain.parameters, params, rows)).map(([path, value]) => [`params.${path}`, value])
    ),
    ...rowCondition(condition, rows),
    xT: Draw.normal(foldIn(key, 0), state),
    eps: Draw.normal(foldIn(key, 1), [chain.T, ...state]),
    bar: Draw.normal(foldIn(key, 2), state)
  }
}

/**
 * Closes a program and runs it in f64.
 *
 * @category utils
 * @since 0.1.0
 */
export const evaluate = (inputs: Shapes, body: () => Exprs, values: Values): E.Either<string, Reference.Bounded> =>
  pipe(
    Program.make(inputs, body),
    E.flatMap((program) => Reference.runWithBounds(program, { batch: rows }, values)),
    E.mapLeft(describe)
  )

/**
 * The verdict on comparisons that could be made, or the reason why they could not.
 *
 * @category utils
 * @since 0.1.0
 */
export const settle = (law: string, comparisons: E.Either<string, ReadonlyArray<Comparison>>): Verdict =>
  pipe(
    comparisons,
    E.match(
      (reason) => V.stuck(law, reason),
      (all) => V.verdict(law, all)
    )
  )

/**
 * Outputs under one name against those under another, within the bounds of both.
 *
 * @category utils
 * @since 0.1.0
 */
export const side = ({ values, bounds }: Reference.Bounded, one: string, other: string): ReadonlyArray<Comparison> =>
  Object.entries(values)
    .filter(([name]) => name.startsWith(`${one}.`))
    .flatMap(([name, value]) => {
      const twin = `${other}${name.slice(one.length)}`
      return Array.from(value.data, (expected, i) => ({
        at: `${name.slice(one.length + 1)}[${i}]`,
        expected,
        got: values[twin]?.data[i] ?? Number.NaN,
        tolerance: ((bounds[name]?.data[i] ?? 0) + (bounds[twin]?.data[i] ?? 0)) * fromSingle,
        because: 'forward error bounds in f64'
      }))
    })

/**
 * Steps of a chain that stand for all. Of at most eight steps these are all; of more, the first, the last, and three that the
 * key chooses.
 *
 * @category utils
 * @since 0.1.0
 */
export const someSteps = (length: number, key: Key): ReadonlyArray<number> => {
  if (length <= 8) return Array.from({ length }, (_, i) => i + 1)
  const chosen = Array.from(Draw.uniform(foldIn(key, 5), [3]).data, (u) => 1 + Math.floor(u * length))
  return [...new Set([1, length, ...chosen])].sort((a, b) => a - b)
}
