/**
 * The program, run elsewhere: the same arguments and the same bytes, in a folder that comes back.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import { gpuJs } from 'halforder/kernel'
import * as Build from 'halforder/tensor/Build'
import { address } from '../../cluster/Address.js'
import { dispatch } from '../../cluster/Dispatch.js'
import { cards, cellLine, ownLine } from '../../cluster/Kind.js'
import * as Parcel from '../../cluster/Parcel.js'
import { probe } from '../../cluster/Probe.js'
import { asked, get, keys, open, type Open, put } from '../../cluster/Redis.js'
import { Cell, type Result, says } from '../../cluster/Wire.js'
import { type Step, usage } from '../../edge/Failure.js'
import { version } from '../../edge/Version.js'
import { names } from '../../tasks/Find.js'
import type { Answer, Order, Program } from '../study/Hands.js'

// -------------------------------------------------------------------------------------
// what may be run
// -------------------------------------------------------------------------------------

const onTask = ['task', 'model', 'chain', 'T', 'reward', 'samples', 'batch', 'trained', 'lora', 'seed']

const compare = [...onTask, 'only', 'estimator', 'byStep']

/** The options that an order may have: a worker gives them to the program, so that no other is to be among them. */
const options: Readonly<Record<Order['_tag'], ReadonlyArray<string>>> = {
  Finetune: ['config', 'measureAt', 'out', 'resume', 'seed', 'steps'],
  Compare: compare,
  CompareShare: [...compare, 'share'],
  VerifyShare: ['task', 'estimator', 'samples', 'seed', 'share']
}

/** Those that are given or not. */
const flags = ['byStep']

const places = { config: '{config}', run: '{run}' } as const

/** The places of an order, where the worker has its own. */
const placeOf = (name: string): string | undefined =>
  name === 'config' ? places.config : name === 'out' || name === 'resume' ? places.run : undefined

/** Why an order is not to be carried out: an option that no order has, or a value that leads to a file. */
const refusal = ({ options: given, order }: Pick<Cell, 'options' | 'order'>): string | undefined => {
  for (const [name, value] of given) {
    const own = flags.includes(name) ? 'true' : placeOf(name)
    if (!options[order].includes(name)) return `expected options of an order, got ${JSON.stringify(name.slice(0, 40))}`
    if (own === undefined ? /[/\\{]|\.(?:[cm]?js|json|ya?ml|onnx)$/.test(value) : value !== own) {
      return `${name}: expected ${own ?? 'a value that names no file'}`
    }
  }
  return undefined
}

/** The options of an order as text. */
const givenOf = ({ options: all }: Order): Cell['options'] =>
  Object.entries(all).flatMap(([name, value]): Cell['options'] =>
    typeof value === 'string' ? [[name, value]] : value === true ? [[name, 'true']] : []
  )

/**
 * Why no worker would carry out an order: an option that leads to a file, such as a model or a task of one's own.
 *
 * @category readings
 * @since 0.1.0
 */
export const unsendable = (order: Order): string | undefined =>
  refusal({ order: order._tag, options: givenOf(order).map(([name, value]) => [name, placeOf(name) ?? value]) })

/** Why a configuration is not to be run: what it names is a file, or a task that does not ship. */
const unfit = (config: string | null): string | undefined => {
  if (config === null) return undefined
  const parsed = E.tryCatch(
    (): unknown => JSON.parse(config),
    () => 'none'
  )
  if (E.isLeft(parsed) || !isRecord(parsed.right)) return 'its configuration is no JSON'
  const { model, reward, task } = parsed.right
  if (task !== undefined && !names().some((name) => name === task)) {
    return `expected a task that ships, got ${JSON.stringify(task).slice(0, 80)}`
  }
  const isFile = (name: unknown): boolean => typeof name === 'string' && /[/\\]|\.(?:[cm]?js|onnx)$/.test(name)
  return isFile(model) || isFile(reward)
    ? 'expected a model and a reward by their names, got a file; such runs are made without --redis'
    : undefined
}

// -------------------------------------------------------------------------------------
// the worker's side
// -------------------------------------------------------------------------------------

const filesIn = async (folder: string): Promise<ReadonlyMap<string, Uint8Array>> => {
  const found = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const kept = found.filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== 'lock')
  return new Map(await Promise.all(kept.map(async ({ name }) => [name, await readFile(join(folder, name))] as const)))
}

const named = (files: ReadonlyMap<string, Uint8Array>): ReadonlyArray<[string, string]> =>
  [...files].map(([name, bytes]) => [name, Parcel.digestOf(bytes)])

const byDigest = (files: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> =>
  new Map([...files.values()].map((bytes) => [Parcel.digestOf(bytes), bytes]))

/** Puts files into a folder that has no others. Left: the digests of those that are not there. */
const laid = async (
  opened: Pick<Open, 'redis'>,
  folder: string,
  files: Cell['files']
): Promise<E.Either<ReadonlyArray<string>, void>> => {
  const found = await get(
    opened,
    files.map(([, digest]) => digest)
  )
  const missing = files.flatMap(([, digest]) => (found.has(digest) ? [] : [digest]))
  if (missing.length > 0) return E.left(missing)
  if (files.length > 0) await mkdir(folder, { recursive: true })
  for (const [name, digest] of files) {
    const bytes = found.get(digest)
    if (bytes !== undefined) await writeFile(join(folder, basename(name)), bytes)
  }
  return E.right(undefined)
}

/** An order of options that may be its own. Where a study does not say how many samples, they are as many as usual. */
const orderOf = (order: Cell['order'], own: Readonly<Record<string, string>>): Order => {
  if (order === 'Finetune') return { _tag: order, options: own }
  const { byStep, samples = '1024', seed = '1', share = '', ...others } = own
  if (order === 'VerifyShare') return { _tag: order, options: { ...others, samples, seed, share } }
  const asked = { ...others, samples, seed, ...(byStep === undefined ? {} : { byStep: true }) }
  return order === 'Compare' ? { _tag: order, options: asked } : { _tag: order, options: { ...asked, share } }
}

/**
 * Carries out the orders of others, in a folder of its own.
 *
 * @category effects
 * @since 0.1.0
 */
export const cellOf =
  (cache: string, stop: AbortSignal, program: Program) =>
  async (opened: Pick<Open, 'redis'>, message: Uint8Array, job: string, worker: string): Promise<Uint8Array> => {
    const began = performance.now()
    const result = (of: Result['of']): Uint8Array => {
      const head: Result = { job, worker, seconds: (performance.now() - began) / 1000, of }
      return Parcel.encode({ head, arrays: [] })
    }
    const left = (reason: string): Uint8Array => result({ _tag: 'Left', reason: reason.slice(0, 2 ** 14) })
    const read = pipe(
      Parcel.decode(message),
      E.flatMap(({ head }) => says(Cell)(head)),
      E.flatMap((cell) => {
        const why = refusal(cell) ?? unfit(cell.config)
        return why === undefined ? E.right(cell) : E.left(why)
      })
    )
    if (E.isLeft(read)) return left(read.left)
    const { config, files, options: given, order } = read.right
    const folder = join(cache, `cell-${worker}-${job.slice(0, 16)}`)
    const run = join(folder, 'run')
    try {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      const there = await laid(opened, run, files)
      if (E.isLeft(there)) return result({ _tag: 'Missing', parts: there.left })
      if (config !== null) await writeFile(join(folder, 'config.json'), config)
      const own = Object.fromEntries(
        given.map(([name, value]) => [
          name,
          value === places.config ? join(folder, 'config.json') : value === places.run ? run : value
        ])
      )
      const answer = await program(orderOf(order, own), stop)
      if (answer._tag !== 'Done') return left(answer._tag === 'Failed' ? answer.reason : 'the worker was ended')
      const back = await filesIn(run)
      await put(opened, byDigest(back))
      // where it ran is nobody's business
      return result({ _tag: 'Ran', out: JSON.stringify(answer.value).replaceAll(run, places.run), files: named(back) })
    } catch (error) {
      return left(String(error))
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }

// -------------------------------------------------------------------------------------
// the leader's side
// -------------------------------------------------------------------------------------

const runOf =
  (opened: Open, ask: Awaited<ReturnType<typeof dispatch>>['all'], parts: Map<string, Uint8Array>): Program =>
  async (asking, stop) => {
    if (stop.aborted) return { _tag: 'Interrupted' }
    const given = givenOf(asking)
    const { config, out, resume } = Object.fromEntries(given)
    const folder = resume ?? out
    const files = resume === undefined ? new Map<string, Uint8Array>() : await filesIn(resume)
    byDigest(files).forEach((bytes, digest) => parts.set(digest, bytes))
    await put(opened, byDigest(files))
    const text = config === undefined ? undefined : await readFile(config, 'utf8')
    const head: Cell = {
      order: asking._tag,
      options: given.map(([name, value]) => [name, placeOf(name) ?? value]),
      config: text === undefined ? null : JSON.stringify(JSON.parse(text)),
      files: named(files)
    }
    const done = await ask([
      {
        message: Parcel.encode({ head, arrays: [] }),
        first: undefined,
        accept: ({ of }) =>
          of._tag === 'Ran' ? E.right(of) : E.left(of._tag === 'Left' ? of.reason : 'it is no answer to an order')
      }
    ])
    if (stop.aborted) return { _tag: 'Interrupted' }
    const ran = E.isRight(done) ? done.right[0]?.value : undefined
    if (ran === undefined) return { _tag: 'Failed', reason: E.isLeft(done) ? done.left : 'there is no answer' }
    if (folder !== undefined) {
      await rm(folder, { recursive: true, force: true })
      const back = await laid(opened, folder, ran.files)
      if (E.isLeft(back)) return { _tag: 'Failed', reason: 'the files of a run did not come back' }
    }
    return pipe(
      E.tryCatch(
        (): unknown => JSON.parse(ran.out.replaceAll(places.run, () => JSON.stringify(folder ?? '').slice(1, -1))),
        () => 'an answer is no JSON'
      ),
      E.match(
        (reason): Answer => ({ _tag: 'Failed', reason }),
        (value) => ({ _tag: 'Done', value })
      )
    )
  }

/**
 * The program, as workers at a Redis run it, for as long as it is used, and how many of them were there at the beginning.
 *
 * @category effects
 * @since 0.1.0
 */
export const elsewhere = <A>(
  {
    redis,
    tolerateBits = false,
    patience = '600'
  }: { readonly redis: string; readonly tolerateBits?: boolean; readonly patience?: string },
  stop: AbortSignal,
  use: (program: Program, workers: number) => Step<A>
): Step<A> =>
  pipe(
    TE.fromEither(address(redis)),
    TE.bindTo('at'),
    TE.filterOrElse(
      () => Number(patience) >= 1 && Number(patience) <= 86_400,
      () => usage(`--patience: expected seconds in 1..86400, got ${patience}; correct it`)
    ),
    TE.bind('probed', () => Build.bracket(TE.right(gpuJs({ mode: 'webasm' })), probe, (one) => () => one.dispose())),
    TE.flatMap(({ at, probed }) =>
      Build.bracket(
        open(at, randomUUID()),
        (opened) => {
          const parts = new Map<string, Uint8Array>()
          const line = cellLine(version(), probed.digest, tolerateBits)
          return pipe(
            asked(opened, 20_000, () =>
              dispatch({
                open: opened,
                leader: randomUUID().replaceAll('-', ''),
                line: opened.line(line),
                own: (worker) => opened.line(ownLine(worker)),
                // a worker's own queue is of blocks alone
                others: async () => [],
                supply: async (wanted) => {
                  const found = new Map(
                    wanted.flatMap((digest) => {
                      const bytes = parts.get(digest)
                      return bytes === undefined ? [] : [[digest, bytes] as const]
                    })
                  )
                  await put(opened, found)
                  return found.size === new Set(wanted).size
                },
                patience: Number(patience) * 1000,
                tell: (line) => process.stderr.write(`${line}\n`)
              })
            ),
            TE.bindTo('to'),
            TE.bind('there', () => asked(opened, 20_000, () => cards(opened, keys.worker('*')))),
            TE.flatMap(({ to, there }) => {
              const own = there.filter((one) => cellLine(one.version, one.probe, one.tolerant) === line)
              const withdraw = (): void => void to.withdraw()
              stop.addEventListener('abort', withdraw)
              return pipe(
                use(runOf(opened, to.all, parts), own.length),
                TE.chainFirstIOK(() => () => stop.removeEventListener('abort', withdraw))
              )
            })
          )
        },
        (opened) => () => opened.close()
      )
    )
  )
