/**
 * What a cover runs: its programs one by one, and what each run takes. Runs of several covers with one key have the same values, on the
 * same draws, and can be one run.
 *
 * @since 0.1.0
 */
import type { Cell, Cover, HalfOrder } from '../../Cover.js'
import * as C from '../../Cover.js'
import { branches, creditName, rollouts, sideName, stepName, tangentName, valueName, values } from '../../Plan.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A run of a program on one row: what it reads by a `key`, the evaluations of the network that it takes, and the pullbacks through it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Run {
  readonly program: string
  readonly key: string
  readonly evaluations: number
  readonly pullbacks: number
}

/**
 * On what covers are run. `networkCalls`: evaluations of the network that a step takes; `stepCalls`: those of its rewards; `lookahead`:
 * a clean prediction is the rest of the chain. `scores`: a score is run once for all advantages, and multiplied (`pilot/Shared`).
 *
 * @category model
 * @since 0.1.0
 */
export interface On {
  readonly networkCalls: number
  readonly stepCalls: number
  readonly lookahead: boolean
  readonly discrete: boolean
  readonly scores: boolean
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** Is the gradient of a cell the score of its segment, times the advantage? */
const isScore = (cell: Cell): cell is HalfOrder =>
  cell._tag === 'HalfOrder' && cell.control === undefined && cell.siblings === undefined

/**
 * The runs of a cover, but for rewards, which evaluate no network. Together they take what `Cost.ofCover` counts.
 *
 * @category readings
 * @since 0.1.0
 */
export const ofCover = (cover: Cover, on: On): ReadonlyArray<Run> => {
  const { base, sides, draws, from, twin } = rollouts(cover)
  const { networkCalls, stepCalls, lookahead } = on
  const each = networkCalls + stepCalls
  const zeroth = C.zerothOrderCell(cover)
  const clean = values(cover).baselines.some(({ _tag }) => _tag === 'Clean')
  // predictions are made of every state of the rollout
  const ahead = lookahead && clean ? (networkCalls * cover.T * (cover.T - 1)) / 2 : 0
  const forward = (program: string, key: string, evaluations: number): Run => ({
    program,
    key: `${program} ${key}`,
    evaluations,
    pullbacks: 0
  })
  const trajectory = `${base} ${zeroth?.form === 'onePoint' ? JSON.stringify(zeroth) : ''}`
  const name = sideName(cover)
  const all = base === undefined ? [] : twin ? ['base', 'twin'] : ['base']
  return [
    ...all.map((which) => forward(base ?? '', `${which} ${trajectory}`, cover.T * each + ahead)),
    ...C.range(1, draws).flatMap((draw) =>
      sides.map((sign) =>
        forward(name, `${draw} ${sign} ${from} ${zeroth?.radius} ${zeroth?.steps.join(',')}`, from * each)
      )
    ),
    ...branches(cover).flatMap(({ at, below, count }) =>
      C.range(1, count - 1).flatMap((k) =>
        C.range(1, at).map((t) => forward(stepName, `${trajectory} ${at} ${below} ${k} ${t}`, each))
      )
    ),
    ...cover.cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [] : creditRuns(cell, trajectory, on))),
    ...cover.cells.flatMap((cell) => controlRuns(cell, cover.T, trajectory, on))
  ]
}

/** The runs of a cell's credit program: one for each of its segments. */
const creditRuns = (
  cell: Exclude<Cell, C.ZerothOrder>,
  trajectory: string,
  { networkCalls, stepCalls, scores }: On
): ReadonlyArray<Run> => {
  const program = creditName(cell)
  const h = C.steps(cell).length
  // the lowest step's mean is not needed before its pullback
  const again = cell.memory === 'recompute' ? h - 1 : 0
  const read = scores && isScore(cell) ? `${cell.from} ${cell.to} ${cell.shares?.join(',')}` : JSON.stringify(cell)
  return C.range(1, C.segmentsOf(cell)).map((k) => ({
    program,
    key: `${program} ${k} ${read} ${trajectory}`,
    evaluations: networkCalls * (h + again) + stepCalls * h,
    pullbacks: networkCalls * h
  }))
}

/** The run of a control by a clean prediction. Below step 1 lies the output, whose prediction it is itself. */
const controlRuns = (
  cell: Cell,
  T: number,
  trajectory: string,
  { networkCalls, lookahead, discrete }: On
): ReadonlyArray<Run> => {
  if (cell._tag !== 'HalfOrder' || cell.control?._tag !== 'Clean' || cell.from === 1) return []
  const program = (discrete ? tangentName : valueName)(cell.control)
  const times = networkCalls * (lookahead ? T : 1)
  return [{ program, key: `${program} ${cell.from} ${trajectory}`, evaluations: times, pullbacks: times }]
}

/**
 * Evaluations and pullbacks of some runs, those with one key made once: the one that takes the most.
 *
 * @category readings
 * @since 0.1.0
 */
export const together = (runs: ReadonlyArray<Run>): number => {
  const most = new Map<string, number>()
  for (const { key, evaluations, pullbacks } of runs)
    most.set(key, Math.max(most.get(key) ?? 0, evaluations + pullbacks))
  return [...most.values()].reduce((sum, one) => sum + one, 0)
}
