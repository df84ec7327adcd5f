import { blackBox, brightness } from 'halforder/reward'

const alignment = brightness<2>(2)
const aesthetic = brightness<2>(2)
const compressibility = blackBox('size', (x0) => Array.from({ length: x0.shape[0] ?? 0 }, () => 0))

// the example
import { Weighted } from 'halforder/reward'

const both = Weighted.weighted([
  [1, alignment],
  [0.5, aesthetic]
]) // Differentiable
const mixed = Weighted.weighted([
  [1, aesthetic],
  [-0.1, compressibility]
]) // BlackBox
// until here
export const made: unknown = [both, mixed]
