/**
 * What a visitor of the page of points has chosen: data, a reward, and estimators beside each other. The address says it.
 */
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Labelled } from 'halforder/training/Batches'
import { choiceOf, type Choice } from '../Means.js'
import { distributions, draw, type Pair } from '../../../cli/tasks/points/Points.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** A fine-tune beside others: its estimator as text, and the price of leaving the base model. */
export interface Lane {
  readonly estimator: string
  readonly kl: number
}

/**
 * - `data`: the name of a distribution, or `drawn`, which is along `stroke`.
 * - `pretraining`: steps of it; 0 takes the weights that come with the page, where there are some. `reward`: as the shelf of the task `points` reads it.
 * - `rate`: the learning rate of fine-tunes, whose noise is all from `seed`. `mode`: what runs the kernels.
 */
export interface Design {
  readonly data: string
  readonly stroke: ReadonlyArray<Pair>
  readonly pretraining: number
  readonly reward: string
  readonly rate: number
  readonly seed: number
  readonly lanes: ReadonlyArray<Lane>
  readonly mode: Choice
}

/** What a visitor finds: truncated backpropagation, RLR and half-order segments, at the same price for leaving the base. */
export const initial: Design = {
  data: 'eight-gaussians',
  stroke: [],
  pretraining: 0,
  reward: 'near:1.4,0',
  rate: 0.003,
  seed: 1,
  lanes: [
    { estimator: 'truncatedBackprop(k = 1)', kl: 0.5 },
    { estimator: 'rlr(h = 2)', kl: 0.5 },
    { estimator: 'segmented(h = 3)', kl: 0.5 }
  ],
  mode: 'automatic'
}

/** The chain's steps, rows of a training step and of a fine-tune's, and how many points are shown. */
export const T = 20
export const rows = { pretrain: 128, finetune: 128, shown: 320 } as const

/** Half the width of the square that is shown. */
export const reach = 2.4

/** Estimators that a lane offers. */
export const estimators: ReadonlyArray<readonly [text: string, name: string]> = [
  ['truncatedBackprop(k = 1)', 'Truncated backpropagation, last step'],
  ['fullBackprop', 'Full backpropagation'],
  ['rlr(h = 2)', 'RLR, h = 2'],
  ['segmented(h = 3)', 'Half-order segments'],
  ['reinforce', 'REINFORCE'],
  ['evolutionStrategies', 'Evolution strategies']
]

// -------------------------------------------------------------------------------------
// data
// -------------------------------------------------------------------------------------

/** Steps of pretraining where a design asks for none and no weights come with the page. */
export const usualPretraining = 1500

/** The names of the data that can be chosen. */
export const dataNames: ReadonlyArray<string> = [...Object.keys(distributions), 'drawn']

/** How far drawn points are off the stroke. */
const spread = 0.08

/** `n` points of the data from a key, untold what they are. */
export const data = ({ data: name, stroke }: Pick<Design, 'data' | 'stroke'>, key: Key.Key, n: number): Labelled => {
  const known = distributions[name]
  const x0 = known === undefined ? along(stroke, key, n) : draw(known)(key, n).x0
  return { x0, labels: { shape: [n, 1], data: new Float32Array(n) } }
}

const along = (stroke: ReadonlyArray<Pair>, key: Key.Key, n: number): Tensor => {
  const at = Draw.uniform(Key.foldInString(key, 'along'), [n]).data
  const noise = Draw.normal(Key.foldInString(key, 'noise'), [n, 2]).data
  const points = stroke.length === 0 ? [[0, 0] as const] : stroke
  const out = new Float32Array(2 * n)
  for (let i = 0; i < n; i++) {
    const [x, y] = points[Math.floor((at[i] ?? 0) * points.length)] ?? [0, 0]
    out[2 * i] = x + spread * (noise[2 * i] ?? 0)
    out[2 * i + 1] = y + spread * (noise[2 * i + 1] ?? 0)
  }
  return { shape: [n, 2], data: out }
}

// -------------------------------------------------------------------------------------
// addresses
// -------------------------------------------------------------------------------------

const number = (text: string | null, low: number, high: number, otherwise: number): number => {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise
}

const mostLanes = 4
const mostStroke = 200

const pairs = (text: string): ReadonlyArray<Pair> =>
  text
    .split(';')
    .slice(0, mostStroke)
    .flatMap((one) => {
      const [x = Number.NaN, y = Number.NaN] = one.split(',').map(Number)
      return Math.abs(x) <= reach && Math.abs(y) <= reach ? [[x, y] as const] : []
    })

/** The design that the query of an address says; what it does not say, or says wrongly, is as at first. */
export const fromQuery = (query: string): Design => {
  const given = new URLSearchParams(query)
  const lanes = (given.get('lanes') ?? '').split(';').flatMap((text): ReadonlyArray<Lane> => {
    const [, estimator, kl] = /^(.+)@([\d.e-]+)$/.exec(text.trim()) ?? []
    return estimator === undefined ? [] : [{ estimator, kl: number(kl ?? null, 0, 10, 0) }]
  })
  const stroke = pairs(given.get('stroke') ?? '')
  const name = given.get('data') ?? initial.data
  return {
    data: dataNames.includes(name) && (name !== 'drawn' || stroke.length > 0) ? name : initial.data,
    stroke,
    pretraining: Math.round(number(given.get('pretraining'), 0, 10_000, initial.pretraining)),
    reward: given.get('reward') ?? initial.reward,
    rate: number(given.get('rate'), 1e-5, 0.1, initial.rate),
    seed: Math.round(number(given.get('seed'), 0, 1e6, initial.seed)),
    lanes: lanes.length === 0 ? initial.lanes : lanes.slice(0, mostLanes),
    mode: choiceOf(given.get('mode'))
  }
}

/** The query that says a design: what is as at first is left out. */
export const toQuery = (design: Design): string => {
  const query = new URLSearchParams()
  const note = (key: keyof Design, text: string): void => {
    if (JSON.stringify(design[key]) !== JSON.stringify(initial[key])) query.set(key, text)
  }
  note('data', design.data)
  note('stroke', design.data === 'drawn' ? design.stroke.map(([x, y]) => `${x},${y}`).join(';') : '')
  note('pretraining', String(design.pretraining))
  note('reward', design.reward)
  note('rate', String(design.rate))
  note('seed', String(design.seed))
  note('lanes', design.lanes.map(({ estimator, kl }) => `${estimator}@${kl}`).join(';'))
  note('mode', design.mode)
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
