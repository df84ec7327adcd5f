/**
 * Traces of other programs: what they sampled, scored and summed up, as arrays by name.
 *
 * Ten lines of NumPy or PyTorch write one. With `N` samples, `T` steps of `D` numbers each, `P` trained numbers and `B` gradients,
 * each of `N / B` samples in a row:
 *
 * | array | shape | what |
 * | --- | --- | --- |
 * | `sigma` | `[T]` | standard deviations of the steps' noises, step 1 (next to the output) first; 0 for none |
 * | `eps` | `[T, N, D]` (any axes for `D`) | the noises, in units of `sigma` |
 * | `reward` | `[N]` | the rewards |
 * | `score` | `[T, N, P]` | gradients of the program's log-density of each step's transition in the trained numbers |
 * | `gradient` | `[B, P]` | what the program hands to its optimizer, as the gradient of the mean reward, to be ascended |
 * | `log_density` | `[T, N]` | the program's log-densities. Optional: without it they are taken for sums over the `D` numbers |
 * | `advantage` | `[N]` | what the program multiplies scores with. Optional: without it, `reward` |
 * | `pathwise` | `[T, N, P]` | the gradients of the rewards through each step's mean, and the steps below. Optional: for programs that pull the reward back |
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { type DocumentError, fault } from '../../src/document/Document.js'
import { first as firstNotFinite } from '../../src/tensor/Finite.js'
import type { Values } from '../../src/tensor/Program.js'
import type { Tensor } from '../../src/tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A trace whose arrays fit each other.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trace {
  readonly T: number
  readonly samples: number
  readonly elements: number
  readonly parameters: number
  readonly gradients: number
  readonly sigma: Tensor
  readonly eps: Tensor
  readonly reward: Tensor
  readonly score: Tensor
  readonly gradient: Tensor
  readonly logDensity?: Tensor
  readonly advantage?: Tensor
  readonly pathwise?: Tensor
}

const needed = ['sigma', 'eps', 'reward', 'score', 'gradient'] as const
const optional = ['log_density', 'advantage', 'pathwise'] as const

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/**
 * The trace of some arrays. Left, first found: an array that is missing, that does not fit the others, or that has a number that is
 * not finite. Other arrays are not looked at.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (arrays: Values): E.Either<DocumentError, Trace> => {
  const has = (name: string): Tensor | undefined => (Object.hasOwn(arrays, name) ? arrays[name] : undefined)
  const missing = needed.find((name) => has(name) === undefined)
  if (missing !== undefined) {
    return E.left(fault(missing, `an array beside ${needed.join(', ')}`, undefined, 'have the program write it'))
  }
  const [sigma, eps, reward, score, gradient] = needed.map((name) => has(name) ?? nothing)
  if (
    sigma === undefined ||
    eps === undefined ||
    reward === undefined ||
    score === undefined ||
    gradient === undefined
  ) {
    return E.left(fault('trace', `the arrays ${needed.join(', ')}`, undefined, 'have the program write them'))
  }
  const T = sigma.shape[0] ?? 0
  const samples = reward.shape[0] ?? 0
  const elements = eps.shape.slice(2).reduce((n, m) => n * m, 1)
  const parameters = score.shape[2] ?? 0
  const gradients = gradient.shape[0] ?? 0
  const shapes: ReadonlyArray<readonly [name: string, expected: ReadonlyArray<number>]> = [
    ['sigma', [T]],
    ['reward', [samples]],
    ['eps', [T, samples, ...eps.shape.slice(2)]],
    ['score', [T, samples, parameters]],
    ['gradient', [gradients, parameters]],
    ['log_density', [T, samples]],
    ['advantage', [samples]],
    ['pathwise', [T, samples, parameters]]
  ]
  for (const [name, expected] of shapes) {
    const array = has(name)
    if (array !== undefined && array.shape.join() !== expected.join()) {
      return E.left(fault(name, `the shape [${expected.join(', ')}]`, array.shape, 'see how the arrays fit each other'))
    }
  }
  if (T < 1 || samples < 2 || elements < 1 || parameters < 1) {
    return E.left(
      fault(
        'trace',
        'a step, two samples, a number and a parameter at least',
        [T, samples, elements, parameters],
        'write more'
      )
    )
  }
  if (gradients < 1 || samples % gradients !== 0) {
    return E.left(
      fault(
        'gradient',
        `rows whose number divides the ${samples} samples`,
        gradients,
        'have one gradient for so many samples in a row'
      )
    )
  }
  const found = firstNotFinite(
    Object.fromEntries(
      [...needed, ...optional].flatMap((name) => (has(name) === undefined ? [] : [[name, has(name) ?? nothing]]))
    )
  )
  if (found !== undefined) return E.left(fault(found.name, 'finite numbers', found.value, 'leave such samples out'))
  const [logDensity, advantage, pathwise] = optional.map(has)
  return E.right({
    T,
    samples,
    elements,
    parameters,
    gradients,
    sigma,
    eps,
    reward,
    score,
    gradient,
    ...(logDensity === undefined ? {} : { logDensity }),
    ...(advantage === undefined ? {} : { advantage }),
    ...(pathwise === undefined ? {} : { pathwise })
  })
}

const nothing: Tensor = { shape: [0], data: new Float64Array(0) }
