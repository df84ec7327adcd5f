/**
 * Which workers are of one kind, and what each says of itself.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { listUpTo, textUpTo, wholeIn } from 'halforder/document/Document'
import * as t from 'io-ts'
import * as Parcel from './Parcel.js'
import { keys, lifetime, type Open } from './Redis.js'
import { Hex, says } from './Wire.js'

// -------------------------------------------------------------------------------------
// kinds
// -------------------------------------------------------------------------------------

/**
 * Which workers may work for one another: those of one version, whose bits are the same. With `tolerant` bits may differ.
 *
 * @category utils
 * @since 0.1.0
 */
export const lineOf = (version: string, digest: string, tolerant: boolean): string =>
  `blocks-${version}-${tolerant ? 'any' : digest.slice(0, 16)}`

/**
 * The queue of whole runs, of those who may work for one another.
 *
 * @category utils
 * @since 0.1.0
 */
export const cellLine = (version: string, digest: string, tolerant: boolean): string =>
  lineOf(version, digest, tolerant).replace(/^blocks/, 'cells')

/**
 * The queue of one worker.
 *
 * @category utils
 * @since 0.1.0
 */
export const ownLine = (id: string): string => `blocks-of-${id}`

/**
 * What a worker, or a leader, says of itself while it is there.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Card = /*#__PURE__*/ t.strict({
  id: textUpTo(128),
  version: textUpTo(64),
  probe: Hex,
  tolerant: t.boolean,
  tasks: listUpTo(textUpTo(256), 256),
  jobs: wholeIn(0, 2 ** 48),
  failures: wholeIn(0, 2 ** 48),
  received: wholeIn(0, 2 ** 52),
  sent: wholeIn(0, 2 ** 52),
  seconds: wholeIn(0, 2 ** 40)
})

/**
 * What a worker says of itself.
 *
 * @category model
 * @since 0.1.0
 */
export type Card = t.TypeOf<typeof Card>

/**
 * Shows a card, for as long as it is shown again, and what the probe gave, which is kept once for all who give the same.
 *
 * @category effects
 * @since 0.1.0
 */
export const showCard = async (
  { redis }: Pick<Open, 'redis'>,
  key: string,
  card: Card,
  numbers: Float32Array
): Promise<void> => {
  const head = Buffer.from(Parcel.encode({ head: card, arrays: [] }))
  const pipeline = redis.pipeline().set(key, head, 'EX', lifetime.worker).expire(keys.probe(card.probe), lifetime.part)
  const found = await pipeline.exec()
  if (found?.[1]?.[1] === 0) {
    const bytes = Buffer.from(Parcel.encode({ head: card.probe, arrays: [numbers] }))
    await redis.set(keys.probe(card.probe), bytes, 'EX', lifetime.part)
  }
}

/**
 * The cards of those who are there.
 *
 * @category effects
 * @since 0.1.0
 */
export const cards = async ({ redis }: Pick<Open, 'redis'>, pattern: string): Promise<ReadonlyArray<Card>> => {
  const found = await redis.keys(pattern)
  if (found.length === 0) return []
  const all = await redis.mgetBuffer(...found)
  return all.flatMap((bytes) => {
    if (bytes === null) return []
    const read = pipe(
      Parcel.decode(bytes),
      E.flatMap(({ head }) => says(Card)(head))
    )
    return E.isLeft(read) ? [] : [read.right]
  })
}

/**
 * What the probe of a digest gave, none where nobody kept it.
 *
 * @category effects
 * @since 0.1.0
 */
export const probed = async ({ redis }: Pick<Open, 'redis'>, digest: string): Promise<Float32Array> => {
  const bytes = await redis.getBuffer(keys.probe(digest))
  const read = bytes === null ? E.left('none') : Parcel.decode(bytes)
  const [numbers] = E.isRight(read) ? read.right.arrays : []
  return numbers instanceof Float32Array && Parcel.digestOf(Parcel.bytesOf(numbers)) === digest
    ? numbers
    : new Float32Array(0)
}

/**
 * The largest difference of two machines, relative to the larger of the two numbers; infinite where they are not as many.
 *
 * @category utils
 * @since 0.1.0
 */
export const apartness = (a: Float32Array, b: Float32Array): number =>
  a.length === b.length
    ? a.reduce((most, x, i) => {
        const y = b[i] ?? Number.NaN
        const larger = Math.max(Math.abs(x), Math.abs(y))
        return Object.is(x, y) || larger === 0 ? most : Math.max(most, Math.abs(x - y) / larger)
      }, 0)
    : Number.POSITIVE_INFINITY
