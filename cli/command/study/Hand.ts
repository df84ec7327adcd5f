/**
 * A process that carries out orders: what `Hands` starts. It ends when nobody is there to give any.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Failure, Step } from '../../edge/Failure.js'
import { compared, comparedShare } from '../Compare.js'
import { finetuned } from '../Finetune.js'
import { verifiedShare } from '../Verify.js'
import type { Summary } from '../run/FinetuneRun.js'
import type { Answer, Order } from './Hands.js'

const failed = ({ message }: Failure): Answer => ({ _tag: 'Failed', reason: message })

const done = (value: unknown): Answer => ({ _tag: 'Done', value })

const ofSummary = (summary: Summary): Answer => (summary.interrupted ? { _tag: 'Interrupted' } : done(summary))

const answered = async <A>(step: Step<A>, of: (value: A) => Answer): Promise<Answer> => {
  const result = await step()
  return E.isLeft(result) ? failed(result.left) : of(result.right)
}

const carryOut = (order: Order): Promise<Answer> => {
  switch (order._tag) {
    case 'Finetune':
      return answered(finetuned(order.options, new Date()), ofSummary)
    case 'Compare':
      return answered(compared(order.options), done)
    case 'CompareShare':
      return answered(comparedShare(order.options), done)
    case 'VerifyShare':
      return answered(verifiedShare(order.options), done)
  }
}

process.on('message', (order: Order) => {
  void carryOut(order).then((answer) => process.send?.(answer))
})
process.on('disconnect', () => process.exit())
