/**
 * What workers measured of `compare` and `verify`, as data: a row of each, with its place among all of them.
 *
 * @since 0.1.0
 */
import { listUpTo, oneOf, wholeIn } from 'halforder/document/Document'
import type { Row } from 'halforder/laws/verify/Verify'
import * as t from 'io-ts'
import { packed, place, real, text } from './Shares.js'

const objective = /*#__PURE__*/ oneOf('J', 'J_s', 'J and J_s')

const ranged = /*#__PURE__*/ t.strict({ value: real, interval: t.tuple([real, real]) })

const along = /*#__PURE__*/ t.strict({ value: real, error: real })

/**
 * An estimator that was compared: the line that `compare --json` prints, and what its table says.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Compared = /*#__PURE__*/ t.strict({
  place,
  line: t.UnknownRecord,
  entry: t.strict({
    estimator: text,
    objective: t.union([objective, t.null]),
    baseline: text,
    control: text,
    variance: real,
    interval: t.tuple([real, real]),
    evaluations: real,
    pullbacks: real,
    peakBytes: real,
    efficiency: real,
    efficiencyWithPullbacks: real,
    better: t.union([ranged, t.null]),
    slopeRatio: t.union([along, t.null]),
    tailIndex: real
  })
})

/**
 * An estimator that was compared.
 *
 * @category model
 * @since 0.1.0
 */
export type Compared = t.TypeOf<typeof Compared>

const numbers = /*#__PURE__*/ t.union([listUpTo(real, 2 ** 12), t.null])

const number = /*#__PURE__*/ t.union([real, t.null])

/**
 * A claim that was tested: a row of `verify`, whose reason is null where it has none.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Verified = /*#__PURE__*/ t.strict({
  place,
  row: t.strict({
    model: text,
    estimator: text,
    target: objective,
    unpaidSteps: listUpTo(wholeIn(0, 2 ** 20), 2 ** 12),
    networkEvaluations: real,
    pullbacks: real,
    claim: oneOf('exact', 'partial'),
    cover: text,
    alpha: real,
    power: real,
    exactGradient: numbers,
    expectation: numbers,
    biasInf: number,
    variance: number,
    varianceError: number,
    peakBytes: number,
    verdict: oneOf('unbiased', 'biased as predicted', 'refuted', 'undecided', 'skipped'),
    predictedBias: numbers,
    standardError: numbers,
    samples: real,
    tolerance: number,
    detectable: number
  }),
  reason: t.union([text, t.null])
})

/**
 * A claim that was tested.
 *
 * @category model
 * @since 0.1.0
 */
export type Verified = t.TypeOf<typeof Verified>

/**
 * A row of `verify` at its place, as it is sent.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pieceOf = ({ reason, ...row }: Row, at: number): unknown =>
  packed({ place: at, row, reason: reason ?? null })

/**
 * The row of a piece, as it was.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rowOf = ({ row, reason }: Verified): Row => (reason === null ? row : { ...row, reason })
