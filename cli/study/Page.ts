/**
 * The page of a study, written from its lines: nothing in it is typed by hand.
 *
 * @since 0.1.0
 */
import type { Estimate, Point } from './Line.js'
import { differenceOf, isDecided, type Mean, meanOf, showMean } from './Means.js'
import { type Place, plot } from './Plot.js'
import type { Compare, Comparisons, Finetunes, Quantity, Study } from './Study.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a study was run: with which command, by which version, on what.
 *
 * @category model
 * @since 0.1.0
 */
export interface Made {
  readonly task: string
  readonly seeds: number
  readonly command: string
  readonly commit: string
  readonly machine: string
}

/**
 * What a study leaves: its page and its plot.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shown {
  readonly page: string
  readonly svg: string
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const quantities: Readonly<Record<Quantity, string>> = {
  reward: 'reward',
  heldOut: 'held-out reward',
  kl: 'KL to the base, nats',
  diversity: 'diversity, of the base’s',
  frechet: 'Fréchet distance to the base'
}

const compared: Readonly<Record<Compare, string>> = {
  varianceTimesCost: 'variance × (evaluations + pullbacks)',
  variance: 'variance of a sample',
  tailIndex: 'tail index',
  slopeRatio: 'slope over finite differences'
}

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---|').join('')}`,
  ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
]

/** The last point of each seed. */
const lastOf = (points: ReadonlyArray<Point>, condition: string): ReadonlyArray<Point> => {
  const last = new Map<number, Point>()
  for (const point of points.filter((one) => one.condition === condition))
    if (point.steps >= (last.get(point.seed)?.steps ?? -1)) last.set(point.seed, point)
  return [...last.values()]
}

const known = (values: ReadonlyArray<number | null>): ReadonlyArray<number> =>
  values.filter((value): value is number => value !== null)

const bySeed = (points: ReadonlyArray<Point>, quantity: Quantity): ReadonlyMap<number, number> =>
  new Map(points.flatMap((point) => (point[quantity] === null ? [] : [[point.seed, point[quantity]] as const])))

const whole = (mean: Mean): string => (Number.isFinite(mean.mean) ? Math.round(mean.mean).toLocaleString('en') : '')

const ofFinetunes = (study: Finetunes, points: ReadonlyArray<Point>): ReadonlyArray<string> => {
  const names = study.conditions.map(({ name }) => name)
  const judged = points.some(({ heldOut }) => heldOut !== null)
  const decisive: Quantity = judged ? 'heldOut' : 'reward'
  const reference = bySeed(lastOf(points, study.against), decisive)
  const rows = names.map((name) => {
    const last = lastOf(points, name)
    const of = (quantity: Quantity): string => showMean(meanOf(known(last.map((point) => point[quantity]))))
    const difference = differenceOf(bySeed(last, decisive), reference)
    const verdict = name === study.against ? '' : `${showMean(difference)}${isDecided(difference) ? '' : ', undecided'}`
    return [
      name,
      whole(meanOf(last.map(({ steps }) => steps))),
      whole(meanOf(last.map(({ evaluations }) => evaluations))),
      whole(meanOf(last.map(({ pullbacks }) => pullbacks))),
      of('reward'),
      of('heldOut'),
      verdict,
      of('kl'),
      of('diversity'),
      of('frechet')
    ]
  })
  return [
    'After the whole budget. Means over seeds with 95 % intervals (Student’s t); each seed has noise of its own, in training and where it is',
    `measured. Differences of the ${quantities[decisive]} from *${study.against}* are between runs of the same seed.`,
    '',
    ...table(
      [
        study.varied,
        'steps',
        'network evaluations',
        'pullbacks',
        'reward',
        'held-out reward',
        `difference from ${study.against}`,
        'KL, nats',
        'diversity',
        'Fréchet'
      ],
      rows
    )
  ]
}

/** What a task measures beside the reward, where a study asks for it, with how each is taken. */
const ofMeasures = (study: Finetunes, points: ReadonlyArray<Point>): ReadonlyArray<string> => {
  const { measures = [], conditions, varied, against } = study
  const of = (last: ReadonlyArray<Point>, name: string): ReadonlyMap<number, number> =>
    new Map(last.flatMap(({ seed, measures: told = {} }) => knownIn(told[name]).map((value) => [seed, value] as const)))
  const rows = conditions.map(({ name }) => {
    const last = lastOf(points, name)
    return [
      name,
      ...measures.map((measure) => {
        const values = of(last, measure.name)
        const difference = differenceOf(values, of(lastOf(points, against), measure.name))
        const mark = name !== against && isDecided(difference) ? ' *' : ''
        return `${showMean(meanOf([...values.values()]))}${mark}`
      })
    ]
  })
  return measures.length === 0
    ? []
    : [
        '',
        `What is measured beside the reward; a star says that the difference from *${against}*, between runs of the same seed, is decided.`,
        '',
        ...table([varied, ...measures.map(({ title }) => title)], rows),
        '',
        ...table(
          ['measure', 'here', 'in VBench (Huang et al., arXiv 2311.17982)'],
          measures.map(({ title, here, elsewhere }) => [title, here, elsewhere])
        )
      ]
}

const knownIn = (value: number | null | undefined): ReadonlyArray<number> =>
  value === null || value === undefined ? [] : [value]

const ofComparisons = (study: Comparisons, lines: ReadonlyArray<Estimate>): ReadonlyArray<string> => {
  const estimators = [...new Set(lines.map(({ estimator }) => estimator))]
  const rows = study.conditions.flatMap(({ name }) =>
    estimators.flatMap((estimator) => {
      const these = lines.filter((line) => line.condition === name && line.estimator === estimator)
      const of = (quantity: Compare): string => showMean(meanOf(known(these.map((line) => line[quantity]))))
      return these.length === 0 ? [] : [[name, estimator, ...study.quantities.map(of)]]
    })
  )
  return [
    'Means over seeds with 95 % intervals (Student’s t).',
    '',
    ...table([study.varied, 'estimator', ...study.quantities.map((one) => compared[one])], rows)
  ]
}

/** The places of a study's plot. */
const placesOf = (study: Finetunes, points: ReadonlyArray<Point>): ReadonlyArray<Place> =>
  study.conditions.flatMap(({ name }) => {
    const these = points.filter(({ condition }) => condition === name)
    const marks = [...new Set(these.map(({ steps }) => steps))]
    return marks.map((steps): Place => {
      const here = these.filter((point) => point.steps === steps)
      const xs = here.map((point) => {
        if (study.plot.x === 'cost') return point.evaluations + point.pullbacks
        return study.plot.x === 'steps' ? point.steps : point[study.plot.x]
      })
      const { mean, half } = meanOf(known(here.map((point) => point[study.plot.y])))
      return { line: name, x: meanOf(known(xs)).mean, y: mean, half }
    })
  })

const xOf = (study: Finetunes): string => {
  if (study.plot.x === 'cost') return 'network evaluations + pullbacks'
  return study.plot.x === 'steps' ? 'steps of the optimizer' : quantities[study.plot.x]
}

/** Does a kind of line fit the study's tag? */
const plotOf = (study: Study, points: ReadonlyArray<Point>, lines: ReadonlyArray<Estimate>, made: Made): string => {
  const title = `${study.name}, ${made.task}: means of ${made.seeds} seeds, 95 % intervals`
  if (study._tag === 'Finetunes') {
    const names = study.conditions.map(({ name }) => name)
    const axes = { title, x: xOf(study), y: quantities[study.plot.y], logX: study.plot.x === 'cost', logY: false }
    return plot(axes, names, placesOf(study, points))
  }
  const [quantity = 'variance'] = study.quantities
  const estimators = [...new Set(lines.map(({ estimator }) => estimator))]
  const places = estimators.flatMap((line) =>
    study.conditions.map(({ name, at }): Place => {
      const these = lines.filter(({ condition, estimator }) => condition === name && estimator === line)
      const { mean, half } = meanOf(known(these.map((one) => one[quantity])))
      return { line, x: at, y: mean, half }
    })
  )
  return plot({ title, x: study.x, y: compared[quantity], logX: true, logY: true }, estimators, places)
}

/**
 * The page and the plot of a study, from its lines.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (
  study: Study,
  points: ReadonlyArray<Point>,
  lines: ReadonlyArray<Estimate>,
  made: Made
): Shown => ({
  svg: plotOf(study, points, lines, made),
  page: [
    `# ${study.name}, on ${made.task}`,
    '',
    study.question,
    '',
    `The paper: ${study.paper ?? 'says nothing of it'}.`,
    '',
    ...(study._tag === 'Finetunes'
      ? [...ofFinetunes(study, points), ...ofMeasures(study, points)]
      : ofComparisons(study, lines)),
    '',
    `![${study.name}](${study.name}-${made.task}.png)`,
    '',
    `${made.seeds} seeds; \`${made.command}\`; ${made.commit}; ${made.machine}. Written from \`${study.name}-${made.task}.jsonl\` by that command.`,
    ''
  ].join('\n')
})
