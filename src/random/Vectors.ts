/**
 * The words of Philox and their normals four and two at a time, in WebAssembly: the operations of `Philox.fill` and `Quantile.normals`
 * in the same order, so the same bits, in a quarter of the time.
 *
 * WebAssembly fixes every operation that occurs here to one result, as ECMAScript does for those of the two modules: 32-bit words, and
 * + - * / and the square root of f64. Nothing is multiplied and added in one instruction.
 *
 * Sources: as there; WebAssembly Core Specification 2.0, chapter 5 (binary format).
 *
 * @since 0.1.0
 */
import type { Data } from '../tensor/Tensor.js'
import type { Words2, Words4 } from './Philox.js'
import * as P from './Philox.js'
import * as Q from './Quantile.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One engine's vectors. `words` writes the blocks of `2 * pairs` counters, as `Philox.fill` does, into a memory of its own, and gives
 * them; they are overwritten by the next call. `normals` writes the normals of `count` of these words, from the `from`-th on.
 *
 * @category model
 * @since 0.1.0
 */
export interface Vectors {
  readonly words: (key: Words2, counter: Words4, pairs: number) => Uint32Array
  readonly normals: (from: number, count: number, out: Data, at: number) => void
}

/**
 * The most words at a time.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostWords = 1024

// -------------------------------------------------------------------------------------
// code
// -------------------------------------------------------------------------------------

type Bytes = ReadonlyArray<number>

const leb = (value: number): Bytes => (value < 128 ? [value] : [(value % 128) + 128, ...leb(Math.floor(value / 128))])

const signed = (value: number): Bytes =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]

const get = (local: number): Bytes => [0x20, ...leb(local)]
const set = (local: number, ...value: ReadonlyArray<Bytes>): Bytes => [...value.flat(), 0x21, ...leb(local)]
const integer = (value: number): Bytes => [0x41, ...signed(value | 0)]
const simd = (opcode: number, ...immediates: Bytes): Bytes => [0xfd, ...leb(opcode), ...immediates]

/** An operation of two arguments. */
const of2 =
  (operation: Bytes) =>
  (a: Bytes, b: Bytes): Bytes => [...a, ...b, ...operation]
const of1 =
  (operation: Bytes) =>
  (a: Bytes): Bytes => [...a, ...operation]

const plus = of2([0x6a])
const minus = of2([0x6b])
const shiftRight = of2([0x76])
const shiftRightSigned = of2([0x75])
const xorInteger = of2([0x73])

const words = {
  splat: of1(simd(0x11)),
  below: of2(simd(0x3a)),
  add: of2(simd(0xae)),
  sub: of2(simd(0xb1)),
  shl: of2(simd(0xab)),
  sign: (a: Bytes): Bytes => [...a, ...integer(31), ...simd(0xac)],
  /** the products of lanes 0 and 1, or 2 and 3, in 64 bits */
  lowProducts: of2(simd(0xde)),
  highProducts: of2(simd(0xdf))
}
const xor = of2(simd(0x51))
const and = of2(simd(0x4e))
const or = of2(simd(0x50))
const without = of2(simd(0x4f))

const add = of2(simd(0xf0))
const sub = of2(simd(0xf1))
const mul = of2(simd(0xf2))
const div = of2(simd(0xf3))
const root = of1(simd(0xef))
const ofSigned = of1(simd(0xfe))
const ofUnsigned = of1(simd(0xff))
const narrow = of1(simd(0x5e))

const loadTwo = (address: Bytes, offset: number): Bytes => [...address, ...simd(0x5d, 0, ...leb(offset))]
const loadOne = (address: Bytes, offset: number): Bytes => [...address, ...simd(0x5c, 0, ...leb(offset))]
const loadLane = (address: Bytes, offset: number, lane: number, onto: Bytes): Bytes => [
  ...address,
  ...onto,
  ...simd(0x56, 0, ...leb(offset), lane)
]
const store = (address: Bytes, offset: number, value: Bytes): Bytes => [
  ...address,
  ...value,
  ...simd(0x0b, 0, ...leb(offset))
]
const storeLane = (width: 4 | 8, address: Bytes, offset: number, lane: number, value: Bytes): Bytes => [
  ...address,
  ...value,
  ...simd(width === 8 ? 0x5b : 0x5a, 0, ...leb(offset), lane)
]
const integerAt = (address: Bytes, offset: number): Bytes => [...address, 0x28, 2, ...leb(offset)]
const storeInteger = (address: Bytes, offset: number, value: Bytes): Bytes => [
  ...address,
  ...value,
  0x36,
  2,
  ...leb(offset)
]

const bytesOf = (value: ArrayBufferView): Bytes => [...new Uint8Array(value.buffer)]
const constant = (bytes: Bytes): Bytes => simd(0x0c, ...bytes)
const double = (value: number): Bytes => constant(bytesOf(Float64Array.of(value, value)))
const lanes = (...values: ReadonlyArray<number>): Bytes => constant(bytesOf(Int32Array.from(values)))
const both64 = (low: number, high: number): Bytes => lanes(low, high, low, high)

const shuffle = (a: Bytes, b: Bytes, chosen: ReadonlyArray<number>): Bytes => [
  ...a,
  ...b,
  ...simd(0x0d, ...chosen.flatMap((lane) => [4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3]))
]

/** Repeats `body` as long as a local, which grows by `step`, is below an end; at least once. */
const loop = (local: number, step: number, end: Bytes, ...body: ReadonlyArray<Bytes>): Bytes => [
  0x03,
  0x40,
  ...body.flat(),
  ...set(local, plus(get(local), integer(step))),
  ...get(local),
  ...end,
  0x49,
  0x0d,
  0,
  0x0b
]

/** Horner's rule, the highest power first. */
const horner = (coefficients: ReadonlyArray<number>, x: Bytes): Bytes =>
  coefficients.slice(1).reduce((sum, c) => add(mul(sum, x), double(c)), double(coefficients[0] ?? 0))

// -------------------------------------------------------------------------------------
// the module
// -------------------------------------------------------------------------------------

// where the words, the places of those in the tails, and the normals are, in bytes
const atWords = 0
const atTails = 8192
const atNormals = 16384

/** `words(key0, key1, first, second, third, fourth, bytes)`: the blocks of four counters, again and again. */
const fill = (): Routine => {
  const [key0, key1, first, second, third, fourth, bytes, at] = [0, 1, 2, 3, 4, 5, 6, 7]
  const [x0, x1, x2, x3, k0, k1, low, high, y] = [8, 9, 10, 11, 12, 13, 14, 15, 16]
  const product = (local: number, multiplier: number, into: number, top: number): Bytes => {
    const m = words.splat(integer(multiplier))
    return [
      ...set(into, words.lowProducts(get(local), m)),
      ...set(top, words.highProducts(get(local), m)),
      ...set(y, shuffle(get(into), get(top), [0, 2, 4, 6])),
      ...set(top, shuffle(get(into), get(top), [1, 3, 5, 7])),
      ...set(into, get(y))
    ]
  }
  const round = (): Bytes => [
    ...product(x2, P.multipliers[1], low, high),
    ...set(17, xor(xor(get(high), get(x1)), get(k0))),
    ...set(x1, get(low)),
    ...product(x0, P.multipliers[0], low, high),
    ...set(x2, xor(xor(get(high), get(x3)), get(k1))),
    ...set(x3, get(low)),
    ...set(x0, get(17)),
    ...set(k0, words.add(get(k0), words.splat(integer(P.weyl[0])))),
    ...set(k1, words.add(get(k1), words.splat(integer(P.weyl[1]))))
  ]
  const turned = (a: number, b: number, chosen: ReadonlyArray<number>): Bytes => shuffle(get(a), get(b), chosen)
  return {
    parameters: 7,
    locals: [
      [1, i32],
      [10, v128]
    ],
    body: loop(
      at,
      64,
      get(bytes),
      set(x0, words.add(words.splat(get(first)), lanes(0, 1, 2, 3))),
      // where the first word went round, the second counts: the mask is -1
      set(x1, words.sub(words.splat(get(second)), words.below(get(x0), words.splat(get(first))))),
      set(second, minus(get(second), [...plus(get(first), integer(4)), ...get(first), 0x49, 0x41, 0x7f, 0x6c])),
      set(first, plus(get(first), integer(4))),
      set(x2, words.splat(get(third))),
      set(x3, words.splat(get(fourth))),
      set(k0, words.splat(get(key0))),
      set(k1, words.splat(get(key1))),
      Array.from({ length: P.rounds }, round).flat(),
      // four words of four blocks, turned
      set(low, turned(x0, x1, [0, 4, 1, 5])),
      set(high, turned(x2, x3, [0, 4, 1, 5])),
      store(get(at), atWords, turned(low, high, [0, 1, 4, 5])),
      store(get(at), atWords + 16, turned(low, high, [2, 3, 6, 7])),
      set(low, turned(x0, x1, [2, 6, 3, 7])),
      set(high, turned(x2, x3, [2, 6, 3, 7])),
      store(get(at), atWords + 32, turned(low, high, [0, 1, 4, 5])),
      store(get(at), atWords + 48, turned(low, high, [2, 3, 6, 7]))
    )
  }
}

/**
 * `normals(from, count)`: where the words are, in bytes, and how many. The central formula for each, then that of the tails where it is
 * one, two at a time, the last one twice.
 */
const normals = (width: 4 | 8): Routine => {
  const [from, count, i, found, at, first, second] = [0, 1, 2, 3, 4, 5, 6]
  const [q, r, word, sign, t, value] = [7, 8, 9, 10, 11, 12]
  const place = (local: number): Bytes => [...get(local), ...integer(width), 0x6c]
  const put = (address: (lane: number) => Bytes, result: Bytes): Bytes => [
    ...set(value, width === 8 ? result : narrow(result)),
    ...[0, 1].flatMap((lane) => storeLane(width, address(lane), atNormals, lane, get(value)))
  ]
  const scaled = (local: number): Bytes => [...get(local), ...integer(4), 0x6c]
  const wordAt = (local: number): Bytes => plus(get(from), scaled(local))
  const centre: Bytes = [
    ...set(q, mul(sub(ofUnsigned(loadTwo(wordAt(i), atWords)), double(Q.middle - 0.5)), double(1 / 4294967296))),
    ...set(r, sub(double(0.180625), mul(get(q), get(q)))),
    ...put(
      (lane) => plus(place(i), integer(lane * width)),
      div(mul(get(q), horner(Q.centreOver, get(r))), horner(Q.centreUnder, get(r)))
    )
  ]
  const folded = xorInteger(get(first), shiftRightSigned(get(first), integer(31)))
  const search: Bytes = [
    ...storeInteger(scaled(found), atTails, get(i)),
    ...set(first, integerAt(wordAt(i), atWords)),
    ...set(found, plus(get(found), shiftRight(minus(folded, integer(Q.tailEnd)), integer(31))))
  ]
  const exponent = ofSigned(
    shuffle([...get(q), ...integer(52), ...simd(0xcd)], [...get(q), ...integer(52), ...simd(0xcd)], [0, 2, 0, 2])
  )
  const series = [17, 15, 13, 11, 9, 7, 5, 3].reduce((sum, n) => add(double(1 / n), mul(get(t), sum)), double(1 / 19))
  const tail: Bytes = [
    ...set(first, integerAt(get(at), atTails)),
    ...set(second, integerAt(get(at), atTails + 4)),
    ...set(word, loadLane(wordAt(second), atWords, 1, loadOne(wordAt(first), atWords))),
    ...set(sign, words.sign(get(word))),
    // 2 folded + 1
    ...set(q, ofSigned(or(words.shl(xor(get(word), get(sign)), integer(1)), lanes(1, 1, 1, 1)))),
    // f in [1, 2)
    ...set(r, or(and(get(q), both64(-1, 0x000fffff)), double(1))),
    ...set(q, mul(sub(double(32.5 + 1023), exponent), double(Q.ln2))),
    ...set(r, div(sub(get(r), double(Q.sqrt2)), add(get(r), double(Q.sqrt2)))),
    ...set(t, mul(get(r), get(r))),
    ...set(t, add(double(1), mul(get(t), series))),
    ...set(r, sub(root(sub(get(q), mul(mul(double(2), get(r)), get(t)))), double(1.6))),
    ...put(
      (lane) => place(lane === 0 ? first : second),
      xor(
        div(horner(Q.tailOver, get(r)), horner(Q.tailUnder, get(r))),
        without(both64(0, -2147483648), shuffle(get(sign), get(sign), [0, 0, 1, 1]))
      )
    )
  ]
  return {
    parameters: 2,
    locals: [
      [5, i32],
      [6, v128]
    ],
    body: [
      ...loop(i, 2, get(count), centre),
      ...set(i, integer(0)),
      ...loop(i, 1, get(count), search),
      // nothing in the tails: nothing to do
      ...get(found),
      0x45,
      0x04,
      0x40,
      0x0f,
      0x0b,
      ...storeInteger(scaled(found), atTails, integerAt(minus(scaled(found), integer(4)), atTails)),
      ...loop(at, 8, scaled(found), tail)
    ]
  }
}

const i32 = 0x7f
const v128 = 0x7b

/** A function of so many 32-bit numbers, without a result. */
interface Routine {
  readonly parameters: number
  readonly locals: ReadonlyArray<readonly [count: number, type: number]>
  readonly body: Bytes
}

const section = (id: number, items: ReadonlyArray<Bytes>): Bytes => {
  const payload = [...leb(items.length), ...items.flat()]
  return [id, ...leb(payload.length), ...payload]
}
const text = (name: string): Bytes => [name.length, ...Array.from(name, (letter) => letter.charCodeAt(0))]

/** The magic number and the version. */
const header: Bytes = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

const moduleBytes = (): Uint8Array<ArrayBuffer> => {
  const functions = { words: fill(), normals32: normals(4), normals64: normals(8) }
  const all = Object.values(functions)
  const names = Object.keys(functions)
  return Uint8Array.from([
    ...header,
    ...section(
      1,
      all.map(({ parameters }) => [0x60, parameters, ...new Array<number>(parameters).fill(i32), 0])
    ),
    ...section(
      3,
      all.map((_, i) => [i])
    ),
    ...section(5, [[0, 1]]),
    ...section(7, [[...text('memory'), 2, 0], ...names.map((name, i) => [...text(name), 0, i])]),
    ...section(
      10,
      all.map(({ locals, body }) => {
        const bytes = [locals.length, ...locals.flat(), ...body, 0x0b]
        return [...leb(bytes.length), ...bytes]
      })
    )
  ])
}

// -------------------------------------------------------------------------------------
// the engine's
// -------------------------------------------------------------------------------------

const start = (): Vectors | undefined => {
  if (typeof WebAssembly === 'undefined') return undefined
  const bytes = moduleBytes()
  if (!WebAssembly.validate(bytes)) return undefined
  const {
    memory,
    words: makeWords,
    normals32,
    normals64
  } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports
  if (
    !(memory instanceof WebAssembly.Memory) ||
    typeof makeWords !== 'function' ||
    typeof normals32 !== 'function' ||
    typeof normals64 !== 'function'
  ) {
    return undefined
  }
  const made = new Uint32Array(memory.buffer, atWords, mostWords)
  const single = new Float32Array(memory.buffer, atNormals, mostWords)
  const wide = new Float64Array(memory.buffer, atNormals, mostWords)
  return {
    words: (key, [first, second, third, fourth], pairs) => {
      Reflect.apply(makeWords, undefined, [...key, first, second, third, fourth, 32 * pairs])
      return made
    },
    normals: (from, count, out, at) => {
      const short = out instanceof Float32Array
      Reflect.apply(short ? normals32 : normals64, undefined, [4 * from, count])
      out.set((short ? single : wide).subarray(0, count), at)
    }
  }
}

let started: { readonly vectors: Vectors | undefined } | undefined

/**
 * The vectors of this engine, made when they are first asked for, or `undefined` where it has none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const vectors = (): Vectors | undefined => (started ??= { vectors: start() }).vectors
