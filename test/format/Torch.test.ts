import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Torch from '../../src/format/Torch.js'
import { type Member, zip } from './writers.js'

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)))

const said = (bytes: Uint8Array): string => {
  const file = Torch.decode(bytes)
  return E.isLeft(file) ? Torch.showError(file.left) : 'decoded'
}

const right = <A>(result: E.Either<Torch.TorchError, A>): A => {
  if (E.isLeft(result)) throw new Error(Torch.showError(result.left))
  return result.right
}

// -------------------------------------------------------------------------------------
// what PyTorch wrote
// -------------------------------------------------------------------------------------

const six = [0, 1, 2, 3, 4, 5]
const signed = six.map((i) => i - 2)

const expected: Readonly<Record<string, readonly [shape: ReadonlyArray<number>, data: ReadonlyArray<number>]>> = {
  ...Object.fromEntries(
    ['f32', 'f64', 'f16', 'bf16', 'i64', 'i32', 'i16', 'i8'].map((kind) => [kind, [[2, 3], signed]])
  ),
  u8: [[2, 3], six],
  bool: [[2, 3], six.map((i) => (i % 3 === 0 ? 0 : 1))],
  large: [[1], [2 ** 60]],
  scalar: [[], [2.5]],
  empty: [[0, 3], []],
  'view.transposed': [[6, 4], six.flatMap((i) => [i, i + 6, i + 12, i + 18])],
  'view.column': [[4], [2, 8, 14, 20]],
  'view.strided': [
    [2, 2],
    [1, 4, 13, 16]
  ],
  'view.expanded': [
    [2, 3],
    [6, 7, 8, 6, 7, 8]
  ],
  'tied.a': [[2, 3], six.map((i) => i / 4)],
  'tied.b': [[2, 3], six.map((i) => i / 4)]
}

describe.each(['checkpoint.pt', 'legacy.pt'])('%s, which PyTorch wrote', (name) => {
  const file = right(Torch.decode(fixture(name)))

  test('has every number format, views and tied weights, in their order', () => {
    const weights = right(Torch.weights(undefined)(file))
    expect(
      Object.fromEntries(Object.entries(weights).map(([key, { shape, data }]) => [key, [shape, [...data]]]))
    ).toEqual(expected)
    expect(weights['tied.a']).toBe(weights['tied.b'])
    expect(weights['f64']?.data).toBeInstanceOf(Float64Array)
    expect(weights['bf16']?.data).toBeInstanceOf(Float32Array)
    const inexact = file.tensors.filter((tensor) => tensor.inexact > 0)
    expect(inexact.map(({ path, inexact: count }) => [path, count])).toEqual([[['state_dict', 'large'], 1]])
  })

  test('says where views lie, and which share a storage', () => {
    const lies = file.tensors
      .filter(({ path }) => path[1]?.startsWith('view.'))
      .map(({ path, offset, strides }) => [path[1], offset, strides])
    expect(lies).toEqual([
      ['view.transposed', 0, [1, 6]],
      ['view.column', 2, [6]],
      ['view.strided', 1, [12, 3]],
      ['view.expanded', 6, [0, 1]]
    ])
    expect(
      new Set(file.tensors.filter(({ path }) => path[1]?.startsWith('view.')).map(({ storage }) => storage)).size
    ).toBe(1)
  })

  test('has its other weights by their key, at any depth', () => {
    expect(right(Torch.weights('ema')(file))['f32']?.data).toEqual(Float32Array.from(signed, (i) => 2 * i))
    expect([...(right(Torch.weights('optimizer.state.0')(file))['average']?.data ?? [])]).toEqual([1, 1])
    const none = Torch.weights('model')(file)
    expect(E.isLeft(none) && Torch.showError(none.left)).toBe(
      'weights: expected a group called "model", got state_dict, ema, optimizer; name one of them as the weights\' key'
    )
  })
})

// -------------------------------------------------------------------------------------
// pickles by hand
// -------------------------------------------------------------------------------------

const bytes = (...parts: ReadonlyArray<string | number>): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'number' ? [part] : [...part].map((c) => c.charCodeAt(0)))))

const text = (value: string): string => `X${String.fromCharCode(value.length)}\0\0\0${value}`
const whole = (value: number): string =>
  `J${[0, 8, 16, 24].map((by) => String.fromCharCode((value >> by) & 255)).join('')}`

/** A storage's name, and what makes a tensor of it. */
const storage = (key: string, count: number): string =>
  `(${text('storage')}ctorch\nFloatStorage\n${text(key)}${text('cpu')}${whole(count)}tQ`
const tensor = (store: string, offset: number, shape: ReadonlyArray<number>, strides: ReadonlyArray<number>): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${store}${whole(offset)}(${shape.map(whole).join('')}t(${strides.map(whole).join('')}t\x89}tR`

const file = (pickle: string, more: ReadonlyArray<Member> = []): Uint8Array =>
  zip([
    { name: 'a/data.pkl', content: bytes('\x80\x02', pickle, '.') },
    { name: 'a/data/0', content: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) },
    ...more
  ])

const one = (made: string): Uint8Array => file(`}${text('w')}${made}s`)

describe('what a pickle may ask for', () => {
  test('a tensor by hand is read', () => {
    const read = right(Torch.decode(one(tensor(storage('0', 4), 1, [3], [1]))))
    expect(read.tensors.map(({ path, tensor: { data } }) => [path, [...data]])).toEqual([[['w'], [2, 3, 4]]])
  })

  test.each([
    ['an import', 'cos\nsystem\n', 'os.system'],
    ['an import that is called', `cposix\nsystem\n(${text('true')}tR`, 'posix.system'],
    [
      'a name with a dot in it',
      'ctorch._utils\n_rebuild_tensor_v2.__globals__\n',
      'torch._utils._rebuild_tensor_v2.__globals__'
    ],
    ['a name off the stack', `${text('builtins')}${text('eval')}\x93`, 'builtins.eval'],
    ['a name that every object has', 'c__proto__\nx\n', '__proto__.x'],
    ['a whole module', 'ctorch.nn.modules.linear\nLinear\n)\x81}b', 'torch.nn.modules.linear.Linear']
  ])('%s is refused by its name', (_, pickle, global) => {
    expect(said(file(pickle))).toContain(
      `got the global "${global}"; nothing was run: save \`model.state_dict()\` alone`
    )
  })

  test.each([
    ['past its storage', tensor(storage('0', 4), 0, [4, 4], [4, 1]), 'expected 16 numbers in its storage, got 4'],
    ['before its storage', tensor(storage('0', 4), -1, [1], [1]), 'whole numbers from 0 on'],
    [
      'of a storage that is too short',
      tensor(storage('0', 5), 0, [5], [1]),
      'expected 20 bytes for 5 numbers of F32, got 16'
    ],
    ['of a storage that is not there', tensor(storage('1', 4), 0, [4], [1]), 'expected an entry "a/data/1", got none'],
    ['of a storage outside', tensor(storage('../x', 4), 0, [4], [1]), 'expected an entry "a/data/../x", got none'],
    [
      'larger than memory by a stride of 0',
      tensor(storage('0', 4), 0, [2 ** 30, 2 ** 30], [0, 0]),
      'at most 2147483648 bytes'
    ],
    ['larger than its file by far', tensor(storage('0', 4), 0, [2 ** 22], [0]), 'at most 16777216 bytes in a file of'],
    ['with other strides than sizes', tensor(storage('0', 4), 0, [2, 2], [1]), 'a size, a stride and an offset']
  ])('a tensor %s is refused', (_, made, message) => {
    expect(said(one(made))).toContain(message)
  })

  test.each([
    ['an empty stack', 's', 'a value on the stack'],
    ['no mark', 't', 'a mark'],
    ['what was never remembered', 'h\x07', 'a value that was remembered'],
    ['an instruction that is none', '\xff', 'an instruction that is read'],
    ['an instance', '(iposix\nsystem\n', 'an instruction that is read'],
    ['a state for a tensor', `${tensor(storage('0', 4), 0, [4], [1])}}b`, 'a container for a state'],
    ['a value of a mark that is open', `${text('k')}(s`, 'a value on the stack'],
    ['integers without end', `\x8b${whole(2 ** 20).slice(1)}`, 'an integer of at most 1024 bytes'],
    ['containers without end', '('.repeat(2000), 'at most 1000 containers in one another']
  ])('%s is an error of the pickle', (_, pickle, message) => {
    expect(said(file(pickle))).toContain(message)
  })

  test('lists that double sixty times are not gone through', () => {
    const doubled = Array.from(
      { length: 60 },
      (_, i) => `]q${String.fromCharCode(i + 1)}(h${String.fromCharCode(i)}h${String.fromCharCode(i)}e`
    )
    expect(said(file(`]q\0${doubled.join('')}`))).toBe('file: expected tensors, got none; save `model.state_dict()`')
    const held = `]q\0${tensor(storage('0', 4), 0, [4], [1])}a`
    expect(said(file(`${held}${doubled.join('')}`))).toContain('expected at most 65536, in 64 levels')
  })

  test('whatever the bytes are, there is an answer', () => {
    const good = [fixture('checkpoint.pt'), fixture('legacy.pt'), one(tensor(storage('0', 4), 0, [4], [1]))]
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 8
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (from, changes, end) => {
          const changed = from.slice(0, Math.ceil(from.length * (end < 0.2 ? 1 : end)))
          for (const [at, value] of changes) changed[Math.floor(at * changed.length)] = value
          expect(typeof said(changed)).toBe('string')
        }
      ),
      { numRuns: 300 }
    )
  })
})

test('files that are no checkpoints are told what to do', () => {
  expect(said(new Uint8Array(0))).toBe(
    'file: expected a file of torch.save with tensors, got no bytes; give a file that torch.save wrote, such as .pt, .pth, .ckpt or .bin'
  )
  expect(said(zip([{ name: 'a.npy', content: bytes('x') }]))).toContain('an archive without data.pkl')
  expect(said(file('}', [{ name: 'a/constants.pkl', content: bytes('x') }]))).toContain('a program of TorchScript')
})
