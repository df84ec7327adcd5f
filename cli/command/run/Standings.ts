/**
 * Where the model of a run stood on the way: what it was judged by before and after, at steps between.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import * as JsonLines from '../../edge/JsonLines.js'
import type { Level, Standing } from './Judgement.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A standing after some steps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stood extends Standing {
  readonly step: number
}

/**
 * The name of the file that has them, one a line.
 *
 * @category constants
 * @since 0.1.0
 */
export const standingsName = 'standings.jsonl'

/** JSON has no NaN: the mean of no finite value is null there. */
const numberOrNull = t.union([t.number, t.null])

const LevelLine = t.type({ mean: numberOrNull, standardError: numberOrNull, skipped: t.number })

const Line = t.intersection([
  LevelLine,
  t.type({
    step: t.number,
    heldOut: t.union([LevelLine, t.null]),
    kl: t.union([LevelLine, t.null]),
    objective: LevelLine,
    pairwiseDistance: numberOrNull,
    frechetToBase: numberOrNull
  }),
  t.partial({ measures: t.record(t.string, LevelLine) })
])

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

const level = ({ mean, standardError, skipped }: t.TypeOf<typeof LevelLine>): Level => ({
  mean: mean ?? NaN,
  standardError: standardError ?? NaN,
  skipped
})

const levelOrNull = (line: t.TypeOf<typeof LevelLine> | null): Level | null => (line === null ? null : level(line))

/**
 * The lines of the file.
 *
 * @category utils
 * @since 0.1.0
 */
export const showStandings = (standings: ReadonlyArray<Stood>): string =>
  standings.map((one) => `${JSON.stringify(one)}\n`).join('')

/**
 * The standings of a file. Left: the first line that is none.
 *
 * @category utils
 * @since 0.1.0
 */
export const readStandings: (text: string) => E.Either<string, ReadonlyArray<Stood>> = JsonLines.read(
  Line,
  standingsName,
  'an object with step, mean, heldOut and so on; the file is damaged, so remove it',
  (read): Stood => ({
    ...level(read),
    step: read.step,
    heldOut: levelOrNull(read.heldOut),
    kl: levelOrNull(read.kl),
    objective: level(read.objective),
    pairwiseDistance: read.pairwiseDistance ?? NaN,
    frechetToBase: read.frechetToBase ?? NaN,
    ...(read.measures === undefined
      ? {}
      : {
          measures: Object.fromEntries(Object.entries(read.measures).map(([name, one]) => [name, level(one)]))
        })
  })
)
