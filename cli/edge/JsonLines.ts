/**
 * Text of one JSON object a line.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type * as t from 'io-ts'

/**
 * What each line of a text says, in their order; empty lines say nothing. Left: the first line that is not what `Line` describes, by its
 * number, and `expected`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read =
  <L, A>(Line: t.Decoder<unknown, L>, name: string, expected: string, said: (line: L) => A) =>
  (text: string): E.Either<string, ReadonlyArray<A>> =>
    pipe(
      text.split('\n').filter((line) => line !== ''),
      RA.traverseWithIndex(E.Applicative)((i, line) =>
        pipe(
          E.tryCatch(
            (): unknown => JSON.parse(line),
            () => undefined
          ),
          E.flatMap((parsed) => Line.decode(parsed)),
          E.bimap(() => `${name}, line ${i + 1}: expected ${expected}`, said)
        )
      )
    )
