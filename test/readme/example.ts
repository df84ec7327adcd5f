import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { chain, estimator, finetune, kernel, model, random, reward } from 'halforder'

const denoiser = model.mlp({
  kind: 'mlp',
  features: 768,
  labels: 34,
  hidden: 64,
  blocks: 1,
  embedding: 32,
  share: 'cosine'
})
const faces = chain.ddim({ denoiser, schedule: chain.cosine(50), eta: 1 })
const rlr = estimator.rlr({ T: 50, h: 2, form: 'central', perturbation: 'shared', radius: 0.02 })

export const gradient = pipe(
  TE.fromEither(rlr),
  TE.let('problem', (use) => ({
    chain: faces,
    reward: reward.brightness(768),
    estimator: use,
    advantage: estimator.leaveOneOut,
    trained: () => true,
    batch: 8
  })),
  TE.bindW('gradients', ({ problem }) => TE.fromEither(estimator.compile(problem, kernel.gpuJs({ mode: 'webasm' })))),
  TE.flatMap(({ problem, gradients }) =>
    gradients.run(
      finetune.request(problem, model.anyFace, random.key(1), model.initial(denoiser.lens.parameters, random.key(0)))
    )
  )
)

export const why = pipe(rlr, TE.fromEither, TE.map(estimator.explain))
