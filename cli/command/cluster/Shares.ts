/**
 * What `compare` and `verify` measure, in shares that workers measure by themselves.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { decodeWith, isRecord, listUpTo, showError, textUpTo, wholeIn } from 'halforder/document/Document'
import * as t from 'io-ts'
import { broken, fail, type Failure, type Step, usage } from '../../edge/Failure.js'
import { interruptible } from '../../edge/Signals.js'
import type { Order } from '../study/Hands.js'
import { pooled } from '../study/Pool.js'
import { elsewhere, unsendable } from './Elsewhere.js'
import type { ClusterOptions } from './Leading.js'

// -------------------------------------------------------------------------------------
// shares
// -------------------------------------------------------------------------------------

/** The most shares that there are. */
const most = 4096

const shareName = (k: number, n: number): string => `${k + 1} of ${n}`

/**
 * The places of a share, such as `2 of 5`: every fifth, from the second. Left: a text that names none.
 *
 * @category readings
 * @since 0.1.0
 */
export const placesOf = (share: string): E.Either<Failure, (place: number) => boolean> => {
  const [, one = '', all = ''] = /^(\d{1,4}) of (\d{1,4})$/.exec(share) ?? []
  const [k, n] = [Number(one), Number(all)]
  return k >= 1 && k <= n && n <= most
    ? E.right((place) => place % n === k - 1)
    : E.left(usage(`share: expected one such as "2 of 5", got ${JSON.stringify(share.slice(0, 40))}`))
}

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

const named = ['NaN', 'Infinity', '-Infinity']

/**
 * Numbers, also those that JSON has none of: they are sent by name, which `packed` sees to.
 *
 * @category codecs
 * @since 0.1.0
 */
export const real: t.Type<number, number, unknown> = /*#__PURE__*/ new t.Type<number, number, unknown>(
  'a number',
  (u): u is number => typeof u === 'number',
  (u, context) =>
    typeof u === 'number'
      ? t.success(u)
      : typeof u === 'string' && named.includes(u)
        ? t.success(Number(u))
        : t.failure(u, context),
  t.identity
)

/**
 * Data as they are sent, numbers that JSON has none of by name.
 *
 * @category utils
 * @since 0.1.0
 */
export const packed = (data: unknown): unknown => {
  if (typeof data === 'number') return Number.isFinite(data) ? data : String(data)
  if (Array.isArray(data)) return data.map(packed)
  return isRecord(data) ? Object.fromEntries(Object.entries(data).map(([name, value]) => [name, packed(value)])) : data
}

/**
 * Where something stands among all that is measured.
 *
 * @category codecs
 * @since 0.1.0
 */
export const place: t.Type<number, number, unknown> = /*#__PURE__*/ wholeIn(0, 2 ** 20)

/**
 * A name, or a reason.
 *
 * @category codecs
 * @since 0.1.0
 */
export const text: t.Type<string, string, unknown> = /*#__PURE__*/ textUpTo(2 ** 14)

// -------------------------------------------------------------------------------------
// asking
// -------------------------------------------------------------------------------------

/**
 * What is asked for: an order a share, `least` to `all` of what is measured, and in how many shares for each worker that is there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Asking<A> {
  readonly orderOf: (share: string) => Order
  readonly piece: t.Type<A, A, unknown>
  readonly least: number
  readonly all: number
  readonly each: number
}

/** What a share came to, if it is whole, and of that share. */
const piecesOf =
  <A extends { readonly place: number }>({ piece, least, all }: Asking<A>, k: number, n: number) =>
  (value: unknown): E.Either<Failure, ReadonlyArray<A>> =>
    pipe(
      decodeWith(listUpTo(piece, most), value),
      E.mapLeft((error) => broken(`the answer of a worker: ${showError(error)}`)),
      E.filterOrElse(
        (pieces) => {
          const places = new Set(pieces.map((one) => one.place))
          const own = (count: number): ReadonlyArray<number> =>
            Array.from({ length: count }, (_, i) => i).filter((i) => i % n === k)
          const known = new Set(own(all))
          return (
            places.size === pieces.length &&
            own(least).every((i) => places.has(i)) &&
            [...places].every((i) => known.has(i))
          )
        },
        () => broken(`the answer of a worker is not that of share ${shareName(k, n)}`)
      )
    )

const interrupted = 'interrupted'

/**
 * As `fail`; 130 where it was interrupted.
 *
 * @category effects
 * @since 0.1.0
 */
export const failShares =
  (command: string) =>
  (failure: Failure): number => {
    const code = fail(command)(failure)
    return failure.message === interrupted ? 130 : code
  }

/**
 * Has shares measured by the workers at a Redis, and gives what they come to in the order of places, whoever measured what. Left: what can not be
 * sent, `interrupted`, or what went wrong.
 *
 * @category effects
 * @since 0.1.0
 */
export const inShares =
  <A extends { readonly place: number }>(asking: Asking<A>) =>
  (options: ClusterOptions & { readonly redis: string }): Step<ReadonlyArray<A>> => {
    const why = unsendable(asking.orderOf(shareName(0, 1)))
    if (why !== undefined) return TE.left(usage(`--redis: ${why}; leave --redis out`))
    return () =>
      interruptible((stop) =>
        elsewhere(options, stop, (program, workers) => {
          const n = Math.max(1, Math.min(asking.all, asking.each * workers, most))
          const steps = Array.from({ length: n }, (_, k) =>
            pipe(
              TE.tryCatch(
                () => program(asking.orderOf(shareName(k, n)), stop),
                (error) => broken(String(error))
              ),
              TE.flatMapEither((answer) =>
                answer._tag === 'Done'
                  ? piecesOf(asking, k, n)(answer.value)
                  : E.left(broken(answer._tag === 'Failed' ? answer.reason : interrupted))
              )
            )
          )
          return pipe(
            pooled(n, stop, () => undefined)(steps),
            TE.map((all) => all.flat().sort((a, b) => a.place - b.place))
          )
        })()
      )
  }
