/**
 * What multiplies the score of a half-order cell: its return to go, less what the cell looks at, less the advantage's baseline.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { under, type Values } from '../../tensor/Program.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Family } from '../Branches.js'
import type { Cell, HalfOrder, SegmentOptions, ZerothOrder } from '../Cover.js'
import * as C from '../Cover.js'
import { branchName, tangentName, valueName } from '../Plan.js'
import type { EstimatorError, Request } from '../Problem.js'
import { returnOf, type Rolled, type Scored, toGo, withoutRows } from '../Returns.js'
import type { StateValue } from '../StateValue.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Runs a program by its name.
 *
 * @category model
 * @since 0.1.0
 */
export type Run = (name: string, values: Values) => TE.TaskEither<EstimatorError, Values>

/**
 * What the parts of one estimate share. `discrete`: do the chain's steps keep discrete outcomes?
 *
 * @category model
 * @since 0.1.0
 */
export interface Context {
  readonly run: Run
  readonly score: (x0: Tensor) => TE.TaskEither<EstimatorError, Scored>
  readonly request: Request
  readonly inputs: Values
  readonly rewardInputs: Values
  readonly discrete: boolean
}

/**
 * A direction, and the sides of the difference along it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Draw {
  readonly xi: Values
  readonly sides: ReadonlyArray<Rolled>
}

/**
 * What the credit programs read, besides parameters: sides run from step `from`; `families` are
 * the continuations from a state, by the name of the branch, the base rollout first; and a `twin` is the base with the noises of its steps
 * negated.
 *
 * @category model
 * @since 0.1.0
 */
export interface Seen {
  readonly base: Rolled | undefined
  readonly twin: Rolled | undefined
  readonly draws: ReadonlyArray<Draw>
  readonly from: number
  readonly families: ReadonlyMap<string, Family>
}

// -------------------------------------------------------------------------------------
// scores
// -------------------------------------------------------------------------------------

/**
 * What a cell's rows have to tell: their own returns, a list for each sibling, none where the whole ones serve; of a zeroth-order cell
 * the gaps between the sides of each direction. And the gradient of its control.
 *
 * @category model
 * @since 0.1.0
 */
export interface Score {
  readonly returns: ReadonlyArray<ReadonlyArray<number>>
  readonly control: Tensor | undefined
}

/**
 * What a cell's rows have to tell. Of a half-order cell: its return to go, less the value at the state above its noise and that at the
 * state below.
 *
 * @category scores
 * @since 0.1.0
 */
export const scored = (context: Context, cell: Cell, seen: Seen): TE.TaskEither<EstimatorError, Score> => {
  const { base } = seen
  if (cell._tag === 'FirstOrder') return TE.right(nothing)
  if (cell._tag === 'ZerothOrder') {
    return TE.right({ returns: seen.draws.map(({ sides }) => gaps(cell, seen, sides)), control: undefined })
  }
  if (cell.siblings !== undefined) {
    return TE.right({
      returns: familyOf(cell, seen).map(({ rolled }) => toGo(rolled, cell.from)),
      control: undefined
    })
  }
  const plain = cell.baseline === undefined && cell.control === undefined
  if (base === undefined || (plain && base.steps.length === 0)) return TE.right(nothing)
  return pipe(
    TE.Do,
    TE.bind('baseline', () => baselineAt(context, base, cell)),
    TE.bind('control', () => controlAt(context, base, cell)),
    TE.map(({ baseline, control }) => ({
      returns: [toGo(base, cell.from).map((g, n) => g - sound(baseline[n]) - sound(control?.values[n]))],
      control: control?.gradient
    }))
  )
}

const nothing: Score = { returns: [], control: undefined }

/** The differences of returns: what is above the steps that the sides run is the same in both. */
const gaps = (
  { form }: ZerothOrder,
  { base, from }: Seen,
  [plus, minus]: ReadonlyArray<Rolled>
): ReadonlyArray<number> => {
  const high = plus === undefined ? [] : returnOf(plus)
  const other = form === 'forward' ? base : minus
  const low = other === undefined ? [] : toGo(other, from + 1)
  return high.map((h, n) => h - (low[n] ?? 0))
}

/** A cell's siblings, itself among them. */
const familyOf = (cell: HalfOrder, { families: all }: Seen): Family =>
  (all.get(branchName(cell)) ?? []).slice(0, cell.siblings?.count)

/**
 * The advantages of each of a cell's siblings: its return to go, less the mean of the others', less a baseline (`own`). Each is
 * divided by their number, since the estimate is the mean of theirs.
 *
 * @category scores
 * @since 0.1.0
 */
export const amongSiblings = (
  returns: ReadonlyArray<ReadonlyArray<number>>,
  own: (rest: ReadonlyArray<number>) => ReadonlyArray<number>
): ReadonlyArray<ReadonlyArray<number>> => {
  const [first = []] = returns
  // from the first one on, so that equal returns leave nothing
  const above = returns.map((one) => one.map((g, n) => sound(g - (first[n] ?? 0))))
  const totals = first.map((_, n) => above.reduce((sum, one) => sum + (one[n] ?? 0), 0))
  const count = returns.length
  return above.map((one) => own(one.map((g, n) => g - ((totals[n] ?? 0) - g) / (count - 1))).map((a) => a / count))
}

/** A value that is not finite, where rows that are not are skipped, is none: any function of the state will do. */
const sound = (value = 0): number => (Number.isFinite(value) ? value : 0)

const baselineAt = (
  context: Context,
  base: Rolled,
  { baseline, from }: HalfOrder
): TE.TaskEither<EstimatorError, ReadonlyArray<number>> => {
  if (baseline === undefined) return TE.right([])
  return baseline._tag === 'Clean'
    ? base.clean === undefined
      ? TE.left({ _tag: 'NotCompiled', program: 'rollout with clean predictions' })
      : pipe(
          context.score(T.at(from - 1)(base.clean)),
          TE.map(({ rewards }) => rewards)
        )
    : pipe(
        valueAt(context, base, baseline, from),
        TE.map(({ values }) => values)
      )
}

/** A value of a state with the gradient of its weighted sum. */
interface Valued {
  readonly values: ReadonlyArray<number>
  readonly gradient: Tensor | undefined
}

const controlAt = (
  context: Context,
  base: Rolled,
  { control, from }: HalfOrder
): TE.TaskEither<EstimatorError, Valued | undefined> => {
  if (control === undefined) return TE.right(undefined)
  if (context.discrete) return tangentAt(context, base, control, from)
  // below step 1 lies the output, whose clean prediction it is itself
  if (control._tag === 'Clean' && from === 1) return TE.right({ values: base.rewards, gradient: base.x0Bar })
  return valueAt(context, base, control, from - 1)
}

const valueAt = (context: Context, base: Rolled, value: StateValue, t: number): TE.TaskEither<EstimatorError, Valued> =>
  evaluated(context, base, valueName(value), value, t, () => ({}))

/** The control of a step with discrete outcomes, which reads the states on either side of it. */
const tangentAt = (
  context: Context,
  base: Rolled,
  value: StateValue,
  t: number
): TE.TaskEither<EstimatorError, Valued> =>
  evaluated(context, base, tangentName(value), value, t, (trajectory) => ({ below: T.at(t - 1)(trajectory) }))

const evaluated = (
  { run, request, rewardInputs }: Context,
  { trajectory }: Rolled,
  program: string,
  value: StateValue,
  t: number,
  more: (trajectory: Tensor) => Values
): TE.TaskEither<EstimatorError, Valued> =>
  trajectory === undefined
    ? TE.left({ _tag: 'NotCompiled', program })
    : pipe(
        run(program, {
          ...under('params', request.params),
          ...request.condition,
          ...(value._tag === 'Learned' ? under('value', request.learned?.[value.name] ?? {}) : {}),
          ...rewardInputs,
          ...more(trajectory),
          x: T.at(t)(trajectory),
          high: T.scalar(t),
          weights: T.vector(request.weights)
        }),
        TE.map((out) => ({ values: Array.from(out['value']?.data ?? []), gradient: out['xBar'] }))
      )

/**
 * The gradient along the line through two outputs, times their `D` numbers: `D dR dx / |dx|^2`, the mean of which is the gradient
 * where `dx` points everywhere alike. Outputs that are the same tell nothing.
 *
 * @category readings
 * @since 0.1.0
 */
export const secant = (base: Rolled, twin: Rolled, weights: ReadonlyArray<number>): Tensor => {
  const width = T.size(base.x0.shape.slice(1))
  const apart = T.map((x, i) => x - (twin.x0.data[i] ?? 0))(base.x0)
  const factors = weights.map((weight, n) => {
    let square = 0
    for (let i = n * width; i < (n + 1) * width; i++) square += (apart.data[i] ?? 0) ** 2
    const gap = (base.rewards[n] ?? 0) - (twin.rewards[n] ?? 0)
    return square === 0 || weight === 0 ? 0 : (weight * width * gap) / square
  })
  return T.map((x, i) => x * (factors[Math.floor(i / width)] ?? 0))(apart)
}

/**
 * Are a cell's siblings run all at once? They are where they share the segment.
 *
 * @category scores
 * @since 0.1.0
 */
export const together = (cell: HalfOrder): boolean => cell.siblings !== undefined && C.segmentsOf(cell) === 1

/**
 * What a cell's siblings are run with: all at once where they share the segment, else each by itself. `advantages` have the weights of rows.
 *
 * @category scores
 * @since 0.1.0
 */
export const siblingInputs = (
  context: Context,
  cell: HalfOrder,
  seen: Seen,
  skipped: ReadonlySet<number>,
  weights: ReadonlyArray<number>,
  advantages: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<Values> => {
  const { from, to } = cell
  const siblings = familyOf(cell, seen)
  const kept = withoutRows(skipped)
  const segment = ({ rolled, eps }: Family[number]): Values => ({
    ...(rolled.trajectory === undefined ? {} : { x: kept(T.at(to)(rolled.trajectory)) }),
    ...sharesOf(cell),
    eps: T.rows(from - 1, to)(eps),
    ...(context.discrete && rolled.trajectory !== undefined ? { below: kept(T.at(from - 1)(rolled.trajectory)) } : {}),
    high: T.scalar(to)
  })
  if (together(cell)) {
    const [first] = siblings
    return first === undefined
      ? []
      : [
          {
            ...segment(first),
            weights: T.vector(weights),
            // of a step that keeps discrete outcomes, the outcomes
            fresh: T.stack(
              siblings.map(({ eps, rolled }) => T.at(from - 1)(context.discrete ? (rolled.trajectory ?? eps) : eps))
            ),
            advantage: T.matrix(advantages)
          }
        ]
  }
  return siblings.map((one, k) => ({
    ...segment(one),
    weights: T.vector(weights.map((w) => w / siblings.length)),
    advantage: T.vector(advantages[k] ?? [])
  }))
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Values of rows times their weights.
 *
 * @category utils
 * @since 0.1.0
 */
export const weighed = (values: ReadonlyArray<number>, weights: ReadonlyArray<number>): ReadonlyArray<number> =>
  // a weight of 0 is that of a row that is skipped, or asked nothing of
  values.map((a, n) => (weights[n] === 0 ? 0 : a * (weights[n] ?? 0)))

/**
 * The shares of a cell, where it has some, as an input.
 *
 * @category utils
 * @since 0.1.0
 */
export const sharesOf = ({ shares }: SegmentOptions): Values =>
  shares === undefined ? {} : { shares: T.vector(shares) }
