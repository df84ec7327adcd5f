/**
 * `halforder plan`: the kernels that a fine-tune would run, and what they cost, before anything runs.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type * as Config from '../finetune/Config.js'
import { showError as showConfig } from '../finetune/Config.js'
import * as Gradient from '../estimator/Gradient.js'
import * as Finetune from '../finetune/Finetune.js'
import * as Setup from '../finetune/Setup.js'
import { gpuJs } from '../kernel/GpuJs.js'
import { describe, type Report, showReport } from '../tensor/Target.js'
import { type ConfigOptions, readConfig } from './ConfigOptions.js'
import { broken, type Failure, type Step, usage } from './FinetuneRun.js'
import { materialsOf } from './Materials.js'
import { webGpu } from './WebGpu.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options: those of a configuration.
 *
 * @category model
 * @since 0.1.0
 */
export interface PlanOptions extends ConfigOptions {
  readonly json?: boolean
}

/**
 * What one run of a program of the fine-tune does. `role`: what the program is for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Planned {
  readonly program: string
  readonly role: 'sample' | 'score' | 'credit' | 'update'
  readonly report: Report
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

const roleOf = (program: string): Planned['role'] => {
  if (program.startsWith('rollout') || program.startsWith('side')) return 'sample'
  return program === 'reward' ? 'score' : program === 'update' ? 'update' : 'credit'
}

const roles: ReadonlyArray<Planned['role']> = ['sample', 'score', 'credit', 'update']

/**
 * The reports of every program that a configuration's fine-tune may run, in the order of a step: rollouts, the reward, the
 * credit of each kind of cell, the optimiser. Left: what a fine-tune would refuse too.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const plans = (config: Config.Config): Step<ReadonlyArray<Planned>> =>
  pipe(
    webGpu(config.mode),
    TE.flatMap(() => materialsOf(config)),
    TE.flatMapEither((materials) =>
      pipe(
        Setup.setup(config, materials),
        E.mapLeft((error) => usage(showConfig(error)))
      )
    ),
    TE.flatMap(({ problem, optimizer, conditions }) => async () => {
      const target = gpuJs({ mode: config.mode, threads: config.threads })
      const result = pipe(
        Finetune.compile(problem, optimizer, conditions, target),
        E.bimap(failure, ({ executables }) =>
          Object.entries(executables)
            .map(([program, executable]) => ({ program, role: roleOf(program), report: describe(executable) }))
            .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))
        )
      )
      await target.dispose()
      return result
    })
  )

const failure = (error: Gradient.EstimatorError): Failure =>
  error._tag === 'OnTarget' && error.error._tag !== 'Unsupported'
    ? broken(Gradient.showError(error))
    : usage(Gradient.showError(error))

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Plans for a person: the kernels of each program, then the programs, one run of each.
 *
 * @category utils
 * @since 0.1.0
 */
export const showPlans = (planned: ReadonlyArray<Planned>): string => {
  const width = Math.max('program'.length, ...planned.map(({ program }) => program.length))
  const row = (program: string, role: string, ...cells: ReadonlyArray<string>): string =>
    `${program.padEnd(width)}  ${role.padEnd(6)}${cells.map((cell) => cell.padStart(11)).join('')}`
  return [
    ...planned.map(({ program, role, report }) => `${role}: ${program}\n${showReport(report)}\n`),
    row('program', '', 'kernels', 'calls', 'Mflops', 'KiB moved', 'KiB alive'),
    ...planned.map(({ program, role, report: { kernels, work } }) =>
      row(
        program,
        role,
        String(kernels.length),
        String(kernels.reduce((n, { calls }) => n + calls, 0)),
        (work.flops / 1e6).toFixed(3),
        (work.bytesMoved / 1024).toFixed(1),
        (work.peakBytes / 1024).toFixed(1)
      )
    )
  ].join('\n')
}

/**
 * Runs the command and gives its exit code: 0, 1 (a program did not compile) or 2 (wrong usage). The tables go to stdout, or
 * with `json` one object a program, each on a line.
 *
 * @category effects
 * @since 0.1.0
 */
export const plan = async (options: PlanOptions): Promise<number> => {
  const result = await pipe(readConfig(options), TE.flatMap(plans))()
  if (E.isLeft(result)) {
    process.stderr.write(`halforder plan: ${result.left.message}\n`)
    return result.left.kind === 'usage' ? 2 : 1
  }
  const json = (): string =>
    result.right.map(({ program, role, report }) => JSON.stringify({ program, role, ...report })).join('\n')
  process.stdout.write(`${options.json === true ? json() : showPlans(result.right)}\n`)
  return 0
}
