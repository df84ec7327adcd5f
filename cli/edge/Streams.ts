/**
 * What the program says, to readers that may be gone: a closed pipe ends quietly.
 *
 * @since 0.1.0
 */

import { codeOf } from './Files.js'

/** Codes of a reader that is gone: a pipe that was closed, a terminal that was hung up. */
const gone: ReadonlyArray<string> = ['EPIPE', 'EIO', 'ECONNRESET', 'ERR_STREAM_DESTROYED']

/** What the shell shows for a program that a closed pipe ended: 128 and the number of SIGPIPE. */
const pipeExit = 141

/**
 * Lets nothing that is written to stdout or stderr end the process by an exception. A reader that is gone is told no more; if it was
 * that of stdout, `unheard` is called, once. Anything else, such as a full disk, is said on stderr and ends with 1.
 *
 * @category effects
 * @since 0.1.0
 */
export const quietly = (unheard: () => void): void => {
  let told = false
  process.stderr.on('error', () => undefined)
  process.stdout.on('error', (error: Error) => {
    if (told) return
    told = true
    if (gone.includes(codeOf(error))) return unheard()
    process.stderr.write(`halforder: could not write to stdout: ${error.message}\n`)
    process.exitCode = 1
    process.on('exit', () => {
      process.exitCode = 1
    })
  })
}

/**
 * For commands whose product is what they print: there is no one left to do it for.
 *
 * @category effects
 * @since 0.1.0
 */
export const endUnheard = (): void => process.exit(pipeExit)

/**
 * May the terminal of stderr be sent escapes? Not where it says that it is dumb, or the user wants none (https://no-color.org).
 *
 * @category effects
 * @since 0.1.0
 */
export const takesEscapes = (): boolean =>
  process.stderr.isTTY && process.env['TERM'] !== 'dumb' && (process.env['NO_COLOR'] ?? '') === ''
