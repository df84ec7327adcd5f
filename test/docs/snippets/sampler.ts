import { EpsilonSampler, linear, type Chain, type Denoiser, type Schedule } from 'halforder/chain'
import { GaussianData, GaussianMarginals, Run } from 'halforder/laws'
import type { Lens, Rows } from 'halforder/lens'

/** Predicts the output and goes back to the next level of noise, half of it the predicted noise and half of it new. */
export const halfNew = <P extends Lens.Params, D extends number, K extends number>(
  denoiser: Denoiser.Denoiser<P, D, K>,
  schedule: Schedule.Schedule
): Chain.Chain<P, readonly ['batch', D], Rows<K>> =>
  EpsilonSampler.fromCoefficients('half new', denoiser, schedule, (t) => {
    const a = schedule.alphaBar[t] ?? 1
    const b = schedule.alphaBar[t - 1] ?? 1
    const half = Math.sqrt((1 - b) / 2)
    return { state: Math.sqrt(b / a), epsilon: half - Math.sqrt((b * (1 - a)) / a), sigma: half }
  })

/** Exact for data that is one point: the chain, the schedule, the data. */
export const marginals = (): void => {
  const [schedule, data] = [linear(8), { mean: 0.5, variance: 0 }]
  const chain = halfNew(GaussianData.exactDenoiser(data), schedule)
  Run.assert(GaussianMarginals.exact(GaussianMarginals.sampler(chain), GaussianMarginals.ofSchedule(schedule, data)))
}
