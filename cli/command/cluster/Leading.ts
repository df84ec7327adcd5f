/**
 * A fine-tune whose rows are elsewhere: its interpreter, for as long as the command runs.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
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
import { type Dispatch, dispatch, type Tally } from '../../cluster/Dispatch.js'
import { leader } from '../../cluster/Leader.js'
import * as Parcel from '../../cluster/Parcel.js'
import { probe } from '../../cluster/Probe.js'
import { asked, forget, keys, open, put, putPatiently } from '../../cluster/Redis.js'
import { apartness, type Card, cards, lineOf, ownLine, probed as numbersOf, showCard } from '../../cluster/Kind.js'
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

const notAsked = (own: Card, other: Card, difference: number): string =>
  other.version !== own.version
    ? `a worker of version ${other.version} is not asked, since this is ${own.version}`
    : other.probe === own.probe
      ? 'a worker is not asked since --tolerate-bits is on one side alone; give it to both, or to none'
      : `a worker whose bits differ (by up to ${difference.toExponential(1)} of a number) is not asked; --tolerate-bits on both sides would`

/** Left: something that moves from step to step and that workers do not have. */
const withoutCritic = ({ setup: { problem } }: Led): Step<void> => {
  const [name] = problem.values?.keys() ?? []
  return name === undefined
    ? TE.right(undefined)
    : TE.left(
        usage(
          `--redis: expected an estimator that fits nothing as it goes, got one with the ${name}, whose numbers are not sent to workers; ` +
            'let its baseline and its control be clean or none, or leave --redis out'
        )
      )
}

/**
 * Goes to workers. Left: a URL that is none, a Redis that is not there, a critic.
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
    TE.chainFirst(() => withoutCritic(led)),
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
        asked(opened, 60_000, async (): Promise<Leading> => {
          await put(opened, new Map([...files, [run, recipe] as const]))
          const given: { to?: Dispatch } = {}
          const kind = lineOf(version(), probed.digest, tolerant)
          const fit = (one: Card): boolean => lineOf(one.version, one.probe, one.tolerant) === kind
          const own = leader({
            setup,
            run,
            recipe,
            ask: async (jobs) => await (given.to?.all(jobs) ?? Promise.resolve(E.left('nothing is open'))),
            put: putPatiently(opened, seconds * 1000)
          })
          const to = await dispatch({
            open: opened,
            leader: id,
            line: opened.line(kind),
            own: (worker) => opened.line(ownLine(worker)),
            others: async () => (await cards(opened, keys.worker('*'))).filter(fit).map(({ id: one }) => one),
            supply: async (parts) => {
              const base = parts.filter((digest) => digest === run || files.has(digest))
              if (base.length > 0) await put(opened, new Map([...files, [run, recipe] as const]))
              const others = parts.filter((digest) => !base.includes(digest))
              return others.length === 0 || own.supply(others)
            },
            patience: seconds * 1000,
            tell: say
          })
          given.to = to
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
          const show = (): Promise<void> => {
            const { again, jobs, received, refused, sent } = to.tally
            const now: Card = { ...card, jobs, failures: again + refused, received, sent }
            return showCard(opened, keys.run(id), now, probed.numbers)
          }
          await show()
          const beat = setInterval(() => void show().catch(() => undefined), 2000)
          beat.unref()
          for (const one of await cards(opened, keys.worker('*'))) {
            if (fit(one)) continue
            say(notAsked(card, one, apartness(await numbersOf(opened, one.probe), probed.numbers)))
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
            tally: () => to.tally,
            withdraw: () => to.withdraw(),
            close: async () => {
              clearInterval(beat)
              await forget(opened, keys.run(id))
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
