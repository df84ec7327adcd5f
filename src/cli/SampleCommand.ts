/**
 * `halforder sample`: pictures of what a model draws for a prompt.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type * as T from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from '../estimator/Gradient.js'
import type { RowChain } from '../finetune/Chains.js'
import { chainNames, defaults, showError as showConfig } from '../finetune/Config.js'
import { decode } from '../finetune/Decode.js'
import * as Setup from '../finetune/Setup.js'
import { gpuJs, modes, type Mode } from '../kernel/GpuJs.js'
import type { Model } from '../model/Model.js'
import * as Key from '../random/Key.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Files from './Files.js'
import { broken, file, usage, type Failure, type Step } from './FinetuneRun.js'
import * as Images from './Images.js'
import { framesOf, loadNamed } from './ModelFile.js'
import { meter } from './Progress.js'
import { needed, pictures, type Format } from './SamplePictures.js'
import { ofPrompt } from '../finetune/Conditions.js'
import { sample } from './Sampling.js'
import { webGpu } from './WebGpu.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed. `coarse`, `mid` and `fine` are the prompts of the first, second and last third
 * of the steps, in the order in which they are run; each is `prompt` where it is not given.
 *
 * @category model
 * @since 0.1.0
 */
export interface SampleOptions {
  readonly model: string
  readonly prompt: string
  readonly coarse?: string
  readonly mid?: string
  readonly fine?: string
  readonly count: string
  readonly seed: string
  readonly out: string
  readonly chain: string
  readonly steps: string
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
  readonly frames: number
  readonly prompt: (t: number) => Tensor
  readonly count: number
  readonly seed: number
  readonly layout: Images.Layout
  readonly format: Format
  readonly out: string
  readonly mode: Mode
  readonly threads: number | undefined
}

/** A sheet of more is hard to look at. */
const most = 256

// -------------------------------------------------------------------------------------
// options
// -------------------------------------------------------------------------------------

const whole = (name: string, text: string, least: number, greatest: number): E.Either<Failure, number> => {
  const n = Number(text)
  return Number.isInteger(n) && n >= least && n <= greatest && text.trim() !== ''
    ? E.right(n)
    : E.left(usage(`--${name}: expected a whole number in ${least}..${greatest}, got ${JSON.stringify(text)}`))
}

const real = (name: string, text: string, least: number, greatest: number): E.Either<Failure, number> => {
  const x = Number(text)
  const range = Number.isFinite(least) ? ` in ${least}..${greatest}` : ''
  return Number.isFinite(x) && x >= least && x <= greatest && text.trim() !== ''
    ? E.right(x)
    : E.left(usage(`--${name}: expected a number${range}, got ${JSON.stringify(text)}`))
}

const oneOf = <A extends string>(name: string, known: ReadonlyArray<A>, text: string): E.Either<Failure, A> =>
  pipe(
    known.find((one) => one === text),
    E.fromNullable(usage(`--${name}: expected one of ${known.join(', ')}, got ${JSON.stringify(text)}`))
  )

const formatOf = (out: string): E.Either<Failure, Format> => {
  if (/\.png$/i.test(out)) return E.right('png')
  if (/\.gif$/i.test(out)) return E.right('gif')
  return E.left(
    usage(`--out: expected a file named *.png (a sheet) or *.gif (the chain at work), got ${JSON.stringify(out)}`)
  )
}

/** What each step is told: thirds of the chain, from the noise to the image. */
const promptOf = (
  options: SampleOptions,
  T: number,
  conditions: (text: string) => E.Either<string, Tensor>
): E.Either<Failure, Plan['prompt']> => {
  const part = (name: 'coarse' | 'mid' | 'fine'): E.Either<Failure, Tensor> => {
    const own = options[name]
    return pipe(
      conditions(own ?? options.prompt),
      E.mapLeft((reason) => usage(`--${own === undefined ? 'prompt' : name}: ${reason}`))
    )
  }
  return pipe(
    E.Do,
    E.bind('coarse', () => part('coarse')),
    E.bind('mid', () => part('mid')),
    E.bind('fine', () => part('fine')),
    E.map(
      ({ coarse, mid, fine }) =>
        (t: number) =>
          3 * t > 2 * T ? coarse : 3 * t > T ? mid : fine
    )
  )
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

const planOf = (options: SampleOptions): Step<Plan> =>
  pipe(
    TE.Do,
    TE.bind('format', () => TE.fromEither(formatOf(options.out))),
    TE.bind('count', () => TE.fromEither(whole('count', options.count, 1, most))),
    TE.bind('seed', () => TE.fromEither(whole('seed', options.seed, 0, Number.MAX_SAFE_INTEGER))),
    TE.bind('T', () => TE.fromEither(whole('steps', options.steps, 1, 1000))),
    TE.bind('columns', () => TE.fromEither(whole('columns', options.columns, 1, most))),
    TE.bind('eta', () => TE.fromEither(real('eta', options.eta, 0, 1))),
    TE.bind('guidance', () => TE.fromEither(real('guidance', options.guidance, -Infinity, Infinity))),
    TE.bind('kind', () => TE.fromEither(oneOf('chain', chainNames, options.chain))),
    TE.bind('mode', () => TE.fromEither(oneOf('mode', modes, options.mode))),
    TE.chainFirst(({ mode }) => webGpu(mode)),
    TE.bind('threads', () =>
      options.threads === undefined
        ? TE.right(undefined)
        : TE.fromEither<Failure, number | undefined>(whole('threads', options.threads, 1, 256))
    ),
    TE.bind('model', () => loadNamed(options.model)),
    TE.bind('prompt', ({ T, model: { description }, seed, count }) => {
      const key = Key.foldInString(Key.make(seed), 'prompt')
      return TE.fromEither(promptOf(options, T, ofPrompt(description.labels, key, count)))
    }),
    TE.bind('chain', ({ T, kind, eta, guidance, model }) =>
      TE.fromEither(
        pipe(
          Setup.chain({ ...defaults.chain, kind, T, eta, guidance, schedule: model.description.share }, model),
          E.mapLeft((error) => usage(showConfig(error)))
        )
      )
    ),
    TE.map(({ columns, count, model, ...rest }) => ({
      ...rest,
      model,
      count,
      frames: framesOf(model.description),
      layout: { ...Images.defaultLayout, columns: Math.min(columns, count) },
      out: options.out
    }))
  )

/** A mode that is not there is the caller's to change. */
const failure = (error: Gradient.EstimatorError): Failure =>
  error._tag === 'OnTarget' && error.error._tag === 'Unsupported'
    ? usage(`--mode: ${Gradient.showError(error)}`)
    : broken(Gradient.showError(error))

/** The command up to the file. Undefined: it was stopped. */
const draw = (plan: Plan, stop: AbortSignal): Step<string | undefined> => {
  const { chain, model, count, seed, out, mode, threads, prompt } = plan
  const target = gpuJs({ mode, ...(threads === undefined ? {} : { threads }) })
  const bar = meter('sample', Math.ceil(count / Math.min(count, 64)) * chain.T)
  const task = { chain, params: model.parameters, prompt, count, key: Key.make(seed) }
  const watch = { done: (n: number) => bar.update(n, ''), stopped: () => stop.aborted }
  const states: Step<ReadonlyArray<Tensor> | undefined> = pipe(
    () => sample(task, target, watch),
    TE.mapLeft(failure),
    TE.flatMap((all) =>
      all === undefined
        ? TE.right(undefined)
        : pipe(needed(plan, all), TE.traverseSeqArray(decode(model, target)), TE.mapLeft(broken))
    )
  )
  const released =
    <A>(work: T.Task<A>): T.Task<A> =>
    async () => {
      const result = await work()
      bar.stop()
      await target.dispose()
      return result
    }
  return pipe(
    file(Files.prepare(out)),
    TE.mapLeft(({ message }) => usage(`--out: ${message}`)),
    TE.flatMap(() => released(states)),
    TE.flatMap((found) =>
      found === undefined
        ? TE.right(undefined)
        : pipe(
            pictures(plan, found),
            TE.mapLeft(broken),
            TE.flatMap((bytes) => file(Files.write(out, bytes))),
            TE.map(() => `${count} of ${chain.name}, ${chain.T} steps, in ${out}\n`)
          )
    )
  )
}

/**
 * Runs the command and gives its exit code: 0, 1 (the run failed), 2 (wrong usage, nothing drawn) or 130 (interrupted,
 * nothing written). A `.png` is a contact sheet of the samples. A `.gif` shows clips moving, and of a model of stills the
 * chain at work, from the noise to the samples. The same options give the same bytes.
 *
 * @category effects
 * @since 0.1.0
 */
export const sampleImages = async (options: SampleOptions): Promise<number> => {
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(130)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const result = await pipe(
    planOf(options),
    TE.flatMap((plan) => draw(plan, interrupt.signal))
  )()
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
  if (E.isLeft(result)) {
    process.stderr.write(`halforder sample: ${result.left.message}\n`)
    return result.left.kind === 'usage' ? 2 : 1
  }
  process.stdout.write(result.right ?? '')
  if (result.right === undefined) process.stderr.write('halforder sample: stopped, nothing was written\n')
  return result.right === undefined ? 130 : 0
}
