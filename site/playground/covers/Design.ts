/**
 * What a visitor of the page of covers has chosen: a toy chain, an estimator, and others beside it. It is plain data, and the
 * address of the page says it.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { DocumentError } from 'halforder/document/Document'
import { showError as showDocumentError } from 'halforder/document/Document'
import { showError as showBuildError } from 'halforder/estimator/catalogue/Row'
import * as C from 'halforder/estimator/Cover'
import type { Estimator, Weighted } from 'halforder/estimator/Estimator'
import * as Named from 'halforder/estimator/Named'
import { polynomial } from 'halforder/estimator/StateValue'
import { choiceOf, type Choice } from '../Means.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * - `T`, `sigma`: of the tanh chain, `x_{t-1} = 0.9 x_t + a tanh(x_t) + b + sigma eps_t`, with the reward `-(x_0 - 2)^2`.
 * - `beta`: the price of leaving the parameters `(0.2, 0)`.
 * - `estimator`: as `Named.parse` reads it, or `printed(h = 2)`, which is equation (6) as it is printed.
 * - `form`, `perturbation`, `radius`: of all zeroth-order cells.
 * - `baseline`: what half-order cells take off the return: nothing, the expected return, or the reward of the state; `control`: the
 *   reward of the state that their noise has reached, whose gradient is put back in.
 * - `others`: estimators beside it, on the same noise. `seed`: of all noise. `mode`: what runs the kernels.
 */
export interface Design {
  readonly T: number
  readonly sigma: number
  readonly beta: number
  readonly estimator: string
  readonly form: C.Form
  readonly perturbation: C.Perturbation
  readonly radius: number
  readonly baseline: 'none' | 'expected' | 'state'
  readonly control: 'none' | 'state'
  readonly others: ReadonlyArray<string>
  readonly seed: number
  readonly mode: Choice
}

/** What a visitor finds. */
export const initial: Design = {
  T: 10,
  sigma: 0.3,
  beta: 0,
  estimator: 'rlr(h = 2)',
  form: 'central',
  perturbation: 'shared',
  radius: 0.05,
  baseline: 'expected',
  control: 'none',
  others: ['fullBackprop', 'reinforce', 'evolutionStrategies'],
  seed: 0,
  mode: 'automatic'
}

/** The parameters `(a, b)` of the chain, its decay, where the reward is highest, and the reference of `beta`. */
export const theta = [0.3, 0.1] as const
export const alpha = 0.9
export const peak = 2
export const reference = [0.2, 0] as const

/** What can be chosen by one click: a name for people, and what stands for it. */
export const presets: ReadonlyArray<{ readonly text: string; readonly name: string; readonly wrong?: true }> = [
  { text: 'rlr(h = 2)', name: 'RLR, h = 2' },
  { text: 'segmented(h = 3)', name: 'Half-order segments' },
  { text: 'fullBackprop', name: 'Full backpropagation' },
  { text: 'reinforce', name: 'REINFORCE' },
  { text: 'evolutionStrategies', name: 'Evolution strategies' },
  { text: 'geometricHalfOrder(lambda = 0.5)', name: 'Geometric shares' },
  { text: 'truncatedBackprop(k = 3)', name: 'Truncated backpropagation', wrong: true },
  { text: 'printed(h = 2)', name: 'Equation (6) as printed', wrong: true }
]

// -------------------------------------------------------------------------------------
// estimators
// -------------------------------------------------------------------------------------

const facts = (T: number): Parameters<typeof Named.build>[0] => ({
  T,
  noisyFirst: true,
  noisy: C.range(1, T),
  differentiable: true,
  clean: false
})

/**
 * The cells of equation (6) as printed, for a cover of RLR: the zeroth-order set is all steps but `j..j+h`, which keeps step 1 and
 * drops step `j + h`.
 */
const printedCells = (cover: C.Cover): ReadonlyArray<C.Cell> => {
  const half = cover.cells.find((cell) => cell._tag === 'HalfOrder')
  const set = C.range(1, cover.T).filter((t) => half?._tag !== 'HalfOrder' || t < half.from || t > half.to + 1)
  return [...cover.cells.filter(({ _tag }) => _tag !== 'ZerothOrder'), C.zerothOrder(set)]
}

/** The reward of a state, as a polynomial: `-(x - peak)^2`. */
const rewardOfState = polynomial([-(peak ** 2), 2 * peak, -1])

const chosen =
  ({ form, perturbation, radius, baseline, control }: Design) =>
  (cell: C.Cell): C.Cell => {
    switch (cell._tag) {
      case 'FirstOrder':
        return cell
      case 'HalfOrder':
        return {
          ...cell,
          ...(baseline === 'state' ? { baseline: rewardOfState } : {}),
          ...(control === 'state' ? { control: rewardOfState } : {})
        }
      case 'ZerothOrder':
        return C.zerothOrder(cell.steps, { form, perturbation, radius })
    }
  }

const isPrinted = (text: string): boolean => /^\s*printed\b/.test(text)

/** The estimator that a text stands for in a design. Left: what is wrong with it, and what to do. */
export const build =
  (design: Design) =>
  (text: string): E.Either<string, Estimator> =>
    pipe(
      Named.parse(text.replace(/^\s*printed\b/, 'rlr')),
      E.mapLeft((error: DocumentError) => showDocumentError(error)),
      E.flatMap((description) =>
        pipe(
          Named.build(facts(design.T))(description),
          E.mapLeft((error) => showBuildError(error))
        )
      ),
      E.map((estimator): Estimator => {
        const cells = (cover: C.Cover): ReadonlyArray<C.Cell> => (isPrinted(text) ? printedCells(cover) : cover.cells)
        const change = ({ weight, cover }: Weighted): Weighted => ({
          weight,
          cover: {
            ...cover,
            ...(isPrinted(text) ? { _tag: 'partial' as const } : {}),
            cells: cells(cover).map(chosen(design))
          }
        })
        const [first, ...rest] = estimator.covers
        return {
          ...estimator,
          name: text,
          covers: [change(first), ...rest.map(change)],
          ...(isPrinted(text) ? { _tag: 'partial' as const } : {})
        }
      })
    )

// -------------------------------------------------------------------------------------
// cells
// -------------------------------------------------------------------------------------

/** What a step can be painted with. */
export type Brush = 'first' | 'half' | 'zeroth' | 'none'

/**
 * The cover after some steps were painted: `from..to` belong to the brush's cell alone, cells that lose steps in their middle fall
 * in two, and a first-order cell reaches down to step 1.
 */
export const paint = (cells: ReadonlyArray<C.Cell>, brush: Brush, from: number, to: number): ReadonlyArray<C.Cell> => {
  const low = brush === 'first' ? 1 : Math.min(from, to)
  const high = Math.max(from, to)
  const outside = (t: number): boolean => t < low || t > high
  const kept = cells.flatMap((cell): ReadonlyArray<C.Cell> => {
    const own = C.steps(cell).filter(outside)
    switch (cell._tag) {
      case 'ZerothOrder':
        return own.length === 0 ? [] : [{ ...cell, steps: own }]
      case 'FirstOrder': {
        // what is left above a gap has no reward to pull back: it goes to nobody
        const top = own.findIndex((t, i) => t !== i + 1)
        const to_ = top < 0 ? own.length : top
        return to_ === 0 ? [] : [C.firstOrder(to_)]
      }
      case 'HalfOrder':
        return runs(own).map(([a, b]) => C.halfOrder(a, b))
    }
  })
  switch (brush) {
    case 'none':
      return kept
    case 'first':
      return [C.firstOrder(high), ...kept.filter(({ _tag }) => _tag !== 'FirstOrder')]
    case 'half':
      return [...kept, C.halfOrder(low, high)]
    case 'zeroth': {
      const set = kept.flatMap((cell) => (cell._tag === 'ZerothOrder' ? cell.steps : []))
      const steps = [...set, ...C.range(low, high)].sort((a, b) => a - b)
      return [...kept.filter(({ _tag }) => _tag !== 'ZerothOrder'), C.zerothOrder(steps)]
    }
  }
}

const runs = (steps: ReadonlyArray<number>): ReadonlyArray<readonly [number, number]> => {
  const all: Array<[number, number]> = []
  for (const t of steps) {
    const last = all.at(-1)
    if (last !== undefined && last[1] === t - 1) last[1] = t
    else all.push([t, t])
  }
  return all
}

/** Cells as the text of an estimator. */
export const textOf = (cells: ReadonlyArray<C.Cell>): string => {
  const documents = cells.map((cell) => {
    switch (cell._tag) {
      case 'FirstOrder':
        return { kind: 'firstOrder', to: cell.to, ...shares(cell) }
      case 'HalfOrder':
        return { kind: 'halfOrder', from: cell.from, to: cell.to, ...shares(cell) }
      case 'ZerothOrder':
        return { kind: 'zerothOrder', steps: cell.steps }
    }
  })
  return `cells(cells = ${JSON.stringify(documents)})`
}

const shares = ({ shares: own }: C.SegmentOptions): { readonly shares?: ReadonlyArray<number> } =>
  own === undefined ? {} : { shares: own }

// -------------------------------------------------------------------------------------
// addresses
// -------------------------------------------------------------------------------------

const within = (text: string | null, low: number, high: number, otherwise: number): number => {
  const value = text === null || text.trim() === '' ? Number.NaN : Number(text)
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : otherwise
}

const one = <A extends string>(text: string | null, all: ReadonlyArray<A>, otherwise: A): A =>
  all.find((word) => word === text) ?? otherwise

/** The bounds of the numbers of a design. */
export const bounds = { T: [2, 24], sigma: [0.05, 1], beta: [0, 2], radius: [0.001, 1], seed: [0, 1e6] } as const

/** The design that the query of an address says; what it does not say, or says wrongly, is as at first. */
export const fromQuery = (query: string): Design => {
  const given = new URLSearchParams(query)
  const others = given.get('others')
  const number = (key: keyof typeof bounds): number =>
    within(given.get(key), bounds[key][0], bounds[key][1], initial[key])
  return {
    T: Math.round(number('T')),
    sigma: number('sigma'),
    beta: number('beta'),
    estimator: given.get('estimator') ?? initial.estimator,
    form: one(given.get('form'), ['central', 'forward', 'onePoint'], initial.form),
    perturbation: one(given.get('perturbation'), ['shared', 'perStep'], initial.perturbation),
    radius: number('radius'),
    baseline: one(given.get('baseline'), ['none', 'expected', 'state'], initial.baseline),
    control: one(given.get('control'), ['none', 'state'], initial.control),
    others:
      others === null
        ? initial.others
        : others
            .split(';')
            .filter((text) => text !== '')
            .slice(0, 6),
    seed: Math.round(number('seed')),
    mode: choiceOf(given.get('mode'))
  }
}

/** The query that says a design: what is as at first is left out. */
export const toQuery = (design: Design): string => {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(design)) {
    const usual: unknown = initial[key as keyof Design]
    if (JSON.stringify(value) !== JSON.stringify(usual))
      query.set(key, Array.isArray(value) ? value.join(';') : String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}
