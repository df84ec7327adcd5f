/**
 * Rollouts with a copy of the parameters for each step, forward only.
 *
 * This is what estimator laws compare with. It uses no pullback, no score and no code of the estimators: only
 * `chain.mean(t).forward` and `reward.lens.forward`, so that derivatives by differences of it are independent of what
 * they judge.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Ch from '../../src/chain/Chain.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { BoundProgram, Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Batched, showError, type ShapeError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { unitRoundoff } from './Rounding.js'
import { rowCondition, rowParams, type Component, type Draws, type Setting, type Smoothing } from '../Setting.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One number of the parameters, moved by `share(t)` times an amount in the copy that step `t` uses.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shift {
  readonly share: (t: number) => number
  readonly component: Component
  readonly amount: number
}

/**
 * What a rollout gives: the returns, one a row (the rewards, with those on the way), and the trajectory `x_0, ..., x_T`, rows after one another.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rollout {
  readonly rewards: Float64Array
  readonly states: ReadonlyArray<Float64Array>
}

/**
 * Runs rollouts. `roundoff` is what rounding may do to a number that it computes, relative to its magnitude: one unit for
 * each operation.
 *
 * @category model
 * @since 0.1.0
 */
export interface Simulator {
  readonly roundoff: number
  readonly run: (draws: Draws, smoothing?: Smoothing, shift?: Shift) => E.Either<string, Rollout>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const describe = (errors: ReadonlyArray<ShapeError>): string => errors.map(showError).join('\n')

/**
 * The simulator of a setting. Left: what does not fit, in words.
 *
 * @category constructors
 * @since 0.1.0
 */
export const simulator = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  setting: Setting<P, S, C, R>
): E.Either<string, Simulator> => {
  const { chain, reward, steps: along = [] } = setting
  const steps = Array.from({ length: chain.T }, (_, i) => i + 1)
  const shapes = L.shapes(chain.parameters)
  const inputs: Shapes = {
    p: Object.fromEntries(steps.map((t) => [`${t}`, shapes])),
    xT: chain.state,
    eps: [chain.T, ...chain.state],
    c: chain.condition,
    reward: L.shapes(reward.shapes),
    along: Object.fromEntries(along.map(({ shapes: own }, i) => [`${i}`, L.shapes(own)]))
  }
  return pipe(
    Program.make(inputs, (): Exprs => {
      const c = Ch.conditionInputs(chain)
      const states = Ch.rollout(chain)(
        (t) => L.parameterInputs<P>(`p.${t}`, chain.parameters),
        X.input('xT', chain.state),
        X.input('eps', [chain.T, ...chain.state]),
        c
      )
      const x = states[0] ?? X.zeros(chain.state)
      const terminal = reward.lens(c).forward(L.parameterInputs<R>('reward', reward.shapes), x)
      // in full: for each reward on the way, and each step, the reward of the step's mean and state
      const rewards = along
        .flatMap((one, i) =>
          steps.map((t) => {
            const theta = L.parameterInputs<P>(`p.${t}`, chain.parameters)
            const from = states[t] ?? X.zeros(chain.state)
            const mean = chain.mean(X.scalar(t)).forward(theta, { x: from, c })
            const own = L.parameterInputs<Params>(`along.${i}`, one.shapes)
            return one.lens(X.scalar(t)).forward({ theta, own }, { mean, x: from, c })
          })
        )
        .reduce((total, one) => X.add(total, one), terminal)
      return { rewards, x: Object.fromEntries(states.map((state, t) => [`${t}`, state])) }
    }),
    E.mapLeft(describe),
    E.map((program) => {
      const bound = new Map<number, BoundProgram>()
      const run: Simulator['run'] = (draws, smoothing, shift) => {
        const known = bound.get(draws.rows)
        const ready = known === undefined ? Program.bind(program, { batch: draws.rows }) : E.right(known)
        const values = (): Values => ({
          ...stepParams(setting, draws, smoothing, shift),
          ...rowCondition(setting.condition, draws.rows),
          ...Object.fromEntries(Object.entries(reward.parameters).map(([path, value]) => [`reward.${path}`, value])),
          ...Object.fromEntries(along.flatMap((one, i) => Object.entries(Program.under(`along.${i}`, one.parameters)))),
          xT: draws.xT,
          eps: draws.eps
        })
        return pipe(
          ready,
          E.tap((one) => {
            bound.set(draws.rows, one)
            return E.right(one)
          }),
          E.flatMap((one) => Reference.runBound(one, values())),
          E.bimap(describe, (out) => ({
            rewards: Float64Array.from(out['rewards']?.data ?? []),
            states: [0, ...steps].map((t) => Float64Array.from(out[`x.${t}`]?.data ?? []))
          }))
        )
      }
      return { run, roundoff: program.instructions.length * unitRoundoff }
    })
  )
}

/** The parameters of every step: the setting's, plus the perturbation, plus the shift. */
const stepParams = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  setting: Setting<P, S, C, R>,
  { rows, xi }: Draws,
  smoothing: Smoothing | undefined,
  shift: Shift | undefined
): Values => {
  const base = rowParams(setting.chain.parameters, setting.params, rows)
  const out: Record<string, T.Tensor> = {}
  for (let t = 1; t <= setting.chain.T; t++) {
    for (const [path, value] of Object.entries(base)) {
      const width = setting.params[path]?.data.length ?? 1
      const direction = smoothing?.steps.includes(t) === true && setting.trained(path) ? xi[path]?.data : undefined
      const start = smoothing?.perturbation === 'perStep' ? (t - 1) * value.data.length : 0
      const share = shift?.component.path === path ? shift.share(t) : 0
      const moved = share === 0 ? undefined : shift
      out[`p.${t}.${path}`] =
        direction === undefined && moved === undefined
          ? value
          : T.map((x, i) => {
              const reach = direction === undefined ? 0 : (smoothing?.radius ?? 0) * (direction[start + i] ?? 0)
              return x + reach + (moved?.component.index === i % width ? share * moved.amount : 0)
            })(value)
    }
  }
  return out
}
