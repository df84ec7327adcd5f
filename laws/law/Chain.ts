/**
 * Laws of chains: steps have their pullbacks, segments compose, trajectories replay, densities and scores belong
 * together.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Ch from '../../src/chain/Chain.js'
import * as Transition from '../../src/chain/Transition.js'
import * as Programs from '../../src/estimator/program/Programs.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Key } from '../../src/random/Key.js'
import { foldIn } from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Batched, Shape } from '../../src/tensor/Shape.js'
import { reference, showTargetError, type Target } from '../../src/tensor/Target.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import * as V from '../Verdict.js'
import type { Verdict } from '../Verdict.js'
import { declared, describe, evaluate, rows, settle, side, someSteps, valuesOf, type Subject } from './ChainSubject.js'
import * as Lens from './Lens.js'

export { someSteps, type Subject } from './ChainSubject.js'
export { onPolicy, scoreIsGradient } from './Likelihood.js'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Adjoint.** At the given steps (`someSteps`, by default) the pullback of the step's mean is its transposed
 * derivative: in the parameters, in the *state*, which estimators of one step never ask for, and in the parts of the
 * condition that the subject calls `varied`. Where the parameters do not pass together, each is looked at.
 *
 * @category laws
 * @since 0.1.0
 */
export const adjoint =
  <P extends Params, S extends Batched, C extends Exprs>(subject: Subject<P, S, C>) =>
  (key: Key, steps: ReadonlyArray<number> = someSteps(subject.chain.T, key)): Verdict => {
    const { chain, varied } = subject
    const { xT: _x, eps: _eps, bar: _bar, ...given } = valuesOf(subject, key)
    const at = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [
        name.startsWith('params.') ? `p.${name.slice('params.'.length)}` : `a.${name}`,
        value
      ])
    )
    const check = (t: number): Verdict => {
      const step: Lens.Subject<P, { readonly x: Expr<S>; readonly c: C }, Expr<S>> = {
        name: `${chain.name}, step ${t}`,
        lens: chain.mean(X.scalar(t)),
        argument: { x: chain.state, c: chain.condition },
        sizes: { batch: rows },
        held: (path) => (path === 'a.c' || path.startsWith('a.c.')) && varied?.(path.slice('a.'.length)) !== true,
        at
      }
      const whole = Lens.adjoint(step, (path) => (path.startsWith('p.') ? 'parameters' : path))(foldIn(key, t))
      return E.isRight(whole) ? whole : V.all(`${chain.name}: adjoint`, [Lens.adjoint(step)(foldIn(key, t)), whole])
    }
    return V.all(`${chain.name}: adjoint`, steps.map(check))
  }

/**
 * **Segments compose.** The steps down to 1 after the steps above `k` are the whole chain, in value and in every
 * cotangent: of parameters, condition, state and noises. `reach` looks at so many steps on either side of `k` only:
 * bounds of rounding compound with each step of a network. `segment` may be your own.
 *
 * @category laws
 * @since 0.1.0
 */
export const segmentsCompose =
  <P extends Params, S extends Batched, C extends Exprs>(
    subject: Subject<P, S, C>,
    segment: typeof Ch.segment = Ch.segment
  ) =>
  (k: number, key: Key, reach = Number.POSITIVE_INFINITY): Verdict => {
    const { chain } = subject
    const low = Math.max(1, k - reach + 1)
    const high = Math.min(chain.T, k + reach)
    const body = (): Exprs => {
      const c = Ch.conditionInputs(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const eps: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const bar = X.input('bar', chain.state)
      const part = (from: number, to: number): Ch.Noises<S> =>
        // some of the noises have the shape of noises
        X.slice<Shape, 0, number>(eps, 0, from - 1, to - from + 1) as Ch.Noises<S>
      const x = X.input('xT', chain.state)
      const down = (from: number, to: number, state: Expr<S>) =>
        segment(chain, from - to + 1)(X.scalar(from)).run(p, { x: state, c, eps: part(to, from) })
      const [whole, backWhole] = down(high, low, x)
      const [above, backAbove] = down(high, k + 1, x)
      const sigma = Ch.lookup(chain.sigma, X.scalar(k + 1))
      const middle = Transition.addNoise(above, sigma, Ch.noiseAt(eps, k, chain.state))
      const [below, backBelow] = down(k, low, middle)
      const [pWhole, aWhole] = backWhole(bar)
      const [pBelow, aBelow] = backBelow(bar)
      const [pAbove, aAbove] = backAbove(aBelow.x)
      // the noise between the two is the lower one's argument and the upper one's own
      const between: Expr = X.reshape(X.mul<Shape, readonly []>(aBelow.x, sigma), [1, ...chain.state])
      const rest = X.slice<Shape, 0, number>(aAbove.eps, 0, 1, high - k - 1)
      const split = X.concat<Shape, 0>(high - k === 1 ? [aBelow.eps, between] : [aBelow.eps, between, rest], 0)
      return {
        whole: { value: whole, p: pWhole, x: aWhole.x, c: aWhole.c, eps: aWhole.eps },
        split: { value: below, p: Tree.add(pBelow, pAbove), x: aAbove.x, c: Tree.add(aBelow.c, aAbove.c), eps: split }
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
 * **Rollout.** A rollout's state below each step is the segment's mean part down to there, plus that step's noise; with
 * `reach`, below the first so many steps only.
 *
 * @category laws
 * @since 0.1.0
 */
export const rolloutIsSegments =
  <P extends Params, S extends Batched, C extends Exprs>(subject: Subject<P, S, C>) =>
  (key: Key, reach = Number.POSITIVE_INFINITY): Verdict => {
    const { chain } = subject
    const steps = Array.from({ length: Math.min(chain.T, reach) }, (_, i) => chain.T - i)
    const body = (): Exprs => {
      const c = Ch.conditionInputs(chain)
      const p = L.parameterInputs<P>('params', chain.parameters)
      const eps: Ch.Noises<S> = X.input('eps', [chain.T, ...chain.state])
      const x = X.input('xT', chain.state)
      const states = Ch.rollout(chain)(() => p, x, eps, c)
      const down = (t: number): Expr => {
        const part = X.slice<Shape, 0, number>(eps, 0, t - 1, chain.T - t + 1) as Ch.Noises<S>
        const mean = Ch.segment(chain, chain.T - t + 1)(X.scalar(chain.T)).forward(p, { x, c, eps: part })
        return Transition.addNoise(mean, Ch.lookup(chain.sigma, X.scalar(t)), Ch.noiseAt(eps, t - 1, chain.state))
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
 * **Replay.** On a target, the same key gives the same trajectory bit for bit, from a fresh compilation too, and
 * another key gives another one.
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
