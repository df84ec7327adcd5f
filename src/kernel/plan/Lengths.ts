/**
 * Lengths of intermediate buffers. gpu.js lets buffers of equal length share their place where their lives do not
 * overlap; some that are a little longer than they need to be may share more, and take less in all.
 *
 * @since 0.1.0
 */
import type { Plan } from './Plan.js'

/** The most merges of neighbouring lengths that are tried; programs have few distinct lengths. */
const mostTried = 64

/**
 * The length of the output of each kernel of a plan, at least as long as what it writes. What is a result of the plan
 * keeps its own length. Lengths are merged with the next larger one, from the smallest on, wherever the sum of all
 * places shrinks. Every length that is not a result's is a multiple of `unit`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const lengths = (plan: Plan, unit = 1): ReadonlyArray<number> => {
  const { kernels, calls, outputs } = plan
  const results = new Set(outputs.flatMap(({ source }) => (source._tag === 'Buffer' ? [source.buffer] : [])))
  const exact = new Set(calls.filter(({ output }) => results.has(output)).map(({ kernel }) => kernel))
  const own = kernels.map(({ spec: { cells } }, i) => (exact.has(i) ? cells : unit * Math.ceil(cells / unit)))
  const sizes = [...new Set(own.filter((_, i) => !exact.has(i)))].sort((a, b) => a - b)
  const merged = new Map(sizes.map((size) => [size, size]))
  const all = (): ReadonlyArray<number> => own.map((cells, i) => (exact.has(i) ? cells : (merged.get(cells) ?? cells)))
  let best = placedCells(plan, all())
  for (const [i, size] of sizes.slice(0, mostTried).entries()) {
    const larger = sizes[i + 1]
    if (larger === undefined) break
    const members = sizes.filter((other) => merged.get(other) === size)
    for (const member of members) merged.set(member, larger)
    const now = placedCells(plan, all())
    if (now <= best) best = now
    else for (const member of members) merged.set(member, size)
  }
  return all()
}

/**
 * The elements of all places that gpu.js makes for the intermediate buffers of a plan, whose kernels have outputs of
 * the given lengths.
 *
 * @category utils
 * @since 0.1.0
 */
export const placedCells = (plan: Plan, outputLengths: ReadonlyArray<number>): number =>
  placesOf(plan, outputLengths).reduce((sum, { length, count }) => sum + count * length, 0)

/** The places by their lengths: each call takes the first one of its length that no later call reads. */
const placesOf = (
  { calls, outputs }: Plan,
  outputLengths: ReadonlyArray<number>
): ReadonlyArray<{ readonly length: number; readonly count: number }> => {
  const last = new Map<number, number>()
  calls.forEach((call, i) => call.buffers.forEach((buffer) => last.set(buffer, i)))
  outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, calls.length))
  // until which call the places of each length are taken
  const places = new Map<number, Array<number>>()
  calls.forEach((call, i) => {
    const length = outputLengths[call.kernel] ?? 0
    const own = places.get(length) ?? []
    places.set(length, own)
    const free = own.findIndex((until) => until < i)
    const until = last.get(call.output) ?? -1
    if (free >= 0) own[free] = until
    else own.push(until)
  })
  return [...places].map(([length, own]) => ({ length, count: own.length }))
}

/**
 * The bytes of the memory that gpu.js lays out for a plan on `webasm`, whose kernels have outputs of the given lengths:
 * the arrays that kernels read, every number that is an argument of a call, and the places; each begins at a multiple
 * of 16 bytes.
 *
 * @category utils
 * @since 0.1.0
 */
export const laidOutBytes = (plan: Plan, outputLengths: ReadonlyArray<number>): number => {
  const read = new Set(plan.calls.flatMap((call) => call.buffers))
  const given = plan.buffers.reduce(
    (sum, buffer, i) => (buffer._tag === 'Written' || !read.has(i) ? sum : sum + Math.ceil(buffer.size / 4)),
    0
  )
  const numbers = plan.calls.reduce((sum, { parameters }) => sum + parameters.length, 0)
  const places = placesOf(plan, outputLengths).reduce(
    (sum, { length, count }) => sum + count * Math.ceil(length / 4),
    0
  )
  return 16 * (given + numbers + places)
}
