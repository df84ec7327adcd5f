/**
 * What can be wrong with a checkpoint, and how to say it.
 *
 * @since 0.1.0
 */
import { cut, quote } from '../document/Shown.js'
import { type SafetensorsError, showError as showSafetensors } from '../format/SafetensorsError.js'
import { type NotFinite, show } from '../tensor/Finite.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with a checkpoint. `NotReadable`: no safetensors file. `NoCheckpoint`: a file of something else.
 * `Altered`: not the bits that were written. `BadText`: a text or a number that is none of its kind. `NotFinite`: a
 * number that no run goes on from. `OfAnotherRun`: a text of the identity that differs. `Missing`, `Unknown`,
 * `OtherForm`: tensors that are not those of the run.
 *
 * @category model
 * @since 0.1.0
 */
export type CheckpointError =
  | { readonly _tag: 'NotReadable'; readonly error: SafetensorsError }
  | { readonly _tag: 'NoCheckpoint' }
  | { readonly _tag: 'Altered'; readonly what: string }
  | {
      readonly _tag: 'BadText' | 'OfAnotherRun'
      readonly name: string
      readonly expected: string | undefined
      readonly got: string | undefined
    }
  | { readonly _tag: 'NotFinite'; readonly found: NotFinite }
  | { readonly _tag: 'Missing' | 'Unknown'; readonly tensor: string }
  | { readonly _tag: 'OtherForm'; readonly tensor: string; readonly expected: string; readonly got: string }

/**
 * What the names of a fine-tune's tensors begin with.
 *
 * @category model
 * @since 0.1.0
 */
export const prefix = { params: 'params', optimizer: 'optimizer', critic: 'critic', old: 'old' } as const

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: CheckpointError): string => {
  switch (error._tag) {
    case 'NotReadable':
      return showSafetensors(error.error)
    case 'NoCheckpoint':
      return 'expected a checkpoint, as finetune and pretrain write it, got another file; begin a run of its own'
    case 'Altered':
      return `${error.what}: expected what was written, got other bits; the file is damaged, so take a copy of it or begin again`
    case 'BadText':
      return `${error.name}: expected ${error.expected ?? 'nothing'}, got ${brief(error.got)}; take a copy of the checkpoint or begin again`
    case 'NotFinite':
      return `expected finite numbers, got some where ${cut(show(error.found))}; begin again`
    case 'OfAnotherRun':
      return `${error.name}: expected ${brief(error.expected)}, got ${brief(error.got)}; the checkpoint is of another run, so go on with that one, or begin again in another folder`
    case 'Missing':
      return `${quote(error.tensor)}: expected a tensor, got none; take a copy of the checkpoint or begin again`
    case 'Unknown':
      return `${quote(error.tensor)}: expected no such tensor, got one; take a copy of the checkpoint or begin again`
    case 'OtherForm':
      return `${quote(error.tensor)}: expected ${error.expected}, got ${error.got}; the checkpoint is of another model`
  }
}

const brief = (text: string | undefined): string =>
  text === undefined ? 'nothing' : text === '' ? 'an empty text' : cut(text)
