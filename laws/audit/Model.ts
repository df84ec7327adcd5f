/**
 * Scores of a trace from the program's own network: its steps' means, run here on the states and noises of the trace.
 *
 * The model is a function from a batch of states `x`, and, where it has a second input, the step `t` of each (1 next to the output), to
 * the mean of the next state. A trace that is audited with a model has also
 *
 * | array | shape | what |
 * | --- | --- | --- |
 * | `x` | `[T + 1, N, D]` (any axes for `D`) | the states, the output first |
 *
 * and its `P` trained numbers are the model's parameters, one after the other. The program's own `score` may be left out; where it is
 * there, it is compared with those of the model.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, fault, showError as showDocument } from '../../src/document/Document.js'
import { parameterInputs, type Params, shapes } from '../../src/lens/Lens.js'
import type { Imported } from '../../src/network/graph/Import.js'
import * as Build from '../../src/tensor/Build.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { below, under, type Values } from '../../src/tensor/Program.js'
import type { Executable, Target } from '../../src/tensor/Target.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import type { Shapes } from '../../src/tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a model has to say of a trace's step. `noise`: how far the program's `eps` are from `(x_{t-1} - mean) / sigma`, as a share
 * of their size: nearly 0 where the trace is of this model. `scale`: how many times the score of the model the program's is, with
 * the share of the program's that this leaves over; not there where the trace has no scores, or the step no noise.
 *
 * @category model
 * @since 0.1.0
 */
export interface Looked {
  readonly step: number
  readonly noise: number | undefined
  readonly scale: number | undefined
  readonly left: number | undefined
}

/**
 * The arrays of a trace with the model's scores in the place of the program's, and what there is to say of each step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Scored {
  readonly arrays: Values
  readonly steps: ReadonlyArray<Looked>
}

/**
 * A model as an audit takes it: the numbers of its parameters, in their order, are the trace's trained numbers.
 *
 * @category model
 * @since 0.1.0
 */
export type Model = Extract<Imported, { readonly _tag: 'Lens' }>

// -------------------------------------------------------------------------------------
// the program
// -------------------------------------------------------------------------------------

const wrong = (path: string, expected: string, got: unknown, remedy: string): E.Either<DocumentError, never> =>
  E.left(fault(path, expected, got, remedy))

/** The mean of one sample's step, and the gradient of `bar` times it in the parameters. */
const programOf = ({ lens, inputs, outputs }: Model): E.Either<DocumentError, Build.Closed> => {
  const [state, time, ...others] = inputs
  const [output] = outputs
  if (state === undefined || output === undefined || others.length > 0 || outputs.length > 1) {
    return wrong(
      'model',
      'inputs x and t, or x alone, and one output, the mean',
      [...inputs, ...outputs].map(({ name }) => name),
      'export the mean of a step as a function of the state and the step'
    )
  }
  const own: Shapes = {
    params: shapes(lens.parameters),
    x: state.shape,
    bar: output.shape,
    ...(time === undefined ? {} : { t: time.shape })
  }
  return E.right(
    Program.make(own, () => {
      const given = {
        [state.name]: X.input('x', state.shape),
        ...(time === undefined ? {} : { [time.name]: X.input('t', time.shape) })
      }
      const [result, back] = lens.run(parameterInputs<Params>('params', lens.parameters), given)
      const mean = result[output.name] ?? X.zeros(output.shape)
      const [gradient] = back({ [output.name]: X.input('bar', output.shape) })
      return { mean, gradient }
    })
  )
}

// -------------------------------------------------------------------------------------
// scores
// -------------------------------------------------------------------------------------

/** One row of an array with an axis of steps and one of samples. */
const rowOf = ({ shape, data }: Tensor, t: number, n: number): ArrayLike<number> => {
  const width = size(shape.slice(2))
  const at = (t * (shape[1] ?? 1) + n) * width
  return data.subarray(at, at + width)
}

const arrayOf = (arrays: Values, name: string): Tensor | undefined =>
  Object.hasOwn(arrays, name) ? arrays[name] : undefined

/** The sum of products. */
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** The model's scores of every sample and step, one after the other. */
interface Parts {
  readonly score: Float64Array
  readonly noise: Float64Array
}

/** How the trace's arrays are there for a model. */
const statesOf = (arrays: Values): E.Either<DocumentError, Readonly<Record<'x' | 'eps' | 'sigma', Tensor>>> => {
  const [x, eps, sigma] = ['x', 'eps', 'sigma'].map((name) => arrayOf(arrays, name))
  if (x === undefined || eps === undefined || sigma === undefined) {
    return wrong('x', 'the arrays x, eps and sigma beside a model', undefined, 'have the program write its states')
  }
  const [T = 0, N = 0, ...rest] = eps.shape
  const expected = [T + 1, N, ...rest]
  return x.shape.join() === expected.join() && sigma.shape.join() === `${T}`
    ? E.right({ x, eps, sigma })
    : wrong('x', `the shape [${expected.join(', ')}]`, x.shape, 'write the output and the state above each step')
}

/**
 * The scores of a trace's model. Left: a model that is no function of a state and a step, arrays that do not fit it, or a run that
 * fails.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const scores =
  (model: Model, target: Target) =>
  (arrays: Values): TE.TaskEither<string, Scored> =>
    pipe(
      TE.Do,
      TE.bind('states', () => TE.fromEither(pipe(statesOf(arrays), E.mapLeft(showDocument)))),
      TE.bind('program', () => TE.fromEither(pipe(programOf(model), E.mapLeft(showDocument)))),
      TE.flatMap(({ states, program }) =>
        Build.bracket(
          TE.fromEither(pipe(Build.build(target, { batch: 1 })('model', program), E.mapLeft(Build.showError))),
          (executable) =>
            pipe(
              every(model, executable, states),
              TE.map((parts) => scored(arrays, states, parts))
            ),
          ({ dispose }) => dispose
        )
      )
    )

/** Runs the model on each sample's step: its gradient is the sample's own. */
const every = (
  { inputs, outputs, values }: Model,
  executable: Executable,
  { x, eps, sigma }: Readonly<Record<'x' | 'eps' | 'sigma', Tensor>>
): TE.TaskEither<string, Parts> => {
  const [T = 0, N = 0] = eps.shape
  const sized = (shape: ReadonlyArray<unknown> = []): ReadonlyArray<number> =>
    shape.map((d) => (typeof d === 'number' ? d : 1))
  const [state, time] = inputs
  const params = under('params', values)
  const run = (own: Values): TE.TaskEither<string, Values> =>
    pipe(Build.run('model', executable)({ ...params, ...own }), TE.mapLeft(Build.showError))
  const each = Array.from({ length: T * N }, (_, i) => ({ t: Math.floor(i / N), n: i % N }))
  return pipe(
    each,
    RA.traverse(TE.ApplicativeSeq)(({ t, n }) => {
      const deviation = sigma.data[t] ?? 0
      const noise = rowOf(eps, t, n)
      const bar = Float64Array.from(noise, (e) => (deviation > 0 ? e / deviation : 0))
      const below_ = rowOf(x, t, n)
      return pipe(
        run({
          x: { shape: sized(state?.shape), data: Float64Array.from(rowOf(x, t + 1, n)) },
          bar: { shape: sized(outputs[0]?.shape), data: bar },
          ...(time === undefined ? {} : { t: { shape: sized(time.shape), data: Float64Array.of(t + 1) } })
        }),
        TE.map((out) => {
          const mean = out['mean']?.data ?? []
          const gradient = below('gradient', out)
          return {
            noise: Array.from(below_, (value, i) => (deviation > 0 ? (value - (mean[i] ?? 0)) / deviation : 0)),
            score: Object.keys(values).flatMap((path) => Array.from<number>(gradient[path]?.data ?? []))
          }
        })
      )
    }),
    TE.map((parts) => ({
      noise: Float64Array.from(parts.flatMap((part) => part.noise)),
      score: Float64Array.from(parts.flatMap((part) => part.score))
    }))
  )
}

const scored = (
  arrays: Values,
  { eps, sigma }: Readonly<Record<'eps' | 'sigma', Tensor>>,
  { noise, score }: Parts
): Scored => {
  const [T = 0, N = 0] = eps.shape
  const given = arrayOf(arrays, 'score')
  const stepOf = (data: Float64Array, t: number): Float64Array =>
    data.subarray((t * data.length) / T, ((t + 1) * data.length) / T)
  const steps = Array.from({ length: T }, (_, t): Looked => {
    if (!((sigma.data[t] ?? 0) > 0)) return { step: t + 1, noise: undefined, scale: undefined, left: undefined }
    const [told, found] = [stepOf(Float64Array.from(eps.data), t), stepOf(noise, t)]
    const apart = told.map((e, i) => e - (found[i] ?? 0))
    const own = stepOf(score, t)
    const theirs = given === undefined ? undefined : stepOf(Float64Array.from(given.data), t)
    const fits = theirs !== undefined && theirs.length === own.length && dot(own, own) > 0
    const scale = fits ? dot(theirs, own) / dot(own, own) : undefined
    const left =
      fits && scale !== undefined && dot(theirs, theirs) > 0
        ? theirs.reduce((sum, s, i) => sum + (s - scale * (own[i] ?? 0)) ** 2, 0) / dot(theirs, theirs)
        : undefined
    return { step: t + 1, noise: Math.sqrt(dot(apart, apart) / dot(told, told)), scale, left }
  })
  return { arrays: { ...arrays, score: { shape: [T, N, score.length / (T * N)], data: score } }, steps }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/** States in f32 are right to a few parts in a million, which a small deviation enlarges. */
const tolerated = 1e-2

/**
 * Is the trace of this model? The first step where it is not.
 *
 * @category readings
 * @since 0.1.0
 */
export const foreign = ({ steps }: Scored): Looked | undefined =>
  steps.find(({ noise }) => noise !== undefined && noise > tolerated)

const shown = (x: number): string => String(Number(x.toPrecision(3)))

/**
 * What the model says of the steps, for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = (self: Scored): string => {
  const stranger = foreign(self)
  const scales = self.steps.flatMap(({ step, scale, left }) => (scale === undefined ? [] : [{ step, scale, left }]))
  const alike = scales.every(({ scale, left = 0 }) => Math.abs(scale - 1) <= tolerated && left <= tolerated)
  return [
    stranger === undefined
      ? 'the noises are those of the model at every step'
      : `not of this model: at step ${stranger.step} the noise is off by ${shown(100 * (stranger.noise ?? 0))} % of its size`,
    ...(scales.length === 0
      ? []
      : alike
        ? ["the program's scores are the model's"]
        : scales
            .filter(({ scale, left = 0 }) => Math.abs(scale - 1) > tolerated || left > tolerated)
            .map(
              ({ step, scale, left = 0 }) =>
                `step ${step}: the program's score is ${shown(scale)} times the model's${left > tolerated ? `, but for ${shown(100 * left)} %` : ''}`
            ))
  ].join('\n')
}
