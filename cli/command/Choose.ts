/**
 * `halforder choose`: which estimator a fine-tune should take, from a pilot of those that there are.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Named from 'halforder/estimator/Named'
import { compared, type Contender } from 'halforder/estimator/reading/Contenders'
import * as Pilot from 'halforder/estimator/reading/Pilot'
import { gpuJs } from 'halforder/kernel'
import * as Key from 'halforder/random/Key'
import * as Build from 'halforder/tensor/Build'
import type { Target } from 'halforder/tensor/Target'
import * as Config from 'halforder/training/Config'
import { normalised } from 'halforder/training/Normalising'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, refused, type Step } from '../edge/Failure.js'
import { whole } from '../edge/Options.js'
import { webGpu } from '../edge/WebGpu.js'
import { type ConfigOptions, type Configured, readConfig } from './ConfigOptions.js'
import { drawsOf, measuringOf } from './Contending.js'
import { materialsOf } from './ModelFile.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options: those of a configuration, and how many samples of the best are measured in the place of a pilot.
 *
 * @category model
 * @since 0.1.0
 */
export interface ChooseOptions extends ConfigOptions {
  readonly samples?: string
  readonly json?: boolean
}

/**
 * A choice: the configuration with the estimator that was chosen, and what the pilot found.
 *
 * @category model
 * @since 0.1.0
 */
export interface Chosen {
  readonly configured: Configured
  readonly found: Pilot.Found<Candidate>
}

/** A contender with the description that a configuration has of it. */
interface Candidate extends Contender {
  readonly description: Config.Config['estimator']
}

/** The share of a run's evaluations and pullbacks that its pilot may take. */
const share = 0.05

// -------------------------------------------------------------------------------------
// choosing
// -------------------------------------------------------------------------------------

/** Has a candidate a text in its name, or one of several? */
const isNamed =
  (only: string) =>
  ({ estimator }: Candidate): boolean =>
    only.split('|').some((text) => estimator.name.includes(text.trim()))

/**
 * Seconds: of the processor where one thread of it does the work, which what else runs on the machine does not stretch, and else by the
 * clock.
 */
const clockOf = ({ mode, threads }: Config.Config): IO<number> =>
  mode === 'webasm' && threads === 1
    ? () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1e6
      }
    : () => performance.now() / 1000

/** Among which it is chosen, and how many samples of those that may be the best are measured, whatever it takes. */
interface Asked {
  readonly only?: string
  readonly measured?: number
}

/** The estimator that a configuration has, and those of the catalogue that a configuration can name. */
const candidatesOf = (config: Config.Config, setup: Setup.Setup): ReadonlyArray<Candidate> => {
  const { chain, estimator, reward } = setup.base
  const radius = 'radius' in config.estimator ? config.estimator.radius : Config.usual.radius
  const { contenders } = compared({ ...Named.facts(chain, reward), radius })
  const named = contenders.flatMap(
    (contender): ReadonlyArray<Candidate> =>
      pipe(
        Named.decode({ beneath: { radius } })(contender.document ?? {}),
        E.match(
          () => [],
          // without a baseline it is the advantage that is another, which is not the estimator's
          (description) => (contender.part === 'plain' ? [] : [{ ...contender, description }])
        )
      )
  )
  return [{ estimator, part: undefined, description: config.estimator }, ...named]
}

/**
 * Runs the pilot of a configuration's run, and puts what it chose in the place of the configuration's estimator. Its draws are used for
 * nothing else. Left: what a fine-tune would refuse too, or a run that is too short for a pilot.
 *
 * @category effects
 * @since 0.1.0
 */
export const choose = (
  { task, config }: Configured,
  target: Target,
  { only = '', measured }: Asked = {}
): Step<Chosen> => {
  return pipe(
    materialsOf(task, config),
    TE.flatMap((plain) => pipe(normalised(config, plain, target), TE.mapLeft(refused))),
    TE.bindTo('materials'),
    TE.bind('setup', ({ materials }) =>
      TE.fromEither(pipe(Setup.setup(config, materials, target), E.mapLeft(refused)))
    ),
    TE.flatMap(({ materials, setup }) => {
      const { problem } = measuringOf(setup, materials)
      const key = Key.foldInString(Key.make(config.seed), 'pilot')
      return pipe(
        Pilot.pilot(problem, candidatesOf(config, setup).filter(isNamed(only)), target, {
          samples: config.steps * config.batch,
          peers: config.group > 1 ? config.group : config.batch,
          share,
          ...(measured === undefined ? {} : { measured }),
          draws: (batch) => drawsOf({ ...problem, batch }, setup, key),
          clock: clockOf(config)
        }),
        TE.mapLeft((error): Failure => broken(`the choice of an estimator: ${Pilot.showError(error)}`))
      )
    }),
    TE.map((found) => ({
      configured: { task, config: { ...config, estimator: found.entries[0].candidate.description } },
      found
    }))
  )
}

/**
 * Is the estimator to be chosen, and among which? It is asked for as `auto`, or as `auto(only = "reinforce|rlr")`.
 *
 * @category readings
 * @since 0.1.0
 */
export const asked = ({ estimator = '' }: ConfigOptions): { readonly only: string } | undefined =>
  pipe(
    Named.document(estimator),
    E.match(
      () => undefined,
      ({ name, only = '', ...others }) =>
        name === 'auto' && typeof only === 'string' && Object.keys(others).length === 0 ? { only } : undefined
    )
  )

/**
 * As `readConfig`; where the estimator is `auto`, a pilot chooses it, on a target of its own, and what it found is told.
 *
 * @category effects
 * @since 0.1.0
 */
export const readChosen = (options: ConfigOptions, tell: (chosen: Chosen) => void): Step<Configured> =>
  asked(options) === undefined
    ? readConfig(options)
    : pipe(
        chosenOf(options),
        TE.map((chosen) => {
          tell(chosen)
          return chosen.configured
        })
      )

/** The choice of what was typed; an estimator that is named is one of the candidates. */
const chosenOf = (options: ConfigOptions, measured?: number): Step<Chosen> => {
  const { estimator: _, ...others } = options
  const auto = asked(options)
  return pipe(
    readConfig(auto === undefined ? options : others),
    TE.chainFirst(({ config: { mode } }) => webGpu(mode)),
    TE.flatMap((configured) =>
      Build.bracket(
        TE.rightIO(() => gpuJs({ mode: configured.config.mode, threads: configured.config.threads })),
        (target) => choose(configured, target, { ...auto, ...(measured === undefined ? {} : { measured }) }),
        (target) => () => target.dispose()
      )
    )
  )
}

/**
 * What was chosen for a person: the table, and the choice.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = ({ configured: { config }, found }: Chosen): string =>
  `${Pilot.table(found, config.steps * config.batch)}\nchosen: ${Named.show(config.estimator)}`

/**
 * Runs the command and gives its exit code: 0, 1 (a run failed, or is too short for a pilot) or 2 (wrong usage). The table goes to
 * stdout, or with `json` one object a candidate, the best first.
 *
 * @category effects
 * @since 0.1.0
 */
export const chooseEstimator = async (options: ChooseOptions): Promise<number> => {
  const { samples, ...others } = options
  const result = await pipe(
    TE.fromEither(whole('samples', samples, undefined, 2)),
    TE.flatMap((measured) => chosenOf(others, measured))
  )()
  if (E.isLeft(result)) return fail('choose')(result.left)
  const { entries, work, allowed, rates } = result.right.found
  const json = (): string =>
    entries
      .map(({ candidate: { estimator, description }, ...entry }) =>
        JSON.stringify({ name: estimator.name, estimator: description, ...entry, pilot: work, allowed, rates })
      )
      .join('\n')
  process.stdout.write(`${options.json === true ? json() : show(result.right)}\n`)
  return 0
}
