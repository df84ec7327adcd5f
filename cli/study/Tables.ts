/**
 * The tables of a study, from its lines.
 *
 * @since 0.1.0
 */
import type { Estimate, Point } from './Line.js'
import { chosen, differenceOf, isDecided, type Mean, meanOf, ofChosen, showMean } from './Means.js'
import { bySeed, compared, decisiveOf, known, knownIn, lastOf, type Lines, quantities, secondsOf } from './Reading.js'
import { type Compare, type Comparisons, families, type Finetunes, type Quantity, type Study } from './Study.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

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

const whole = (mean: Mean): string => (Number.isFinite(mean.mean) ? Math.round(mean.mean).toLocaleString('en') : '')

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
