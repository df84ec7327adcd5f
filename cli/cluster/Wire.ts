/**
 * What machines say to each other, as data: jobs and results, decoded strictly, with limits. Numbers travel as they are, to the bit.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { decodeWith, finite, listUpTo, oneOf, showError, textUpTo, wholeIn } from 'halforder/document/Document'
import * as t from 'io-ts'

// -------------------------------------------------------------------------------------
// parts
// -------------------------------------------------------------------------------------

/**
 * A SHA-256 in hexadecimal digits.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Hex: t.Type<string, string, unknown> = /*#__PURE__*/ new t.Type<string, string, unknown>(
  'a SHA-256',
  (u): u is string => typeof u === 'string' && /^[0-9a-f]{64}$/.test(u),
  (u, context) => (typeof u === 'string' && /^[0-9a-f]{64}$/.test(u) ? t.success(u) : t.failure(u, context)),
  t.identity
)

const word = /*#__PURE__*/ wholeIn(0, 2 ** 32 - 1)
const row = /*#__PURE__*/ wholeIn(0, 2 ** 24)
const name = /*#__PURE__*/ textUpTo(512)
const shape = /*#__PURE__*/ listUpTo(wholeIn(0, 2 ** 28), 8)

/**
 * A tensor: its name, its shape, and which array it has.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Shaped = /*#__PURE__*/ t.tuple([name, shape, row])

/**
 * How many lists a block tells of each cell, which rows it can not use, and whether its returns are its rewards.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Lists = /*#__PURE__*/ t.strict({
  cells: listUpTo(wholeIn(0, 256), 4096),
  rows: listUpTo(row, 2 ** 16),
  plain: t.boolean
})

/**
 * Blocks of rows to be rolled out (`walk`), or to be given credit for what they heard: everything that its result depends on. `state` is the
 * digest of where the run is; `after` says from which other state, and by which numbers, a part, it was reached, where they are enough to get there.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Shard = /*#__PURE__*/ t.strict({
  kind: oneOf('walk', 'credit'),
  run: Hex,
  recipe: Hex,
  state: Hex,
  cover: wholeIn(0, 2 ** 20),
  key: t.tuple([word, word]),
  stream: textUpTo(256),
  sign: t.union([t.literal(1), t.literal(-1)]),
  rows: t.tuple([row, row]),
  samples: t.boolean,
  heard: t.union([Lists, t.null]),
  after: t.union([t.strict({ state: Hex, told: Hex }), t.null])
})

/**
 * What all rows told in a step, evaluation by evaluation, an array each.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Step = /*#__PURE__*/ t.strict({ told: listUpTo(Lists, 64) })

/**
 * Blocks of rows as a job.
 *
 * @category model
 * @since 0.1.0
 */
export type Shard = t.TypeOf<typeof Shard>

/** Files by their names in a folder, and the digests of what is in them. */
const Files = /*#__PURE__*/ listUpTo(t.tuple([textUpTo(128), Hex]), 64)

/**
 * An order: a command, its options, its configuration as JSON, and the files of a folder that it goes on from. What is in braces is
 * a place of the worker's.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Cell = /*#__PURE__*/ t.strict({
  order: oneOf('Finetune', 'Compare', 'CompareShare', 'VerifyShare'),
  options: listUpTo(t.tuple([textUpTo(64), textUpTo(2 ** 12)]), 64),
  config: t.union([textUpTo(2 ** 18), t.null]),
  files: Files
})

/**
 * A run of the program as a job.
 *
 * @category model
 * @since 0.1.0
 */
export type Cell = t.TypeOf<typeof Cell>

/**
 * What became of a job: numbers of rows, outputs of credit programs, a left, or parts of the state that the worker has not got.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Result = /*#__PURE__*/ t.strict({
  job: Hex,
  worker: textUpTo(128),
  seconds: finite,
  of: t.union([
    t.strict({ _tag: t.literal('Told'), lists: Lists, samples: listUpTo(Shaped, 2) }),
    t.strict({
      _tag: t.literal('Outs'),
      blocks: listUpTo(listUpTo(listUpTo(listUpTo(Shaped, 2 ** 16), 256), 4096), 4096)
    }),
    t.strict({ _tag: t.literal('Missing'), parts: listUpTo(Hex, 2 ** 16) }),
    t.strict({
      _tag: t.literal('NotFinite'),
      what: oneOf('sample', 'reward', 'gradient of the reward', 'step reward'),
      reward: textUpTo(2 ** 12),
      row
    }),
    t.strict({
      _tag: t.literal('Ran'),
      out: textUpTo(2 ** 19),
      files: Files
    }),
    t.strict({ _tag: t.literal('Left'), reason: textUpTo(2 ** 14) })
  ])
})

/**
 * What became of a job.
 *
 * @category model
 * @since 0.1.0
 */
export type Result = t.TypeOf<typeof Result>

/**
 * Where a run is, by the digests of its tensors: `params.PATH`, `optimizer.NAME`. The state of its advantage is the one array.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Manifest = /*#__PURE__*/ t.strict({
  step: wholeIn(0, 2 ** 40),
  tensors: listUpTo(t.tuple([name, shape, oneOf('f32', 'f64'), Hex]), 2 ** 16)
})

/**
 * Where a run is.
 *
 * @category model
 * @since 0.1.0
 */
export type Manifest = t.TypeOf<typeof Manifest>

/**
 * What a message says, if it is of a kind. Left: why it is not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const says =
  <A>(codec: t.Type<A, unknown, unknown>) =>
  (head: unknown): E.Either<string, A> =>
    pipe(decodeWith(codec, head), E.mapLeft(showError))
