import * as E from 'fp-ts/lib/Either.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'

export const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** What a program on two rows comes to, in f64. */
export const numbers = (
  build: () => Exprs,
  inputs: Readonly<Record<string, T.Tensor>> = {},
  shapes: Readonly<Record<string, ReadonlyArray<number | 'batch'>>> = {}
): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries(
    Object.entries(right(Reference.run(right(Program.make(shapes, build)), { batch: 2 }, inputs))).map(
      ([name, { data }]) => [name, Array.from(data)]
    )
  )
