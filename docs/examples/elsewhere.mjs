// A task on a model that someone else trained: points in the plane, from the file that PyTorch wrote, and back into it.
import { readFile } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { format, lens, network, reward, task } from 'halforder'
import * as Expr from 'halforder/tensor/Expr'
import { matrix } from 'halforder/tensor/Tensor'

const steps = 50
// shares of data: betas from 1e-5 to 1e-2
let product = 1
const alphaBar = Array.from({ length: steps }, (_, t) => (product *= 1 - (1e-5 + ((1e-2 - 1e-5) * t) / (steps - 1))))
const unit = network.Meaning.unitOf({ alphaBar })

/** Two coordinates, and the step as a number beside them. */
const entering = lens.Lens.pure(({ x, time, c }) => [
  Expr.concat([x, Expr.scale(time, unit)], 1),
  (bar) => ({ x: Expr.slice(bar, 1, 0, 2), time: Expr.zeros(time.shape), c: Expr.zeros(c.shape) })
])

const layer = (name, from, to) => lens.compose(lens.at(name, lens.dense(from, to)), lens.gelu())
// one layer twice: what has one name is one weight
const middle = lens.compose(layer('hidden', 64, 64), layer('hidden', 64, 64))
const network64 = lens.compose(
  lens.compose(entering, layer('in', 3, 64)),
  lens.compose(middle, lens.at('out', lens.dense(64, 2)))
)

const { linear, ignore, fromForeign, toForeign } = format.Foreign
/** Where the weights are in the file, which has the layer in the middle under two names. */
const mapping = [...linear('net.0', 'in'), ...linear('net.2', 'hidden'), ...linear('net.6', 'out'), ...ignore('net.4.*')]

const wrong = (show) => (error) => ({ _tag: 'Undescribed', path: 'weights', expected: 'those of the network', got: show(error) })

/** A model of a file's bytes, which writes the same file with other numbers. */
const read = (bytes) =>
  pipe(
    format.Torch.decode(bytes),
    E.flatMap(format.Torch.weights(undefined)),
    E.mapLeft(format.Torch.showError),
    E.flatMap((tensors) =>
      pipe(fromForeign(mapping)(network64.parameters, tensors), E.mapLeft(format.Foreign.showError))
    ),
    E.map((parameters) => ({
      denoiser: { features: 2, labels: 1, networkCalls: 1, lens: network64 },
      share: 'linear',
      levels: (T) =>
        network.Meaning.schedule({ alphaBar }, Array.from({ length: T }, (_, i) => Math.round(((i + 1) * steps) / T) - 1)),
      decoder: O.none,
      parameters,
      metadata: {},
      // how a run calls the file that it writes
      file: 'model.pt',
      encode: (values) =>
        pipe(
          toForeign(mapping)(network64.parameters, values),
          E.mapLeft(wrong(format.Foreign.showError)),
          E.flatMap((tensors) => pipe(format.Torch.rewrite(undefined)(bytes, tensors), E.mapLeft(wrong(format.Torch.showError))))
        )
    }))
  )

/** How far left a point is. */
const left = lens.Lens.pure((points) => {
  const along = Expr.constant(matrix([[-1], [0]]), [2, 1])
  return [
    Expr.reshape(Expr.matmul(points, along), ['batch']),
    (bar) => Expr.matmul(Expr.reshape(bar, ['batch', 1]), Expr.transpose(along))
  ]
})

export default task.task({
  name: 'elsewhere',
  about: 'points in the plane, by a network of someone else',
  defaults: { model: 'own', reward: 'left', trained: [], chain: { kind: 'ddpm', T: steps, variance: 'small' } },
  models: { own: task.stored('params.pt beside this file', () => readFile(new URL('params.pt', import.meta.url))) },
  read,
  rewards: reward.shelf({ left: reward.differentiable('how far left', left) }),
  show: { _tag: 'Points', reach: 2.4 }
})
