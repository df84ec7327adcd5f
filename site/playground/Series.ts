/**
 * A curve that grows for as long as a run does, of points as many as can be seen.
 */

/** Values by step, in the order of their steps. */
export type Series = ReadonlyArray<readonly [step: number, value: number]>

/** The most points of a curve: a curve of them is drawn in no time, and shows no fewer than a screen has. */
export const most = 400

/** A curve with one more point at its end. When it is full, every second one of those before is let go; the first stays. */
export const grown = (series: Series, step: number, value: number): Series => {
  if (!Number.isFinite(value)) return series
  const kept = series.length < most ? series : series.filter((_, i) => i % 2 === 0)
  return [...kept, [step, value]]
}
