/**
 * A reward of the user's: a module whose default export is a function of what it sees, or a reward made by the library; or a graph in ONNX.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import { type BlackBox, evaluate } from 'halforder/reward/Reward'
import { seeing, type Seen } from 'halforder/reward/Seeing'
import { type Named, type Outputs, prompted, type Shelf } from 'halforder/reward/Shelf'
import type { AnyDifferentiable } from 'halforder/reward/Weighted'
import type { Rows } from 'halforder/lens/Rows'
import { type Step, usage, unloaded } from '../edge/Failure.js'
import { judgeAt } from './file/JudgeFile.js'

/**
 * Is this the path of a reward's module, not a name or a sum of names?
 *
 * @category utils
 * @since 0.1.0
 */
export const isFile = (reward: string): boolean =>
  /^(?:\.{0,2}[/\\]|[A-Za-z]:[/\\])|\.(?:[cm]?js|onnx)$/.test(reward.trim())

const expected =
  "expected a default export that is a function of { x0, condition, prompt, rows }, or a reward made by 'halforder/reward'"

/** What a module may say beside its default export of a function. */
interface Beside {
  readonly name: string
  readonly batch?: number
  readonly timeout?: number
}

const besideOf = (path: string, module: Readonly<Record<string, unknown>>): E.Either<string, Beside> => {
  const { batch, name, timeout } = module
  if (name !== undefined && typeof name !== 'string') return E.left(`expected the export name to be a text`)
  if (batch !== undefined && !(typeof batch === 'number' && Number.isInteger(batch) && batch >= 1)) {
    return E.left('expected the export batch to be a whole number of rows of at least 1')
  }
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0)) {
    return E.left('expected the export timeout to be milliseconds above 0')
  }
  return E.right({
    name: name ?? path,
    ...(batch === undefined ? {} : { batch }),
    ...(timeout === undefined ? {} : { timeout })
  })
}

type Judging = (seen: Seen, signal: AbortSignal) => ReadonlyArray<number> | Promise<ReadonlyArray<number>>

// what it answers is looked at whenever it is asked
const isFunction = (value: unknown): value is Judging => typeof value === 'function'

const isBlackBox = (value: unknown): value is BlackBox =>
  isRecord(value) && value['_tag'] === 'BlackBox' && typeof value['evaluate'] === 'function' && isNamed(value)

// the laws of a lens are for whoever wrote it to check: `Run.lens`
const isDifferentiable = (value: unknown): value is AnyDifferentiable<Outputs, Rows<number>> =>
  isRecord(value) && value['_tag'] === 'Differentiable' && typeof value['lens'] === 'function' && isNamed(value)

const isNamed = ({ name }: Readonly<Record<string, unknown>>): boolean => typeof name === 'string'

const fromModule = (path: string, module: unknown): E.Either<string, Named> => {
  const exported = isRecord(module) ? module['default'] : undefined
  if (isDifferentiable(exported)) return E.right(prompted(exported))
  if (isBlackBox(exported)) return E.right({ _tag: 'Opaque', reward: { ...exported, evaluate: evaluate(exported) } })
  if (isRecord(module) && isFunction(exported)) {
    return pipe(
      besideOf(path, module),
      E.map(({ name, ...asking }): Named => ({ _tag: 'Opaque', reward: seeing(name, exported, asking) }))
    )
  }
  return E.left(`${expected}, got ${exported === undefined ? 'none' : `a value of type ${typeof exported}`}`)
}

/**
 * A shelf with the reward of a file beside its own, where that is what is named. `features`: how many numbers an output has, where they
 * are known. Left: a module that is not there, does not load, or exports no reward; a graph that is none.
 *
 * @category effects
 * @since 0.1.0
 */
export const withFile =
  (reward: string, features?: number) =>
  (shelf: Shelf): Step<Shelf> => {
    if (!isFile(reward)) return TE.right(shelf)
    const path = reward.trim()
    return pipe(
      path.endsWith('.onnx') ? judgeAt(path, features) : moduleAt(path),
      TE.map((named) => ({ ...shelf, named: new Map([...shelf.named, [reward, () => named]]) }))
    )
  }

const moduleAt = (path: string): Step<Named> => {
  const failed = (reason: string): ReturnType<typeof usage> => usage(`--reward: ${path}${reason}`)
  return pipe(
    E.tryCatch(
      () => resolve(path),
      () => failed(' is a path in the working folder, which does not exist; go to another')
    ),
    E.filterOrElse(existsSync, () =>
      failed(' does not exist; name a module such as ./reward.mjs, or a reward of the task')
    ),
    TE.fromEither,
    TE.flatMap((absolute) =>
      TE.tryCatch(
        (): Promise<unknown> => import(pathToFileURL(absolute).href),
        (error) => failed(` ${unloaded(error)}`)
      )
    ),
    TE.flatMapEither((module) =>
      pipe(
        fromModule(path, module),
        E.mapLeft((reason) => failed(`: ${reason}`))
      )
    )
  )
}
