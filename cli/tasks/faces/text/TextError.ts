/**
 * What can be wrong with a prompt in words.
 *
 * @since 0.1.0
 */
import { quote } from 'halforder/document/Shown'
import type { Slot } from './Words.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why a text is no prompt.
 *
 * - `UnknownWord`: with the nearest words that are known.
 * - `Misplaced`: an adjective that does not go with its noun; `known` are those that do.
 * - `Dangling`: a word that needs another after it, which does not come.
 * - `Contradiction`: two statements about one slot that share no value.
 * - `Unexpressible`: what no set of values for each slot says, such as "glasses or a hat".
 * - `Incomplete`: a whole face was asked for, and these attributes are open.
 * - `Moving`: an image was asked for, and the text names a motion.
 * - `InPart`: one of several texts is wrong.
 *
 * @category model
 * @since 0.1.0
 */
export type TextError =
  | { readonly _tag: 'UnknownWord'; readonly word: string; readonly nearest: ReadonlyArray<string> }
  | { readonly _tag: 'Misplaced'; readonly word: string; readonly noun: string; readonly known: ReadonlyArray<string> }
  | { readonly _tag: 'Dangling'; readonly word: string; readonly expected: string }
  | {
      readonly _tag: 'Contradiction'
      readonly slot: Slot
      readonly said: ReadonlyArray<string>
      readonly and: ReadonlyArray<string>
    }
  | { readonly _tag: 'Unexpressible'; readonly words: string; readonly remedy: string }
  | { readonly _tag: 'Incomplete'; readonly open: ReadonlyArray<Slot> }
  | { readonly _tag: 'Moving'; readonly motion: ReadonlyArray<string> }
  | { readonly _tag: 'InPart'; readonly part: string; readonly error: TextError }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: TextError): string => {
  switch (error._tag) {
    case 'UnknownWord':
      return `prompt: expected a known word, got ${quote(error.word)}; the nearest are ${error.nearest.join(', ')}`
    case 'Misplaced':
      return `prompt: expected ${error.known.length === 0 ? 'no adjective' : error.known.join(', ')} before "${error.noun}", got "${error.word}"; change or remove it`
    case 'Dangling':
      return `prompt: expected ${error.expected} after "${error.word}", got the end of the phrase; add or remove a word`
    case 'Contradiction':
      return `prompt: expected one ${error.slot}, got ${error.said.join(' or ')} and ${error.and.join(' or ')}; keep one of them`
    case 'Unexpressible':
      return `prompt: expected words that allow some values of each attribute, got "${error.words}"; ${error.remedy}`
    case 'Incomplete':
      return `prompt: expected a whole face, got none or several values of ${error.open.join(', ')}; name one value of each`
    case 'Moving':
      return `prompt: expected an image, got the motion ${error.motion.join(' or ')}; remove it, or use a model of clips`
    case 'InPart':
      return `${error.part}: ${showError(error.error)}`
  }
}
