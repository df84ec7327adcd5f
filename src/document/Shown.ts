/**
 * What a person is shown of a value: enough to find it again, and never more than a few lines, whatever was read.
 *
 * Every error that repeats what it was given draws it here, so that a file of 50 MB is not echoed to a terminal, a value that
 * contains itself can be shown, and a number that JSON has no word for keeps its own.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * How much of a value is shown: characters of a text, items of a list or fields of a group, levels of groups in groups, and
 * characters of the whole.
 *
 * @category constants
 * @since 0.1.0
 */
export const most = { characters: 80, items: 8, levels: 3, line: 300 } as const

// -------------------------------------------------------------------------------------
// showing
// -------------------------------------------------------------------------------------

/**
 * A text in quotes, what can not be printed escaped, cut after its first characters.
 *
 * @category showing
 * @since 0.1.0
 */
export const quote = (text: string): string =>
  text.length <= most.characters
    ? escaped(text)
    : `${escaped(text.slice(0, most.characters / 2))}... (${text.length} characters)`

// terminals obey some of the controls, and JSON leaves those from 7f on as they are
const unprintable = /[\p{Cc}\u2028\u2029]/gu

const escaped = (text: string): string =>
  JSON.stringify(text).replace(unprintable, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * A text as it is where it is short and printable, and else in quotes.
 *
 * @category showing
 * @since 0.1.0
 */
export const plain = (text: string): string => {
  const quoted = quote(text)
  return quoted === `"${text}"` ? text : quoted
}

/**
 * A line of text without quotes, such as a path or what a parser said: cut where it is too long, and with blanks for what can not
 * be printed.
 *
 * @category showing
 * @since 0.1.0
 */
export const cut = (line: string): string =>
  (line.length <= most.line ? line : `${line.slice(0, most.line)}...`).replace(unprintable, ' ')

/**
 * A list in words, cut after its first items: `a, b, c, ... (300000 in all)`.
 *
 * @category showing
 * @since 0.1.0
 */
export const several = (items: ReadonlyArray<string>, count: number = most.items): string =>
  items.length <= count ? items.join(', ') : `${items.slice(0, count).join(', ')}, ... (${items.length} in all)`

/**
 * Any value, much as JSON has it: `[1,2]`, `{"a":[...]}`, `"text"`, `Infinity`, `nothing` where there is none. Long texts and
 * lists, and deep groups, are cut; a value that contains itself is only deep.
 *
 * @category showing
 * @since 0.1.0
 */
export const shown = (value: unknown): string => cut(value === undefined ? 'nothing' : drawn(value, 0))

const drawn = (value: unknown, level: number): string => {
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? list(value, level) : group(value, level)
    case 'undefined':
      return 'null'
    case 'number':
    case 'boolean':
      return String(value)
    case 'bigint':
      return plain(String(value))
    default:
      return `a ${typeof value}`
  }
}

const list = (values: ReadonlyArray<unknown>, level: number): string => {
  if (level === most.levels && values.length > 0) return '[...]'
  const items = values.slice(0, most.items).map((item) => drawn(item, level + 1))
  return values.length <= most.items ? `[${items.join(',')}]` : `[${items.join(',')},... ${values.length} in all]`
}

const group = (value: object, level: number): string => {
  const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(value)
  if (level === most.levels && entries.length > 0) return '{...}'
  const fields = entries.slice(0, most.items).map(([key, field]) => `${quote(key)}:${drawn(field, level + 1)}`)
  return entries.length <= most.items ? `{${fields.join(',')}}` : `{${fields.join(',')},... ${entries.length} in all}`
}
