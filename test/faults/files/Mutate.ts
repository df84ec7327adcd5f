/**
 * What is done to files: to their bytes, and to the words of their texts.
 */
import type { Chance } from './Chance.js'

type Bytes = Uint8Array

const join = (...parts: ReadonlyArray<Bytes>): Bytes => {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

// -------------------------------------------------------------------------------------
// bytes
// -------------------------------------------------------------------------------------

const words = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff] as const

type Edit = (chance: Chance, bytes: Bytes) => Bytes

const edits: readonly [Edit, ...ReadonlyArray<Edit>] = [
  // a bit
  ({ below }, bytes) => {
    const changed = bytes.slice()
    const at = below(bytes.length)
    if (bytes.length > 0) changed[at] = (changed[at] ?? 0) ^ (1 << below(8))
    return changed
  },
  // a byte
  ({ below }, bytes) => {
    const changed = bytes.slice()
    if (bytes.length > 0) changed[below(bytes.length)] = below(256)
    return changed
  },
  // the end
  ({ below }, bytes) => bytes.slice(0, below(bytes.length + 1)),
  // some bytes more
  ({ below }, bytes) => {
    const at = below(bytes.length + 1)
    const more = Uint8Array.from({ length: 1 + below(16) }, () => below(256))
    return join(bytes.slice(0, at), more, bytes.slice(at))
  },
  // some bytes less
  ({ below }, bytes) => {
    const at = below(bytes.length + 1)
    return join(bytes.slice(0, at), bytes.slice(at + 1 + below(16)))
  },
  // a part twice
  ({ below }, bytes) => {
    const from = below(bytes.length + 1)
    const to = from + below(bytes.length - from + 1)
    return join(bytes.slice(0, to), bytes.slice(from))
  },
  // a number
  ({ below, of }, bytes) => {
    const changed = bytes.slice()
    const width = of([1, 2, 4])
    if (bytes.length < width) return changed
    const at = below(bytes.length - width + 1)
    const view = new DataView(changed.buffer)
    const value = below(4) === 0 ? bytes.length + below(9) - 4 : of(words)
    if (width === 1) view.setUint8(at, value & 0xff)
    else if (width === 2) view.setUint16(at, value & 0xffff, true)
    else view.setUint32(at, value >>> 0, true)
    return changed
  }
]

/** One to four edits of bytes. */
export const mutateBytes = (chance: Chance, bytes: Bytes): Bytes => {
  let changed = bytes
  for (let n = 1 + chance.below(4); n > 0; n--) changed = chance.of(edits)(chance, changed)
  return changed
}

// -------------------------------------------------------------------------------------
// text
// -------------------------------------------------------------------------------------

/** What may stand for a number, a text, or anything. */
const numbers = [
  '0',
  '-1',
  '1',
  '2',
  '0.5',
  '-0',
  '1e400',
  '-1e400',
  '1e-400',
  '1e10',
  '1e15',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '1e300',
  '100000',
  '0x10',
  '1_000',
  'NaN',
  'Infinity',
  '.nan',
  '.inf',
  '65537',
  '10000',
  '3.0000000001',
  "''",
  'null',
  'true',
  '[]',
  '{}'
] as const
const texts = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  ' ',
  '\\ud800',
  '\\u0000',
  '\\u001b[31m',
  'a.b',
  '**',
  '../../x',
  '*a',
  '&a',
  '!!binary',
  'é',
  '𝕏',
  'faces',
  'rlr',
  'mlp',
  'F32',
  'description',
  '__metadata__',
  'a'.repeat(200),
  '**.'.repeat(60)
] as const
const values = [
  'null',
  'true',
  'false',
  '[]',
  '{}',
  '[[]]',
  '{"a":1}',
  '""',
  '0',
  '-1',
  '1e400',
  '[1,2]',
  '[null]',
  '"a"',
  '{"__proto__":{"a":1}}',
  '{"constructor":1}'
] as const

const word = /"(?:[^"\\]|\\.)*"|'[^']*'|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_][\w.]*|[{}[\](),:\n]|\s+|./gsu

type TextEdit = (chance: Chance, parts: ReadonlyArray<string>) => ReadonlyArray<string>

const replaced = (parts: ReadonlyArray<string>, at: number, text: string): ReadonlyArray<string> =>
  parts.map((part, i) => (i === at ? text : part))

/** The place of a part that fits, of all that do. */
const placeOf = ({ below }: Chance, parts: ReadonlyArray<string>, fits: (part: string) => boolean): number => {
  const places = parts.flatMap((part, i) => (fits(part) ? [i] : []))
  return places[below(places.length)] ?? -1
}

const isNumber = (part: string): boolean => /^-?\d/.test(part)
const isText = (part: string): boolean => /^["'A-Za-z_]/.test(part)

const textEdits: readonly [TextEdit, ...ReadonlyArray<TextEdit>] = [
  (chance, parts) => replaced(parts, placeOf(chance, parts, isNumber), chance.of(numbers)),
  (chance, parts) =>
    replaced(parts, placeOf(chance, parts, isNumber), `${chance.below(2 ** 31) * 2 ** chance.below(40)}`),
  (chance, parts) => {
    const at = placeOf(chance, parts, isText)
    const quote = /^["']/.exec(parts[at] ?? '')?.[0] ?? ''
    return replaced(parts, at, `${quote}${chance.of(texts)}${quote}`)
  },
  (chance, parts) =>
    replaced(
      parts,
      placeOf(chance, parts, (part) => isNumber(part) || isText(part)),
      chance.of(values)
    ),
  // a word less
  ({ below }, parts) => {
    const at = below(parts.length)
    return parts.filter((_, i) => i !== at)
  },
  // two words in each other's places
  ({ below }, parts) => {
    const [i, j] = [below(parts.length), below(parts.length)]
    return parts.map((part, k) => (k === i ? (parts[j] ?? '') : k === j ? (parts[i] ?? '') : part))
  },
  // a part twice, or many times
  (chance, parts) => {
    const from = chance.below(parts.length + 1)
    const to = Math.min(from + chance.below(12), parts.length)
    const part = parts.slice(from, to)
    const times = chance.of([1, 1, 1, 2, 50, 1000])
    return [...parts.slice(0, to), ...Array.from({ length: times }, () => part).flat(), ...parts.slice(to)]
  },
  // a word many times
  (chance, parts) => {
    const at = chance.below(parts.length)
    const times = chance.of([2, 100, 10_000])
    return replaced(parts, at, (parts[at] ?? '').slice(0, 20).repeat(times))
  },
  // a word of another place, or one that a text may have
  (chance, parts) => {
    const at = chance.below(parts.length + 1)
    const more = chance.of([
      ...texts,
      ...numbers,
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      "'",
      '\n',
      '? ',
      '- ',
      '# ',
      '*a',
      '&a ',
      '!t ',
      '|',
      '>',
      '%YAML 1.1\n---\n'
    ])
    return [...parts.slice(0, at), more, ...parts.slice(at)]
  },
  // the end
  ({ below }, parts) => parts.slice(0, below(parts.length + 1))
]

/** A text that has grown is cut to so many characters. */
const longest = 2 ** 18

/** One to three edits of the words of a text. */
export const mutateText = (chance: Chance, text: string): string => {
  let parts: ReadonlyArray<string> = text.match(word) ?? []
  for (let n = 1 + chance.below(3); n > 0; n--) parts = chance.of(textEdits)(chance, parts)
  return parts.join('').slice(0, longest)
}

// -------------------------------------------------------------------------------------
// values
// -------------------------------------------------------------------------------------

const strange: readonly [unknown, ...ReadonlyArray<unknown>] = [
  0,
  -1,
  1,
  0.5,
  1e10,
  1e15,
  2 ** 31,
  2 ** 53,
  1e300,
  10_000,
  65_537,
  null,
  true,
  '',
  'constructor',
  '__proto__',
  '1',
  [],
  {},
  [[]],
  [0, 0],
  { a: 1 },
  'x'.repeat(300),
  new Array(100).fill(1),
  { kind: 'firstOrder', to: 1e10 }
]
const keys = ['toString', 'constructor', '__proto__', '', 'a b', 'name', 'kind', 'x'.repeat(300)] as const

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value with another one at some place in it. */
const mutateValue = (chance: Chance, value: unknown): unknown => {
  const { below, of } = chance
  const inside = Array.isArray(value) ? value.length > 0 : isGroup(value) && Object.keys(value).length > 0
  if (!inside || below(6) === 0) return of(strange)
  if (Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    const at = below(items.length)
    const other = of([
      () => [mutateValue(chance, items[at])],
      () => [],
      () => [items[at], items[at]],
      () => [of(strange), items[at]]
    ])
    return [...items.slice(0, at), ...other(), ...items.slice(at + 1)]
  }
  const entries: ReadonlyArray<readonly [string, unknown]> = isGroup(value) ? Object.entries(value) : []
  const at = below(entries.length)
  const [key, own] = entries[at] ?? ['', undefined]
  const change = below(8)
  const other: ReadonlyArray<readonly [string, unknown]> =
    change === 0
      ? []
      : change === 1
        ? [[of(keys), own]]
        : change === 2
          ? [
              [key, own],
              [of(keys), of(strange)]
            ]
          : [[key, mutateValue(chance, own)]]
  return Object.fromEntries([...entries.slice(0, at), ...other, ...entries.slice(at + 1)])
}

/** One to three other values in a JSON text. */
export const mutateJson = (chance: Chance, text: string): string => {
  let value: unknown = JSON.parse(text)
  for (let n = 1 + chance.below(3); n > 0; n--) value = mutateValue(chance, value)
  return JSON.stringify(value)
}

/** Other values where a text is JSON, or other words. */
export const mutateDocument = (chance: Chance, text: string): string =>
  chance.below(2) === 0 && /^[{[]"?/.test(text) && !/^\{\w/.test(text)
    ? mutateJson(chance, text)
    : mutateText(chance, text)
