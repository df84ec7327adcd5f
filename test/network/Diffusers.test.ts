import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { isRecord } from '../../src/document/Document.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Torch from '../../src/format/Torch.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { check, type Compared, showCheckError } from '../../src/network/Check.js'
import { fromDiffusers, planOf, renamed, showDiffusersError } from '../../src/network/FromDiffusers.js'
import { showConfigError } from '../../src/network/diffusers/Config.js'
import { graphOf } from '../../src/network/graph/Builder.js'
import { fromGraph, type Imported, known } from '../../src/network/graph/Import.js'
import { showImportError } from '../../src/network/graph/ImportError.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import { arraysOf, bytesOf, folder, jsonOf } from '../data.js'
import { right } from './graphs.js'
import { smallUnet } from './small.js'

interface Model {
  readonly name: string
  readonly arrays: string
  readonly part?: 'encoder' | 'decoder'
}

const models: ReadonlyArray<Model> = [
  { name: 'unet2d', arrays: 'reference' },
  { name: 'unet2d-legacy', arrays: 'reference' },
  { name: 'unet2d-condition', arrays: 'reference' },
  { name: 'dit', arrays: 'reference' },
  { name: 'autoencoder-kl', arrays: 'reference-encode', part: 'encoder' },
  { name: 'autoencoder-kl', arrays: 'reference-decode', part: 'decoder' }
]

const configOf = (name: string): unknown => jsonOf(`diffusers/${name}/config.json`)

const weightsOf = (name: string, file = 'diffusion_pytorch_model.safetensors'): Values =>
  right(Safetensors.decode(bytesOf(`diffusers/${name}/${file}`)), Safetensors.showError).tensors

const modelOf = ({ name, part }: Model, weights: Values = weightsOf(name)): Imported =>
  right(fromDiffusers(configOf(name), weights, part === undefined ? {} : { part }), showDiffusersError)

/** A reference with the present names of its gradients. */
const arraysFor = ({ name, arrays }: Model): Values =>
  Object.fromEntries(
    Object.entries(arraysOf(`diffusers/${name}/${arrays}.npz`)).map(([array, tensor]) => [renamed(array), tensor])
  )

const compare = async (
  target: Target,
  model: Imported,
  arrays: Values,
  single: number,
  double: number
): Promise<ReadonlyArray<Compared>> => right(await check(target, { single, double })(model, arrays)(), showCheckError)

const off = (rows: ReadonlyArray<Compared>): ReadonlyArray<Compared> =>
  rows.filter(({ verdict }) => verdict !== 'equal')

describe.skipIf(folder === undefined)("diffusers' models", () => {
  // `unet2d` is below, more closely
  test.each(models.slice(1).map((model) => [`${model.name} ${model.arrays}`, model] as const))(
    '%s: output and gradients, in f64',
    async (_, model) => {
      const rows = await compare(reference, modelOf(model), arraysFor(model), 2e-5, 1e-5)
      expect(off(rows)).toEqual([])
      expect(rows.length).toBeGreaterThanOrEqual(7)
    }
  )

  test.each(models.map((model) => [`${model.name} ${model.arrays}`, model] as const))(
    '%s: output and gradients, in f32',
    async (_, model) => {
      const target = gpuJs()
      const rows = await compare(target, modelOf(model), arraysFor(model), 4e-5, 4e-5)
      await target.dispose()
      expect(off(rows)).toEqual([])
    }
  )

  test('with the sines and cosines of times that PyTorch had, which are f32, the output in f64 is nearer', async () => {
    const arrays = arraysOf('diffusers/unet2d/reference.npz')
    const graph = graphOf(right(planOf(configOf('unet2d')), showConfigError), weightsOf('unet2d'))
    // the nodes that make them take the time, one by one
    const before = new Set(['timestep'])
    const nodes = graph.nodes.filter(({ inputs: reads, outputs: [made = ''] }) => {
      const makes = !before.has('time_proj') && reads.some((read) => before.has(read))
      if (makes) before.add(made)
      return !makes
    })
    const inputs = graph.inputs.map((port) =>
      port.name === 'timestep' ? { name: 'time_proj', dtype: 'F32' as const, shape: ['batch', 16] } : port
    )
    const model = right(fromGraph({ ...graph, nodes, inputs }), (error) => showImportError(error, known))
    const { 'act.time_proj': waves, ...others } = arrays
    const given = { ...others, ...(waves === undefined ? {} : { 'in.time_proj': waves }) }
    // what is left is the softmax of its attention, which is f32 there too
    const rows = await compare(reference, model, given, 2e-5, 1e-7)
    expect(off(rows).filter(({ array }) => !array.startsWith('act.'))).toEqual([])
    expect(rows.length).toBeGreaterThanOrEqual(8)
  })

  test('the same weights as a file of torch.save', () => {
    const file = right(Torch.decode(bytesOf('diffusers/unet2d-legacy/diffusion_pytorch_model.bin')), Torch.showError)
    expect(right(Torch.weights(undefined)(file), Torch.showError)).toEqual(weightsOf('unet2d-legacy'))
  })

  test('weights in half precision', async () => {
    const { out_fp16_weights: out, ...arrays } = arraysOf('diffusers/dit/reference.npz')
    const given = Object.fromEntries(Object.entries(arrays).filter(([array]) => array.startsWith('in.')))
    const model = modelOf(
      { name: 'dit', arrays: 'reference' },
      weightsOf('dit', 'diffusion_pytorch_model.fp16.safetensors')
    )
    const rows = await compare(reference, model, { ...given, ...(out === undefined ? {} : { out }) }, 1e-5, 1e-5)
    expect(off(rows)).toEqual([])
  })

  test('the older class name of a DiT', () => {
    const other = right(planOf(jsonOf('diffusers/dit/config.transformer2d.json')), showConfigError)
    expect(other).toEqual(right(planOf(configOf('dit')), showConfigError))
  })

  test.each(['params.json', 'params-legacy.json'])(
    'ddpm-cifar10-32: the names and shapes of %s are those of its configuration',
    (file) => {
      const { parameters } = right(planOf(configOf('ddpm-cifar10-32')), showConfigError)
      const document = jsonOf(`diffusers/ddpm-cifar10-32/${file}`)
      const said = Object.entries(isRecord(document) ? document : {})
      expect(Object.fromEntries(parameters)).toEqual(
        Object.fromEntries(said.map(([name, shape]) => [renamed(name), shape]))
      )
      expect([...parameters.values()].reduce((n, shape) => n + shape.reduce((m, d) => m * d, 1), 0)).toBe(35_746_307)
    }
  )
})

describe('configurations', () => {
  const small = smallUnet

  const refusal = (change: Readonly<Record<string, unknown>>): string => {
    const plan = planOf({ ...small, ...change })
    return E.isLeft(plan) ? showConfigError(plan.left) : 'planned'
  }

  test.each([
    [{}, 'planned'],
    [{ resnet_time_scale_shift: 'scale_shift', time_embedding_type: 'fourier', num_class_embeds: 3 }, 'planned'],
    [
      { act_fn: 'gelu' },
      'config.json: act_fn: expected "silu" or "swish", got "gelu"; export the model to ONNX, or use one without it'
    ],
    [
      { down_block_types: ['DownBlock2D', 'SkipDownBlock2D'] },
      'down_block_types: expected "DownBlock2D" or "AttnDownBlock2D"'
    ],
    [{ downsample_type: 'resnet' }, 'downsample_type: expected "conv", got "resnet"'],
    [{ sample_size: 7 }, 'sample_size: expected sizes that are multiples of 2'],
    [{ block_out_channels: [] }, 'block_out_channels: expected a list of one or more'],
    [{ layers_per_block: 0 }, 'layers_per_block: expected a whole number from 1 on, got 0'],
    [{ new_feature: 'on' }, 'new_feature: expected a field that is known, got "on"'],
    [{ new_feature: null }, 'planned'],
    [{ _class_name: 'VQModel' }, '_class_name: expected UNet2DModel or UNet2DConditionModel or AutoencoderKL']
  ])('%o', (change, message) => {
    expect(refusal(change)).toContain(message)
  })

  test('weights that are not those of the configuration are named, all at once', () => {
    const { parameters } = right(planOf(small), showConfigError)
    const zeros = Object.fromEntries(
      [...parameters].map(([name, shape]) => [
        name,
        { shape, data: new Float32Array(shape.reduce((n, d) => n * d, 1)) }
      ])
    )
    expect(E.isRight(fromDiffusers(small, zeros))).toBe(true)
    const { 'conv_in.bias': bias, ...others } = zeros
    const result = fromDiffusers(small, {
      ...others,
      conv_in_bias: bias ?? { shape: [], data: new Float32Array(1) },
      'conv_out.bias': { shape: [4], data: new Float32Array(4) }
    })
    expect(E.isLeft(result) && showDiffusersError(result.left).split('\n')).toEqual([
      '"conv_in.bias": expected [8], got no such tensor; near it is "conv_in_bias", "conv_out.bias"',
      '"conv_out.bias": expected [3], got [4]; check the sizes of the lens, and the layout',
      '"conv_in_bias" [8]: expected a parameter that takes it, got none; add a rename or an ignore'
    ])
  })
})
