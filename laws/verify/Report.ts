/**
 * What verification found, for a person.
 *
 * @since 0.1.0
 */
import * as C from '../../src/estimator/Cover.js'
import { upperQuantile } from '../law/MonteCarlo.js'
import type { Outcome, Row, Test } from './Verify.js'

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const isDecided = ({ verdict }: Row): boolean => verdict !== 'skipped' && verdict !== 'undecided'

/**
 * Is every claim that was decided borne out? Not where one was refuted, and not where nothing was decided.
 *
 * @category readings
 * @since 0.1.0
 */
export const sound = (rows: ReadonlyArray<Row>): boolean =>
  rows.some(isDecided) && rows.every(({ verdict }) => verdict !== 'refuted')

const figure = (x: number): string => (Math.abs(x) >= 1e5 ? x.toExponential(2) : String(Number(x.toPrecision(4))))

const list = (values: ReadonlyArray<number> | null): string => (values ?? []).map(figure).join(', ')

/**
 * Rows as a table for a person, model by model, and then what was tested: how surely, and what was skipped or refuted.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = (rows: ReadonlyArray<Row>, test: Test): string => {
  const header = [
    'estimator',
    'target',
    'expectation',
    'standard error',
    'bias',
    'unpaid',
    'variance',
    'evaluations',
    'bytes',
    'verdict'
  ]
  const tested = rows.filter(({ verdict }) => verdict !== 'skipped')
  const cells = (row: Row): ReadonlyArray<string> => [
    row.estimator,
    row.target,
    list(row.expectation),
    list(row.standardError?.map((s) => Number(s.toPrecision(2))) ?? null),
    figure(Number((row.biasInf ?? 0).toPrecision(2))),
    C.showSteps(row.unpaidSteps) || '-',
    (row.variance ?? 0).toExponential(2),
    String(Math.round(row.networkEvaluations)),
    String(row.peakBytes ?? 0),
    row.verdict
  ]
  const all = tested.map(cells)
  const widths = header.map((title, i) => Math.max(title.length, ...all.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    row
      .map((text, i) => text.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  const sections = [...new Set(rows.map(({ model }) => model))].flatMap((model) => {
    const own = tested.filter((row) => row.model === model)
    const targets = [
      ...new Map(own.filter(({ target }) => target === 'J').map((row) => [row.target, row.exactGradient]))
    ]
    return [
      `${model}${targets.map(([, gradient]) => `, the gradient of J is ${list(gradient)}`).join('')}`,
      ...own.map((row) => line(cells(row))),
      ...rows
        .filter((row) => row.model === model && !isDecided(row))
        .map((row) => `${row.estimator}: ${row.verdict}: ${row.reason ?? ''}`),
      ''
    ]
  })
  return [line(header), ...sections, summary(rows, test)].join('\n')
}

const summary = (rows: ReadonlyArray<Row>, { comparisons, z, alpha, beta }: Test): string => {
  const count = (outcome: Outcome): number => rows.filter(({ verdict }) => verdict === outcome).length
  return [
    `${count('unbiased')} unbiased, ${count('biased as predicted')} biased as predicted, ${count('refuted')} refuted, ${count('undecided')} undecided, ${count('skipped')} skipped`,
    `${comparisons} numbers compared, each to ${z.toFixed(2)} standard errors, or more where samples are few or skewed: asymptotically, a true claim among them is refuted with probability ${alpha}, and a bias of ${(z + upperQuantile(beta)).toFixed(1)} standard errors is missed with probability ${beta}, at most`
  ].join('\n')
}

/**
 * The claims that the samples do not decide, each with the reason.
 *
 * @category utils
 * @since 0.1.0
 */
export const open = (rows: ReadonlyArray<Row>): ReadonlyArray<string> =>
  rows
    .filter(({ verdict }) => verdict === 'undecided')
    .map(({ model, estimator, reason }) => `${estimator} on ${model} is undecided: ${reason ?? ''}`)

/**
 * Why rows are not sound: which were refuted, or that nothing was tested or decided.
 *
 * @category utils
 * @since 0.1.0
 */
export const refusal = (rows: ReadonlyArray<Row>): string => {
  const refuted = rows.filter(({ verdict }) => verdict === 'refuted')
  if (refuted.length > 0) {
    return refuted
      .map(
        ({ model, estimator, claim, exactGradient, predictedBias, expectation, tolerance }) =>
          `${estimator} on ${model} is refuted: it claims to be ${claim === 'exact' ? 'unbiased' : 'biased by its unpaid steps alone'}, ` +
          `so an expectation of ${list((exactGradient ?? []).map((g, i) => g + (predictedBias?.[i] ?? 0)))}, ` +
          `got ${list(expectation)}; ${figure(tolerance ?? 0)} off would have been allowed`
      )
      .join('\n')
  }
  const reasons = rows.map(({ estimator, model, reason }) => `${estimator} on ${model}: ${reason ?? ''}`)
  return `nothing was ${rows.some(({ verdict }) => verdict === 'undecided') ? 'decided' : 'tested'}${reasons.length === 0 ? '' : `: ${reasons.join('; ')}`}`
}
