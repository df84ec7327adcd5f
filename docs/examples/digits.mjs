// A task on a transformer of digits that someone else trained, from the file that PyTorch wrote: its graph, what its numbers mean, the
// steps of its solver, and a reward.
import { readFile } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { chain, document, format, lens, network, reward, task, training } from 'halforder'
import * as Expr from 'halforder/tensor/Expr'

// -------------------------------------------------------------------------------------
// the graph, in the names of the file
// -------------------------------------------------------------------------------------

const [width, heads, layers, side, patch] = [64, 4, 4, 28, 7]
const patches = (side / patch) ** 2

const linear = (b, x, weight, bias, from, to) => {
  const turned = b.add('Transpose', [b.parameter(weight, [to, from])], { perm: [1, 0] })
  return b.add('Add', [b.add('MatMul', [x, turned]), b.parameter(bias, [to])])
}

const norm = (b, name, x) =>
  b.add('LayerNormalization', [x, b.parameter(`${name}.weight`, [width]), b.parameter(`${name}.bias`, [width])], {
    epsilon: 1e-5
  })

const reshape = (b, x, shape) => b.add('Reshape', [x, b.ints(shape)])

/** One map makes queries, keys and values. */
const attention = (b, name, x) => {
  const made = linear(b, x, `${name}.in_proj_weight`, `${name}.in_proj_bias`, width, 3 * width)
  const [query, key, value] = b
    .parts(made, -1, 3)
    .map((tokens) =>
      b.add('Transpose', [reshape(b, tokens, [0, -1, heads, width / heads])], { perm: [0, 2, 1, 3] })
    )
  const scores = b.add('MatMul', [query, b.add('Transpose', [key], { perm: [0, 1, 3, 2] })])
  const weights = b.add('Softmax', [b.add('Div', [scores, b.floats([], [Math.sqrt(width / heads)])])], { axis: -1 })
  const joined = b.add('Transpose', [b.add('MatMul', [weights, value])], { perm: [0, 2, 1, 3] })
  return linear(b, reshape(b, joined, [0, -1, width]), `${name}.out_proj.weight`, `${name}.out_proj.bias`, width, width)
}

/** Patches, two tokens of the time and two of the label through layers whose norms come last; the patches are the output. */
const graph = network.Builder.plan(
  [
    { name: 'x', dtype: 'F32', shape: ['batch', 1, side, side] },
    { name: 't', dtype: 'F32', shape: ['batch'] },
    { name: 'y', dtype: 'I64', shape: ['batch'] }
  ],
  (b) => {
    const places = { strides: [patch, patch], pads: [0, 0, 0, 0] }
    const square = [width, 1, patch, patch]
    const image = ['x', b.parameter('patch_embed.weight', square), b.parameter('patch_embed.bias', [width])]
    const rows = b.add('Transpose', [reshape(b, b.add('Conv', image, places), [0, width, patches])], { perm: [0, 2, 1] })
    const seen = b.add('Add', [rows, b.parameter('pos_embed', [1, patches, width])])
    const waves = Array.from({ length: width }, (_, i) => Math.exp((-i * Math.log(10_000)) / (width - 1)))
    const phases = b.add('Mul', [reshape(b, 't', [-1, 1]), b.floats([1, width], waves)])
    const time = b.add('Concat', [b.add('Sin', [phases]), b.add('Cos', [phases])], { axis: 1 })
    const label = b.add('Gather', [b.parameter('y_encoder.weight', [11, 2 * width]), 'y'])
    const told = [time, label].map((one) => reshape(b, one, [-1, 2, width]))
    let h = b.add('Concat', [seen, ...told], { axis: 1 })
    for (let i = 0; i < layers; i++) {
      const at = `transformer.${i}`
      h = norm(b, `${at}.norm1`, b.add('Add', [h, attention(b, `${at}.self_attn`, h)]))
      const inner = b.add('Gelu', [linear(b, h, `${at}.linear1.weight`, `${at}.linear1.bias`, width, 4 * width)])
      const fed = linear(b, inner, `${at}.linear2.weight`, `${at}.linear2.bias`, 4 * width, width)
      h = norm(b, `${at}.norm2`, b.add('Add', [h, fed]))
    }
    const first = b.add('Slice', [h, b.ints([0]), b.ints([patches]), b.ints([1])])
    const grid = reshape(b, b.add('Transpose', [first], { perm: [0, 2, 1] }), [0, width, side / patch, side / patch])
    const back = [grid, b.parameter('unpatch.weight', square), b.parameter('unpatch.bias', [1])]
    return [b.add('ConvTranspose', back, places, 'out')]
  }
)

// -------------------------------------------------------------------------------------
// what its numbers mean, and its solver
// -------------------------------------------------------------------------------------

/** It is told 0 at the noise and 1 at the digits, and predicts the digit. */
const meaning = {
  flow: { data: 1, noise: 0 },
  prediction: 'clean',
  layout: 'channels first',
  labels: 10,
  nullLabel: 10,
  range: [0, 1]
}

/**
 * Its solver: Euler's steps of `dx = (v + s^2 / 2 score) dt + s dW` with `v = (F - x) / (1 - t)`, `s = d (1 - t)` and
 * `score = d (t v - x)`, where `d` is `eta` (0: the ODE); guidance between the times 0.3 and 0.7.
 */
const solver = (on, { T, eta: d, guidance }) =>
  E.right(
    chain.affine(
      `digits(eta = ${d})`,
      on,
      Array.from({ length: T }, (_, i) => {
        // step 1 is next to the output; this record's times count from the output to the noise
        const t = (T - i - 1) / T
        const s = d * (1 - t)
        const gain = (1 + (s * s * d * t) / 2) / (T * (1 - t))
        return {
          time: 1 - t,
          input: 1,
          state: 1 - (s * s * d) / (2 * T) - gain,
          output: gain,
          sigma: s / Math.sqrt(T),
          clean: { state: 0, output: 1 },
          guidance: t > 0.3 && t < 0.7 ? guidance : 1
        }
      })
    )
  )

/** A model of a file's bytes, which writes the same file with other numbers. */
const read = (bytes) =>
  pipe(
    format.Torch.decode(bytes),
    E.flatMap(format.Torch.weights(undefined)),
    E.mapLeft(format.Torch.showError),
    E.flatMap((weights) => {
      const missing = [...graph.parameters.keys()].find((name) => weights[name] === undefined)
      return missing === undefined ? E.right(weights) : E.left(`expected a tensor ${missing}, got none`)
    }),
    E.flatMap((weights) =>
      pipe(
        network.Import.fromGraph(network.Builder.graphOf(graph, weights)),
        E.mapLeft((error) => network.ImportError.showImportError(error, network.Import.known))
      )
    ),
    E.flatMap((model) =>
      pipe(
        network.meant(model, {
          meaning,
          source: {
            name: 'model.pth',
            encode: (values) =>
              pipe(
                format.Torch.rewrite(undefined)(bytes, values),
                E.bimap(format.Torch.showError, (file) => ({ file, beside: {} }))
              )
          }
        }),
        E.mapLeft(document.Document.showError)
      )
    ),
    E.map((model) => ({ ...model, own: { ...model.own, build: solver } }))
  )

// -------------------------------------------------------------------------------------
// a reward
// -------------------------------------------------------------------------------------

/** How much of the picture is ink: the mean of a smooth step at one half. Thicker strokes have more. */
const ink = lens.Lens.pure((pixels) => {
  const features = side * side
  const dark = Expr.sigmoid(Expr.scale(Expr.sub(pixels, Expr.fill(pixels.shape, 0.5)), 8))
  const mean = Expr.scale(Expr.reshape(Expr.sum(dark, [1]), ['batch']), 1 / features)
  const slope = Expr.scale(Expr.mul(dark, Expr.sub(Expr.fill(dark.shape, 1), dark)), 8 / features)
  return [mean, (bar) => Expr.mul(Expr.broadcastTo(Expr.reshape(bar, ['batch', 1]), slope.shape), slope)]
})

export default task.task({
  name: 'digits',
  about: 'handwritten digits, by a transformer of someone else',
  defaults: {
    model: 'own',
    reward: 'ink',
    chain: { kind: 'own', T: 10, eta: 1 },
    // each sample is asked for a digit
    prompts: 1,
    // segments that leave no step to perturbations, which are noisy for all weights at once
    estimator: { name: 'rlr', h: 9, radius: 0.01 },
    optimizer: { learningRate: 2e-4 },
    // the steps' noise is small near the digit, so that nats are many
    kl: { beta: 1.5e-4 },
    steps: 20,
    evaluationSamples: 128
  },
  models: { own: task.stored('DiffusionViT.pth beside this file', () => readFile(new URL('DiffusionViT.pth', import.meta.url))) },
  read,
  language: training.Conditions.oneOf(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
  rewards: reward.shelf({ ink: reward.differentiable('ink', ink) }),
  show: { _tag: 'Stills', image: { height: side, width: side, channels: 1, range: [0, 1] } }
})
