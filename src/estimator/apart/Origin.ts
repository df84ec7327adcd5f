/**
 * Where the draws of a request come from.
 *
 * @since 0.1.0
 */
import type { Key } from '../../random/Key.js'

/**
 * Where the noises, the condition and the directions of a request were drawn from: the key of the draw, the stream, and the sign of the
 * noise. Whoever poses the same problem draws the same.
 *
 * @category model
 * @since 0.1.0
 */
export interface Origin {
  readonly key: Key
  readonly stream: string
  readonly sign: 1 | -1
}
