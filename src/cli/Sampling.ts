/**
 * Sampling a chain step by step: one program for every step, so that it compiles once, shows its progress and can stop
 * between steps, and each step can have a prompt of its own.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { addNoise, lookup, parameterInputs, type Chain } from '../chain/Chain.js'
import type { EstimatorError } from '../estimator/Gradient.js'
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Executable, Target, TargetError } from '../tensor/Target.js'
import { size, type Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is sampled: `count` rows of a chain of images, from the key's noise. Step `t` is told `prompt(t)`, of shape
 * `[count, labels]`. A row's noise depends on the key and its number only, so more rows do not change the first ones.
 *
 * @category model
 * @since 0.1.0
 */
export interface Task<P extends Params> {
  readonly chain: Chain<P, readonly ['batch', number], Rows<number>>
  readonly params: Values
  readonly prompt: (t: number) => Tensor
  readonly count: number
  readonly key: Key.Key
}

/**
 * How a run is watched: told of each step that is done, asked between steps whether to stop.
 *
 * @category model
 * @since 0.1.0
 */
export interface Watch {
  readonly done: (steps: number) => void
  readonly stopped: () => boolean
}

/** Rows of one run of the program. */
const batch = 64

// -------------------------------------------------------------------------------------
// the program
// -------------------------------------------------------------------------------------

/** One step: `params, x, eps, c, t` to `next`, the state after it. */
const step = <P extends Params>(
  chain: Chain<P, readonly ['batch', number], Rows<number>>
): ReturnType<typeof Program.make> => {
  const [rows, features] = chain.state
  const state = [rows, features] as const
  const inputs = {
    params: L.shapes(chain.parameters),
    x: state,
    eps: state,
    c: chain.condition,
    t: []
  }
  return Program.make<typeof inputs, { readonly next: X.Expr }>(inputs, () => {
    const t: X.Scalar = X.input('t', [])
    const c: Rows<number> = X.input('c', ['batch', labels(chain.condition)])
    const x: Rows<number> = X.input('x', state)
    const mean = chain.mean(t).forward(parameterInputs<P>('params', chain.parameters), { x, c })
    return { next: addNoise(mean, lookup(chain.sigma, t), X.input('eps', state)) }
  })
}

/** The width of a condition that is one tensor of rows. */
const labels = (condition: Chain<Params, readonly ['batch', number], Rows<number>>['condition']): number => {
  const width: unknown = Array.isArray(condition) ? condition[1] : 0
  return typeof width === 'number' ? width : 0
}

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

/**
 * The states of all rows, from `x_T` first to `x_0` last, each `[count, features]` in f32. Undefined where it was stopped.
 * Left: a program that does not compile on the target, or fails there.
 *
 * @category effects
 * @since 0.1.0
 */
export const sample = async <P extends Params>(
  task: Task<P>,
  target: Target,
  watch: Watch
): Promise<E.Either<EstimatorError, ReadonlyArray<Tensor> | undefined>> => {
  const { chain, count } = task
  const rows = Math.min(count, batch)
  const compiled = pipe(
    step(chain),
    E.mapLeft((errors): EstimatorError => ({ _tag: 'Ill', program: 'step', errors })),
    E.flatMap((program) => pipe(target.compile(program, { batch: rows }), E.mapLeft(onTarget)))
  )
  if (E.isLeft(compiled)) return compiled
  const parts: Array<ReadonlyArray<Tensor>> = []
  for (let from = 0; from < count; from += rows) {
    const states = await walk(task, compiled.right, from, rows, watch)
    if (E.isLeft(states)) return E.left(onTarget(states.left))
    if (states.right === undefined) return E.right(undefined)
    parts.push(states.right)
  }
  await compiled.right.dispose()
  return E.right(
    Array.from({ length: chain.T + 1 }, (_, i) =>
      joined(
        parts.flatMap((part) => part[i] ?? []),
        count
      )
    )
  )
}

const onTarget = (error: TargetError): EstimatorError => ({ _tag: 'OnTarget', program: 'step', error })

/** The states of some rows. */
const walk = async <P extends Params>(
  { chain, params, prompt, count, key }: Task<P>,
  executable: Executable,
  from: number,
  rows: number,
  { done, stopped }: Watch
): Promise<E.Either<TargetError, ReadonlyArray<Tensor> | undefined>> => {
  const features = chain.state[1]
  const noise = (name: string): Tensor =>
    Draw.normalRows32(Key.foldInString(key, name), [count, features], from, from + rows)
  const weights = Program.under('params', params)
  const parts = new Map<Tensor, Tensor>()
  const condition = (t: number): Tensor => {
    const whole = prompt(t)
    const known = parts.get(whole)
    if (known !== undefined) return known
    // one array for all steps that are told the same; rows past the last are told nothing, and are dropped
    const width = whole.shape[1] ?? 0
    const data = new Float32Array(rows * width)
    data.set(whole.data.subarray(from * width, (from + rows) * width))
    const part = { shape: [rows, width], data }
    parts.set(whole, part)
    return part
  }
  const states: Array<Tensor> = [noise('xT')]
  for (let t = chain.T; t >= 1; t--) {
    const [x] = states.slice(-1)
    const result = await executable.run({
      ...weights,
      x: x ?? noise('xT'),
      eps: noise(`eps ${t}`),
      c: condition(t),
      t: { shape: [], data: Float32Array.of(t) }
    })()
    if (E.isLeft(result)) return result
    const { next } = result.right
    if (next !== undefined) states.push(next)
    done((from / rows) * chain.T + chain.T - t + 1)
    // a turn of the event loop, or signals would wait until the end
    await new Promise((resume) => setImmediate(resume))
    if (stopped()) return E.right(undefined)
  }
  return E.right(states)
}

const joined = (parts: ReadonlyArray<Tensor>, count: number): Tensor => {
  const row = parts[0]?.shape.slice(1) ?? []
  const data = new Float32Array(count * size(row))
  let at = 0
  for (const part of parts) {
    // the last part may have more rows than are wanted
    const wanted = part.data.subarray(0, data.length - at)
    data.set(wanted, at)
    at += wanted.length
  }
  return { shape: [count, ...row], data }
}
