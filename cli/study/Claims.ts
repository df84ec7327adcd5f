/**
 * What the paper claims, each as a contrast that a study has: a claim is confirmed or refuted by the lines of that study, and by nothing
 * that is typed.
 *
 * @since 0.1.0
 */
import { upperQuantile } from 'halforder/laws/exact/Student'
import type { Estimate, Point } from './Line.js'
import { chosen, differenceOf, type Mean, ofChosen, showMean } from './Means.js'
import type { Lines } from './Page.js'
import type { Compare, Family, Quantity } from './Study.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is taken the difference of, seed by seed. The claim is that it is above 0.
 *
 * - `Finetunes`: of two conditions of a study, at the end of their budgets, or after a share of them.
 * - `Tuned`: of two methods at the end of their budgets, each in the form that has the largest by the other seeds.
 * - `Course`: of one condition, at its end and after a share of its budget.
 * - `Estimates`: of the logarithms of two estimators' numbers under a condition; a number stands for itself.
 *
 * @category model
 * @since 0.1.0
 */
export type Contrast =
  | {
      readonly _tag: 'Finetunes'
      readonly quantity: Quantity
      readonly of: string
      readonly over: string
      readonly after?: number
    }
  | {
      readonly _tag: 'Tuned'
      readonly quantity: Quantity
      readonly of: Family
      readonly over: Family
    }
  | {
      readonly _tag: 'Course'
      readonly quantity: Quantity
      readonly of: string
      readonly since: number
      readonly falls: boolean
    }
  | {
      readonly _tag: 'Estimates'
      readonly quantity: Compare
      readonly under: string
      readonly of: string | number
      readonly over: string | number
    }

/**
 * How a claim ended: the interval of its contrast lies above 0, or below, or has 0 in it.
 *
 * @category model
 * @since 0.1.0
 */
export type Verdict = 'reproduced' | 'refuted' | 'not reproduced'

/**
 * A claim: what is said, with which figures, and by whom; on which study and task it is put to the test; and what is to be known of how it
 * ended.
 *
 * @category model
 * @since 0.1.0
 */
export interface Claim {
  readonly says: string
  /** The paper's figures (arXiv 2502.00639); undefined for what it does not say. */
  readonly paper: string | undefined
  readonly study: string
  readonly task: string
  readonly contrast: Contrast
  readonly why: Readonly<Partial<Record<Verdict, string>>>
}

/**
 * A claim with what the lines of its study say.
 *
 * @category model
 * @since 0.1.0
 */
export interface Tested {
  readonly claim: Claim
  readonly difference: Mean
  readonly verdict: Verdict
  /** By how many standard errors the difference is off 0. */
  readonly errors: number
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** When in a run: a share of its steps, as words. */
const showSince = (since: number): string =>
  since === 0 ? 'its start' : `${Number((100 * since).toFixed(0))} % of its steps`

/** The point of a run that is nearest to a share of its steps: the end for 1. */
const nearest = (points: ReadonlyArray<Point>, share: number): Point | undefined => {
  const all = Math.max(...points.map(({ steps }) => steps))
  return points.reduce<Point | undefined>(
    (best, one) =>
      best === undefined || Math.abs(one.steps - share * all) < Math.abs(best.steps - share * all) ? one : best,
    undefined
  )
}

/** Of each seed, a number after a share of the run. */
const after = (
  { points }: Pick<Lines, 'points'>,
  condition: string,
  quantity: Quantity,
  share: number
): ReadonlyMap<number, number> => {
  const own = points.filter((one) => one.condition === condition)
  return new Map(
    [...new Set(own.map(({ seed }) => seed))].flatMap((seed) => {
      const value = nearest(
        own.filter((one) => one.seed === seed),
        share
      )?.[quantity]
      return value === undefined || value === null ? [] : [[seed, value] as const]
    })
  )
}

/** Of each seed, the logarithm of an estimator's number: a slope or a tail may have changed its sign, and has none then. */
const logarithms = (
  estimates: ReadonlyArray<Estimate>,
  { under, quantity }: { readonly under: string; readonly quantity: Compare },
  estimator: string
): ReadonlyMap<number, number> =>
  new Map(
    estimates.flatMap((one) => {
      const value = one[quantity]
      return one.condition === under && one.estimator === estimator && value !== null && value > 0
        ? [[one.seed, Math.log(value)] as const]
        : []
    })
  )

/**
 * The difference of a contrast, from the lines of its study.
 *
 * @category readings
 * @since 0.1.0
 */
export const contrasted = (contrast: Contrast, lines: Pick<Lines, 'points' | 'estimates'>): Mean => {
  switch (contrast._tag) {
    case 'Finetunes': {
      const { quantity, of, over, after: share = 1 } = contrast
      return differenceOf(after(lines, of, quantity, share), after(lines, over, quantity, share))
    }
    case 'Tuned': {
      const { quantity } = contrast
      const side = ({ forms }: Family): ReadonlyMap<number, number> => {
        const ends = forms.map((form) => after(lines, form, quantity, 1))
        return ofChosen(chosen(ends), ends)
      }
      return differenceOf(side(contrast.of), side(contrast.over))
    }
    case 'Course': {
      const { quantity, of, since, falls } = contrast
      const [early, end] = [after(lines, of, quantity, since), after(lines, of, quantity, 1)]
      return falls ? differenceOf(early, end) : differenceOf(end, early)
    }
    case 'Estimates': {
      const side = (one: string | number): ReadonlyMap<number, number> =>
        typeof one === 'string'
          ? logarithms(lines.estimates, contrast, one)
          : new Map(lines.estimates.map(({ seed }) => [seed, Math.log(one)]))
      return differenceOf(side(contrast.of), side(contrast.over))
    }
  }
}

/**
 * A claim put to the test. It needs two seeds at least.
 *
 * @category readings
 * @since 0.1.0
 */
export const tested =
  (lines: Pick<Lines, 'points' | 'estimates'>) =>
  (claim: Claim): Tested => {
    const difference = contrasted(claim.contrast, lines)
    const { mean, half, n } = difference
    const error = half / upperQuantile(Math.max(1, n - 1), 0.025)
    const verdict = !(Math.abs(mean) > half) ? 'not reproduced' : mean > 0 ? 'reproduced' : 'refuted'
    return { claim, difference, verdict, errors: error === 0 ? Infinity : Math.abs(mean) / error }
  }

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const quantityOf = (contrast: Contrast): string => {
  const names: Readonly<Record<Quantity | Compare, string>> = {
    reward: 'reward',
    heldOut: 'held-out reward',
    objective: 'reward less price',
    kl: 'KL',
    diversity: 'diversity',
    frechet: 'Fréchet distance',
    variance: 'variance',
    varianceTimesCost: 'variance × cost',
    tailIndex: 'tail index',
    slopeRatio: 'slope'
  }
  return contrast._tag === 'Estimates' ? `log ${names[contrast.quantity]}` : names[contrast.quantity]
}

const ofContrast = (contrast: Contrast): string => {
  switch (contrast._tag) {
    case 'Finetunes': {
      const { of, over, after: share = 1 } = contrast
      return `${quantityOf(contrast)} of *${of}* over *${over}*${share === 1 ? '' : `, after ${share} of the budget`}`
    }
    case 'Tuned':
      return `${quantityOf(contrast)} of *${contrast.of.name}* over *${contrast.over.name}*, each in its best form`
    case 'Course':
      return `${quantityOf(contrast)} of *${contrast.of}*, ${contrast.falls ? 'fall' : 'rise'} since ${showSince(contrast.since)}`
    case 'Estimates':
      return `${quantityOf(contrast)} of ${sided(contrast.of)} over ${sided(contrast.over)}, ${contrast.under}`
  }
}

const sided = (one: string | number): string => (typeof one === 'string' ? `*${one}*` : String(one))

const cell = (text: string): string => text.replaceAll('|', '\\|')

const rowOf = (claim: Claim, lines: Lines | undefined): string => {
  const name = `${claim.study}, ${claim.task}`
  const where = lines === undefined ? name : `[${name}](studies/${claim.study}-${claim.task}.md)`
  const found = lines === undefined ? undefined : tested(lines)(claim)
  const known = found !== undefined && found.difference.n > 1
  const verdict = known
    ? `**${found.verdict}**, ${Number.isFinite(found.errors) ? `${found.errors.toFixed(1)} standard errors` : 'all seeds alike'}`
    : 'not run'
  return `| ${[
    cell(claim.says),
    cell(claim.paper ?? 'ours'),
    where,
    cell(ofContrast(claim.contrast)),
    known ? showMean(found.difference) : '',
    verdict,
    cell(known ? (claim.why[found.verdict] ?? '') : '')
  ].join(' | ')} |`
}

/**
 * The table of claims as a page in Markdown: from the lines of studies by `NAME-TASK`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const page = (claims: ReadonlyArray<Claim>, found: ReadonlyMap<string, Lines>): string =>
  [
    '# What was found',
    '',
    'The claims of the paper (arXiv 2502.00639), and some of ours, on models that a laptop trains. Each is a contrast of a study: the difference',
    'is above 0 where the claim holds. Figures are not comparable with the paper’s, whose models are a thousand times as large and',
    'whose judges are others: who wins is. Differences are means over seeds of runs of one seed each, on their own held-out noise, with 95 %',
    'intervals (Student’s t). *Reproduced*: the interval lies above 0; *refuted*: below; *not reproduced*: 0 is in it.',
    '',
    '| claim | the paper | study | contrast | difference | verdict | why |',
    '|---|---|---|---|---|---|---|',
    ...claims.map((claim) => rowOf(claim, found.get(`${claim.study}-${claim.task}`))),
    '',
    'Written by `npx halforder study --claims docs/results/studies`, from the lines of the studies there. [How studies are run](../studies.md).',
    ''
  ].join('\n')
