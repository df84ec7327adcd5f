/**
 * What can be wrong with a checkpoint, and how to say it.
 *
 * @since 0.1.0
 */
import { quote } from '../document/Shown.js'
import { formats } from './Dtype.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The name in the header under which the format keeps text.
 *
 * @category model
 * @since 0.1.0
 */
export const metadataName = '__metadata__'

/**
 * What can be wrong with a checkpoint. `Truncated`: the file ends before `what` does. `BadHeader`: the header is not
 * the JSON that the format asks for. `UnknownDtype`: a number format that is not read. `SizeMismatch`: a tensor's bytes
 * do not fill its shape. `BadOffsets`: tensors overlap, leave a gap or end elsewhere than the file. `NotExact`: an
 * integer beyond 2^53. `ReservedName`: a tensor to be written is called `__metadata__`. `TooLarge`: more than `Limits` has.
 *
 * @category model
 * @since 0.1.0
 */
export type SafetensorsError =
  | { readonly _tag: 'Truncated'; readonly what: string; readonly expected: number; readonly got: number }
  | { readonly _tag: 'BadHeader'; readonly what: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'UnknownDtype'; readonly tensor: string; readonly got: string }
  | {
      readonly _tag: 'SizeMismatch'
      readonly tensor: string
      readonly dtype: string
      readonly shape: ReadonlyArray<number>
      readonly expected: number
      readonly got: number
    }
  | { readonly _tag: 'BadOffsets'; readonly what: string; readonly expected: number; readonly got: number }
  | { readonly _tag: 'NotExact'; readonly tensor: string; readonly index: number; readonly got: string }
  | { readonly _tag: 'ReservedName' }
  | { readonly _tag: 'TooLarge'; readonly what: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: SafetensorsError): string => {
  switch (error._tag) {
    case 'Truncated':
      return `${error.what}: expected ${error.expected} bytes, got ${error.got}; the file is cut off, copy or write it again`
    case 'BadHeader':
      return `${error.what}: expected ${error.expected}, got ${error.got}; check that this is a safetensors file`
    case 'UnknownDtype':
      return `${quote(error.tensor)}: expected a dtype of ${Object.keys(formats).join(', ')}, got ${quote(error.got)}; convert the tensor first`
    case 'SizeMismatch':
      return `${quote(error.tensor)}: expected ${error.expected} bytes for ${error.dtype} [${error.shape.join(', ')}], got ${error.got}; write the file again`
    case 'BadOffsets':
      return `${error.what}: expected at byte ${error.expected} of the data, got ${error.got}; tensors have to lie end to end, write the file again`
    case 'NotExact':
      return `${quote(error.tensor)}[${error.index}]: expected an integer below 2^53 in magnitude, got ${error.got}; store the tensor as F64`
    case 'TooLarge':
      return `${error.what}: expected ${error.expected}, got ${error.got}; store the tensors in several files`
    case 'ReservedName':
      return `tensors: expected any name but "${metadataName}", got it; the format keeps it for text, rename the tensor`
  }
}
