/**
 * `halforder sample`: pictures of what a model draws for a prompt.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { thirdOf } from 'halforder/chain/PerStep'
import type { RowChain } from 'halforder/chain/SamplerRow'
import { gpuJs, type Mode } from 'halforder/kernel'
import type { Model } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import { defaults, type Show } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { firstIn, show as showNotFinite } from 'halforder/tensor/Finite'
import type { Values } from 'halforder/tensor/Program'
import type { Tensor } from 'halforder/tensor/Tensor'
import { names as chainNames } from 'halforder/training/Chains'
import type { Language } from 'halforder/training/Conditions'
import { decode } from 'halforder/training/Decode'
import * as Sampling from 'halforder/training/Sampling'
import type { Config } from 'halforder/training/Config'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, file, refused, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import * as Images from '../edge/Images.js'
import { mode, number, oneOf, seed, whole } from '../edge/Options.js'
import { type Format, formatFor, linesOf, needed, pictures } from '../edge/Pictures.js'
import { meter } from '../edge/Progress.js'
import { interruptible } from '../edge/Signals.js'
import { webGpu } from '../edge/WebGpu.js'
import { fileTask } from './file/FileTask.js'
import { loadNamed, taskOf } from './ModelFile.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed. `coarse`, `mid` and `fine` are the prompts of the first, second and last
 * third of the steps, in the order in which they are run; each is `prompt` where it is not given.
 *
 * @category model
 * @since 0.1.0
 */
export interface SampleOptions {
  readonly task?: string
  readonly model?: string
  readonly prompt: string
  readonly coarse?: string
  readonly mid?: string
  readonly fine?: string
  readonly count: string
  readonly seed: string
  readonly out?: string
  readonly chain?: string
  readonly steps?: string
  readonly eta: string
  readonly guidance: string
  readonly columns: string
  readonly mode: string
  readonly threads?: string
}

/** Everything that is drawn, and where to. */
interface Plan {
  readonly chain: RowChain
  readonly model: Model
  readonly show: Show
  readonly prompt: (t: number) => Values
  readonly count: number
  readonly seed: number
  readonly layout: Images.Layout
  readonly format: Format
  readonly out: string
  readonly mode: Mode
  readonly threads: number | undefined
}

/** How images are drawn, unless options say otherwise. */
const usual = { kind: 'ddim', T: 50 } as const

/** A picture of more is hard to look at. */
const most = 4096

// -------------------------------------------------------------------------------------
// options
// -------------------------------------------------------------------------------------

const formatOf = (out: string, show: Show): E.Either<Failure, Format> => {
  const wrong = (expected: string): E.Either<Failure, Format> =>
    E.left(usage(`--out: expected a file named ${expected}, got ${JSON.stringify(out)}`))
  if (show._tag === 'Text') return /\.txt$/i.test(out) ? E.right('txt') : wrong('*.txt, since the samples are words')
  if (/\.png$/i.test(out)) return E.right('png')
  if (/\.gif$/i.test(out)) return E.right('gif')
  return wrong('*.png (a sheet) or *.gif (the chain at work)')
}

/** What each step is told: thirds of the chain, from the noise to the output. */
const promptOf = (
  options: SampleOptions,
  T: number,
  language: Language,
  key: Key.Key,
  count: number
): E.Either<Failure, Plan['prompt']> => {
  const part = (name: 'coarse' | 'mid' | 'fine'): E.Either<Failure, Values> => {
    const own = options[name]
    return pipe(
      language.parse(own ?? options.prompt),
      E.bimap(
        (reason) => usage(`--${own === undefined ? 'prompt' : name}: ${reason}`),
        ({ rows }) => ({ c: rows(key, count) })
      )
    )
  }
  return pipe(
    E.Do,
    E.bind('coarse', () => part('coarse')),
    E.bind('mid', () => part('mid')),
    E.bind('fine', () => part('fine')),
    E.map(
      (parts) =>
        (t: number): Values =>
          parts[thirdOf(T, t)]
    )
  )
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/** How samples are shown and where, and on which chain they are drawn: a model of tokens has one of its own. */
const drawnAs = (
  options: SampleOptions,
  show: Show,
  { denoiser: { alphabet } }: Model,
  own: Config['chain'],
  task: string
): E.Either<Failure, Pick<Plan, 'show' | 'out' | 'format'> & Pick<Config['chain'], 'kind' | 'T'>> => {
  const standard = alphabet === undefined ? usual : own
  const kind = task === fileTask.name ? 'own' : standard.kind
  const out = options.out ?? `samples.${formatFor(show)}`
  return pipe(
    E.Do,
    E.bind('format', () => formatOf(out, show)),
    E.bind('T', () => whole('steps', options.steps, standard.T, 1, 1000)),
    E.bind('kind', () => oneOf('chain', chainNames, options.chain ?? kind)),
    E.map((rest) => ({ ...rest, show, out }))
  )
}

const planOf = (options: SampleOptions): Step<Plan> =>
  pipe(
    TE.Do,
    TE.bind('found', () => taskOf(options.task, options.model)),
    TE.let('task', ({ found }) => found.task),
    TE.bind('count', () => TE.fromEither(whole('count', options.count, 16, 1, most))),
    TE.bind('seed', () => TE.fromEither(seed(options.seed, 1))),
    TE.bind('columns', () => TE.fromEither(whole('columns', options.columns, 8, 1, most))),
    TE.bind('eta', () => TE.fromEither(number({ least: 0, most: 1 })('eta', options.eta, 1))),
    TE.bind('guidance', () => TE.fromEither(number({})('guidance', options.guidance, 1))),
    TE.bind('mode', () => TE.fromEither(mode(options.mode))),
    TE.chainFirst((plan) => webGpu(plan.mode)),
    TE.bind('threads', () => TE.fromEither(whole('threads', options.threads, undefined, 1, 256))),
    TE.bind('base', ({ task }) => TE.fromEither(pipe(defaults(task)(), E.mapLeft(refused)))),
    TE.bind('model', ({ base, task }) => loadNamed(task)(options.model ?? base.model)),
    TE.bind('drawn', ({ base, found: { name }, model, task }) =>
      TE.fromEither(drawnAs(options, task.show(model), model, base.chain, name))
    ),
    TE.bind('prompt', ({ drawn: { T }, task, model, seed, count }) =>
      TE.fromEither(promptOf(options, T, task.language(model), Key.foldInString(Key.make(seed), 'prompt'), count))
    ),
    TE.bind('chain', ({ drawn: { kind, T }, base, eta, guidance, model }) =>
      TE.fromEither(
        pipe(Setup.chain({ ...base.chain, kind, T, eta, guidance, schedule: model.share }, model), E.mapLeft(refused))
      )
    ),
    TE.map(({ columns, count, drawn, found: _, task: __, ...rest }) => ({
      ...rest,
      ...drawn,
      count,
      layout: { ...Images.defaultLayout, columns: Math.min(columns, count) }
    }))
  )

/** A mode that is not there is the caller's to change. */
const failure = (error: Build.ProgramError): Failure =>
  Build.isUnsupported(error) ? usage(`--mode: ${Build.showError(error)}`) : broken(Build.showError(error))

/** Nothing is drawn of numbers that are none: the first step that made one is named. */
const finite = (trajectory: ReadonlyArray<Tensor>): E.Either<Failure, void> => {
  const found = trajectory.map(firstIn('sample')).findIndex((bad) => bad !== undefined)
  const bad = trajectory[found] === undefined ? undefined : firstIn('sample')(trajectory[found])
  return bad === undefined
    ? E.right(undefined)
    : E.left(
        broken(
          `step ${trajectory.length - found} of ${trajectory.length - 1}: expected finite numbers, got some where ${showNotFinite(bad)}; ` +
            'bring --guidance nearer to 1'
        )
      )
}

/** The command up to the file. Undefined: it was stopped. */
const draw = (plan: Plan, stop: AbortSignal): Step<string | undefined> => {
  const { chain, model, count, seed: from, out, mode: where, threads, prompt, show, format, layout } = plan
  const target = gpuJs({ mode: where, ...(threads === undefined ? {} : { threads }) })
  const bar = meter('sample', Math.ceil(count / Math.min(count, 64)) * chain.T)
  const drawn: Step<ReadonlyArray<Tensor> | undefined> = pipe(
    Sampling.sample(
      {
        chain,
        parameters: model.parameters,
        condition: prompt,
        count,
        key: Key.make(from),
        trajectory: true,
        watch: { done: (n) => bar.update(n, ''), stopped: () => stop.aborted }
      },
      target
    ),
    TE.matchEW(
      (error): Step<ReadonlyArray<Tensor> | undefined> =>
        error._tag === 'Stopped' ? TE.right(undefined) : TE.left(failure(error)),
      ({ trajectory }) =>
        pipe(
          finite(trajectory),
          TE.fromEither,
          TE.flatMap(() =>
            pipe(needed(show, format, trajectory), TE.traverseSeqArray(decode(model, target)), TE.mapLeft(broken))
          )
        )
    )
  )
  return pipe(
    file(Files.prepare(out)),
    TE.mapLeft(({ message }) => usage(`--out: ${message}`)),
    TE.flatMap(() => async () => {
      const result = await drawn()
      bar.stop()
      await target.dispose()
      return result
    }),
    TE.flatMap((states) =>
      states === undefined
        ? TE.right(undefined)
        : pipe(
            states,
            pictures(show, format, layout),
            TE.mapLeft(broken),
            TE.flatMap((bytes) => file(Files.write(out, bytes))),
            TE.map(() => {
              const words = show._tag === 'Text' ? states.slice(-1).flatMap((outputs) => linesOf(show, outputs)) : []
              return [...words, `${count} of ${chain.name}, ${chain.T} steps, in ${out}\n`].join('\n')
            })
          )
    )
  )
}

/**
 * Runs the command and gives its exit code: 0, 1 (the run failed), 2 (wrong usage, nothing drawn) or 130 (interrupted,
 * nothing written). A `.png` is a contact sheet of the samples. A `.gif` shows clips moving, and of a model of stills
 * the chain at work, from the noise to the samples. Samples that are words are printed, and are lines of a `.txt`. The same options give the same bytes.
 *
 * @category effects
 * @since 0.1.0
 */
export const sample = async (options: SampleOptions): Promise<number> => {
  const result = await interruptible((stop) =>
    pipe(
      planOf(options),
      TE.flatMap((plan) => draw(plan, stop))
    )()
  )
  if (E.isLeft(result)) return fail('sample')(result.left)
  process.stdout.write(result.right ?? '')
  if (result.right === undefined) process.stderr.write('halforder sample: stopped, nothing was written\n')
  return result.right === undefined ? 130 : 0
}
