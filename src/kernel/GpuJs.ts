/**
 * gpu.js as a target: a program becomes one gpu.js pipeline of fused kernels, on any of gpu.js's modes.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Program from '../tensor/Program.js'
import type { BoundProgram } from '../tensor/Program.js'
import type { Sizes } from '../tensor/Shape.js'
import type { Executable, Target, TargetError } from '../tensor/Target.js'
import { type Device, type GpuJsOptions, openDevice } from './Device.js'
import { cached } from './gpujs/Cache.js'
import { type PlanPipeline, planPipeline } from './gpujs/Pipeline.js'
import { lengths } from './plan/Lengths.js'
import { type Plan, plan, report } from './plan/Plan.js'
import { host, memoryExcess, planExcess, programExcess } from './plan/Reach.js'
import * as Threads from './threads/Threads.js'
import { shaderPipeline } from './webgpu/ShaderPipeline.js'
import type { Occupant } from './wasm/Ground.js'
import { addressable } from './wasm/Pages.js'

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * A gpu.js instance as a target. Making it does nothing; the first `compile` makes the instance, and is `Unsupported`
 * where the mode or an option is not there. A program that is too large for the mode is `Unsupported` too. `dispose`
 * frees everything that was compiled with it.
 *
 * @category instances
 * @since 0.1.0
 */
export const gpuJs = (options: GpuJsOptions = {}): Target => {
  const name = `gpu.js ${options.mode ?? 'webasm'}`
  const executables = new Set<Executable>()
  let device: E.Either<TargetError, Device> | undefined
  let disposed = false
  const compileOn = cached(name, (program, sizes) =>
    pipe(
      (device ??= openDevice(name, options)),
      E.flatMap((opened) => compile(opened, program, sizes)),
      E.map((made) => {
        const self: Executable = {
          ...made,
          dispose: async () => {
            executables.delete(self)
            await made.dispose()
          }
        }
        executables.add(self)
        return self
      })
    )
  )
  return {
    name,
    compile: (program, sizes) => (disposed ? E.left(gone(name)) : compileOn(program, sizes)),
    memory: () => {
      const shared = device === undefined || E.isLeft(device) ? undefined : device.right.ground?.memory()
      const own = [...executables].flatMap((one) => one.memory?.() ?? [])
      return shared === undefined
        ? undefined
        : own.reduce((a, b) => ({ bytes: a.bytes + b.bytes, modules: a.modules + b.modules }), shared)
    },
    dispose: async () => {
      if (disposed) return
      disposed = true
      for (const executable of executables) await executable.dispose()
      if (device === undefined || E.isLeft(device)) return
      await device.right.gpu.destroy()
      await device.right.pool?.dispose()
    }
  }
}

const gone = (target: string): TargetError => ({ _tag: 'Disposed', target })

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** What may be thrown, by gpu.js or by an engine out of memory, as a left. */
const attempt = <A>(target: string, make: () => A): E.Either<TargetError, A> =>
  E.tryCatch(make, (error): TargetError => ({ _tag: 'Failed', target, reason: message(error) }))

// -------------------------------------------------------------------------------------
// compiling
// -------------------------------------------------------------------------------------

/** For the threads of the device, where it has some. */
const compile = (device: Device, program: Program.Program, sizes: Sizes): E.Either<TargetError, Executable> =>
  pipe(
    Program.bind(program, sizes),
    E.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors })),
    E.flatMap((bound) => within(device, programExcess(bound, sizes), bound)),
    E.flatMap((bound) => {
      const { name, pool, fma } = device
      if (pool === undefined) return E.right(alone(device, bound))
      const context = { name, pool, fma, alone: (part: BoundProgram) => alone(device, part) }
      return attempt(name, () => Threads.compile(context, program, sizes))
    }),
    E.flatten
  )

/** A value, unless something is too large for the device. */
const within = <A>({ name, reach }: Device, excess: string | undefined, value: A): E.Either<TargetError, A> =>
  excess === undefined
    ? E.right(value)
    : E.left({
        _tag: 'Unsupported',
        target: name,
        reason: excess,
        remedy: reach === host ? 'use a smaller batch' : "use a smaller batch, or the mode 'webasm'"
      })

/** For this thread alone. */
const alone = (device: Device, program: BoundProgram): E.Either<TargetError, Executable> =>
  pipe(
    attempt(device.name, () => plan(program, device.limits)),
    E.flatMap((planned) => within(device, planExcess(planned, device.reach), planned)),
    E.bindTo('planned'),
    E.bind('occupant', ({ planned }) => occupantOf(device, planned)),
    E.flatMap(({ planned, occupant }) =>
      attempt(device.name, () => executable(device.name, program, planned, pipelineOf(device, planned, occupant)))
    )
  )

const pipelineOf = (device: Device, planned: Plan, occupant: Occupant | undefined): PlanPipeline => {
  const { shaders } = device
  const own = planned.kernels.map(({ spec }) => spec.cells)
  return shaders === undefined
    ? planPipeline(device, planned, own, undefined, occupant)
    : // kernels that are written here may have outputs that are longer than what they compute
      shaderPipeline({ ...device, shaders }, planned, lengths(planned, 4))
}

/** The places of a plan in the memory of its target, where that is one. */
const occupantOf = (device: Device, planned: Plan): E.Either<TargetError, Occupant | undefined> => {
  if (device.ground === undefined) return E.right(undefined)
  const entered = device.ground.enter(planned)
  return E.isRight(entered) ? entered : within(device, memoryExcess(entered.left, addressable), undefined)
}

const executable = (target: string, program: BoundProgram, planned: Plan, pipeline: PlanPipeline): Executable => {
  let disposed = false
  return {
    program,
    work: planned.work,
    report: () => report(planned),
    run: (values) =>
      disposed
        ? TE.left(gone(target))
        : pipe(
            TE.fromEither(Program.checkValues(program, values)),
            TE.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors })),
            TE.flatMap(() =>
              TE.tryCatch(
                () => pipeline.run(values),
                (error): TargetError => (disposed ? gone(target) : { _tag: 'Failed', target, reason: message(error) })
              )
            )
          ),
    dispose: async () => {
      if (disposed) return
      disposed = true
      await pipeline.dispose()
    }
  }
}
