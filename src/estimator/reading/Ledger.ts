/**
 * The ledger of an estimator: what it pays of each step's term in expectation, by which means, and what of.
 *
 * An estimator is unbiased because every step is paid for once on average. What a method does besides that (averages a density,
 * divides advantages, clips ratios) is no matter of steps, and is named as a departure.
 *
 * @since 0.1.0
 */
import type { Cell, Cover } from '../Cover.js'
import * as C from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import { termsOf, type Objective } from '../Objective.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is paid of a step's term, in expectation over the covers: in all, and by cells of each order. `of` is what the paid parts
 * are terms of; nothing where none is paid.
 *
 * @category model
 * @since 0.1.0
 */
export interface Entry {
  readonly step: number
  readonly paid: number
  readonly first: number
  readonly half: number
  readonly zeroth: number
  readonly of: Objective | undefined
}

/**
 * What a method does that is no matter of which step is paid.
 *
 * - `MeanDensity`: log-densities are means over the state's `elements`, not their sum: half-order terms count `1 / elements`.
 * - `AveragedSteps`: terms are averaged over so many `steps`, not added up: all terms count `1 / steps`.
 * - `OwnBaseline`: the baseline of a sample has the sample's own reward in it: half-order terms count `1 - 1 / group`.
 * - `Normalised`: advantages are divided by a standard deviation of the samples that they come from.
 * - `ClippedRatio`: a sample counts no more once the ratio of densities leaves `1 - low .. 1 + high`; it is on the policy of the
 *   first inner step only.
 * - `ReusedSamples`: so many `updates` are made from the samples of a step: all but the first are of other parameters than drew them,
 *   and the ratio of a step stands in for that of a trajectory.
 * - `PartOfPenalty`: of a penalty on the way, likelihood-ratio terms take its own gradient alone (`loss`), so that what it costs to reach
 *   the states where it is large is left out; or its place in returns alone (`reward`), so that its own gradient is.
 * - `ClippedAdvantage`: advantages are held within `-limit .. limit`.
 * - `ClippedGradient`: a gradient that is longer than `norm` is shortened to it, so that large ones count less.
 * - `StepwiseUpdates`: the optimizer moves between terms of one gradient, so that later terms are of other parameters than the
 *   samples were drawn with.
 * - `StoppedState`: the cotangent of a step's state is dropped, so that a step's term misses what the network would send on.
 *
 * @category model
 * @since 0.1.0
 */
export type Departure =
  | { readonly _tag: 'MeanDensity'; readonly elements: number }
  | { readonly _tag: 'AveragedSteps'; readonly steps: number }
  | { readonly _tag: 'OwnBaseline'; readonly group: number }
  | { readonly _tag: 'Normalised'; readonly over: 'batch' | 'group' }
  | { readonly _tag: 'ClippedRatio'; readonly low: number; readonly high: number }
  | { readonly _tag: 'ReusedSamples'; readonly updates: number }
  | { readonly _tag: 'PartOfPenalty'; readonly as: 'loss' | 'reward' }
  | { readonly _tag: 'ClippedAdvantage'; readonly limit: number }
  | { readonly _tag: 'ClippedGradient'; readonly norm: number }
  | { readonly _tag: 'StepwiseUpdates' }
  | { readonly _tag: 'StoppedState' }

/**
 * A ledger: an entry a step, from 1 up, and the departures.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ledger {
  readonly name: string
  readonly T: number
  readonly entries: ReadonlyArray<Entry>
  readonly departures: ReadonlyArray<Departure>
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** How a departure scales terms, those of likelihood ratios or all: known factors, which are part of the entries. */
const factorOf = (one: Departure): { readonly half: number; readonly all: number } => {
  switch (one._tag) {
    case 'MeanDensity':
      return { half: 1 / one.elements, all: 1 }
    case 'OwnBaseline':
      return { half: 1 - 1 / one.group, all: 1 }
    case 'AveragedSteps':
      return { half: 1, all: 1 / one.steps }
    default:
      return { half: 1, all: 1 }
  }
}

/** Is all that a departure does a factor? */
const isFactor = ({ _tag }: Departure): boolean =>
  _tag === 'MeanDensity' || _tag === 'OwnBaseline' || _tag === 'AveragedSteps'

/**
 * The ledger of an estimator, of a method that departs from it as is said.
 *
 * @example
 * import { Ledger, rlr } from 'halforder/estimator'
 * import * as E from 'fp-ts/lib/Either.js'
 *
 * const ledger = E.map(Ledger.ledger)(rlr({ T: 50, h: 2 }))
 *
 * @category readings
 * @since 0.1.0
 */
export const ledger = (estimator: Estimator, departures: ReadonlyArray<Departure> = []): Ledger => {
  const factors = departures.map(factorOf)
  const all = factors.reduce((n, one) => n * one.all, 1)
  const factor = factors.reduce((n, one) => n * one.half, all)
  const parts = new Map<Cell['_tag'], ReadonlyArray<number>>()
  const targets: Array<Set<Objective>> = C.range(1, estimator.T).map(() => new Set())
  for (const { weight, cover } of estimator.covers) {
    for (const cell of cover.cells) {
      const scale = weight * (cell._tag === 'HalfOrder' ? factor : all)
      const before = parts.get(cell._tag)
      const added = C.range(1, estimator.T).map((t) => (before?.[t - 1] ?? 0) + scale * C.share(cell, t))
      parts.set(cell._tag, added)
    }
    noteTargets(cover, targets)
  }
  const of = (tag: Cell['_tag'], t: number): number => parts.get(tag)?.[t - 1] ?? 0
  return {
    name: estimator.name,
    T: estimator.T,
    departures,
    entries: C.range(1, estimator.T).map((step, i) => {
      const [first, half, zeroth] = [of('FirstOrder', step), of('HalfOrder', step), of('ZerothOrder', step)]
      return { step, paid: first + half + zeroth, first, half, zeroth, of: joined(targets[i] ?? new Set()) }
    })
  }
}

const noteTargets = (cover: Cover, targets: ReadonlyArray<Set<Objective>>): void => {
  const { J, J_s } = termsOf(cover)
  for (const t of J) targets[t - 1]?.add('J')
  for (const t of J_s) targets[t - 1]?.add('J_s')
}

const joined = (all: ReadonlySet<Objective>): Objective | undefined => {
  const [only] = all
  return all.size > 1 ? 'J and J_s' : only
}

/** Amounts that are equal but for rounding. */
const same = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9

/**
 * Is every step paid for once, and nothing else done?
 *
 * @category readings
 * @since 0.1.0
 */
export const isExact = ({ entries, departures }: Ledger): boolean =>
  departures.every(isFactor) && entries.every(({ paid }) => same(paid, 1))

/**
 * The factor by which a gradient is off where it is off by nothing else: every step is paid alike, though not once. A learning rate
 * makes up for it.
 *
 * @category readings
 * @since 0.1.0
 */
export const scaleOf = ({ entries }: Ledger): number | undefined => {
  const [first] = entries
  return first !== undefined && first.paid > 0 && entries.every(({ paid }) => same(paid / first.paid, 1))
    ? first.paid
    : undefined
}

/**
 * A departure for a person: what is done, and what it does.
 *
 * @category readings
 * @since 0.1.0
 */
export const showDeparture = (departure: Departure): string => {
  switch (departure._tag) {
    case 'MeanDensity':
      return `log-densities are means over ${departure.elements} elements: half-order terms count 1/${departure.elements}`
    case 'AveragedSteps':
      return `terms are averaged over ${departure.steps} steps: all count 1/${departure.steps}`
    case 'OwnBaseline':
      return `the baseline has the sample's own reward in it: half-order terms count ${departure.group - 1}/${departure.group}`
    case 'Normalised':
      return `advantages are divided by the deviation of their ${departure.over}: the divisor depends on the noise, and prompts count alike`
    case 'ClippedRatio':
      return `the ratio of densities is clipped to ${within(1 - departure.low)}..${within(1 + departure.high)}: samples beyond it count no more`
    case 'ReusedSamples':
      return `${departure.updates} updates from the samples of a step: later ones are of other parameters, by ratios of steps`
    case 'PartOfPenalty':
      return departure.as === 'loss'
        ? 'the penalty is a loss at the states that were drawn: what it costs to come there is left out'
        : 'the penalty is a reward: its own gradient at each step is left out'
    case 'ClippedAdvantage':
      return `advantages are held within -${departure.limit}..${departure.limit}`
    case 'ClippedGradient':
      return `gradients longer than ${departure.norm} are shortened to it: large ones count less`
    case 'StepwiseUpdates':
      return 'the optimizer moves between terms of one gradient: later ones are of other parameters than were sampled with'
    case 'StoppedState':
      return "cotangents of the network's input are dropped: terms miss what the network sends on through the state"
  }
}

/** Bounds that may be very near to 1. */
const within = (x: number): string => String(Number(x.toPrecision(8)))

const shown = (x: number): string =>
  x === 0 ? '-' : x < 1e-3 ? Number(x.toPrecision(3)).toExponential() : String(Number(x.toPrecision(3)))

/** Steps next to each other whose entries are alike but for the step. */
const runs = (entries: ReadonlyArray<Entry>): ReadonlyArray<readonly [from: Entry, to: Entry]> => {
  const all: Array<[Entry, Entry]> = []
  for (const entry of entries) {
    const last = all.at(-1)
    const alike =
      last !== undefined &&
      last[1].of === entry.of &&
      (['paid', 'first', 'half', 'zeroth'] as const).every((key) => same(last[1][key], entry[key]))
    if (alike) last[1] = entry
    else all.push([entry, entry])
  }
  return all
}

/**
 * A ledger as a table for a person, steps that are alike in one line, and what it comes to.
 *
 * @category readings
 * @since 0.1.0
 */
export const show = (self: Ledger): string => {
  const line = (cells: ReadonlyArray<string>): string =>
    `  ${cells.map((cell, i) => cell.padEnd([10, 9, 9, 9, 9][i] ?? 0)).join('')}`.trimEnd()
  const rows = runs(self.entries).map(([from, to]) =>
    line([
      from.step === to.step ? `${from.step}` : `${from.step}..${to.step}`,
      ...[from.paid, from.first, from.half, from.zeroth].map(shown),
      from.of ?? 'nothing'
    ])
  )
  return [
    `${self.name}, T = ${self.T}`,
    line(['step', 'paid', 'first', 'half', 'zeroth', 'of']),
    ...rows,
    ...self.departures.map((one) => `  departs: ${showDeparture(one)}`),
    `  ${verdict(self)}`
  ].join('\n')
}

const verdict = (self: Ledger): string => {
  const targets = new Set(self.entries.map(({ of }) => of))
  const [of] = targets
  const target = targets.size === 1 && of !== undefined ? of : 'J and J_s'
  const what = target === 'J and J_s' ? 'unbiased, term by term' : `unbiased for the gradient of ${target}`
  if (isExact(self)) return `every step is paid once: ${what}`
  const factor = scaleOf(self)
  const other = self.departures.filter((one) => !isFactor(one)).length
  const also = other === 0 ? '' : ', and by its departures'
  if (factor === undefined) {
    const unpaid = self.entries.filter(({ paid }) => !same(paid, 1)).map(({ step }) => step)
    return `biased by what is missing or too much of step${unpaid.length === 1 ? '' : 's'} ${C.showSteps(unpaid)}${also}`
  }
  if (same(factor, 1)) return 'every step is paid once; biased by its departures'
  return `every step is paid ${shown(factor)} times: the gradient, ${shown(factor)} times as long${also === '' ? '' : `; biased${also.replace(', and', '')}`}`
}
