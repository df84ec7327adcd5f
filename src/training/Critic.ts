/**
 * A critic: what a state will be rewarded with, as a network that is fitted as a run goes. Half-order cells take it off the
 * return (`baseline: 'critic'`), or off after their noise, with its gradient put back in (`control: 'critic'`), for chains
 * and rewards that give no better guess.
 *
 * A step's gradient looks at the critic as the steps before left it, so the guess is independent of the noise that it is
 * used on, and the estimate stays unbiased however bad it is (Weaver and Tao, UAI 2001; page 4 of the derivations). Each
 * step of the run then moves it towards the returns of its batch, level by level, once a level, from the top of the chain
 * down.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { conditionInputs, lookup, type Chain } from '../chain/Chain.js'
import type { Estimate, EstimatorError, Request } from '../estimator/Problem.js'
import type { Estimator } from '../estimator/Estimator.js'
import type { StateValue } from '../estimator/StateValue.js'
import { gradientOutputs, trainedShapes } from '../estimator/program/Programs.js'
import { silu } from '../lens/layer/Activation.js'
import { dense } from '../lens/layer/Dense.js'
import { erase } from '../lens/Erase.js'
import { initial } from '../lens/Initial.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import { adamW } from '../optimizer/Optimizer.js'
import type { Key } from '../random/Key.js'
import type { StateLens } from '../reward/StateLens.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import { below, under, type Values } from '../tensor/Program.js'
import type { Batched, ShapeError } from '../tensor/Shape.js'
import type { Executable, Target } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { statesIn, updateProgram, zeros } from './Update.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The name under which cells look at it: `StateValue.learned(critic)`.
 *
 * @category model
 * @since 0.1.0
 */
export const critic = 'critic'

/**
 * A compiled critic. `start` are its first parameters and the state of its optimizer, which `fit` moves; `learned` are what
 * a request needs of them. It guesses 0 at first.
 *
 * @category model
 * @since 0.1.0
 */
export interface Critic {
  readonly start: (key: Key) => Values
  readonly learned: (state: Values) => Readonly<Record<string, Values>>
  readonly fit: (state: Values, batches: ReadonlyArray<Batch>) => TE.TaskEither<EstimatorError, Values>
  readonly executables: Readonly<Record<string, Executable>>
  readonly dispose: () => Promise<void>
}

/**
 * What was asked, and what came of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Batch {
  readonly request: Pick<Request, 'condition'>
  readonly estimate: Pick<Estimate, 'trajectory' | 'rewards' | 'stepRewards' | 'skipped'>
}

/**
 * All that was asked, and all that came of it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Whole {
  readonly request: Request
  readonly estimate: Estimate
}

/**
 * What it looks at: the steps of the chain, the numbers of a state and of a condition; and how large its layers are (64 by
 * default).
 *
 * @category model
 * @since 0.1.0
 */
export interface Size<D extends number, K extends number> {
  readonly T: number
  readonly features: D
  readonly labels: K
  readonly hidden?: number
}

// -------------------------------------------------------------------------------------
// the network
// -------------------------------------------------------------------------------------

/** What it is told of the time: steps that are near each other are alike. */
const clock: ReadonlyArray<(s: number) => number> = [
  (s) => 2 * s - 1,
  (s) => Math.cos(Math.PI * s),
  (s) => Math.sin(Math.PI * s),
  (s) => Math.cos(4 * Math.PI * s),
  (s) => Math.sin(4 * Math.PI * s)
]

/**
 * Two hidden layers on the state, the condition and the time. Its last layer starts at 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const network = <D extends number, K extends number>({
  T: length,
  features,
  labels,
  hidden = 64
}: Size<D, K>): StateLens<readonly ['batch', D], Rows<K>> => {
  const act = silu<readonly ['batch', number]>()
  const inner = L.compose(L.at('in', dense<number, number>(features + labels + clock.length, hidden)), act)
  const middle = L.compose(L.at('middle', dense<number, number>(hidden, hidden)), act)
  const body = erase(L.compose(L.compose(inner, middle), L.at('out', dense<number, 1>(hidden, 1, 0))))
  const parts = (t: Scalar): ReadonlyArray<Rows<number>> =>
    clock.map((read) => {
      const table = Array.from({ length: length + 1 }, (_, s) => read(s / length))
      return X.broadcastTo(X.reshape(lookup(table, t), [1, 1]), ['batch', 1])
    })
  return {
    shapes: body.parameters,
    lens: (t) =>
      L.make<Params, { readonly x: Rows<D>; readonly c: Rows<K> }, Expr<readonly ['batch']>>(
        body.parameters,
        (p, { x, c }) => {
          const [value, back] = body.run(p, X.concat<readonly ['batch', number], 1>([x, c, ...parts(t)], 1))
          return [
            X.reshape(value, ['batch']),
            (bar) => {
              const [pBar, inputBar] = back(X.reshape(bar, ['batch', 1]))
              return [pBar, { x: X.slice(inputBar, 1, 0, features), c: X.slice(inputBar, 1, features, labels) }]
            }
          ]
        }
      )
  }
}

/**
 * The critic of an estimator, as values of a problem: where some half-order cell looks at one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const looked = <D extends number, K extends number>(
  { covers }: Estimator,
  size: Size<D, K>
): { readonly values?: ReadonlyMap<string, StateLens<readonly ['batch', D], Rows<K>>> } => {
  const names = (value: StateValue | undefined): boolean => value?._tag === 'Learned' && value.name === critic
  const cells = covers.flatMap(({ cover }) => cover.cells)
  return cells.some((cell) => cell._tag === 'HalfOrder' && (names(cell.baseline) || names(cell.control)))
    ? { values: new Map([[critic, network(size)]]) }
    : {}
}

// -------------------------------------------------------------------------------------
// the fit
// -------------------------------------------------------------------------------------

/** The gradient of minus half the weighted squares of what a guess is off, to be ascended. */
const residuals = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  { lens, shapes }: StateLens<S, C>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make(
    {
      value: L.shapes(shapes),
      x: chain.state,
      c: chain.condition,
      high: [],
      target: ['batch'],
      weights: ['batch']
    },
    (): Exprs => {
      const [value, back] = lens(X.input('high', [])).run(L.parameterInputs<Params>('value', shapes), {
        x: X.input('x', chain.state),
        c: conditionInputs(chain)
      })
      const off = X.sub(X.input('target', ['batch']), value)
      const [bar] = back(X.mul(X.input('weights', ['batch']), off))
      return gradientOutputs(shapes, () => true, bar)
    }
  )

/** Returns about the mean of the rows that are used, with the weights of these; leave-one-out takes the mean off anyway. */
const targets = ({
  rewards,
  stepRewards,
  skipped
}: Batch['estimate']): readonly [target: T.Tensor, weights: T.Tensor] => {
  const used = rewards.map((_, n) => !skipped.includes(n))
  const count = Math.max(used.filter((one) => one).length, 1)
  const whole = rewards.map((r, n) => (used[n] === true ? r + (stepRewards[n] ?? 0) : 0))
  const mean = whole.reduce((sum, g) => sum + g, 0) / count
  return [
    T.toFloat32(T.vector(whole.map((g, n) => (used[n] === true ? g - mean : 0)))),
    T.toFloat32(T.vector(used.map((one) => (one ? 1 / count : 0))))
  ]
}

/**
 * Compiles a critic of a chain, with an optimizer of its own. Left: a program that does not compile.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs>(
  { chain, batch }: { readonly chain: Chain<P, S, C>; readonly batch: number },
  lens: StateLens<S, C>,
  target: Target,
  learningRate = 3e-3
): E.Either<EstimatorError, Critic> => {
  const shapes = Object.fromEntries(trainedShapes(lens.shapes, () => true))
  const build = Build.build(target, { batch })
  return pipe(
    E.Do,
    E.bind('fit', () => build('critic', residuals(chain, lens))),
    E.bind('update', () => build('critic update', updateProgram(shapes, adamW(learningRate)))),
    E.map(({ fit, update }): Critic => {
      const once = (state: Values, { request, estimate }: Batch, t: number): TE.TaskEither<EstimatorError, Values> => {
        const { trajectory } = estimate
        if (trajectory === undefined) return TE.right(state)
        const [target_, weights] = targets(estimate)
        const params = below('params', state)
        return pipe(
          Build.run(
            'critic',
            fit
          )({
            ...under('value', params),
            ...request.condition,
            x: T.at(t)(trajectory),
            high: T.scalar(t),
            target: target_,
            weights
          }),
          TE.flatMap((out) => Build.run('critic update', update)({ ...state, ...out })),
          TE.map((updated) => ({ ...under('params', below('params', updated)), ...statesIn(updated) }))
        )
      }
      return {
        start: (key) => ({ ...under('params', initial(lens.shapes, key)), ...zeros(update) }),
        learned: (state) => ({ [critic]: below('params', state) }),
        fit: (state, batches) =>
          batches
            .flatMap((one) => Array.from({ length: chain.T }, (_, i) => [one, chain.T - i] as const))
            .reduce<TE.TaskEither<EstimatorError, Values>>(
              (before, [one, t]) =>
                pipe(
                  before,
                  TE.flatMap((values) => once(values, one, t))
                ),
              TE.right(state)
            ),
        executables: { critic: fit, 'critic update': update },
        dispose: async () => {
          await fit.dispose()
          await update.dispose()
        }
      }
    })
  )
}
