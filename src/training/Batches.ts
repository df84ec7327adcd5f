/**
 * What one step of pretraining is given: a batch of labelled examples with noise, as a pure function of a key and the
 * step's number. A resumed training therefore sees what an unbroken one would.
 *
 * @since 0.1.0
 */
import type { Span } from '../lens/Columns.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Examples `[N, features]` with what a model is told of them `[N, labels]`, one-hot or zeros.
 *
 * @category model
 * @since 0.1.0
 */
export interface Labelled {
  readonly x0: Tensor
  readonly labels: Tensor
}

/**
 * Where batches come from: `count` labelled rows of `features` numbers, read by their numbers. Rows are drawn where they
 * would take too much memory. `spans` are the columns of the labels that belong together, and are hidden together.
 *
 * @category model
 * @since 0.1.0
 */
export interface Source {
  readonly count: number
  readonly features: number
  readonly spans: ReadonlyArray<Span>
  readonly rows: (indices: ArrayLike<number>) => Labelled
}

/**
 * How often labels are hidden, so that one network learns to draw with and without a prompt: `all` is the probability
 * that a row has no labels; of the other rows, `some` is the share in which each span is hidden with probability
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
 * Labelled examples in memory as a source. `spans` are all labels as one, by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const table = (
  { x0, labels }: Labelled,
  spans: ReadonlyArray<Span> = [{ offset: 0, width: labels.shape[1] ?? 0 }]
): Source => ({
  count: x0.shape[0] ?? 1,
  features: x0.shape[1] ?? 1,
  spans,
  rows: (indices) => ({ x0: gather(x0, indices), labels: gather(labels, indices) })
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
  ({ count, features, rows, spans }: Source, batch: number, dropout: Dropout, key: Key.Key) =>
  (step: number): Values => {
    const at = (name: string): Key.Key => Key.foldInString(Key.foldIn(key, step), name)
    const chosen = Int32Array.from(Draw.uniform(at('rows'), [batch]).data, (u) => Math.floor(u * count))
    const { x0, labels } = rows(chosen)
    const time = Draw.uniform(at('time'), [batch, 1])
    return {
      x0,
      labels: hide(labels, spans, dropout, at('dropout')),
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
 * Labels with zeros in the spans that are hidden.
 *
 * @category combinators
 * @since 0.1.0
 */
export const hide = (labels: Tensor, spans: ReadonlyArray<Span>, { all, some }: Dropout, key: Key.Key): Tensor => {
  const [rows = 0, width = 1] = labels.shape
  const uniform = Draw.uniform(key, [rows, spans.length + 1]).data
  const data = Float32Array.from(labels.data)
  for (let row = 0; row < rows; row++) {
    const at = row * (spans.length + 1)
    const u = uniform[at] ?? 0
    spans.forEach(({ offset, width: values }, i) => {
      const hidden = u < all || (u < all + (1 - all) * some && (uniform[at + 1 + i] ?? 0) < 0.5)
      if (hidden) data.fill(0, row * width + offset, row * width + offset + values)
    })
  }
  return { shape: labels.shape, data }
}
