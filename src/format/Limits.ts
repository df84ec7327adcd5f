/**
 * How much a file may ask for. `docs/limits.md` lists these and says why.
 *
 * What a file declares is compared with them before anything of that size is made, so that a refusal costs no more than reading
 * what was given: a second, and memory in proportion to the file.
 *
 * @since 0.1.0
 */

/**
 * - `rank`: axes of a tensor. NumPy and PyTorch stop at 64 as well.
 * - `tensors`: tensors of a file.
 * - `safetensorsHeader`: bytes of the header of a safetensors file, some 100 a tensor.
 * - `npyHeader`: bytes of the header of an npy file: what version 1 of the format can say. NumPy stops at 10,000.
 * - `nested`: unfinished containers in one another in a pickle. Python's own pickler stops at about as many.
 * - `unpacked`: bytes of all files of an archive together.
 * - `ratio`: how many times its own size an archive may unpack to, where that is more than `unpackedFreely` bytes.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = {
  rank: 64,
  tensors: 65_536,
  safetensorsHeader: 8 * 2 ** 20,
  npyHeader: 2 ** 16 - 1,
  nested: 1000,
  unpacked: 2 ** 31,
  unpackedFreely: 16 * 2 ** 20,
  ratio: 100
} as const

/**
 * The numbers of a shape, where they can be counted: `undefined` for more than 64 axes, for sizes that are no whole numbers, and
 * beyond 2^53 numbers, whatever sizes of 0 are among them.
 *
 * @category utils
 * @since 0.1.0
 */
export const countOf = (shape: ReadonlyArray<number>): number | undefined => {
  if (shape.length > limits.rank || !shape.every((d) => Number.isSafeInteger(d) && d >= 0)) return undefined
  const count = shape.reduce((n, d) => n * Math.max(d, 1), 1)
  return Number.isSafeInteger(count) ? (shape.includes(0) ? 0 : count) : undefined
}
