/**
 * diffusers' Euler schedulers as chains on what a network predicts by itself.
 *
 * @since 0.1.0
 */
import { affine, type AffineStep, straight } from '../../chain/Affine.js'
import type { Own, Options, RowChain } from '../../chain/SamplerRow.js'
import * as Meaning from '../Meaning.js'
import type { FlowScheduler, Scheduler } from './Scheduler.js'

// -------------------------------------------------------------------------------------
// ancestral
// -------------------------------------------------------------------------------------

/** The table at a place between its entries. */
const interpolated = (table: ReadonlyArray<number>, at: number): number => {
  const low = Math.floor(at)
  const [a = 0, b = a] = [table[low], table[low + 1]]
  return a + (b - a) * (at - low)
}

/** What is expected of the output: factors of the state `y = data + sigma noise`, and of what the network says. */
const expected = (
  prediction: Scheduler['prediction'],
  sigma: number
): { readonly state: number; readonly output: number } => {
  switch (prediction) {
    case 'epsilon':
      return { state: 1, output: -sigma }
    case 'clean':
      return { state: 0, output: 1 }
    case 'velocity':
      return { state: 1 / (sigma * sigma + 1), output: -sigma / Math.sqrt(sigma * sigma + 1) }
  }
}

/**
 * `EulerAncestralDiscreteScheduler`: Euler steps of the variance-exploding ODE down past each level, and noise back up to it
 * (Karras et al., arXiv 2206.00364). With `sigma^2 = (1 - a) / a`, a step from `s` to `u` goes to `sqrt(u^2 - r^2)` and adds noise of
 * deviation `r = min(u, eta u sqrt(s^2 - u^2) / s)`. The chain's state is `y / sqrt(sigma^2 + 1)`, which the network reads; the noise that
 * it starts from is taken to the deviation that the scheduler starts at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ancestral = (
  { alphaBar, prediction, spacing, steps }: Scheduler,
  network: Own['network'],
  { T, eta, guidance }: Pick<Options, 'T' | 'eta' | 'guidance'>
): RowChain => {
  const sigmas = alphaBar.map((a) => Math.sqrt((1 - a) / a))
  const visited = steps(T)
  const levels = [0, ...visited.map((step) => interpolated(sigmas, step))]
  const unit = Meaning.unitOf({ alphaBar })
  const wide = (sigma: number): number => Math.sqrt(sigma * sigma + 1)
  const made = visited.map((step, i): AffineStep => {
    const [s, u] = [levels[i + 1] ?? 0, levels[i] ?? 0]
    const up = Math.min(u, (eta * u * Math.sqrt(Math.max(s * s - u * u, 0))) / s)
    const down = Math.sqrt(u * u - up * up)
    const clean = expected(prediction, s)
    const move = (down - s) / s
    // with steps from the last on the scheduler starts at `sigma`, and else at the deviation of the state
    const input = i + 1 === T && spacing !== 'leading' ? s / wide(s) : 1
    const own = wide(s) * input
    return {
      time: step / unit,
      input,
      state: ((1 + (1 - clean.state) * move) * own) / wide(u),
      output: (-clean.output * move) / wide(u),
      sigma: up / wide(u),
      clean: { state: clean.state * own, output: clean.output },
      guidance
    }
  })
  return affine(`euler-ancestral(eta = ${eta})`, network, made)
}

// -------------------------------------------------------------------------------------
// straight paths
// -------------------------------------------------------------------------------------

/**
 * `FlowMatchEulerDiscreteScheduler`: Euler steps of the ODE of straight paths, with `eta` 0; more is noise, as `Affine.straight` adds it.
 * Noises fall evenly from 1 to the least that it was trained at, shifted by `k s / (1 + (k - 1) s)`, and then to 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowEuler = (
  { times, shift }: FlowScheduler,
  network: Own['network'],
  { T, eta, guidance }: Pick<Options, 'T' | 'eta' | 'guidance'>
): RowChain => {
  const shifted = (s: number): number => (shift * s) / (1 + (shift - 1) * s)
  const [least, most] = [shifted(1 / times), shifted(1)]
  const noises = Array.from({ length: T }, (_, i) => shifted(T === 1 ? most : least + ((most - least) * i) / (T - 1)))
  return affine(
    `flow-euler(eta = ${eta})`,
    network,
    straight({ kind: 'flow', noises: [0, ...noises], eta, told: (s) => s, guidance: () => guidance })
  )
}
