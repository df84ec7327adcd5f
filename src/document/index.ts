/**
 * Reading what people write: documents decoded strictly, and the words that a mistyped one may stand for.
 *
 * @since 0.1.0
 */
export * as Document from './Document.js'
export * as Nearest from './Nearest.js'
export * as Numbers from './Numbers.js'
