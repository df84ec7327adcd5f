import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { chain, estimator, kernel, lens, network, random, reward, training } from 'halforder'

const net = network.mlp({ features: 768, labels: 10, hidden: 64, blocks: 1, embedding: 32, share: 'cosine' })
const images = chain.ddim({ denoiser: net, schedule: chain.cosine(50), eta: 1 })
const start = lens.initial(net.lens.parameters, random.key(0))

export const gradient = pipe(
  estimator.rlr({ T: 50, h: 2, radius: 0.02 }),
  E.map(estimator.problem(images, reward.brightness(768), 8)),
  E.bindTo('problem'),
  E.bindW('gradients', ({ problem }) => estimator.compile(problem, kernel.gpuJs())),
  TE.fromEither,
  TE.flatMap(({ problem, gradients }) =>
    gradients.run(training.request(problem, training.untold(10), random.key(1), start))
  )
)
