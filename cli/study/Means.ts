/**
 * Means over seeds, with intervals. Each seed has noise of its own, in its training and in what it is measured on, so that the spread over
 * seeds has both in it.
 *
 * @since 0.1.0
 */
import { upperQuantile } from 'halforder/laws/exact/Student'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A mean of `n` values with the half width of its 95 % interval by Student's t, which is infinite for one value.
 *
 * @category model
 * @since 0.1.0
 */
export interface Mean {
  readonly mean: number
  readonly half: number
  readonly n: number
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The mean of some values. It is not a number of none.
 *
 * @category readings
 * @since 0.1.0
 */
export const meanOf = (values: ReadonlyArray<number>): Mean => {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  const square = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return { mean, n, half: n < 2 ? Infinity : upperQuantile(n - 1, 0.025) * Math.sqrt(square / (n - 1) / n) }
}

/**
 * The mean difference of values that have the same seed: what they share, the noise that they are measured on, is not in it.
 *
 * @category readings
 * @since 0.1.0
 */
export const differenceOf = (values: ReadonlyMap<number, number>, others: ReadonlyMap<number, number>): Mean =>
  meanOf(
    [...values].flatMap(([seed, value]) => {
      const other = others.get(seed)
      return other === undefined ? [] : [value - other]
    })
  )

/**
 * Of each seed, which of several forms the other seeds say is the best: the one of the largest mean over them. The choice has not seen the
 * run that it is judged by, so that the best of many forms is not the luckiest. A seed that some form lacks, and one alone, has none.
 *
 * @category readings
 * @since 0.1.0
 */
export const chosen = (forms: ReadonlyArray<ReadonlyMap<number, number>>): ReadonlyMap<number, number> => {
  const [first = new Map<number, number>()] = forms
  const seeds = [...first.keys()].filter((seed) => forms.every((form) => form.has(seed)))
  const without = (seed: number, form: ReadonlyMap<number, number>): number =>
    meanOf(seeds.flatMap((other) => (other === seed ? [] : [form.get(other) ?? NaN]))).mean
  return new Map(
    seeds.length < 2
      ? []
      : seeds.map((seed) => {
          const means = forms.map((form) => without(seed, form))
          return [seed, means.indexOf(Math.max(...means))] as const
        })
  )
}

/**
 * Of each seed, the number of the form that is chosen for it (see `chosen`).
 *
 * @category readings
 * @since 0.1.0
 */
export const ofChosen = (
  which: ReadonlyMap<number, number>,
  forms: ReadonlyArray<ReadonlyMap<number, number>>
): ReadonlyMap<number, number> =>
  new Map(
    [...which].flatMap(([seed, i]) => {
      const value = forms[i]?.get(seed)
      return value === undefined ? [] : [[seed, value] as const]
    })
  )

/**
 * A mean with its interval, to as many digits as that has a meaning.
 *
 * @category utils
 * @since 0.1.0
 */
export const showMean = ({ mean, half, n }: Mean): string => {
  if (n === 0 || !Number.isFinite(mean)) return ''
  if (!Number.isFinite(half)) return mean.toPrecision(3)
  const digits = half === 0 ? 4 : Math.min(6, Math.max(0, 1 - Math.floor(Math.log10(half))))
  return `${mean.toFixed(digits)} ± ${half.toFixed(digits)}`
}

/**
 * Does the interval leave out 0?
 *
 * @category readings
 * @since 0.1.0
 */
export const isDecided = ({ mean, half }: Mean): boolean => Math.abs(mean) > half
