// the example
import { Catalogue, Start } from 'halforder/estimator'

const late = Catalogue.rlr({ T: 50, h: 2, start: Start.interval(2, 10) })
// until here
export const made: unknown = late
