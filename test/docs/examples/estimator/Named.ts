// the example
import { Named } from 'halforder/estimator'

const parsed = Named.parse('rlr(h = 3, radius = 0.1)')
// until here
export const made: unknown = parsed
