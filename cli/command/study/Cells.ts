/**
 * How a cell of a study is run: by the program itself, in a process of its own, so that cells are as many at once as there are cores,
 * and a process that is killed leaves a folder that goes on.
 *
 * @since 0.1.0
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
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

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a process left.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

/**
 * Runs the program with some arguments; the signal asks it to end.
 *
 * @category model
 * @since 0.1.0
 */
export type Program = (args: ReadonlyArray<string>, stop: AbortSignal) => Promise<Ended>

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
  readonly steps: ReadonlyArray<number>
  readonly evaluations: number
  readonly pullbacks: number
}

// -------------------------------------------------------------------------------------
// processes
// -------------------------------------------------------------------------------------

/**
 * The program as it was installed, in processes of its own.
 *
 * @category effects
 * @since 0.1.0
 */
export const installed: Program = (args, stop) =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(Files.packageFolder(), 'bin', 'halforder.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const seen = { out: '', err: '' }
    child.stdout.on('data', (text) => (seen.out += String(text)))
    child.stderr.on('data', (text) => (seen.err = `${seen.err}${String(text)}`.slice(-10_000)))
    const end = (): void => void child.kill('SIGTERM')
    stop.addEventListener('abort', end)
    child.on('error', reject)
    child.on('close', (code) => {
      stop.removeEventListener('abort', end)
      resolve({ code: code ?? 130, ...seen })
    })
  })

/** A study that was killed leaves runs that end by themselves: they are waited for. */
const isHeld = ({ code, err }: Ended): boolean => code !== 0 && err.includes('expected a folder that no run is in')

/** How long a folder that another process holds is waited for, in seconds. */
const patience = 600

const ran =
  (program: Program, stop: AbortSignal) =>
  (args: ReadonlyArray<string>): Step<string> =>
    pipe(
      TE.tryCatch(
        async () => {
          for (let waited = 0; ; waited += 2) {
            const ended = await program(args, stop)
            if (!isHeld(ended) || waited >= patience || stop.aborted) return ended
            await pause(2000)
          }
        },
        (error): Failure => broken(`could not start the program: ${String(error)}`)
      ),
      TE.flatMapEither(({ code, out, err }) =>
        code === 0
          ? E.right(out)
          : E.left(
              broken(code === 130 ? 'interrupted' : (err.trim().split('\n').at(-1) ?? `the program ended with ${code}`))
            )
      )
    )

// -------------------------------------------------------------------------------------
// cells
// -------------------------------------------------------------------------------------

const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null)

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), value)

/** What a summary says of where the model stands. */
const pointOf = ({ condition, seed, evaluations, pullbacks }: Measured, steps: number, summary: unknown): Point => {
  const stand = (...path: ReadonlyArray<string>): number | null => number(at(summary, 'after', ...path))
  const before = number(at(summary, 'before', 'pairwiseDistance'))
  const distance = stand('pairwiseDistance')
  return {
    condition,
    seed,
    steps,
    evaluations: evaluations * steps,
    pullbacks: pullbacks * steps,
    reward: stand('mean'),
    rewardError: stand('standardError'),
    heldOut: stand('heldOut', 'mean'),
    heldOutError: stand('heldOut', 'standardError'),
    kl: stand('kl', 'mean'),
    diversity: before === null || distance === null ? null : distance / before,
    frechet: stand('frechetToBase'),
    ...measuresOf(at(summary, 'after', 'measures'))
  }
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

const keep =
  (path: string) =>
  <A>(value: A): Step<void> =>
    file(Files.write(path, `${JSON.stringify(value)}\n`))

/**
 * The points of a fine-tune after each of its steps, in their order. What was found out before is read; a run that has begun goes on.
 *
 * @category effects
 * @since 0.1.0
 */
export const points =
  (program: Program, stop: AbortSignal) =>
  (cell: Measured): Step<ReadonlyArray<Point>> =>
    pipe(
      file(Files.makeFolder(cell.folder)),
      TE.flatMap(() =>
        pipe(
          cell.steps,
          RA.traverse(TE.ApplicativeSeq)((steps) => {
            const path = join(cell.folder, `after-${steps}.json`)
            const run = join(cell.folder, 'run')
            return pipe(
              kept(path, Point.is),
              TE.flatMap((before) =>
                before !== undefined
                  ? TE.right(before)
                  : pipe(
                      hasCheckpoint(run),
                      TE.map((has) =>
                        has
                          ? ['finetune', '--resume', run, '--steps', `${steps}`, '--json']
                          : `finetune --seed ${cell.seed} --steps ${steps} --json`
                              .split(' ')
                              .concat('--config', cell.config, '--out', run)
                      ),
                      TE.flatMap(ran(program, stop)),
                      TE.flatMap(parsed),
                      TE.map((summary) => pointOf(cell, steps, summary)),
                      TE.chainFirst(keep(path))
                    )
              )
            )
          })
        )
      )
    )

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
}

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
    estimator: String(at(line, 'estimator')),
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
    const typed = Object.entries(cell.options).flatMap(([name, value]) => [`--${name}`, value])
    return pipe(
      file(Files.makeFolder(cell.folder)),
      TE.flatMap(() => kept(path, isEstimates)),
      TE.flatMap((before) =>
        before !== undefined
          ? TE.right(before)
          : pipe(
              ran(program, stop)(['compare', ...typed, '--seed', `${cell.seed}`, '--json']),
              TE.flatMap((out) =>
                pipe(
                  out.split('\n').filter((line) => line !== ''),
                  RA.traverse(TE.ApplicativeSeq)(parsed)
                )
              ),
              TE.map(RA.map((line) => estimateOf(cell, line))),
              TE.chainFirst(keep(path))
            )
      )
    )
  }
