/**
 * Reading what people write: documents decoded strictly, the words that a mistyped one may stand for, patterns of paths,
 * and what is shown of what was found.
 *
 * @since 0.1.0
 */
export * as Document from './Document.js'
export * as Json from './Json.js'
export * as Nearest from './Nearest.js'
export * as Numbers from './Numbers.js'
export * as Pattern from './Pattern.js'
export * as Shown from './Shown.js'
