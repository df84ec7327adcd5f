import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { Forward } from 'halforder/lens'
import { Program, Reference, Shape, type Tensor } from 'halforder/tensor'
import { denoiser } from './net.js'

/** The largest difference between what the network gives for some inputs and what it should. */
export const difference = (
  weights: Program.Values,
  inputs: { readonly x: Tensor.Tensor; readonly time: Tensor.Tensor; readonly c: Tensor.Tensor },
  expected: Tensor.Tensor
): E.Either<string, number> =>
  pipe(
    Forward.program(denoiser.lens, { x: ['batch', 6], time: ['batch', 1], c: ['batch', 3] }),
    E.chain((program) =>
      Reference.run(
        program,
        { batch: expected.shape[0] ?? 1 },
        { ...Program.under('params', weights), ...Program.under('argument', inputs) }
      )
    ),
    E.bimap(
      (errors) => errors.map(Shape.showError).join('\n'),
      ({ value }) => Math.max(...Array.from(expected.data, (y, i) => Math.abs(y - (value?.data[i] ?? NaN))))
    )
  )
