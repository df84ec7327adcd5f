/**
 * How many blocks of rows a job has: as measured.
 *
 * @since 0.1.0
 */

/** What giving a job out costs, in seconds: a job should take many times that. */
const overhead = 0.005

/** How many jobs each worker should find in a step: one that is slower takes fewer of them. */
const each = 2

/**
 * How many blocks to put into one job, for so many blocks of a step, workers, and seconds that a block takes: one, unless that is hardly
 * worth the way. Workers take the next job when they are ready, so that slow ones take fewer.
 *
 * @category utils
 * @since 0.1.0
 */
export const blocksAJob = (blocks: number, workers: number, seconds: number): number => {
  const fair = Math.max(1, Math.floor(blocks / Math.max(1, workers)))
  const even = Math.max(1, Math.floor(fair / each))
  const worth = seconds > 0 ? Math.ceil((20 * overhead) / seconds) : 1
  return Math.min(fair, Math.max(even, worth))
}

/**
 * Things in groups of so many, in their order.
 *
 * @category utils
 * @since 0.1.0
 */
export const grouped =
  (size: number) =>
  <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
    Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))
