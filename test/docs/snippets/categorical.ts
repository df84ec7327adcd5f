import { Categorical, type Chain } from 'halforder/chain'
import { make, Lens } from 'halforder/lens'
import { Expr } from 'halforder/tensor'

type Row = Expr.Expr<readonly ['batch', 3]>
type Letters = Chain.Chain<{ readonly logits: Row }, readonly ['batch', 3], Lens.None>
const parameters = { logits: Lens.parameter(['batch', 3]) }

/** One of three letters, which each step draws again and likes to leave as it is. */
export const letters = (T: number, stay: number): Letters => ({
  name: 'letters',
  T,
  state: ['batch', 3],
  condition: {},
  parameters,
  sigma: [0, ...new Array<number>(T).fill(1)],
  noise: Categorical.categorical(3),
  networkCalls: 1,
  mean: () =>
    make(parameters, ({ logits }, { x, c }) => [
      Expr.add(logits, Expr.scale(x, stay)),
      (bar) => [{ logits: bar }, { x: Expr.scale(bar, stay), c }]
    ])
})
