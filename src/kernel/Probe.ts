/**
 * Which mode is the fastest here: a network of three layers on each, timed.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as T from 'fp-ts/lib/Task.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import { showTargetError, type Target } from '../tensor/Target.js'
import { size } from '../tensor/Tensor.js'
import { gpuJs } from './GpuJs.js'
import type { Mode } from './Mode.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a mode did: milliseconds of a run, the least of some after the first, or why there was none.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trial {
  readonly mode: Mode
  readonly outcome: E.Either<string, number>
}

// -------------------------------------------------------------------------------------
// probing
// -------------------------------------------------------------------------------------

const [rows, width] = [64, 256]

/** 25 million operations: an elementwise kernel between products, as a denoiser has. */
const work = /*#__PURE__*/ Program.make({ x: [rows, width], w: [width, width] }, ({ x, w }) => {
  const layer = (y: X.Expr<readonly [number, number]>): X.Expr<readonly [number, number]> => X.tanh(X.matmul(y, w))
  return { y: layer(layer(layer(x))) }
})

const values = (): Program.Values =>
  Object.fromEntries(
    Object.entries({ x: [rows, width], w: [width, width] }).map(([name, shape]) => [
      name,
      { shape, data: Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(i + 1) / 16) }
    ])
  )

const repetitions = 5

const trial = async (mode: Mode, target: Target): Promise<Trial> => {
  const compiled = E.isLeft(work) ? undefined : target.compile(work.right, {})
  if (compiled === undefined) return { mode, outcome: E.left('the probe is no program') }
  if (E.isLeft(compiled)) return { mode, outcome: E.left(showTargetError(compiled.left)) }
  const given = values()
  let least = Number.POSITIVE_INFINITY
  // the first one compiles kernels
  for (let run = 0; run <= repetitions; run++) {
    const began = performance.now()
    const result = await compiled.right.run(given)()
    if (E.isLeft(result)) return { mode, outcome: E.left(showTargetError(result.left)) }
    if (run > 0) least = Math.min(least, performance.now() - began)
  }
  return { mode, outcome: E.right(least) }
}

/**
 * Tries modes, one after the other. `open` makes a target of a mode.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const probe =
  (
    modes: ReadonlyArray<Mode>,
    open: (mode: Mode) => Target = (mode) => gpuJs({ mode })
  ): T.Task<ReadonlyArray<Trial>> =>
  async () => {
    const trials: Array<Trial> = []
    for (const mode of modes) {
      const target = open(mode)
      trials.push(await trial(mode, target))
      await target.dispose()
    }
    return trials
  }

/**
 * The mode that took the least; `webasm`, which runs anywhere, where none ran.
 *
 * @category utils
 * @since 0.1.0
 */
export const fastest = (trials: ReadonlyArray<Trial>): Mode =>
  trials.reduce<Trial>((best, one) => (time(one) < time(best) ? one : best), { mode: 'webasm', outcome: E.left('') })
    .mode

const time = ({ outcome }: Trial): number =>
  pipe(
    outcome,
    E.getOrElse(() => Number.POSITIVE_INFINITY)
  )

/**
 * Trials in a line for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showTrials = (trials: ReadonlyArray<Trial>): string =>
  trials
    .map(({ mode, outcome }) =>
      pipe(
        outcome,
        E.match(
          (reason) => `${mode}: ${reason}`,
          (ms) => `${mode} ${ms.toFixed(2)} ms`
        )
      )
    )
    .join('; ')
