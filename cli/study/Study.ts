/**
 * What a study is: a question, the conditions that are compared, and what is measured of each, over seeds.
 *
 * @since 0.1.0
 */
import type { Json } from './Line.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Fields of a configuration, or options of a command.
 *
 * @category model
 * @since 0.1.0
 */
export type Group = Readonly<Record<string, Json>>

/**
 * One of the things that are compared: fields of a fine-tune's configuration over those of the study.
 *
 * @category model
 * @since 0.1.0
 */
export interface Condition {
  readonly name: string
  readonly config: Group
  /** Steps of the optimizer, whatever the budget allows: 0 for the base model. */
  readonly steps?: number
  /** Which of several forms of one method this is: what they are forms of, and the number that tells them apart. */
  readonly form?: { readonly of: string; readonly at: number }
}

/**
 * The forms of one method, by the names of their conditions.
 *
 * @category model
 * @since 0.1.0
 */
export interface Family {
  readonly name: string
  readonly forms: ReadonlyArray<string>
}

/**
 * What each run may spend: network evaluations and pullbacks together, of all samples of all its steps; or steps of the optimizer.
 *
 * @category model
 * @since 0.1.0
 */
export type Budget =
  | { readonly _tag: 'Cost'; readonly evaluationsAndPullbacks: number }
  | { readonly _tag: 'Steps'; readonly steps: number }

/**
 * On what a study runs: fields that all its conditions have, and what each run may spend. `quick` is the same small enough for a look
 * at what the study does.
 *
 * @category model
 * @since 0.1.0
 */
export interface Basis {
  /** The task, where the basis is not called by its name. */
  readonly task?: string
  readonly config: Group
  /**
   * What a nat of divergence from the base costs, where all conditions pay for it: they are judged by `objective` then, the reward less
   * that price.
   */
  readonly price?: number
  /** Fields that some conditions have on this basis, by their names, over their own. */
  readonly over?: Readonly<Record<string, Group>>
  readonly budget: Budget
  readonly quick: { readonly config: Group; readonly budget: Budget }
}

/**
 * What is plotted and tabulated of a fine-tune, on held-out samples: see `Line`.
 *
 * @category model
 * @since 0.1.0
 */
export type Quantity = 'reward' | 'heldOut' | 'objective' | 'kl' | 'diversity' | 'frechet'

/**
 * A number that a task tells of its outputs beside any reward (see `Judges`): its name there, what it is called, how it is taken here, and
 * how it is taken where the name is from.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measure {
  readonly name: string
  readonly title: string
  readonly here: string
  readonly elsewhere: string
}

interface Asked {
  readonly name: string
  readonly question: string
  /** What the paper says (arXiv 2502.00639), in a line; undefined where it says nothing. */
  readonly paper: string | undefined
  /** What the conditions are told apart by. */
  readonly varied: string
}

/**
 * Fine-tunes, each measured at shares of its budget. `against` is what differences are taken from. The plots have `y` against
 * `x`: cost is network evaluations and pullbacks, and seconds are those of the processor, of one core, without what is measured.
 *
 * @category model
 * @since 0.1.0
 */
export interface Finetunes extends Asked {
  readonly _tag: 'Finetunes'
  readonly on: Readonly<Record<string, Basis>>
  readonly conditions: ReadonlyArray<Condition>
  readonly against: string
  readonly marks: ReadonlyArray<number>
  readonly plots: ReadonlyArray<Axes>
  /** What tells the forms of a method apart, where conditions are such. */
  readonly forms?: string
  readonly measures?: ReadonlyArray<Measure>
}

/**
 * What a plot of fine-tunes has on its axes: `form` is the number that tells forms of a method apart, one line a method, at the end of the
 * budget.
 *
 * @category model
 * @since 0.1.0
 */
export interface Axes {
  readonly x: 'cost' | 'steps' | 'seconds' | 'form' | Quantity
  readonly y: Quantity
}

/**
 * Estimators that are measured where they stand, without a fine-tune: `halforder compare` with some options for each condition, whose
 * place on the x axis is `at`. `quantity` is the field of its lines that is plotted; `byStep`: the variance of each step instead, of the first condition.
 *
 * @category model
 * @since 0.1.0
 */
export interface Comparisons extends Asked {
  readonly _tag: 'Comparisons'
  readonly on: Readonly<Record<string, Compared>>
  readonly conditions: ReadonlyArray<{ readonly name: string; readonly at: number; readonly options: Options }>
  readonly x: string
  readonly quantities: ReadonlyArray<Compare>
  readonly byStep?: boolean
}

/**
 * Options as they are typed, without their dashes.
 *
 * @category model
 * @since 0.1.0
 */
export type Options = Readonly<Record<string, string>>

/**
 * A number that `compare` says of an estimator.
 *
 * @category model
 * @since 0.1.0
 */
export type Compare = 'varianceTimesCost' | 'variance' | 'tailIndex' | 'slopeRatio'

/**
 * Options that all conditions of a comparison have.
 *
 * @category model
 * @since 0.1.0
 */
export interface Compared {
  readonly options: Options
  readonly quick: Options
}

/**
 * A study.
 *
 * @category model
 * @since 0.1.0
 */
export type Study = Finetunes | Comparisons

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * A cell of the grid: one condition with one seed.
 *
 * @category model
 * @since 0.1.0
 */
export interface Cell {
  readonly condition: string
  readonly seed: number
}

/**
 * The methods of a study that has several forms of each, in the order of their first.
 *
 * @category readings
 * @since 0.1.0
 */
export const families = ({ conditions }: Pick<Finetunes, 'conditions'>): ReadonlyArray<Family> =>
  [...new Set(conditions.flatMap(({ form }) => (form === undefined ? [] : [form.of])))].map((name) => ({
    name,
    forms: conditions.flatMap((one) => (one.form?.of === name ? [one.name] : []))
  }))

/**
 * The cells of a study, condition by condition: the order of its results, whatever order they are found in.
 *
 * @category readings
 * @since 0.1.0
 */
export const cells = ({ conditions }: Study, seeds: number): ReadonlyArray<Cell> =>
  conditions.flatMap(({ name: condition }) => Array.from({ length: seeds }, (_, i) => ({ condition, seed: i + 1 })))

/**
 * Where a cell has its files, below the folder of its study.
 *
 * @category readings
 * @since 0.1.0
 */
export const placeOf = ({ condition, seed }: Cell): string =>
  `${condition
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .toLowerCase()}-seed${seed}`

/**
 * How many steps a run takes: as many as its budget pays for, and at least one.
 *
 * @category readings
 * @since 0.1.0
 */
export const stepsOf = (budget: Budget, { steps }: Condition, costOfStep: number): number => {
  if (steps !== undefined) return steps
  return budget._tag === 'Steps' ? budget.steps : Math.max(1, Math.floor(budget.evaluationsAndPullbacks / costOfStep))
}

/**
 * The steps after which a run is measured: the marks' shares of all, each once, and the last.
 *
 * @category readings
 * @since 0.1.0
 */
export const stepsAt = (marks: ReadonlyArray<number>, steps: number): ReadonlyArray<number> =>
  [...new Set([...marks.map((share) => Math.round(share * steps)), steps])]
    .filter((step) => step > 0 || steps === 0)
    .sort((a, b) => a - b)
