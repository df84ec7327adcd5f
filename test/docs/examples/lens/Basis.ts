// the example
import { make, Lens, type Rows } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

// a gain for each of three numbers
export const gains = make({ gain: Lens.parameter([3], 0, 1) }, ({ gain }, x: Rows<3>) => [
  Expr.mul(x, Expr.broadcastTo(gain, x.shape)),
  (bar: Rows<3>) => [
    { gain: Expr.sumTo(Expr.mul(bar, x), gain.shape) },
    Expr.mul(bar, Expr.broadcastTo(gain, bar.shape))
  ]
])
// until here
export const made: unknown = gains
