/**
 * `--mode auto`: the mode that a probe finds the fastest.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type * as T from 'fp-ts/lib/Task.js'
import { fastest, type Mode, probe, showTrials, type Trial } from 'halforder/kernel'
import { webGpu } from './WebGpu.js'

/**
 * What is typed for it.
 *
 * @category constants
 * @since 0.1.0
 */
export const auto = 'auto'

/**
 * The fastest of `webasm` and, where there is one, `webgpu`; says what it found by `say`.
 *
 * @category effects
 * @since 0.1.0
 */
export const autoMode =
  (say: (line: string) => void, gpu: typeof webGpu = webGpu): T.Task<Mode> =>
  async () => {
    const there = await gpu('webgpu')()
    const tried = await probe(E.isRight(there) ? ['webasm', 'webgpu'] : ['webasm'])()
    const absent: ReadonlyArray<Trial> = E.isLeft(there)
      ? [{ mode: 'webgpu', outcome: E.left(there.left.message.replace('mode webgpu: ', '')) }]
      : []
    const mode = fastest(tried)
    say(`mode auto: ${mode} (${showTrials([...tried, ...absent])})`)
    return mode
  }
