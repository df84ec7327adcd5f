/**
 * How the threads of a shader are grouped.
 *
 * @since 0.1.0
 */

/**
 * The threads of a workgroup.
 *
 * @category constants
 * @since 0.1.0
 */
export const groupSize = 64
