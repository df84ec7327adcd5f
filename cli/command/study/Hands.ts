/**
 * Processes that run the cells of a study, one after another: what was compiled for one cell need not be for the next.
 *
 * @since 0.1.0
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isRecord } from 'halforder/document/Document'
import type { Options as FinetuneOptions } from '../Finetune.js'
import type { CompareOptions } from '../Contending.js'
import type { VerifyOptions } from '../cluster/Asked.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Which of all that is measured, such as `2 of 5`: every fifth, from the second.
 *
 * @category model
 * @since 0.1.0
 */
export interface Share {
  readonly share: string
}

/**
 * What a cell asks of the program: a fine-tune, a comparison, or a share of what `compare` or `verify` measure.
 *
 * @category model
 * @since 0.1.0
 */
export type Order =
  | { readonly _tag: 'Finetune'; readonly options: FinetuneOptions }
  | { readonly _tag: 'Compare'; readonly options: CompareOptions }
  | { readonly _tag: 'CompareShare'; readonly options: CompareOptions & Share }
  | { readonly _tag: 'VerifyShare'; readonly options: VerifyOptions & Share }

/**
 * What came of it: what the command prints as JSON, or why there is nothing. An interrupted one goes on when it is asked again.
 *
 * @category model
 * @since 0.1.0
 */
export type Answer =
  | { readonly _tag: 'Done'; readonly value: unknown }
  | { readonly _tag: 'Failed'; readonly reason: string }
  | { readonly _tag: 'Interrupted' }

/**
 * Carries out an order; the signal asks it to end.
 *
 * @category model
 * @since 0.1.0
 */
export type Program = (order: Order, stop: AbortSignal) => Promise<Answer>

// -------------------------------------------------------------------------------------
// processes
// -------------------------------------------------------------------------------------

/** A process is replaced after so many orders, lest what one left behind add up. */
const orders = 20

/** How much is kept of what a process says of its own end, in characters: the last, where the error is. */
const said = 2000

interface Hand {
  readonly child: ChildProcess
  done: number
  /** The last that it said of what went wrong. */
  words: string
}

const isAnswer = (u: unknown): u is Answer =>
  isRecord(u) &&
  (u['_tag'] === 'Done' || u['_tag'] === 'Interrupted' || (u['_tag'] === 'Failed' && typeof u['reason'] === 'string'))

const start = (module: URL): Hand => {
  const child = fork(fileURLToPath(module), { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  const hand: Hand = { child, done: 0, words: '' }
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    hand.words = `${hand.words}${text}`.slice(-said)
  })
  return hand
}

/** Which line of its last words says what happened: that of the error, not of the places where it was. */
const reasonOf = (words: string): string => {
  const lines = words.split('\n').map((line) => line.trim())
  const told = lines.filter((line) => /^\w*Error\b|^FATAL|out of memory/.test(line)).at(-1)
  return told === undefined ? '' : `: ${told}`
}

const carryOut = (hand: Hand, order: Order, stop: AbortSignal): Promise<Answer> =>
  new Promise((resolve) => {
    const { child } = hand
    const end = (): void => void child.kill('SIGTERM')
    const settle = (answer: Answer): void => {
      stop.removeEventListener('abort', end)
      child.off('message', heard)
      child.off('close', gone)
      resolve(answer)
    }
    const heard = (message: unknown): void =>
      settle(isAnswer(message) ? message : { _tag: 'Failed', reason: 'the process gave no answer that is one' })
    const gone = (code: number | null, signal: string | null): void =>
      settle(
        stop.aborted
          ? { _tag: 'Interrupted' }
          : { _tag: 'Failed', reason: `the process ended with ${code ?? signal}${reasonOf(hand.words)}` }
      )
    child.on('message', heard)
    // not 'exit', after which it may yet be read what it said
    child.on('close', gone)
    stop.addEventListener('abort', end)
    child.send(order)
  })

/**
 * Uses a program whose orders are carried out by processes of their own, as many as there are orders at once, and ends them. A process
 * that dies is an answer with the error that it died of. `module` is what they run: it answers messages that are orders.
 *
 * @category effects
 * @since 0.1.0
 */
export const withHands = async <A>(
  use: (program: Program) => Promise<A>,
  module = new URL('./Hand.js', import.meta.url)
): Promise<A> => {
  const idle: Array<Hand> = []
  const all = new Set<Hand>()
  const program: Program = async (order, stop) => {
    const hand = idle.pop() ?? start(module)
    all.add(hand)
    const answer = await carryOut(hand, order, stop)
    hand.done += 1
    if (hand.child.connected && hand.done < orders && answer._tag === 'Done') idle.push(hand)
    else {
      all.delete(hand)
      if (hand.child.connected) hand.child.disconnect()
    }
    return answer
  }
  try {
    return await use(program)
  } finally {
    for (const { child } of all) if (child.connected) child.disconnect()
  }
}
