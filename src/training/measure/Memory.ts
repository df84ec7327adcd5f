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
 * Bytes that a run takes, beside what the engine has for its own: code, and the values of the program that is halforder.
 *
 * - `shared`: the memory that the programs work in, one for all of them; undefined where each has its own.
 * - `arrays`: what is kept outside of it: parameters, the optimizer's state, directions, noise, the gradient of each cell of a cover and their
 *   sum.
 *
 * @category model
 * @since 0.1.0
 */
export interface Memory {
  readonly shared: number | undefined
  readonly arrays: number
}

type Port = BoundProgram['inputs'][number] | BoundProgram['outputs'][number]

const bytes = (ports: ReadonlyArray<Port>): number => ports.reduce((sum, { shape }) => sum + 4 * size(shape), 0)

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((a, b) => a + b, 0)

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The memory of a run whose programs have these names: those of an estimator, and `update` where there is one. What several
 * programs read by one name is one array.
 *
 * @category readings
 * @since 0.1.0
 */
export const memory = (
  { estimator }: Pick<AnyProblem, 'estimator'>,
  executables: Readonly<Record<string, Executable>>,
  target: Target
): Memory => {
  const all = Object.values(executables).map(({ program }) => program)
  const read = new Map(all.flatMap(({ inputs }) => inputs.map((port) => [`${port.name} ${port.shape.join()}`, port])))
  const written = (name: string): number => bytes(executables[name]?.program.outputs ?? [])
  const credits = estimator.covers.map(({ cover }) => cover.cells.map((cell) => written(creditName(cell))))
  // an update reads the sum; without one, it is an array of its own
  const ofCredit = credits.map((cells) => sum(cells) + ('update' in executables ? 0 : Math.max(0, ...cells)))
  return {
    shared: target.memory?.(),
    arrays: bytes([...read.values()]) + Math.max(0, written('update'), ...ofCredit)
  }
}

/**
 * One line for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showMemory = ({ shared, arrays }: Memory): string => {
  const mib = (n: number): string => `${(n / 2 ** 20).toFixed(1)} MiB`
  const outside = `${mib(arrays)} of arrays (parameters, gradients, the optimizer's state, noise)`
  return shared === undefined
    ? `memory: ${outside}, beside what each program works in`
    : `memory: ${mib(shared + arrays)}: ${mib(shared)} that all programs work in, and ${outside}`
}
