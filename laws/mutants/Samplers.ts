/**
 * Wrong samplers, each beside the right one: a step of its own process that is off by a factor or lacks a term.
 *
 * @since 0.1.0
 */
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Edm from '../../src/chain/sampler/Edm.js'
import { fromCoefficients, type Coefficients } from '../../src/chain/EpsilonSampler.js'
import * as Flow from '../../src/chain/sampler/Flow.js'
import type { Schedule } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import * as VeSde from '../../src/chain/sampler/VeSde.js'
import * as VpSde from '../../src/chain/sampler/VpSde.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { None } from '../../src/lens/Lens.js'
import * as GM from '../law/GaussianMarginals.js'
import { exactConsistency, exactDenoiser } from '../toy/GaussianData.js'
import type { Verdict } from '../Verdict.js'

/**
 * A wrong sampler with the law that it is put to, on the right one and on itself.
 *
 * @category model
 * @since 0.1.0
 */
export interface WrongSampler {
  readonly name: string
  readonly wrong: string
  readonly law: string
  readonly right: () => Verdict
  readonly mutant: () => Verdict
}

type Table = (schedule: Schedule, t: number) => Coefficients

const data = { mean: 0.75, variance: 0.5 }
const point = { mean: 0.75, variance: 0 }
const map = TimeMap.linear

const chainOf = (
  denoiser: ReturnType<typeof exactDenoiser>,
  schedule: Schedule,
  table: Table
): GM.Affine<None, 1, Rows<1>> => {
  const chain: Chain<None, readonly ['batch', 1], Rows<1>> = fromCoefficients('sampler', denoiser, schedule, (t) =>
    table(schedule, t)
  )
  return GM.sampler(chain)
}

/** The law of order 1 for a table on schedules of any number of steps; `at` as in `GaussianMarginals.Refined`. */
const ordered =
  (schedule: (T: number) => Schedule, at = 0) =>
  (table: Table) =>
  (): Verdict =>
    GM.converges((n) => {
      const one = schedule(n + at)
      return { subject: chainOf(exactDenoiser(data), one, table), closed: GM.ofSchedule(one, data), at }
    }, 1)(64)

/** The law of exact marginals on one point. */
const onPoint = (table: Table) => (): Verdict => {
  const schedule = Edm.schedule(map)(8)
  return GM.exact(chainOf(exactDenoiser(point), schedule, table), GM.ofSchedule(schedule, point))
}

const vp = ordered(VpSde.schedule(map))
const ve = ordered(VeSde.schedule(map), 1)
/** Straight paths up to s = 0.9: beyond it a step must be shorter than `1 - s` before its order can be seen. */
const flow = ordered((n) =>
  TimeMap.matched(map)(Array.from({ length: n }, (_, i) => TimeMap.flow.share((0.9 * (i + 1)) / n)))
)
const sde: Table = (schedule, t) => Flow.coefficients(schedule, 0.7, t)
const ode: Table = (schedule, t) => Flow.coefficients(schedule, 0, t)
const ancestral: Table = (schedule, t) => Edm.coefficients(schedule, 1, t)

const order = 'GaussianMarginals.converges'
const exact = 'GaussianMarginals.exact'

const consistency = (denoiser: ReturnType<typeof exactDenoiser>) => (): Verdict => {
  const schedule = Flow.schedule(map)(4)
  return GM.exact(chainOf(denoiser, schedule, Consistency.coefficients), GM.ofSchedule(schedule, data))
}

/**
 * Every wrong sampler.
 *
 * @category samplers
 * @since 0.1.0
 */
export const samplers: ReadonlyArray<WrongSampler> = [
  {
    name: 'whole drift',
    wrong: 'a reverse VP SDE whose drift is x in place of x / 2',
    law: order,
    right: vp(VpSde.coefficients),
    mutant: vp((schedule, t) => {
      const { state, ...rest } = VpSde.coefficients(schedule, t)
      return { state: 2 * state - 1, ...rest }
    })
  },
  {
    name: 'half the score',
    wrong: 'a reverse VE SDE with half the score, which is right for its ODE',
    law: order,
    right: ve(VeSde.coefficients),
    mutant: ve((schedule, t) => {
      const { epsilon, ...rest } = VeSde.coefficients(schedule, t)
      return { epsilon: epsilon / 2, ...rest }
    })
  },
  {
    name: 'unpaid noise',
    wrong: 'a flow SDE that is the ODE with noise: the score term is left out',
    law: order,
    right: flow(sde),
    mutant: flow((schedule, t) => ({ ...sde(schedule, t), epsilon: ode(schedule, t).epsilon }))
  },
  {
    name: 'g^2 for g^2 / 2',
    wrong: 'a flow SDE with twice the score term',
    law: order,
    right: flow(sde),
    mutant: flow((schedule, t) => {
      const full = sde(schedule, t)
      return { ...full, epsilon: 2 * full.epsilon - ode(schedule, t).epsilon }
    })
  },
  {
    name: 'sigma_down forgotten',
    wrong: 'an ancestral step that goes to the next level itself, and then adds noise',
    law: exact,
    right: onPoint(ancestral),
    mutant: onPoint((schedule, t) => ({ ...ancestral(schedule, t), epsilon: Edm.coefficients(schedule, 0, t).epsilon }))
  },
  {
    name: 'mean for path',
    wrong: 'consistency sampling with a posterior mean for the consistency function',
    law: exact,
    right: consistency(exactConsistency(data)),
    mutant: consistency(exactDenoiser(data))
  }
]
