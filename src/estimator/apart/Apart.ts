/**
 * An interpreter of requests whose rows are elsewhere: blocks of them are rolled out by whoever there is, tell numbers, hear those of the
 * others, and give what their credit programs gave, which is added up in the order of the blocks.
 *
 * The blocks are those over which threads define sums (`RowBlocks.forSums`), so the bits are those of one machine with threads: it is the
 * same seam, with requests in the place of programs. What crosses it of a zeroth-order cell is numbers.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import type { Program, Values } from '../../tensor/Program.js'
import { collector, type Division, forSums, type RowBlock } from '../../tensor/rows/RowBlocks.js'
import { type Split, split } from '../../tensor/rows/RowKinds.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Executable, Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Exprs } from '../../tensor/Tree.js'
import { concluded, stages } from '../Estimate.js'
import { compile, programs } from '../Gradient.js'
import { creditName } from '../Plan.js'
import type { Estimate, EstimatorError, Gradients, Interpreter, Problem, Request } from '../Problem.js'
import { exchange, type Heard } from '../stage/Exchange.js'
import { zerothInputs } from '../stage/Credit.js'
import { type Hand, hand, isOfSamples, type Outs, type Places, type Told, type Waiting } from './Hand.js'
import { heardBy, joined } from './Rows.js'

export type { RowBlock } from '../../tensor/rows/RowBlocks.js'
export type { Heard, Numbers } from '../stage/Exchange.js'
export { heardBy, joined, rowsOf } from './Rows.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Those who run the blocks of a request, all of them, and answer in their order. `credit` is asked after `walk` of the same request, with
 * what the whole batch heard; who answers need not be who rolled the block out.
 *
 * @category model
 * @since 0.1.0
 */
export interface Crew {
  readonly walk: (
    request: Request,
    blocks: ReadonlyArray<RowBlock>
  ) => TE.TaskEither<EstimatorError, ReadonlyArray<Told>>
  readonly credit: (
    request: Request,
    blocks: ReadonlyArray<RowBlock>,
    heard: Heard
  ) => TE.TaskEither<EstimatorError, ReadonlyArray<Outs>>
}

// -------------------------------------------------------------------------------------
// blocks
// -------------------------------------------------------------------------------------

/**
 * The blocks into which a problem's batch falls: those of sums, or one where some program mixes rows. Left: a program that does not close.
 *
 * @category constructors
 * @since 0.1.0
 */
export const division = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
): E.Either<EstimatorError, Division> =>
  pipe(
    programs(problem),
    E.map((all) => divisionOf(problem.batch, all))
  )

const divisionOf = (batch: number, all: Readonly<Record<string, Program>>): Division =>
  Object.values(all).every((program) => !hasRows(program) || split(program, 'batch') !== undefined)
    ? forSums(batch)
    : one(batch)

const hasRows = ({ inputs }: Program): boolean => inputs.some(({ shape }) => shape.includes('batch'))

const one = (rows: number): Division => ({ count: 1, at: () => ({ from: 0, to: rows }), lengths: [[rows, 1]] })

/**
 * The blocks of a division, in their order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const blocksIn = ({ count, at }: Division): ReadonlyArray<RowBlock> =>
  Array.from({ length: count }, (_, i) => at(i))

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * An interpreter whose rows a crew runs. `target` is where what no row is asked for is run, the credit of zeroth-order cells; it has to
 * divide rows as threads do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const apart =
  (target: Target, crew: Crew): Interpreter =>
  (problem) =>
    pipe(
      E.Do,
      E.bind('gradients', () => compile(problem, target)),
      E.bind('closed', () => programs(problem)),
      E.map(({ gradients, closed }): Gradients => {
        const blocks = blocksIn(divisionOf(problem.batch, closed))
        const splits = new Map(Object.entries(closed).map(([name, program]) => [name, split(program, 'batch')]))
        return {
          ...gradients,
          run: (request) => run(problem, { ...gradients, splits }, blocks, crew, request)
        }
      })
    )

/** Programs that are compiled, and how each can be run block by block. */
interface Compiled extends Pick<Gradients, 'executables'> {
  readonly splits: ReadonlyMap<string, Split | undefined>
}

const run = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  { executables, splits }: Compiled,
  blocks: ReadonlyArray<RowBlock>,
  crew: Crew,
  request: Request
): TE.TaskEither<EstimatorError, Estimate> => {
  const { cells } = request.cover
  const elsewhere = request.credit !== false && cells.some(isOfSamples)
  return pipe(
    crew.walk(request, blocks),
    TE.bindTo('told'),
    TE.let('numbers', ({ told }) =>
      joined(blocks.flatMap((block, i) => told.slice(i, i + 1).map(({ numbers }) => ({ block, numbers }))))
    ),
    TE.bind('heard', ({ numbers }) => TE.fromEither(exchange(problem, request, numbers))),
    TE.bind('parts', ({ heard }) => (elsewhere ? crew.credit(request, blocks, heard) : TE.right([]))),
    TE.bind('outs', ({ heard, parts }) =>
      pipe(
        cells,
        RA.traverseWithIndex(TE.ApplicativeSeq)((at, cell) => {
          const executable = executables[creditName(cell)]
          if (request.credit === false) return TE.right<EstimatorError, ReadonlyArray<Values>>([])
          if (executable === undefined) return TE.left({ _tag: 'NotCompiled' as const, program: creditName(cell) })
          return cell._tag === 'ZerothOrder'
            ? stages(problem, executables, request).runs(cell, zerothInputs(cell, at, request, heard))
            : TE.right(summed(executable, splits.get(creditName(cell)), blocks, parts, at))
        })
      )
    ),
    TE.map(({ told, numbers, heard, outs }) =>
      concluded(problem, request, { numbers, heard, outs, ...samples(request, told) })
    )
  )
}

/** The outputs of a cell's credit program for the whole batch, run by run. */
const summed = (
  executable: Executable,
  rows: Split | undefined,
  blocks: ReadonlyArray<RowBlock>,
  parts: ReadonlyArray<Outs>,
  at: number
): ReadonlyArray<Values> =>
  (parts[0]?.[at] ?? []).map((first, k) => {
    if (blocks.length === 1 || rows === undefined) return first
    const into = collector(executable.program, rows, true)
    blocks.forEach((block, i) => into.add(i, block, (name) => parts[i]?.[at]?.[k]?.[name]?.data ?? nothing))
    return into.values()
  })

const nothing = new Float32Array(0)

/** The samples of all blocks; of no row where they were not asked for. */
const samples = ({ samples: wanted, xT }: Request, told: ReadonlyArray<Told>): Pick<Estimate, 'x0' | 'trajectory'> =>
  wanted === false
    ? { x0: { shape: [0, ...xT.shape.slice(1)], data: nothing }, trajectory: undefined }
    : samplesIn(told)

/**
 * The samples of blocks, one after another.
 *
 * @category combinators
 * @since 0.1.0
 */
export const samplesIn = (
  told: ReadonlyArray<Pick<Estimate, 'x0' | 'trajectory'>>
): Pick<Estimate, 'x0' | 'trajectory'> => {
  const paths = told.flatMap(({ trajectory }) => (trajectory === undefined ? [] : [trajectory]))
  return {
    x0: T.joinRows(told.map(({ x0 }) => x0)),
    trajectory: paths.length === told.length ? besides(paths) : undefined
  }
}

/** States `[T + 1, rows, ...]` of several blocks, step by step. */
const besides = (paths: ReadonlyArray<Tensor>): Tensor =>
  T.stack(Array.from({ length: paths[0]?.shape[0] ?? 0 }, (_, t) => T.joinRows(paths.map((path) => T.at(t)(path)))))

// -------------------------------------------------------------------------------------
// crews
// -------------------------------------------------------------------------------------

/**
 * A crew of one, here: blocks one after another. What a crew elsewhere does, without the way there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const alone = (own: Hand): Crew => {
  const waiting = new WeakMap<Request, Map<number, Waiting>>()
  const walked = (request: Request, block: RowBlock): TE.TaskEither<EstimatorError, Waiting> => {
    const known = waiting.get(request) ?? new Map<number, Waiting>()
    waiting.set(request, known)
    const before = known.get(block.from)
    return before === undefined
      ? pipe(
          own.walk(request, block),
          TE.map((next) => {
            known.set(block.from, next)
            return next
          })
        )
      : TE.right(before)
  }
  return {
    walk: (request, blocks) =>
      pipe(
        blocks,
        RA.traverse(TE.ApplicativeSeq)((block) => walked(request, block))
      ),
    credit: (request, blocks, heard) =>
      pipe(
        blocks,
        RA.traverse(TE.ApplicativeSeq)((block) =>
          pipe(
            walked(request, block),
            TE.flatMap(({ credit }) => credit(heardBy(block)(heard)))
          )
        )
      )
  }
}

/**
 * The interpreter of a crew of one.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const inBlocks =
  (target: Target, places: Places): Interpreter =>
  (problem) =>
    pipe(
      division(problem),
      E.flatMap((divided) => {
        const own = hand(problem, divided, places)
        return pipe(
          apart(target, alone(own))(problem),
          E.map((gradients) => ({
            ...gradients,
            dispose: async () => {
              await gradients.dispose()
              await own.dispose()
            }
          }))
        )
      })
    )
