/**
 * The chains that `halforder sample` knows by name.
 *
 * @since 0.1.0
 */
import type { Chain } from '../chain/Chain.js'
import { ddim } from '../chain/Ddim.js'
import { ddpm } from '../chain/Ddpm.js'
import type { Denoiser } from '../chain/Denoiser.js'
import type { Schedule } from '../chain/Schedule.js'
import type { Rows } from '../lens/Dense.js'
import type { Params } from '../lens/Lens.js'

/**
 * A chain of rows that is told a code.
 *
 * @category model
 * @since 0.1.0
 */
export type Rolling = Chain<Params, readonly ['batch', number], Rows<number>>

type Make = (denoiser: Denoiser<Params, number, number>, schedule: Schedule) => Rolling

/**
 * By name: `ddim` with the noise of DDPM, `ode` its deterministic limit, `ddpm` with the posterior's variance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chains = {
  ddim: (denoiser, schedule) => ddim({ denoiser, schedule, eta: 1 }),
  ode: (denoiser, schedule) => ddim({ denoiser, schedule, eta: 0 }),
  ddpm: (denoiser, schedule) => ddpm({ denoiser, schedule, variance: 'small' })
} as const satisfies Readonly<Record<string, Make>>

/**
 * The name of a chain.
 *
 * @category model
 * @since 0.1.0
 */
export type ChainName = keyof typeof chains

/**
 * The names of the chains.
 *
 * @category constants
 * @since 0.1.0
 */
export const chainNames: ReadonlyArray<ChainName> = ['ddim', 'ode', 'ddpm']
