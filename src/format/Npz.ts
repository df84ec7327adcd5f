/**
 * Named arrays as `.npz` files, to tensors: zip archives of `.npy` files, stored or deflated.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { quote } from '../document/Shown.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Npy from './Npy.js'
import * as Zip from './Zip.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with an archive of arrays: the archive itself, or `BadArray`: the file `where` in it is no array.
 *
 * @category model
 * @since 0.1.0
 */
export type NpzError =
  | Zip.ZipError
  | { readonly _tag: 'BadArray'; readonly where: string; readonly error: Npy.NpyError }

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const extension = '.npy'

const array = ({ name, unpack }: Zip.File): E.Either<NpzError, readonly [string, Tensor]> =>
  name.endsWith(extension)
    ? pipe(
        unpack(),
        E.flatMap((content) =>
          pipe(
            Npy.decode(content),
            E.mapLeft((error): NpzError => ({ _tag: 'BadArray', where: name, error }))
          )
        ),
        E.map((tensor) => [name.slice(0, -extension.length), tensor])
      )
    : E.left({ _tag: 'Unsupported', where: name, expected: `a file named *${extension}`, got: 'another' })

/**
 * The tensors in an archive's bytes, by name. Of each, what `Npy.decode` says holds.
 *
 * Left when the archive is damaged or hostile, as `Zip.files` has it, or has a file that is no array.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<NpzError, Values> =>
  pipe(
    Zip.files(bytes),
    E.flatMap(E.traverseArray(array)),
    // `fromEntries` and not assignment: an array may be called `__proto__`
    E.map((named) => Object.fromEntries(named))
  )

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: NpzError): string => {
  const where = quote(error.where)
  switch (error._tag) {
    case 'BadArchive':
      return `${where}: expected ${error.expected}, got ${error.got}; the archive is damaged, copy or save it again`
    case 'TooLarge':
      return `${where}: expected ${error.expected}, got ${error.got}; the archive is small for what it holds, save the arrays without compression`
    case 'Unsupported':
      return `${where}: expected ${error.expected}, got ${error.got}; save the arrays with numpy.savez`
    case 'BadArray':
      return `${where}: ${Npy.showError(error.error)}`
  }
}
