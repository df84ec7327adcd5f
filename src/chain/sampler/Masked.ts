/**
 * Masked diffusion over sequences of tokens: the absorbing process that MDLM and SEDD reverse.
 *
 * Forwards, each token turns into the mask on its own and stays one: at step `t` of `T` it is still there with probability
 * `1 - t / T`. Given the clean sequence, what is known at step `t` is known at `t - 1`, and each mask is revealed with probability
 * `((T - t + 1) - (T - t)) / (T - (T - t)) = 1 / t`. A network that predicts the clean token behind each mask, `q(v | x_t)`, gives the
 * reverse step (Sahoo et al., arXiv 2406.07524; Lou, Meng and Ermon, arXiv 2310.16834; Shi et al., arXiv 2406.04329):
 *
 *     a known token stays;    a mask becomes v with probability q(v | x_t) / t, and stays one with probability 1 - 1 / t.
 *
 * Each place is a category, drawn independently of the others given `x_t`, so the step's mean is the logits
 * `log q(v | x_t) - log t` and `log(1 - 1 / t)`; step 1 leaves no mask. Known places have a score of 0.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as L from '../../lens/Lens.js'
import type { Lens, Params } from '../../lens/Lens.js'
import type { Rows } from '../../lens/Rows.js'
import * as X from '../../tensor/Expr.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import { tabulate } from '../../tensor/Tensor.js'
import { categorical, forbidden } from '../Categorical.js'
import { lookup, refused, type Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { refuse, type SamplerRow } from '../SamplerRow.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The masked chain of a network of tokens, whose outputs are logits, in `T` steps. States are rows of one-hot codes of
 * `denoiser.alphabet` categories each, of which the last is the mask, whose logit is not read. `temperature` is sigma at every step, 1
 * by default: below 1 likelier tokens are drawn more often than the network says, and fewer are revealed at once. `x_T` is all masks, so
 * what is drawn for it is not looked at. The clean prediction has the probabilities of the tokens in the places of masks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const masked = <P extends Params, D extends number, K extends number>({
  denoiser,
  T,
  temperature = 1
}: {
  readonly denoiser: Denoiser<P, D, K>
  readonly T: number
  readonly temperature?: number
}): Chain<P, readonly ['batch', D], Rows<K>> => {
  const { features, labels, alphabet = 0 } = denoiser
  const faults = [
    ...Need.whole('masked', 'T', T),
    ...Need.whole('masked', 'alphabet', alphabet, 2),
    ...(alphabet > 0 && features % alphabet === 0
      ? []
      : Need.fault('masked', `features: a multiple of the alphabet, ${alphabet}`, String(features), 'change either')),
    ...(temperature > 0
      ? Need.single('masked', 'temperature', temperature)
      : Need.fault('masked', 'temperature: a number above 0', String(temperature), 'take such a number'))
  ]
  const steps = faults.length === 0 ? T : 1
  const letters = faults.length === 0 ? alphabet : 2
  const network = (t: Scalar): Read<P, D, K> => reading({ denoiser, T: steps, alphabet: letters, t })
  const sigma = [0, ...new Array<number>(steps).fill(temperature)]
  const chain: Chain<P, readonly ['batch', D], Rows<K>> = {
    name: `masked(${steps} steps)`,
    T: steps,
    state: ['batch', features],
    condition: ['batch', labels],
    parameters: denoiser.lens.parameters,
    sigma,
    noise: categorical(letters),
    networkCalls: denoiser.networkCalls,
    mean: (t) => between(network(t), revealing(steps, letters, t), Math.abs(forbidden)),
    clean: (t) => expected(network(t))
  }
  return refused(faults)(chain)
}

// -------------------------------------------------------------------------------------
// steps
// -------------------------------------------------------------------------------------

/** Places and categories of a row. */
type Grid = Expr<readonly ['batch', number, number]>

/** What both readings of a step start from: the state with all places, the log-probabilities of the tokens, and the way back. */
interface Seen<P> {
  readonly state: Grid
  readonly tokens: Grid
  readonly back: (stateBar: Grid, tokensBar: Grid) => readonly [P, Rows<number>, Rows<number>]
}

interface Read<P extends Params, D extends number, K extends number> {
  readonly parameters: L.ParametersFor<P>
  readonly places: number
  readonly alphabet: number
  readonly row: readonly ['batch', D]
  readonly run: (p: P, x: Rows<D>, c: Rows<K>) => Seen<P>
}

const reading = <P extends Params, D extends number, K extends number>({
  denoiser,
  T,
  alphabet,
  t
}: {
  readonly denoiser: Denoiser<P, D, K>
  readonly T: number
  readonly alphabet: number
  readonly t: Scalar
}): Read<P, D, K> => {
  const row = ['batch', denoiser.features] as const
  const places = denoiser.features / alphabet
  const grid = ['batch', places, alphabet] as const
  return {
    parameters: denoiser.lens.parameters,
    places,
    alphabet,
    row,
    run: (p, given, c) => {
      // at step T all is masked, whatever was drawn
      const drawn = lookup([...new Array<number>(T).fill(1), 0], t)
      const blank = lookup([...new Array<number>(T).fill(0), 1], t)
      const masks = X.broadcastTo(maskCode(alphabet), grid)
      const state = X.add(X.weigh(X.reshape(given, grid), drawn), X.mul(masks, blank))
      const time = X.broadcastTo(
        lookup(
          Array.from({ length: T + 1 }, (_, i) => i / T),
          t
        ),
        ['batch', 1]
      )
      const [logits, backNetwork] = denoiser.lens.run(p, { x: X.reshape(state, row), time, c })
      // the mask is no token: its logit is not read
      const scored = X.select(masks, X.scalar(forbidden), X.reshape(logits, grid))
      const largest = X.broadcastTo(X.reshape(X.maximum(scored, [2]), ['batch', places, 1]), grid)
      const shifted = X.sub(scored, largest)
      const tokens = X.sub(shifted, X.log(totals(X.exp(shifted), grid)))
      return {
        state,
        tokens,
        back: (stateBar, tokensBar) => {
          const bar = X.sub(tokensBar, X.mul(X.exp(tokens), totals(tokensBar, grid)))
          const [pBar, input] = backNetwork(X.reshape(X.select(masks, X.scalar(0), bar), row))
          return [pBar, X.weigh(X.add(X.reshape(stateBar, row), input.x), drawn), input.c]
        }
      }
    }
  }
}

/** The sums over categories, spread over them. */
const totals = (x: Grid, grid: readonly ['batch', number, number]): Grid =>
  X.broadcastTo(X.reshape(X.sum(x, [2]), ['batch', grid[1], 1]), grid)

/** The code of a mask: the last of the alphabet. */
const maskCode = (alphabet: number): Expr<readonly [number]> =>
  X.constant(
    tabulate([alphabet], (k) => (k === alphabet - 1 ? 1 : 0)),
    [alphabet]
  )

/** What is added to the log-probabilities of tokens and masks at a masked place: `-log t`, and `log(1 - 1 / t)`. */
const revealing = (T: number, alphabet: number, t: Scalar): Expr<readonly [number]> => {
  const steps = Array.from({ length: T + 1 }, (_, i) => i)
  const token = lookup(
    steps.map((s) => -Math.log(Math.max(s, 1))),
    t
  )
  const mask = lookup(
    steps.map((s) => (s > 1 ? Math.log(1 - 1 / s) : forbidden)),
    t
  )
  const last = maskCode(alphabet)
  return X.select(last, X.broadcastTo(mask, [alphabet]), X.broadcastTo(token, [alphabet]))
}

/**
 * The logits of a step: where a place is masked, those of revealing a token or none; else those that keep what is there. It is linear in
 * how much of a place is mask, so that it is defined between codes too.
 */
const between = <P extends Params, D extends number, K extends number>(
  { parameters, places, alphabet, row, run }: Read<P, D, K>,
  reveal: Expr<readonly [number]>,
  high: number
): Lens<P, { readonly x: Rows<D>; readonly c: Rows<K> }, Rows<D>> => {
  const grid = ['batch', places, alphabet] as const
  return L.make(parameters, (p, { x, c }) => {
    const { state, tokens, back } = run(p, x, c)
    const last = X.broadcastTo(maskCode(alphabet), grid)
    const mask = totals(X.mul(state, last), grid)
    const rest = X.sub(X.fill(grid, 1), mask)
    const revealed = X.add(X.select(last, X.scalar(0), tokens), X.broadcastTo(reveal, grid))
    const staying = X.scale(X.sub(state, X.fill(grid, 1)), high)
    return [
      X.reshape(X.add(X.mul(mask, revealed), X.mul(rest, staying)), row),
      (bar) => {
        const whole = X.reshape(bar, grid)
        const maskBar = totals(X.mul(whole, X.sub(revealed, staying)), grid)
        const stateBar = X.add(X.scale(X.mul(whole, rest), high), X.mul(maskBar, last))
        const [pBar, xBar, cBar] = back(stateBar, X.select(last, X.scalar(0), X.mul(whole, mask)))
        return [pBar, { x: X.retype(xBar, row), c: X.retype(cBar, c.shape) }]
      }
    ]
  })
}

/** The state with the probabilities of the tokens in the places of masks. */
const expected = <P extends Params, D extends number, K extends number>({
  parameters,
  places,
  alphabet,
  row,
  run
}: Read<P, D, K>): Lens<P, { readonly x: Rows<D>; readonly c: Rows<K> }, Rows<D>> => {
  const grid = ['batch', places, alphabet] as const
  return L.make(parameters, (p, { x, c }) => {
    const { state, tokens, back } = run(p, x, c)
    const last = X.broadcastTo(maskCode(alphabet), grid)
    const mask = totals(X.mul(state, last), grid)
    const likely = X.exp(tokens)
    return [
      X.reshape(X.add(X.select(last, X.scalar(0), state), X.mul(mask, likely)), row),
      (bar) => {
        const whole = X.reshape(bar, grid)
        const maskBar = totals(X.mul(whole, likely), grid)
        const stateBar = X.add(X.select(last, X.scalar(0), whole), X.mul(maskBar, last))
        const [pBar, xBar, cBar] = back(stateBar, X.mul(X.mul(whole, mask), likely))
        return [pBar, { x: X.retype(xBar, row), c: X.retype(cBar, c.shape) }]
      }
    ]
  })
}

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `masked` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'masked'> = {
  name: 'masked',
  prose: 'masked diffusion over tokens: each step draws categories, and reveals some more of them',
  build: ({ denoiser }, { T }) =>
    denoiser.alphabet === undefined
      ? refuse('chain.kind', "a model of tokens for 'masked'", 'a model of numbers', "choose 'ddim'")
      : E.right(masked({ denoiser, T }))
}
