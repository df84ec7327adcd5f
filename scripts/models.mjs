/**
 * Models of other tools beside what those tools computed of them: `docs/results/models.md`.
 *
 *     npm run build && node scripts/models.mjs FOLDER
 *
 * FOLDER has references as `halforder check` reads them: `diffusers/NAME/{config.json, *.safetensors, reference*.npz}` and
 * `onnx/NAME-opset*.onnx` with `onnx/NAME.{npz,json}`. Nothing depends on the machine but the last digits in f32.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = process.argv[2]
if (folder === undefined || !existsSync(folder)) {
  process.stderr.write('models: expected the folder of the references, got none\n')
  process.exit(2)
}
const from = (path) => import(`../dist/src/${path}`)
const [Npz, Safetensors, Check, Diffusers, Onnx, { gpuJs }, { reference }] = await Promise.all(
  [
    'format/Npz.js',
    'format/Safetensors.js',
    'network/Check.js',
    'network/FromDiffusers.js',
    'network/FromOnnx.js',
    'kernel/GpuJs.js',
    'tensor/Target.js'
  ].map(from)
)

const right = (result, show = JSON.stringify) => {
  if (result._tag === 'Left') throw new Error(show(result.left))
  return result.right
}
const bytes = (...path) => new Uint8Array(readFileSync(join(folder, ...path)))
const json = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'))
const arrays = (...path) => right(Npz.decode(bytes(...path)), Npz.showError)

// -------------------------------------------------------------------------------------
// the models
// -------------------------------------------------------------------------------------

/** What a reference in f64 has in f32 all the same, and how far that may lead. */
const sines = { because: 'sines of times, and softmax, are f32 in diffusers', bound: 1e-5 }
const softmax = { because: 'softmax is f32 in diffusers', bound: 1e-5 }
const constants = { because: 'constants, such as the epsilon of a norm, are f32 in the file', bound: 1e-7 }
const exact = { because: 'nothing', bound: 1e-12 }

const folders = readdirSync(join(folder, 'diffusers'), { withFileTypes: true }).filter((entry) => entry.isDirectory())

const diffusers = folders.flatMap(({ name }) =>
  readdirSync(join(folder, 'diffusers', name))
    .filter((file) => /^reference.*\.npz$/.test(file) && existsSync(join(folder, 'diffusers', name, 'config.json')))
    .map((file) => {
      const part = file.includes('encode') ? 'encoder' : file.includes('decode') ? 'decoder' : undefined
      const given = arrays('diffusers', name, file)
      return {
        name: `diffusers/${name}${part === undefined ? '' : `, ${part}`}`,
        model: () =>
          right(
            Diffusers.fromDiffusers(
              json('diffusers', name, 'config.json'),
              right(Safetensors.decode(bytes('diffusers', name, 'diffusion_pytorch_model.safetensors'))).tensors,
              part === undefined ? {} : { part }
            ),
            Diffusers.showDiffusersError
          ),
        given: Object.fromEntries(Object.entries(given).map(([array, tensor]) => [Diffusers.renamed(array), tensor])),
        ...(part === undefined ? sines : softmax)
      }
    })
)

const turned = ({ shape: [rows, columns], data }) => {
  const moved = data.slice()
  for (let i = 0; i < data.length; i++) moved[(i % columns) * rows + Math.floor(i / columns)] = data[i]
  return { shape: [columns, rows], data: moved }
}

const onnx = readdirSync(join(folder, 'onnx'))
  .filter((file) => file.endsWith('.onnx'))
  .map((file) => {
    const base = file.replace(/(?:-external|-floatdata)?-opset\d+\.onnx$/, '')
    const outside = file.replace(/\.onnx$/, '.bin')
    const beside = existsSync(join(folder, 'onnx', outside)) ? { [outside]: bytes('onnx', outside) } : {}
    const model = right(Onnx.fromOnnx(bytes('onnx', file), { beside }), Onnx.showOnnxError)
    const { files } = json('onnx', `${base}.json`)
    const map = files[file]?.param_map ?? Object.values(files).find(({ param_map }) => param_map)?.param_map ?? {}
    // gradients as the file has its parameters
    const given = Object.entries(arrays('onnx', `${base}.npz`)).map(([array, tensor]) => {
      const known = array.startsWith('grad.') ? map[array.slice('grad.'.length)] : undefined
      if (known === undefined) return [array, tensor]
      const { initializer, as } = known
      const shape = model.values[initializer]?.shape ?? tensor.shape
      return [`grad.${initializer}`, as === 'transposed' ? turned(tensor) : { ...tensor, shape }]
    })
    return {
      name: `onnx/${file}`,
      model: () => model,
      given: Object.fromEntries(given),
      // the network of diffusers/unet2d, with its reference
      ...(base === 'reward-conv-bn' ? exact : base === 'unet2d' ? sines : constants)
    }
  })

// -------------------------------------------------------------------------------------
// the table
// -------------------------------------------------------------------------------------

const single = 4e-5

const rowsOf = async ({ model, given }, target, bounds) => {
  const compared = await Check.check(target, bounds)(model(), given)()
  return right(compared, Check.showCheckError)
}

const worst = (rows, pattern) => {
  const errors = rows.filter(({ array }) => pattern.test(array)).map(({ error }) => error ?? Infinity)
  return errors.length === 0 ? undefined : Math.max(...errors)
}

const shown = (error) => (error === undefined ? '' : error === 0 ? '0' : error.toExponential(1))

const lines = []
let off = 0
for (const one of [...diffusers, ...onnx]) {
  const double = await rowsOf(one, reference, { single, double: one.bound })
  const target = gpuJs()
  const rounded = await rowsOf(one, target, { single, double: single })
  await target.dispose()
  const wrong = [...double, ...rounded].filter(({ verdict }) => verdict !== 'equal')
  off += wrong.length
  lines.push([
    `\`${one.name}\``,
    double.length,
    shown(worst(double, /^out64/)),
    shown(worst(double, /^grad64/)),
    shown(one.bound),
    one.because,
    shown(worst(double, /^(?:out|grad)(?:\.|$)/)),
    shown(worst(rounded, /^out/)),
    shown(worst(rounded, /^grad/)),
    wrong.length === 0 ? 'equal' : `off: ${wrong.map(({ array }) => array).join(', ')}`
  ])
  process.stderr.write(`${one.name}: ${lines.at(-1).at(-1)}\n`)
}

const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
const row = (cells) => `| ${cells.join(' | ')} |`
writeFileSync(
  `${root}docs/results/models.md`,
  [
    '# Models of other tools, beside those tools',
    '',
    `\`node scripts/models.mjs FOLDER\` writes this page, from references that PyTorch and diffusers computed (here at ${commit}, on Linux x64,`,
    `Node ${process.versions.node.split('.')[0]}, one thread). Errors are the largest of an array beside the array's largest value; of gradients, the worst array.`,
    '',
    '- "in f64": computed here by the reference in f64, beside what was computed there in f64, within the bound. That is as wide as what the',
    '  other side has in f32 all the same; where that is nothing, 10^-12 is met.',
    '- "there in f32": the same beside what was computed there in f32, all of a model\'s gradients among it, which only f32 there is had of.',
    `- "in f32": computed here on WebAssembly, beside both. The bound of both columns is ${shown(single)}.`,
    '',
    row([
      'model',
      'arrays',
      'output, in f64',
      'gradient, in f64',
      'bound',
      'f32 in the reference',
      'there in f32',
      'output, in f32',
      'gradients, in f32',
      'verdict'
    ]),
    row(['---', '---:', '---:', '---:', '---:', '---', '---:', '---:', '---:', '---']),
    ...lines.map(row),
    ''
  ].join('\n')
)
process.stderr.write(`${basename(folder)}: ${lines.length} models, ${off} arrays off\n`)
process.exitCode = off === 0 ? 0 : 1
