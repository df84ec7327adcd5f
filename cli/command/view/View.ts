/**
 * `halforder view`: shows the folder of a run or a study in a browser, also while it goes on.
 *
 * @since 0.1.0
 */
import { resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { wholeIn } from 'halforder/document/Document'
import { fail, usage, type Step } from '../../edge/Failure.js'
import { interruptible } from '../../edge/Signals.js'
import { look } from '../../view/Folder.js'
import { listen, type Listening } from '../../view/Server.js'
import { reportOf } from '../report/Report.js'

/**
 * What was typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface ViewOptions {
  readonly port: string
}

/**
 * The port where nothing else is said. That of the site is one below it.
 *
 * @category constants
 * @since 0.1.0
 */
export const usualPort = 4174

const port = (text: string): Step<number> =>
  pipe(
    wholeIn(0, 65_535).decode(/^\d+$/.test(text) ? Number(text) : text),
    E.mapLeft(() => usage(`--port: expected a whole number from 0 to 65535, got ${text}; 0 takes one that is free`)),
    TE.fromEither
  )

const opened = (folder: string, options: ViewOptions): Step<Listening> =>
  pipe(
    port(options.port),
    TE.bindTo('at'),
    TE.chainFirst(() => pipe(look(folder), TE.mapLeft(usage))),
    TE.flatMap(({ at }) => listen({ shown: folder, reportOf: (path) => reportOf([path]) }, at))
  )

const untilAborted = (stop: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (stop.aborted) done()
    else stop.addEventListener('abort', () => done(), { once: true })
  })

/**
 * Runs the command and gives its exit code: 0 when it was ended by Ctrl-C, or 2 (wrong usage, a folder that is none, a port that is
 * taken). It says where to look on stdout.
 *
 * @category effects
 * @since 0.1.0
 */
export const view = async (folder: string, options: ViewOptions): Promise<number> => {
  const shown = resolve(folder)
  const result = await opened(shown, options)()
  if (E.isLeft(result)) return fail('view')(result.left)
  const { url, close } = result.right
  process.stdout.write(`${url} shows ${shown}; Ctrl-C ends it\n`)
  await interruptible(untilAborted)
  await close()
  return 0
}
