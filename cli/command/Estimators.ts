/**
 * `halforder estimators`: the estimators that have a name, with their options.
 *
 * @since 0.1.0
 */
import { showOptions } from 'halforder/estimator/catalogue/Row'
import * as Help from 'halforder/estimator/reading/Help'
import * as Config from 'halforder/training/Config'

/**
 * Prints what there is, and gives the exit code 0.
 *
 * @category effects
 * @since 0.1.0
 */
export const listEstimators = (): number => {
  process.stdout.write(`${Help.help()}\n\n${closing}\n`)
  return 0
}

const closing = [
  `--estimator takes a name, a name with options such as ${showOptions('rlr', { h: 3, radius: 0.1 })}, or a JSON file.`,
  `Where neither it nor the task says otherwise, finetune has ${Object.entries(Config.usual)
    .map(([key, value]) => `${key} = ${value}`)
    .join(' and ')}.`
].join('\n')
