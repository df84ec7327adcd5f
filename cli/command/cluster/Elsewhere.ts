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
import { cellLine, ownLine } from '../../cluster/Kind.js'
import * as Parcel from '../../cluster/Parcel.js'
import { probe } from '../../cluster/Probe.js'
import { asked, get, open, type Open, put } from '../../cluster/Redis.js'
import { Cell, type Result, says } from '../../cluster/Wire.js'
import { type Step, usage } from '../../edge/Failure.js'
import { version } from '../../edge/Version.js'
import { names } from '../../tasks/Find.js'
import * as Cells from '../study/Cells.js'

// -------------------------------------------------------------------------------------
// what may be run
// -------------------------------------------------------------------------------------

/** What a cell may ask of the program: of each command the options that have a value, and those that have none. */
const commands: Readonly<
  Record<string, { readonly valued: ReadonlyArray<string>; readonly bare: ReadonlyArray<string> }>
> = {
  finetune: { valued: ['config', 'seed', 'steps', 'out', 'resume'], bare: ['json'] },
  compare: {
    valued: [
      'task',
      'model',
      'chain',
      'T',
      'reward',
      'samples',
      'batch',
      'only',
      'estimator',
      'trained',
      'lora',
      'seed'
    ],
    bare: ['json']
  },
  verify: { valued: ['task', 'estimator', 'samples', 'seed'], bare: ['json'] }
}

const places = { config: '{config}', run: '{run}' } as const

/** Why arguments are not to be run: a command or an option that no cell has, or a value that leads to a file. */
const refusal = (args: ReadonlyArray<string>): string | undefined => {
  const [command = '', ...rest] = args
  const known = commands[command]
  if (known === undefined)
    return `expected ${Object.keys(commands).join(', ')}, got ${JSON.stringify(command.slice(0, 40))}`
  for (let i = 0; i < rest.length; i++) {
    const name = (rest[i] ?? '').replace(/^--/, '')
    if (known.bare.includes(name)) continue
    if (!known.valued.includes(name) || !(rest[i] ?? '').startsWith('--'))
      return `expected options of ${command}, got ${JSON.stringify(name.slice(0, 40))}`
    const value = rest[++i] ?? ''
    const own = name === 'config' ? places.config : name === 'out' || name === 'resume' ? places.run : undefined
    if (own === undefined ? /[/\\{]|^-(?![\d.])|\.(?:[cm]?js|json|ya?ml|onnx)$/.test(value) : value !== own) {
      return `--${name}: expected ${own ?? 'a value that names no file'}`
    }
  }
  return undefined
}

/** Why a configuration is not to be run: what it names is a file, or a task that does not ship. */
const unfit = (config: string | null): string | undefined => {
  if (config === null) return undefined
  const parsed = E.tryCatch(
    (): unknown => JSON.parse(config),
    () => 'none'
  )
  if (E.isLeft(parsed) || !isRecord(parsed.right)) return 'its configuration is no JSON'
  const { model, reward, task } = parsed.right
  if (task !== undefined && !names().some((name) => name === task))
    return `expected a task that ships, got ${JSON.stringify(task).slice(0, 80)}`
  const file = [model, reward].find((name) => typeof name === 'string' && /[/\\]|\.(?:[cm]?js|onnx)$/.test(name))
  return file === undefined
    ? undefined
    : `expected a model and a reward by their names, got ${JSON.stringify(file).slice(0, 80)}`
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
  opened: Open,
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

/**
 * Runs the cells of others in a folder of its own, in processes of their own.
 *
 * @category effects
 * @since 0.1.0
 */
export const cellOf =
  (cache: string, stop: AbortSignal, program: Cells.Program = Cells.installed) =>
  async (opened: Open, message: Uint8Array, job: string, worker: string): Promise<Uint8Array> => {
    const began = performance.now()
    const result = (of: Result['of']): Uint8Array => {
      const head: Result = { job, worker, seconds: (performance.now() - began) / 1000, of }
      return Parcel.encode({ head, arrays: [] })
    }
    const read = pipe(
      Parcel.decode(message),
      E.flatMap(({ head }) => says(Cell)(head)),
      E.filterOrElse(
        ({ args, config }) => refusal(args) === undefined && unfit(config) === undefined,
        ({ args, config }) => refusal(args) ?? unfit(config) ?? ''
      )
    )
    if (E.isLeft(read)) return result({ _tag: 'Left', reason: read.left.slice(0, 2 ** 14) })
    const { args, config, files } = read.right
    const folder = join(cache, `cell-${worker}-${job.slice(0, 16)}`)
    const run = join(folder, 'run')
    try {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      const there = await laid(opened, run, files)
      if (E.isLeft(there)) return result({ _tag: 'Missing', parts: there.left })
      if (config !== null) await writeFile(join(folder, 'config.json'), config)
      const own = args.map((arg) =>
        arg === places.config ? join(folder, 'config.json') : arg === places.run ? run : arg
      )
      const { code, err, out } = await program(own, stop)
      const left = await filesIn(run)
      await put(opened, byDigest(left))
      // where it ran is nobody's business
      const plain = (text: string): string => text.replaceAll(run, places.run).replaceAll(folder, places.config)
      return result({
        _tag: 'Ran',
        code: Math.abs(code) % 256,
        out: plain(out).slice(0, 2 ** 19),
        err: plain(err).slice(-(2 ** 14)),
        files: named(left)
      })
    } catch (error) {
      return result({ _tag: 'Left', reason: String(error).slice(0, 2 ** 14) })
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }

// -------------------------------------------------------------------------------------
// the leader's side
// -------------------------------------------------------------------------------------

/** The value of an option among arguments. */
const valueOf = (args: ReadonlyArray<string>, option: string): string | undefined => {
  const at = args.indexOf(option)
  return at < 0 ? undefined : args[at + 1]
}

const runOf =
  (opened: Open, ask: Awaited<ReturnType<typeof dispatch>>['all'], parts: Map<string, Uint8Array>): Cells.Program =>
  async (args, stop) => {
    if (stop.aborted) return { code: 130, out: '', err: 'interrupted' }
    const config = valueOf(args, '--config')
    const resumed = valueOf(args, '--resume')
    const folder = resumed ?? valueOf(args, '--out')
    const files = resumed === undefined ? new Map<string, Uint8Array>() : await filesIn(resumed)
    byDigest(files).forEach((bytes, digest) => parts.set(digest, bytes))
    await put(opened, byDigest(files))
    const head: Cell = {
      kind: 'cell',
      name: Parcel.digestOf(Buffer.from(args.join('\0'))),
      args: args.map((arg) => (arg === config ? places.config : arg === folder ? places.run : arg)),
      config: config === undefined ? null : JSON.stringify(JSON.parse(await readFile(config, 'utf8'))),
      files: [...named(files)]
    }
    const done = await ask([
      {
        message: Parcel.encode({ head, arrays: [] }),
        first: undefined,
        accept: ({ of }) =>
          of._tag === 'Ran' ? E.right(of) : E.left(of._tag === 'Left' ? of.reason : 'it is no run of the program')
      }
    ])
    const ran = E.isRight(done) ? done.right[0]?.value : undefined
    if (ran === undefined) return { code: stop.aborted ? 130 : 1, out: '', err: E.isLeft(done) ? done.left : '' }
    if (folder !== undefined) {
      await rm(folder, { recursive: true, force: true })
      const back = await laid(opened, folder, ran.files)
      if (E.isLeft(back)) return { code: 1, out: '', err: 'the files of a run did not come back' }
    }
    const out = ran.out.replaceAll(places.run, folder ?? '')
    return { code: ran.code, out, err: ran.err }
  }

/**
 * The program, as workers at a Redis run it, for as long as it is used.
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
  use: (program: Cells.Program) => Step<A>
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
          return pipe(
            asked(opened, 20_000, () =>
              dispatch({
                open: opened,
                leader: randomUUID().replaceAll('-', ''),
                line: opened.line(cellLine(version(), probed.digest, tolerateBits)),
                own: (worker) => opened.line(ownLine(worker)),
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
            TE.flatMap((to) => {
              const withdraw = (): void => void to.withdraw()
              stop.addEventListener('abort', withdraw)
              return pipe(
                use(runOf(opened, to.all, parts)),
                TE.chainFirstIOK(() => () => stop.removeEventListener('abort', withdraw))
              )
            })
          )
        },
        (opened) => () => opened.close()
      )
    )
  )
