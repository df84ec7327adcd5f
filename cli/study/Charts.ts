/**
 * The charts of a study, from its lines.
 *
 * @since 0.1.0
 */
import type { Computing, Estimate, Point } from './Line.js'
import { meanOf } from './Means.js'
import type { Chart, Place } from './Plot.js'
import { compared, decisiveOf, known, lastOf, type Lines, quantities, secondsOf } from './Reading.js'
import { type Axes, type Comparisons, families, type Finetunes, type Study } from './Study.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** A chart, and what its file is called. */
interface Named extends Chart {
  readonly name: string
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

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

/**
 * The charts of a study on a task, the one that answers its question first.
 *
 * @category readings
 * @since 0.1.0
 */
export const chartsOf = (
  study: Study,
  lines: Lines,
  { task, seeds }: { readonly task: string; readonly seeds: number }
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
