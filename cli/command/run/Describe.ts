/**
 * What a run came to, in words.
 *
 * @since 0.1.0
 */
import * as Cover from 'halforder/estimator/Cover'
import * as Ledger from 'halforder/estimator/reading/Ledger'
import type { Summary } from './FinetuneRun.js'
import type { Level } from './Judgement.js'

const signed = (n: number): string => `${n >= 0 ? '+' : ''}${n.toFixed(1)}`

/**
 * A summary for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const describe = (summary: Summary): string => {
  const level = ({ mean, standardError, skipped }: Level): string =>
    `${mean.toFixed(3)} +- ${standardError.toFixed(3)}${skipped === 0 ? '' : `, ${skipped} skipped`}`
  const { before, after, unpaidSteps: unpaid } = summary
  const moved = (from: number, to: number): string => `${from.toPrecision(3)} to ${to.toPrecision(3)}`
  return [
    `${summary.reward}, on ${summary.evaluationSamples} held-out samples`,
    `  before     ${level(before)}`,
    `  after      ${level(after)}   (${signed(summary.gain)} joint standard errors)`,
    before.heldOut === null || after.heldOut === null
      ? '  held out   the task has no judge of this reward'
      : `  held out   ${level(before.heldOut)} to ${level(after.heldOut)}   (${signed(summary.heldOutGain ?? NaN)}), ${summary.heldOutReward} by another judge`,
    `  diversity  mean distance of two outputs ${moved(before.pairwiseDistance, after.pairwiseDistance)}; Frechet distance to the base ${after.frechetToBase.toPrecision(3)}`,
    after.kl === null
      ? '  KL         none to the base, since no step of the chain that is measured has noise'
      : `  KL         ${level(after.kl)} to the base${summary.kl.beta === 0 ? '' : `, at ${summary.kl.beta} each: objective ${level(before.objective)} to ${level(after.objective)}`}`,
    ...Object.entries(after.measures ?? {}).map(([name, one]) => {
      const was = before.measures?.[name]
      return `  measure    ${name} ${was === undefined ? '' : `${level(was)} to `}${level(one)}`
    }),
    ...(summary.warning === null ? [] : [`  warning    ${summary.warning}`]),
    `  estimator  ${summary.estimator}: ${summary.cover}`,
    `             ${unpaid.length === 0 ? `unbiased for ${summary.objective}` : `biased: steps ${Cover.showSteps(unpaid)} are not paid once`}`,
    ...summary.departures.map((one) => `             departs: ${Ledger.showDeparture(one)}`),
    `  cost       ${summary.networkEvaluations} network evaluations, ${(summary.peakActivationBytes / 2 ** 20).toFixed(1)} MiB of activations at the peak`,
    ...(summary.skippedRows === 0
      ? []
      : [`  skipped    ${summary.skippedRows} rows of all steps, whose reward is not finite`]),
    `  ${summary.interrupted ? 'stopped' : 'done'} after ${summary.steps} steps and ${summary.seconds} s; see ${summary.folder}/${summary.sheet} and reward.svg`,
    ''
  ].join('\n')
}
