/**
 * Checkpoints in several safetensors files, with an index of which tensor is in which.
 *
 * The index is JSON, `{ "metadata": { "total_size": 1234 }, "weight_map": { "a.weight": "model-00001-of-00002.safetensors" } }`, as
 * tools write it beside the files.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import { decodeWith, type DocumentError, fault } from '../document/Document.js'
import * as Json from '../document/Json.js'
import { quote } from '../document/Shown.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import { limits } from './Limits.js'
import { type Checkpoint, decode, showError, type SafetensorsError } from './Safetensors.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The name of the file of each tensor.
 *
 * @category model
 * @since 0.1.0
 */
export type Index = Readonly<Record<string, string>>

/**
 * What can be wrong with several files. `BadIndex`: the index is not what it should be. `BadShard`: a file of it is not read.
 * `Elsewhere`: a tensor is not in the file that the index names, or in one that it does not name.
 *
 * @category model
 * @since 0.1.0
 */
export type ShardedError =
  | { readonly _tag: 'BadIndex'; readonly error: DocumentError }
  | { readonly _tag: 'BadShard'; readonly file: string; readonly error: SafetensorsError }
  | { readonly _tag: 'Elsewhere'; readonly tensor: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const Document = /*#__PURE__*/ t.type(
  { metadata: t.unknown, weight_map: /*#__PURE__*/ t.record(t.string, t.string, 'a record of names of files') },
  'an index of weights'
)

// a name and no path: files lie beside their index
const isName = (file: string): boolean => /^[^/\\]+$/.test(file) && file !== '.' && file !== '..'

/**
 * The index in a text. Left: it is no index, names more than 65,536 tensors, or a file that is not beside it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const index = (text: string): E.Either<ShardedError, Index> =>
  pipe(
    Json.parse(text),
    E.flatMap((json) => decodeWith(Document, json, 'the index')),
    E.map(({ weight_map }) => weight_map),
    E.filterOrElse(
      (map) => Object.keys(map).length <= limits.tensors,
      (map) =>
        fault(
          'weight_map',
          `at most ${limits.tensors} tensors`,
          Object.keys(map).length,
          'store them in several models'
        )
    ),
    E.chainFirst((map) => {
      const outside = Object.values(map).find((file) => !isName(file))
      return outside === undefined
        ? E.right(undefined)
        : E.left(fault('weight_map', 'names of files beside the index', outside, 'name them without a folder'))
    }),
    E.mapLeft((error): ShardedError => ({ _tag: 'BadIndex', error }))
  )

/**
 * The names of an index's files, each once, in order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const files = (map: Index): ReadonlyArray<string> => [...new Set(Object.values(map))].sort()

const elsewhere = (tensor: string, expected: string, got: string): E.Either<ShardedError, never> =>
  E.left({ _tag: 'Elsewhere', tensor, expected, got })

/**
 * The tensors of an index from the bytes of its files, which `read` gives by name. Left: a file that is no checkpoint, or that has
 * not exactly the tensors that the index says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const join = (map: Index, bytes: Readonly<Record<string, Uint8Array>>): E.Either<ShardedError, Values> =>
  pipe(
    files(map),
    RA.traverse(E.Applicative)((file) =>
      pipe(
        // own keys: a file may be called `constructor`
        decode(Object.hasOwn(bytes, file) ? (bytes[file] ?? new Uint8Array(0)) : new Uint8Array(0)),
        E.mapLeft((error): ShardedError => ({ _tag: 'BadShard', file, error })),
        E.flatMap(tensorsOf(map, file))
      )
    ),
    E.map((parts) => Object.fromEntries(parts.flat()))
  )

const tensorsOf =
  (map: Index, file: string) =>
  ({ tensors }: Checkpoint): E.Either<ShardedError, ReadonlyArray<readonly [string, Tensor]>> => {
    const meant = Object.keys(map).filter((name) => map[name] === file)
    const missing = meant.find((name) => !Object.hasOwn(tensors, name))
    const extra = Object.keys(tensors).find((name) => !Object.hasOwn(map, name) || map[name] !== file)
    if (missing !== undefined) return elsewhere(missing, `in ${quote(file)}, as the index has it`, 'no such tensor')
    return extra === undefined ? E.right(Object.entries(tensors)) : elsewhere(extra, 'in the index', quote(file))
  }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showShardedError = (error: ShardedError): string => {
  switch (error._tag) {
    case 'BadIndex':
      return `index: ${error.error.path}: expected ${error.error.expected}, got ${error.error.got}; ${error.error.remedy}`
    case 'BadShard':
      return `${quote(error.file)}: ${showError(error.error)}`
    case 'Elsewhere':
      return `${quote(error.tensor)}: expected ${error.expected}, got ${error.got}; copy all files of one model`
  }
}
