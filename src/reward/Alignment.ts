/**
 * Agreement with the prompt: how likely a classifier thinks what the condition asks for.
 *
 * @since 0.1.0
 */
import { columns, type Span } from '../lens/Columns.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, None, Params } from '../lens/Lens.js'
import { logSumExp } from '../lens/layer/LogSumExp.js'
import type { PerRow } from '../lens/layer/Loss.js'
import * as X from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import * as Tree from '../tensor/Tree.js'
import { conditional, type Differentiable } from './Reward.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How the attributes that a prompt names are put together: the `sum` of their log-probabilities is that of the prompt, of
 * attributes that are independent given the image; the `mean` does not grow with the length of the prompt.
 *
 * @category model
 * @since 0.1.0
 */
export type Total = 'sum' | 'mean'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** The least share of a value that a condition asks for; away from 0, so that no rounding decides. */
const least = 1e-3

/** 1 for each value that a block of the condition asks for. Not differentiated. */
const askedFor = (block: Rows<number>, width: number): Rows<number> => X.less(X.fill(['batch', width], least), block)

/** 1 for each value that a block of the condition allows; a block of zeros allows all. */
const allowed = (block: Rows<number>, width: number): Rows<number> => {
  const named = askedFor(block, width)
  const any = X.reshape(X.maximum<readonly ['batch', number], [1]>(named, [1]), ['batch', 1])
  return X.select(X.broadcastTo(any, ['batch', width]), named, X.scalar(1))
}

/**
 * The log-probability that an attribute has one of the allowed values, from its logits: the log-sum-exp of theirs less that
 * of all. Pullback: `bar (softmax over the allowed - softmax)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbabilityAmong = (mask: Rows<number>, width: number): Lens<None, Rows<number>, PerRow> => {
  const total = logSumExp(width)
  return L.pure((z) => {
    const [some, backSome] = total.run({}, X.select(mask, z, X.scalar(-Infinity)))
    const [all, backAll] = total.run({}, z)
    return [X.sub(some, all), (bar) => X.sub(X.weigh(backSome(bar)[1], mask), backAll(bar)[1])]
  })
}

/**
 * The log-probability of a condition from rows of `width` logits: over the attributes that the condition names, the `sum` or
 * the `mean` of the log-probabilities of having one of the values with a share of 1/1000 or more. Attributes that are open count
 * nothing, and a condition of zeros gives 0. The condition may be wider than the logits, as a clip's is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logProbabilityOfCondition = (
  blocks: ReadonlyArray<Span>,
  width: number,
  condition: Rows<number>,
  total: Total = 'sum'
): Lens<None, Rows<number>, PerRow> => {
  const parts = blocks.map(({ offset, width: values }) => {
    const asked = X.retype(X.slice(condition, 1, offset, values), ['batch', values])
    const indices = Array.from({ length: values }, (_, i) => offset + i)
    return {
      named: X.retype(X.maximum<readonly ['batch', number], [1]>(askedFor(asked, values), [1]), ['batch']),
      lens: L.compose(columns(width, indices), logProbabilityAmong(allowed(asked, values), values))
    }
  })
  const zero: PerRow = X.zeros(['batch'])
  const count = parts.reduce<PerRow>((sum, { named }) => X.add(sum, named), zero)
  const share = total === 'sum' ? X.fill(['batch'], 1) : X.div(X.fill(['batch'], 1), X.max(count, X.scalar(1)))
  return L.pure((logits) => {
    const run = parts.map(({ lens, named }) => ({ named, run: lens.run({}, logits) }))
    const value = run.reduce<PerRow>((sum, { named, run: [part] }) => X.add(sum, X.weigh(part, named)), zero)
    return [
      X.mul(share, value),
      (bar) =>
        run
          .map(({ named, run: [, back] }) => back(X.weigh(X.mul(share, bar), named))[1])
          .reduce<Rows<number>>((a, b) => Tree.add(a, b), X.zeros(['batch', width]))
    ]
  })
}

/**
 * Prompt alignment: the log-probability of a row's condition given its image, by a trained classifier with fixed parameters.
 * `blocks` say where attributes lie among its `width` logits; the condition carries no gradient.
 *
 * @category constructors
 * @since 0.1.0
 */
export const alignment = <P extends Params>({
  network,
  blocks,
  width,
  parameters,
  total = 'sum'
}: {
  readonly network: Lens<P, Rows<number>, Rows<number>>
  readonly blocks: ReadonlyArray<Span>
  readonly width: number
  readonly parameters: Values
  readonly total?: Total
}): Differentiable<P, readonly ['batch', number], Rows<number>> =>
  conditional<P, readonly ['batch', number], Rows<number>>(
    `alignment (log p of the prompt, ${total})`,
    (condition) => L.compose(network, logProbabilityOfCondition(blocks, width, condition, total)),
    network.parameters,
    parameters
  )
