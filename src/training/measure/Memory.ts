/**
 * How much memory a run takes, by its compiled programs, before anything runs.
 *
 * @since 0.1.0
 */
import type { AnyProblem } from '../../estimator/Gradient.js'
import { creditName } from '../../estimator/Plan.js'
import type { BoundProgram } from '../../tensor/Program.js'
import type { Executable, Target } from '../../tensor/Target.js'
import { size } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Bytes that a run takes.
 *
 * - `shared`: the memory that the programs work in, one for all of them, and one a thread for what threads share; undefined where each
 *   has its own.
 * - `arrays`: what is kept outside of it: parameters, the optimizer's state, directions, noise, the gradient of each cell of a cover and their
 *   sum.
 * - `code`: what the engine makes of the modules that the programs are, `moduleBytes` for each.
 * - `process`: what the process has beside arrays once the programs are made and none has run: the engine, this library, and the
 *   programs as values. Whoever can measure it says it.
 * - `spare`: what comes and goes while a gradient is computed: `spareBytes`.
 *
 * All together is what a process takes for one gradient: measured from 0.1 to 1.7 GiB, the peak was between three quarters of it and all. It
 * is less where what making the programs left was not collected when `process` was measured, and is used again instead of `spare`. Over
 * many steps the arrays of one may still be there in the next, since an engine collects late: `arrays` once more.
 *
 * @category model
 * @since 0.1.0
 */
export interface Memory {
  readonly shared: number | undefined
  readonly arrays: number
  readonly code: number
  readonly process?: number
  readonly spare: number
}

/**
 * What a module of some hundred bytes of WebAssembly takes as machine code, with what the engine knows of it, as measured on V8 of Node 20 over
 * thousands of modules.
 *
 * @category constants
 * @since 0.1.0
 */
export const moduleBytes: number = 13 * 1024

/**
 * By how much an engine's heap grows while programs run, beside arrays, as measured on V8 of Node 20.
 *
 * @category constants
 * @since 0.1.0
 */
export const spareBytes: number = 32 * 2 ** 20

type Port = BoundProgram['inputs'][number] | BoundProgram['outputs'][number]

const bytes = (ports: ReadonlyArray<Port>): number => ports.reduce((sum, { shape }) => sum + 4 * size(shape), 0)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The memory of a run whose programs have these names: those of an estimator, and `update` where there is one. What several
 * programs read by one name is one array. `process`: what the process has beside arrays, where that was measured.
 *
 * @category readings
 * @since 0.1.0
 */
export const memory = (
  { estimator }: Pick<AnyProblem, 'estimator'>,
  executables: Readonly<Record<string, Executable>>,
  target: Target,
  process?: number
): Memory => {
  const all = Object.values(executables).map(({ program }) => program)
  const read = new Map(all.flatMap(({ inputs }) => inputs.map((port) => [`${port.name} ${port.shape.join()}`, port])))
  const written = (name: string): number => bytes(executables[name]?.program.outputs ?? [])
  const credits = estimator.covers.map(({ cover }) => cover.cells.map((cell) => written(creditName(cell))))
  // an update reads the sum; without one, it is an array of its own
  const ofCredit = credits.map((cells) => sum(cells) + ('update' in executables ? 0 : Math.max(0, ...cells)))
  const taken = target.memory?.()
  return {
    shared: taken?.bytes,
    arrays: bytes([...read.values()]) + Math.max(0, written('update'), ...ofCredit),
    code: moduleBytes * (taken?.modules ?? 0),
    ...(process === undefined ? {} : { process }),
    spare: spareBytes
  }
}

/**
 * The bytes of one gradient in all, where those of the programs are known.
 *
 * @category readings
 * @since 0.1.0
 */
export const total = ({ shared, arrays, code, process, spare }: Memory): number | undefined =>
  shared === undefined ? undefined : sum([shared, arrays, code, process ?? 0, spare])

/**
 * Lines for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showMemory = (taken: Memory): string => {
  const { shared, arrays, code, process, spare } = taken
  const mib = (n: number): string => `${(n / 2 ** 20).toFixed(1)} MiB`
  const outside = `${mib(arrays)} of arrays (parameters, gradients, the optimizer's state, noise)`
  const engine = process === undefined ? [] : [`${mib(process)} of the process and its programs`]
  const all = total(taken)
  if (shared === undefined || all === undefined) {
    return `memory: ${[outside, ...engine].join(', ')}, beside what each program works in`
  }
  return [
    `memory: ${mib(all)} for a gradient, and ${mib(all + arrays)} where arrays of one step are still there in the next`,
    `${mib(shared)} that all programs work in`,
    outside,
    `${mib(code)} of compiled code`,
    ...engine,
    `${mib(spare)} to spare`
  ].join('\n  ')
}
