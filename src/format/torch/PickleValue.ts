/**
 * What a pickle can hold here: data, and never anything that was run.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A value of a pickle.
 *
 * - `Items`: a tuple, a list or a set. `Dict`: keys and values in the order in which they came.
 * - `Global`: a name that the reader knows what to do with. `Persistent`: what the container of the pickle keeps elsewhere, by
 *   its identifier.
 * - `Made`: what a known global would make of some arguments; a reader decides what that is. `Inert`: what another known one
 *   would make, of which nothing is read.
 *
 * @category model
 * @since 0.1.0
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Items
  | Dict
  | Global
  | Persistent
  | Made
  | Inert

/** See `Value`. @category model @since 0.1.0 */
export interface Items {
  readonly _tag: 'Items'
  readonly items: Array<Value>
}

/** See `Value`. @category model @since 0.1.0 */
export interface Dict {
  readonly _tag: 'Dict'
  readonly entries: Array<readonly [Value, Value]>
}

/** See `Value`. @category model @since 0.1.0 */
export interface Global {
  readonly _tag: 'Global'
  readonly name: string
}

/** See `Value`. @category model @since 0.1.0 */
export interface Persistent {
  readonly _tag: 'Persistent'
  readonly id: Value
}

/** See `Value`. @category model @since 0.1.0 */
export interface Made {
  readonly _tag: 'Made'
  readonly name: string
  readonly args: ReadonlyArray<Value>
}

/** See `Value`. @category model @since 0.1.0 */
export interface Inert {
  readonly _tag: 'Inert'
  readonly name: string
}

/**
 * What a reader does with a global, by its name: `dict`, `items` and `only` are containers of Python's that hold what they are
 * given (`only` is its first argument), `made` is for the reader to look at, `inert` is left alone. A name that is not in the
 * table is refused.
 *
 * @category model
 * @since 0.1.0
 */
export type Known = Readonly<Record<string, 'dict' | 'items' | 'only' | 'made' | 'inert'>>

/**
 * Why a pickle is not read, at a byte of it. `Refused`: it asks for a global that is not in the table. `Bad`: it is damaged, or
 * uses what is not read.
 *
 * @category model
 * @since 0.1.0
 */
export type PickleError =
  | { readonly _tag: 'Refused'; readonly at: number; readonly global: string }
  | { readonly _tag: 'Bad'; readonly at: number; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A tuple, list or set of values.
 *
 * @category constructors
 * @since 0.1.0
 */
export const list = (items: Array<Value>): Items => ({ _tag: 'Items', items })

/**
 * A dictionary of keys and values in turn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dict = (flat: ReadonlyArray<Value>): Dict => ({ _tag: 'Dict', entries: pairs(flat) })

/**
 * Keys and values in turn, in pairs.
 *
 * @category utils
 * @since 0.1.0
 */
export const pairs = (flat: ReadonlyArray<Value>): Array<readonly [Value, Value]> =>
  Array.from({ length: Math.floor(flat.length / 2) }, (_, i) => [flat[2 * i] ?? null, flat[2 * i + 1] ?? null] as const)

// -------------------------------------------------------------------------------------
// refinements
// -------------------------------------------------------------------------------------

/**
 * Is it a value of this kind?
 *
 * @category refinements
 * @since 0.1.0
 */
export const is = <T extends (Items | Dict | Global | Persistent | Made | Inert)['_tag']>(
  tag: T,
  value: Value | undefined
): value is Extract<Value, { readonly _tag: T }> =>
  typeof value === 'object' && value !== null && '_tag' in value && value._tag === tag
