/**
 * What a visitor of the page of faces has chosen. The address says it.
 */

import { choiceOf, type Choice } from '../Means.js'
import * as Taste from './Taste.js'

/**
 * - `prompt`: in the words of the task `faces`; empty: each sample is told nothing. `reward`: as its shelf reads it, where `taught` is
 *   what `choices` between pairs of faces taught, as `Taste.toText` writes them.
 * - `estimator`: as `Named.parse` reads it; `kl`: the price of leaving the base model.
 * - `rate`: the learning rate; `batch`: samples of a step, of which `steps` are made before it rests; `mode`: what runs the kernels. All noise is from `seed`.
 */
export interface Design {
  readonly prompt: string
  readonly reward: string
  readonly choices: string
  readonly estimator: string
  readonly kl: number
  readonly rate: number
  readonly batch: number
  readonly steps: number
  readonly mode: Choice
  readonly seed: number
}

/** What a visitor finds: what `npm start` does. */
export const initial: Design = {
  prompt: '',
  reward: 'glasses',
  choices: '',
  estimator: 'rlr(h = 2, rest = halfOrder)',
  kl: 0.5,
  rate: 0.1,
  batch: 32,
  steps: 20,
  mode: 'automatic',
  seed: 1
}

/** How many faces are shown and judged, in rows of `columns`. */
export const shown = 32
export const columns = 8

/** Estimators that the page offers. */
export const estimators: ReadonlyArray<readonly [text: string, name: string]> = [
  ['rlr(h = 2, rest = halfOrder)', 'RLR, half-order on the rest'],
  ['rlr(h = 2)', 'RLR as in the paper, zeroth-order on the rest'],
  ['truncatedBackprop(k = 1)', 'Truncated backpropagation, last step (biased)'],
  ['reinforce', 'REINFORCE'],
  ['evolutionStrategies', 'Evolution strategies']
]

/** Rewards that the page offers; others can be typed. */
export const rewards = ['glasses', 'smile', 'hat', 'beard', 'hairColor:blue', 'clarity', 'glasses + 0.5 * smile']

const number = (text: string | null, low: number, high: number, otherwise: number): number => {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise
}

/** The design that the query of an address says; what it does not say, or says wrongly, is as at first. */
export const fromQuery = (query: string): Design => {
  const given = new URLSearchParams(query)
  return {
    prompt: given.get('prompt') ?? initial.prompt,
    reward: given.get('reward') ?? initial.reward,
    choices: Taste.toText(Taste.fromText(given.get('choices') ?? '')),
    estimator: given.get('estimator') ?? initial.estimator,
    kl: number(given.get('kl'), 0, 10, initial.kl),
    rate: number(given.get('rate'), 1e-4, 1, initial.rate),
    batch: Math.round(number(given.get('batch'), 4, 128, initial.batch)),
    steps: Math.round(number(given.get('steps'), 1, 1000, initial.steps)),
    mode: choiceOf(given.get('mode')),
    seed: Math.round(number(given.get('seed'), 0, 1e6, initial.seed))
  }
}

/** The query that says a design: what is as at first is left out. */
export const toQuery = (design: Design): string => {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(design)) {
    if (String(value) !== String(initial[key as keyof Design])) query.set(key, String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
