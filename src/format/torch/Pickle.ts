/**
 * Python's pickles as data: a reader of protocols 0 to 5 that runs nothing.
 *
 * A pickle is a program for a small machine with a stack. Here its instructions build values of a closed set. What would import a
 * name is looked up in a table that the caller gives, and refused by that name where it is not in it; what would call one makes a
 * record of the call. See https://docs.python.org/3/library/pickletools.html, and PEP 307, 3154 and 574.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { limits } from '../Limits.js'
import { dict, is, type Known, list, pairs, type PickleError, type Value } from './PickleValue.js'

export { type Known, type PickleError, type Value } from './PickleValue.js'

// -------------------------------------------------------------------------------------
// the machine
// -------------------------------------------------------------------------------------

/** The state of a reading: where it is, its stack with marks in it, what it remembers, and what is wrong so far. */
interface Machine {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly known: Known
  at: number
  stack: Array<Value>
  readonly marks: Array<number>
  readonly memo: Map<number, Value>
  wrong: PickleError | undefined
}

const fail = (m: Machine, expected: string, got: string): void => {
  m.wrong ??= { _tag: 'Bad', at: m.at, expected, got }
}

/** Goes on by `n` bytes, and gives the place where they begin; fails where they are missing. */
const advance = (m: Machine, n: number): number => {
  const start = m.at
  if (n >= 0 && start + n <= m.bytes.length) m.at += n
  else fail(m, `${n} more bytes`, `${m.bytes.length - start}`)
  return start
}

/** The next `n` bytes; none are missing but where something is wrong. */
const bytesOf = (m: Machine, n: number): Uint8Array => {
  const start = advance(m, n)
  return m.bytes.subarray(start, m.at)
}

/** A number of `width` bytes, little-endian; 0 where they are missing. */
const unsigned = (m: Machine, width: 1 | 2 | 4 | 8): number => {
  const at = advance(m, width)
  if (m.at < at + width) return 0
  switch (width) {
    case 1:
      return m.bytes[at] ?? 0
    case 2:
      return m.view.getUint16(at, true)
    case 4:
      return m.view.getUint32(at, true)
    case 8:
      return Number(m.view.getBigUint64(at, true))
  }
}

/** A line of text, as the first protocol writes. */
const line = (m: Machine): string => {
  const end = m.bytes.indexOf(0x0a, m.at)
  if (end < 0) fail(m, 'a line', 'no end of it')
  const text = utf8(bytesOf(m, Math.max(end - m.at, 0)))
  m.at += 1
  return text
}

const utf8 = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
const latin = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes)

const push = (m: Machine, value: Value): void => {
  m.stack.push(value)
}

const pop = (m: Machine): Value => {
  const value = m.stack.length > (m.marks.at(-1) ?? 0) ? m.stack.pop() : undefined
  if (value === undefined) fail(m, 'a value on the stack', 'none')
  return value ?? null
}

const top = (m: Machine): Value => {
  const value = m.stack.at(-1)
  if (value === undefined) fail(m, 'a value on the stack', 'none')
  return value ?? null
}

/** What is on the stack above the last mark, which is taken away too. */
const marked = (m: Machine): Array<Value> => {
  const mark = m.marks.pop()
  if (mark === undefined) fail(m, 'a mark', 'none')
  return m.stack.splice(mark ?? m.stack.length)
}

// -------------------------------------------------------------------------------------
// what instructions do
// -------------------------------------------------------------------------------------

// an integer of Python has any length; none that a checkpoint has is longer
const longest = 1024

const fromTwos = (bytes: Uint8Array): number | bigint => {
  const digits = Array.from(bytes.toReversed(), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const size = BigInt(8 * bytes.length)
  return bytes.length === 0 ? 0 : exact(BigInt.asIntN(Number(size), BigInt(`0x${digits}`)))
}

const exact = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

const long = (m: Machine, length: number): void => {
  if (length > longest) fail(m, `an integer of at most ${longest} bytes`, `${length}`)
  push(m, fromTwos(bytesOf(m, length)))
}

/** An integer or a truth value in decimal. */
const decimal = (m: Machine): void => {
  const text = line(m).replace(/L$/, '')
  if (!/^[+-]?\d{1,2000}$/.test(text)) fail(m, 'an integer', JSON.stringify(text.slice(0, 40)))
  else push(m, text === '00' ? false : text === '01' ? true : exact(BigInt(text)))
}

const double = (m: Machine): void => {
  const at = advance(m, 8)
  push(m, m.wrong === undefined ? m.view.getFloat64(at) : 0)
}

const int32 = (m: Machine): void => {
  const at = advance(m, 4)
  push(m, m.wrong === undefined ? m.view.getInt32(at, true) : 0)
}

const global = (m: Machine, name: string): void => {
  if (Object.hasOwn(m.known, name)) push(m, { _tag: 'Global', name })
  else m.wrong ??= { _tag: 'Refused', at: m.at, global: name }
}

/** What a call of a known global makes. */
const call = (m: Machine, callee: Value, args: Value): void => {
  if (!is('Global', callee) || !is('Items', args)) return fail(m, 'a global and its arguments', shownKind(callee))
  const { items } = args
  const [first = null] = items
  const given = is('Items', first) ? [...first.items] : []
  switch (m.known[callee.name]) {
    case 'dict':
      return push(m, is('Dict', first) ? first : dict(given.flatMap((one) => (is('Items', one) ? one.items : []))))
    case 'items':
      return push(m, list(given))
    case 'only':
      return push(m, first)
    case 'made':
      return push(m, { _tag: 'Made', name: callee.name, args: items })
    default:
      return push(m, { _tag: 'Inert', name: callee.name })
  }
}

const shownKind = (value: Value): string =>
  typeof value === 'object' && value !== null && '_tag' in value ? value._tag.toLowerCase() : typeof value

/** A state for what is below it on the stack: attributes of containers and of what is left alone are dropped. */
const build = (m: Machine): void => {
  pop(m)
  const built = top(m)
  if (!is('Dict', built) && !is('Inert', built)) fail(m, 'a container for a state', shownKind(built))
}

const append = (m: Machine, values: ReadonlyArray<Value>): void => {
  const target = top(m)
  if (is('Items', target)) for (const value of values) target.items.push(value)
  else if (!is('Inert', target)) fail(m, 'a list to add to', shownKind(target))
}

const setItems = (m: Machine, flat: ReadonlyArray<Value>): void => {
  const target = top(m)
  if (flat.length % 2 === 1) fail(m, 'a value for each key', `${flat.length} of both`)
  if (is('Dict', target)) for (const pair of pairs(flat)) target.entries.push(pair)
  else if (!is('Inert', target)) fail(m, 'a dictionary to add to', shownKind(target))
}

const put = (m: Machine, index: number): void => {
  m.memo.set(index, top(m))
}

const get = (m: Machine, index: number): void => {
  const value = m.memo.get(index)
  if (value === undefined) fail(m, 'a value that was remembered', `number ${index}`)
  else push(m, value)
}

const tuple = (m: Machine, n: number): void => {
  const start = m.stack.length - n
  if (start < (m.marks.at(-1) ?? 0)) fail(m, `${n} values on the stack`, `${m.stack.length}`)
  else push(m, list(m.stack.splice(start)))
}

const swapped = (m: Machine, make: (first: Value, second: Value) => void): void => {
  const second = pop(m)
  make(pop(m), second)
}

const namedGlobal = (m: Machine, module: Value, name: Value): void =>
  typeof module === 'string' && typeof name === 'string'
    ? global(m, `${module}.${name}`)
    : fail(m, 'the name of a global', shownKind(name))

// -------------------------------------------------------------------------------------
// instructions
// -------------------------------------------------------------------------------------

const instructions: Readonly<Record<string, (m: Machine) => void>> = {
  '(': (m) => {
    m.marks.push(m.stack.length)
    if (m.marks.length > limits.nested) fail(m, `at most ${limits.nested} containers in one another`, 'more')
  },
  '0': pop,
  '1': marked,
  '2': (m) => push(m, top(m)),
  N: (m) => push(m, null),
  '\x88': (m) => push(m, true),
  '\x89': (m) => push(m, false),
  I: decimal,
  L: decimal,
  J: int32,
  K: (m) => push(m, unsigned(m, 1)),
  M: (m) => push(m, unsigned(m, 2)),
  '\x8a': (m) => long(m, unsigned(m, 1)),
  '\x8b': (m) => long(m, unsigned(m, 4)),
  F: (m) => push(m, Number(line(m))),
  G: double,
  S: (m) => push(m, line(m).slice(1, -1)),
  V: (m) => push(m, line(m)),
  T: (m) => push(m, latin(bytesOf(m, unsigned(m, 4)))),
  U: (m) => push(m, latin(bytesOf(m, unsigned(m, 1)))),
  X: (m) => push(m, utf8(bytesOf(m, unsigned(m, 4)))),
  '\x8c': (m) => push(m, utf8(bytesOf(m, unsigned(m, 1)))),
  '\x8d': (m) => push(m, utf8(bytesOf(m, unsigned(m, 8)))),
  B: (m) => push(m, bytesOf(m, unsigned(m, 4))),
  C: (m) => push(m, bytesOf(m, unsigned(m, 1))),
  '\x8e': (m) => push(m, bytesOf(m, unsigned(m, 8))),
  '\x96': (m) => push(m, bytesOf(m, unsigned(m, 8))),
  ')': (m) => push(m, list([])),
  t: (m) => push(m, list(marked(m))),
  '\x85': (m) => tuple(m, 1),
  '\x86': (m) => tuple(m, 2),
  '\x87': (m) => tuple(m, 3),
  ']': (m) => push(m, list([])),
  l: (m) => push(m, list(marked(m))),
  a: (m) => swapped(m, (target, value) => (push(m, target), append(m, [value]))),
  e: (m) => {
    const values = marked(m)
    append(m, values)
  },
  '}': (m) => push(m, dict([])),
  d: (m) => push(m, dict(marked(m))),
  s: (m) => swapped(m, (key, value) => setItems(m, [key, value])),
  u: (m) => {
    const flat = marked(m)
    setItems(m, flat)
  },
  '\x8f': (m) => push(m, list([])),
  '\x90': (m) => {
    const values = marked(m)
    append(m, values)
  },
  '\x91': (m) => push(m, list(marked(m))),
  c: (m) => {
    const module = line(m)
    global(m, `${module}.${line(m)}`)
  },
  '\x93': (m) => swapped(m, (module, name) => namedGlobal(m, module, name)),
  R: (m) => swapped(m, (callee, args) => call(m, callee, args)),
  '\x81': (m) => swapped(m, (callee, args) => call(m, callee, args)),
  b: build,
  p: (m) => put(m, Number(line(m))),
  q: (m) => put(m, unsigned(m, 1)),
  r: (m) => put(m, unsigned(m, 4)),
  '\x94': (m) => put(m, m.memo.size),
  g: (m) => get(m, Number(line(m))),
  h: (m) => get(m, unsigned(m, 1)),
  j: (m) => get(m, unsigned(m, 4)),
  Q: (m) => push(m, { _tag: 'Persistent', id: pop(m) }),
  '\x80': (m) => {
    const protocol = unsigned(m, 1)
    if (protocol > 5) fail(m, 'protocol 5 at most', `${protocol}`)
  },
  // a frame says how much is read at once, which changes nothing
  '\x95': (m) => {
    unsigned(m, 8)
  }
}

/** The instructions by their byte. */
const byCode: ReadonlyArray<((m: Machine) => void) | undefined> = /*#__PURE__*/ Array.from(
  { length: 256 },
  (_, code) => instructions[String.fromCharCode(code)]
)

const stop = 0x2e

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The value of the pickle that begins at a byte, and the byte behind it. Nothing is called, and nothing is looked up but the
 * names of globals in `known`, by module and name: `collections.OrderedDict`. Time and memory are in proportion to the bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (
  bytes: Uint8Array,
  start: number,
  known: Known
): E.Either<PickleError, { readonly value: Value; readonly end: number }> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const m: Machine = { bytes, view, known, at: start, stack: [], marks: [], memo: new Map(), wrong: undefined }
  while (m.wrong === undefined) {
    const code = unsigned(m, 1)
    if (m.wrong !== undefined) break
    if (code === stop) {
      const value = pop(m)
      if (m.wrong === undefined) return E.right({ value, end: m.at })
    } else {
      const instruction = byCode[code]
      if (instruction === undefined) fail(m, 'an instruction that is read', `0x${code.toString(16)}`)
      else instruction(m)
    }
  }
  return E.left(m.wrong)
}
