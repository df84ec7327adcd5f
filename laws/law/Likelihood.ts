/**
 * Laws of a chain's likelihood: densities and scores belong together.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Ch from '../../src/chain/Chain.js'
import * as Transition from '../../src/chain/Transition.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Draw from '../../src/random/Draw.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn, foldInString } from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Batched, Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { derivatives } from '../exact/Differences.js'
import { fromSingle, sum } from '../exact/Rounding.js'
import { rowCondition, rowParams } from '../Setting.js'
import type { Comparison, Verdict } from '../Verdict.js'
import { declared, describe, evaluate, rows, settle, someSteps, valuesOf, type Subject } from './ChainSubject.js'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **On-policy.** The log-density recomputed from `x_t` and the sampled `x_{t-1}` is the *sum* over elements of the
 * noise's own log-density at what was drawn, less `ln sigma_t` each: the likelihood ratio is 1. At every step with
 * noise.
 *
 * @category laws
 * @since 0.1.0
 */
export const onPolicy =
  <P extends Params, S extends Batched, C extends Exprs>(
    subject: Subject<P, S, C>,
    logDensity: typeof Ch.logDensity = Ch.logDensity
  ) =>
  (key: Key): Verdict => {
    const { chain } = subject
    const steps = Array.from({ length: chain.T }, (_, i) => i + 1).filter((t) => (chain.sigma[t] ?? 0) > 0)
    const body = (): Exprs => {
      const c = Ch.conditionInputs(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const all: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const from: Expr<S> = X.input('xT', chain.state)
      return Object.fromEntries(
        steps.map((t) => {
          const at = X.scalar(t)
          const eps = Ch.noiseAt(all, t - 1, chain.state)
          const to = Transition.addNoise(chain.mean(at).forward(p, { x: from, c }), Ch.lookup(chain.sigma, at), eps)
          return [`t${t}`, { again: logDensity(chain)(at, p, from, to, c), drawn: chain.noise.logDensity(eps) }]
        })
      )
    }
    return settle(
      `${chain.name}: the density ratio is 1 on-policy`,
      pipe(
        evaluate(declared(chain), body, valuesOf(subject, key)),
        E.map(({ values, bounds }) =>
          steps.flatMap((t) => {
            const again = values[`t${t}.again`]?.data ?? []
            const drawn = values[`t${t}.drawn`]?.data ?? []
            const width = drawn.length / rows
            const slack = bounds[`t${t}.drawn`]?.data ?? []
            return Array.from(again, (got, r): Comparison => {
              const row = Array.from(drawn).slice(r * width, (r + 1) * width)
              return {
                at: `log-density of step ${t}, row ${r}`,
                expected: sum(row) - width * Math.log(chain.sigma[t] ?? 1),
                got,
                tolerance:
                  ((bounds[`t${t}.again`]?.data[r] ?? 0) +
                    sum(Array.from(slack).slice(r * width, (r + 1) * width)) +
                    2 ** -22 * width) *
                  fromSingle,
                because: 'forward error bounds in f64'
              }
            })
          })
        )
      )
    )
  }

/**
 * **Score.** At steps with noise (`someSteps`), the derivative of the log-density of a sampled step in a parameter is
 * the pullback of the mean at `score(eps) / sigma`; and in the sample, `-score(eps) / sigma`. More than eight numbers
 * move together, in one random direction.
 *
 * @category laws
 * @since 0.1.0
 */
export const scoreIsGradient =
  <P extends Params, S extends Batched, C extends Exprs>(
    subject: Subject<P, S, C>,
    logDensity: typeof Ch.logDensity = Ch.logDensity
  ) =>
  (key: Key): Verdict => {
    const { chain } = subject
    const steps = someSteps(chain.T, key).filter((t) => (chain.sigma[t] ?? 0) > 0)
    // one row, so that each row's log-density is one number
    const batch = { batch: 1 }
    const state = Sh.bind(chain.state, batch).bound
    const one: Values = {
      ...Object.fromEntries(
        Object.entries(rowParams(chain.parameters, subject.params, 1)).map(([path, value]) => [`params.${path}`, value])
      ),
      ...rowCondition(subject.condition, 1),
      from: Draw.normal(foldIn(key, 0), state),
      eps: Draw.normal(foldIn(key, 1), state)
    }
    const inputs: Shapes = {
      params: L.shapes(chain.parameters),
      c: chain.condition,
      from: chain.state,
      eps: chain.state,
      to: chain.state
    }
    const check = (t: number): E.Either<string, ReadonlyArray<Comparison>> => {
      const step = X.scalar(t)
      const c = Ch.conditionInputs(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const from: Expr<S> = X.input('from', chain.state)
      const sigma = Ch.lookup(chain.sigma, step)
      return pipe(
        Program.make(inputs, (): Exprs => {
          const [mean, back] = chain.mean(step).run(p, { x: from, c })
          const eps: Expr<S> = X.input('eps', chain.state)
          const score: Expr<S> = X.retype(X.div<Shape, readonly []>(chain.noise.score(eps), sigma), chain.state)
          const [pBar] = back(score)
          return { sample: Transition.addNoise(mean, sigma, eps), bar: { params: pBar, to: X.neg(score) } }
        }),
        E.bindTo('credit'),
        E.bind('density', () =>
          Program.make(
            inputs,
            (): Exprs => ({ value: logDensity(chain)(step, p, from, X.input('to', chain.state), c) })
          )
        ),
        E.bind('at', ({ credit }) => Reference.runWithBounds(credit, batch, { ...one, to: one['eps'] ?? T.scalar(0) })),
        E.bimap(describe, ({ density, at }) => {
          const sampled: Values = { ...one, to: at.values['sample'] ?? T.scalar(0) }
          const bars: Values = Object.fromEntries(
            Object.entries(at.values).flatMap(([name, bar]) =>
              name.startsWith('bar.') && sampled[name.slice('bar.'.length)] !== undefined
                ? [[name.slice('bar.'.length), bar] as const]
                : []
            )
          )
          const [parameters, samples] = [Object.keys(bars).filter((name) => name !== 'to'), ['to']]
          return [...movesOf(bars, parameters, key), ...movesOf(bars, samples, key)].map(({ where, direction }) => {
            const moved = (
              x: number
            ): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => {
              const shifted = Object.entries(direction).map(([name, along]): readonly [string, T.Tensor] => [
                name,
                T.map((v, k) => v + x * (along.data[k] ?? 0))(sampled[name] ?? along)
              ])
              const there = Reference.runWithBounds(density, batch, { ...sampled, ...Object.fromEntries(shifted) })
              if (E.isLeft(there)) return { value: [Number.NaN], error: [0] }
              const { values, bounds } = there.right
              return { value: [values['value']?.data[0] ?? 0], error: [(bounds['value']?.data[0] ?? 0) * fromSingle] }
            }
            const { value, error } = derivatives(moved, { step: 0.125, levels: 9 })
            const along = (of: Values): number =>
              sum(
                Object.entries(direction).flatMap(([name, { data }]) =>
                  Array.from(data, (v, k) => v * (of[name]?.data[k] ?? Number.NaN))
                )
              )
            const slack = Object.fromEntries(Object.keys(direction).map((name) => [name, at.bounds[`bar.${name}`]]))
            return {
              at: `step ${t}, ${where}`,
              expected: value[0] ?? Number.NaN,
              got: along(bars),
              tolerance:
                (error[0] ?? 0) +
                fromSingle *
                  sum(
                    Object.entries(direction).flatMap(([name, { data }]) =>
                      Array.from(data, (v, k) => Math.abs(v) * (slack[name]?.data[k] ?? 0))
                    )
                  ),
              because: 'the extrapolation error of differences, and forward error bounds in f64'
            }
          })
        })
      )
    }
    return settle(
      `${chain.name}: the score is the gradient of the log-density`,
      steps.reduce<E.Either<string, ReadonlyArray<Comparison>>>(
        (all, t) =>
          pipe(
            all,
            E.flatMap((before) =>
              pipe(
                check(t),
                E.map((more) => [...before, ...more])
              )
            )
          ),
        E.right([])
      )
    )
  }

/** A direction in which some inputs move, and what to call it. */
interface Move {
  readonly where: string
  readonly direction: Values
}

const mostAlone = 8

/** Each number of some tensors alone, or, of more than eight, all in one direction that the key chooses. */
const movesOf = (values: Values, names: ReadonlyArray<string>, key: Key): ReadonlyArray<Move> => {
  const tensors = names.flatMap((name) => {
    const value = values[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return sum(tensors.map(([, { data }]) => data.length)) <= mostAlone
    ? tensors.flatMap(([name, value]) =>
        Array.from(value.data, (_, i) => ({
          where: `${name}[${i}]`,
          direction: { [name]: T.map((_v, k) => (k === i ? 1 : 0))(value) }
        }))
      )
    : [
        {
          where: `${names.length === 1 ? (names[0] ?? '') : 'all parameters'} in one direction`,
          direction: Object.fromEntries(
            tensors.map(([name, { shape }]) => [name, Draw.normal(foldInString(key, name), shape)])
          )
        }
      ]
}
