/**
 * The numbers by which images of faces are judged.
 *
 * @since 0.1.0
 */
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Faces from './Faces.js'

/**
 * For each attribute, the share of rows in which the greatest logit of the attribute's block is the labelled one. Rows in
 * which the labels leave the attribute open do not count.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accuracy = (logits: Tensor, labels: Tensor): Readonly<Record<Faces.AttributeName, number>> => {
  const width = Faces.labelWidth
  const rows = labels.shape[0] ?? 0
  const of = (attribute: Faces.AttributeName): number => {
    const { offset, width: values } = Faces.block(attribute)
    let right = 0
    let counted = 0
    for (let row = 0; row < rows; row++) {
      const from = row * width + offset
      const label = labels.data.subarray(from, from + values).indexOf(1)
      if (label < 0) continue
      const scores = logits.data.subarray(from, from + values)
      counted += 1
      right += scores.indexOf(Math.max(...scores)) === label ? 1 : 0
    }
    return right / Math.max(counted, 1)
  }
  return {
    skin: of('skin'),
    hair: of('hair'),
    hairColor: of('hairColor'),
    glasses: of('glasses'),
    hat: of('hat'),
    beard: of('beard'),
    mouth: of('mouth'),
    clothing: of('clothing')
  }
}

/**
 * For each row of `images`, the root mean square of its difference to the same row of `others`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const distances = (images: Tensor, others: Tensor): ReadonlyArray<number> => {
  const [rows = 0, features = 1] = images.shape
  return Array.from({ length: rows }, (_, row) => Math.sqrt(squares(images, row, others, row, Infinity) / features))
}

/**
 * For each row of `images`, the root mean square of its difference to the nearest row of `others`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const nearest = (images: Tensor, others: Tensor): ReadonlyArray<number> => {
  const [rows = 0, features = 1] = images.shape
  return Array.from({ length: rows }, (_, row) => {
    let least = Infinity
    for (let other = 0; other < (others.shape[0] ?? 0); other++) {
      least = Math.min(least, squares(images, row, others, other, least))
    }
    return Math.sqrt(least / features)
  })
}

/** The sum of squared differences of two rows, or some number of at least `enough`. */
const squares = (a: Tensor, i: number, b: Tensor, j: number, enough: number): number => {
  const features = a.shape[1] ?? 1
  let total = 0
  for (let k = 0; k < features; k++) {
    total += ((a.data[i * features + k] ?? 0) - (b.data[j * features + k] ?? 0)) ** 2
    if (total >= enough) return total
  }
  return total
}

/**
 * The mean of some numbers; 0 of none.
 *
 * @category utils
 * @since 0.1.0
 */
export const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((total, value) => total + value, 0) / Math.max(values.length, 1)
