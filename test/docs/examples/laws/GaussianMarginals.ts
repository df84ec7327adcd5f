// the example
import { GaussianData, GaussianMarginals, Run } from 'halforder/laws'
import { consistency, linear } from 'halforder/chain'

const schedule = linear(8)
const data = { mean: 0.5, variance: 0.25 }
const chain = consistency({ denoiser: GaussianData.exactConsistency(data), schedule })
Run.assert(GaussianMarginals.exact(GaussianMarginals.sampler(chain), GaussianMarginals.ofSchedule(schedule, data)))
