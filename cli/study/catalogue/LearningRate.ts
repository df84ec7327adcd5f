/**
 * Every method at its own learning rate.
 *
 * @since 0.1.0
 */
import { type Condition, families, type Family, type Finetunes } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

const methods = [C.asPrinted, C.truncated(1), C.randomTruncation, C.reinforce, C.full, C.clean]

/** Half a decade apart: at 0.01 nobody moves in this budget. The other studies have 0.1, the default. */
const rates = [0.03, 0.1, 0.3, 1]

const conditions: ReadonlyArray<Condition> = methods.flatMap(({ name, config }) =>
  rates.map((learningRate) => ({
    name: `${name}, rate ${learningRate}`,
    config: { ...config, optimizer: { learningRate } },
    form: { of: name, at: learningRate }
  }))
)

/**
 * A method with its conditions.
 *
 * @category constants
 * @since 0.1.0
 */
export const atItsRate = ({ name }: Condition): Family =>
  families({ conditions }).find((one) => one.name === name) ?? { name, forms: [] }

/** @category studies @since 0.1.0 */
export const learningRate: Finetunes = {
  _tag: 'Finetunes',
  name: 'learning-rate',
  question:
    'Noisy gradients want small steps, and quiet ones bear large ones: who wins at the same cost when each method has the learning rate that suits it?',
  paper: 'its code has 1e-3 for backpropagation, 3e-4 for scores, 1e-6 for perturbations',
  varied: 'estimator',
  forms: 'learning rate',
  on: {
    faces: Bases.priced(0.1)(Bases.faces),
    // where nothing is paid a large enough rate has the reward by most methods, and much of the diversity goes
    'faces-unpriced': { ...Bases.faces, task: 'faces' },
    points: Bases.points
  },
  conditions,
  against: `${C.asPrinted.name}, rate 0.1`,
  marks: [0.5],
  plots: [
    { x: 'form', y: 'heldOut' },
    { x: 'form', y: 'diversity' }
  ]
}
