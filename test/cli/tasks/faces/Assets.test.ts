import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { ddim } from '../../../../src/chain/sampler/Ddim.js'
import * as Schedule from '../../../../src/chain/Schedule.js'
import { faces } from '../../../../cli/tasks/faces/Renderer.js'
import { accuracy, draw, nearest, reading, samplingStep } from '../../../../cli/tasks/faces/Metrics.js'
import { gpuJs } from '../../../../src/kernel/GpuJs.js'
import { classifier } from '../../../../src/network/Classifier.js'
import { loadClassifier, loadModel } from '../../../../src/network/Model.js'
import * as Draw from '../../../../src/random/Draw.js'
import * as Key from '../../../../src/random/Key.js'
import { under } from '../../../../src/tensor/Program.js'
import { get } from '../../../network/adjoint.js'

const asset = (name: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../assets/${name}.safetensors`, import.meta.url)))

const model = get(loadModel(asset('faces-mlp')))
const reader = get(loadClassifier(asset('classifier')))
const count = 64
const prompted = get(faces(Draw.uniform(Key.make(2024), [count, 8])))
const target = gpuJs()

afterAll(() => target.dispose())

describe('the shipped networks', () => {
  test('say how they were made', () => {
    for (const { metadata } of [model, reader]) {
      expect(metadata['command']).toMatch(/^halforder pretrain [a-z-]+ --steps \d+ --batch \d+ --faces \d+ --seed \d+$/)
      expect(metadata['metrics']).toMatch(/heldOutLoss/)
    }
  })

  test('the classifier reads every attribute of a face but the hair that a hat covers', async () => {
    const { description, parameters } = reader
    const program = get(reading(classifier(description), description.features))
    const executable = get(target.compile(program, { batch: count }))
    const { logits } = get(await executable.run({ ...under('parameters', parameters), x: prompted.images })())
    const { hair, hairColor, ...seen } = accuracy(logits ?? prompted.labels, prompted.labels)
    expect(Object.values(seen)).toEqual(Object.values(seen).map(() => 1))
    const covered = prompted.attributes.filter(({ hat }) => hat !== 'none').length / count
    expect(hair).toBeGreaterThanOrEqual(1 - covered)
    expect(hairColor).toBeGreaterThanOrEqual(1 - covered)
  })

  test('the denoiser draws the face that its prompt describes, and no other', async () => {
    const { denoiser, parameters } = model
    const chain = ddim({ denoiser, schedule: Schedule.cosine(50), eta: 1 })
    const step = get(target.compile(get(samplingStep(chain, denoiser.labels)), { batch: count }))
    const images = get(await draw(step, chain.T, denoiser.features, parameters, prompted.labels, Key.make(2025)))
    // of all faces that were asked for, the nearest one to each sample is its own
    const row = (i: number): { shape: ReadonlyArray<number>; data: Float32Array } => ({
      shape: [1, denoiser.features],
      data: Float32Array.from(images.data.subarray(i * denoiser.features, (i + 1) * denoiser.features))
    })
    const own = Array.from({ length: count }, (_, i) => {
      const at = prompted.images.data.subarray(i * denoiser.features, (i + 1) * denoiser.features)
      return nearest(row(i), { shape: [1, denoiser.features], data: at })[0]
    })
    expect(own).toEqual(nearest(images, prompted.images))
  })
})
