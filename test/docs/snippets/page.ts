import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Noise, type Chain } from 'halforder/chain'
import { compile, Cover, explain, Gradient, problem, reinforce, segmented } from 'halforder/estimator'
import { gpuJs } from 'halforder/kernel'
import { Lens, make } from 'halforder/lens'
import { key } from 'halforder/random'
import { differentiable } from 'halforder/reward'
import { Expr, Tensor } from 'halforder/tensor'
import { request } from 'halforder/training'

const [T, sigma, gain, rows] = [6, 0.5, 0.25, 20_000]
type Row = Expr.Expr<readonly ['batch', 1]>
const parameters = { gain: Lens.parameter(['batch', 1]) }

/** Six steps of feedback: `x_{t-1} = x_t - gain x_t + sigma eps_t`. Change the mean, and its pullback with it. */
const chain: Chain.Chain<{ readonly gain: Row }, readonly ['batch', 1], Lens.None> = {
  name: 'mine',
  T,
  state: ['batch', 1],
  condition: {},
  parameters,
  sigma: [0, ...new Array<number>(T).fill(sigma)],
  noise: Noise.normal,
  networkCalls: 1,
  mean: () =>
    make(parameters, (p, { x, c }) => [
      Expr.sub(x, Expr.mul(p.gain, x)),
      (bar) => [{ gain: Expr.neg(Expr.mul(bar, x)) }, { x: Expr.sub(bar, Expr.mul(p.gain, bar)), c }]
    ])
}

/** The reward `-x_0^2`, and its gradient. */
const reward = differentiable(
  'near 0',
  Lens.pure((x: Row) => [
    Expr.reshape(Expr.neg(Expr.mul(x, x)), ['batch']),
    (bar: Expr.Expr<readonly ['batch']>) => Expr.scale(Expr.mul(Expr.reshape(bar, ['batch', 1]), x), -2)
  ])
)

/** `E x_0^2 = a^2T + sigma^2 (1 + a^2 + ... + a^(2T-2))` with `a = 1 - gain`; J is minus that. */
const exact = Array.from({ length: T }, (_, i) => 2 * i * (1 - gain) ** (2 * i - 1) * sigma ** 2).reduce(
  (sum, term) => sum + term,
  2 * T * (1 - gain) ** (2 * T - 1)
)

/** What the estimators say of themselves, and what they find: the mean of the samples' gradients, with its standard error. */
export const report: TE.TaskEither<string, string> = pipe(
  [segmented({ T, h: 2 }), reinforce(T)],
  TE.traverseSeqArray((made) =>
    pipe(
      made,
      E.mapLeft(Cover.showError),
      E.bindTo('estimator'),
      E.let('posed', ({ estimator }) => problem(chain, reward, rows)(estimator)),
      E.bind('gradients', ({ posed }) => pipe(compile(posed, gpuJs()), E.mapLeft(Gradient.showError))),
      TE.fromEither,
      TE.bind('estimate', ({ posed, gradients }) =>
        pipe(
          gradients.run(request(posed, () => ({}), key(1), { gain: Tensor.vector([gain]) })),
          TE.mapLeft(Gradient.showError)
        )
      ),
      TE.map(({ estimator, estimate }) => {
        const each = Array.from(estimate.gradient['gain']?.data ?? [], (g) => rows * g)
        const mean = each.reduce((sum, g) => sum + g, 0) / rows
        const variance = each.reduce((sum, g) => sum + (g - mean) ** 2, 0) / (rows - 1)
        return `${explain(estimator).text}\n  found      ${mean.toFixed(3)} +- ${Math.sqrt(variance / rows).toFixed(3)}`
      })
    )
  ),
  TE.map((found) => [`The gradient is ${exact.toFixed(3)}.`, ...found].join('\n\n'))
)
