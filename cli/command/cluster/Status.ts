/**
 * `halforder status`: who works at a Redis, at what, and how fast.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Build from 'halforder/tensor/Build'
import { address } from '../../cluster/Address.js'
import { type Card, cards, lineOf } from '../../cluster/Kind.js'
import { asked, keys, open } from '../../cluster/Redis.js'
import { fail, type Step } from '../../edge/Failure.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options.
 *
 * @category model
 * @since 0.1.0
 */
export interface StatusOptions {
  readonly redis: string
  readonly json?: boolean
}

/**
 * Who is there, and how many jobs wait.
 *
 * @category model
 * @since 0.1.0
 */
export interface Standing {
  readonly leaders: ReadonlyArray<Card>
  readonly workers: ReadonlyArray<Card>
  readonly waiting: number
}

// -------------------------------------------------------------------------------------
// looking
// -------------------------------------------------------------------------------------

/**
 * Looks who is there.
 *
 * @category effects
 * @since 0.1.0
 */
export const standing = (url: string): Step<Standing> =>
  pipe(
    TE.fromEither(address(url)),
    TE.flatMap((at) =>
      Build.bracket(
        open(at, 'looks'),
        (opened) =>
          asked(opened, 10_000, async () => {
            const leaders = await cards(opened, keys.run('*'))
            const workers = await cards(opened, keys.worker('*'))
            const lines = new Set(
              [...leaders, ...workers].map(({ version, probe, tolerant }) => lineOf(version, probe, tolerant))
            )
            const counts = await Promise.all([...lines].map((line) => opened.line(line).waiting()))
            return { leaders, workers, waiting: counts.reduce((a, b) => a + b, 0) }
          }),
        (opened) => () => opened.close()
      )
    )
  )

const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`

const row = (kind: string, { id, jobs, failures, seconds, received, sent, version, probe }: Card): string =>
  [
    kind.padEnd(8),
    id.slice(0, 8),
    version.padStart(8),
    probe.slice(0, 8),
    String(jobs).padStart(8),
    (seconds === 0 ? '' : (jobs / seconds).toFixed(1)).padStart(8),
    kib(received).padStart(12),
    kib(sent).padStart(12),
    String(failures).padStart(8)
  ].join('  ')

/**
 * The standing as a table for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = ({ leaders, workers, waiting }: Standing): string =>
  [
    `${workers.length} workers, ${leaders.length} leaders, ${waiting} jobs waiting`,
    '          who        version  bits          jobs   a second      received          sent  failures',
    ...leaders.map((card) => row('leader', card)),
    ...workers.map((card) => row('worker', card)),
    ''
  ].join('\n')

/**
 * Runs the command and gives its exit code: 0, 1 (Redis does not answer) or 2 (wrong usage).
 *
 * @category effects
 * @since 0.1.0
 */
export const status = async ({ json, redis }: StatusOptions): Promise<number> => {
  const result = await standing(redis)()
  if (E.isLeft(result)) return fail('status')(result.left)
  process.stdout.write(json === true ? `${JSON.stringify(result.right)}\n` : show(result.right))
  return 0
}
