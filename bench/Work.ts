/**
 * What is timed: one piece of work as several libraries do it, side by side in one run.
 */

/** One library's way: `run` gives the result as a flat array, so that the answers can be compared. */
export interface Contender {
  readonly run: () => Promise<ArrayLike<number>>
  readonly dispose: () => Promise<void>
}

/** A piece of work and who does it. */
export interface Work {
  readonly name: string
  readonly about: string
  readonly contenders: Readonly<Record<string, () => Promise<Contender>>>
}

/** Milliseconds of each contender: median, least and most of some interleaved runs. */
export interface Timing {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** The largest difference of two results, relative to the largest value. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let difference = 0
  let scale = 0
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)))
    scale = Math.max(scale, Math.abs(a[i] ?? 0))
  }
  return a.length === b.length ? difference / scale : NaN
}

/**
 * Times a work: three rounds to warm up, then `rounds` in which each contender runs once, in turn, so that a slow moment of
 * the machine hits all of them. A contender whose answer differs from the first one's by more than 1e-3 is an error.
 */
export const time = async (work: Work, rounds: number): Promise<Readonly<Record<string, Timing>>> => {
  const names = Object.keys(work.contenders)
  const contenders = await Promise.all(
    Object.entries(work.contenders).map(async ([name, make]) => [name, await make()] as const)
  )
  const samples = new Map(names.map((name) => [name, new Array<number>()]))
  let answer: ArrayLike<number> | undefined
  for (let round = -3; round < rounds; round++) {
    for (const [name, contender] of contenders) {
      const began = performance.now()
      const result = await contender.run()
      const elapsed = performance.now() - began
      answer ??= result
      if (round === -3) {
        const off = distance(answer, result)
        if (!(off < 1e-3)) throw new Error(`${work.name}: ${name} differs from ${names[0]} by ${off}`)
      }
      if (round >= 0) samples.get(name)?.push(elapsed)
    }
  }
  for (const [, contender] of contenders) await contender.dispose()
  return Object.fromEntries(
    [...samples].map(([name, all]) => {
      const sorted = [...all].sort((a, b) => a - b)
      const at = (i: number): number => sorted[i] ?? NaN
      return [name, { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1) }]
    })
  )
}
