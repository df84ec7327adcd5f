/**
 * Progress on stderr: a bar on a terminal that takes one, a line now and then elsewhere.
 *
 * @since 0.1.0
 */
import { type Options, SingleBar } from 'cli-progress'
import { takesEscapes } from './Streams.js'

/**
 * Something that is shown to advance.
 *
 * @category model
 * @since 0.1.0
 */
export interface Meter {
  readonly update: (done: number, note: string) => void
  readonly stop: () => void
}

/** Without a terminal, a line this often, in seconds. */
const lineEvery = 10

/**
 * Shows the progress of `total` steps, `done` of them done already, with a note and the time left.
 *
 * @category effects
 * @since 0.1.0
 */
export const meter = (title: string, total: number, done = 0): Meter =>
  takesEscapes() ? barMeter(title, total, done) : lineMeter(title, total, done)

const barMeter = (title: string, total: number, done: number): Meter => {
  const options: Options = {
    format: `${title} {bar} {value}/{total}  {note}  {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    // the window of steps that the time left is estimated from
    etaBuffer: 20
  }
  const bar = new SingleBar(options)
  bar.start(total, done, { note: '' })
  return { update: (value, note) => bar.update(value, { note }), stop: () => bar.stop() }
}

const lineMeter = (title: string, total: number, done: number): Meter => {
  const began = performance.now()
  let last = -Infinity
  return {
    update: (value, note) => {
      const seconds = (performance.now() - began) / 1000
      if (seconds - last < lineEvery && value < total) return
      last = seconds
      const left = (seconds / Math.max(value - done, 1)) * (total - value)
      process.stderr.write(`${title} ${value}/${total}  ${note}  ${Math.round(left)} s left\n`)
    },
    stop: () => undefined
  }
}
