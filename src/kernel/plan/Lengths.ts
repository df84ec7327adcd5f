/**
 * Lengths of intermediate buffers. gpu.js lets buffers of equal length share their place where their lives do not overlap;
 * some that are a little longer than they need to be may share more, and take less in all.
 *
 * @since 0.1.0
 */
import type { Plan } from './Plan.js'

/** The most merges of neighbouring lengths that are tried; programs have few distinct lengths. */
const mostTried = 64

/**
 * The length of the output of each kernel of a plan, at least as long as what it writes. What is a result of the plan keeps
 * its own length. Lengths are merged with the next larger one, from the smallest on, wherever the sum of all places
 * shrinks.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const lengths = (plan: Plan): ReadonlyArray<number> => {
  const { kernels, calls, outputs } = plan
  const results = new Set(outputs.flatMap(({ source }) => (source._tag === 'Buffer' ? [source.buffer] : [])))
  const exact = new Set(calls.filter(({ output }) => results.has(output)).map(({ kernel }) => kernel))
  const own = kernels.map(({ spec }) => spec.cells)
  const sizes = [...new Set(own.filter((_, i) => !exact.has(i)))].sort((a, b) => a - b)
  const merged = new Map(sizes.map((size) => [size, size]))
  const all = (): ReadonlyArray<number> => own.map((cells, i) => (exact.has(i) ? cells : (merged.get(cells) ?? cells)))
  let best = cells(plan, all())
  for (const [i, size] of sizes.slice(0, mostTried).entries()) {
    const larger = sizes[i + 1]
    if (larger === undefined) break
    const members = sizes.filter((other) => merged.get(other) === size)
    for (const member of members) merged.set(member, larger)
    const now = cells(plan, all())
    if (now <= best) best = now
    else for (const member of members) merged.set(member, size)
  }
  return all()
}

/**
 * The elements of all places that gpu.js makes for the intermediate buffers of a plan, whose kernels have outputs of the
 * given lengths: each call takes the first place of its length that no later call reads.
 *
 * @category utils
 * @since 0.1.0
 */
export const cells = ({ calls, outputs }: Plan, outputLengths: ReadonlyArray<number>): number => {
  const last = new Map<number, number>()
  calls.forEach((call, i) => call.buffers.forEach((buffer) => last.set(buffer, i)))
  outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, calls.length))
  // until which call the places of each length are taken
  const places = new Map<number, Array<number>>()
  let total = 0
  calls.forEach((call, i) => {
    const length = outputLengths[call.kernel] ?? 0
    const own = places.get(length) ?? []
    places.set(length, own)
    const free = own.findIndex((until) => until < i)
    const until = last.get(call.output) ?? -1
    if (free >= 0) own[free] = until
    else {
      own.push(until)
      total += length
    }
  })
  return total
}
