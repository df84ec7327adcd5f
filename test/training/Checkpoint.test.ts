import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Safetensors from '../../src/format/Safetensors.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import { right } from './tiny.js'

const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

const vector = (...values: ReadonlyArray<number>): Values[string] => ({
  shape: [values.length],
  data: Float32Array.from(values)
})

const identity = { kind: 'finetune', config: '{"seed":1}' }

const checkpoint: Checkpoint.Checkpoint = {
  step: 7,
  numbers: { advantage: 0.1 + 0.2 },
  tensors: { 'params.w': vector(1, -0, 1e-45), 'optimizer.state.w': vector(0.5, 0.25, 3.4e38) }
}

const bytes = right(Checkpoint.encode(sha256)(identity, checkpoint))

const said = (given: E.Either<Checkpoint.CheckpointError, unknown>): string =>
  E.isLeft(given) ? Checkpoint.showError(given.left) : 'accepted'

/** The file with other text or tensors, and digests to match: what someone may write who knows the form. */
const forged = (change: (file: Safetensors.Checkpoint) => Partial<Safetensors.Checkpoint>): Uint8Array => {
  const file = right(Safetensors.decode(bytes))
  const { tensors, metadata } = { ...file, ...change(file) }
  const digests = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, right(Checkpoint.digestOf(sha256)({ '': tensor }))])
  )
  const text = { ...metadata, digests: JSON.stringify(digests) }
  const { format, step, numbers, identity: own } = text as Record<string, string>
  const digest = sha256(new TextEncoder().encode(JSON.stringify([format, step, numbers, own, text.digests])))
  return right(Safetensors.encode('own')({ tensors, metadata: { ...text, digest } }))
}

describe('a checkpoint', () => {
  test('comes back bit for bit, and equal ones are equal bytes', () => {
    const read = right(Checkpoint.decode(sha256)(bytes))
    expect(read).toEqual({ identity, checkpoint })
    expect(Object.is(read.checkpoint.tensors['params.w']?.data[1], -0)).toBe(true)
    expect(right(Checkpoint.encode(sha256)(identity, checkpoint))).toEqual(bytes)
    expect(said(Checkpoint.decode(sha256)(forged(() => ({}))))).toBe('accepted')
  })

  test('with any one bit flipped is a left', () => {
    const accepted: Array<number> = []
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const other = bytes.slice()
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      if (E.isRight(Checkpoint.decode(sha256)(other))) accepted.push(bit)
    }
    expect(accepted).toEqual([])
  })

  test('with some bytes of another is a left', () => {
    const other = right(Checkpoint.encode(sha256)(identity, { ...checkpoint, step: 8 }))
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.nat(bytes.length), (from, length) => {
        const mixed = bytes.slice()
        mixed.set(other.subarray(from, from + length), from)
        const same = Buffer.from(mixed).equals(bytes) || Buffer.from(mixed).equals(other)
        expect(E.isRight(Checkpoint.decode(sha256)(mixed))).toBe(same)
      })
    )
  })

  test('names the tensor whose bits were changed', () => {
    const other = bytes.slice()
    other[other.length - 1] = (other[other.length - 1] ?? 0) ^ 1
    expect(said(Checkpoint.decode(sha256)(other))).toBe(
      '"params.w": expected what was written, got other bits; the file is damaged, so take a copy of it or begin again'
    )
  })

  test.each([
    ['1e300', 'got 1e300'],
    ['', 'got an empty text'],
    ['0x6', 'got 0x6'],
    ['-1', 'got -1'],
    ['1.5', 'got 1.5'],
    [' 7', 'got  7'],
    ['1e3', 'got 1e3'],
    ['9007199254740992', 'got 9007199254740992'],
    ['NaN', 'got NaN']
  ])('refuses the step %j', (step, got) => {
    const file = forged(({ metadata }) => ({ metadata: { ...metadata, step } }))
    expect(said(Checkpoint.decode(sha256)(file))).toBe(
      `step: expected a whole number of at least 0, ${got}; take a copy of the checkpoint or begin again`
    )
  })

  test('refuses numbers that are not finite, in the file and before it is written', () => {
    const message = 'expected finite numbers, got some where params.w[1] is NaN; begin again'
    const tensors = { ...checkpoint.tensors, 'params.w': vector(1, Number.NaN, 2) }
    expect(said(Checkpoint.encode(sha256)(identity, { ...checkpoint, tensors }))).toBe(message)
    expect(said(Checkpoint.decode(sha256)(forged(() => ({ tensors }))))).toBe(message)
    const numbers = { advantage: Infinity }
    expect(said(Checkpoint.encode(sha256)(identity, { ...checkpoint, numbers }))).toBe(
      'expected finite numbers, got some where advantage is Infinity; begin again'
    )
    const text = forged(({ metadata }) => ({ metadata: { ...metadata, numbers: '{"advantage":null}' } }))
    expect(said(Checkpoint.decode(sha256)(text))).toBe(
      'numbers: expected a record as JSON, got {"advantage":null}; take a copy of the checkpoint or begin again'
    )
  })

  test('refuses files of other things', () => {
    const message = 'expected a checkpoint, as finetune and pretrain write it, got another file; begin a run of its own'
    const model = right(Safetensors.encode('own')({ tensors: {}, metadata: { step: '1', advantage: '0' } }))
    expect(said(Checkpoint.decode(sha256)(model))).toBe(message)
    const later = forged(({ metadata }) => ({ metadata: { ...metadata, format: 'halforder checkpoint 2' } }))
    expect(said(Checkpoint.decode(sha256)(later))).toBe(message)
    expect(said(Checkpoint.decode(sha256)(new Uint8Array(3)))).toBe(
      'header length: expected 8 bytes, got 3; the file is cut off, copy or write it again'
    )
  })

  test('refuses text that was added, and tensors that were added or taken away', () => {
    const more = forged(({ metadata }) => ({ metadata: { ...metadata, more: '' } }))
    expect(said(Checkpoint.decode(sha256)(more))).toContain('its text: expected what was written')
    // digests of what was there, tensors that are not
    const file = right(Safetensors.decode(bytes))
    const without = right(Safetensors.encode('own')({ ...file, tensors: { 'params.w': vector(1, -0, 1e-45) } }))
    expect(said(Checkpoint.decode(sha256)(without))).toBe(
      '"optimizer.state.w": expected a tensor, got none; take a copy of the checkpoint or begin again'
    )
    const added = right(Safetensors.encode('own')({ ...file, tensors: { ...file.tensors, x: vector(1) } }))
    expect(said(Checkpoint.decode(sha256)(added))).toBe(
      '"x": expected no such tensor, got one; take a copy of the checkpoint or begin again'
    )
  })
})

describe('a run that goes on', () => {
  const stored = right(Checkpoint.decode(sha256)(bytes))
  const belongs = (own: Checkpoint.Identity, start: Checkpoint.Checkpoint): string =>
    said(Checkpoint.belongsTo(own, start)(stored))
  const start = { ...checkpoint, step: 0 }

  test('takes a checkpoint of its own', () => {
    expect(belongs(identity, start)).toBe('accepted')
  })

  test('refuses one of another run, by what differs', () => {
    const tail = 'the checkpoint is of another run, so go on with that one, or begin again in another folder'
    expect(belongs({ ...identity, config: '{"seed":2}' }, start)).toBe(
      `config: expected {"seed":2}, got {"seed":1}; ${tail}`
    )
    expect(belongs({ ...identity, model: 'abc' }, start)).toBe(`model: expected abc, got nothing; ${tail}`)
    expect(belongs({ kind: 'finetune' }, start)).toBe(`config: expected nothing, got {"seed":1}; ${tail}`)
  })

  test('refuses tensors that are not its own, by name', () => {
    const { 'params.w': w = vector(), ...rest } = checkpoint.tensors
    expect(belongs(identity, { ...start, tensors: { ...checkpoint.tensors, 'params.v': vector(1) } })).toBe(
      '"params.v": expected a tensor, got none; take a copy of the checkpoint or begin again'
    )
    expect(belongs(identity, { ...start, tensors: rest })).toBe(
      '"params.w": expected no such tensor, got one; take a copy of the checkpoint or begin again'
    )
    expect(belongs(identity, { ...start, tensors: { ...rest, 'params.w': vector(1) } })).toBe(
      '"params.w": expected f32 [1], got f32 [3]; the checkpoint is of another model'
    )
    const wide = { shape: w.shape, data: Float64Array.from(w.data) }
    expect(belongs(identity, { ...start, tensors: { ...rest, 'params.w': wide } })).toBe(
      '"params.w": expected f64 [3], got f32 [3]; the checkpoint is of another model'
    )
    expect(belongs(identity, { ...start, numbers: { ...start.numbers, loss: 1 } })).toBe(
      'loss: expected a finite number, got nothing; take a copy of the checkpoint or begin again'
    )
  })
})

describe('the state of a fine-tune', () => {
  const names = ['optimizer.x', 'optimizer.state.w', 'params.w', 'state', '__proto__', 'constructor', 'toString']

  test('keeps parameters of every name', () => {
    const params = Object.fromEntries(names.map((name, i) => [name, vector(i)]))
    const optimizer = Object.fromEntries(names.map((name, i) => [`state.${name}`, vector(-i - 1)]))
    const state = { step: 3, advantage: 0.5, params, optimizer }
    const read = right(Checkpoint.decode(sha256)(right(Checkpoint.encode(sha256)({}, Checkpoint.ofState(state)))))
    const back = Checkpoint.toState(read.checkpoint)
    expect(Object.keys(back.params).sort()).toEqual([...names].sort())
    expect(back).toEqual(state)
  })
})
