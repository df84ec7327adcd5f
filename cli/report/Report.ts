/**
 * A report: runs and studies as one document of JSON, which a page draws and other programs may read. A section says what it is of in
 * words, and has the charts and the tables that show it; nothing in it depends on where its folder was.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

const strings = t.readonlyArray(t.string)

/** JSON has no infinity: the half width of one value alone is null. */
const numberOrNull = t.union([t.number, t.null])

/**
 * A chart: what its axes say, and whether they are logarithmic; its lines by name, in the order of their colours; and their places, each with
 * half the width of its interval, null where it has none.
 *
 * @category model
 * @since 0.1.0
 */
export const Chart = t.type({
  axes: t.type({ title: t.string, x: t.string, y: t.string, logX: t.boolean, logY: t.boolean }),
  lines: strings,
  places: t.readonlyArray(t.type({ line: t.string, x: t.number, y: t.number, half: numberOrNull }))
})

/**
 * @category model
 * @since 0.1.0
 */
export type Chart = t.TypeOf<typeof Chart>

/**
 * A table, with a note in words.
 *
 * @category model
 * @since 0.1.0
 */
export const Table = t.type({ note: t.string, head: strings, rows: t.readonlyArray(strings) })

/**
 * @category model
 * @since 0.1.0
 */
export type Table = t.TypeOf<typeof Table>

/**
 * A run or a study.
 *
 * - `state`: whether it is done, still goes on (or was stopped), or has only begun.
 * - `facts`: what it is, a name and a value each.
 * - `pictures`: outputs on the same noise before and after, as `data:` addresses; null where a run has none yet.
 * - `details`: texts that few read, each with its title: a configuration, a cover.
 *
 * @category model
 * @since 0.1.0
 */
export const Section = t.type({
  kind: t.union([t.literal('run'), t.literal('study')]),
  title: t.string,
  about: t.string,
  state: t.union([t.literal('done'), t.literal('going on'), t.literal('begun')]),
  facts: t.readonlyArray(t.type({ name: t.string, value: t.string })),
  pictures: t.union([t.null, t.type({ before: t.string, after: t.union([t.string, t.null]) })]),
  charts: t.readonlyArray(Chart),
  tables: t.readonlyArray(Table),
  details: t.readonlyArray(t.type({ title: t.string, text: t.string }))
})

/**
 * @category model
 * @since 0.1.0
 */
export type Section = t.TypeOf<typeof Section>

/**
 * A report. `format` rises when a reader would have to change.
 *
 * @category model
 * @since 0.1.0
 */
export const Report = t.type({
  format: t.literal(1),
  title: t.string,
  sections: t.readonlyArray(Section)
})

/**
 * @category model
 * @since 0.1.0
 */
export type Report = t.TypeOf<typeof Report>

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The report that a document is. Left: where it is none, and what was expected there, a line each.
 *
 * @category readings
 * @since 0.1.0
 */
export const decode = (document: unknown): E.Either<string, Report> =>
  pipe(
    Report.decode(document),
    E.mapLeft((errors) =>
      errors
        .map(({ context }) => {
          const path = context.map(({ key }) => key).filter((key) => key !== '')
          return `report.${path.join('.')}: expected ${context.at(-1)?.type.name ?? 'a report'}; it is of another version, or damaged`
        })
        .join('\n')
    )
  )
