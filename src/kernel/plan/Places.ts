/**
 * Where the arrays that a plan writes lie in one memory: those whose lives do not overlap share their place.
 *
 * @since 0.1.0
 */
import type { Plan } from './Plan.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Bytes `from` (included) to `to` (excluded).
 *
 * @category model
 * @since 0.1.0
 */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * Where each written buffer begins, in bytes, by its position in the plan; and where the last of them ends.
 *
 * @category model
 * @since 0.1.0
 */
export interface Places {
  readonly at: ReadonlyMap<number, number>
  readonly end: number
}

/** The calls from the one that writes a buffer to the last one that reads it. */
interface Life {
  readonly since: number
  readonly until: number
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The bytes of an array of so many elements, so that the next one begins at a multiple of 16.
 *
 * @category utils
 * @since 0.1.0
 */
export const alignedBytes = (elements: number): number => 16 * Math.ceil(elements / 4)

/**
 * The lowest place of so many bytes between ranges, which are in the order of their beginnings.
 *
 * @category utils
 * @since 0.1.0
 */
export const lowest = (bytes: number, taken: ReadonlyArray<Range>): number => {
  let free = 0
  for (const { from, to } of taken) {
    if (from - free >= bytes) break
    free = Math.max(free, to)
  }
  return free
}

/**
 * The same bytes as ranges that neither overlap nor touch, in order.
 *
 * @category utils
 * @since 0.1.0
 */
export const merged = (ranges: ReadonlyArray<Range>): ReadonlyArray<Range> => {
  const out: Array<Range> = []
  for (const range of [...ranges].filter(({ from, to }) => to > from).sort((a, b) => a.from - b.from)) {
    const last = out.at(-1)
    if (last !== undefined && range.from <= last.to) {
      out[out.length - 1] = { from: last.from, to: Math.max(last.to, range.to) }
    } else out.push(range)
  }
  return out
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The places of the written buffers beside ranges that are taken for good. The largest are placed first, each at the lowest
 * place that is free for as long as it lives.
 *
 * @category constructors
 * @since 0.1.0
 */
export const places = ({ buffers, calls, outputs }: Plan, taken: ReadonlyArray<Range> = []): Places => {
  const last = new Map<number, number>()
  calls.forEach((call, i) => call.buffers.forEach((buffer) => last.set(buffer, i)))
  outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, calls.length))
  const lives = calls.map((call, i): Life & { readonly buffer: number; readonly bytes: number } => ({
    buffer: call.output,
    bytes: alignedBytes(buffers[call.output]?.size ?? 0),
    since: i,
    until: Math.max(i, last.get(call.output) ?? i)
  }))
  const always = merged(taken)
  const placed = byPlace(always.length + lives.length)
  for (const { from, to } of always) placed.add({ from, to, since: 0, until: forGood })
  const at = new Map<number, number>()
  let end = 0
  for (const life of [...lives].sort((x, y) => y.bytes - x.bytes || x.since - y.since)) {
    const from = placed.lowest(life)
    placed.add({ ...life, from, to: from + life.bytes })
    at.set(life.buffer, from)
    end = Math.max(end, from + life.bytes)
  }
  return { at, end }
}

/** Later than any call. */
const forGood = 2 ** 31 - 1

/** What has a place, in the order of the places, so that a gap is found on the way up; programs have thousands. */
interface ByPlace {
  readonly add: (placed: Life & Range) => void
  readonly lowest: (life: Life & { readonly bytes: number }) => number
}

// places are multiples of 16 bytes, of which there are fewer than 2^31
const unit = 16

const byPlace = (most: number): ByPlace => {
  const froms = new Int32Array(most)
  const tos = new Int32Array(most)
  const sinces = new Int32Array(most)
  const untils = new Int32Array(most)
  let count = 0
  const insert = (into: Int32Array, i: number, value: number): void => {
    into.copyWithin(i + 1, i, count)
    into[i] = value
  }
  return {
    add: ({ from, to, since, until }) => {
      let [low, high] = [0, count]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((froms[middle] ?? 0) < from / unit) low = middle + 1
        else high = middle
      }
      insert(froms, low, from / unit)
      insert(tos, low, to / unit)
      insert(sinces, low, since)
      insert(untils, low, until)
      count++
    },
    lowest: ({ bytes, since, until }) => {
      const needed = bytes / unit
      let free = 0
      for (let i = 0; i < count; i++) {
        if ((froms[i] ?? 0) - free >= needed) break
        const to = tos[i] ?? 0
        if (to > free && (sinces[i] ?? 0) <= until && since <= (untils[i] ?? 0)) free = to
      }
      return unit * free
    }
  }
}
