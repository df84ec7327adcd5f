import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { address } from '../../../cli/cluster/Address.js'
import { bench } from '../../../cli/cluster/Bench.js'
import { packHeard, packNumbers, unpackHeard, unpackNumbers } from '../../../cli/cluster/Packing.js'
import * as Parcel from '../../../cli/cluster/Parcel.js'
import * as Parts from '../../../cli/cluster/Parts.js'
import { blocksAJob, grouped } from '../../../cli/cluster/Sizes.js'
import { Manifest, Result, says, Shard } from '../../../cli/cluster/Wire.js'

const hex = Parcel.digestOf(new Uint8Array(1))

const shard: Shard = {
  kind: 'credit',
  run: hex,
  recipe: hex,
  state: hex,
  cover: 0,
  key: [1, 4294967295],
  stream: 'noise',
  sign: -1,
  rows: [0, 16],
  samples: false,
  heard: { cells: [1], rows: [], plain: false },
  after: { state: hex, told: hex }
}

const told: Result = {
  job: hex,
  worker: 'one',
  seconds: 0.25,
  of: { _tag: 'Told', lists: { cells: [1, 0], rows: [3], plain: true }, samples: [] }
}

const messages = [
  Parcel.encode({ head: shard, arrays: [Float64Array.from({ length: 33 }, (_, i) => i / 7)] }),
  Parcel.encode({ head: told, arrays: [Float64Array.from({ length: 32 }, (_, i) => -i / 3)] }),
  Parcel.encode({ head: { step: 3, tensors: [['params.w', [2, 2], 'f32', hex]] }, arrays: [Float64Array.of(0.5)] })
]

/** Some bytes changed, cut off or added. */
const mutated = fc
  .record({
    which: fc.nat(messages.length - 1),
    changes: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 })), {
      minLength: 1,
      maxLength: 6
    }),
    cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
    more: fc.uint8Array({ maxLength: 4 })
  })
  .map(({ which, changes, cut, more }) => {
    const from = messages[which] ?? new Uint8Array(0)
    const bytes = Uint8Array.from(from)
    for (const [at, by] of changes) {
      const i = Math.min(bytes.length - 1, Math.floor(at * bytes.length))
      bytes[i] = (bytes[i] ?? 0) ^ by
    }
    const kept = cut === null ? bytes : bytes.subarray(0, Math.floor(cut * bytes.length))
    return { from, bytes: Buffer.concat([kept, more]) }
  })

/** The same head with something else in the place of one of its parts, and a digest that is right. */
const wrong = fc
  .tuple(fc.constantFrom(shard, told), fc.nat(40), fc.jsonValue({ maxDepth: 2 }))
  .map(([head, at, value]) => {
    let left = at
    const walk = (u: unknown): unknown => {
      if (left-- === 0) return value
      if (Array.isArray(u)) return u.map(walk)
      if (typeof u === 'object' && u !== null)
        return Object.fromEntries(Object.entries(u).map(([k, v]) => [k, walk(v)]))
      return u
    }
    return Parcel.encode({ head: walk(head), arrays: [new Float64Array(3)] })
  })

describe('messages', () => {
  it('come back to the bit', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(fc.oneof(fc.float32Array(), fc.float64Array())), (head, arrays) => {
        const back = Parcel.decode(Parcel.encode({ head, arrays }))
        const sent: unknown = JSON.parse(JSON.stringify(head))
        expect(back).toEqual(E.right({ head: sent, arrays }))
      })
    )
  })

  // 10,000 of them: whatever is left whole is what was said
  it('that were changed on the way are refused, and crash nobody', async () => {
    const worker = bench({
      id: 'one',
      depot: { get: async () => new Map() },
      shop: async () => E.left('nothing is to be opened')
    })
    await fc.assert(
      fc.asyncProperty(mutated, async ({ from, bytes }) => {
        const same = Buffer.compare(from, bytes) === 0
        const read = [Parcel.decode(bytes)._tag, same ? 'Right' : (await worker.work(bytes))._tag]
        expect(read).toEqual(same ? ['Right', 'Right'] : ['Left', 'Left'])
      }),
      { numRuns: 10_000 }
    )
  })

  it('whose digest is right and whose parts are not are refused by part, or asked for what they name', async () => {
    const worker = bench({
      id: 'one',
      depot: { get: async () => new Map() },
      shop: async () => E.left('nothing is to be opened')
    })
    await fc.assert(
      fc.asyncProperty(wrong, async (bytes) => {
        const parcel = Parcel.decode(bytes)
        if (E.isLeft(parcel)) throw new Error(parcel.left)
        const { head } = parcel.right
        for (const read of [says(Shard)(head), says(Result)(head), says(Manifest)(head)]) {
          expect(E.isLeft(read) ? read.left.length : 1).toBeGreaterThan(0)
        }
        const done = await worker.work(bytes)
        // what is a job has a result, and what is none has none
        const result = pipe(
          done,
          E.flatMap(Parcel.decode),
          E.flatMap(({ head: said }) => says(Result)(said))
        )
        expect(result._tag).toBe(done._tag)
      }),
      { numRuns: 500 }
    )
  })

  it('have numbers for all of their rows, or are refused', () => {
    const numbers = {
      rewards: [1, Number.NaN, 3],
      stepRewards: [0, 0, 0],
      returns: [1, Number.NaN, 3],
      cells: [[[1, 2, 3]], []],
      unusable: [1]
    }
    const packed = packNumbers(numbers)
    expect(packed.numbers).toHaveLength(6)
    expect(unpackNumbers(3)(packed.lists, packed.numbers)).toEqual(E.right(numbers))
    expect(unpackNumbers(3)(packed.lists, packed.numbers.subarray(1))).toMatchObject(
      E.left(expect.stringContaining('numbers'))
    )
    expect(E.isLeft(unpackNumbers(3)({ ...packed.lists, rows: [3] }, packed.numbers))).toBe(true)
    const paid = { ...numbers, stepRewards: [0, 1, 0], returns: [1, 5, 3] }
    const both = packNumbers(paid)
    expect(unpackNumbers(3)(both.lists, both.numbers)).toEqual(E.right(paid))
    const heard = {
      advantages: [0.5, -1],
      cells: [
        [[1, 2]],
        [
          [3, 4],
          [5, 6]
        ]
      ],
      skipped: new Set([1]),
      state: -0
    }
    const said = packHeard(heard)
    expect(unpackHeard(2)(said.lists, said.numbers)).toEqual(E.right(heard))
    expect(E.isLeft(unpackHeard(1)(said.lists, said.numbers))).toBe(true)
  })

  it('name a state by what is in it, and only that', () => {
    const w = { shape: [2], data: Float32Array.of(1, 2) }
    const state = { step: 1, params: { w }, optimizer: {}, advantage: 0.5 }
    const { digest, manifest, parts } = Parts.parted(state)
    expect(Parts.parted({ ...state, params: { w: { shape: [2], data: Float32Array.of(1, 2) } } }).digest).toBe(digest)
    expect(Parts.parted({ ...state, params: { w: { shape: [1, 2], data: w.data } } }).digest).not.toBe(digest)
    expect(Parts.parted({ ...state, advantage: -0.5 }).digest).not.toBe(digest)
    const parcel = Parcel.decode(manifest)
    const read = E.isRight(parcel) ? says(Manifest)(parcel.right.head) : E.left('none')
    if (E.isLeft(read)) throw new Error(read.left)
    expect(Parts.joined(read.right, 0.5, (one) => parts.get(one))).toEqual(E.right(state))
    expect(Parts.joined(read.right, 0.5, () => undefined)).toEqual(E.left([Parcel.digestOf(Parcel.bytesOf(w.data))]))
  })
})

describe('an address', () => {
  it.each([
    ['redis://127.0.0.1:7000/3', { host: '127.0.0.1', port: 7000, db: 3, tls: false }],
    ['redis://localhost', { port: 6379, db: 0 }],
    ['redis://[::1]', { host: '::1' }],
    ['rediss://me:s%20t@far.example', { host: 'far.example', username: 'me', password: 's t', tls: true }]
  ])('of %s', (text, expected) => {
    expect(address(text)).toMatchObject(E.right(expected))
  })

  it.each(['http://localhost', 'nothing', 'redis://far.example', 'redis://10.0.0.1:6379', 'redis://localhost/x'])(
    'is none: %s',
    (text) => {
      expect(E.isLeft(address(text))).toBe(true)
    }
  )

  it('never shows its password', () => {
    const secret = 'tops3cret'
    for (const text of [`rediss://:${secret}@far.example`, `http://:${secret}@far`, `redis://:${secret}@far/x`]) {
      const read = address(text)
      expect(E.isLeft(read) ? read.left.message : read.right.shown).not.toContain(secret)
    }
  })
})

describe('the size of a job', () => {
  it('is one block where that is worth the way, and more where it is not, never more than a fair share', () => {
    expect(blocksAJob(8, 2, 1)).toBe(2)
    expect(blocksAJob(4, 4, 1)).toBe(1)
    expect(blocksAJob(64, 2, 0.001)).toBe(32)
    expect(blocksAJob(64, 2, 1)).toBe(16)
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 10, noNaN: true }),
        (blocks, workers, seconds) => {
          const size = blocksAJob(blocks, workers, seconds)
          const groups = grouped(size)(Array.from({ length: blocks }, (_, i) => i))
          expect(groups.flat()).toEqual(Array.from({ length: blocks }, (_, i) => i))
          expect(groups.length).toBeGreaterThanOrEqual(Math.min(workers, blocks))
        }
      )
    )
  })
})
