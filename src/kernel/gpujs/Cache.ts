/**
 * Programs that are compiled already: compiling one again for the same sizes, while it is in use, shares what the first
 * compilation made.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Program } from '../../tensor/Program.js'
import type { Sizes } from '../../tensor/Shape.js'
import type { Executable, Target, TargetError } from '../../tensor/Target.js'

interface Shared {
  readonly executable: Executable
  users: number
}

/**
 * The compiler of a target with a cache, keyed by the program (the same object) and its sizes. What is shared is freed
 * when its last user disposes of it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const cached = (target: string, compile: Target['compile']): Target['compile'] => {
  const known = new WeakMap<Program, Map<string, Shared>>()
  return (program, sizes) => {
    const own = known.get(program) ?? new Map<string, Shared>()
    known.set(program, own)
    const key = keyOf(sizes)
    const before = own.get(key)
    if (before !== undefined) return E.right(user(target, before, () => own.delete(key)))
    const made = compile(program, sizes)
    if (E.isLeft(made)) return made
    const shared: Shared = { executable: made.right, users: 0 }
    own.set(key, shared)
    return E.right(user(target, shared, () => own.delete(key)))
  }
}

const keyOf = (sizes: Sizes): string =>
  JSON.stringify(Object.entries(sizes).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))

const user = (target: string, shared: Shared, forget: () => void): Executable => {
  let disposed = false
  shared.users++
  return {
    ...shared.executable,
    run: (values) => (disposed ? TE.left<TargetError>({ _tag: 'Disposed', target }) : shared.executable.run(values)),
    dispose: async () => {
      if (disposed) return
      disposed = true
      if (--shared.users > 0) return
      forget()
      await shared.executable.dispose()
    }
  }
}
