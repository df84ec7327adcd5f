/**
 * Classifiers of attributes, and the differentiable rewards that they give.
 *
 * @since 0.1.0
 */
import { silu } from '../lens/layer/Activation.js'
import { columns, type Span } from '../lens/Columns.js'
import { dense, type Dense } from '../lens/layer/Dense.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, None } from '../lens/Lens.js'
import { logSumExp } from '../lens/layer/LogSumExp.js'
import { softmaxCrossEntropy, type PerRow } from '../lens/layer/Loss.js'
import { layerNorm, type LayerNorm } from '../lens/layer/Normalization.js'
import { differentiable, type Differentiable } from '../reward/Reward.js'
import * as X from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import type { ClassifierDescription } from './Description.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The parameters of the classifier, such as `in.weight`, `blocks.0.dense.weight`, `norm.gain` and `out.bias`.
 *
 * @category model
 * @since 0.1.0
 */
export type ClassifierParameters = {
  readonly in: Dense<number, number>
  readonly blocks: { readonly [index: string]: ClassifierBlock }
  readonly norm: LayerNorm<number>
  readonly out: Dense<number, number>
}

/**
 * The parameters of a residual block.
 *
 * @category model
 * @since 0.1.0
 */
export type ClassifierBlock = { readonly norm: LayerNorm<number>; readonly dense: Dense<number, number> }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The classifier: from rows to one logit for each value of each attribute, in the order of the one-hot code.
 * A dense layer, blocks `h + dense(silu(layerNorm(h)))`, then `dense(silu(layerNorm(h)))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const classifier = ({
  features,
  labels,
  hidden,
  blocks
}: ClassifierDescription): Lens<ClassifierParameters, Rows<number>, Rows<number>> => {
  const activated = (): Lens<{ readonly norm: LayerNorm<number> }, Rows<number>, Rows<number>> =>
    L.compose(L.at('norm', layerNorm<number>(hidden)), silu<readonly ['batch', number]>())
  const block = (): Lens<ClassifierBlock, Rows<number>, Rows<number>> =>
    L.residual(L.compose(activated(), L.at('dense', dense<number, number>(hidden, hidden, 0))))
  const body = L.at(
    'blocks',
    L.repeat(blocks, (i) => L.at(String(i), block()))
  )
  const enter = L.at('in', dense<number, number>(features, hidden))
  const leave = L.compose(activated(), L.at('out', dense<number, number>(hidden, labels, 0)))
  return L.compose(L.compose(enter, body), leave)
}

const indices = ({ offset, width }: Span): ReadonlyArray<number> => Array.from({ length: width }, (_, i) => offset + i)

/**
 * The log-probability, for each row of `labels` logits, that an attribute has one of some values: the log-sum-exp of their
 * logits less that of the attribute's whole span. `values` are positions in the span; with none the log-probability is that of
 * the whole span, 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbabilityOf = (
  labels: number,
  span: Span,
  values: ReadonlyArray<number>
): Lens<None, Rows<number>, PerRow> => {
  const all = indices(span)
  const some = all.filter((index) => values.includes(index - span.offset))
  const total = (over: ReadonlyArray<number>): Lens<None, Rows<number>, PerRow> =>
    L.compose(columns(labels, over), logSumExp(over.length))
  return L.compose(L.fanout(total(some.length === 0 ? all : some), total(all)), difference)
}

const difference: Lens<None, { readonly first: PerRow; readonly second: PerRow }, PerRow> = L.pure(
  ({ first, second }) => [X.sub(first, second), (bar) => ({ first: bar, second: X.neg(bar) })]
)

/**
 * The reward of showing one of some values of an attribute: its log-probability by a trained classifier, whose
 * parameters stay fixed. The conditioning of the chain does not matter, and carries no gradient.
 *
 * @example
 * import { Classifier } from 'halforder/network'
 *
 * // rows -> log p(the attribute in columns 3..5 has its second or third value)
 * const reward = Classifier.logProbability('log p(round or dark)', classifier, { offset: 3, width: 3 }, [1, 2])
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbability = (
  name: string,
  { description, parameters }: { readonly description: ClassifierDescription; readonly parameters: Values },
  span: Span,
  values: ReadonlyArray<number>
): Differentiable<ClassifierParameters, readonly ['batch', number], Exprs> =>
  differentiable<ClassifierParameters, readonly ['batch', number]>(
    name,
    L.compose(classifier(description), logProbabilityOf(description.labels, span, values)),
    parameters
  )

/**
 * How sure logits are of what they see, for each row: the sum over spans of minus the entropy of the span's softmax `p`,
 * `sum p log p`, 0 where one value of each has all the probability. Pullback: `bar p (log p - sum p log p)` in each span.
 *
 * @category constructors
 * @since 0.1.0
 */
export const certaintyOf = (labels: number, spans: ReadonlyArray<Span>): Lens<None, Rows<number>, PerRow> =>
  L.pure((z) => {
    const parts = spans.map((span) => {
      const row = ['batch', span.width] as const
      const spread = (a: PerRow): Rows<number> => X.broadcastTo(X.reshape(a, ['batch', 1]), row)
      const [logits, backLogits] = columns(labels, indices(span)).run({}, z)
      const [total] = logSumExp(span.width).run({}, logits)
      const logs = X.sub(X.retype(logits, row), spread(total))
      const shares = X.exp(logs)
      const value = X.retype(X.sum<readonly ['batch', number], [1]>(X.mul(shares, logs), [1]), ['batch'])
      return {
        value,
        pullback: (bar: PerRow) => backLogits(X.mul(X.mul(shares, X.sub(logs, spread(value))), spread(bar)))[1]
      }
    })
    return [
      parts.map(({ value }) => value).reduce((a, b) => X.add(a, b)),
      (bar) => parts.map(({ pullback }) => pullback(bar)).reduce((a, b) => X.add(a, b))
    ]
  })

/**
 * The reward of being seen clearly: how sure a trained classifier is of the attributes in some spans, whatever they are (`certaintyOf`). It
 * falls where outputs leave what the classifier was trained on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const certainty = (
  name: string,
  { description, parameters }: { readonly description: ClassifierDescription; readonly parameters: Values },
  spans: ReadonlyArray<Span>
): Differentiable<ClassifierParameters, readonly ['batch', number], Exprs> =>
  differentiable<ClassifierParameters, readonly ['batch', number]>(
    name,
    L.compose(classifier(description), certaintyOf(description.labels, spans)),
    parameters
  )

/**
 * What a classifier is trained on: for each row the sum over attributes of the cross-entropies of its softmax against
 * the labels. `c` are the labels, one distribution a span.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crossEntropy = (
  labels: number,
  spans: ReadonlyArray<Span>
): Lens<None, { readonly x: Rows<number>; readonly c: Rows<number> }, PerRow> =>
  L.pure(({ x, c }) => {
    const parts = spans.map((span) => {
      const pick = columns(labels, indices(span))
      const [logits, backLogits] = pick.run({}, x)
      const [targets, backTargets] = pick.run({}, c)
      const [loss, back] = softmaxCrossEntropy<number>(span.width).run({}, { x: logits, c: targets })
      return {
        loss,
        pullback: (bar: PerRow) => {
          const [, part] = back(bar)
          return { x: backLogits(part.x)[1], c: backTargets(part.c)[1] }
        }
      }
    })
    return [
      parts.map(({ loss }) => loss).reduce((a, b) => X.add(a, b)),
      (bar) => parts.map(({ pullback }) => pullback(bar)).reduce((a, b) => Tree.add(a, b))
    ]
  })
