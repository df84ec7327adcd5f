/**
 * Several estimators on the same draws: their programs are compiled once, and a run of a program is made once for all that ask for it
 * with the same values. So they share a rollout, what is predicted of its states, and the credit of each cell that they have in common.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as Rec from 'fp-ts/lib/Record.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../../lens/Lens.js'
import type { Reward } from '../../../reward/Reward.js'
import type { Values } from '../../../tensor/Program.js'
import type { Batched } from '../../../tensor/Shape.js'
import type { Executable, Target } from '../../../tensor/Target.js'
import type { Tensor } from '../../../tensor/Tensor.js'
import * as T from '../../../tensor/Tensor.js'
import type { Exprs } from '../../../tensor/Tree.js'
import { estimate } from '../../Estimate.js'
import type { Estimator } from '../../Estimator.js'
import * as Gradient from '../../Gradient.js'
import type { Estimate, EstimatorError, Problem, Request } from '../../Gradient.js'
import { isShared } from '../Variance.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A run of a program that an estimate asked for: the seconds that it took, and whether it was made for it (`fresh`) or had been made
 * already.
 *
 * @category model
 * @since 0.1.0
 */
export interface Call {
  readonly program: string
  readonly seconds: number
  readonly fresh: boolean
}

/**
 * An estimate, and the runs that it is made of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Traced {
  readonly estimate: Estimate
  readonly calls: ReadonlyArray<Call>
}

/**
 * The compiled programs of several estimators. `batch` begins a batch of draws: what is run for one request of it is not run again for
 * another. `peakBytes`: the most bytes of intermediate values of each program's run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shared {
  readonly batch: IO<(request: Request) => TE.TaskEither<EstimatorError, Traced>>
  readonly peakBytes: Readonly<Record<string, number>>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// sameness
// -------------------------------------------------------------------------------------

const sameTensor = (a: Tensor, b: Tensor | undefined): boolean => {
  if (b === undefined || a.data.length !== b.data.length) return false
  if (a.data === b.data) return true
  for (let i = 0; i < a.data.length; i++) if (!Object.is(a.data[i], b.data[i])) return false
  return true
}

const sameValues = (a: Values, b: Values): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, value]) => sameTensor(value, b[name]))

// -------------------------------------------------------------------------------------
// advantages
// -------------------------------------------------------------------------------------

/**
 * Is what a program gives the score of a segment times its `advantage`, one a row, and nothing else? Then, where each row has a gradient
 * of its own, it is the row's advantage times what it would be for 1.
 */
const isScore = (program: string, { program: { inputs } }: Executable): boolean =>
  program.startsWith('halfOrder') &&
  inputs.some(({ name, shape }) => name === 'advantage' && shape.length === 1) &&
  inputs.every(({ name }) => !name.startsWith('control'))

/** Each row times a number. */
const scaled =
  ({ data: factors }: Tensor) =>
  ({ shape, data }: Tensor): Tensor => {
    const width = T.size(shape.slice(1))
    return { shape, data: data.map((x: number, i: number) => x * (factors[Math.floor(i / width)] ?? 0)) }
  }

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/** Something that was made of values. */
interface Made<A> {
  readonly inputs: Values
  readonly outputs: A
  readonly seconds: number
}

/** Looks for what was made of the same values before it makes it, and keeps the books. */
const once =
  (program: string, calls: Array<Call>, clock: IO<number>) =>
  <A>(runs: Array<Made<A>>) =>
  <L>(make: (inputs: Values) => TE.TaskEither<L, A>) =>
  (inputs: Values): TE.TaskEither<L, A> =>
    TE.flatten(
      TE.rightIO(() => {
        const found = runs.find((one) => sameValues(one.inputs, inputs))
        if (found !== undefined) {
          calls.push({ program, seconds: found.seconds, fresh: false })
          return TE.right<L, A>(found.outputs)
        }
        const before = clock()
        return pipe(
          make(inputs),
          TE.chainFirstIOK((outputs) => () => {
            const seconds = clock() - before
            runs.push({ inputs, outputs, seconds })
            calls.push({ program, seconds, fresh: true })
          })
        )
      })
    )

/** The same executable, which remembers its runs; those of a score for all advantages. */
const remembering =
  (runs: (program: string) => Array<Made<Values>>, calls: Array<Call>, scores: boolean, clock: IO<number>) =>
  (program: string, executable: Executable): Executable => {
    const run = once(program, calls, clock)(runs(program))(executable.run)
    const score = scores && isScore(program, executable)
    return {
      ...executable,
      run: (inputs) => {
        const { advantage } = inputs
        return score && advantage !== undefined
          ? pipe(run({ ...inputs, advantage: T.fill(advantage.shape, 1) }), TE.map(Rec.map(scaled(advantage))))
          : run(inputs)
      }
    }
  }

/** The same reward, which remembers its outputs where it is a host function. */
const remembered = <R extends Params, S extends Batched, C extends Exprs>(
  reward: Reward<R, S, C>,
  runs: Array<Made<ReadonlyArray<number>>>,
  calls: Array<Call>,
  clock: IO<number>
): Reward<R, S, C> =>
  reward._tag === 'Differentiable'
    ? reward
    : {
        ...reward,
        evaluate: (x0, asked) =>
          once('reward', calls, clock)(runs)(() => reward.evaluate(x0, asked))({ ...asked?.condition, x0 })
      }

/** An empty list for each name that is asked for, the same one for the same. */
const lists = <A>(): ((name: string) => Array<A>) => {
  const all = new Map<string, Array<A>>()
  return (name) => {
    const list = all.get(name) ?? []
    all.set(name, list)
    return list
  }
}

/**
 * Are scores run once for all advantages: has each row a gradient of its own, to which no step reward adds?
 *
 * @category readings
 * @since 0.1.0
 */
export const isScaled = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Pick<Problem<P, S, C, R>, 'chain' | 'trained' | 'steps'>
): boolean => !isShared(problem) && (problem.steps ?? []).length === 0

/**
 * Compiles what some estimators need on a problem, once. With parameters of which each row has a copy, and without step rewards, scores
 * are run once for all advantages, and multiplied: what they give may differ from what they would alone by rounding. Left: what
 * `Gradient.compile` finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const share = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Omit<Problem<P, S, C, R>, 'estimator'>,
  estimators: ReadonlyArray<Estimator>,
  target: Target,
  clock: IO<number>
): E.Either<EstimatorError, Shared> => {
  const [first, ...more] = estimators.flatMap(({ covers }) => covers)
  if (first === undefined) return E.left({ _tag: 'NotCompiled', program: 'an estimator' })
  const all: Estimator = { _tag: 'partial', name: 'several', T: first.cover.T, covers: [first, ...more] }
  const whole = { ...problem, estimator: all }
  const scores = isScaled(problem)
  return pipe(
    Gradient.compile(whole, target),
    E.map(({ executables, dispose }) => ({
      batch: () => {
        const runs = lists<Made<Values>>()
        const rewarded: Array<Made<ReadonlyArray<number>>> = []
        return (request) => {
          const calls: Array<Call> = []
          const reward = remembered(problem.reward, rewarded, calls, clock)
          const kept = Rec.mapWithIndex(remembering(runs, calls, scores, clock))(executables)
          return pipe(
            estimate({ ...whole, reward }, kept, request),
            TE.map((estimate): Traced => ({ estimate, calls }))
          )
        }
      },
      peakBytes: Object.fromEntries(Object.entries(executables).map(([name, { work }]) => [name, work.peakBytes])),
      dispose
    }))
  )
}
