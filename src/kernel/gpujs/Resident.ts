/**
 * Inputs that did not change between calls stay where they are.
 *
 * Tensors are immutable, so the same array holds the same numbers. gpu.js copies every argument of a pipeline twice a
 * call: a snapshot, in case the caller writes to it before the pipeline has run, and then into the memory that the
 * kernels share. The snapshot of an immutable array may be the array itself. The second copy goes through the
 * pipeline's view of that memory, which `keep` replaces by one that remembers which array was written where. That view
 * is not part of gpu.js's public interface: where it is not found, everything is copied and nothing else changes.
 *
 * @since 0.1.0
 */
import type { IPipelineRunShortcut } from 'gpu.js'
import type { Data } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** An array that nobody writes to. */
class Immutable extends Float32Array<ArrayBufferLike> {
  override slice(): Float32Array<ArrayBuffer> {
    // the declared type wants a buffer of its own, which no reader of an immutable slice can tell
    return this as Float32Array<ArrayBufferLike> as Float32Array<ArrayBuffer>
  }
}

/**
 * The data of a tensor in f32 as an argument of a pipeline: the same object for the same data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const argument = (data: Data): Float32Array => {
  if (!(data instanceof Float32Array)) return wrap(Float32Array.from(data))
  const before = wrapped.get(data)
  if (before !== undefined) return before
  const after = wrap(data)
  wrapped.set(data, after)
  return after
}

const wrapped = new WeakMap<Float32Array, Immutable>()

const wrap = (data: Float32Array): Immutable => new Immutable(data.buffer, data.byteOffset, data.length)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/** A view of a memory that does not write an immutable array again to where it was written last. */
class Remembering extends Float32Array<ArrayBufferLike> {
  readonly #written = new Map<number, Immutable>()

  // what is sliced off is an ordinary array
  static get [Symbol.species](): Float32ArrayConstructor {
    return Float32Array
  }

  override subarray(start = 0, end = this.length): Float32Array<ArrayBufferLike> {
    const part = new Remembered(this.buffer, this.byteOffset + 4 * start, end - start)
    part.known = this.#written
    return part
  }
}

class Remembered extends Float32Array<ArrayBufferLike> {
  known: Map<number, Immutable> | undefined

  override set(source: ArrayLike<number>, offset = 0): void {
    if (source instanceof Immutable && offset === 0) {
      if (this.known?.get(this.byteOffset) === source) return
      this.known?.set(this.byteOffset, source)
    } else this.known?.delete(this.byteOffset)
    super.set(source, offset)
  }
}

/**
 * Lets a pipeline that has run once keep unchanged arguments from now on. True where that was possible.
 *
 * @category combinators
 * @since 0.1.0
 */
export const keep = (pipeline: IPipelineRunShortcut): boolean => {
  const executor = property(property(pipeline, 'pipeline'), '_executor')
  const cells = property(executor, 'f32')
  if (typeof executor !== 'object' || executor === null || !(cells instanceof Float32Array)) return false
  return Reflect.set(executor, 'f32', new Remembering(cells.buffer))
}

const property = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? Reflect.get(value, name) : undefined
