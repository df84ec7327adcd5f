/**
 * Laws on other people's code: what a program's gradients pay of each step's term, found from a trace of its run.
 *
 * For each sample the estimate must be the sum over the steps of `advantage x score` (or of pathwise parts), once each. So the
 * program's gradients are regressed on these terms, all from the same noise: the coefficient of a step is how often it is paid,
 * whatever the program's code says. It does not look at the model. Scores are the program's own, and so is its log-density, which is
 * compared with the noises: one that is a mean over `D` numbers makes each term a `D`-th of what it should be.
 *
 * @since 0.1.0
 */
import { showSteps } from '../../src/estimator/Cover.js'
import type { Departure } from '../../src/estimator/reading/Ledger.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { type Group, solve } from './LeastSquares.js'
import type { Trace } from './Trace.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What was found of a step: how often it is paid, by scores and in all, with the standard error. A step without noise has no score: it
 * is `unpaid` where scores explain the whole gradient. `noScore`: they do not, and no pathwise part was given; `undecided`: the trace has too few samples to say, or its term can not be told from another's.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step {
  readonly step: number
  readonly half: number
  readonly first: number
  readonly paid: number
  readonly error: number
  readonly verdict: 'paid' | 'unpaid' | 'other' | 'noScore' | 'undecided'
}

/**
 * What a log-density is of a transition's `D` numbers.
 *
 * @category model
 * @since 0.1.0
 */
export type Density = 'sum' | 'mean' | 'neither' | 'notGiven'

/**
 * What the advantages are of the rewards.
 *
 * @category model
 * @since 0.1.0
 */
export type Baseline = 'none' | 'constant' | 'leaveOneOut' | 'mean' | 'normalised' | 'other' | 'notGiven'

/**
 * The findings. `unexplained`: the share of the gradients' sum of squares that no term explains. `verdict`: is every step paid
 * once, by a density that is a sum, with a baseline that leaves the expectation alone?
 *
 * @category model
 * @since 0.1.0
 */
export interface Audit {
  readonly T: number
  readonly samples: number
  readonly elements: number
  readonly density: Density
  readonly baseline: Baseline
  readonly steps: ReadonlyArray<Step>
  readonly unexplained: number
  readonly departures: ReadonlyArray<Departure>
  readonly verdict: 'unbiased' | 'scaled' | 'biased' | 'undecided'
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/** Standard errors within which a coefficient may be what it should: a true one is beyond with probability 6e-7. */
const deviations = 5

/**
 * Coefficients nearer than this are not told apart: one part in 500, which moves a gradient less than any learning rate is known. Sums of
 * a few thousand roundings in f32, of `2^-24` each, are below it.
 */
const resolution = 2e-3

/** A share of the gradients that is rounding. */
const explained = 1e-6

/** A coefficient that is not known better than this says nothing. */
const tooVague = 0.25

/** Equations that are enough, whatever the sizes of the network. */
const mostEquations = 200_000

// -------------------------------------------------------------------------------------
// parts
// -------------------------------------------------------------------------------------

const entry = ({ data }: Tensor, i: number): number => data[i] ?? Number.NaN

const near = (a: number, b: number, scale: number): boolean => Math.abs(a - b) <= resolution * Math.max(scale, 1e-12)

/** Is the log-density a sum over the numbers of a state, or their mean? Constants that do not depend on the noise do not matter. */
const densityOf = ({ T, samples, elements, eps, sigma, logDensity }: Trace): Density => {
  if (logDensity === undefined) return 'notGiven'
  if (elements === 1) return 'sum'
  // differences from the first sample drop what is constant in a step
  let [spread, squares, cross, other] = [0, 0, 0, 0]
  for (let t = 0; t < T; t++) {
    if (!(entry(sigma, t) > 0)) continue
    const energy = (n: number): number => {
      let total = 0
      for (let i = 0; i < elements; i++) total += entry(eps, (t * samples + n) * elements + i) ** 2
      return -total / 2
    }
    const [first, told] = [energy(0), entry(logDensity, t * samples)]
    for (let n = 1; n < samples; n++) {
      const [x, y] = [energy(n) - first, entry(logDensity, t * samples + n) - told]
      spread += x * x
      squares += y * y
      cross += x * y
      other += 1
    }
  }
  if (other === 0 || spread === 0) return 'notGiven'
  const factor = cross / spread
  const left = squares - cross * factor
  if (left > 1e-3 * squares) return 'neither'
  return near(factor, 1, 1) ? 'sum' : near(factor * elements, 1, 1) ? 'mean' : 'neither'
}

/** Samples of one gradient, which share a baseline. */
const batchesOf = ({ samples, gradients }: Trace): ReadonlyArray<ReadonlyArray<number>> => {
  const size = samples / gradients
  const sizes = size > 1 ? size : samples
  return Array.from({ length: samples / sizes }, (_, b) => Array.from({ length: sizes }, (__, i) => b * sizes + i))
}

const baselineOf = (trace: Trace): Baseline => {
  const { reward, advantage } = trace
  if (advantage === undefined) return 'notGiven'
  const batches = batchesOf(trace)
  const scale = Math.max(...Array.from(reward.data, (r: number) => Math.abs(r)), 1e-12)
  const holds = (f: (rewards: ReadonlyArray<number>) => ReadonlyArray<number>, size = scale): boolean =>
    batches.every((rows) => {
      const made = f(rows.map((n) => entry(reward, n)))
      return rows.every((n, i) => near(entry(advantage, n), made[i] ?? Number.NaN, size))
    })
  const mean = (rs: ReadonlyArray<number>): number => rs.reduce((a, b) => a + b, 0) / rs.length
  const deviation = (rs: ReadonlyArray<number>, less: number): number =>
    Math.sqrt(rs.reduce((s, r) => s + (r - mean(rs)) ** 2, 0) / Math.max(rs.length - less, 1))
  if (holds((rs) => rs)) return 'none'
  if (holds((rs) => rs.map((r) => r - (rs.length * mean(rs) - r) / Math.max(rs.length - 1, 1)))) return 'leaveOneOut'
  if (holds((rs) => rs.map((r) => r - mean(rs)))) return 'mean'
  const offset = entry(reward, 0) - entry(advantage, 0)
  if (holds((rs) => rs.map((r) => r - offset))) return 'constant'
  for (const less of [0, 1]) {
    if (holds((rs) => rs.map((r) => (r - mean(rs)) / (deviation(rs, less) || 1)), 1)) return 'normalised'
  }
  return 'other'
}

/** The equations of each gradient: a column a term, a row a trained number (some of many). */
const equations = (trace: Trace): ReadonlyArray<Group> => {
  const { T, samples, parameters, gradients, score, gradient, pathwise } = trace
  const weights = trace.advantage ?? trace.reward
  const size = samples / gradients
  const every = Math.max(1, Math.ceil((gradients * parameters) / mostEquations))
  const chosen = Array.from({ length: Math.ceil(parameters / every) }, (_, i) => i * every)
  return Array.from({ length: gradients }, (_, b) => ({
    right: chosen.map((p) => entry(gradient, b * parameters + p)),
    rows: chosen.map((p) => {
      const mean = (array: Tensor, t: number, weigh: (n: number) => number): number => {
        let total = 0
        for (let i = 0; i < size; i++) {
          const n = b * size + i
          total += weigh(n) * entry(array, (t * samples + n) * parameters + p)
        }
        return total / size
      }
      const steps = Array.from({ length: T }, (__, t) => t)
      return [
        ...steps.map((t) => mean(score, t, (n) => entry(weights, n))),
        ...(pathwise === undefined ? [] : steps.map((t) => mean(pathwise, t, () => 1)))
      ]
    })
  }))
}

// -------------------------------------------------------------------------------------
// the audit
// -------------------------------------------------------------------------------------

/**
 * Audits a trace. With `gradient`s of single samples (`B = N`) a deterministic program is found out to rounding; with gradients
 * of batches, or of a program that draws its steps at random, to the standard errors that are given.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const audit = (trace: Trace): Audit => {
  const { T, samples, elements, sigma, pathwise, gradients } = trace
  const density = densityOf(trace)
  const baseline = baselineOf(trace)
  const group = samples / gradients > 1 ? samples / gradients : samples
  const own = baseline === 'mean' || baseline === 'normalised'
  // what a likelihood ratio pays in expectation, where its coefficient is 1
  const factor = (density === 'mean' ? 1 / elements : 1) * (own ? 1 - 1 / group : 1)
  const { values, errors, determined, unexplained } = solve(pathwise === undefined ? T : 2 * T, equations(trace))
  const steps = Array.from({ length: T }, (_, t): Step => {
    const noisy = entry(sigma, t) > 0
    const path = T + t
    const scored = noisy && determined[t] === true ? (values[t] ?? 0) : 0
    const first = pathwise !== undefined && determined[path] === true ? (values[path] ?? 0) : 0
    const errorOf = (scale: number): number =>
      Math.hypot(noisy ? scale * (errors[t] ?? 0) : 0, pathwise === undefined ? 0 : (errors[path] ?? 0))
    const known = (noisy && determined[t] === true) || determined[path] === true
    const half = factor * scored
    const [paid, error] = [half + first, errorOf(factor)]
    const verdict = (): Step['verdict'] => {
      if (!noisy && pathwise === undefined) return unexplained <= explained ? 'unpaid' : 'noScore'
      // what a mean over many numbers makes small is paid nevertheless: the program's own terms are judged
      if (!known || errorOf(1) > tooVague) return 'undecided'
      if (Math.abs(scored) + Math.abs(first) <= deviations * errorOf(1) + resolution) return 'unpaid'
      return Math.abs(paid - 1) <= deviations * error + resolution ? 'paid' : 'other'
    }
    return { step: t + 1, half, first, paid, error, verdict: verdict() }
  })
  const departures: ReadonlyArray<Departure> = [
    ...(density === 'mean' ? [{ _tag: 'MeanDensity', elements } as const] : []),
    ...(own ? [{ _tag: 'OwnBaseline', group } as const] : []),
    ...(baseline === 'normalised' ? [{ _tag: 'Normalised', over: 'batch' } as const] : [])
  ]
  return {
    T,
    samples,
    elements,
    density,
    baseline,
    steps,
    unexplained,
    departures,
    verdict: verdictOf(steps, departures, density === 'neither' || baseline === 'other')
  }
}

/** Are all steps paid alike? A density or an advantage that is not known, `strange`, leaves open what the terms are of. */
const verdictOf = (
  judged: ReadonlyArray<Step>,
  departures: ReadonlyArray<Departure>,
  strange: boolean
): Audit['verdict'] => {
  if (judged.some(({ verdict }) => verdict === 'unpaid')) return 'biased'
  if (strange || judged.some(({ verdict }) => verdict === 'undecided' || verdict === 'noScore')) return 'undecided'
  const divided = departures.some(({ _tag }) => _tag === 'Normalised')
  if (judged.every(({ verdict }) => verdict === 'paid')) return divided ? 'biased' : 'unbiased'
  const [first] = judged
  const alike =
    first !== undefined &&
    first.verdict === 'other' &&
    judged.every(
      ({ paid, error }) =>
        Math.abs(paid - first.paid) <= deviations * (error + first.error) + resolution * Math.abs(first.paid)
    )
  return alike && !divided ? 'scaled' : 'biased'
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const shown = (x: number): string => String(Number(x.toPrecision(3)))

const densities: Readonly<Record<Density, string>> = {
  sum: 'the sum over the numbers of a state, as it should be',
  mean: 'the mean over the numbers of a state: take the sum, or scores are too small by their number',
  neither: 'neither the sum nor the mean over the numbers of a state of the normal density at `eps`',
  notGiven: 'not in the trace: taken for a sum'
}

const baselines: Readonly<Record<Baseline, string>> = {
  none: 'the rewards themselves',
  constant: 'the rewards less a constant',
  leaveOneOut: 'the rewards less the mean of the others: unbiased',
  mean: "the rewards less their mean, the sample's own included: terms are too small by one part in so many samples",
  normalised: 'divided by the standard deviation of their batch: biased, and not by a factor',
  other: 'of another kind, which the trace does not tell',
  notGiven: 'not in the trace: the rewards were taken'
}

/**
 * The findings for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = (self: Audit): string => {
  const line = (step: Step): string => {
    const number = (x: number): string => `${shown(x)} `.padEnd(10)
    const amounts =
      step.verdict === 'noScore' ? '-'.padEnd(24) : `${number(step.paid)}${`+- ${shown(step.error)} `.padEnd(14)}`
    const twice = step.verdict === 'other' && Math.abs(step.paid - 2) <= deviations * step.error + resolution
    return `  ${String(step.step).padEnd(6)}${amounts}${twice ? 'paid twice' : words[step.verdict]}`
  }
  return [
    `${self.samples} samples of ${self.T} steps, ${self.elements} numbers a state`,
    `  densities   ${densities[self.density]}`,
    `  advantages  ${baselines[self.baseline]}`,
    '  step  paid',
    ...self.steps.map(line),
    `  ${shown(100 * self.unexplained)} % of the gradients is none of these terms`,
    conclusion(self)
  ].join('\n')
}

const words: Readonly<Record<Step['verdict'], string>> = {
  paid: 'paid once',
  unpaid: 'not paid',
  other: 'paid by another amount',
  noScore: 'has no noise: give `pathwise` to judge it',
  undecided: 'undecided: write more samples'
}

const conclusion = ({ verdict, steps, departures }: Audit): string => {
  const of = (kind: Step['verdict']): string =>
    showSteps(steps.filter((one) => one.verdict === kind).map(({ step }) => step))
  const factor = steps.find((one) => one.verdict === 'other')?.paid ?? 1
  switch (verdict) {
    case 'unbiased':
      return 'unbiased: every step is paid once'
    case 'scaled':
      return `the gradient, ${shown(factor)} times as long: every step is paid alike, and a learning rate makes up for it`
    case 'undecided':
      return [
        'undecided:',
        ...(of('undecided') === '' ? [] : [`too few samples for steps ${of('undecided')};`]),
        ...(of('noScore') === '' ? [] : [`no pathwise part for steps ${of('noScore')}, which have no noise;`]),
        'what is not known is said above'
      ].join(' ')
    case 'biased':
      if (departures.some(({ _tag }) => _tag === 'Normalised') && of('unpaid') === '') {
        return 'biased: every step is paid, but by advantages that are divided by a number which depends on the noise'
      }
      return [
        'biased:',
        ...(of('unpaid') === '' ? [] : [`not paid are steps ${of('unpaid')};`]),
        ...(of('other') === '' ? [] : [`paid by another amount are steps ${of('other')};`]),
        'each is missing by as much of its term'
      ].join(' ')
  }
}
