/**
 * onnxruntime-node, where it is installed: it runs graphs that have operators which are none here, or are larger than what runs here.
 *
 * @since 0.1.0
 */
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import type { Engine } from 'halforder/network/BlackJudge'
import { toFloat32 } from 'halforder/tensor/Tensor'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A graph that is open: its names, and what runs it from one input to one output.
 *
 * @category model
 * @since 0.1.0
 */
export interface Session {
  readonly inputs: ReadonlyArray<string>
  readonly outputs: ReadonlyArray<string>
  readonly engine: (input: string, output: string) => Engine
}

/** How the package is called. It is an optional peer: nothing else here needs it. */
const packageName: string = 'onnxruntime-node'

const names = t.array(t.string)

const result = t.type({
  dims: t.array(t.number),
  data: new t.Type<Float32Array>(
    'numbers in f32',
    (u) => u instanceof Float32Array,
    (u, c) => (u instanceof Float32Array ? t.success(u) : t.failure(u, c)),
    (a) => a
  )
})

// -------------------------------------------------------------------------------------
// opening
// -------------------------------------------------------------------------------------

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** From beside the program, from the working folder, or from beside the graph. */
const loaded = async (path: string): Promise<unknown> => {
  const from = [resolve('halforder.js'), resolve(path)].flatMap((place) => {
    try {
      return [pathToFileURL(createRequire(place).resolve(packageName)).href]
    } catch {
      return []
    }
  })
  for (const name of [packageName, ...from]) {
    try {
      const found: unknown = await import(name)
      return found
    } catch (error) {
      if (name !== packageName) throw error
    }
  }
  throw new Error('it is not installed')
}

const property = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? Reflect.get(value, name) : undefined

/** What a module of CommonJS exports, by name or as its default. */
const exported = (module: unknown, name: string): unknown =>
  property(module, name) ?? property(property(module, 'default'), name)

const engineOf =
  (
    session: object,
    run: (...given: ReadonlyArray<unknown>) => unknown,
    make: new (...given: ReadonlyArray<unknown>) => object
  ) =>
  (input: string, output: string): Engine =>
  (images) =>
    pipe(
      TE.tryCatch(async (): Promise<unknown> => {
        const { shape, data } = toFloat32(images)
        const given = Reflect.construct(make, ['float32', data, [...shape]])
        return property(await Reflect.apply(run, session, [{ [input]: given }]), output)
      }, message),
      TE.flatMapEither((out) =>
        pipe(
          result.decode(out),
          E.bimap(
            () => `output: expected numbers in f32 of "${output}", got another kind`,
            ({ dims, data }) => ({ shape: dims, data })
          )
        )
      )
    )

const isFunction = (value: unknown): value is (...given: ReadonlyArray<unknown>) => unknown =>
  typeof value === 'function'

const isConstructor = (value: unknown): value is new (...given: ReadonlyArray<unknown>) => object =>
  typeof value === 'function'

/**
 * Opens a graph. Left: the package is not installed, or does not take the graph.
 *
 * @category effects
 * @since 0.1.0
 */
export const openSession = (path: string): TE.TaskEither<string, Session> =>
  pipe(
    TE.tryCatch(() => loaded(path), message),
    TE.mapLeft((reason) => `${packageName}, which could run it as a black box, does not load: ${reason}`),
    TE.flatMap((module) =>
      TE.tryCatch(
        async (): Promise<Session> => {
          const sessions = exported(module, 'InferenceSession')
          const [create, make] = [property(sessions, 'create'), exported(module, 'Tensor')]
          if (!isFunction(create) || !isConstructor(make)) throw new Error('it is another package by that name')
          const session: unknown = await Reflect.apply(create, sessions, [join(path)])
          const run = property(session, 'run')
          const [inputs, outputs] = [
            names.decode(property(session, 'inputNames')),
            names.decode(property(session, 'outputNames'))
          ]
          if (
            typeof session !== 'object' ||
            session === null ||
            !isFunction(run) ||
            E.isLeft(inputs) ||
            E.isLeft(outputs)
          ) {
            throw new Error('it is another package by that name')
          }
          return { inputs: inputs.right, outputs: outputs.right, engine: engineOf(session, run, make) }
        },
        (error) => `${packageName}: ${message(error)}`
      )
    )
  )
