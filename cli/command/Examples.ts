/**
 * `halforder examples`: draws labelled examples, as a task's models are trained on.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Safetensors from 'halforder/format/Safetensors'
import * as Key from 'halforder/random/Key'
import type { Examples, Show, Task } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { rows } from 'halforder/tensor/Tensor'
import { broken, fail, file, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { take } from '../edge/Lock.js'
import { seed, whole } from '../edge/Options.js'
import { picture } from '../edge/Pictures.js'
import { find } from '../tasks/Find.js'
import { write as writeIn } from './run/RunFolder.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface ExamplesOptions {
  readonly task: string
  readonly count: string
  readonly seed: string
  readonly out: string
}

/** A sheet of more is hard to look at. */
const most = (show: Show): number => (show._tag === 'Points' ? 4096 : 256)

const drawn = (task: Task, key: Key.Key, n: number): Step<Examples> =>
  task.examples === undefined
    ? TE.left(usage(`--task: ${task.name} has no examples to draw; choose another`))
    : pipe(task.examples(key, n), TE.mapLeft(broken))

/** Files that belong together: another process that writes them there at the same time is refused. */
const together = (folder: string, files: Readonly<Record<string, Uint8Array | string>>): Step<void> =>
  pipe(
    file(Files.makeFolder(folder)),
    TE.flatMap(() =>
      Build.bracket(
        take(folder),
        (held) =>
          pipe(
            Object.entries(files),
            TE.traverseSeqArray(([name, content]) => writeIn(held)(name, content))
          ),
        (held) => held.release
      )
    ),
    TE.map(() => undefined)
  )

const write = ({ task: name, out, count, seed: from }: ExamplesOptions): Step<string> =>
  pipe(
    TE.Do,
    TE.bind('task', () => find(name)),
    TE.bind('n', () => TE.fromEither(whole('count', count, 64, 1))),
    TE.bind('key', () => pipe(TE.fromEither(seed(from, 1)), TE.map(Key.make))),
    TE.bind('set', ({ task, n, key }) => drawn(task, key, n)),
    TE.bind('sheet', ({ set }) => pipe(rows(0, most(set.show))(set.x0), picture(set.show), TE.mapLeft(broken))),
    TE.bind('tensors', ({ set, task }) =>
      TE.fromEither(
        pipe(
          Safetensors.encode('own')({
            tensors: { x0: set.x0, labels: set.labels },
            metadata: { task: task.name, seed: from, count }
          }),
          E.mapLeft((error) => broken(Safetensors.showError(error)))
        )
      )
    ),
    TE.chainFirst(({ sheet, tensors, set }) =>
      together(out, {
        'examples.png': sheet,
        'examples.safetensors': tensors,
        'examples.jsonl': set.words.map((words) => `${JSON.stringify(words)}\n`).join('')
      })
    ),
    TE.map(
      ({ n }) => `${n} examples in ${out}: examples.png, examples.safetensors (x0, labels), examples.jsonl (in words)\n`
    )
  )

/**
 * Runs the command and gives its exit code: 0, 1 (a file could not be written) or 2 (wrong usage).
 *
 * @category effects
 * @since 0.1.0
 */
export const drawExamples = async (options: ExamplesOptions): Promise<number> => {
  const result = await write(options)()
  if (E.isLeft(result)) return fail('examples')(result.left)
  process.stdout.write(result.right)
  return 0
}
