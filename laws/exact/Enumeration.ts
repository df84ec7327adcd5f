/**
 * Expectations over chains of tokens by enumeration: of a compiled estimator, whose batch is all trajectories with their
 * probabilities as weights, and of the gradient that it should be, by the values of all states, from the last step up.
 *
 * Neither uses a score: the latter differentiates the transition probabilities themselves.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as E from 'fp-ts/lib/Either.js'
import * as A from '../../src/estimator/Advantage.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import type { Reward } from '../../src/reward/Reward.js'
import type { StateLens } from '../../src/reward/StateLens.js'
import type { StepReward } from '../../src/reward/StepReward.js'
import type { Values } from '../../src/tensor/Program.js'
import * as T from '../../src/tensor/Tensor.js'
import type { None } from '../../src/lens/Lens.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { Linear, Place, Process, TokenToy } from '../toy/Tokens.js'
import { rewardOf, tokenReward } from '../toy/Tokens.js'
import { library } from './Expectation.js'

// -------------------------------------------------------------------------------------
// the process
// -------------------------------------------------------------------------------------

/** A state: a category a place. */
type Tokens = ReadonlyArray<number>

const codes = ({ places, alphabet }: Process, tokens: Tokens): ReadonlyArray<number> =>
  Array.from({ length: places * alphabet }, (_, i) => (tokens[Math.floor(i / alphabet)] === i % alphabet ? 1 : 0))

/** The network's outputs at a state, in plain numbers. */
const outputs = (process: Process, params: Values, t: number, tokens: Tokens): ReadonlyArray<number> => {
  const n = process.places * process.alphabet
  const x = codes(process, tokens)
  const at = (path: string, i: number): number => params[path]?.data[i] ?? 0
  return Array.from({ length: n }, (_, o) =>
    x.reduce((sum, xi, i) => sum + xi * at('w', i * n + o), at('b', o) + (t / process.T) * at('s', o))
  )
}

/** What each place of a state becomes at a step. */
const laws = (process: Process, params: Values, t: number, tokens: Tokens): ReadonlyArray<Place> => {
  const { alphabet, law } = process
  const z = outputs(process, params, t, tokens)
  return tokens.map((token, l) => law(t, token, z.slice(l * alphabet, (l + 1) * alphabet)))
}

/** All states that some places can become, with their probabilities. */
const children = (places: ReadonlyArray<Place>): ReadonlyArray<readonly [Tokens, number]> =>
  places.reduce<ReadonlyArray<readonly [Tokens, number]>>(
    (all, { p }) =>
      all.flatMap(([tokens, mass]) =>
        p.flatMap((pk, k): ReadonlyArray<readonly [Tokens, number]> => (pk > 0 ? [[[...tokens, k], mass * pk]] : []))
      ),
    [[[], 1]]
  )

/**
 * One way through a chain: its states, `x_T` first, and its probability.
 *
 * @category model
 * @since 0.1.0
 */
export interface Path {
  readonly states: ReadonlyArray<Tokens>
  readonly probability: number
}

/**
 * All trajectories of a process at some parameters.
 *
 * @category readings
 * @since 0.1.0
 */
export const paths = (process: Process, params: Values): ReadonlyArray<Path> =>
  Array.from({ length: process.T }, (_, i) => process.T - i).reduce<ReadonlyArray<Path>>(
    (all, t) =>
      all.flatMap(({ states, probability }) =>
        children(laws(process, params, t, states.at(-1) ?? [])).map(([next, mass]) => ({
          states: [...states, next],
          probability: probability * mass
        }))
      ),
    [{ states: [process.start], probability: 1 }]
  )

/**
 * A price on the divergence from the same process with other parameters.
 *
 * @category model
 * @since 0.1.0
 */
export interface Penalty {
  readonly beta: number
  readonly reference: Values
}

/**
 * The expected return and its gradient by parameter path, by the values of all states: exact but for rounding.
 *
 * @category readings
 * @since 0.1.0
 */
export const gradient = (
  { process, params, ...rewarded }: Pick<TokenToy, 'process' | 'params' | 'u' | 'v'>,
  penalty?: Penalty
): { readonly value: number; readonly gradient: Readonly<Record<keyof Linear, Float64Array>> } => {
  const { T: length, alphabet, places } = process
  const n = places * alphabet
  const terminal = rewardOf({ ...rewarded, process })
  // the states that each step can start from, with the probability of being there
  const levels: Array<Map<string, { readonly tokens: Tokens; readonly mass: number }>> = []
  let level = new Map([[process.start.join(), { tokens: process.start, mass: 1 }]])
  for (let t = length; t >= 0; t--) {
    levels[t] = level
    const lower = new Map<string, { readonly tokens: Tokens; readonly mass: number }>()
    if (t > 0) {
      for (const { tokens, mass } of level.values()) {
        for (const [next, share] of children(laws(process, params, t, tokens))) {
          const key = next.join()
          lower.set(key, { tokens: next, mass: (lower.get(key)?.mass ?? 0) + mass * share })
        }
      }
    }
    level = lower
  }
  let values = new Map([...(levels[0] ?? [])].map(([key, { tokens }]) => [key, terminal(tokens)]))
  const total = { w: new Float64Array(n * n), b: new Float64Array(n), s: new Float64Array(n) }
  for (let t = 1; t <= length; t++) {
    const above = new Map<string, number>()
    for (const [key, { tokens, mass }] of levels[t] ?? []) {
      const each = laws(process, params, t, tokens)
      const other = penalty === undefined ? [] : laws(process, penalty.reference, t, tokens)
      const x = codes(process, tokens)
      const zBar = new Float64Array(n)
      let value = 0
      for (const [next, share] of children(each)) {
        const below = values.get(next.join()) ?? 0
        value += share * below
        // the derivative of a product of places, one at a time
        next.forEach((k, l) => {
          const { p = [], slope = [] } = each[l] ?? {}
          for (let j = 0; j < alphabet; j++) {
            const at = l * alphabet + j
            zBar[at] = (zBar[at] ?? 0) + below * (share / (p[k] ?? 1)) * (slope[k]?.[j] ?? 0)
          }
        })
      }
      other.forEach(({ p: q }, l) => {
        const { p = [], slope = [] } = each[l] ?? {}
        p.forEach((pk, k) => {
          if (pk === 0) return
          const log = Math.log(pk / (q[k] ?? 0))
          value -= (penalty?.beta ?? 0) * pk * log
          for (let j = 0; j < alphabet; j++) {
            const at = l * alphabet + j
            zBar[at] = (zBar[at] ?? 0) - (penalty?.beta ?? 0) * (log + 1) * (slope[k]?.[j] ?? 0)
          }
        })
      })
      above.set(key, value)
      for (let o = 0; o < n; o++) {
        const bar = mass * (zBar[o] ?? 0)
        total.b[o] = (total.b[o] ?? 0) + bar
        total.s[o] = (total.s[o] ?? 0) + (t / length) * bar
        for (let i = 0; i < n; i++) total.w[i * n + o] = (total.w[i * n + o] ?? 0) + (x[i] ?? 0) * bar
      }
    }
    values = above
  }
  return { value: [...values.values()][0] ?? Number.NaN, gradient: total }
}

// -------------------------------------------------------------------------------------
// the estimator
// -------------------------------------------------------------------------------------

/** Larger than any difference of logits: the category that has it is drawn. */
const certain = 1e9

/**
 * What an estimator is run with beside the chain and the reward of a toy.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly baseline?: number
  readonly reward?: Reward<None, readonly ['batch', number], Rows<1>>
  readonly steps?: ReadonlyArray<StepReward<Linear, readonly ['batch', number], Rows<1>>>
  readonly values?: ReadonlyMap<string, StateLens<readonly ['batch', number], Rows<1>>>
  readonly learned?: Readonly<Record<string, Values>>
  readonly interpreter?: Interpreter
}

/**
 * The exact expectation of a compiled estimator without zeroth-order cells: the batch has all trajectories, drawn by noise that leaves
 * no choice, and their probabilities for weights. Left: what the interpreter refuses.
 *
 * @category readings
 * @since 0.1.0
 */
export const expectation = (
  toy: TokenToy,
  estimator: Estimator,
  { baseline = 0, reward = tokenReward(toy), steps, values, learned, interpreter = library }: Options = {}
): TE.TaskEither<string, Readonly<Record<string, Float64Array>>> => {
  const { chain, params, process } = toy
  const all = paths(process, params)
  const rows = all.length
  const n = process.places * process.alphabet
  const eps = new Float64Array(process.T * rows * n)
  all.forEach(({ states }, row) => {
    for (let t = 1; t <= process.T; t++) {
      codes(process, states[process.T - t + 1] ?? []).forEach((one, i) => {
        eps[((t - 1) * rows + row) * n + i] = one * certain
      })
    }
  })
  const start = codes(process, process.start)
  const problem = Gradient.problem(chain, reward, rows, {
    advantage: A.constant(baseline),
    ...(steps === undefined ? {} : { steps }),
    ...(values === undefined ? {} : { values })
  })(estimator)
  return pipe(
    TE.fromEither(pipe(interpreter(problem), E.mapLeft(Gradient.showError))),
    TE.flatMap((gradients) =>
      pipe(
        estimator.covers,
        RA.traverse(TE.ApplicativeSeq)(({ cover, weight }) =>
          pipe(
            gradients.run({
              cover,
              params,
              condition: { c: T.fill([rows, 1], 0) },
              xT: T.tabulate([rows, n], (i) => start[i % n] ?? 0),
              eps: { shape: [process.T, rows, n], data: eps },
              xi: {},
              weights: all.map(({ probability }) => probability),
              advantageState: 0,
              ...(learned === undefined ? {} : { learned })
            }),
            TE.bimap(Gradient.showError, ({ gradient: found }) => ({ weight, found }))
          )
        )
      )
    ),
    TE.map((parts) =>
      Object.fromEntries(
        Object.keys(parts[0]?.found ?? {}).map((path) => [
          path,
          Float64Array.from(parts[0]?.found[path]?.data ?? [], (_, i) =>
            parts.reduce((sum, { weight, found }) => sum + weight * (found[path]?.data[i] ?? Number.NaN), 0)
          )
        ])
      )
    )
  )
}
