/**
 * Where gpu.js runs kernels.
 *
 * @since 0.1.0
 */
import { type Accuracy, processor, shader } from '../tensor/Op.js'

/**
 * A mode of gpu.js. `webasm` runs anywhere; `cpu` is for debugging; `webgpu`, `webgl2` and `webgl` want a browser,
 * `headlessgl` a GL driver; `gpu` takes the best that gpu.js finds.
 *
 * @category model
 * @since 0.1.0
 */
export type Mode = (typeof modes)[number]

/**
 * Every mode.
 *
 * @category constants
 * @since 0.1.0
 */
export const modes = ['webasm', 'cpu', 'webgpu', 'webgl2', 'webgl', 'headlessgl', 'gpu'] as const

/**
 * How accurately a mode computes, for `Reference.runWithBounds`.
 *
 * @category constants
 * @since 0.1.0
 */
export const accuracy = (mode: Mode): Accuracy => (mode === 'webasm' || mode === 'cpu' ? processor : shader)
