/**
 * From a program to an executable, and what can go wrong with either, by the program's name.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Program, Values } from './Program.js'
import { showError as showShape, type ShapeError, type Sizes } from './Shape.js'
import { type Executable, showTargetError, type Target, type TargetError } from './Target.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why a program could not be built or run: its expressions do not fit (`Ill`), or its target refused it or failed (`OnTarget`).
 *
 * @category model
 * @since 0.1.0
 */
export type ProgramError =
  | { readonly _tag: 'Ill'; readonly program: string; readonly errors: ReadonlyArray<ShapeError> }
  | { readonly _tag: 'OnTarget'; readonly program: string; readonly error: TargetError }

/**
 * A program as its constructor gives it: closed, or every operation that does not fit.
 *
 * @category model
 * @since 0.1.0
 */
export type Closed = E.Either<ReadonlyArray<ShapeError>, Program>

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Compiles a program on a target for some sizes. Left: operations that do not fit, or what the target says.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const build =
  (target: Target, sizes: Sizes) =>
  (name: string, program: Closed): E.Either<ProgramError, Executable> =>
    pipe(
      program,
      E.mapLeft((errors): ProgramError => ({ _tag: 'Ill', program: name, errors })),
      E.flatMap((closed) => pipe(target.compile(closed, sizes), E.mapLeft(onTarget(name))))
    )

/**
 * Compiles several programs by name. Left: the first that can not be.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const buildAll = (
  target: Target,
  sizes: Sizes,
  programs: Readonly<Record<string, Program>>
): E.Either<ProgramError, Readonly<Record<string, Executable>>> =>
  pipe(
    Object.entries(programs),
    RA.traverse(E.Applicative)(([name, program]) =>
      pipe(
        build(target, sizes)(name, E.right(program)),
        E.map((executable) => [name, executable] as const)
      )
    ),
    E.map((entries) => Object.fromEntries(entries))
  )

/**
 * Only the values that an executable's program declares, of those that are offered.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const declaredOf = ({ program }: Executable, values: Values): Values =>
  Object.fromEntries(
    program.inputs.flatMap(({ name }) => {
      const value = values[name]
      return value === undefined ? [] : [[name, value] as const]
    })
  )

/**
 * Runs an executable, with failures that name it.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const run =
  (name: string, executable: Executable) =>
  (values: Values): TE.TaskEither<ProgramError, Values> =>
    pipe(executable.run(values), TE.mapLeft(onTarget(name)))

/**
 * A failure of a target, by the program's name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onTarget =
  (program: string) =>
  (error: TargetError): ProgramError => ({ _tag: 'OnTarget', program, error })

/**
 * Compiles a program, uses it, and frees what it holds, whatever happened.
 * Left: it did not compile, or what its use gave.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const using =
  (target: Target, sizes: Sizes) =>
  (name: string, program: Closed) =>
  <L, A>(
    use: (run: (values: Values) => TE.TaskEither<ProgramError, Values>) => TE.TaskEither<L, A>
  ): TE.TaskEither<L | ProgramError, A> =>
    bracket<L | ProgramError, Executable, A>(
      TE.fromEither(build(target, sizes)(name, program)),
      (executable) => use(run(name, executable)),
      (executable) => executable.dispose
    )

/**
 * Takes something, uses it, and gives it back, whatever happened: a left, and also a `use` that throws or whose promise is
 * rejected, which `TaskEither.bracket` does not see. What was thrown goes on.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const bracket = <E, A, B>(
  acquire: TE.TaskEither<E, A>,
  use: (held: A) => TE.TaskEither<E, B>,
  release: (held: A) => Task<void>
): TE.TaskEither<E, B> =>
  pipe(
    acquire,
    TE.flatMap(
      (held): TE.TaskEither<E, B> =>
        async () => {
          try {
            return await use(held)()
          } finally {
            await release(held)()
          }
        }
    )
  )

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Is it the caller's to mend, by another target or another mode, rather than a failure of the run?
 *
 * @category utils
 * @since 0.1.0
 */
export const isUnsupported = (error: ProgramError): boolean =>
  error._tag === 'OnTarget' && error.error._tag === 'Unsupported'

/**
 * Lines for a person: which program, what is wrong with it, what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: ProgramError): string =>
  error._tag === 'Ill'
    ? `${error.program}: ${error.errors.map(showShape).join('\n')}`
    : `${error.program}: ${showTargetError(error.error)}`
