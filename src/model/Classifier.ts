/**
 * A classifier of faces, and the differentiable rewards that it gives.
 *
 * @since 0.1.0
 */
import { silu } from '../lens/Activation.js'
import { columns } from '../lens/Columns.js'
import { dense, type Dense, type Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Lens, None } from '../lens/Lens.js'
import { logSumExp } from '../lens/LogSumExp.js'
import { softmaxCrossEntropy, type PerRow } from '../lens/Loss.js'
import { layerNorm, type LayerNorm } from '../lens/Normalization.js'
import { differentiable, type Differentiable } from '../reward/Reward.js'
import * as X from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import type { ClassifierDescription } from './Description.js'
import * as Faces from './Faces.js'

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
 * The classifier: from rows of pixels to one logit for each value of each attribute, in the order of the one-hot code.
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

const indices = (offset: number, width: number): ReadonlyArray<number> =>
  Array.from({ length: width }, (_, i) => offset + i)

/**
 * The log-probability, for each row of logits, that an attribute has one of some values: the log-sum-exp of their
 * logits less that of the attribute's whole block. Values that the attribute does not have, and repetitions, do not count;
 * with none left the log-probability is that of the whole block, 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbabilityOf = <A extends Faces.AttributeName>(
  attribute: A,
  values: ReadonlyArray<Faces.ValueName<A>>
): Lens<None, Rows<number>, PerRow> => {
  const { offset, width } = Faces.block(attribute)
  const all = indices(offset, width)
  const names = Faces.vocabulary[attribute].map(({ name }): string => name)
  const some = all.filter((index) => values.some((value) => value === names[index - offset]))
  const chosen = some.length === 0 ? all : some
  const total = (over: ReadonlyArray<number>): Lens<None, Rows<number>, PerRow> =>
    L.compose(columns(Faces.labelWidth, over), logSumExp(over.length))
  return L.compose(L.fanout(total(chosen), total(all)), difference)
}

const difference: Lens<None, { readonly first: PerRow; readonly second: PerRow }, PerRow> = L.pure(
  ({ first, second }) => [X.sub(first, second), (bar) => ({ first: bar, second: X.neg(bar) })]
)

/**
 * The reward of showing one of some values of an attribute: its log-probability by a trained classifier, whose
 * parameters stay fixed. The conditioning of the chain does not matter, and carries no gradient.
 *
 * @example
 * import { Classifier } from 'halforder/model'
 *
 * // rows of pixels -> log p(glasses are round or dark)
 * const reward = Classifier.logProbability(description, parameters, 'glasses', ['round', 'dark'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbability = <A extends Faces.AttributeName>(
  description: ClassifierDescription,
  parameters: Values,
  attribute: A,
  values: ReadonlyArray<Faces.ValueName<A>>
): Differentiable<ClassifierParameters, readonly ['batch', number], Exprs> =>
  differentiable<ClassifierParameters, readonly ['batch', number]>(
    `log p(${attribute} = ${values.join(' or ')})`,
    L.compose(classifier(description), logProbabilityOf(attribute, values)),
    parameters
  )

/**
 * What a classifier is trained on: for each row the sum over attributes of the cross-entropies of its softmax against
 * the labels. `c` are the labels, one distribution an attribute.
 *
 * @category constructors
 * @since 0.1.0
 */
export const crossEntropy: Lens<None, { readonly x: Rows<number>; readonly c: Rows<number> }, PerRow> = L.pure(
  ({ x, c }) => {
    const parts = Faces.attributeNames.map((attribute) => {
      const { offset, width } = Faces.block(attribute)
      const pick = columns(Faces.labelWidth, indices(offset, width))
      const [logits, backLogits] = pick.run({}, x)
      const [labels, backLabels] = pick.run({}, c)
      const [loss, back] = softmaxCrossEntropy<number>(width).run({}, { x: logits, c: labels })
      return {
        loss,
        pullback: (bar: PerRow) => {
          const [, parts_] = back(bar)
          return { x: backLogits(parts_.x)[1], c: backLabels(parts_.c)[1] }
        }
      }
    })
    return [
      parts.map(({ loss }) => loss).reduce((a, b) => X.add(a, b)),
      (bar) => parts.map(({ pullback }) => pullback(bar)).reduce((a, b) => Tree.add(a, b))
    ]
  }
)
