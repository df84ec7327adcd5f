/**
 * `halforder plan`: the kernels that a fine-tune would run, and what they cost, before anything runs.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { gpuJs } from 'halforder/kernel'
import { describe, type Report, showReport } from 'halforder/tensor/Target'
import * as Finetune from 'halforder/training/Finetune'
import { type Memory, memory, showMemory } from 'halforder/training/measure/Memory'
import * as Setup from 'halforder/training/Setup'
import { fail, ofEstimator, refused, type Step } from '../edge/Failure.js'
import { webGpu } from '../edge/WebGpu.js'
import { type ConfigOptions, type Configured, readConfig } from './ConfigOptions.js'
import { materialsOf } from './ModelFile.js'

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

/**
 * All programs, in the order of a step, and the memory that a run of them takes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plans {
  readonly planned: ReadonlyArray<Planned>
  readonly memory: Memory
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/** What this process has beside arrays. */
const beside = (): number => {
  const { rss, arrayBuffers } = process.memoryUsage()
  return rss - arrayBuffers
}

const roleOf = (program: string): Planned['role'] => {
  if (program.startsWith('rollout') || program.startsWith('side')) return 'sample'
  return program === 'reward' ? 'score' : program === 'update' ? 'update' : 'credit'
}

const roles: ReadonlyArray<Planned['role']> = ['sample', 'score', 'credit', 'update']

/**
 * The reports of every program that a configuration's fine-tune may run, in the order of a step: rollouts, the reward, the
 * credit of each kind of cell, the optimizer; and the memory of all. Left: what a fine-tune would refuse too.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const plans = ({ task, config }: Configured): Step<Plans> =>
  pipe(
    webGpu(config.mode),
    TE.flatMap(() => materialsOf(task, config)),
    TE.flatMapEither((materials) => pipe(Setup.setup(config, materials), E.mapLeft(refused))),
    TE.flatMap(({ problem, optimizer, conditions, inner, forward }) => async () => {
      const target = gpuJs({ mode: config.mode, threads: config.threads })
      const result = pipe(
        Finetune.compile(problem, { optimizer, conditions, target, inner, ...forward?.on(target) }),
        E.bimap(ofEstimator, ({ executables }) => ({
          memory: memory(problem, executables, target, beside()),
          planned: Object.entries(executables)
            .map(([program, executable]) => ({ program, role: roleOf(program), report: describe(executable) }))
            .sort((a, b) => roles.indexOf(a.role) - roles.indexOf(b.role))
        }))
      )
      await target.dispose()
      return result
    })
  )

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
 * with `json` one object a program, each on a line, with the memory of all in each.
 *
 * @category effects
 * @since 0.1.0
 */
export const plan = async (options: PlanOptions): Promise<number> => {
  const result = await pipe(readConfig(options), TE.flatMap(plans))()
  if (E.isLeft(result)) return fail('plan')(result.left)
  const { planned, memory: taken } = result.right
  const json = (): string =>
    planned.map(({ program, role, report }) => JSON.stringify({ program, role, ...report, memory: taken })).join('\n')
  process.stdout.write(`${options.json === true ? json() : `${showPlans(planned)}\n\n${showMemory(taken)}`}\n`)
  return 0
}
