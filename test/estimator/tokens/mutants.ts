/**
 * Wrong chains of tokens, each of which the laws must find out.
 */
import { linear, type Linear, type TokenToy } from '../../../laws/toy/Tokens.js'
import type { Noise, Outcome } from '../../../src/chain/Noise.js'
import type { Looking } from '../../../src/estimator/catalogue/Fields.js'
import * as StateValue from '../../../src/estimator/StateValue.js'
import * as L from '../../../src/lens/Lens.js'
import type { Rows } from '../../../src/lens/Rows.js'
import { softmax } from '../../../src/lens/layer/Normalization.js'
import * as X from '../../../src/tensor/Expr.js'
import type { Expr } from '../../../src/tensor/Expr.js'
import type { Shape } from '../../../src/tensor/Shape.js'
import { tabulate } from '../../../src/tensor/Tensor.js'

interface Mutant {
  readonly of: 'plain' | 'masked'
  readonly mutate: (toy: TokenToy) => TokenToy
  readonly looking?: Looking
}

const withOutcome = (toy: TokenToy, change: (outcome: Outcome) => Partial<Outcome>): TokenToy => {
  const { noise } = toy.chain
  const changed: Noise =
    noise.outcome === undefined ? noise : { ...noise, outcome: { ...noise.outcome, ...change(noise.outcome) } }
  return { ...toy, chain: { ...toy.chain, noise: changed } }
}

/** Numbers times -1 in the columns of one category. */
const flipped = <S extends Shape>(alphabet: number, x: Expr<S>): Expr<S> => {
  const last = x.shape.at(-1)
  const n = typeof last === 'number' ? last : 0
  const signs = X.constant(
    tabulate([n], (i) => (i % alphabet === 0 ? -1 : 1)),
    [n]
  )
  return X.mul(x, X.broadcastTo(signs, x.shape))
}

/** The masked chain whose steps have logits of the network at known places too, as though they were drawn again. */
const allScored = (toy: TokenToy): TokenToy => {
  const { alphabet, places, T } = toy.process
  const { chain } = toy
  const grid = ['batch', places, alphabet] as const
  const last = X.broadcastTo(
    X.constant(
      tabulate([alphabet], (k) => (k === alphabet - 1 ? 1 : 0)),
      [alphabet]
    ),
    grid
  )
  const network = linear(places * alphabet)
  const soft = softmax<typeof grid>()
  return {
    ...toy,
    chain: {
      ...chain,
      mean: (t) =>
        L.make<Linear, { readonly x: Rows<number>; readonly c: Rows<1> }, Rows<number>>(
          chain.parameters,
          (p, { x, c }) => {
            const time = X.broadcastTo(X.scale(t, 1 / T), ['batch', 1])
            const [z, back] = network.run(p, { x, time, c })
            const [q, backSoft] = soft.run({}, X.select(last, X.scalar(-1e4), X.reshape(z, grid)))
            const stay = X.log(X.max(X.sub(X.scalar(1), X.div(X.scalar(1), t)), X.scalar(1e-300)))
            const tokens = X.sub(X.log(X.max(q, X.scalar(1e-300))), X.log(t))
            return [
              X.reshape(X.select(last, stay, tokens), x.shape),
              (bar) => {
                const qBar = X.div(X.reshape(bar, grid), X.max(q, X.scalar(1e-300)))
                const [, zBar] = backSoft(X.select(last, X.scalar(0), qBar))
                const [pBar, { x: xBar }] = back(X.reshape(X.select(last, X.scalar(0), zBar), x.shape))
                return [pBar, { x: xBar, c: X.zeros(c.shape) }]
              }
            ]
          }
        )
    }
  }
}

export const perturbed: Readonly<Record<string, Mutant>> = {
  'a score with the wrong sign for one category': {
    of: 'plain',
    mutate: (toy) =>
      withOutcome(toy, ({ score }) => ({
        score: (location, kept) => flipped(toy.process.alphabet, score(location, kept))
      }))
  },
  'a score without the mean of the codes': {
    of: 'plain',
    mutate: (toy) => withOutcome(toy, () => ({ score: (_, kept) => kept }))
  },
  'a score of the noise at no noise': {
    of: 'plain',
    mutate: (toy) => withOutcome(toy, ({ mean }) => ({ score: (location) => mean(location) }))
  },
  'known places that are scored': { of: 'masked', mutate: allScored },
  'a control whose mean is not put back in': {
    of: 'plain',
    mutate: (toy) => withOutcome(toy, () => ({ pullMean: (_, bar) => X.zeros(bar.shape) })),
    looking: { control: StateValue.polynomial([0, 0, 1]) }
  },
  'a control that is put back in as though its mean were the location': {
    of: 'plain',
    mutate: (toy) => withOutcome(toy, () => ({ pullMean: (_, bar) => bar })),
    looking: { control: StateValue.polynomial([0, 0, 1]) }
  }
}
