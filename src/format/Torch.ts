/**
 * Files of `torch.save`: state dicts and checkpoints, as zip archives or in the form before version 1.6.
 *
 * Nothing in a file is run. Its pickle is read as data: tensors, containers, numbers and texts; what is no tensor is left alone,
 * and any global that is not on a short list is refused by its name. Tensors that share numbers share them here too.
 *
 *     Torch.decode(bytes)                       // every tensor, by its path
 *     Torch.weights(undefined)(file)            // the state dict, by parameter
 *     Torch.weights('ema')(file)                // that below a key
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Values } from '../tensor/Program.js'
import { equals } from '../tensor/Shape.js'
import { size, type Tensor } from '../tensor/Tensor.js'
import { type Dtype, formats, write } from './Dtype.js'
import { countOf, limits } from './Limits.js'
import { is, type Made, type Value } from './torch/PickleValue.js'
import { open, rebuilt, storageName, type StorageName, unpackAll } from './torch/Container.js'
import { shownShape, type TorchError } from './torch/TorchError.js'

export { showError, type TorchError } from './torch/TorchError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A tensor of a file: its path of keys and places in lists, what it is stored as, and its numbers, row-major. `storage`, `offset`
 * and `strides` (in numbers) say where it lies, so that tied weights can be told. `inexact` counts its 64-bit integers beyond 2^53,
 * which have become the nearest number.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stored {
  readonly path: ReadonlyArray<string>
  readonly dtype: Dtype
  readonly storage: string
  readonly offset: number
  readonly strides: ReadonlyArray<number>
  readonly tensor: Tensor
  readonly inexact: number
}

/**
 * The tensors of a file, in the order in which they were saved.
 *
 * @category model
 * @since 0.1.0
 */
export interface TorchFile {
  readonly tensors: ReadonlyArray<Stored>
}

/** Where a tensor lies in a storage. */
interface Lying {
  readonly name: StorageName
  readonly offset: number
  readonly shape: ReadonlyArray<number>
  readonly strides: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// tensors
// -------------------------------------------------------------------------------------

const isTensor = (value: Value): value is Made =>
  is('Made', value) && [...rebuilt.tensor, ...rebuilt.parameter].some((name) => name === value.name)

const numbersOf = (value: Value | undefined): ReadonlyArray<number> | undefined => {
  const items = is('Items', value) ? value.items : [undefined]
  const numbers = items.filter((item): item is number => typeof item === 'number' && Number.isSafeInteger(item))
  return numbers.length === items.length && numbers.every((n) => n >= 0) ? numbers : undefined
}

/** Where a tensor that a pickle makes lies, if it lies within its storage. */
const lying = (tensor: string, made: Made): E.Either<TorchError, Lying> => {
  const [first, offset, sizes, steps] = made.args
  if (rebuilt.parameter.some((name) => name === made.name)) {
    return is('Made', first) && rebuilt.tensor.some((name) => name === first.name)
      ? lying(tensor, first)
      : E.left({ _tag: 'Storage', tensor, expected: 'a tensor in the parameter', got: 'something else' })
  }
  return pipe(
    storageName(tensor, first),
    E.flatMap((name): E.Either<TorchError, Lying> => {
      const [shape, strides] = [numbersOf(sizes), numbersOf(steps)]
      const whole = typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0
      if (shape === undefined || strides === undefined || !whole || shape.length !== strides.length) {
        const expected = 'a size, a stride and an offset in whole numbers from 0 on'
        return E.left({ _tag: 'Storage', tensor, expected, got: 'something else' })
      }
      const count = countOf(shape)
      // a stride of 0 makes a large tensor of a small storage
      if (count === undefined || count * 8 > limits.unpacked) {
        return E.left({
          _tag: 'TooLarge',
          what: tensor,
          expected: `at most ${limits.unpacked} bytes`,
          got: shownShape(shape)
        })
      }
      const start = name.offset + offset
      const reach = count === 0 ? 0 : shape.reduce((last, d, axis) => last + (d - 1) * (strides[axis] ?? 0), start) + 1
      return reach <= name.count
        ? E.right({ name, offset: start, shape, strides })
        : E.left({ _tag: 'Storage', tensor, expected: `${reach} numbers in its storage`, got: `${name.count}` })
    })
  )
}

/** Visits the places of a tensor's numbers in its storage, in the order of its axes. */
const visit = ({ offset, shape, strides }: Lying, see: (i: number, at: number) => void): void => {
  const count = size(shape)
  const index = shape.map(() => 0)
  let at = offset
  for (let i = 0; i < count; i++) {
    see(i, at)
    // the next place: the last axis moves first
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      at += strides[axis] ?? 0
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next
        break
      }
      index[axis] = 0
      at -= next * (strides[axis] ?? 0)
    }
  }
}

/** The numbers of a tensor in the order of its axes. */
const dense = (bytes: Uint8Array, place: Lying) => {
  const { shape, name } = place
  const { width, make, read } = formats[name.dtype]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const data = make(size(shape))
  const wide = name.dtype === 'I64'
  let inexact = 0
  visit(place, (i, at) => {
    let value = read(view, at * width)
    if (wide && Number.isNaN(value)) {
      value = Number(view.getBigInt64(at * width, true))
      inexact += 1
    }
    data[i] = value
  })
  return { tensor: { shape, data }, inexact }
}

// -------------------------------------------------------------------------------------
// paths
// -------------------------------------------------------------------------------------

type Children = ReadonlyArray<readonly [key: string, value: Value]>

const childrenOf = (value: Value): Children => {
  if (is('Items', value)) return value.items.map((item, i) => [`${i}`, item] as const)
  return is('Dict', value)
    ? value.entries.map(([key, item]) => [typeof key === 'object' ? '?' : `${key}`, item] as const)
    : []
}

/** Containers of a value and tensors, each once, without a look at their keys. */
const reached = (root: Value): ReadonlySet<Value> => {
  const seen = new Set<Value>([root])
  // what is added while a set is gone through is gone through too
  for (const one of seen) {
    if (is('Items', one)) for (const item of one.items) add(seen, item)
    else if (is('Dict', one)) for (const [, item] of one.entries) add(seen, item)
  }
  return seen
}

const add = (seen: Set<Value>, value: Value): void => {
  if (typeof value === 'object' && value !== null) seen.add(value)
}

/** The containers that have a tensor below them: all others need not be gone into, however often they are shared. */
const holding = (root: Value): ReadonlySet<Value> => {
  const seen = reached(root)
  const found = [...seen].filter(isTensor)
  const held = new Set<Value>(found)
  if (found.length === 0) return held
  const parents = new Map<Value, Array<Value>>()
  for (const one of seen) {
    for (const [, child] of childrenOf(one)) {
      const above = parents.get(child)
      if (above === undefined) parents.set(child, [one])
      else above.push(one)
    }
  }
  const waiting: Array<Value> = [...found]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    for (const parent of parents.get(one) ?? []) {
      if (held.has(parent)) continue
      held.add(parent)
      waiting.push(parent)
    }
  }
  return held
}

type Found = { readonly path: ReadonlyArray<string>; readonly made: Made }

/** Every tensor below a value, by its path. */
const tensorsBelow = (root: Value): E.Either<TorchError, ReadonlyArray<Found>> => {
  const held = holding(root)
  const found: Array<Found> = []
  const waiting: Array<{ readonly path: ReadonlyArray<string>; readonly value: Value }> = [{ path: [], value: root }]
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { path, value } = one
    if (isTensor(value)) found.push({ path, made: value })
    const children = held.has(value) ? childrenOf(value).filter(([, child]) => held.has(child)) : []
    for (const [key, child] of children.toReversed()) waiting.push({ path: [...path, key], value: child })
    if (path.length > limits.rank || found.length + waiting.length > limits.tensors) {
      return E.left({
        _tag: 'TooLarge',
        what: 'tensors',
        expected: `at most ${limits.tensors}, in ${limits.rank} levels`,
        got: path.length > limits.rank ? `${path.length} levels` : `${found.length + waiting.length}`
      })
    }
  }
  return found.length === 0 ? E.left({ _tag: 'None' }) : E.right(found)
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/** What all tensors take together where each is dense. */
const bounded = (all: ReadonlyArray<Lying>, file: number): E.Either<TorchError, void> => {
  const total = all.reduce((sum, { shape }) => sum + 8 * size(shape), 0)
  const most = Math.min(limits.unpacked, Math.max(limits.unpackedFreely, limits.ratio * file))
  return total <= most
    ? E.right(undefined)
    : E.left({
        _tag: 'TooLarge',
        what: 'tensors',
        expected: `at most ${most} bytes in a file of ${file}`,
        got: `${total}`
      })
}

/** Everything of a file that its tensors need. */
const laidOut = (bytes: Uint8Array) =>
  pipe(
    E.Do,
    E.bind('container', () => open(bytes)),
    E.bind('found', ({ container }) => tensorsBelow(container.value)),
    E.bind('lying', ({ found }) =>
      pipe(
        found,
        RA.traverse(E.Applicative)(({ path, made }) => lying(path.join('.'), made))
      )
    ),
    E.chainFirst(({ lying: all }) => bounded(all, bytes.length)),
    E.bind('storages', ({ container, lying: all }) =>
      unpackAll(container, new Map(all.map(({ name }) => [name.key, name])))
    )
  )

/**
 * Every tensor in a file's bytes. F32, F16, BF16, truth values and integers of 8 and 16 bits become f32; F64 and wider integers
 * become f64: without loss, but for 64-bit integers beyond 2^53.
 *
 * Total: whatever the bytes are, the result is the file or an error that `showError` puts in words, in time and memory that are in
 * proportion to the file.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<TorchError, TorchFile> =>
  pipe(
    laidOut(bytes),
    E.map(({ found, lying: all, storages }) => {
      // one tensor is one, by however many names
      const made = new Map<Value, ReturnType<typeof dense>>()
      return {
        tensors: found.flatMap((one, i): ReadonlyArray<Stored> => {
          const place = all[i]
          if (place === undefined) return []
          const known = made.get(one.made) ?? dense(storages.get(place.name.key) ?? new Uint8Array(0), place)
          made.set(one.made, known)
          const { name, offset, strides } = place
          return [{ path: one.path, dtype: name.dtype, storage: name.key, offset, strides, ...known }]
        })
      }
    })
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/** The first `n` keys of a path as one text. */
const head = (path: ReadonlyArray<string>, n: number): string => path.slice(0, n).join('.')

/** The tensors of a group, by parameter, and where they stand among all. */
const group = (
  key: string | undefined,
  paths: ReadonlyArray<ReadonlyArray<string>>
): E.Either<TorchError, ReadonlyMap<string, number>> => {
  const groups = [...new Set(paths.map((path) => (path.length > 1 ? head(path, 1) : '')))]
  const whole = key === undefined && (groups.includes('') || groups.length === 0)
  const chosen = key ?? (groups.length === 1 ? groups[0] : groups.find((one) => one === 'state_dict'))
  const depth = whole ? 0 : (chosen?.split('.').length ?? 0)
  const inside = paths.flatMap((path, i) =>
    whole || (path.length > depth && chosen !== undefined && head(path, depth) === chosen)
      ? [[path.slice(depth).join('.'), i] as const]
      : []
  )
  return inside.length === 0
    ? E.left({ _tag: 'Choose', asked: key, groups: groups.filter((one) => one !== '') })
    : E.right(new Map(inside))
}

/**
 * The weights in a file, by parameter. A file whose keys lead to tensors is a state dict. In a checkpoint `key` names the group,
 * such as `ema`; without one it is the only group, or that called `state_dict`.
 *
 * Left: there are several groups, or none of that name; the error has the names.
 *
 * @category combinators
 * @since 0.1.0
 */
export const weights =
  (key: string | undefined) =>
  ({ tensors }: TorchFile): E.Either<TorchError, Values> =>
    pipe(
      group(
        key,
        tensors.map(({ path }) => path)
      ),
      E.map((members) =>
        Object.fromEntries(
          [...members].flatMap(([name, i]) => {
            const found = tensors[i]
            return found === undefined ? [] : [[name, found.tensor] as const]
          })
        )
      )
    )

/**
 * The same file with other numbers in some tensors, by parameter, as `weights(key)` has them: every other byte is as it was, but for
 * checksums. Tensors that share numbers share the new ones; of two that are given, the later holds.
 *
 * Left: as for `decode` and `weights`; a name that is none, a tensor of another shape, or storages that are packed.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rewrite =
  (key: string | undefined) =>
  (bytes: Uint8Array, values: Values): E.Either<TorchError, Uint8Array> =>
    pipe(
      laidOut(bytes),
      E.bind('members', ({ found }) =>
        group(
          key,
          found.map(({ path }) => path)
        )
      ),
      E.flatMap(({ members, lying: all, storages, container }): E.Either<TorchError, Uint8Array> => {
        const changed = new Map<string, Uint8Array>()
        for (const [name, tensor] of Object.entries(values)) {
          const place = all[members.get(name) ?? -1]
          if (place === undefined) return unlike(name, 'a tensor of the file', 'none')
          if (!equals(place.shape, tensor.shape)) return unlike(name, shownShape(place.shape), shownShape(tensor.shape))
          const { key: storage, dtype } = place.name
          const content = changed.get(storage) ?? storages.get(storage)?.slice() ?? new Uint8Array(0)
          const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
          visit(place, (i, to) => write(dtype, view, to * formats[dtype].width, tensor.data[i] ?? 0))
          changed.set(storage, content)
        }
        return container.replace(changed)
      })
    )

const unlike = (tensor: string, expected: string, got: string): E.Either<TorchError, never> =>
  E.left({ _tag: 'Unlike', tensor, expected, got })
