/**
 * A fine-tune that goes on: what its folder holds, and what may be typed beside it.
 *
 * @since 0.1.0
 */
import { join, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type * as Checkpoint from 'halforder/training/Checkpoint'
import * as Config from 'halforder/training/Config'
import * as Documents from '../../edge/Documents.js'
import { type Failure, file, type Step, textIn, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import type { Held } from '../../edge/Lock.js'
import { historyOf, type Metrics } from '../../edge/Metrics.js'
import { type ConfigOptions, type Configured, configure, optionOf } from '../ConfigOptions.js'
import { stored } from './RunFolder.js'
import { readStandings, standingsName, type Stood } from './Standings.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a fine-tune starts. `threads` are those that were typed, which the folder does not keep. `from` is what a run
 * left that goes on; `configured` has the configuration of its folder, with the steps that were asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Start {
  readonly configured: Configured
  readonly threads: number
  readonly from: Left | undefined
}

/**
 * What a run left. `rewrite`: its `config.json` is not there, or is to have more steps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Left {
  readonly stored: Checkpoint.Stored
  readonly history: ReadonlyArray<Metrics>
  readonly stood: ReadonlyArray<Stood>
  readonly rewrite: boolean
}

/** What may change: how long, and what changes no bit. */
const free: ReadonlySet<string> = new Set(['steps', 'threads'])

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * Refuses, before a folder is looked into, what is no option of a run that goes on.
 *
 * @category checks
 * @since 0.1.0
 */
export const checkOptions = (
  folder: string,
  { config, out, paper, preset }: Pick<ConfigOptions, 'config' | 'paper' | 'preset'> & { readonly out?: string }
): E.Either<Failure, void> => {
  if (paper === true) return E.left(usage(`--paper: expected none, since ${folder} has an estimator; leave it out`))
  if (preset !== undefined)
    return E.left(usage(`--preset: expected none, since ${folder} has its fields; leave it out`))
  if (config !== undefined)
    return E.left(usage(`--config: expected none, since ${folder} has one, got ${config}; leave it out`))
  return out === undefined || isSame(out, folder)
    ? E.right(undefined)
    : E.left(usage(`--out: expected ${folder}, which is resumed, got ${out}; leave it out`))
}

/** A working folder that was removed has no path: there names are compared as they are. */
const isSame = (a: string, b: string): boolean =>
  pipe(
    E.tryCatch(
      () => resolve(a) === resolve(b),
      () => undefined
    ),
    E.getOrElse(() => a === b)
  )

/**
 * What a folder holds, and the configuration that a run goes on with. Left: a folder without a checkpoint, or with a
 * damaged one; a configuration that is not the checkpoint's; an option that is not what it was, but for more steps, and
 * threads.
 *
 * @category effects
 * @since 0.1.0
 */
export const resume = ({ folder }: Held, options: ConfigOptions): Step<Start> =>
  pipe(
    TE.Do,
    TE.bind('stored', () => stored(folder)),
    TE.bind('own', ({ stored: { identity } }) => ofCheckpoint(folder, identity)),
    TE.bind('kept', ({ own }) => ofFile(folder, own)),
    TE.bind('asked', ({ kept }) => configure(kept.config, options)),
    TE.chainFirstEitherK(({ kept, asked }) => unchanged(folder, kept.config, asked.config)),
    TE.bind('history', ({ stored: { checkpoint } }) => historyIn(folder, checkpoint.step)),
    TE.bind('stood', ({ stored: { checkpoint } }) => stoodIn(folder, checkpoint.step)),
    TE.bind('there', () => file(Files.exists(configOf(folder)))),
    TE.map(({ kept, asked, stored: found, history, stood, there }) => ({
      configured: { ...kept, config: { ...kept.config, steps: asked.config.steps } },
      threads: asked.config.threads,
      from: { stored: found, history, stood, rewrite: !there || asked.config.steps !== kept.config.steps }
    }))
  )

const configOf = (folder: string): string => join(folder, 'config.json')

const ofCheckpoint = (folder: string, { kind, config }: Checkpoint.Identity): Step<Configured> =>
  kind === 'finetune' && config !== undefined
    ? pipe(
        E.tryCatch(
          (): unknown => JSON.parse(config),
          () => usage(`${folder}: expected the configuration of its checkpoint as JSON, got ${config.slice(0, 80)}`)
        ),
        TE.fromEither,
        TE.flatMap((given) => configure(given, {}))
      )
    : TE.left(
        usage(`${folder}: expected the folder of a finetune, got one of ${kind ?? 'something else'}; name another`)
      )

/** `config.json`, where it is there, must say what the checkpoint says; steps may be more. */
const ofFile = (folder: string, own: Configured): Step<Configured> => {
  const path = configOf(folder)
  return pipe(
    file(Files.exists(path)),
    TE.flatMap((there) =>
      there
        ? pipe(
            Documents.read(path, Documents.json),
            TE.flatMap((given) => configure(given, {}))
          )
        : TE.right(own)
    ),
    TE.flatMapEither((kept) => {
      const [first] = Config.differences(own.config, kept.config).filter(({ path: field }) => !free.has(field))
      if (first !== undefined)
        return E.left(
          usage(
            `${path}: ${first.path}: expected ${first.expected}, as in the checkpoint, got ${first.got}; correct it, or begin a run of its own`
          )
        )
      return kept.config.steps >= own.config.steps
        ? E.right(kept)
        : E.left(fewer(`${path}: steps`, own.config, kept.config))
    })
  )
}

const fewer = (where: string, expected: Config.Config, got: Config.Config): Failure =>
  usage(`${where}: expected at least ${expected.steps}, got ${got.steps}; a run that goes on may only be longer`)

const unchanged = (folder: string, kept: Config.Config, asked: Config.Config): E.Either<Failure, void> => {
  const [first] = Config.differences(kept, asked).filter(({ path }) => !free.has(path))
  if (first !== undefined)
    return E.left(
      usage(
        `${optionOf(first.path)}: expected ${first.expected}, as in ${folder}, got ${first.got}; ` +
          'of a run that goes on only --steps may change, upwards, so leave it out, or begin a run of its own with --out'
      )
    )
  return asked.steps >= kept.steps ? E.right(undefined) : E.left(fewer('--steps', kept, asked))
}

/** Where the model stood by then, if it was asked. */
const stoodIn = (folder: string, steps: number): Step<ReadonlyArray<Stood>> =>
  pipe(
    textIn(join(folder, standingsName)),
    TE.flatMapEither((text) =>
      pipe(
        readStandings(text ?? ''),
        E.mapLeft((reason) => usage(`${folder}: ${reason}`))
      )
    ),
    TE.map((all) => all.filter(({ step }) => step <= steps))
  )

const historyIn = (folder: string, steps: number): Step<ReadonlyArray<Metrics>> =>
  steps === 0
    ? TE.right([])
    : pipe(
        file(Files.read(join(folder, 'metrics.jsonl'))),
        TE.flatMapEither((bytes) =>
          pipe(
            historyOf(steps)(new TextDecoder().decode(bytes)),
            E.mapLeft((reason) => usage(`${folder}: ${reason}`))
          )
        )
      )
