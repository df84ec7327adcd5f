/**
 * `halforder worker`: computes rows and cells of others' runs, until it is told to stop.
 *
 * @since 0.1.0
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { gpuJs } from 'halforder/kernel'
import * as Build from 'halforder/tensor/Build'
import { type Address, address } from '../../cluster/Address.js'
import { apartness, cards, probed } from '../../cluster/Kind.js'
import { probe, type Probe } from '../../cluster/Probe.js'
import { asked, keys, open } from '../../cluster/Redis.js'
import { join as joinWorkers, type Working } from '../../cluster/Worker.js'
import { fail, type Failure, type Step, usage } from '../../edge/Failure.js'
import { interruptible } from '../../edge/Signals.js'
import { version } from '../../edge/Version.js'
import { find } from '../../tasks/Find.js'
import { type Program, withHands } from '../study/Hands.js'
import { cellOf } from './Elsewhere.js'
import { opened } from './Recipe.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options. `task` and `reward` are files that the worker may run beside what ships.
 *
 * @category model
 * @since 0.1.0
 */
export interface WorkerOptions {
  readonly redis: string
  readonly task?: ReadonlyArray<string>
  readonly reward?: ReadonlyArray<string>
  readonly threads?: string
  readonly cache?: string
  readonly tolerateBits?: boolean
}

const folderOf = ({ cache }: WorkerOptions): string => cache ?? join(tmpdir(), `halforder-${userInfo().uid}`)

/** The tasks of files, by the names that they have. */
const tasksOf = ({ task = [] }: WorkerOptions): Step<ReadonlyMap<string, string>> =>
  pipe(
    task,
    TE.traverseSeqArray((path) =>
      pipe(
        find(path),
        TE.map(({ name }) => [name, path] as const)
      )
    ),
    TE.map((entries) => new Map(entries))
  )

// -------------------------------------------------------------------------------------
// joining
// -------------------------------------------------------------------------------------

/** Refuses to join others whose version or bits are not these. */
const alike = (at: Address, own: Probe, tolerant: boolean): Step<void> =>
  Build.bracket(
    open(at, 'looks'),
    (looking) =>
      pipe(
        asked(looking, 30_000, async () => {
          const leaders = await cards(looking, keys.run('*'))
          const [first] = leaders.length > 0 ? leaders : await cards(looking, keys.worker('*'))
          return { first, numbers: first === undefined ? own.numbers : await probed(looking, first.probe) }
        }),
        TE.flatMapEither(({ first, numbers }): E.Either<Failure, void> => {
          if (first === undefined || tolerant) return E.right(undefined)
          if (first.version !== version()) {
            return E.left(
              usage(
                `expected version ${first.version}, which the others at ${at.shown} have, got ${version()}; install the same`
              )
            )
          }
          if (first.probe === own.digest) return E.right(undefined)
          const difference = apartness(numbers, own.numbers).toExponential(1)
          return E.left(
            usage(
              `expected the bits of the others at ${at.shown}, got some that differ by up to ${difference} of a number; ` +
                'results would not be those of one machine: use machines alike, or --tolerate-bits on all of them'
            )
          )
        })
      ),
    (looking) => () => looking.close()
  )

const work = (options: WorkerOptions, stop: AbortSignal, program: Program): Step<void> =>
  pipe(
    TE.fromEither(address(options.redis)),
    TE.bindTo('at'),
    TE.bind('tasks', () => tasksOf(options)),
    TE.flatMap(({ at, tasks }) => {
      const block = gpuJs({ mode: 'webasm' })
      const whole = gpuJs({ mode: 'webasm', threads: 1 })
      const tolerant = options.tolerateBits === true
      return Build.bracket(
        pipe(
          probe(block),
          TE.chainFirst((own) => alike(at, own, tolerant)),
          TE.flatMap((own) =>
            joinWorkers({
              address: at,
              version: version(),
              probe: own,
              tolerant,
              tasks: [...tasks.keys()],
              shop: opened({
                tasks,
                rewards: options.reward ?? [],
                cache: folderOf(options),
                places: { block, whole }
              }),
              cell: cellOf(folderOf(options), stop, program)
            })
          )
        ),
        (working: Working) =>
          TE.fromTask(async () => {
            process.stderr.write(`working at ${at.shown} as ${working.id}; Ctrl-C ends after what is under way\n`)
            await new Promise<void>((resolve) => {
              if (stop.aborted) resolve()
              else stop.addEventListener('abort', () => resolve())
            })
            const { jobs, failures } = working.card()
            process.stderr.write(`${jobs} jobs done, ${failures} refused\n`)
          }),
        (working) => async () => {
          await working.stop()
          await block.dispose()
          await whole.dispose()
        }
      )
    })
  )

// -------------------------------------------------------------------------------------
// several
// -------------------------------------------------------------------------------------

/** As many processes as threads: one that dies, of hunger for memory say, takes no other along, and is started again. */
const several = async (count: number, stop: AbortSignal): Promise<number> => {
  const own = process.argv.slice(1)
  const args = own.flatMap((arg, i) =>
    arg === '--threads' || own[i - 1] === '--threads' || arg.startsWith('--threads=') ? [] : [arg]
  )
  const children = new Set<ChildProcess>()
  let code = 0
  const end = (): void => children.forEach((child) => void child.kill('SIGTERM'))
  stop.addEventListener('abort', end)
  const one = async (): Promise<void> => {
    for (;;) {
      const began = Date.now()
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
      children.add(child)
      const ended = await new Promise<number | null>((resolve) => child.on('close', (status) => resolve(status)))
      children.delete(child)
      if (stop.aborted) return
      if (ended === 2 || ended === 1) {
        code = ended
        return end()
      }
      process.stderr.write(`a worker ended (${String(ended)}); another one is started\n`)
      if (Date.now() - began < 5000) await pause(2000)
    }
  }
  await Promise.all(Array.from({ length: count }, one))
  stop.removeEventListener('abort', end)
  return code
}

/**
 * Runs the command and gives its exit code: 0 (told to stop), 1 (Redis is gone) or 2 (wrong usage, or a machine that gives other bits).
 *
 * @category effects
 * @since 0.1.0
 */
export const worker = (options: WorkerOptions): Promise<number> =>
  interruptible(async (stop) => {
    const threads = Number(options.threads ?? 1)
    if (!(Number.isInteger(threads) && threads >= 1 && threads <= 256)) {
      return fail('worker')(
        usage(`--threads: expected a whole number in 1..256, got ${options.threads ?? ''}; correct it`)
      )
    }
    if (threads > 1) return await several(threads, stop)
    const result = await withHands((program) => work(options, stop, program)())
    return E.isLeft(result) ? fail('worker')(result.left) : 0
  })
