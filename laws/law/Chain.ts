/**
 * Laws of chains: segments compose, trajectories replay, densities and scores belong together.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Ch from '../../src/chain/Chain.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Programs from '../../src/estimator/Programs.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Draw from '../../src/random/Draw.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn } from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Batched, Shape, ShapeError } from '../../src/tensor/Shape.js'
import { reference, showTargetError, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { derivatives } from '../exact/Differences.js'
import { fromSingle, sum } from '../exact/Rounding.js'
import { rowCondition, rowParams } from '../Setting.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain at some parameters and condition, given for one row as in a `Setting`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Subject<P extends Params, S extends Batched, C extends Exprs> {
  readonly chain: Chain<P, S, C>
  readonly params: Values
  readonly condition: Values
}

const rows = 3

const describe = (errors: ReadonlyArray<ShapeError>): string => errors.map(Sh.showError).join('\n')

const conditionOf = <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): C =>
  // the declared shapes are those of `C`
  Tree.inputs<Shapes>('c', chain.condition) as C

const declared = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  more: Shapes = {}
): Shapes => ({
  params: L.shapes(chain.parameters),
  c: chain.condition,
  xT: chain.state,
  eps: [chain.T, ...chain.state],
  ...(Tree.isShape(more) ? {} : more)
})

const valuesOf = <P extends Params, S extends Batched, C extends Exprs>(
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

const evaluate = (inputs: Shapes, body: () => Exprs, values: Values): E.Either<string, Reference.Bounded> =>
  pipe(
    Program.make(inputs, body),
    E.flatMap((program) => Reference.runWithBounds(program, { batch: rows }, values)),
    E.mapLeft(describe)
  )

const settle = (law: string, comparisons: E.Either<string, ReadonlyArray<Comparison>>): Verdict =>
  pipe(
    comparisons,
    E.match(
      (reason) => V.stuck(law, reason),
      (all) => V.verdict(law, all)
    )
  )

/** Outputs under one name against those under another, within the bounds of both. */
const side = ({ values, bounds }: Reference.Bounded, one: string, other: string): ReadonlyArray<Comparison> =>
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

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Segments compose.** The steps `1..k` after the steps `k+1..T` are the whole chain, in value and in every cotangent: of
 * parameters, condition, state and noises. `segment` may be your own.
 *
 * @category laws
 * @since 0.1.0
 */
export const segmentsCompose =
  <P extends Params, S extends Batched, C extends Exprs>(
    subject: Subject<P, S, C>,
    segment: typeof Ch.segment = Ch.segment
  ) =>
  (k: number, key: Key): Verdict => {
    const { chain } = subject
    const body = (): Exprs => {
      const c = conditionOf(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const eps: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const bar = X.input('bar', chain.state)
      const part = (from: number, to: number): Ch.Noises<S> =>
        // some of the noises have the shape of noises
        X.slice<Shape, 0, number>(eps, 0, from - 1, to - from + 1) as Ch.Noises<S>
      const [whole, backWhole] = segment(
        chain,
        chain.T
      )(X.scalar(chain.T)).run(p, { x: X.input('xT', chain.state), c, eps })
      const [high, backHigh] = segment(
        chain,
        chain.T - k
      )(X.scalar(chain.T)).run(p, {
        x: X.input('xT', chain.state),
        c,
        eps: part(k + 1, chain.T)
      })
      const sigma = Ch.lookup(chain.sigma, X.scalar(k + 1))
      const middle = Ch.addNoise(high, sigma, Ch.noiseAt(eps, k, chain.state))
      const [low, backLow] = segment(chain, k)(X.scalar(k)).run(p, { x: middle, c, eps: part(1, k) })
      const [pWhole, aWhole] = backWhole(bar)
      const [pLow, aLow] = backLow(bar)
      const [pHigh, aHigh] = backHigh(aLow.x)
      // the noise between the two is the lower one's argument and the upper one's own
      const between: Expr = X.mul<Shape, readonly []>(aLow.x, sigma)
      const noises = X.concat<Shape, 0>(
        [
          aLow.eps,
          X.reshape(between, [1, ...chain.state]),
          X.slice<Shape, 0, number>(aHigh.eps, 0, 1, chain.T - k - 1)
        ],
        0
      )
      const split =
        chain.T - k === 1 ? X.concat<Shape, 0>([aLow.eps, X.reshape(between, [1, ...chain.state])], 0) : noises
      return {
        whole: { value: whole, p: pWhole, x: aWhole.x, c: aWhole.c, eps: aWhole.eps },
        split: { value: low, p: Tree.add(pLow, pHigh), x: aHigh.x, c: Tree.add(aLow.c, aHigh.c), eps: split }
      }
    }
    return settle(
      `${chain.name}: segments compose at ${k}`,
      pipe(
        evaluate(declared(chain, { bar: chain.state }), body, valuesOf(subject, key)),
        E.map((out) => side(out, 'whole', 'split'))
      )
    )
  }

/**
 * **Rollout.** A rollout's state below each step is the segment's mean part down to there, plus that step's noise.
 *
 * @category laws
 * @since 0.1.0
 */
export const rolloutIsSegments =
  <P extends Params, S extends Batched, C extends Exprs>(subject: Subject<P, S, C>) =>
  (key: Key): Verdict => {
    const { chain } = subject
    const steps = Array.from({ length: chain.T }, (_, i) => i + 1)
    const body = (): Exprs => {
      const c = conditionOf(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const eps: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const x = X.input('xT', chain.state)
      const states = Ch.rollout(chain)(() => p, x, eps, c)
      const down = (t: number): Expr => {
        const part = X.slice<Shape, 0, number>(eps, 0, t - 1, chain.T - t + 1) as Ch.Noises<S>
        const mean = Ch.segment(chain, chain.T - t + 1)(X.scalar(chain.T)).forward(p, { x, c, eps: part })
        return Ch.addNoise(mean, Ch.lookup(chain.sigma, X.scalar(t)), Ch.noiseAt(eps, t - 1, chain.state))
      }
      return {
        rollout: Object.fromEntries(steps.map((t) => [`x${t - 1}`, states[t - 1] ?? X.zeros([])])),
        segment: Object.fromEntries(steps.map((t) => [`x${t - 1}`, down(t)]))
      }
    }
    return settle(
      `${chain.name}: a rollout is its segments`,
      pipe(
        evaluate(declared(chain), body, valuesOf(subject, key)),
        E.map((out) => side(out, 'rollout', 'segment'))
      )
    )
  }

/**
 * **Replay.** On a target, the same key gives the same trajectory bit for bit, from a fresh compilation too, and another key
 * gives another one.
 *
 * @category laws
 * @since 0.1.0
 */
export const replays =
  <P extends Params, S extends Batched, C extends Exprs>(subject: Subject<P, S, C>, target: Target = reference) =>
  (key: Key): Task<Verdict> => {
    const { chain } = subject
    const law = `${chain.name}: a replayed key replays the trajectory`
    const once = (from: Key): TE.TaskEither<string, Values> =>
      pipe(
        TE.fromEither(Programs.rollout(chain, { perturbation: 'none', keep: true, trained: () => true })),
        TE.mapLeft(describe),
        TE.flatMap((program) =>
          TE.fromEither(pipe(target.compile(program, { batch: rows }), E.mapLeft(showTargetError)))
        ),
        TE.flatMap((executable) => {
          const { bar: _, ...values } = valuesOf(subject, from)
          return pipe(
            executable.run(values),
            TE.mapLeft(showTargetError),
            TE.chainFirstTaskK(() => () => executable.dispose())
          )
        })
      )
    return pipe(
      TE.Do,
      TE.bind('one', () => once(key)),
      TE.bind('two', () => once(key)),
      TE.bind('other', () => once(foldIn(key, 3))),
      TE.match(
        (reason) => V.stuck(law, reason),
        ({ one, two, other }) => {
          const read = (values: Values): ReadonlyArray<number> => Array.from(values['trajectory']?.data ?? [])
          const differs = read(one).some((x, i) => x !== read(other)[i])
          return V.all(law, [
            V.verdict(
              law,
              read(one).map((expected, i) => ({
                at: `trajectory[${i}]`,
                expected,
                got: read(two)[i] ?? Number.NaN,
                tolerance: 0,
                because: 'the same operations on the same bits'
              }))
            ),
            V.holds(law, [['another key gives another trajectory', differs]])
          ])
        }
      )
    )
  }

/**
 * **On-policy.** The log-density recomputed from `x_t` and the sampled `x_{t-1}` is the *sum* over elements of the noise's
 * own log-density at what was drawn, less `ln sigma_t` each: the likelihood ratio is 1. At every step with noise.
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
      const c = conditionOf(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const eps: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const states = Ch.rollout(chain)(() => p, X.input('xT', chain.state), eps, c)
      return Object.fromEntries(
        steps.map((t) => {
          const from = states[t] ?? X.zeros(chain.state)
          const to = states[t - 1] ?? X.zeros(chain.state)
          const drawn = chain.noise.logDensity(Ch.noiseAt(eps, t - 1, chain.state))
          return [`t${t}`, { again: logDensity(chain)(X.scalar(t), p, from, to, c), drawn }]
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
 * **Score.** At every step with noise, the derivative of the log-density of a sampled step, in any direction of the
 * parameters, is the pullback of the mean at `score(eps) / sigma`; and in the sample, `-score(eps) / sigma`.
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
    const steps = Array.from({ length: chain.T }, (_, i) => i + 1).filter((t) => (chain.sigma[t] ?? 0) > 0)
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
      const c = conditionOf(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const from: Expr<S> = X.input('from', chain.state)
      const sigma = Ch.lookup(chain.sigma, step)
      return pipe(
        Program.make(inputs, (): Exprs => {
          const [mean, back] = chain.mean(step).run(p, { x: from, c })
          const eps: Expr<S> = X.input('eps', chain.state)
          const score: Expr<S> = X.retype(X.div<Shape, readonly []>(chain.noise.score(eps), sigma), chain.state)
          const [pBar] = back(score)
          return { sample: Ch.addNoise(mean, sigma, eps), bar: { params: pBar, to: X.neg(score) } }
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
          const names = Object.keys(at.values).filter((name) => name.startsWith('bar.'))
          return names.flatMap((bar) => {
            const name = bar.slice('bar.'.length)
            const base = sampled[name]
            if (base === undefined) return []
            return Array.from(base.data, (_, i): Comparison => {
              const moved = (
                x: number
              ): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => {
                const there = Reference.runWithBounds(density, batch, {
                  ...sampled,
                  [name]: T.map((v, k) => (k === i ? v + x : v))(base)
                })
                if (E.isLeft(there)) return { value: [Number.NaN], error: [0] }
                const { values, bounds } = there.right
                return { value: [values['value']?.data[0] ?? 0], error: [(bounds['value']?.data[0] ?? 0) * fromSingle] }
              }
              const { value, error } = derivatives(moved, { step: 0.125, levels: 9 })
              return {
                at: `step ${t}, ${name}[${i}]`,
                expected: value[0] ?? Number.NaN,
                got: at.values[bar]?.data[i] ?? Number.NaN,
                tolerance: (error[0] ?? 0) + (at.bounds[bar]?.data[i] ?? 0) * fromSingle,
                because: 'the extrapolation error of differences, and forward error bounds in f64'
              }
            })
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
