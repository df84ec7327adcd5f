/**
 * What it takes to run programs somewhere: an interface, and its plainest instance, the f64 reference.
 *
 * The mathematics is written against this interface and does not know where it runs.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Program from './Program.js'
import type { BoundProgram, Values } from './Program.js'
import * as Reference from './Reference.js'
import { showError, type ShapeError, type Sizes } from './Shape.js'
import { size } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why a program did not compile or run.
 *
 * - `Misshapen`: unbound dimensions, or inputs that are missing or of another shape.
 * - `Unsupported`: the target cannot run on this machine, or cannot run this program.
 * - `Disposed`: the executable was used after `dispose`.
 * - `Failed`: the device or its driver gave up.
 *
 * @category model
 * @since 0.1.0
 */
export type TargetError =
  | { readonly _tag: 'Misshapen'; readonly errors: ReadonlyArray<ShapeError> }
  | { readonly _tag: 'Unsupported'; readonly target: string; readonly reason: string; readonly remedy: string }
  | { readonly _tag: 'Disposed'; readonly target: string }
  | { readonly _tag: 'Failed'; readonly target: string; readonly reason: string }

/**
 * What one run of an executable does: floating-point operations, bytes read and written by kernels, and the most bytes
 * of intermediate values and outputs that are alive at once (inputs and constants not counted).
 *
 * @category model
 * @since 0.1.0
 */
export interface Work {
  readonly flops: number
  readonly bytesMoved: number
  readonly peakBytes: number
}

/**
 * One kernel of an executable: what it computes, how often it is called in a run, and what all of its calls do. The
 * operations of all kernels may be more than those of the program, where a cheap value is computed again.
 *
 * @category model
 * @since 0.1.0
 */
export interface KernelReport {
  readonly name: string
  readonly calls: number
  readonly flops: number
  readonly bytesMoved: number
}

/**
 * What one run of an executable does, by kernel and in all. `threads`: on how many, or why on one only, where more were asked
 * for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Report {
  readonly kernels: ReadonlyArray<KernelReport>
  readonly work: Work
  readonly threads?: string
}

/**
 * What compiled programs take of a machine's memory: the bytes that they work in, and the modules of machine code that they are made of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Footprint {
  readonly bytes: number
  readonly modules: number
}

/**
 * A compiled program. `run` gives the outputs by name; it may be called many times, and calls queue. Data that was given to
 * a run must not be written to: what is the same array is taken to be unchanged. `dispose` frees what it holds; running
 * it afterwards is a `Disposed` left. `report` lists the kernels, where there are some; `memory` is what it takes beside that of its
 * target.
 *
 * @category model
 * @since 0.1.0
 */
export interface Executable {
  readonly program: BoundProgram
  readonly work: Work
  readonly report?: () => Report
  readonly memory?: () => Footprint
  readonly run: (values: Values) => TE.TaskEither<TargetError, Values>
  readonly dispose: () => Promise<void>
}

/**
 * A place where programs run. `memory`: what the programs that are compiled take together, where they are WebAssembly.
 *
 * @category model
 * @since 0.1.0
 */
export interface Target {
  readonly name: string
  readonly compile: (program: Program.Program, sizes: Sizes) => E.Either<TargetError, Executable>
  readonly memory?: () => Footprint | undefined
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * The f64 reference as a target: slow, exact to rounding, and the same everywhere up to the host's own `Math`.
 *
 * @category instances
 * @since 0.1.0
 */
export const reference: Target = {
  name: 'reference',
  compile: (program, sizes) =>
    pipe(
      Program.bind(program, sizes),
      E.bimap(
        (errors): TargetError => ({ _tag: 'Misshapen', errors }),
        (bound): Executable => ({
          program: bound,
          work: nodeWork(bound, 8),
          run: (values) =>
            TE.fromEither(
              pipe(
                Reference.runBound(bound, values),
                E.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors }))
              )
            ),
          dispose: () => Promise.resolve()
        })
      )
    ),
  dispose: () => Promise.resolve()
}

/**
 * What one run of an executable does: its kernels, or the whole program as one.
 *
 * @category utils
 * @since 0.1.0
 */
export const describe = (executable: Executable): Report => {
  const { work, program } = executable
  const { flops, bytesMoved } = work
  const name = `${program.instructions.length} instructions`
  return executable.report?.() ?? { kernels: [{ name, calls: 1, flops, bytesMoved }], work }
}

/**
 * A report as a table for a person, the kernels with the most operations first: calls, operations in millions, KiB moved,
 * name; then all of them, the most KiB that are alive at once, and what there is to say of threads.
 *
 * @category utils
 * @since 0.1.0
 */
export const showReport = ({ kernels, work, threads }: Report): string => {
  const row = (calls: number | string, flops: number, moved: number, name: string): string =>
    [
      String(calls).padStart(6),
      (flops / 1e6).toFixed(3).padStart(12),
      (moved / 1024).toFixed(1).padStart(12),
      ` ${name}`
    ].join('')
  const total = (of: (kernel: KernelReport) => number): number => kernels.reduce((sum, kernel) => sum + of(kernel), 0)
  return [
    ' calls       Mflops         KiB  kernel',
    ...[...kernels]
      .sort((a, b) => b.flops - a.flops || b.bytesMoved - a.bytesMoved)
      .map(({ calls, flops, bytesMoved, name }) => row(calls, flops, bytesMoved, name)),
    row(
      total(({ calls }) => calls),
      total(({ flops }) => flops),
      total(({ bytesMoved }) => bytesMoved),
      'in all'
    ),
    `${(work.peakBytes / 1024).toFixed(1)} KiB alive at once`,
    ...(threads === undefined ? [] : [threads])
  ].join('\n')
}

/**
 * The work of a program run node by node without fusion, at `bytes` bytes an element.
 *
 * @category utils
 * @since 0.1.0
 */
export const nodeWork = (program: BoundProgram, bytes: number): Work => {
  const { instructions } = program
  const last = new Map<number, number>()
  instructions.forEach(({ args }, i) => args.forEach((arg) => last.set(arg, i)))
  program.outputs.forEach(({ node }) => last.set(node, instructions.length))
  let alive = 0
  let peakBytes = 0
  let flops = 0
  let bytesMoved = 0
  instructions.forEach(({ op, args, shape }, i) => {
    const cells = size(shape)
    const source = args.map((arg) => size(instructions[arg]?.shape ?? []))
    flops += operationFlops(program, i)
    if (op._tag === 'Input' || op._tag === 'Constant') return
    bytesMoved += bytes * (cells + source.reduce((n, m) => n + m, 0))
    alive += bytes * cells
    peakBytes = Math.max(peakBytes, alive)
    for (const arg of new Set(args)) {
      const producer = instructions[arg]?.op._tag
      if (last.get(arg) === i && producer !== 'Input' && producer !== 'Constant') {
        alive -= bytes * size(instructions[arg]?.shape ?? [])
      }
    }
  })
  return { flops, bytesMoved, peakBytes }
}

/**
 * The floating-point operations of one instruction: two a product for contractions, one an element for elementwise
 * operations and reductions, none for views.
 *
 * @category utils
 * @since 0.1.0
 */
export const operationFlops = (program: BoundProgram, position: number): number => {
  const instruction = program.instructions[position]
  if (instruction === undefined) return 0
  const { op, args, shape } = instruction
  const source = (i: number): ReadonlyArray<number> => program.instructions[args[i] ?? -1]?.shape ?? []
  switch (op._tag) {
    case 'Map':
      return size(shape)
    case 'Reduce':
      return size(source(0))
    case 'Contract': {
      const [left, right, out] = op.labels
      const summed = [...new Set([...left, ...right])].filter((label) => !out.includes(label))
      const dim = (label: string): number => source(0)[left.indexOf(label)] ?? source(1)[right.indexOf(label)] ?? 1
      return 2 * size(shape) * summed.reduce((n, label) => n * dim(label), 1)
    }
    default:
      return 0
  }
}

/**
 * One line for a person: what went wrong and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showTargetError = (error: TargetError): string => {
  switch (error._tag) {
    case 'Misshapen':
      return error.errors.map(showError).join('\n')
    case 'Unsupported':
      return `${error.target}: ${error.reason}; ${error.remedy}`
    case 'Disposed':
      return `${error.target}: this executable was disposed of; compile the program again`
    case 'Failed':
      return `${error.target}: ${error.reason}`
  }
}
