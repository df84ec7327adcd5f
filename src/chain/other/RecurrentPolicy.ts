/**
 * A recurrent policy on a linear plant: a chain whose state is the policy's memory beside the plant's.
 *
 *     h_{t-1} = tanh(W x_t + V h_t + b) + noise,    x_{t-1} = A x_t + B U h_t + noise
 *
 * The noise is one isotropic draw for both, so it is exploration and process noise at once, and the whole is a Markov chain: what
 * estimators do for diffusion they do for it (recurrent policy gradients: Wierstra et al., Logic Journal of the IGPL 18,
 * 2010).
 *
 * @since 0.1.0
 */
import { tanh } from '../../lens/layer/Activation.js'
import { dense, type Dense } from '../../lens/layer/Dense.js'
import type { Rows } from '../../lens/Rows.js'
import * as L from '../../lens/Lens.js'
import type { None } from '../../lens/Lens.js'
import * as X from '../../tensor/Expr.js'
import type { Chain } from '../Chain.js'
import { acting, type Plant } from './LinearQuadratic.js'
import { normal, type Noise } from '../Noise.js'

/**
 * The parameters: from state and memory to memory, `[n + hidden, hidden]`, and from memory to controls, `[hidden, m]`.
 *
 * @category model
 * @since 0.1.0
 */
export type Policy = { readonly memory: Dense<number, number>; readonly control: Dense<number, number> }

/**
 * The chain: states `[batch, hidden + n]`, the memory first. `sigma` has the deviations of steps `1..T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const recurrentPolicy = (options: {
  readonly plant: Plant
  readonly hidden: number
  readonly sigma: ReadonlyArray<number>
  readonly noise?: Noise
}): Chain<Policy, readonly ['batch', number], None> => {
  const { plant, hidden, sigma, noise = normal } = options
  const n = plant.A.length
  const m = plant.B[0]?.length ?? 0
  const whole = hidden + n
  const drift = acting(plant.A, n)
  const action = acting(plant.B, m)
  const remember = dense<number, number>(whole, hidden)
  const decide = dense<number, number>(hidden, m)
  const bend = tanh<readonly ['batch', number]>()
  const parameters = { memory: remember.parameters, control: decide.parameters }
  const part = (row: Rows<number>, from: number, size: number): Rows<number> => X.slice(row, 1, from, size)
  const joined = (h: Rows<number>, x: Rows<number>): Rows<number> => X.concat([h, x], 1)
  return {
    name: 'recurrent policy',
    T: sigma.length,
    state: ['batch', whole],
    condition: {},
    parameters,
    sigma: [0, ...sigma],
    noise,
    networkCalls: 1,
    mean: () =>
      L.make<Policy, { readonly x: Rows<number>; readonly c: None }, Rows<number>>(parameters, (p, { x, c }) => {
        const [raw, backRemember] = remember.run(p.memory, x)
        const [memory, backBend] = bend.run({}, raw)
        const [u, backDecide] = decide.run(p.control, part(x, 0, hidden))
        const moved = X.add(X.matmul(part(x, hidden, n), drift), X.matmul(u, action))
        return [
          joined(memory, moved),
          (bar) => {
            const plantBar = part(bar, hidden, n)
            const [, rawBar] = backBend(part(bar, 0, hidden))
            const [memoryBar, fromMemory] = backRemember(rawBar)
            const [controlBar, heldBar] = backDecide(X.matmul(plantBar, X.transpose(action)))
            const fromPlant = X.matmul(plantBar, X.transpose(drift))
            return [
              { memory: memoryBar, control: controlBar },
              { x: X.add(fromMemory, joined(heldBar, fromPlant)), c }
            ]
          }
        ]
      })
  }
}
