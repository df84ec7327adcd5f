/**
 * How a cell of a study is run: by the program itself, in a process beside, so that cells are as many at once as there are cores,
 * and a process that is killed leaves a folder that goes on.
 *
 * @since 0.1.0
 */
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import type { Failure, Step } from '../../edge/Failure.js'
import { broken, file } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { Estimate, Point } from '../../study/Line.js'
import type { Options } from '../../study/Study.js'
import { hasCheckpoint } from '../run/RunFolder.js'
import type { Answer, Order, Program } from './Hands.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A fine-tune that is measured after some steps, and what one step of it costs.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly folder: string
  readonly condition: string
  readonly seed: number
  /** The file of its configuration. */
  readonly config: string
  /** What a nat of divergence from the base costs, where the study says so. */
  readonly price: number | undefined
  readonly steps: ReadonlyArray<number>
  readonly evaluations: number
  readonly pullbacks: number
  /** Which version of the program finds it out. */
  readonly by: string
}

// -------------------------------------------------------------------------------------
// orders
// -------------------------------------------------------------------------------------

/** A study that was killed leaves runs that end by themselves: they are waited for. */
const isHeld = (answer: Answer): boolean =>
  answer._tag === 'Failed' && answer.reason.includes('expected a folder that no run is in')

/** How long a folder that another process holds is waited for, in seconds. */
const patience = 600

const ran =
  (program: Program, stop: AbortSignal) =>
  (order: Order): Step<unknown> =>
    pipe(
      TE.tryCatch(
        async () => {
          for (let waited = 0; ; waited += 2) {
            const answer = await program(order, stop)
            if (!isHeld(answer) || waited >= patience || stop.aborted) return answer
            await pause(2000)
          }
        },
        (error): Failure => broken(`could not start the program: ${String(error)}`)
      ),
      TE.flatMapEither((answer) => {
        if (answer._tag === 'Done') return E.right(answer.value)
        return E.left(broken(answer._tag === 'Failed' ? answer.reason : 'interrupted'))
      })
    )

// -------------------------------------------------------------------------------------
// cells
// -------------------------------------------------------------------------------------

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), value)

/** What a summary says of where the model stands, before, on the way or after. */
const pointOf =
  ({ condition, seed, evaluations, pullbacks, price }: Measured, before: unknown) =>
  (steps: number, standing: unknown): Point => {
    const stand = (...path: ReadonlyArray<string>): number | null => number(at(standing, ...path))
    const [reward, kl] = [stand('mean'), stand('kl', 'mean')]
    const objective = reward === null || kl === null || price === undefined ? null : reward - price * kl
    const [own, base] = [stand('pairwiseDistance'), number(at(before, 'pairwiseDistance'))]
    return {
      condition,
      seed,
      steps,
      evaluations: evaluations * steps,
      pullbacks: pullbacks * steps,
      reward,
      rewardError: stand('standardError'),
      heldOut: stand('heldOut', 'mean'),
      heldOutError: stand('heldOut', 'standardError'),
      kl,
      diversity: own === null || base === null ? null : own / base,
      frechet: stand('frechetToBase'),
      ...(price === undefined ? {} : { objective }),
      ...measuresOf(at(standing, 'measures'))
    }
  }

/** All standings of a summary, in the order of their steps. */
const pointsOf = (cell: Measured, summary: unknown): ReadonlyArray<Point> => {
  const before = at(summary, 'before')
  const along = at(summary, 'along')
  const last = cell.steps.at(-1) ?? 0
  const point = pointOf(cell, before)
  return [
    ...(last === 0 ? [] : [point(0, before)]),
    ...(Array.isArray(along) ? along : []).map((one: unknown) => point(number(at(one, 'step')) ?? NaN, one)),
    point(last, at(summary, 'after'))
  ]
}

/** The means of what a task measures beside. */
const measuresOf = (measures: unknown): Pick<Point, 'measures'> =>
  isRecord(measures)
    ? { measures: Object.fromEntries(Object.entries(measures).map(([name, one]) => [name, number(at(one, 'mean'))])) }
    : {}

const parsed = (text: string): Step<unknown> =>
  TE.fromEither(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => broken(`expected a line of JSON from the program, got ${JSON.stringify(text.slice(0, 80))}`)
    )
  )

/** What was kept in a file, if it is there and of its kind. */
const kept = <A>(path: string, is: (u: unknown) => u is A): Step<A | undefined> =>
  pipe(
    file(Files.exists(path)),
    TE.flatMap((there) => (there ? file(Files.read(path)) : TE.right(undefined))),
    TE.flatMap((bytes) => (bytes === undefined ? TE.right(undefined) : parsed(new TextDecoder().decode(bytes)))),
    TE.map((value) => (is(value) ? value : undefined))
  )

/** Where the folder of a cell says which version found it out. */
const byName = 'by.txt'

/** Who it is found by is kept first: what is kept is never without. */
const keep =
  (path: string, by: string) =>
  <A>(value: A): Step<void> =>
    pipe(
      file(Files.write(join(dirname(path), byName), `${by}\n`)),
      TE.flatMap(() => file(Files.write(path, `${JSON.stringify(value)}\n`)))
    )

/**
 * Which versions of the program found out some cells, each once.
 *
 * @category effects
 * @since 0.1.0
 */
export const foundBy = (cells: ReadonlyArray<{ readonly folder: string }>): Step<ReadonlyArray<string>> =>
  pipe(
    cells,
    RA.traverse(TE.ApplicativeSeq)(({ folder }) =>
      pipe(
        file(Files.read(join(folder, byName))),
        TE.match(
          () => 'a version that did not say its name',
          (bytes) => new TextDecoder().decode(bytes).trim()
        ),
        TE.fromTask
      )
    ),
    TE.map((all) => [...new Set(all)].sort())
  )

const isPoints = (u: unknown): u is ReadonlyArray<Point> => Array.isArray(u) && u.every(Point.is)

/**
 * What was found out about a fine-tune: where the model stood before its first step and after each of those asked for, and what a step took of the processor, in
 * seconds, where a run was made that has the time of its steps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Found {
  readonly points: ReadonlyArray<Point>
  readonly computing: number | null
}

const isFound = (u: unknown): u is Found =>
  isRecord(u) && isPoints(u['points']) && (u['computing'] === null || typeof u['computing'] === 'number')

/**
 * Runs a fine-tune to its end, measuring on the way. What was found out before is read; a run that has begun goes on.
 *
 * @category effects
 * @since 0.1.0
 */
export const found =
  (program: Program, stop: AbortSignal) =>
  (cell: Measured): Step<Found> => {
    const path = join(cell.folder, 'found.json')
    const run = join(cell.folder, 'run')
    const last = cell.steps.at(-1) ?? 0
    const marks = cell.steps.filter((step) => step > 0 && step < last)
    const asked = { steps: `${last}`, ...(marks.length === 0 ? {} : { measureAt: marks.join(',') }) }
    return pipe(
      file(Files.makeFolder(cell.folder)),
      TE.flatMap(() => kept(path, isFound)),
      TE.flatMap((before) =>
        before !== undefined
          ? TE.right(before)
          : pipe(
              hasCheckpoint(run),
              TE.map(
                (has): Order => ({
                  _tag: 'Finetune',
                  options: has
                    ? { resume: run, ...asked }
                    : { seed: `${cell.seed}`, config: cell.config, out: run, ...asked }
                })
              ),
              TE.flatMap(ran(program, stop)),
              TE.map(
                (summary): Found => ({
                  points: pointsOf(cell, summary),
                  computing: number(at(summary, 'computingOfStep'))
                })
              ),
              TE.chainFirst(keep(path, cell.by))
            )
      )
    )
  }

/**
 * An estimator's measures under a condition.
 *
 * @category model
 * @since 0.1.0
 */
export interface Comparing {
  readonly folder: string
  readonly condition: string
  readonly seed: number
  readonly at: number
  readonly options: Options
  readonly byStep: boolean
  readonly by: string
}

/** Where a study does not say. */
const usualSamples = '1024'

const isEstimates = (u: unknown): u is ReadonlyArray<Estimate> => Array.isArray(u) && u.every(Estimate.is)

const estimateOf = (cell: Comparing, line: unknown): Estimate => {
  // what the samples of a batch share has the variance of their mean
  const batch = number(at(line, 'batch')) ?? 1
  const ofSample = (variance: unknown): number | null => {
    const one = number(variance)
    return one === null ? null : one * batch
  }
  const parts = at(line, 'parts')
  return {
    condition: cell.condition,
    seed: cell.seed,
    at: cell.at,
    estimator: String(at(line, 'estimator')).replace(/, by step$/, ''),
    variance: ofSample(at(line, 'variance')),
    parts: Object.fromEntries(
      Object.entries(isRecord(parts) ? parts : {}).flatMap(([cell, variance]) => {
        const one = ofSample(variance)
        return one === null ? [] : [[cell, one]]
      })
    ),
    varianceTimesCost: number(at(line, 'varianceTimesCost')),
    networkEvaluations: number(at(line, 'networkEvaluations')),
    pullbacks: number(at(line, 'pullbacks')),
    slopeRatio: number(at(line, 'slopeRatio')),
    slopeRatioError: number(at(line, 'slopeRatioError')),
    tailIndex: number(at(line, 'tailIndex'))
  }
}

/**
 * What `compare` says under a condition. What was found out before is read.
 *
 * @category effects
 * @since 0.1.0
 */
export const estimates =
  (program: Program, stop: AbortSignal) =>
  (cell: Comparing): Step<ReadonlyArray<Estimate>> => {
    const path = join(cell.folder, 'compared.json')
    return pipe(
      file(Files.makeFolder(cell.folder)),
      TE.flatMap(() => kept(path, isEstimates)),
      TE.flatMap((before) =>
        before !== undefined
          ? TE.right(before)
          : pipe(
              ran(
                program,
                stop
              )({
                _tag: 'Compare',
                options: {
                  samples: usualSamples,
                  ...cell.options,
                  seed: `${cell.seed}`,
                  ...(cell.byStep ? { byStep: true } : {})
                }
              }),
              TE.map((value): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])),
              TE.map(RA.map((line) => estimateOf(cell, line))),
              TE.chainFirst(keep(path, cell.by))
            )
      )
    )
  }
