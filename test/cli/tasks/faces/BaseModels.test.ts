import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as O from 'fp-ts/lib/Option.js'
import { afterAll, describe, expect, test } from 'vitest'
import { ddim } from '../../../../src/chain/sampler/Ddim.js'
import { faces } from '../../../../cli/tasks/faces/Renderer.js'
import { networks } from '../../../../cli/tasks/faces/Networks.js'
import { evaluation } from '../../../../src/training/Pretrain.js'
import { batchAt, type LabelledImages } from '../../../../src/training/Batches.js'
import { draw, nearest, reading, samplingStep } from '../../../../cli/tasks/faces/Metrics.js'
import { gpuJs } from '../../../../src/kernel/GpuJs.js'
import { initial } from '../../../../src/lens/Initial.js'
import { loadModel, type Model } from '../../../../src/network/Model.js'
import { schedules } from '../../../../src/chain/Share.js'
import * as Draw from '../../../../src/random/Draw.js'
import * as Key from '../../../../src/random/Key.js'
import { under, type Values } from '../../../../src/tensor/Program.js'
import { rows, type Tensor } from '../../../../src/tensor/Tensor.js'
import { get } from '../../../network/adjoint.js'

const names = ['unet', 'flow', 'clip', 'latent'] as const
const path = (name: string): string => fileURLToPath(new URL(`../../assets/${name}.safetensors`, import.meta.url))
const load = (name: string): Model => get(loadModel(readFileSync(path(name))))
const target = gpuJs()

afterAll(() => target.dispose())

const drawn = get(faces(Draw.uniform(Key.make(2026), [12, 8])))

/** Prompts with what they ask for: faces, or clips of them in all motions. */
const asked = (name: string, count: number): LabelledImages => {
  const source = networks[name]?.source(drawn)
  return source?.rows(Array.from({ length: count }, (_, i) => i)) ?? drawn
}

const only = (branch: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => name.startsWith(branch)))

/** The samples of prompts, in pixels. */
const sample = async ({ denoiser, decoder, description, parameters }: Model, labels: Tensor): Promise<Tensor> => {
  const count = labels.shape[0] ?? 1
  const chain = ddim({ denoiser, schedule: schedules[description.share](50), eta: 1 })
  const step = get(target.compile(get(samplingStep(chain, denoiser.labels)), { batch: count }))
  const own = O.isSome(decoder) ? only('denoiser.', parameters) : parameters
  const outputs = get(await draw(step, chain.T, denoiser.features, own, labels, Key.make(2027)))
  if (O.isNone(decoder)) return outputs
  const decode = get(target.compile(get(reading(decoder.value, denoiser.features)), { batch: count }))
  const decoded = get(await decode.run({ ...under('parameters', only('decoder.', parameters)), x: outputs })())
  return decoded['logits'] ?? outputs
}

describe.each(names)('the shipped %s', (name) => {
  const model = load(name)

  test('is the network that its name trains, says how it was made, and is small', () => {
    const { metadata, description } = model
    expect(description).toEqual(networks[name]?.description)
    expect(metadata['command']).toMatch(
      new RegExp(`^halforder pretrain ${name} --steps \\d+ --batch \\d+ --faces \\d+ --seed \\d+( --threads \\d+)?$`)
    )
    expect(JSON.parse(metadata['recipe'] ?? '')).toEqual(networks[name]?.recipe)
    expect(metadata['metrics']).toMatch(/heldOutLoss/)
    expect(readFileSync(path(name)).length).toBeLessThan(4e6)
  })

  test('has less than a twentieth of the loss that training began with', async () => {
    const network = networks[name]
    if (network === undefined) throw new Error(`no network is called ${name}`)
    const objective = network.objective()
    const executable = get(target.compile(get(evaluation(objective)), { batch: 16 }))
    const batch = batchAt(network.source(drawn), 16, network.dropout, Key.make(2028))(0)
    const loss = async (parameters: Values): Promise<number> =>
      get(await executable.run({ ...under('parameters', parameters), ...batch })())['loss']?.data[0] ?? Number.NaN
    const untrained = await loss(initial(objective.parameters, Key.make(2029)))
    expect(await loss(model.parameters)).toBeLessThan(untrained / 20)
  })

  test('draws what its prompt describes, and none of the others', async () => {
    const prompts = asked(name, 12)
    const images = await sample(model, prompts.labels)
    // of all that was asked for, the nearest to each sample is its own
    const own = Array.from({ length: 12 }, (_, i) => {
      const one = rows(i, i + 1)
      return nearest(one(images), one(prompts.images))[0]
    })
    expect(own).toEqual(nearest(images, prompts.images))
  })
})
