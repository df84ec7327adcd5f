/**
 * What can be wrong with a file of `torch.save`, and how to say it.
 *
 * @since 0.1.0
 */
import { plain, quote, several } from '../../document/Shown.js'
import { show } from '../../tensor/Shape.js'
import type { PickleError } from './PickleValue.js'
import type { ZipError } from '../ZipDirectory.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with a file of `torch.save`.
 *
 * - `NotTorch`: it is none, or one that holds a program. `Archive`: the archive is damaged. `Pickle`: its pickle is, or asks for
 *   what is not data.
 * - `Storage`: numbers are not where a tensor says, or of a kind that is not read.
 * - `TooLarge`: more than `Limits` has. `None`: there is no tensor in it.
 * - `Choose`: there are several groups of tensors, or none of the name that was asked for.
 *
 * @category model
 * @since 0.1.0
 */
export type TorchError =
  | { readonly _tag: 'NotTorch'; readonly expected: string; readonly got: string; readonly remedy: string }
  | { readonly _tag: 'Archive'; readonly error: ZipError }
  | { readonly _tag: 'Pickle'; readonly error: PickleError }
  | { readonly _tag: 'Storage'; readonly tensor: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'TooLarge'; readonly what: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'None' }
  | { readonly _tag: 'Choose'; readonly asked: string | undefined; readonly groups: ReadonlyArray<string> }
  | { readonly _tag: 'Unlike'; readonly tensor: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

const again = 'the file is damaged, copy or save it again'

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: TorchError): string => {
  switch (error._tag) {
    case 'NotTorch':
      return `file: expected ${error.expected}, got ${error.got}; ${error.remedy}`
    case 'Archive':
      return `${quote(error.error.where)}: expected ${error.error.expected}, got ${error.error.got}; ${again}`
    case 'Pickle':
      return error.error._tag === 'Refused'
        ? `byte ${error.error.at} of the pickle: expected tensors, containers, numbers and texts, got the global ${quote(error.error.global)}; nothing was run: save \`model.state_dict()\` alone`
        : `byte ${error.error.at} of the pickle: expected ${error.error.expected}, got ${error.error.got}; ${again}`
    case 'Storage':
      return `${quote(error.tensor)}: expected ${error.expected}, got ${error.got}; ${again}`
    case 'TooLarge':
      return `${error.what}: expected ${error.expected}, got ${error.got}; save the tensors in several files`
    case 'None':
      return 'file: expected tensors, got none; save `model.state_dict()`'
    case 'Choose':
      return `weights: expected ${error.asked === undefined ? 'one group of tensors' : `a group called ${quote(error.asked)}`}, got ${several(error.groups.map(plain))}; name one of them as the weights' key`
    case 'Unlike':
      return `${quote(error.tensor)}: expected ${error.expected}, got ${error.got}; give each tensor numbers of its own shape`
  }
}

/**
 * A shape as errors have it.
 *
 * @category utils
 * @since 0.1.0
 */
export const shownShape = (shape: ReadonlyArray<number>): string => show(shape)
