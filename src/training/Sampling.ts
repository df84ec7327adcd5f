/**
 * Sampling a chain step by step: one program serves every step, so that it compiles once, shows its progress and can stop
 * between steps, and each step can have a condition of its own.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { conditionInputs, deviationAt, type Chain } from '../chain/Chain.js'
import * as Transition from '../chain/Transition.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import { drawRows32 } from '../random/Density.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Batched } from '../tensor/Shape.js'
import type { Target } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a chain is sampled.
 *
 * - `parameters`: the values of the chain's parameters, by path.
 * - `condition(t)`: what step `t` is told, by input name (`c`, or `c.path`), `count` rows each. Steps that are told the same
 *   should be given the same record.
 * - `count`: how many rows. A row's noise depends on the key and its number only, so more rows do not change the first ones.
 * - `batch`: how many rows run at once (64 by default, and no more than `count`); the samples do not depend on it.
 * - `trajectory`: keep all states, not the last one alone (false by default).
 * - `watch`: told of each step that is done, over all batches, and asked between steps whether to stop.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options<P extends Params, S extends Batched, C extends Exprs> {
  readonly chain: Chain<P, S, C>
  readonly parameters: Values
  readonly condition: (t: number) => Values
  readonly count: number
  readonly key: Key.Key
  readonly batch?: number
  readonly trajectory?: boolean
  readonly watch?: Watch
}

/**
 * How a run is watched.
 *
 * @category model
 * @since 0.1.0
 */
export interface Watch {
  readonly done: (steps: number) => void
  readonly stopped: () => boolean
}

/**
 * Samples `x0`, `count` rows in f32, and the states `x_T` first to `x_0` last where they were asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Samples {
  readonly x0: Tensor
  readonly trajectory: ReadonlyArray<Tensor>
}

/**
 * Why there are no samples: the step's program, or because the run was stopped.
 *
 * @category model
 * @since 0.1.0
 */
export type SamplingError = Build.ProgramError | { readonly _tag: 'Stopped' }

// -------------------------------------------------------------------------------------
// the program
// -------------------------------------------------------------------------------------

/**
 * One step of a chain, for every step: `params, x, eps, c, t` to `next`, the state after it.
 *
 * @category programs
 * @since 0.1.0
 */
export const step = <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): Build.Closed => {
  const inputs = {
    params: L.shapes(chain.parameters),
    x: chain.state,
    eps: chain.state,
    c: chain.condition,
    t: []
  }
  return Program.make<typeof inputs, { readonly next: X.Expr }>(inputs, () => {
    const t: X.Scalar = X.input('t', [])
    const p = L.parameterInputs<P>('params', chain.parameters)
    const mean = chain.mean(t).forward(p, { x: X.input('x', chain.state), c: conditionInputs(chain) })
    return { next: Transition.next(chain.noise, deviationAt(chain, p, t))(mean, X.input('eps', chain.state)) }
  })
}

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/**
 * Samples a chain on a target. Left: a program that does not compile there or fails, or `Stopped`.
 *
 * @example
 * import { Sampling } from 'halforder/training'
 *
 * const samples = Sampling.sample({ chain, parameters, condition: () => ({ c }), count: 256, key }, target)
 *
 * @category effects
 * @since 0.1.0
 */
export const sample = <P extends Params, S extends Batched, C extends Exprs>(
  options: Options<P, S, C>,
  target: Target
): TE.TaskEither<SamplingError, Samples> => {
  const { chain, count, batch = 64, trajectory = false } = options
  const rows = Math.max(1, Math.min(count, batch))
  return pipe(
    Build.using(target, { batch: rows })('step', step(chain))<SamplingError, ReadonlyArray<ReadonlyArray<Tensor>>>(
      (run) => async () => {
        const parts: Array<ReadonlyArray<Tensor>> = []
        for (let from = 0; from < count; from += rows) {
          const states = await walk(options, run, from, rows)
          if (E.isLeft(states)) return states
          parts.push(trajectory ? states.right : states.right.slice(-1))
        }
        return E.right(parts)
      }
    ),
    TE.map((parts) => {
      const kept = Array.from({ length: parts[0]?.length ?? 0 }, (_, i) =>
        T.rows(0, count)(T.joinRows(parts.flatMap((part) => part[i] ?? [])))
      )
      return { x0: kept.at(-1) ?? T.joinRows([T.fill([0, ...widths(chain)], 0)]), trajectory: trajectory ? kept : [] }
    })
  )
}

/** The sizes of a row: states have literal sizes but for the batch. */
const widths = ({ state }: { readonly state: Batched }): ReadonlyArray<number> => state.slice(1).map(Number)

/** The states of some rows, `x_T` first. */
const walk = async <P extends Params, S extends Batched, C extends Exprs>(
  { chain, parameters, condition, count, key, watch }: Options<P, S, C>,
  run: (values: Values) => TE.TaskEither<Build.ProgramError, Values>,
  from: number,
  rows: number
): Promise<E.Either<SamplingError, ReadonlyArray<Tensor>>> => {
  const noise = (name: string): Tensor =>
    drawRows32(chain.noise.density, Key.foldInString(key, name), [count, ...widths(chain)], { from, to: from + rows })
  const weights = Program.under('params', parameters)
  // one array for all steps that are told the same: what did not change is not copied again
  const parts = new Map<Values, Values>()
  const told = (t: number): Values => {
    const whole = condition(t)
    const part = parts.get(whole) ?? mapValues(whole, T.paddedRows(from, from + rows))
    parts.set(whole, part)
    return part
  }
  const states: Array<Tensor> = [noise('xT')]
  for (let t = chain.T; t >= 1; t--) {
    const [x] = states.slice(-1)
    const result = await run({
      ...weights,
      ...told(t),
      x: x ?? noise('xT'),
      eps: noise(`eps ${t}`),
      t: { shape: [], data: Float32Array.of(t) }
    })()
    if (E.isLeft(result)) return result
    const { next } = result.right
    if (next !== undefined) states.push(next)
    watch?.done((from / rows) * chain.T + chain.T - t + 1)
    await turn()
    if (watch?.stopped() === true) return E.left({ _tag: 'Stopped' })
  }
  return E.right(states)
}

const mapValues = (values: Values, f: (value: Tensor) => Tensor): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f(value)]))

/** A turn of the event loop: a step on the host gives no other task its turn, and signals would wait until the end. */
const turn = (): Promise<void> =>
  new Promise((resume) => {
    setTimeout(resume)
  })

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * A line for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: SamplingError): string =>
  error._tag === 'Stopped' ? 'stopped before the end' : Build.showError(error)
