/**
 * Where `torch.save` puts what: the pickle of a file, and the bytes of its storages.
 *
 * Since version 1.6 a file is a zip archive, whose entry `NAME/data.pkl` is a pickle and `NAME/data/KEY` a storage. Before, it was
 * five pickles one after the other (a magic number, a version, a word on the machine, the object, the keys of the storages), and
 * behind them the storages, each after the count of its numbers. See `torch/serialization.py`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { quote } from '../../document/Shown.js'
import { type Dtype, formats } from '../Dtype.js'
import { limits } from '../Limits.js'
import * as Pickle from './Pickle.js'
import { is, type Known, type Value } from './PickleValue.js'
import type { TorchError } from './TorchError.js'
import * as Zip from '../Zip.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A storage as a pickle names it: `count` numbers of a kind.
 *
 * @category model
 * @since 0.1.0
 */
export interface StorageName {
  readonly key: string
  readonly dtype: Dtype
  readonly count: number
  readonly offset: number
}

/**
 * A file: its object, its storages' bytes, little-endian, and the same file with other bytes of some storages, by their keys.
 *
 * @category model
 * @since 0.1.0
 */
export interface Container {
  readonly value: Value
  readonly storage: (name: StorageName) => E.Either<TorchError, Uint8Array>
  readonly replace: (storages: ReadonlyMap<string, Uint8Array>) => E.Either<TorchError, Uint8Array>
}

const storages: Readonly<Record<string, Dtype>> = {
  'torch.FloatStorage': 'F32',
  'torch.DoubleStorage': 'F64',
  'torch.HalfStorage': 'F16',
  'torch.BFloat16Storage': 'BF16',
  'torch.LongStorage': 'I64',
  'torch.IntStorage': 'I32',
  'torch.ShortStorage': 'I16',
  'torch.CharStorage': 'I8',
  'torch.ByteStorage': 'U8',
  'torch.BoolStorage': 'BOOL'
}

/**
 * The functions that make a tensor of a storage.
 *
 * @category constants
 * @since 0.1.0
 */
export const rebuilt = {
  tensor: ['torch._utils._rebuild_tensor', 'torch._utils._rebuild_tensor_v2'],
  parameter: ['torch._utils._rebuild_parameter', 'torch._utils._rebuild_parameter_with_state']
} as const

const each = <T>(names: ReadonlyArray<string>, what: T): Readonly<Record<string, T>> =>
  Object.fromEntries(names.map((name) => [name, what]))

const types = 'float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128'.split(' ')

/** What may stand in a checkpoint: what is left alone is data that is no tensor, and classes without methods of their own. */
const known: Known = {
  ...each(Object.keys(storages), 'made'),
  ...each([...rebuilt.tensor, ...rebuilt.parameter], 'made'),
  'collections.OrderedDict': 'dict',
  'collections.defaultdict': 'dict',
  'torch.Size': 'items',
  'torch.nn.parameter.Parameter': 'only',
  ...each(['builtins.set', '__builtin__.set', 'builtins.frozenset', '__builtin__.frozenset'], 'items'),
  ...each(
    types.map((type) => `torch.${type}`),
    'inert'
  ),
  ...each(['torch.device', 'argparse.Namespace', '_codecs.encode', 'pathlib.PosixPath', 'datetime.datetime'], 'inert'),
  ...each(['numpy.dtype', 'numpy.ndarray'], 'inert'),
  ...each(
    ['numpy.core.multiarray', 'numpy._core.multiarray'].flatMap((from) => [`${from}.scalar`, `${from}._reconstruct`]),
    'inert'
  )
}

// -------------------------------------------------------------------------------------
// names of storages
// -------------------------------------------------------------------------------------

const natural = (value: Value | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0

/**
 * The storage that a value names: `('storage', type, key, place, count)`, and in old files a part of it, `(key, offset, count)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const storageName = (tensor: string, value: Value | undefined): E.Either<TorchError, StorageName> => {
  const id = is('Persistent', value) ? value.id : null
  const [word, type, key, , count, part] = is('Items', id) ? id.items : []
  const kind = is('Global', type) ? type.name : 'none'
  const dtype = Object.hasOwn(storages, kind) ? storages[kind] : undefined
  const offset = is('Items', part) ? part.items[1] : 0
  if (word !== 'storage' || typeof key !== 'string' || !natural(count) || !natural(offset)) {
    return E.left({ _tag: 'Storage', tensor, expected: 'the name of a storage', got: 'something else' })
  }
  return dtype === undefined
    ? E.left({
        _tag: 'Storage',
        tensor,
        expected: `one of ${Object.keys(storages).join(', ')}`,
        got: quote(kind)
      })
    : E.right({ key, dtype, count, offset })
}

/** The bytes of a storage, where they are as many as its name says. */
const sized = (name: StorageName, bytes: Uint8Array): E.Either<TorchError, Uint8Array> => {
  const expected = name.count * formats[name.dtype].width
  return bytes.length === expected
    ? E.right(bytes)
    : E.left({
        _tag: 'Storage',
        tensor: `storage ${name.key}`,
        expected: `${expected} bytes for ${name.count} numbers of ${name.dtype}`,
        got: `${bytes.length}`
      })
}

const swapped = (bytes: Uint8Array, width: number): Uint8Array => {
  const result = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at++) result[at] = bytes[at - (at % width) + width - 1 - (at % width)] ?? 0
  return result
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const pickled = (bytes: Uint8Array, start = 0): E.Either<TorchError, { readonly value: Value; readonly end: number }> =>
  pipe(
    Pickle.read(bytes, start, known),
    E.mapLeft((error): TorchError => ({ _tag: 'Pickle', error }))
  )

const archive = E.mapLeft((error: Zip.ZipError): TorchError => ({ _tag: 'Archive', error }))

const notTorch = (got: string, remedy: string): E.Either<TorchError, never> =>
  E.left({ _tag: 'NotTorch', expected: 'a file of torch.save with tensors', got, remedy })

const fromZip = (bytes: Uint8Array): E.Either<TorchError, Container> =>
  pipe(
    Zip.files(bytes),
    archive,
    E.flatMap((files): E.Either<TorchError, Container> => {
      const byName = new Map(files.map((file) => [file.name, file]))
      const pickle = files.find(({ name }) => /^[^/]+\/data\.pkl$/.test(name))
      if (pickle === undefined) return notTorch('an archive without data.pkl', 'save `model.state_dict()`')
      const top = pickle.name.slice(0, -'data.pkl'.length)
      if (files.some(({ name }) => name.startsWith(`${top}code/`) || name === `${top}constants.pkl`)) {
        return notTorch('a program of TorchScript', 'save `model.state_dict()`, or export the model to ONNX')
      }
      const order = byName.get(`${top}byteorder`)
      return pipe(
        E.Do,
        E.bind('content', () => pipe(pickle.unpack(), archive)),
        E.bind('big', () =>
          order === undefined
            ? E.right(false)
            : pipe(
                order.unpack(),
                archive,
                E.map((text) => new TextDecoder().decode(text).trim() === 'big')
              )
        ),
        E.bind('value', ({ content }) => pickled(content)),
        E.map(
          ({ value, big }): Container => ({
            value: value.value,
            replace: (storages) =>
              big
                ? notTorch('numbers with the highest byte first', 'load it with PyTorch and save it again')
                : pipe(
                    Zip.replace(bytes, new Map([...storages].map(([key, content]) => [`${top}data/${key}`, content]))),
                    archive
                  ),
            storage: (name) => {
              const file = byName.get(`${top}data/${name.key}`)
              return file === undefined
                ? E.left({
                    _tag: 'Storage',
                    tensor: `storage ${name.key}`,
                    expected: `an entry ${quote(`${top}data/${name.key}`)}`,
                    got: 'none'
                  })
                : pipe(
                    file.unpack(),
                    archive,
                    E.flatMap((content) => sized(name, content)),
                    E.map((content) => (big ? swapped(content, formats[name.dtype].width) : content))
                  )
            }
          })
        )
      )
    })
  )

const magic = 0x1950a86a20f9469cfc6cn
const protocol = 1001

/** Every storage that an object names, each once. */
const named = (value: Value): E.Either<TorchError, ReadonlyMap<string, StorageName>> => {
  const found = new Map<string, StorageName>()
  const seen = new Set<Value>()
  const waiting: Array<Value> = [value]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    if (typeof one !== 'object' || one === null || seen.has(one)) continue
    seen.add(one)
    if (is('Persistent', one)) {
      const name = storageName('file', one)
      if (E.isLeft(name)) return name
      found.set(name.right.key, name.right)
    } else if (is('Items', one)) for (const item of one.items) waiting.push(item)
    else if (is('Made', one)) for (const item of one.args) waiting.push(item)
    else if (is('Dict', one)) for (const pair of one.entries) waiting.push(...pair)
  }
  return E.right(found)
}

/** Where each storage of an old file is: they follow in the order of their keys. */
const placed = (
  bytes: Uint8Array,
  start: number,
  keys: ReadonlyArray<Value>,
  names: ReadonlyMap<string, StorageName>
): E.Either<TorchError, ReadonlyMap<string, Uint8Array>> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places = new Map<string, Uint8Array>()
  let at = start
  for (const key of keys) {
    const name = typeof key === 'string' ? names.get(key) : undefined
    const tensor = `storage ${typeof key === 'string' ? key : 'without a key'}`
    const got = at + 8 <= bytes.length ? Number(view.getBigInt64(at, true)) : -1
    if (name === undefined || got !== name.count) {
      return E.left({
        _tag: 'Storage',
        tensor,
        expected: `${name?.count ?? 'a tensor with its'} numbers`,
        got: `${got}`
      })
    }
    const end = at + 8 + got * formats[name.dtype].width
    if (end > bytes.length) {
      return E.left({ _tag: 'Storage', tensor, expected: `an end at byte ${end}`, got: `${bytes.length}` })
    }
    places.set(name.key, bytes.subarray(at + 8, end))
    at = end
  }
  return at === bytes.length
    ? E.right(places)
    : E.left({ _tag: 'Storage', tensor: 'file', expected: `an end at byte ${at}`, got: `${bytes.length}` })
}

/** The bytes with others in the places of some storages. */
const replaced = (
  bytes: Uint8Array,
  places: ReadonlyMap<string, Uint8Array>,
  storages: ReadonlyMap<string, Uint8Array>
): Uint8Array => {
  const result = bytes.slice()
  for (const [key, content] of storages) result.set(content, (places.get(key)?.byteOffset ?? 0) - bytes.byteOffset)
  return result
}

const fromPickles = (bytes: Uint8Array): E.Either<TorchError, Container> =>
  pipe(
    E.Do,
    E.bind('first', () => pickled(bytes)),
    E.filterOrElse(
      ({ first }) => first.value === magic,
      (): TorchError => ({
        _tag: 'NotTorch',
        expected: 'a file of torch.save with tensors',
        got: 'a pickle of another tool',
        remedy: 'save `model.state_dict()` with torch.save'
      })
    ),
    E.bind('version', ({ first }) => pickled(bytes, first.end)),
    E.bind('machine', ({ version }) => pickled(bytes, version.end)),
    E.bind('object', ({ machine }) => pickled(bytes, machine.end)),
    E.bind('keys', ({ object }) => pickled(bytes, object.end)),
    E.bind('names', ({ object }) => named(object.value)),
    E.flatMap(({ version, object, keys, names }) => {
      if (version.value !== protocol || !is('Items', keys.value)) {
        return notTorch('an old file of another version', 'load it with PyTorch and save it again')
      }
      return pipe(
        placed(bytes, keys.end, keys.value.items, names),
        E.map(
          (places): Container => ({
            value: object.value,
            replace: (storages) => E.right(replaced(bytes, places, storages)),
            storage: (name) => pipe(places.get(name.key) ?? new Uint8Array(0), (content) => sized(name, content))
          })
        )
      )
    })
  )

const isZip = (bytes: Uint8Array): boolean => [0x50, 0x4b, 0x03, 0x04].every((byte, i) => bytes[i] === byte)

/**
 * What is in a file's bytes. Left: it is no file of `torch.save`, is damaged, or its pickle asks for what is not data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (bytes: Uint8Array): E.Either<TorchError, Container> =>
  isZip(bytes)
    ? fromZip(bytes)
    : bytes[0] === 0x80
      ? fromPickles(bytes)
      : notTorch(
          bytes.length === 0 ? 'no bytes' : 'a file that begins otherwise',
          'give a file that torch.save wrote, such as .pt, .pth, .ckpt or .bin'
        )

/**
 * As many storages as `Limits` has tensors, by key; each is unpacked once.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpackAll = (
  container: Container,
  names: ReadonlyMap<string, StorageName>
): E.Either<TorchError, ReadonlyMap<string, Uint8Array>> =>
  names.size > limits.tensors
    ? E.left({ _tag: 'TooLarge', what: 'storages', expected: `at most ${limits.tensors}`, got: `${names.size}` })
    : pipe(
        [...names],
        RA.traverse(E.Applicative)(([key, name]) =>
          pipe(
            container.storage(name),
            E.map((bytes) => [key, bytes] as const)
          )
        ),
        E.map((entries) => new Map(entries))
      )
