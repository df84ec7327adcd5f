/**
 * What one step of pretraining is given: a batch of labelled images with noise, as a pure function of a key and the
 * step's number. A resumed training therefore sees what an unbroken one would.
 *
 * @since 0.1.0
 */
import * as Faces from '../model/Faces.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Images `[N, features]` in [-1, 1] with their one-hot labels `[N, labels]`.
 *
 * @category model
 * @since 0.1.0
 */
export interface LabelledImages {
  readonly images: Tensor
  readonly labels: Tensor
}

/**
 * Where batches come from: `count` labelled rows of `features` numbers, read by their numbers. Rows are drawn where they
 * would take too much memory.
 *
 * @category model
 * @since 0.1.0
 */
export interface Source {
  readonly count: number
  readonly features: number
  readonly rows: (indices: ArrayLike<number>) => LabelledImages
}

/**
 * How often labels are hidden, so that one network learns to draw with and without a prompt: `all` is the probability
 * that a row has no labels; of the other rows, `some` is the share in which each attribute is hidden with probability
 * one half.
 *
 * @category model
 * @since 0.1.0
 */
export interface Dropout {
  readonly all: number
  readonly some: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Labelled images in memory as a source.
 *
 * @category constructors
 * @since 0.1.0
 */
export const table = ({ images, labels }: LabelledImages): Source => ({
  count: images.shape[0] ?? 1,
  features: images.shape[1] ?? 1,
  rows: (indices) => ({ images: gather(images, indices), labels: gather(labels, indices) })
})

/**
 * The batch of one step: `x0` and `labels` are rows of the data, drawn with replacement and with some labels hidden;
 * `noise` is standard normal; `time` is uniform on (0, 1), one draw in each of `batch` equal intervals, so that every
 * batch has seen all times.
 *
 * @category constructors
 * @since 0.1.0
 */
export const batchAt =
  ({ count, features, rows }: Source, batch: number, dropout: Dropout, key: Key.Key) =>
  (step: number): Values => {
    const at = (name: string): Key.Key => Key.foldInString(Key.foldIn(key, step), name)
    const chosen = Int32Array.from(Draw.uniform(at('rows'), [batch]).data, (u) => Math.floor(u * count))
    const { images, labels } = rows(chosen)
    const time = Draw.uniform(at('time'), [batch, 1])
    return {
      x0: images,
      labels: hide(labels, dropout, at('dropout')),
      noise: Draw.normal32(at('noise'), [batch, features]),
      time: { shape: [batch, 1], data: Float32Array.from(time.data, (u, i) => (i + u) / batch) }
    }
  }

const gather = (source: Tensor, rows: ArrayLike<number>): Tensor => {
  const width = source.shape[1] ?? 1
  const data = new Float32Array(rows.length * width)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? 0
    data.set(source.data.subarray(row * width, (row + 1) * width), i * width)
  }
  return { shape: [rows.length, width], data }
}

/**
 * Labels with blocks of zeros where an attribute is hidden. What follows the code of a face, such as a motion, counts as
 * one more attribute.
 *
 * @category combinators
 * @since 0.1.0
 */
export const hide = (labels: Tensor, { all, some }: Dropout, key: Key.Key): Tensor => {
  const [rows = 0, width = 1] = labels.shape
  const blocks = [
    ...Faces.attributeNames.map(Faces.block),
    ...(width > Faces.labelWidth ? [{ offset: Faces.labelWidth, width: width - Faces.labelWidth }] : [])
  ]
  const uniform = Draw.uniform(key, [rows, blocks.length + 1]).data
  const data = Float32Array.from(labels.data)
  for (let row = 0; row < rows; row++) {
    const at = row * (blocks.length + 1)
    const u = uniform[at] ?? 0
    blocks.forEach(({ offset, width: values }, i) => {
      const hidden = u < all || (u < all + (1 - all) * some && (uniform[at + 1 + i] ?? 0) < 0.5)
      if (hidden) data.fill(0, row * width + offset, row * width + offset + values)
    })
  }
  return { shape: labels.shape, data }
}
