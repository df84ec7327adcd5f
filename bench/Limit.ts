/**
 * A product of square matrices as WebAssembly written for nothing else: tiles of 4 rows and 8 columns in registers, no packing,
 * no unrolling. What a compiler of kernels can be measured against.
 */
import type { Contender } from './Work.js'

const unsigned = (n: number): ReadonlyArray<number> => (n < 128 ? [n] : [(n & 127) | 128, ...unsigned(n >>> 7)])

const signed = (n: number): ReadonlyArray<number> =>
  n >= -64 && n < 64 ? [n & 127] : [(n & 127) | 128, ...signed(n >> 7)]

const text = (name: string): ReadonlyArray<number> => [...unsigned(name.length), ...Buffer.from(name)]

const section = (id: number, content: ReadonlyArray<number>): ReadonlyArray<number> => [
  id,
  ...unsigned(content.length),
  ...content
]

type Code = ReadonlyArray<number>

const get = (local: number): Code => [0x20, ...unsigned(local)]
const set = (local: number): Code => [0x21, ...unsigned(local)]
const constant = (n: number): Code => [0x41, ...signed(n)]
const add: Code = [0x6a]
const vector = (operation: number): Code => [0xfd, ...unsigned(operation)]
const load = (offset: number): Code => [...vector(0), 0, ...unsigned(offset)]
const splat = (offset: number): Code => [...vector(9), 0, ...unsigned(offset)]
const store = (offset: number): Code => [...vector(11), 0, ...unsigned(offset)]
const multiply = vector(0xe6)
const sum = vector(0xe4)
const zero: Code = [...vector(12), ...new Array<number>(16).fill(0)]

/** `local += n`, and again from the start of the loop while it is below `end`. */
const loop = (local: number, n: number, end: Code, body: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...get(local),
  ...constant(n),
  ...add,
  ...set(local),
  ...get(local),
  ...end,
  0x49,
  0x0d,
  0,
  0x0b
]

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

const rows = 4

/** The module: `a` at 0, `b` behind it, the product behind that. `n` is a multiple of 8. */
const module = (n: number): Uint8Array<ArrayBuffer> => {
  const line = 4 * n
  const matrix = line * n
  // byte offsets: of the row of a, of the column of b, and running pointers into both
  const [i, j, p, q] = [0, 1, 2, 3]
  const accumulator = (r: number, v: number): number => 4 + 2 * r + v
  const [left, right] = [12, 14]
  const step: Code = [
    ...range(2).flatMap((v) => [...get(q), ...load(16 * v), ...set(right + v)]),
    ...range(rows).flatMap((r) => [
      ...get(p),
      ...splat(r * line),
      ...set(left),
      ...range(2).flatMap((v) => [
        ...get(accumulator(r, v)),
        ...get(left),
        ...get(right + v),
        ...multiply,
        ...sum,
        ...set(accumulator(r, v))
      ])
    ]),
    ...get(q),
    ...constant(line),
    ...add,
    ...set(q)
  ]
  // i counts bytes of a from 0 in steps of 4 rows, j bytes of a row of b in steps of 8 columns
  const tile: Code = [
    ...range(2 * rows).flatMap((r) => [...zero, ...set(4 + r)]),
    ...get(i),
    ...set(p),
    ...constant(matrix),
    ...get(j),
    ...add,
    ...set(q),
    ...loop(p, 4, [...get(i), ...constant(line), ...add], step),
    ...range(rows).flatMap((r) =>
      range(2).flatMap((v) => [
        ...get(i),
        ...get(j),
        ...add,
        ...get(accumulator(r, v)),
        ...store(2 * matrix + r * line + 16 * v)
      ])
    )
  ]
  const body: Code = [
    ...loop(i, rows * line, constant(matrix), [...constant(0), ...set(j), ...loop(j, 32, constant(line), tile)]),
    0x0b
  ]
  const locals: Code = [2, 4, 0x7f, 12, 0x7b]
  const pages = Math.ceil((3 * matrix) / 65536)
  return Uint8Array.from([
    0,
    ...text('asm').slice(1),
    1,
    0,
    0,
    0,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...text('run'), 0, 0, ...text('memory'), 2, 0]),
    ...section(10, [1, ...unsigned(locals.length + body.length), ...locals, ...body])
  ])
}

/** The contender: its matrices stay in its memory, as everyone else's do, and the product is copied out. */
export const limit = (n: number, a: ArrayLike<number>, b: ArrayLike<number>): Contender => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module(n)))
  const { run, memory } = exports
  if (typeof run !== 'function' || !(memory instanceof WebAssembly.Memory)) throw new Error('the module has no run')
  const cells = new Float32Array(memory.buffer)
  cells.set(a)
  cells.set(b, n * n)
  return {
    run: () => {
      Reflect.apply(run, undefined, [])
      return Promise.resolve(cells.slice(2 * n * n, 3 * n * n))
    },
    dispose: () => Promise.resolve()
  }
}
