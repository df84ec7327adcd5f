/**
 * What an estimator computes and what it is unbiased for, in words and in LaTeX.
 *
 * @since 0.1.0
 */
import type { Cell, Cover } from '../Cover.js'
import * as C from '../Cover.js'
import { cost } from './Cost.js'
import { unpaid, type Estimator } from '../Estimator.js'
import { ofEstimator, termsOf } from '../Objective.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An explanation: one for people, one for a paper. `latex` is the body of a display formula.
 *
 * @category model
 * @since 0.1.0
 */
export interface Explanation {
  readonly text: string
  readonly latex: string
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * Explains an estimator: its formula, what it is unbiased for, its bias where it is partial, and what it costs a sample.
 * A mixture is shown by its first cover.
 *
 * @category readings
 * @since 0.1.0
 */
export const explain = (estimator: Estimator): Explanation => {
  const [{ cover }] = estimator.covers
  const many = estimator.covers.length
  const missing = [...unpaid(estimator)]
  const { rollouts, networkEvaluations, pullbackSteps } = cost(estimator)
  const bias =
    missing.length === 0
      ? claim(estimator)
      : `biased: the terms of steps ${C.showSteps(missing.map(([t]) => t))} of the gradient are not paid in full, and the bias is minus the sum of what is missing`
  return {
    text: [
      `${estimator.name}, T = ${estimator.T}`,
      `  cover      ${C.show(cover)}${many > 1 ? `, and ${many - 1} others drawn at random` : ''}`,
      ...cover.cells.slice(0, shown).map((cell) => `  ${C.showCell(cell)} = ${term(cell).text}`),
      ...(cover.cells.length > shown ? [`  and ${cover.cells.length - shown} more alike`] : []),
      `  ${bias}`,
      `  a sample costs ${round(rollouts)} rollout${round(rollouts) === '1' ? '' : 's'}, ${round(networkEvaluations)} network evaluations, ${round(pullbackSteps)} steps pulled back`
    ].join('\n'),
    latex: formula(cover)
  }
}

const smoothed = 'J with the parameters of the zeroth-order steps smoothed'

/** What the terms are terms of, in the cover that is shown. */
const claim = (estimator: Estimator): string => {
  const target = ofEstimator(estimator)
  if (target === 'J') return 'unbiased for the gradient of J'
  if (target === 'J_s') return `unbiased for the gradient of J_s (${smoothed})`
  const { J, J_s } = termsOf(estimator.covers[0].cover)
  const parts = [
    ...(J.length === 0 ? [] : [`for J at steps ${C.showSteps(J)}`]),
    ...(J_s.length === 0 ? [] : [`for J_s (${smoothed}) at steps ${C.showSteps(J_s)}`])
  ]
  return `unbiased, term by term: ${parts.join(', ')}; the sum is within O(s^2) of either gradient`
}

/** Longer covers repeat themselves. */
const shown = 6

const round = (x: number): string => String(Math.round(x * 100) / 100)

const formula = (cover: Cover): string => `\\hat g = ${cover.cells.map((cell) => term(cell).latex).join(' + ') || '0'}`

const term = (cell: Cell): Explanation => {
  switch (cell._tag) {
    case 'FirstOrder':
      return {
        text: `D phi(1:${cell.to})^T grad R(x_0)`,
        latex: `D_\\theta \\varphi_{1:${cell.to}}^\\top \\nabla R(x_0)`
      }
    case 'HalfOrder':
      return {
        text: `A D phi(${cell.from}:${cell.to})^T eps_${cell.from} / sigma_${cell.from}`,
        latex: `A \\, D_\\theta \\varphi_{${cell.from}:${cell.to}}^\\top \\varepsilon_{${cell.from}} / \\sigma_{${cell.from}}`
      }
    case 'ZerothOrder': {
      const direction = cell.perturbation === 'shared' ? 'xi' : '(sum over i of xi_i)'
      const sum =
        cell.perturbation === 'shared' ? '\\xi' : `\\textstyle\\sum_{i \\in \\{${C.showSteps(cell.steps)}\\}} \\xi_i`
      switch (cell.form) {
        case 'onePoint':
          return { text: `A(theta + s xi) ${direction} / s`, latex: `\\frac{A(\\theta + s \\xi)}{s} ${sum}` }
        case 'forward':
          return {
            text: `(R(theta + s xi) - R(theta)) ${direction} / s`,
            latex: `\\frac{R(\\theta + s \\xi) - R(\\theta)}{s} ${sum}`
          }
        case 'central':
          return {
            text: `(R(theta + s xi) - R(theta - s xi)) ${direction} / (2 s)`,
            latex: `\\frac{R(\\theta + s \\xi) - R(\\theta - s \\xi)}{2 s} ${sum}`
          }
      }
    }
  }
}
