/**
 * What a visitor likes, from choices between pairs of faces: a weight for each value of each attribute that a classifier reads, such
 * that the log-odds of a choice are the difference of the two faces' weighted probabilities (Bradley and Terry's model). It is a
 * reward that a fine-tune can follow.
 */
import * as Classifier from 'halforder/network/Classifier'
import type { TrainedClassifier } from 'halforder/network/Model'
import { columns, type Span } from 'halforder/lens/Columns'
import * as L from 'halforder/lens/Lens'
import type { Lens, None } from 'halforder/lens/Lens'
import { logSumExp } from 'halforder/lens/layer/LogSumExp'
import type { PerRow } from 'halforder/lens/layer/Loss'
import type { Rows } from 'halforder/lens/Rows'
import { differentiable } from 'halforder/reward/Reward'
import type { Named } from 'halforder/reward/Shelf'
import * as X from 'halforder/tensor/Expr'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Faces from '../../../cli/tasks/faces/Faces.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** A choice of a pair: its first face, its second, or neither. */
export type Choice = 'first' | 'second' | 'neither'

/** The weights of all values of all attributes, in the order of the one-hot code. */
export type Taste = ReadonlyArray<number>

/** How many pairs there are to choose from. */
export const pairs = 48

/** From how many choices on a taste is worth following. */
export const enough = 8

const letters: Readonly<Record<Choice, string>> = { first: 'L', second: 'R', neither: '-' }

/** Choices as text, a letter each. */
export const toText = (choices: ReadonlyArray<Choice>): string => choices.map((choice) => letters[choice]).join('')

/** The choices that a text says; letters that are none are left out. */
export const fromText = (text: string): ReadonlyArray<Choice> =>
  [...text]
    .flatMap(
      (letter): ReadonlyArray<Choice> =>
        letter === 'L' ? ['first'] : letter === 'R' ? ['second'] : letter === '-' ? ['neither'] : []
    )
    .slice(0, pairs)

// -------------------------------------------------------------------------------------
// learning
// -------------------------------------------------------------------------------------

/**
 * The standard deviation of a weight before any choice. A face that has what the visitor likes for sure then wins with odds of about
 * e^2 to 1 over one that has not.
 */
const spread = 2

/**
 * The most probable weights, given `shares`, the probabilities of all values, two rows a pair, and that weights are normal with mean 0
 * before. Minus the log-posterior is convex: Newton's steps find its minimum.
 */
export const learned = (shares: Tensor, choices: ReadonlyArray<Choice>): Taste => {
  const width = shares.shape[1] ?? 0
  const rows = choices.flatMap((choice, pair) => {
    if (choice === 'neither') return []
    const [won, lost] = choice === 'first' ? [2 * pair, 2 * pair + 1] : [2 * pair + 1, 2 * pair]
    return [
      Float64Array.from(
        { length: width },
        (_, i) => (shares.data[won * width + i] ?? 0) - (shares.data[lost * width + i] ?? 0)
      )
    ]
  })
  let weights = new Float64Array(width)
  for (let step = 0; step < 20; step++) {
    // of -sum log sigmoid(w d) + |w|^2 / (2 spread^2)
    const gradient = weights.map((w) => w / spread ** 2)
    const hessian = Array.from({ length: width }, (_, i) =>
      new Float64Array(width).map((_one, j) => (i === j ? 1 / spread ** 2 : 0))
    )
    for (const d of rows) {
      const p = 1 / (1 + Math.exp(-dot(weights, d)))
      for (let i = 0; i < width; i++) {
        gradient[i] = (gradient[i] ?? 0) - (1 - p) * (d[i] ?? 0)
        const row = hessian[i]
        if (row === undefined) continue
        for (let j = 0; j < width; j++) row[j] = (row[j] ?? 0) + p * (1 - p) * (d[i] ?? 0) * (d[j] ?? 0)
      }
    }
    const move = solved(hessian, gradient)
    weights = weights.map((w, i) => w - (move[i] ?? 0))
    if (Math.sqrt(dot(move, move)) < 1e-10) break
  }
  return Array.from(weights)
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0)

/** The solution of a positive definite system, by elimination. */
const solved = (matrix: ReadonlyArray<Float64Array>, right: Float64Array): Float64Array => {
  const rows = matrix.map((row, i) => Float64Array.of(...row, right[i] ?? 0))
  const n = rows.length
  rows.forEach((pivot, i) => {
    for (const below of rows.slice(i + 1)) {
      const factor = (below[i] ?? 0) / (pivot[i] ?? 1)
      for (let j = i; j <= n; j++) below[j] = (below[j] ?? 0) - factor * (pivot[j] ?? 0)
    }
  })
  const out = new Float64Array(n)
  for (let i = n - 1; i >= 0; i--) {
    const row = rows[i] ?? new Float64Array(n + 1)
    let rest = row[n] ?? 0
    for (let j = i + 1; j < n; j++) rest -= (row[j] ?? 0) * (out[j] ?? 0)
    out[i] = rest / (row[i] ?? 1)
  }
  return out
}

/** How probable it is that the first face of each pair is chosen. */
export const odds = (shares: Tensor, taste: Taste): ReadonlyArray<number> => {
  const width = shares.shape[1] ?? 0
  const score = (row: number): number => taste.reduce((sum, w, i) => sum + w * (shares.data[row * width + i] ?? 0), 0)
  return Array.from({ length: Math.floor((shares.shape[0] ?? 0) / 2) }, (_, pair) => {
    const difference = score(2 * pair) - score(2 * pair + 1)
    return 1 / (1 + Math.exp(-difference))
  })
}

/** What is liked most and least, in words: values whose weight is at least a quarter of the greatest. */
export const words = (
  taste: Taste
): { readonly liked: ReadonlyArray<string>; readonly disliked: ReadonlyArray<string> } => {
  const all = Faces.attributeNames.flatMap((attribute) =>
    Faces.vocabulary[attribute].map(({ name }, i) => {
      const weight = taste[Faces.block(attribute).offset + i] ?? 0
      return { text: name === 'none' ? `no ${attribute}` : `${attribute} ${name}`, weight }
    })
  )
  const least = Math.max(0.2, Math.max(...all.map(({ weight }) => Math.abs(weight))) / 3)
  const some = (sign: number): ReadonlyArray<string> =>
    all
      .filter(({ weight }) => sign * weight >= least)
      .sort((a, b) => sign * (b.weight - a.weight))
      .slice(0, 4)
      .map(({ text }) => text)
  return { liked: some(1), disliked: some(-1) }
}

// -------------------------------------------------------------------------------------
// the reward
// -------------------------------------------------------------------------------------

const spans: ReadonlyArray<Span> = Faces.attributeNames.map(Faces.block)

const indices = ({ offset, width }: Span): ReadonlyArray<number> => Array.from({ length: width }, (_, i) => offset + i)

interface Part {
  readonly shares: Rows<number>
  readonly pullback: (bar: Rows<number>) => Rows<number>
}

/** The softmax of the logits of a span. Pullback: `p (bar - sum bar p)`. */
const softmax = (logits: Rows<number>, labels: number, span: Span): Part => {
  const row = ['batch', span.width] as const
  const spread_ = (a: PerRow): Rows<number> => X.broadcastTo(X.reshape(a, ['batch', 1]), row)
  const [own, back] = columns(labels, indices(span)).run({}, logits)
  const [total] = logSumExp(span.width).run({}, own)
  const shares = X.exp(X.sub(X.retype(own, row), spread_(total)))
  return {
    shares,
    pullback: (bar) => {
      const mean = X.retype(X.sum<readonly ['batch', number], [1]>(X.mul(bar, shares), [1]), ['batch'])
      return back(X.mul(shares, X.sub(bar, spread_(mean))))[1]
    }
  }
}

/** The weighted sum of the probabilities that logits stand for, for each row. */
export const tasteOf = (labels: number, taste: Taste): Lens<None, Rows<number>, PerRow> =>
  L.pure((z) => {
    const parts = spans.map((span) => {
      const own = taste.slice(span.offset, span.offset + span.width)
      const weights = X.broadcastTo(
        X.constant({ shape: [1, span.width], data: Float32Array.from(own) }, [1, span.width]),
        ['batch', span.width]
      )
      const { shares, pullback } = softmax(z, labels, span)
      const value = X.retype(X.sum<readonly ['batch', number], [1]>(X.mul(shares, weights), [1]), ['batch'])
      return {
        value,
        pullback: (bar: PerRow) =>
          pullback(X.mul(weights, X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', span.width])))
      }
    })
    return [
      parts.map(({ value }) => value).reduce((a, b) => X.add(a, b)),
      (bar) => parts.map(({ pullback }) => pullback(bar)).reduce((a, b) => X.add(a, b))
    ]
  })

/** A taste as a reward, with what a classifier sees. */
export const reward = ({ description, parameters }: TrainedClassifier, taste: Taste): Named => ({
  _tag: 'Free',
  reward: differentiable<Classifier.ClassifierParameters, readonly ['batch', number]>(
    'taught',
    L.compose(Classifier.classifier(description), tasteOf(description.labels, taste)),
    parameters
  )
})

/** The probabilities of all values that rows of logits stand for, in the order of the one-hot code. */
export const sharesOf = (logits: Tensor): Tensor => {
  const [rows = 0, width = 0] = logits.shape
  const data = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    for (const { offset, width: count } of spans) {
      const own = Array.from({ length: count }, (_, i) => logits.data[row * width + offset + i] ?? 0)
      const most = Math.max(...own)
      const powers = own.map((x) => Math.exp(x - most))
      const total = powers.reduce((a, b) => a + b, 0)
      powers.forEach((x, i) => {
        data[row * width + offset + i] = x / total
      })
    }
  }
  return { shape: [rows, width], data }
}
