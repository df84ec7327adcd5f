/**
 * What a worker has to know of a fine-tune: its configuration as data, the file of its model by digest, and what both have to come to.
 *
 * A recipe names tasks and rewards and brings none: a worker runs those that it was started with.
 *
 * @since 0.1.0
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { listUpTo, textUpTo } from 'halforder/document/Document'
import type { Places } from 'halforder/estimator/apart/Hand'
import { showError } from 'halforder/estimator/Gradient'
import type { Task } from 'halforder/task/Task'
import type * as Config from 'halforder/training/Config'
import { normalised } from 'halforder/training/Normalising'
import * as Setup from 'halforder/training/Setup'
import * as t from 'io-ts'
import * as Parcel from '../../cluster/Parcel.js'
import { type Shop, shop } from '../../cluster/Shop.js'
import { Hex, says } from '../../cluster/Wire.js'
import { refused, type Step, usage } from '../../edge/Failure.js'
import { names } from '../../tasks/Find.js'
import { configure } from '../ConfigOptions.js'
import { materialsOf } from '../ModelFile.js'
import { isFile as isRewardFile } from '../RewardFile.js'
import { identityOf } from '../run/Identity.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A recipe. `identity` is what a checkpoint of the run says that it is of.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Recipe = /*#__PURE__*/ t.strict({
  task: textUpTo(256),
  config: textUpTo(2 ** 18),
  identity: listUpTo(t.tuple([textUpTo(256), textUpTo(2 ** 18)]), 16),
  model: t.union([t.strict({ name: textUpTo(256), digest: Hex }), t.null])
})

/**
 * A recipe.
 *
 * @category model
 * @since 0.1.0
 */
export type Recipe = t.TypeOf<typeof Recipe>

/**
 * A recipe as bytes, and the file that it names by digest, if there is one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Written {
  readonly recipe: Uint8Array
  readonly files: ReadonlyMap<string, Uint8Array>
}

/** What tells a run from others, without what may change while it goes on. */
const lasting = (config: Config.Config): string => JSON.stringify({ ...config, steps: 0, threads: 1 })

// -------------------------------------------------------------------------------------
// writing
// -------------------------------------------------------------------------------------

/** A name has neither a dot nor a slash. */
const isFile = (model: string): boolean => /[./\\]/.test(model)

/** The largest file of a model that is sent, in bytes. */
const largest = 2 ** 29

/**
 * The recipe of a run. A model in one file goes along; any other has to be where the worker finds it by the same name.
 *
 * @category effects
 * @since 0.1.0
 */
export const write = (task: Task, config: Config.Config, identity: Readonly<Record<string, string>>): Step<Written> =>
  pipe(
    TE.fromTask(async (): Promise<Uint8Array | undefined> => {
      if (!isFile(config.model)) return undefined
      const bytes = await readFile(config.model).catch(() => undefined)
      return bytes === undefined || bytes.length > largest ? undefined : bytes
    }),
    TE.map((model) => {
      const head: Recipe = {
        task: task.name,
        config: lasting(config),
        identity: Object.entries({ ...identity, config: lasting(config) }),
        model: model === undefined ? null : { name: basename(config.model), digest: Parcel.digestOf(model) }
      }
      const files = new Map(model === undefined ? [] : [[Parcel.digestOf(model), model] as const])
      return { recipe: Parcel.encode({ head, arrays: [] }), files }
    })
  )

// -------------------------------------------------------------------------------------
// opening
// -------------------------------------------------------------------------------------

/**
 * What a worker was started with: tasks beside those that ship, as files by the names that they have, files of rewards, and a folder for
 * what it keeps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Started {
  readonly tasks: ReadonlyMap<string, string>
  readonly rewards: ReadonlyArray<string>
  readonly cache: string
  readonly places: Places
}

/** The file of a model as it is kept here, by its digest. */
const modelAt = (
  cache: string,
  { name, digest }: NonNullable<Recipe['model']>,
  part: (digest: string) => Promise<Uint8Array | undefined>
): Step<string> => {
  const folder = join(cache, digest)
  const path = join(folder, basename(name))
  return TE.tryCatch(
    async () => {
      const kept = await readFile(path).catch(() => undefined)
      if (kept !== undefined && Parcel.digestOf(kept) === digest) return path
      const bytes = await part(digest)
      if (bytes === undefined) throw new Error(`its leader did not bring ${basename(name)}`)
      await mkdir(folder, { recursive: true })
      // another worker of this machine may be reading it
      await writeFile(`${path}.${process.pid}`, bytes)
      await rename(`${path}.${process.pid}`, path)
      return path
    },
    (error) => usage(`the model: ${error instanceof Error ? error.message : String(error)}`)
  )
}

/** The configuration with what is here in the place of what is there. Left: a task or a reward that the worker was not started with. */
const localised = (
  { config, task }: Recipe,
  { tasks, rewards }: Started
): E.Either<string, Readonly<Record<string, unknown>>> => {
  const parsed = E.tryCatch(
    (): unknown => JSON.parse(config),
    () => 'its configuration is no JSON'
  )
  if (E.isLeft(parsed)) return parsed
  const given: unknown = parsed.right
  if (typeof given !== 'object' || given === null) return E.left('its configuration is none')
  const document: Readonly<Record<string, unknown>> = { ...given }
  const own = tasks.get(task)
  if (own === undefined && !names().includes(task)) {
    return E.left(`this worker was not started with the task ${JSON.stringify(task)}; start it with --task FILE`)
  }
  const reward = document['reward']
  if (typeof reward !== 'string' || !isRewardFile(reward)) return E.right({ ...document, task: own ?? task })
  const found = rewards.find((path) => basename(path) === basename(reward))
  return found === undefined
    ? E.left(`this worker was not started with the reward ${basename(reward)}; start it with --reward FILE`)
    : E.right({ ...document, task: own ?? task, reward: found })
}

/**
 * Opens the shop of a recipe. Left: what is no recipe, what the worker was not started with, or a problem that is another one here.
 *
 * @category effects
 * @since 0.1.0
 */
export const opened =
  (started: Started) =>
  async (
    bytes: Uint8Array,
    part: (digest: string) => Promise<Uint8Array | undefined>
  ): Promise<E.Either<string, Shop>> => {
    const { places } = started
    return pipe(
      Parcel.decode(bytes),
      E.flatMap(({ head }) => says(Recipe)(head)),
      E.bindTo('recipe'),
      E.bind('document', ({ recipe }) => localised(recipe, started)),
      TE.fromEither,
      TE.bind('model', ({ document, recipe }) =>
        recipe.model === null
          ? TE.right(document['model'])
          : pipe(
              modelAt(started.cache, recipe.model, part),
              TE.mapLeft(({ message }) => message)
            )
      ),
      TE.flatMap(({ document, model, recipe }) =>
        pipe(
          configure({ ...document, model }, {}),
          TE.bindTo('configured'),
          TE.bind('plain', ({ configured: { config, task } }) => materialsOf(task, config)),
          TE.bind('materials', ({ configured: { config }, plain }) =>
            pipe(normalised(config, plain, places.whole), TE.mapLeft(refused))
          ),
          TE.bind('setup', ({ configured: { config }, materials }) =>
            TE.fromEither(pipe(Setup.setup(config, materials, places.whole), E.mapLeft(refused)))
          ),
          TE.bind('identity', ({ configured: { config }, setup }) => TE.fromEither(identityOf(config, setup))),
          TE.mapLeft(({ message }) => message),
          TE.flatMapEither(({ configured: { config }, identity, setup }) => {
            const [other] = recipe.identity.filter(([name, value]) => name !== 'config' && identity[name] !== value)
            return other === undefined
              ? pipe(shop({ setup, seed: config.seed, group: config.group }, places), E.mapLeft(showError))
              : E.left(
                  `expected ${other[0]} ${other[1].slice(0, 16)} of the run, got ${(identity[other[0]] ?? 'none').slice(0, 16)}; give both the same`
                )
          })
        )
      )
    )()
  }
