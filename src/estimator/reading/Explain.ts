/**
 * What an estimator computes and what it is unbiased for, in words and in LaTeX.
 *
 * @since 0.1.0
 */
import type { Carrier, Cell, FirstOrder, HalfOrder, ZerothOrder } from '../Cover.js'
import * as C from '../Cover.js'
import { cost } from './Cost.js'
import { unpaid, type Estimator } from '../Estimator.js'
import { ofEstimator, termsOf } from '../Objective.js'
import type { StateValue } from '../StateValue.js'

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
 * A mixture is shown by its first cover. `steps` are the step rewards of the problem: with some, the return `G` stands where the
 * reward `R` does without, `G_<j` is what of it comes below step `j`, and the objective is written out. `noise` is that of the chain:
 * where it keeps an outcome, scores are of that, `P(x_<j-1>)` being its probability given the step's mean.
 *
 * @category readings
 * @since 0.1.0
 */
export const explain = (estimator: Estimator, steps: ReadonlyArray<Rewarding> = [], noise: Noisy = {}): Explanation => {
  const [{ cover }] = estimator.covers
  const many = estimator.covers.length
  const missing = [...unpaid(estimator)]
  const stepCalls = steps.reduce((total, { networkCalls = 0 }) => total + networkCalls, 0)
  const { rollouts, networkEvaluations, pullbackSteps } = cost(estimator, 1, stepCalls)
  const term = explainCell(steps.length > 0, noise)
  const bias =
    missing.length === 0
      ? claim(estimator)
      : `biased: the terms of steps ${C.showSteps(missing.map(([t]) => t))} of the gradient are not paid in full, and the bias is minus the sum of what is missing${instead(estimator)}`
  return {
    text: [
      `${estimator.name}, T = ${estimator.T}`,
      `  cover      ${C.show(cover)}${many > 1 ? `, and ${many - 1} others drawn at random` : ''}`,
      ...cover.cells.slice(0, shown).map((cell) => `  ${C.showCell(cell)} = ${term(cell).text}`),
      ...(cover.cells.length > shown ? [`  and ${cover.cells.length - shown} more alike`] : []),
      `  ${bias}`,
      ...(steps.length === 0
        ? []
        : [`  J = E[G], G = R(x_0) + the sum over the steps of: ${steps.map(({ name }) => name).join('; ')}`]),
      `  a sample costs ${round(rollouts)} rollout${round(rollouts) === '1' ? '' : 's'}, ${round(networkEvaluations)} network evaluations, ${round(pullbackSteps)} steps pulled back`
    ].join('\n'),
    latex: `\\hat g = ${cover.cells.map((cell) => term(cell).latex).join(' + ') || '0'}`
  }
}

/** What is added in the place of terms. */
const instead = (estimator: Estimator): string => {
  const places = [...new Set(estimator.covers.flatMap(({ cover }) => cover.cells.flatMap(C.replaced)))]
  return places.length === 0 ? '' : `, plus what stands in the place of steps ${C.showSteps(places)}`
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
  const which = estimator.covers.length > 1 ? ' in the cover shown' : ''
  return `unbiased, term by term${which}: ${parts.join(', ')}; the sum is within O(s^2) of either gradient`
}

/** Longer covers repeat themselves. */
const shown = 6

const round = (x: number): string => String(Math.round(x * 100) / 100)

/** What is said of a step reward. */
interface Rewarding {
  readonly name: string
  readonly networkCalls?: number
}

/** What is said of a chain's noise. */
interface Noisy {
  readonly outcome?: object
}

/** The score of step `j`: of its noise, or of the outcome that it made. */
const scoreOf = ({ outcome }: Noisy, j: number): Explanation =>
  outcome === undefined
    ? { text: `eps_${j} / sigma_${j}`, latex: `\\varepsilon_{${j}} / \\sigma_{${j}}` }
    : { text: `grad log P(x_${j - 1})`, latex: `\\nabla_{\\mu_{${j}}} \\log P(x_{${j - 1}})` }

const explainCell =
  (stepped: boolean, noise: Noisy) =>
  (cell: Cell): Explanation => {
    switch (cell._tag) {
      case 'FirstOrder':
        return firstOrder(cell, stepped)
      case 'HalfOrder':
        return halfOrder(cell, stepped, noise)
      case 'ZerothOrder':
        return zerothOrder(cell, stepped ? 'G' : 'R')
    }
  }

const firstOrder = ({ to, through, gradient }: FirstOrder, stepped: boolean): Explanation => {
  const end: Explanation =
    gradient === 'difference'
      ? { text: 'D dR dx / |dx|^2', latex: 'D \\frac{\\Delta R \\, \\Delta x}{|\\Delta x|^2}' }
      : {
          text: stepped && through === undefined ? 'grad G' : 'grad R(x_0)',
          latex: `\\nabla ${stepped && through === undefined ? 'G' : 'R(x_0)'}`
        }
  if (through === undefined) {
    return {
      text: `D phi(1:${to})^T ${end.text}`,
      latex: `D_\\theta \\varphi_{1:${to}}^\\top ${end.latex}`
    }
  }
  const carried: Readonly<Record<Carrier, Explanation>> = {
    sampler: { text: '(D_x mu_s, the network held)^T', latex: '(D_x \\mu_s|_{\\mathrm{held}})^\\top' },
    reference: { text: '(D_x mu_ref,s)^T', latex: '(D_x \\mu^{\\mathrm{ref}}_s)^\\top' },
    identity: { text: '', latex: '' }
  }
  const { text, latex } = carried[through]
  return {
    text: `sum over t <= ${to} of D mu_t^T ${text === '' ? '' : `(product over s < t of ${text}) `}${end.text}`,
    latex: `\\sum_{t \\le ${to}} D_\\theta \\mu_t^\\top ${latex === '' ? '' : `\\prod_{s < t} ${latex} `}${end.latex}`
  }
}

/** A value of the state `x_t`. */
const valueOf = (value: StateValue, t: number): Explanation => {
  switch (value._tag) {
    case 'Clean':
      return { text: `R(x0hat_${t})`, latex: `R(\\hat x_{0|${t}})` }
    case 'Learned':
      return { text: `${value.name}(x_${t})`, latex: `\\mathrm{${value.name}}(x_{${t}})` }
    case 'Polynomial':
      return { text: `P(x_${t})`, latex: `P(x_{${t}})` }
  }
}

const halfOrder = (cell: HalfOrder, stepped: boolean, noise: Noisy): Explanation => {
  const { from, to, baseline, control } = cell
  const [j, m] = [String(from), String(to)]
  if (cell.siblings !== undefined) return siblings(cell, cell.siblings.count, stepped, noise)
  const taken = [
    ...(baseline === undefined ? [] : [valueOf(baseline, from)]),
    ...(control === undefined ? [] : [valueOf(control, from - 1)])
  ]
  const whole: Explanation = stepped ? { text: `G_<${j}`, latex: `G_{<${j}}` } : { text: 'R', latex: 'R' }
  const plain: Explanation = stepped ? { text: `A[G_<${j}]`, latex: `A(G_{<${j}})` } : { text: 'A', latex: 'A' }
  const rest = [whole, ...taken]
  const advantage: Explanation =
    taken.length === 0
      ? plain
      : {
          text: `A[${rest.map(({ text }) => text).join(' - ')}]`,
          latex: `A(${rest.map(({ latex }) => latex).join(' - ')})`
        }
  const score = scoreOf(noise, from)
  const pulled: Explanation = {
    text: `D phi(${j}:${m})^T`,
    latex: `D_\\theta \\varphi_{${j}:${m}}^\\top`
  }
  if (control === undefined) {
    return {
      text: `${advantage.text} ${pulled.text} ${score.text}`,
      latex: `${advantage.latex} \\, ${pulled.latex} ${score.latex}`
    }
  }
  const value = valueOf(control, from - 1)
  return {
    text: `${pulled.text} (${advantage.text} ${score.text} + grad ${value.text})`,
    latex: `${pulled.latex} \\bigl( ${advantage.latex} \\, ${score.latex} + \\nabla ${value.latex} \\bigr)`
  }
}

/** The mean over siblings, whose segment is written for one of them. */
const siblings = (cell: HalfOrder, count: number, stepped: boolean, noise: Noisy): Explanation => {
  const { from: j, to: m } = cell
  const own: Explanation = stepped ? { text: `G_<${j}`, latex: `G_{<${j}}` } : { text: 'R', latex: 'R' }
  const at = C.branchOf(cell)
  const score = scoreOf(noise, j).text
  const scored =
    noise.outcome === undefined
      ? `\\varepsilon_{${j}}^{(k)} / \\sigma_{${j}}`
      : `\\nabla_{\\mu_{${j}}} \\log P(x_{${j - 1}}^{(k)})`
  return {
    text: `mean over ${count} siblings from x_${at}${cell.siblings?.below === 'shared' ? ' with one noise below' : ''} of A[${own.text} - mean of the others' ${own.text}] D phi(${j}:${m})^T ${score}`,
    latex: `\\frac{1}{${count}} \\sum_{k=1}^{${count}} A\\Bigl(${own.latex}^{(k)} - \\tfrac{1}{${count - 1}} \\sum_{l \\ne k} ${own.latex}^{(l)}\\Bigr) \\, D_\\theta \\varphi_{${j}:${m}}^{(k)\\top} ${scored}`
  }
}

const zerothOrder = ({ form, perturbation, steps }: ZerothOrder, R: string): Explanation => {
  const direction = perturbation === 'shared' ? 'xi' : '(sum over i of xi_i)'
  const sum = perturbation === 'shared' ? '\\xi' : `\\textstyle\\sum_{i \\in \\{${C.showSteps(steps)}\\}} \\xi_i`
  switch (form) {
    case 'onePoint':
      return { text: `A(theta + s xi) ${direction} / s`, latex: `\\frac{A(\\theta + s \\xi)}{s} ${sum}` }
    case 'forward':
      return {
        text: `(${R}(theta + s xi) - ${R}(theta)) ${direction} / s`,
        latex: `\\frac{${R}(\\theta + s \\xi) - ${R}(\\theta)}{s} ${sum}`
      }
    case 'central':
      return {
        text: `(${R}(theta + s xi) - ${R}(theta - s xi)) ${direction} / (2 s)`,
        latex: `\\frac{${R}(\\theta + s \\xi) - ${R}(\\theta - s \\xi)}{2 s} ${sum}`
      }
  }
}
