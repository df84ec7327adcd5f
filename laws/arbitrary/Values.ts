/**
 * Random values of states on random covers, and random additions to chains, for fast-check.
 *
 * @since 0.1.0
 */
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import type { Cell, Cover, Exactness } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import * as V from '../../src/estimator/StateValue.js'
import { blackBoxOfState, type StepBlackBox } from '../../src/reward/StepReward.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { ScalarSetting } from '../toy/Polynomial.js'
import { alongSetting, valueName } from '../toy/Along.js'
import { number, sigmas } from './Toys.js'

/**
 * A value of the state of an `alongSetting`: the clean prediction's reward, the learned one, or a polynomial of degree 2.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const value: fc.Arbitrary<V.StateValue> = fc.oneof(
  fc.constant(V.clean),
  fc.constant(V.learned(valueName)),
  fc.array(number(2), { minLength: 0, maxLength: 3 }).map(V.polynomial)
)

/**
 * The same cover with random baselines and controls at its half-order cells.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const decorated = <X extends Exactness>(cover: Cover<X>): fc.Arbitrary<Cover<X>> =>
  fc
    .array(fc.tuple(fc.option(value, { nil: undefined }), fc.option(value, { nil: undefined })), {
      minLength: cover.cells.length,
      maxLength: cover.cells.length
    })
    .map((values) => ({
      ...cover,
      cells: cover.cells.map((cell, i): Cell => {
        const [baseline, control] = values[i] ?? []
        return cell._tag !== 'HalfOrder'
          ? cell
          : {
              ...cell,
              ...(baseline === undefined ? {} : { baseline }),
              ...(control === undefined ? {} : { control })
            }
      })
    }))

/**
 * A linear chain of `T` steps with a quadratic reward, a process reward, a learned value and, three times in four, a penalty for
 * leaving a reference.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const along = (
  T: number,
  { penalty }: { readonly penalty: boolean } = { penalty: true }
): fc.Arbitrary<ScalarSetting> =>
  fc
    .record({
      c: fc.record({ alpha: number(), a: number(), b: number(), sigma: sigmas(T) }),
      reward: fc.tuple(number(2), number(2), number(2)),
      process: fc.tuple(number(1), number(1)),
      beta: penalty ? fc.integer({ min: 0, max: 3 }).map((n) => n / 4) : fc.constant(0),
      reference: fc.tuple(number(), number()),
      value: fc.tuple(number(2), number(2))
    })
    .map(({ c, reward, ...additions }) => alongSetting(c, reward, additions))

/**
 * The process reward of a setting as a host function.
 *
 * @category utils
 * @since 0.1.0
 */
export const processOnHost = ({ steps = [] }: ScalarSetting): StepBlackBox =>
  blackBoxOfState('process on the host', (x) => {
    const [process] = steps
    const program = Program.make({ x: ['batch', 1] }, () => {
      const state = X.input('x', ['batch', 1])
      const theta = { theta: X.fill(['batch', 2], 0) }
      return {
        value:
          process === undefined
            ? X.zeros(['batch'])
            : process.lens(X.scalar(1)).forward({ theta, own: {} }, { mean: state, x: state, c: {} })
      }
    })
    const out = E.isRight(program) ? Reference.run(program.right, { batch: x.shape[0] ?? 1 }, { x }) : program
    return E.isRight(out) ? Array.from(out.right['value']?.data ?? []) : []
  })

/**
 * Which cells of a cover are half-order ones with a value: a law about values says nothing where there are none.
 *
 * @category utils
 * @since 0.1.0
 */
export const hasValues = ({ cells }: Cover): boolean =>
  cells.some((cell) => cell._tag === 'HalfOrder' && (cell.baseline !== undefined || cell.control !== undefined))

/**
 * An exact cover of `T` steps with random values, as an estimator's only one is made of.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const decoratedExact =
  (exact: (T: number) => fc.Arbitrary<Cover<'exact'>>) =>
  (T: number): fc.Arbitrary<Cover<'exact'>> =>
    exact(T)
      .chain(decorated)
      .filter((cover) => E.isRight(C.exact(cover.T, cover.cells)))
