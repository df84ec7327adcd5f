/**
 * The kernels of a program in the order in which they run, before those that differ in numbers only become one.
 *
 * @since 0.1.0
 */
import type { Tensor } from '../../tensor/Tensor.js'
import type { Spec } from './Spec.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A flat array of f32: an input of the program, a literal tensor, or what a kernel writes.
 *
 * @category model
 * @since 0.1.0
 */
export type Buffer = { readonly size: number } & (
  | { readonly _tag: 'Input'; readonly name: string }
  | { readonly _tag: 'Constant'; readonly value: Tensor }
  | { readonly _tag: 'Written' }
)

/**
 * One kernel call: what it computes and the buffer it writes.
 *
 * @category model
 * @since 0.1.0
 */
export interface KernelStep {
  readonly spec: Spec
  readonly output: number
}

/**
 * Where an output comes from: a buffer, or one repeated number.
 *
 * @category model
 * @since 0.1.0
 */
export type Origin =
  | { readonly _tag: 'Buffer'; readonly buffer: number }
  | { readonly _tag: 'Fill'; readonly value: number }

/**
 * The kernels of a program in the order in which they run. Accesses name buffers by position.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sequence {
  readonly buffers: ReadonlyArray<Buffer>
  readonly steps: ReadonlyArray<KernelStep>
  readonly outputs: ReadonlyArray<{
    readonly name: string
    readonly shape: ReadonlyArray<number>
    readonly source: Origin
  }>
}

/**
 * How far to fuse.
 *
 * - `buffers`: the most buffers that one kernel may read (GPU drivers bind a few only). Default: 128.
 * - `fuse`: false makes every operation that is not a view a kernel of its own. Default: true.
 *
 * @category model
 * @since 0.1.0
 */
export interface FusionLimits {
  readonly buffers: number
  readonly fuse: boolean
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * The limits of targets without small ones.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultLimits: FusionLimits = { buffers: 128, fuse: true }
