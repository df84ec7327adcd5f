/**
 * The memory that modules import, in pages.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The size of a memory, and how far it may grow, in pages.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pages {
  readonly initial: number
  readonly maximum: number
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * The bytes of a page.
 *
 * @category constants
 * @since 0.1.0
 */
export const pageBytes = 65536

/**
 * The bytes that WebAssembly addresses with 32-bit positions.
 *
 * @category constants
 * @since 0.1.0
 */
export const addressable: number = 65536 * pageBytes

/** Pages behind everything else, which gpu.js adds too: our scratch space. */
const sparePages = 16

/**
 * The bytes of the scratch space that a kernel may use while it runs; a page more may be read behind it.
 *
 * @category constants
 * @since 0.1.0
 */
export const scratchBytes: number = (sparePages - 1) * pageBytes

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The pages for so many bytes and the scratch space behind them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pagesFor = (bytes: number): Pages => {
  const initial = Math.ceil(bytes / pageBytes) + sparePages
  return { initial, maximum: Math.max(initial, 4096) }
}
