/**
 * Where a run is, in parts by their digests: what did not change is what is there already.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Values } from 'halforder/tensor/Program'
import { size, type Tensor } from 'halforder/tensor/Tensor'
import type { State } from 'halforder/training/Finetune'
import * as Parcel from './Parcel.js'
import type { Manifest } from './Wire.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A state in parts: its digest, which is that of its manifest, the manifest as bytes, and the bytes of its tensors by their digests.
 *
 * @category model
 * @since 0.1.0
 */
export interface Parted {
  readonly digest: string
  readonly manifest: Uint8Array
  readonly parts: ReadonlyMap<string, Uint8Array>
}

/**
 * What is needed of a state: where it is reached by replaying steps, all of it, else its parameters.
 *
 * @category model
 * @since 0.1.0
 */
export type Needed = Pick<State, 'step' | 'params' | 'advantage'> & Partial<Pick<State, 'optimizer'>>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Tensors are immutable: the digest of numbers that were looked at once is known. */
const known = new WeakMap<Tensor['data'], string>()

/**
 * The digest of a tensor's numbers.
 *
 * @category utils
 * @since 0.1.0
 */
export const digestOf = ({ data }: Tensor): string => {
  const before = known.get(data)
  if (before !== undefined) return before
  const digest = Parcel.digestOf(Parcel.bytesOf(data))
  known.set(data, digest)
  return digest
}

const named = ({ params, optimizer = {} }: Needed): Values => ({
  ...Object.fromEntries(Object.entries(params).map(([path, value]) => [`params.${path}`, value])),
  ...Object.fromEntries(Object.entries(optimizer).map(([path, value]) => [`optimizer.${path}`, value]))
})

/**
 * A state in parts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parted = (state: Needed): Parted => {
  const entries = Object.entries(named(state)).sort(([a], [b]) => (a < b ? -1 : 1))
  const tensors = entries.map(([name, tensor]): Manifest['tensors'][number] => [
    name,
    [...tensor.shape],
    tensor.data instanceof Float64Array ? 'f64' : 'f32',
    digestOf(tensor)
  ])
  const manifest = Parcel.encode({
    head: { step: state.step, tensors },
    arrays: [Float64Array.of(state.advantage)]
  })
  return {
    digest: Parcel.digestOf(manifest),
    manifest,
    parts: new Map(entries.map(([, tensor]) => [digestOf(tensor), Parcel.bytesOf(tensor.data)]))
  }
}

// -------------------------------------------------------------------------------------
// back
// -------------------------------------------------------------------------------------

/**
 * The state of a manifest whose tensors are found by their digests. Left: the digests of those that are not found, or that do not fill
 * their shape.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joined = (
  { step, tensors }: Manifest,
  advantage: number,
  find: (digest: string) => Uint8Array | Tensor['data'] | undefined
): E.Either<ReadonlyArray<string>, State> => {
  const missing: Array<string> = []
  const params: Record<string, Tensor> = {}
  const optimizer: Record<string, Tensor> = {}
  for (const [name, shape, format, digest] of tensors) {
    const found = find(digest)
    const data = found === undefined ? undefined : numbersOf(found, format)
    if (data === undefined || data.length !== size(shape)) {
      missing.push(digest)
      continue
    }
    known.set(data, digest)
    if (name.startsWith('params.')) params[name.slice(7)] = { shape, data }
    else if (name.startsWith('optimizer.')) optimizer[name.slice(10)] = { shape, data }
  }
  return missing.length > 0 ? E.left(missing) : E.right({ step, params, optimizer, advantage })
}

const numbersOf = (found: Uint8Array | Tensor['data'], format: 'f32' | 'f64'): Tensor['data'] | undefined => {
  if (found instanceof Float32Array) return format === 'f32' ? found : undefined
  if (found instanceof Float64Array) return format === 'f64' ? found : undefined
  const width = format === 'f32' ? 4 : 8
  if (found.byteLength % width !== 0) return undefined
  const { buffer, byteLength, byteOffset } = found.byteOffset % width === 0 ? found : new Uint8Array(found)
  const length = byteLength / width
  return format === 'f32' ? new Float32Array(buffer, byteOffset, length) : new Float64Array(buffer, byteOffset, length)
}
