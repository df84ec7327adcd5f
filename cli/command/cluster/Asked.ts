/**
 * What may be asked of `verify`, here or of workers.
 *
 * @since 0.1.0
 */
import type { ClusterOptions } from './Leading.js'

/**
 * The options of `verify`, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface VerifyOptions extends ClusterOptions {
  readonly task?: string
  readonly model?: string
  readonly estimator?: string
  readonly samples: string
  readonly seed: string
  readonly threads?: string
  readonly json?: boolean
}
