/**
 * The page of a study, written from its lines: nothing in it is typed by hand.
 *
 * @since 0.1.0
 */
import type { Computing, Estimate, Point } from './Line.js'
import { chosen, differenceOf, isDecided, type Mean, meanOf, ofChosen, showMean } from './Means.js'
import { type Chart, type Place, plot } from './Plot.js'
import {
  type Axes,
  type Compare,
  type Comparisons,
  families,
  type Finetunes,
  type Quantity,
  type Study
} from './Study.js'

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
 * What a study leaves: its page, and its plots by the names of their files.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shown {
  readonly page: string
  readonly plots: ReadonlyArray<{ readonly name: string; readonly svg: string }>
}

/**
 * What was found out.
 *
 * @category model
 * @since 0.1.0
 */
export interface Lines {
  readonly points: ReadonlyArray<Point>
  readonly estimates: ReadonlyArray<Estimate>
  readonly computing: ReadonlyArray<Computing>
}

/**
 * A table, with what is to be known of it: Markdown, a paragraph a string.
 *
 * @category model
 * @since 0.1.0
 */
export interface Table {
  readonly note: string
  readonly head: ReadonlyArray<string>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const quantities: Readonly<Record<Quantity, string>> = {
  reward: 'reward',
  heldOut: 'held-out reward',
  objective: 'reward less the price of KL',
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

const markdown = ({ note, head, rows }: Table): ReadonlyArray<string> => [
  note,
  '',
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

const known = (values: ReadonlyArray<number | null | undefined>): ReadonlyArray<number> => values.flatMap(knownIn)

const bySeed = (points: ReadonlyArray<Point>, quantity: Quantity): ReadonlyMap<number, number> =>
  new Map(points.flatMap((point) => knownIn(point[quantity]).map((value) => [point.seed, value] as const)))

const whole = (mean: Mean): string => (Number.isFinite(mean.mean) ? Math.round(mean.mean).toLocaleString('en') : '')

/** What tells who is better: what all of them were to raise where leaving the base has a price, else the held-out reward where there is one. */
const decisiveOf = (points: ReadonlyArray<Point>): Quantity => {
  if (points.some(({ objective }) => objective !== undefined)) return 'objective'
  return points.some(({ heldOut }) => heldOut !== null) ? 'heldOut' : 'reward'
}

const ofFinetunes = (study: Finetunes, points: ReadonlyArray<Point>): Table => {
  const names = study.conditions.map(({ name }) => name)
  const decisive = decisiveOf(points)
  const priced = decisive === 'objective'
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
      ...(priced ? [of('objective')] : []),
      verdict,
      of('kl'),
      of('diversity'),
      of('frechet')
    ]
  })
  return {
    note:
      'After the whole budget. Means over seeds with 95 % intervals (Student’s t); each seed has noise of its own, in training and where it is\n' +
      `measured. Differences of the ${quantities[decisive]} from *${study.against}* are between runs of the same seed.`,
    head: [
      study.varied,
      'steps',
      'network evaluations',
      'pullbacks',
      'reward',
      'held-out reward',
      ...(priced ? [quantities.objective] : []),
      `difference from ${study.against}`,
      'KL, nats',
      'diversity',
      'Fréchet'
    ],
    rows
  }
}

/** What a task measures beside the reward, where a study asks for it, with how each is taken. */
const ofMeasures = (study: Finetunes, points: ReadonlyArray<Point>): ReadonlyArray<Table> => {
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
        {
          note: `What is measured beside the reward; a star says that the difference from *${against}*, between runs of the same seed, is decided.`,
          head: [varied, ...measures.map(({ title }) => title)],
          rows
        },
        {
          note: 'How each is taken:',
          head: ['measure', 'here', 'in VBench (Huang et al., arXiv 2311.17982)'],
          rows: measures.map(({ title, here, elsewhere }) => [title, here, elsewhere])
        }
      ]
}

/** Methods that have several forms, each in its best by the other seeds. */
const ofFamilies = (study: Finetunes, points: ReadonlyArray<Point>): ReadonlyArray<Table> => {
  const decisive = decisiveOf(points)
  const told: ReadonlyArray<Quantity> = [
    ...(decisive === 'objective' ? [decisive] : []),
    'reward',
    'heldOut',
    'kl',
    'diversity',
    'frechet'
  ]
  const rows = families(study).map(({ name, forms }) => {
    const ends = (quantity: Quantity): ReadonlyArray<ReadonlyMap<number, number>> =>
      forms.map((form) => bySeed(lastOf(points, form), quantity))
    const which = chosen(ends(decisive))
    const numbers = forms.map((form) => study.conditions.find((one) => one.name === form)?.form?.at ?? NaN)
    const of = (quantity: Quantity): string => showMean(meanOf([...ofChosen(which, ends(quantity)).values()]))
    const counts = numbers.flatMap((at, i) => {
      const count = [...which.values()].filter((one) => one === i).length
      return count === 0 ? [] : [`${at} (${count})`]
    })
    return [name, counts.join(', '), ...told.map(of)]
  })
  return rows.length === 0
    ? []
    : [
        {
          note:
            `Each method in its best form: for each seed, the one that has the largest ${quantities[decisive]} in the mean of the *other* seeds, so\n` +
            'that the choice has not seen the run that is told. In brackets, how many seeds chose it.',
          head: [study.varied, study.forms ?? 'form', ...told.map((one) => quantities[one])],
          rows
        }
      ]
}

const knownIn = (value: number | null | undefined): ReadonlyArray<number> =>
  value === null || value === undefined ? [] : [value]

const ofComparisons = (study: Comparisons, lines: ReadonlyArray<Estimate>): Table => {
  const estimators = [...new Set(lines.map(({ estimator }) => estimator))]
  const rows = study.conditions.flatMap(({ name }) =>
    estimators.flatMap((estimator) => {
      const these = lines.filter((line) => line.condition === name && line.estimator === estimator)
      const of = (quantity: Compare): string => showMean(meanOf(known(these.map((line) => line[quantity]))))
      return these.length === 0 ? [] : [[name, estimator, ...study.quantities.map(of)]]
    })
  )
  return {
    note: 'Means over seeds with 95 % intervals (Student’s t).',
    head: [study.varied, 'estimator', ...study.quantities.map((one) => compared[one])],
    rows
  }
}

const secondsOf = (computing: ReadonlyArray<Computing>, condition: string): number =>
  meanOf(computing.filter((one) => one.condition === condition).map(({ secondsOfStep }) => secondsOfStep)).mean

/** Where a point is on the axis of a plot. */
const placeOn =
  (x: Exclude<Axes['x'], 'form'>, computing: ReadonlyArray<Computing>) =>
  (point: Point): number | null => {
    if (x === 'cost') return point.evaluations + point.pullbacks
    if (x === 'seconds') return point.steps * secondsOf(computing, point.condition)
    return point[x] ?? null
  }

/** The places of a plot of fine-tunes. */
const placesOf = (
  { conditions }: Finetunes,
  { points, computing }: Pick<Lines, 'points' | 'computing'>,
  { x, y }: Axes
): ReadonlyArray<Place> =>
  conditions.flatMap(({ name, form }) => {
    if (x === 'form') {
      const { mean, half } = meanOf(known(lastOf(points, name).map((point) => point[y])))
      return form === undefined ? [] : [{ line: form.of, x: form.at, y: mean, half }]
    }
    const these = points.filter(({ condition }) => condition === name)
    const marks = [...new Set(these.map(({ steps }) => steps))]
    return marks.map((steps): Place => {
      const here = these.filter((point) => point.steps === steps)
      const { mean, half } = meanOf(known(here.map((point) => point[y])))
      return { line: name, x: meanOf(known(here.map(placeOn(x, computing)))).mean, y: mean, half }
    })
  })

const axisOf = ({ forms = 'form' }: Finetunes, x: Axes['x']): string => {
  if (x === 'form') return forms
  if (x === 'cost') return 'network evaluations + pullbacks'
  if (x === 'seconds') return 'seconds of one core'
  return x === 'steps' ? 'steps of the optimizer' : quantities[x]
}

/** Is a run measured over more than a decade of its cost? Else the axis begins at the base model. */
const isWide = ({ marks }: Finetunes): boolean => Math.min(1, ...marks) < 0.1

/** Where leaving the base has a price, what is drawn in place of the held-out reward is what was to be raised. */
const drawnOn =
  (points: ReadonlyArray<Point>) =>
  ({ x, y }: Axes): Axes => ({ x, y: y === 'heldOut' ? decisiveOf(points) : y })

/** A chart, and what its file is called. */
interface Named extends Chart {
  readonly name: string
}

/**
 * The charts of a study on a task, the one that answers its question first.
 *
 * @category readings
 * @since 0.1.0
 */
export const chartsOf = (
  study: Study,
  lines: Lines,
  { task, seeds }: Pick<Made, 'task' | 'seeds'>
): ReadonlyArray<Named> => {
  const stem = `${study.name}-${task}`
  const title = `${study.name}, ${task}: means of ${seeds} seeds, 95 % intervals`
  if (study._tag === 'Finetunes')
    return study.plots.map(drawnOn(lines.points)).map(({ x, y }, i) => ({
      name: i === 0 ? stem : `${stem}-${y}-by-${x}`,
      axes: {
        title,
        x: axisOf(study, x),
        y: quantities[y],
        logX: x === 'form' || (isWide(study) && (x === 'cost' || x === 'seconds')),
        logY: false
      },
      lines: x === 'form' ? families(study).map(({ name }) => name) : study.conditions.map(({ name }) => name),
      places: placesOf(study, lines, { x, y })
    }))
  if (study.byStep === true) return [{ name: stem, ...chartByStep(study, lines.estimates, title) }]
  const [quantity = 'variance'] = study.quantities
  const estimators = [...new Set(lines.estimates.map(({ estimator }) => estimator))]
  const places = estimators.flatMap((line) =>
    study.conditions.map(({ name, at }): Place => {
      const these = lines.estimates.filter(({ condition, estimator }) => condition === name && estimator === line)
      const { mean, half } = meanOf(known(these.map((one) => one[quantity])))
      return { line, x: at, y: mean, half }
    })
  )
  const axes = { title, x: study.x, y: compared[quantity], logX: true, logY: true }
  return [{ name: stem, axes, lines: estimators, places }]
}

/** The step that a part pays for, as `byStep` splits cells: the last of those that it names. */
const stepOf = (cell: string): number => Number(/\.\.(\d+)/.exec(cell)?.[1] ?? NaN)

/** The variance of each step's part against the step, of the first condition. Zeroth-order cells pay for many steps at once, and are not there. */
const chartByStep = ({ conditions }: Comparisons, estimates: ReadonlyArray<Estimate>, title: string): Chart => {
  const these = estimates.filter(({ condition }) => condition === conditions[0]?.name)
  const lines = [...new Set(these.map(({ estimator }) => estimator))]
  const places = lines.flatMap((line) => {
    const own = these.filter(({ estimator }) => estimator === line)
    const steps = new Set(own.flatMap(({ parts }) => Object.keys(parts).map(stepOf)))
    return [...steps]
      .filter((step) => step > 0)
      .map((step): Place => {
        // segments that start at different steps are drawn apart: their variances add up
        const sums = own.map(({ parts }) =>
          Object.entries(parts).reduce((sum, [cell, value]) => (stepOf(cell) === step ? sum + value : sum), 0)
        )
        const { mean, half } = meanOf(sums)
        return { line, x: step, y: mean, half }
      })
  })
  const axes = { title, x: 'step, 1 next to the output', y: compared.variance, logX: false, logY: true }
  return { axes, lines, places: places.filter(({ y }) => y > 0) }
}

/** Of each estimator and kind of cell, the variance that it adds. */
const partsOf = (study: Comparisons, estimates: ReadonlyArray<Estimate>): ReadonlyArray<Table> => {
  const rows = study.conditions.flatMap(({ name }) => {
    const these = estimates.filter(({ condition }) => condition === name)
    return [...new Set(these.map(({ estimator }) => estimator))].flatMap((estimator) => {
      const own = these.filter((line) => line.estimator === estimator)
      const cells = [...new Set(own.flatMap(({ parts }) => Object.keys(parts)))]
      return cells.length < 2
        ? []
        : cells.map((cell) => [
            name,
            estimator,
            cell,
            showMean(meanOf(known(own.map(({ parts }) => parts[cell] ?? null))))
          ])
    })
  })
  return rows.length === 0
    ? []
    : [{ note: 'Variance of a sample by cell:', head: [study.varied, 'estimator', 'cell', 'variance'], rows }]
}

const secondsIn = (study: Finetunes, { computing }: Lines): ReadonlyArray<Table> =>
  study.plots.some(({ x }) => x === 'seconds') && computing.length > 0
    ? [
        {
          note: 'A step, in milliseconds of one core (the median of its run, the mean of the seeds):',
          head: [study.varied, 'milliseconds'],
          rows: study.conditions.map(({ name }) => [name, whole(meanOf([1000 * secondsOf(computing, name)]))])
        }
      ]
    : []

/**
 * The tables of a study, that of its conditions first.
 *
 * @category readings
 * @since 0.1.0
 */
export const tablesOf = (study: Study, lines: Lines): ReadonlyArray<Table> =>
  study._tag === 'Finetunes'
    ? [
        ...ofFamilies(study, lines.points),
        ofFinetunes(study, lines.points),
        ...ofMeasures(study, lines.points),
        ...secondsIn(study, lines)
      ]
    : [ofComparisons(study, lines.estimates), ...partsOf(study, lines.estimates)]

/**
 * The page and the plots of a study, from its lines.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (study: Study, lines: Lines, made: Made): Shown => {
  const { task, seeds, command, commit, machine } = made
  const plots = chartsOf(study, lines, made).map(({ name, ...chart }) => ({ name, svg: plot(chart) }))
  return {
    plots,
    page: [
      `# ${study.name}, on ${task}`,
      '',
      study.question,
      '',
      `The paper: ${study.paper ?? 'says nothing of it'}.`,
      '',
      ...tablesOf(study, lines).flatMap((table) => [...markdown(table), '']),
      ...plots.flatMap(({ name }) => [`![${study.name}](${name}.png)`, '']),
      `${seeds} seeds; \`${command}\`; ${commit}; ${machine}. Written from \`${study.name}-${task}.jsonl\` by that command.`,
      ''
    ].join('\n')
  }
}
