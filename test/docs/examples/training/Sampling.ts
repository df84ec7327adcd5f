import { ddim, linear } from 'halforder/chain'
import { gpuJs } from 'halforder/kernel'
import { initial } from 'halforder/lens'
import { mlp } from 'halforder/network'
import { key as keyOf } from 'halforder/random'
import { Tensor } from 'halforder/tensor'

const denoiser = mlp({ features: 2, labels: 1, hidden: 4, blocks: 1, embedding: 4, share: 'linear' })
const chain = ddim({ denoiser, schedule: linear(2), eta: 1 })
const parameters = initial(denoiser.lens.parameters, keyOf(0))
const c = Tensor.matrix(Array.from({ length: 256 }, () => [0]))
const key = keyOf(1)
const target = gpuJs()

// the example
import { Sampling } from 'halforder/training'

const samples = Sampling.sample({ chain, parameters, condition: () => ({ c }), count: 256, key }, target)
// until here
export const made: unknown = samples
