/**
 * A small WebAssembly encoder: functions of 128-bit vectors and 32-bit integers over one imported memory.
 *
 * It knows the instructions that the kernels need and no others. Code is a growing list of bytes; counts of loops are
 * known when the code is made, so that loops carry a counter and no test of bounds.
 *
 * Sources: WebAssembly Core Specification 2.0, chapter 5 (binary format), and 3.0 for the relaxed multiply-add.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The type of a local.
 *
 * @category model
 * @since 0.1.0
 */
export type ValueType = 'i32' | 'v128'

/**
 * The instructions on vectors without immediates.
 *
 * @category model
 * @since 0.1.0
 */
export type VectorName = keyof typeof vectors

/**
 * A function under construction. Every method appends to it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Code {
  readonly parameters: ReadonlyArray<ValueType>
  readonly locals: Array<ValueType>
  readonly body: Array<number>
  /** a new local */
  readonly local: (type: ValueType) => number
  readonly get: (local: number) => void
  readonly set: (local: number) => void
  readonly tee: (local: number) => void
  readonly integer: (value: number) => void
  readonly addInteger: () => void
  readonly multiplyInteger: () => void
  /** the same f32 in all four lanes */
  readonly splat: (value: number) => void
  /** the same 32 bits in all four lanes */
  readonly splatBits: (value: number) => void
  readonly vector: (name: VectorName) => void
  readonly shuffle: (lanes: ReadonlyArray<number>) => void
  /** loads with an address on the stack and a byte offset */
  readonly loadInteger: (offset: number) => void
  readonly load: (offset: number) => void
  readonly loadSplat: (offset: number) => void
  readonly loadZero: (offset: number) => void
  /** replaces one lane of the vector above the address */
  readonly loadLane: (offset: number, lane: number) => void
  readonly store: (offset: number) => void
  readonly storeLane: (offset: number, lane: number) => void
  /** the first lane as an f32, converted to an integer, saturating */
  readonly firstToInteger: () => void
  /** so many bytes of zeros, from the address on the stack on */
  readonly zeros: (bytes: number) => void
  readonly call: (index: number) => void
  /** repeats what `body` appends, a known number of times */
  readonly repeat: (count: number, body: () => void) => void
}

/**
 * A module: functions that call each other by position, one of them exported as `run`, and its memory in pages.
 *
 * @category model
 * @since 0.1.0
 */
export interface ModuleParts {
  readonly functions: ReadonlyArray<Code>
  readonly run: number
  readonly initial: number
  readonly maximum: number
  readonly shared: boolean
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

const vectors = {
  'i32x4.splat': 0x11,
  'f32x4.splat': 0x13,
  'f32x4.eq': 0x41,
  'f32x4.ne': 0x42,
  'f32x4.lt': 0x43,
  'f32x4.gt': 0x44,
  'f32x4.ge': 0x46,
  'v128.and': 0x4e,
  'v128.or': 0x50,
  'v128.xor': 0x51,
  'v128.bitselect': 0x52,
  'f32x4.nearest': 0x6a,
  'i32x4.shl': 0xab,
  'i32x4.shr_s': 0xac,
  'i32x4.add': 0xae,
  'i32x4.sub': 0xb1,
  'f32x4.abs': 0xe0,
  'f32x4.neg': 0xe1,
  'f32x4.sqrt': 0xe3,
  'f32x4.add': 0xe4,
  'f32x4.sub': 0xe5,
  'f32x4.mul': 0xe6,
  'f32x4.div': 0xe7,
  'f32x4.min': 0xe8,
  'f32x4.max': 0xe9,
  'f32x4.pmin': 0xea,
  'f32x4.pmax': 0xeb,
  'i32x4.trunc_sat_f32x4_s': 0xf8,
  'f32x4.convert_i32x4_s': 0xfa,
  'f32x4.relaxed_madd': 0x105
} as const

const types: Readonly<Record<ValueType, number>> = { i32: 0x7f, v128: 0x7b }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * An empty function without results.
 *
 * @category constructors
 * @since 0.1.0
 */
export const code = (parameters: ReadonlyArray<ValueType> = []): Code => {
  const locals: Array<ValueType> = []
  const body: Array<number> = []
  const op = (opcode: number, ...immediates: ReadonlyArray<number>): void => {
    body.push(opcode)
    for (const immediate of immediates) unsigned(immediate, body)
  }
  const simd = (opcode: number): void => op(0xfd, opcode)
  const memory = (opcode: number, offset: number): void => op(0xfd, opcode, 2, offset)
  const word = (value: number): void => {
    body.push(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff)
  }
  const local = (type: ValueType): number => parameters.length + locals.push(type) - 1
  const integer = (value: number): void => {
    body.push(0x41)
    signed(value, body)
  }
  const splatBits = (value: number): void => {
    simd(12)
    for (let lane = 0; lane < 4; lane++) word(value)
  }
  return {
    parameters,
    locals,
    body,
    local,
    get: (index) => op(0x20, index),
    set: (index) => op(0x21, index),
    tee: (index) => op(0x22, index),
    integer,
    addInteger: () => op(0x6a),
    multiplyInteger: () => op(0x6c),
    splat: (value) => splatBits(new Int32Array(Float32Array.of(value).buffer)[0] ?? 0),
    splatBits,
    vector: (name) => simd(vectors[name]),
    shuffle: (lanes) => {
      simd(13)
      for (const lane of lanes) body.push(4 * lane, 4 * lane + 1, 4 * lane + 2, 4 * lane + 3)
    },
    loadInteger: (offset) => op(0x28, 2, offset),
    load: (offset) => memory(0, offset),
    loadSplat: (offset) => memory(9, offset),
    loadZero: (offset) => memory(92, offset),
    loadLane: (offset, lane) => {
      memory(86, offset)
      body.push(lane)
    },
    store: (offset) => memory(11, offset),
    storeLane: (offset, lane) => {
      memory(90, offset)
      body.push(lane)
    },
    firstToInteger: () => {
      simd(0x1f)
      body.push(0)
      op(0xfc, 0)
    },
    zeros: (bytes) => {
      integer(0)
      integer(bytes)
      op(0xfc, 11, 0)
    },
    call: (index) => op(0x10, index),
    repeat: (count, emit) => {
      if (count <= 0) return
      if (count === 1) return emit()
      const counter = local('i32')
      integer(count)
      op(0x21, counter)
      body.push(0x03, 0x40)
      emit()
      op(0x20, counter)
      integer(-1)
      op(0x6a)
      op(0x22, counter)
      op(0x0d, 0)
      body.push(0x0b)
    }
  }
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The bytes of a module that imports `env.memory` and exports `run(start, end, seed)`, where `start`, `end` and `seed`
 * are ignored: one call computes everything.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const encodeModule = (module: ModuleParts): Uint8Array<ArrayBuffer> => {
  const out: Array<number> = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  const section = (id: number, payload: ReadonlyArray<number>): void => {
    out.push(id)
    unsigned(payload.length, out)
    append(out, payload)
  }
  const text = (value: string): ReadonlyArray<number> => [value.length, ...new TextEncoder().encode(value)]
  const vector = (items: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<number> => {
    const bytes: Array<number> = []
    unsigned(items.length, bytes)
    for (const item of items) append(bytes, item)
    return bytes
  }
  const signature = (parameters: ReadonlyArray<ValueType>): ReadonlyArray<number> => [
    0x60,
    parameters.length,
    ...parameters.map((type) => types[type]),
    0
  ]
  section(1, vector(module.functions.map(({ parameters }) => signature(parameters))))
  const limits: Array<number> = [module.shared ? 3 : 1]
  unsigned(module.initial, limits)
  unsigned(module.maximum, limits)
  section(2, vector([[...text('env'), ...text('memory'), 2, ...limits]]))
  section(3, vector(module.functions.map((_, i) => leb(i))))
  section(7, vector([[...text('run'), 0, ...leb(module.run)]]))
  section(10, vector(module.functions.map(functionBytes)))
  return Uint8Array.from(out)
}

const functionBytes = ({ locals, body }: Code): ReadonlyArray<number> => {
  const bytes: Array<number> = []
  const runs: Array<{ readonly type: ValueType; count: number }> = []
  for (const type of locals) {
    const last = runs.at(-1)
    if (last?.type === type) last.count++
    else runs.push({ type, count: 1 })
  }
  unsigned(runs.length, bytes)
  for (const { type, count } of runs) {
    unsigned(count, bytes)
    bytes.push(types[type])
  }
  append(bytes, body)
  bytes.push(0x0b)
  const sized = [...leb(bytes.length)]
  append(sized, bytes)
  return sized
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/** `push(...items)` overflows the stack where there are many. */
const append = (out: Array<number>, items: ReadonlyArray<number>): void => {
  for (const item of items) out.push(item)
}

const leb = (value: number): ReadonlyArray<number> => {
  const out: Array<number> = []
  unsigned(value, out)
  return out
}

/** LEB128; offsets go up to 4 GiB, beyond the range of bitwise operators on signed numbers. */
const unsigned = (value: number, out: Array<number>): void => {
  let rest = value
  while (rest >= 128) {
    out.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  out.push(rest)
}

const signed = (value: number, out: Array<number>): void => {
  let rest = value | 0
  for (;;) {
    const byte = rest & 0x7f
    rest >>= 7
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) {
      out.push(byte)
      return
    }
    out.push(byte | 0x80)
  }
}
