/**
 * Wrong estimators, made from the right one: the library's interpreter runs, and something is changed on the way.
 *
 * A change sees each program's inputs before it runs and its outputs after, told apart by the kind of program, or it
 * changes the cover that is run while another one is claimed.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Advantage } from '../../src/estimator/Advantage.js'
import type { Cell, Cover } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import type { Request } from '../../src/estimator/Gradient.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import type { BoundProgram, Values } from '../../src/tensor/Program.js'
import { reference, type Target, type TargetError } from '../../src/tensor/Target.js'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import { library } from '../exact/Expectation.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a program of an estimator does.
 *
 * @category model
 * @since 0.1.0
 */
export type Kind = 'rollout' | 'side' | 'step' | 'reward' | 'value' | 'firstOrder' | 'halfOrder' | 'zerothOrder'

/**
 * What a change may look at: the request, and the chain's sigma.
 *
 * @category model
 * @since 0.1.0
 */
export interface Context {
  readonly request: Request
  readonly sigma: ReadonlyArray<number>
}

/**
 * Runs a program with given values.
 *
 * @category model
 * @since 0.1.0
 */
export type Run = (values: Values) => TE.TaskEither<TargetError, Values>

/**
 * How a program is run instead.
 *
 * @category model
 * @since 0.1.0
 */
export type Tampered = (context: Context, values: Values, run: Run) => TE.TaskEither<TargetError, Values>

/**
 * How programs of some kinds are run instead.
 *
 * @category model
 * @since 0.1.0
 */
export type Change = { readonly [K in Kind]?: Tampered }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const kindOf = ({ inputs, outputs }: BoundProgram): Kind => {
  const takes = (name: string): boolean => inputs.some((port) => port.name === name)
  if (outputs.some((port) => port.name === 'value')) return 'value'
  if (takes('x0Bar')) return 'firstOrder'
  if (takes('high')) return outputs.some((port) => port.name === 'x') ? 'step' : 'halfOrder'
  if (takes('delta')) return 'zerothOrder'
  if (takes('weights')) return 'reward'
  return outputs.some((port) => port.name === 'trajectory') ? 'rollout' : 'side'
}

/**
 * The library's interpreter with some programs run another way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const programs =
  (change: Change): Interpreter =>
  (problem) => {
    const tampered = (request: Request): Target => ({
      ...reference,
      compile: (program, sizes) =>
        pipe(
          reference.compile(program, sizes),
          E.map((executable) => {
            const other = change[kindOf(executable.program)]
            return other === undefined
              ? executable
              : {
                  ...executable,
                  run: (values) => other({ request, sigma: problem.chain.sigma }, values, executable.run)
                }
          })
        )
    })
    return pipe(
      Gradient.compile(problem, reference),
      E.map((gradients) => ({
        ...gradients,
        run: (request) =>
          pipe(
            TE.fromEither(Gradient.compile(problem, tampered(request))),
            TE.flatMap((one) => one.run(request))
          )
      }))
    )
  }

/**
 * An interpreter run on other cells than the ones that are claimed: by default the library's interpreter. The
 * other cover is not checked.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cells =
  (other: (cover: Cover) => ReadonlyArray<Cell>, interpreter: Interpreter = library): Interpreter =>
  (problem) => {
    const changed = (cover: Cover): Cover => ({ ...cover, cells: other(cover) })
    const [first, ...rest] = problem.estimator.covers
    const estimator: Estimator = {
      ...problem.estimator,
      covers: [{ ...first, cover: changed(first.cover) }, ...rest.map((one) => ({ ...one, cover: changed(one.cover) }))]
    }
    return pipe(
      interpreter({ ...problem, estimator }),
      E.map((gradients) => ({
        ...gradients,
        run: (request) => gradients.run({ ...request, cover: changed(request.cover) })
      }))
    )
  }

/**
 * The library's interpreter with another advantage than the one that is claimed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const advantage =
  (other: Advantage): Interpreter =>
  (problem) =>
    Gradient.compile({ ...problem, advantage: other }, reference)

/**
 * The cells of the paper's equation (6) as it is printed, for the cover of RLR with the same segment: its
 * zeroth-order set is all steps but `j..j+h`, which keeps step 1 and drops step `j + h`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const asPrinted = (cover: Cover): ReadonlyArray<Cell> => {
  const half = cover.cells.find((cell) => cell._tag === 'HalfOrder')
  const set = C.range(1, cover.T).filter((t) => half?._tag !== 'HalfOrder' || t < half.from || t > half.to + 1)
  const zeroth = C.zerothOrderCell(cover)
  const others = cover.cells.filter((cell) => cell._tag !== 'ZerothOrder')
  return [...others, C.zerothOrder(set, zeroth ?? {})]
}
