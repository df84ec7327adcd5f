/**
 * The folder of a run: taken by one process, never overwritten by another run, and whole whenever the process ends.
 *
 * The first file in it is a checkpoint, which has the configuration too: a folder with one can be resumed, and one
 * without may be taken.
 *
 * @since 0.1.0
 */
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Checkpoint from 'halforder/training/Checkpoint'
import { broken, type Failure, file, type Step, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { type Held, lockName, take } from '../../edge/Lock.js'

/**
 * SHA-256, as checkpoints ask for it.
 *
 * @category constants
 * @since 0.1.0
 */
export const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

const checkpointName = 'checkpoint.safetensors'

/**
 * What the model of a run may be called in its folder, by its format; the first unless the model says otherwise.
 *
 * @category constants
 * @since 0.1.0
 */
export const modelFiles = [
  'model.safetensors',
  'model.onnx',
  'model.pt',
  'model.pth',
  'model.ckpt',
  'model.bin',
  'model.npz'
] as const

// -------------------------------------------------------------------------------------
// entering
// -------------------------------------------------------------------------------------

/**
 * Is there nothing in a folder but what a run left that ended before its first checkpoint? So it is where there is no
 * folder.
 *
 * @category effects
 * @since 0.1.0
 */
export const isFree = (folder: string): Step<boolean> =>
  pipe(
    file(Files.exists(folder)),
    TE.flatMap((there) => (there ? file(Files.list(folder)) : TE.right([]))),
    TE.map((names) => names.every((name) => name === lockName || Files.isUnfinished(name)))
  )

/**
 * Refuses a folder that has files.
 *
 * @category effects
 * @since 0.1.0
 */
export const refuseTaken = (folder: string): Step<void> =>
  pipe(
    folder === '' ? TE.left(usage('--out: expected a folder, got ""; name one')) : isFree(folder),
    // nothing is written yet, so what can not be looked into is the caller's to change
    TE.mapLeft(({ message }) => usage(message)),
    TE.filterOrElse(
      (free) => free,
      () =>
        usage(`--out: expected a new or empty folder, got ${folder}, which has files; choose another, or --resume it`)
    ),
    TE.map(() => undefined)
  )

/**
 * Takes a folder for a new run. Left: it has files, or another run is in it.
 *
 * @category effects
 * @since 0.1.0
 */
export const enter = (folder: string): Step<Held> =>
  pipe(
    refuseTaken(folder),
    TE.flatMap(() => file(Files.makeFolder(folder))),
    TE.flatMap(() => take(folder)),
    TE.chainFirst((held) =>
      pipe(
        refuseTaken(folder),
        TE.orElseFirstTaskK(() => held.release)
      )
    )
  )

/**
 * Makes and takes a folder of a name that no other has: the name, or the name with the first number from 2 on that is
 * free.
 *
 * @category effects
 * @since 0.1.0
 */
export const enterNew = (name: string, count = 1): Step<Held> => {
  const folder = count === 1 ? name : `${name}-${count}`
  return pipe(
    file(Files.makeNewFolder(folder)),
    TE.flatMap((made) => (made ? take(folder) : enterNew(name, count + 1)))
  )
}

// -------------------------------------------------------------------------------------
// checkpoints
// -------------------------------------------------------------------------------------

/**
 * Writes a file of a run, unless its folder is another's by now.
 *
 * @category effects
 * @since 0.1.0
 */
export const write =
  ({ folder, mine }: Held) =>
  (name: string, content: Uint8Array | string): Step<void> =>
    pipe(
      mine,
      TE.flatMap(() =>
        name.includes('/') ? file(Files.makeFolder(join(folder, dirname(name)))) : TE.right(undefined)
      ),
      TE.flatMap(() => file(Files.write(join(folder, name), content)))
    )

/**
 * Writes the checkpoint of a run.
 *
 * @category effects
 * @since 0.1.0
 */
export const save =
  (held: Held, identity: Checkpoint.Identity) =>
  (checkpoint: Checkpoint.Checkpoint): Step<void> =>
    pipe(
      Checkpoint.encode(sha256)(identity, checkpoint),
      E.mapLeft((error) => broken(Checkpoint.showError(error))),
      TE.fromEither,
      TE.flatMap((bytes) => write(held)(checkpointName, bytes))
    )

/**
 * Is there a checkpoint in a folder?
 *
 * @category effects
 * @since 0.1.0
 */
export const hasCheckpoint = (folder: string): Step<boolean> => file(Files.exists(join(folder, checkpointName)))

/**
 * The checkpoint in a folder. Left: a file that is none, or not as it was written.
 *
 * @category effects
 * @since 0.1.0
 */
export const stored = (folder: string): Step<Checkpoint.Stored> =>
  pipe(
    file(Files.read(join(folder, checkpointName))),
    TE.flatMapEither((bytes) => pipe(Checkpoint.decode(sha256)(bytes), E.mapLeft(unusable(folder))))
  )

/**
 * A checkpoint that can not be gone on from, as the caller's mistake.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unusable =
  (folder: string) =>
  (error: Checkpoint.CheckpointError): Failure =>
    usage(`${join(folder, checkpointName)}: ${Checkpoint.showError(error)}`)

/**
 * Adds to a failure of a run what is left of it: the checkpoint that it goes on from, if there is one, and how.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withRemains =
  (folder: string, how: string) =>
  <A>(run: Step<A>): Step<A> =>
    pipe(
      run,
      TE.orElse((failure: Failure) =>
        failure.kind === 'usage'
          ? TE.left(failure)
          : pipe(
              stored(folder),
              TE.match(
                () => `${folder} has no checkpoint to go on from`,
                ({ checkpoint }) => `${folder} has the checkpoint of step ${checkpoint.step}; ${how}`
              ),
              TE.fromTask,
              TE.flatMap((remains) => TE.left(broken(`${failure.message}\n  ${remains}`)))
            )
      )
    )
