import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { chain, estimator, finetune, kernel, model, random, reward } from 'halforder'

const net = model.mlp({ kind: 'mlp', features: 768, labels: 34, hidden: 64, blocks: 1, embedding: 32, share: 'cosine' })
const faces = chain.ddim({ denoiser: net, schedule: chain.cosine(50), eta: 1 })
const start = model.initial(net.lens.parameters, random.key(0))

export const gradient = pipe(
  estimator.rlr({ T: 50, h: 2, radius: 0.02 }),
  E.map(estimator.problem(faces, reward.brightness(768), 8)),
  E.bindTo('problem'),
  E.bindW('gradients', ({ problem }) => estimator.compile(problem, kernel.gpuJs())),
  TE.fromEither,
  TE.flatMap(({ problem, gradients }) => gradients.run(finetune.request(problem, model.anyFace, random.key(1), start)))
)
