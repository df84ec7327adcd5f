/**
 * `halforder study`: a question that is answered by many runs, over seeds, at equal cost, and the page that says what was found.
 *
 * @since 0.1.0
 */
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import * as Gradient from 'halforder/estimator/Gradient'
import { lenses } from 'halforder/reward/StepReward'
import * as Build from 'halforder/tensor/Build'
import * as Inner from 'halforder/training/policy/Inner'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, file, ofEstimator, refused, type Step, textIn, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { take } from '../../edge/Lock.js'
import { number, whole } from '../../edge/Options.js'
import { meter } from '../../edge/Progress.js'
import { rasterise } from '../../edge/Scatter.js'
import { interruptible } from '../../edge/Signals.js'
import { studies } from '../../study/catalogue/index.js'
import * as Line from '../../study/Line.js'
import { type Lines, show } from '../../study/Page.js'
import * as Study from '../../study/Study.js'
import { readConfig } from '../ConfigOptions.js'
import { materialsOf } from '../ModelFile.js'
import { elsewhere } from '../cluster/Elsewhere.js'
import * as Cells from './Cells.js'
import { claimed } from './Claims.js'
import { type Program, withHands } from './Hands.js'
import { pooled } from './Pool.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface StudyOptions {
  readonly list?: boolean
  readonly claims?: string
  readonly task?: string
  readonly seeds?: string
  readonly budget?: string
  readonly quick?: boolean
  readonly jobs?: string
  readonly out?: string
  readonly redis?: string
  readonly patience?: string
  readonly tolerateBits?: boolean
}

/** A study, and how much of it is asked for. */
interface Asked {
  readonly study: Study.Study
  readonly task: string
  readonly seeds: number
  readonly quick: boolean
  readonly budget: number | undefined
  readonly jobs: number
  readonly out: string
  /** Which version of the program this is. */
  readonly by: string
}

// -------------------------------------------------------------------------------------
// what is asked for
// -------------------------------------------------------------------------------------

/** Seeds where none are typed: as many as an interval needs, and for a look. */
const usual = { seeds: 5, quick: 2 } as const

const found = (name: string | undefined): Step<Study.Study> =>
  pipe(
    studies.find((one) => one.name === name),
    TE.fromNullable(
      usage(
        `study: expected one of ${studies.map((one) => one.name).join(', ')}, got ${name === undefined ? 'none' : JSON.stringify(name)}; choose one of them`
      )
    )
  )

const commitOf = async (): Promise<string> => {
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: Files.packageFolder()
    })
    return `commit ${stdout.trim()}`
  } catch {
    return 'an installed package'
  }
}

const askedOf = (name: string | undefined, options: StudyOptions): Step<Asked> =>
  pipe(
    TE.Do,
    TE.bind('study', () => found(name)),
    TE.bind('task', ({ study }) => {
      const tasks = Object.keys(study.on)
      const [first = ''] = tasks
      const task = options.task ?? first
      return tasks.includes(task)
        ? TE.right(task)
        : TE.left(
            usage(
              `--task: expected one of ${tasks.join(', ')}, got ${JSON.stringify(task)}; the study has no budget for others`
            )
          )
    }),
    TE.let('quick', () => options.quick === true),
    TE.bind('seeds', ({ quick }) =>
      TE.fromEither(whole('seeds', options.seeds, quick ? usual.quick : usual.seeds, 1, 1000))
    ),
    TE.bind('budget', () => TE.fromEither(number({ least: 1, whole: true })('budget', options.budget, undefined))),
    TE.bind('jobs', () =>
      TE.fromEither(whole('jobs', options.jobs, options.redis === undefined ? Math.max(1, cpus().length) : 256, 1, 256))
    ),
    TE.let(
      'out',
      ({ study, task, quick }) => options.out ?? join('studies', `${study.name}-${task}${quick ? '-quick' : ''}`)
    ),
    TE.bind('by', () => TE.fromTask(commitOf))
  )

/** What a folder is of: it may be gone on with by the same command alone, but for the processes at once. */
const purposeOf = ({ study, task, seeds, quick, budget }: Asked): string =>
  `${JSON.stringify({ study: study.name, task, seeds, quick, budget: budget ?? null }, null, 2)}\n`

const sameStudy = (asked: Asked): Step<void> => {
  const path = join(asked.out, 'study.json')
  return pipe(
    textIn(path),
    TE.filterOrElse(
      (text) => text === undefined || text === purposeOf(asked),
      () =>
        usage(
          `--out: expected a new folder or one of the same study, got ${asked.out}, whose study.json differs; choose another`
        )
    ),
    TE.flatMap((text) => (text === undefined ? file(Files.write(path, purposeOf(asked))) : TE.right(undefined)))
  )
}

// -------------------------------------------------------------------------------------
// fine-tunes
// -------------------------------------------------------------------------------------

/** A document over another, group by group. An estimator is a whole: its options are not those of another. */
const over = (under: Study.Group, given: Study.Group): Study.Group =>
  Object.entries(given).reduce<Study.Group>((all, [key, value]) => {
    const own = all[key]
    return isGroup(own) && isGroup(value) && key !== 'estimator'
      ? { ...all, [key]: { ...own, ...value } }
      : { ...all, [key]: value }
  }, under)

const isGroup = (value: Line.Json | undefined): value is Study.Group => isRecord(value)

/** Network evaluations and pullbacks of a step of the optimizer. */
const costOf = (config: string): Step<{ readonly evaluations: number; readonly pullbacks: number }> =>
  pipe(
    readConfig({ config }),
    TE.flatMap(({ task, config: read }) =>
      pipe(
        materialsOf(task, read),
        TE.flatMapEither((materials) => pipe(Setup.setup(read, materials), E.mapLeft(refused))),
        TE.flatMapEither(({ problem, forward }) =>
          pipe(
            Gradient.check(problem),
            E.bimap(ofEstimator, (checked) => ({ ...checked, forward }))
          )
        ),
        TE.map(({ chain, estimator, steps, forward }) => {
          const stepCalls = lenses(steps ?? []).reduce((total, { networkCalls }) => total + networkCalls, 0)
          const calls = { networkCalls: chain.networkCalls, stepCalls, lookahead: chain.lookahead }
          const { networkEvaluations, pullbackSteps } = forward ?? Inner.cost(estimator, read.policy, calls)
          return {
            evaluations: networkEvaluations * read.batch,
            pullbacks: pullbackSteps * chain.networkCalls * read.batch
          }
        })
      )
    )
  )

const budgetOf = ({ budget, quick }: Asked, basis: Study.Basis): Study.Budget => {
  const own = quick ? basis.quick.budget : basis.budget
  if (budget === undefined) return own
  return own._tag === 'Steps' ? { _tag: 'Steps', steps: budget } : { _tag: 'Cost', evaluationsAndPullbacks: budget }
}

/** The fine-tunes of a study, with their configurations written. */
const fineTunes = (asked: Asked, study: Study.Finetunes, basis: Study.Basis): Step<ReadonlyArray<Cells.Measured>> =>
  pipe(
    study.conditions,
    RA.traverse(TE.ApplicativeSeq)((condition) => {
      const { price } = basis
      const given = [
        price === undefined ? {} : { kl: { beta: price } },
        asked.quick ? basis.quick.config : {},
        condition.config,
        basis.over?.[condition.name] ?? {}
      ].reduce(over, { task: basis.task ?? asked.task, ...basis.config })
      const path = join(
        asked.out,
        'cells',
        `${Study.placeOf({ condition: condition.name, seed: 0 }).replace(/-seed0$/, '')}.json`
      )
      return pipe(
        file(Files.write(path, `${JSON.stringify(given, null, 2)}\n`)),
        TE.flatMap(() => costOf(path)),
        TE.mapLeft((failure) => ({ ...failure, message: `${condition.name}: ${failure.message}` })),
        TE.map(({ evaluations, pullbacks }) => {
          const steps = Study.stepsOf(budgetOf(asked, basis), condition, evaluations + pullbacks)
          return Array.from({ length: asked.seeds }, (_, i): Cells.Measured => {
            const cell = { condition: condition.name, seed: i + 1 }
            return {
              ...cell,
              folder: join(asked.out, 'cells', Study.placeOf(cell)),
              config: path,
              price,
              steps: Study.stepsAt(asked.quick ? [0.5] : study.marks, steps),
              evaluations,
              pullbacks,
              by: asked.by
            }
          })
        })
      )
    }),
    TE.map(RA.flatten)
  )

// -------------------------------------------------------------------------------------
// the study
// -------------------------------------------------------------------------------------

/** Of each condition, what its runs say. */
const computingOf = (all: ReadonlyArray<Cells.Found>): ReadonlyArray<Line.Computing> =>
  all.flatMap(({ points: [first], computing }) =>
    first === undefined || computing === null
      ? []
      : [{ condition: first.condition, seed: first.seed, secondsOfStep: computing }]
  )

/** What was found out, and by which versions of the program. */
interface Found extends Lines {
  readonly by: ReadonlyArray<string>
}

const linesOf = (asked: Asked, program: Program, stop: AbortSignal): Step<Found> => {
  const { study, task, jobs, seeds } = asked
  if (study._tag === 'Finetunes') {
    const basis = study.on[task]
    if (basis === undefined) return TE.left(broken(`no basis for ${task}`))
    return pipe(
      fineTunes(asked, study, basis),
      TE.flatMap((cells) => {
        const bar = meter(study.name, cells.length)
        return pipe(
          cells.map(Cells.found(program, stop)),
          pooled(jobs, stop, (done) => bar.update(done, `${cells[done - 1]?.condition ?? ''}`)),
          TE.chainFirstIOK(() => bar.stop),
          TE.bindTo('all'),
          TE.bind('by', () => Cells.foundBy(cells))
        )
      }),
      TE.map(({ all, by }) => ({
        by,
        points: all.flatMap(({ points }) => points),
        estimates: [],
        computing: computingOf(all)
      }))
    )
  }
  const shared = study.on[task] ?? { options: {}, quick: {} }
  const cells = study.conditions.flatMap(({ name, at, options }) =>
    Array.from({ length: seeds }, (_, i): Cells.Comparing => {
      const cell = { condition: name, seed: i + 1 }
      return {
        ...cell,
        at,
        byStep: study.byStep === true,
        by: asked.by,
        folder: join(asked.out, 'cells', Study.placeOf(cell)),
        options: { task, ...shared.options, ...(asked.quick ? shared.quick : {}), ...options }
      }
    })
  )
  const bar = meter(study.name, cells.length)
  return pipe(
    cells.map(Cells.estimates(program, stop)),
    pooled(jobs, stop, (done) => bar.update(done, `${cells[done - 1]?.condition ?? ''}`)),
    TE.chainFirstIOK(() => bar.stop),
    TE.bindTo('estimates'),
    TE.bind('by', () => Cells.foundBy(cells)),
    TE.map(({ estimates, by }) => ({ by, points: [], estimates: estimates.flat(), computing: [] }))
  )
}

const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, node ${process.version}`

const commandOf = ({ study, task, seeds, quick, budget }: Asked): string =>
  `npx halforder study ${study.name} --task ${task} --seeds ${seeds}${quick ? ' --quick' : ''}${budget === undefined ? '' : ` --budget ${budget}`}`

const written = (asked: Asked, lines: Found): Step<string> => {
  const { study, task, seeds, out } = asked
  const made = { task, seeds, command: commandOf(asked), commit: lines.by.join(', '), machine: machine() }
  const { points, estimates, computing } = lines
  const { page, plots } = show(study, lines, made)
  const stem = join(out, `${study.name}-${task}`)
  return pipe(
    [
      [`${stem}.jsonl`, Line.show(study._tag === 'Finetunes' ? points : estimates)],
      // the clock's own: not in the lines, whose bytes are the same on every run
      ...(computing.length === 0 ? [] : [[`${stem}-seconds.jsonl`, Line.show(computing)] as const]),
      ...plots.flatMap(({ name, svg }) => [
        [join(out, `${name}.svg`), svg] as const,
        [join(out, `${name}.png`), rasterise(svg, 1290)] as const
      ]),
      [`${stem}.md`, page]
    ] as const,
    RA.traverse(TE.ApplicativeSeq)(([path, content]) => file(Files.write(path, content))),
    TE.map(() => `${stem}.md`)
  )
}

const listed = (): string =>
  studies.map(({ name, question, on }) => `${name}  (${Object.keys(on).join(', ')})\n    ${question}\n`).join('')

/**
 * Runs the command and gives its exit code: 0, 1 (a run failed), 2 (wrong usage) or 130 (interrupted: the same command goes on). The page
 * goes to stdout, and with the lines and the plot into the folder.
 *
 * @category effects
 * @since 0.1.0
 */
export const study = async (name: string | undefined, options: StudyOptions, program?: Program): Promise<number> => {
  if (options.list === true) {
    process.stdout.write(listed())
    return 0
  }
  if (options.claims !== undefined) return claimed(options.claims)
  const interruption = { asked: false }
  const answered = (by: Program): Promise<E.Either<Failure, string>> =>
    interruptible(
      (stop) =>
        pipe(
          askedOf(name, options),
          TE.chainFirst(({ out }) => file(Files.makeFolder(join(out, 'cells')))),
          TE.flatMap((asked) =>
            Build.bracket(
              take(asked.out),
              () =>
                pipe(
                  sameStudy(asked),
                  TE.flatMap(() =>
                    options.redis === undefined
                      ? linesOf(asked, by, stop)
                      : elsewhere({ ...options, redis: options.redis }, stop, (remote) => linesOf(asked, remote, stop))
                  ),
                  TE.flatMap((lines) => written(asked, lines))
                ),
              (held) => held.release
            )
          )
        )(),
      () => {
        interruption.asked = true
        process.stderr.write('\nstopping the runs after their step; the same command goes on\n')
      }
    )
  const result = await (program === undefined ? withHands(answered) : answered(program))
  if (E.isLeft(result)) return interruption.asked ? 130 : fail('study')(result.left)
  const page = await file(Files.read(result.right))()
  process.stdout.write(E.isRight(page) ? new TextDecoder().decode(page.right) : '')
  return 0
}
