// the example
import { Ledger, rlr } from 'halforder/estimator'
import * as E from 'fp-ts/lib/Either.js'

const ledger = E.map(Ledger.ledger)(rlr({ T: 50, h: 2 }))
// until here
export const made: unknown = ledger
