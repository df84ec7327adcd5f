/**
 * Windows of noise that move from step to step of a run.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../chain/Chain.js'
import type { Facts } from '../../estimator/catalogue/Row.js'
import type { Estimator } from '../../estimator/Estimator.js'
import { inTurn, ofEstimator, type Sampler } from '../../estimator/Sampler.js'
import type { Params } from '../../lens/Lens.js'
import type { Rows } from '../../lens/Rows.js'
import type { Outputs } from '../../reward/Shelf.js'
import type { Values } from '../../tensor/Program.js'
import { fill, toFloat32 } from '../../tensor/Tensor.js'
import { moves } from '../Chains.js'
import type { Config } from '../Config.js'

/**
 * How many steps a window has that moves.
 *
 * @category readings
 * @since 0.1.0
 */
export const windowOf = ({ chain: { window } }: Config): Pick<Facts, 'window'> =>
  moves(window) ? { window: window.size } : {}

/**
 * Covers at random, or those of a window that moves down.
 *
 * @category readings
 * @since 0.1.0
 */
export const samplerOf = ({ chain: { window } }: Config): ((estimator: Estimator) => Sampler) =>
  moves(window) && window.moves === 'down' ? inTurn(window.every) : ofEstimator

/**
 * All steps have their noise where nothing is drawn: the chain that is measured.
 *
 * @category readings
 * @since 0.1.0
 */
export const allNoisy = ({ T: steps, switched }: Chain<Params, Outputs, Rows<number>>): Values =>
  switched === undefined ? {} : { [switched.path]: toFloat32(fill([steps + 1], 1)) }

/**
 * What belongs to the model.
 *
 * @category readings
 * @since 0.1.0
 */
export const withoutSwitch = ({ switched }: Chain<Params, Outputs, Rows<number>>, params: Values): Values =>
  Object.fromEntries(Object.entries(params).filter(([path]) => path !== switched?.path))
