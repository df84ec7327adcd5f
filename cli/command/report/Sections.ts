/**
 * Sections of a report: what the folder of a run, or of a study, says.
 *
 * @since 0.1.0
 */
import { basename, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import * as Ledger from 'halforder/estimator/reading/Ledger'
import { broken, file, type Step, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { type Metrics, readMetrics } from '../../edge/Metrics.js'
import type { Chart, Section } from '../../report/Report.js'
import { studies } from '../../study/catalogue/index.js'
import { chartsOf } from '../../study/Charts.js'
import type { Lines } from '../../study/Reading.js'
import { tablesOf } from '../../study/Tables.js'
import type { Place } from '../../study/Plot.js'
import type { Study } from '../../study/Study.js'
import { readConfig } from '../ConfigOptions.js'
import { ledgerOf } from '../Ledger.js'
import { readStandings, standingsName, type Stood } from '../run/Standings.js'
import { jsonLines, linesOf, namedBy } from '../study/Lines.js'

// -------------------------------------------------------------------------------------
// files
// -------------------------------------------------------------------------------------

const readIf = (path: string): Step<Uint8Array | undefined> =>
  pipe(
    file(Files.exists(path)),
    TE.flatMap((there) => (there ? file(Files.read(path)) : TE.right(undefined)))
  )

const textIf = (path: string): Step<string> =>
  pipe(
    readIf(path),
    TE.map((bytes) => (bytes === undefined ? '' : new TextDecoder().decode(bytes)))
  )

const parsed = (path: string, text: string): Step<unknown> =>
  TE.fromEither(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => broken(`${path}: expected JSON; the file is damaged`)
    )
  )

const jsonIf = (path: string): Step<unknown> =>
  pipe(
    textIf(path),
    TE.flatMap((text) => (text === '' ? TE.right(undefined) : parsed(path, text)))
  )

const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((here, key) => (isRecord(here) ? here[key] : undefined), value)

const textAt = (value: unknown, ...path: ReadonlyArray<string>): string | undefined => {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : typeof found === 'number' ? found.toLocaleString('en') : undefined
}

// -------------------------------------------------------------------------------------
// runs
// -------------------------------------------------------------------------------------

const finite = (half: number): number | null => (Number.isFinite(half) ? half : null)

const chart = (
  title: string,
  y: string,
  lines: ReadonlyArray<string>,
  places: ReadonlyArray<Place>,
  logY = false
): ReadonlyArray<Chart> =>
  places.length === 0
    ? []
    : [
        {
          axes: { title, x: 'steps of the optimizer', y, logX: false, logY },
          lines,
          places: places.map((one) => ({ ...one, half: finite(one.half) }))
        }
      ]

const finiteOnes = (places: ReadonlyArray<Place>): ReadonlyArray<Place> => places.filter(({ y }) => Number.isFinite(y))

/** Two standard errors either way. */
const wide = 2

const chartsOfRun = (
  reward: string,
  metrics: ReadonlyArray<Metrics>,
  stood: ReadonlyArray<Stood>
): ReadonlyArray<Chart> => {
  const each = (of: (one: Metrics) => number, half: (one: Metrics) => number = () => 0): ReadonlyArray<Place> =>
    finiteOnes(metrics.map((one) => ({ line: 'each step', x: one.step, y: of(one), half: half(one) })))
  const heldOut = stood.flatMap(
    ({ step, mean, standardError, heldOut: other }): ReadonlyArray<Place> => [
      { line: 'the reward', x: step, y: mean, half: wide * standardError },
      ...(other === null ? [] : [{ line: 'another judge', x: step, y: other.mean, half: wide * other.standardError }])
    ]
  )
  return [
    ...chart(
      `${reward}, of each step’s samples`,
      'mean, two standard errors',
      ['each step'],
      each(
        ({ rewardMean }) => rewardMean,
        ({ rewardStandardError }) => wide * rewardStandardError
      )
    ),
    ...chart('On held-out samples', 'mean, two standard errors', ['the reward', 'another judge'], finiteOnes(heldOut)),
    ...chart(
      'Divergence from the base',
      'nats',
      ['each step'],
      each(({ klMean }) => klMean)
    ),
    ...chart(
      'Norm of the gradient',
      'Euclidean',
      ['each step'],
      each(({ gradientNorm }) => gradientNorm),
      true
    )
  ]
}

const level = (value: unknown): string | undefined => {
  const [mean, error] = [at(value, 'mean'), at(value, 'standardError')]
  return typeof mean === 'number'
    ? `${mean.toPrecision(4)}${typeof error === 'number' ? ` ± ${error.toPrecision(2)}` : ''}`
    : undefined
}

const moved = (before: string | undefined, after: string | undefined): string | undefined =>
  before === undefined || after === undefined ? undefined : `${before} to ${after}`

const rounded = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(Number(value.toPrecision(3))) : undefined

const factsOf = (summary: unknown, config: unknown): Section['facts'] => {
  const [before, after] = [at(summary, 'before'), at(summary, 'after')]
  const all: ReadonlyArray<readonly [string, string | undefined]> = [
    ['reward, held-out samples', moved(level(before), level(after))],
    ['by another judge', moved(level(at(before, 'heldOut')), level(at(after, 'heldOut')))],
    ['KL to the base, nats', level(at(after, 'kl'))],
    [
      'mean distance of two outputs',
      moved(rounded(at(before, 'pairwiseDistance')), rounded(at(after, 'pairwiseDistance')))
    ],
    ['Fréchet distance to the base', rounded(at(after, 'frechetToBase'))],
    ['warning', textAt(summary, 'warning')],
    ['estimator', textAt(summary, 'estimator') ?? textAt(config, 'estimator', 'name')],
    ['cover', textAt(summary, 'cover')],
    [
      'task, model, chain',
      [textAt(config, 'task'), textAt(config, 'model'), textAt(config, 'chain', 'kind')].join(', ')
    ],
    ['steps', textAt(summary, 'steps') ?? `of ${textAt(config, 'steps') ?? '?'}`],
    ['network evaluations', textAt(summary, 'networkEvaluations')],
    ['trained parameters', textAt(summary, 'trainedParameters')],
    ['seed', textAt(config, 'seed')]
  ]
  return all.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]))
}

const kinds: Readonly<Record<string, string>> = { png: 'image/png', gif: 'image/gif' }

/** The picture of a folder by its name, whatever its format. */
const pictureIn = (folder: string, name: string): Step<string | null> =>
  pipe(
    Object.entries(kinds),
    RA.traverse(TE.ApplicativeSeq)(([ending, kind]) =>
      pipe(
        readIf(join(folder, `${name}.${ending}`)),
        TE.map((bytes) => (bytes === undefined ? null : `data:${kind};base64,${Buffer.from(bytes).toString('base64')}`))
      )
    ),
    TE.map((found) => found.find((one) => one !== null) ?? null)
  )

/** What the configuration pays for; a task that is not here has a ledger elsewhere. */
const ledgerIn = (path: string): Step<string> =>
  pipe(
    readConfig({ config: path }),
    TE.flatMap(ledgerOf),
    TE.map(Ledger.show),
    TE.orElse(({ message }) => TE.right(`not known here: ${message}`))
  )

/**
 * The section of a run's folder, whether the run is done or goes on.
 *
 * @category effects
 * @since 0.1.0
 */
export const ofRun = (folder: string): Step<Section> =>
  pipe(
    TE.Do,
    TE.bind('config', () => jsonIf(join(folder, 'config.json'))),
    TE.bind('summary', () => jsonIf(join(folder, 'summary.json'))),
    TE.bind('metrics', () =>
      pipe(
        textIf(join(folder, 'metrics.jsonl')),
        TE.flatMapEither((text) => pipe(readMetrics(text), E.mapLeft(broken)))
      )
    ),
    TE.bind('stood', () =>
      pipe(
        textIf(join(folder, standingsName)),
        TE.flatMapEither((text) => pipe(readStandings(text), E.mapLeft(broken)))
      )
    ),
    TE.bind('before', () => pictureIn(folder, 'before')),
    TE.bind('after', () => pictureIn(folder, 'after')),
    TE.bind('ledger', () => ledgerIn(join(folder, 'config.json'))),
    TE.map(({ config, summary, metrics, stood, before, after, ledger }): Section => {
      const reward = textAt(summary, 'reward') ?? textAt(config, 'reward') ?? 'reward'
      return {
        kind: 'run',
        title: basename(folder),
        about: `A fine-tune that raises *${reward}*.`,
        state:
          summary === undefined
            ? metrics.length === 0
              ? 'begun'
              : 'going on'
            : at(summary, 'interrupted') === true
              ? 'going on'
              : 'done',
        facts: factsOf(summary, config),
        pictures: before === null ? null : { before, after },
        charts: chartsOfRun(reward, metrics, stood),
        tables: [],
        details: [
          { title: 'Ledger: what is paid of each step', text: ledger },
          { title: 'Configuration', text: JSON.stringify(config, null, 2) }
        ]
      }
    })
  )

// -------------------------------------------------------------------------------------
// studies
// -------------------------------------------------------------------------------------

const seedsOf = ({ points, estimates }: Lines): number =>
  new Set([...points, ...estimates].map(({ seed }) => seed)).size

const sectionOf = (study: Study, task: string, lines: Lines, state: Section['state']): Section => ({
  kind: 'study',
  title: `${study.name}, on ${task}`,
  about: study.question,
  state,
  facts: [
    { name: 'the paper', value: study.paper ?? 'says nothing of it' },
    { name: 'seeds', value: String(seedsOf(lines)) }
  ],
  pictures: null,
  charts: chartsOf(study, lines, { task, seeds: seedsOf(lines) }).map(({ axes, lines: names, places }) => ({
    axes,
    lines: names,
    places: places.map((one) => ({ ...one, half: finite(one.half) }))
  })),
  tables: tablesOf(study, lines),
  details: []
})

/**
 * The section of the lines of a study, a file `NAME-TASK.jsonl` as `halforder study` writes it.
 *
 * @category effects
 * @since 0.1.0
 */
export const ofLines = (path: string): Step<Section> => {
  const named = namedBy(path)
  return named === undefined
    ? TE.left(
        usage(
          `expected the lines of a study, such as methods-faces.jsonl, got ${path}; its name says which study it is of`
        )
      )
    : pipe(
        jsonLines(path),
        TE.map((lines) => sectionOf(named.study, named.task, linesOf(lines), 'done'))
      )
}

/** The cells of a study that are done, while others are not. */
const cellsIn = (folder: string): Step<ReadonlyArray<unknown>> =>
  pipe(
    file(Files.list(join(folder, 'cells'))),
    TE.flatMap(
      RA.traverse(TE.ApplicativeSeq)((cell) =>
        pipe(
          ['found.json', 'compared.json'],
          RA.traverse(TE.ApplicativeSeq)((name) => jsonIf(join(folder, 'cells', cell, name)))
        )
      )
    ),
    TE.map((cells) =>
      cells.flat().flatMap((one): ReadonlyArray<unknown> => {
        const points = at(one, 'points')
        return Array.isArray(one) ? one : Array.isArray(points) ? points : []
      })
    )
  )

/**
 * The section of a study's folder, whether the study is done or goes on.
 *
 * @category effects
 * @since 0.1.0
 */
export const ofStudy = (folder: string): Step<Section> =>
  pipe(
    jsonIf(join(folder, 'study.json')),
    TE.flatMap((purpose) => {
      const [name, task] = [textAt(purpose, 'study'), textAt(purpose, 'task')]
      const study = studies.find((one) => one.name === name)
      if (study === undefined || task === undefined)
        return TE.left(
          broken(`${folder}: expected the name of a study in study.json; it is of another version, or damaged`)
        )
      const path = join(folder, `${study.name}-${task}.jsonl`)
      return pipe(
        file(Files.exists(path)),
        TE.flatMap((done) =>
          done
            ? ofLines(path)
            : pipe(
                cellsIn(folder),
                TE.map((lines) => sectionOf(study, task, linesOf(lines), lines.length === 0 ? 'begun' : 'going on'))
              )
        )
      )
    })
  )
