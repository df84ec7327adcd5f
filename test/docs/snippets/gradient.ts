import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { compile, Cover, Gradient, problem, rlr } from 'halforder/estimator'
import { gpuJs } from 'halforder/kernel'
import { key } from 'halforder/random'
import { brightness } from 'halforder/reward'
import { Tensor, type Program } from 'halforder/tensor'
import { request } from 'halforder/training'
import { chain } from './net.js'

/** Every sample is asked for the first of the three labels. */
const firstLabel = (_: unknown, n: number): Program.Values => ({
  c: Tensor.tabulate([n, 3], (i) => (i % 3 === 0 ? 1 : 0))
})

export const gradient = (weights: Program.Values): TE.TaskEither<string, Gradient.Estimate> =>
  pipe(
    rlr({ T: 20, h: 2, radius: 0.02 }),
    E.bimap(Cover.showError, problem(chain, brightness(6), 8)),
    E.bindTo('posed'),
    E.bind('gradients', ({ posed }) => pipe(compile(posed, gpuJs()), E.mapLeft(Gradient.showError))),
    TE.fromEither,
    TE.flatMap(({ posed, gradients }) =>
      pipe(gradients.run(request(posed, firstLabel, key(1), weights)), TE.mapLeft(Gradient.showError))
    )
  )
