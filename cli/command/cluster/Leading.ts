/**
 * A fine-tune whose rows are elsewhere: its interpreter, for as long as the command runs.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { apart } from 'halforder/estimator/apart/Apart'
import type { Interpreter } from 'halforder/estimator/Gradient'
import { gpuJs } from 'halforder/kernel'
import type { Task } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import type { Target } from 'halforder/tensor/Target'
import type * as Config from 'halforder/training/Config'
import type * as Finetune from 'halforder/training/Finetune'
import type { Setup } from 'halforder/training/Setup'
import { address } from '../../cluster/Address.js'
import { dispatch, type Tally } from '../../cluster/Dispatch.js'
import { leader } from '../../cluster/Leader.js'
import * as Parcel from '../../cluster/Parcel.js'
import { probe } from '../../cluster/Probe.js'
import { asked, keys, lifetime, open, put } from '../../cluster/Redis.js'
import { apartness, type Card, cards, lineOf, ownLine } from '../../cluster/Kind.js'
import { type Step, usage } from '../../edge/Failure.js'
import { version } from '../../edge/Version.js'
import * as Recipe from './Recipe.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What may be typed of workers: where they are found, whether their bits may differ, and how long they are waited for.
 *
 * @category model
 * @since 0.1.0
 */
export interface ClusterOptions {
  readonly redis?: string
  readonly tolerateBits?: boolean
  readonly patience?: string
}

/**
 * Who computes the rows of a run. `watched` is the run, which says where it is before each of its steps. `withdraw` takes back what was given
 * out.
 *
 * @category model
 * @since 0.1.0
 */
export interface Leading {
  readonly interpreter: Interpreter
  readonly watched: (run: Finetune.Run) => Finetune.Run
  readonly tally: () => Tally
  readonly withdraw: () => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * What is led.
 *
 * @category model
 * @since 0.1.0
 */
export interface Led {
  readonly task: Task
  readonly config: Config.Config
  readonly setup: Setup
  readonly identity: Readonly<Record<string, string>>
  readonly target: Target
}

// -------------------------------------------------------------------------------------
// leading
// -------------------------------------------------------------------------------------

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** How long workers are waited for, in seconds. */
const patience = ({ patience: text }: ClusterOptions): Step<number> => {
  const seconds = text === undefined ? 600 : Number(text)
  return seconds >= 1 && seconds <= 86_400
    ? TE.right(seconds)
    : TE.left(usage(`--patience: expected seconds in 1..86400, got ${text ?? ''}; correct it`))
}

/** Says of workers whose bits are others that they are not asked. */
const foreign = (
  card: Card,
  numbers: Float32Array,
  own: { readonly probe: string; readonly numbers: Float32Array }
): string | undefined =>
  card.version !== version()
    ? `a worker of version ${card.version} is not asked, since this is ${version()}`
    : card.probe === own.probe
      ? undefined
      : `a worker whose bits differ (by up to ${apartness(numbers, own.numbers).toExponential(1)} of a number) is not asked; --tolerate-bits on both sides would`

/**
 * Goes to workers. Left: a URL that is none, a Redis that is not there.
 *
 * @category effects
 * @since 0.1.0
 */
export const lead = (options: ClusterOptions & { readonly redis: string }, led: Led): Step<Leading> => {
  const { config, identity, setup, target, task } = led
  const tolerant = options.tolerateBits === true
  return pipe(
    TE.fromEither(address(options.redis)),
    TE.bindTo('address'),
    TE.bind('seconds', () => patience(options)),
    TE.bind('probed', () => {
      const plain = gpuJs({ mode: 'webasm' })
      return Build.bracket(TE.right(plain), probe, (one) => () => one.dispose())
    }),
    TE.bind('written', () => Recipe.write(task, config, identity)),
    TE.bind('opened', ({ address: at }) => open(at, randomUUID())),
    TE.flatMap(({ opened, probed, seconds, written: { files, recipe } }) => {
      const run = Parcel.digestOf(recipe)
      const id = randomUUID().replaceAll('-', '')
      return pipe(
        asked(opened, 20_000, async (): Promise<Leading> => {
          await put(opened, new Map([...files, [run, recipe] as const]))
          const lines = lineOf(version(), probed.digest, tolerant)
          let dispatched: Awaited<ReturnType<typeof dispatch>> | undefined
          const own = leader({
            setup,
            run,
            recipe,
            dispatch: () => {
              if (dispatched === undefined) throw new Error('nothing is open')
              return dispatched
            },
            put: (parts) => put(opened, parts)
          })
          dispatched = await dispatch({
            open: opened,
            leader: id,
            line: opened.line(lines),
            own: (worker) => opened.line(ownLine(worker)),
            supply: async (parts) => {
              const base = parts.filter((digest) => digest === run || files.has(digest))
              if (base.length > 0) await put(opened, new Map([...files, [run, recipe] as const]))
              const others = parts.filter((digest) => !base.includes(digest))
              return others.length === 0 || own.supply(others)
            },
            patience: seconds * 1000,
            tell: say
          })
          const given = dispatched
          const card: Card = {
            id,
            version: version(),
            probe: probed.digest,
            tolerant,
            tasks: [task.name],
            jobs: 0,
            failures: 0,
            received: 0,
            sent: 0,
            seconds: 0
          }
          const show = async (): Promise<void> => {
            const { again, jobs, received, refused, sent } = given.tally
            const head: Card = { ...card, jobs, failures: again + refused, received, sent }
            const bytes = Buffer.from(Parcel.encode({ head, arrays: [probed.numbers] }))
            await opened.redis.set(keys.run(id), bytes, 'EX', lifetime.worker)
          }
          await show()
          const beat = setInterval(() => void show().catch(() => undefined), 2000)
          beat.unref()
          for (const { numbers, ...one } of await cards(opened, keys.worker('*'))) {
            const not = tolerant ? undefined : foreign(one, numbers, { probe: probed.digest, numbers: probed.numbers })
            if (not !== undefined) say(not)
          }
          return {
            interpreter: apart(target, own.crew),
            watched: (one) => ({
              ...one,
              step: (key, state) => {
                own.at(state)
                return one.step(key, state)
              }
            }),
            tally: () => given.tally,
            withdraw: () => given.withdraw(),
            close: async () => {
              clearInterval(beat)
              await opened.redis.del(keys.run(id)).catch(() => undefined)
              await opened.close()
            }
          }
        }),
        TE.mapLeft((failure) => {
          void opened.close()
          return failure
        })
      )
    })
  )
}
