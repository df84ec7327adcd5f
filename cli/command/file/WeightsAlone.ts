/**
 * Weights without a network: what is missing, and a task to fill in.
 *
 * @since 0.1.0
 */
import { basename } from 'node:path'
import type { Values } from 'halforder/tensor/Program'
import { size } from 'halforder/tensor/Tensor'

// so many that a small network is whole
const most = 24

/** The parameters as lines of the task's graph. */
const parameters = (weights: Values): ReadonlyArray<string> => {
  const all = Object.entries(weights)
  const lines = all.slice(0, most).map(([name, { shape }]) => `  ${JSON.stringify(name)}: [${shape.join(', ')}],`)
  const last = lines.pop()
  const rest = all.length - most
  return [
    ...lines,
    ...(last === undefined ? [] : [rest > 0 ? last : last.slice(0, -1)]),
    ...(rest > 0 ? [`  // and ${rest} more: \`halforder inspect\` has them`] : [])
  ]
}

/**
 * A task on weights, as a module to be filled in: where the graph is, what its numbers mean, and a reward. `torch`: torch.save wrote them.
 *
 * @category utils
 * @since 0.1.0
 */
export const taskOn = (path: string, weights: Values, torch: boolean): string => {
  const file = basename(path)
  const name = `model${/\.[^.]*$/.exec(file)?.[0] ?? ''}`
  const [decoded, encoded] = torch
    ? [
        'format.Torch.decode(bytes), E.flatMap(format.Torch.weights(undefined)), E.mapLeft(format.Torch.showError)',
        'format.Torch.rewrite(undefined)(bytes, values), E.mapLeft(format.Torch.showError)'
      ]
    : [
        'format.Safetensors.decode(bytes), E.bimap(format.Safetensors.showError, ({ tensors }) => tensors)',
        'format.Safetensors.rewrite(bytes, values), E.mapLeft(format.Safetensors.showError)'
      ]
  return [
    "import * as E from 'fp-ts/lib/Either.js'",
    "import { pipe } from 'fp-ts/lib/function.js'",
    "import { document, format, network, reward, task } from 'halforder'",
    '',
    'const shapes = {',
    ...parameters(weights),
    '}',
    '',
    '// what computes on them: rows of 2 numbers and a step here; for images x is [batch, channels, height, width]',
    'const inputs = [',
    "  { name: 'x', dtype: 'F32', shape: ['batch', 2] },",
    "  { name: 't', dtype: 'I64', shape: ['batch'] }",
    ']',
    'const graph = network.Builder.plan(inputs, (b) => {',
    '  const weight = (name) => b.parameter(name, shapes[name])',
    '  // layers here, by the operators of ONNX, such as',
    "  // b.add('Gemm', ['x', weight('in.weight'), weight('in.bias')], { transB: 1 }); the output is the last name",
    "  return ['x']",
    '})',
    '',
    '// what its numbers mean: alphaBar or flow, prediction (epsilon, clean, velocity, flow), layout (rows, channels first)',
    'const alphaBar = Array.from({ length: 50 }, (_, t) => Math.exp(-5 * ((t + 1) / 50) ** 2))',
    "const meaning = { alphaBar, prediction: 'epsilon', layout: 'rows' }",
    '',
    'const read = (bytes) =>',
    '  pipe(',
    `    pipe(${decoded}),`,
    '    E.flatMap((weights) => pipe(network.Import.fromGraph(network.Builder.graphOf(graph, weights)),',
    '      E.mapLeft((error) => network.ImportError.showImportError(error, network.Import.known)))),',
    '    E.flatMap((model) => pipe(network.meant(model, { meaning, source: {',
    `      name: '${name}',`,
    `      encode: (values) => pipe(pipe(${encoded}), E.map((file) => ({ file, beside: {} })))`,
    '    } }), E.mapLeft(document.Document.showError)))',
    '  )',
    '',
    'export default task.task({',
    "  name: 'mine',",
    `  about: 'the weights of ${file.replace(/[^\w.-]/g, '_')}',`,
    `  defaults: { model: './${file.replace(/[^\w.-]/g, '_')}', reward: 'brightness', chain: { kind: 'own' } },`,
    '  models: {},',
    '  read,',
    '  rewards: reward.shelf({ brightness: reward.brightness(2) }),',
    "  show: ({ image }) => (image === undefined ? { _tag: 'Points', reach: 3 } : { _tag: 'Stills', image })",
    '})'
  ].join('\n')
}

/**
 * What to do with weights alone.
 *
 * @category utils
 * @since 0.1.0
 */
export const alone = (path: string, weights: Values, torch: boolean): string => {
  const numbers = Object.values(weights).reduce((n, { shape }) => n + size(shape), 0)
  return [
    `${path}: expected a network, got weights alone (${Object.keys(weights).length} tensors, ${numbers} numbers); put config.json of ` +
      'diffusers beside them and name the folder, or export the model to ONNX; or write its graph as a task, `--task mine.mjs`:',
    '',
    taskOn(path, weights, torch)
  ].join('\n')
}
