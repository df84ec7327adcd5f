/**
 * The estimators of the literature, as covers: one file of `catalogue/` each, with its constructor and its row.
 *
 * @since 0.1.0
 */
export * from './catalogue/All.gen.js'
export type { ZerothOrderOptions } from './catalogue/Fields.js'
export type { RlrOptions } from './catalogue/Rlr.js'
