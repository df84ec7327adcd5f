import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { classifier } from '../../src/network/Classifier.js'
import type { ClassifierDescription, MlpDescription } from '../../src/network/Description.js'
import { fromHalf, toHalf } from '../../src/format/Half.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp } from '../../src/network/Mlp.js'
import { encodeModel, loadClassifier, loadModel, showError } from '../../src/network/Model.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Key from '../../src/random/Key.js'
import { get } from './adjoint.js'

const tiny: MlpDescription = {
  kind: 'mlp',
  features: 6,
  labels: 5,
  hidden: 7,
  blocks: 2,
  embedding: 4,
  share: 'cosine'
}
const small: ClassifierDescription = { kind: 'classifier', features: 6, labels: 34, hidden: 5, blocks: 1 }

const parameters = initial(mlp(tiny).lens.parameters, Key.make(1))
const bytes = get(encodeModel(tiny, parameters, { seed: '1' }))

const text = (file: Uint8Array): string => {
  const loaded = loadModel(file)
  return E.isLeft(loaded) ? showError(loaded.left) : 'a model'
}

describe('Model', () => {
  test('a model comes back from its file, rounded to f16', () => {
    const model = get(loadModel(bytes))
    expect(model.description).toEqual(tiny)
    expect(model.denoiser.features).toBe(6)
    expect(model.metadata['seed']).toBe('1')
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      expect(model.parameters[name]).toEqual({ shape, data: Float32Array.from(data, (x) => fromHalf(toHalf(x))) })
    }
    expect(get(encodeModel(tiny, model.parameters, { seed: '1' }))).toEqual(bytes)
  })

  test('a classifier comes back from its file', () => {
    const file = get(encodeModel(small, initial(classifier(small).parameters, Key.make(1)), {}))
    expect(get(loadClassifier(file)).description).toEqual(small)
  })

  test('what is no model says why', () => {
    const header = (metadata: Readonly<Record<string, string>>): Uint8Array =>
      get(Safetensors.encode('F16')({ tensors: parameters, metadata }))
    expect(text(bytes.subarray(0, 4))).toMatch('header length: expected 8 bytes, got 4')
    expect(text(header({}))).toBe(
      'description: expected DenoiserDescription as JSON in the metadata, got no description; use a file that `halforder pretrain` wrote'
    )
    expect(text(header({ description: '{' }))).toMatch('got "{"')
    expect(text(header({ description: JSON.stringify({ ...tiny, hidden: 0 }) }))).toBe(
      'description.hidden: expected an integer of at least 1, got 0; use a file that `halforder pretrain` wrote'
    )
    expect(text(get(encodeModel(small, {}, {})))).toMatch(
      'description.kind: expected "mlp", "unet" or "latent", got "classifier"'
    )
  })

  test('all tensors that do not fit the description are listed', () => {
    const { 'norm.gain': gain, ...rest } = parameters
    const file = get(
      encodeModel(
        tiny,
        {
          ...rest,
          'out.bias': gain ?? { shape: [], data: new Float32Array(1) },
          more: { shape: [1], data: new Float32Array(1) }
        },
        {}
      )
    )
    expect(text(file)).toBe(
      [
        '"norm.gain": expected [7], got nothing',
        '"out.bias": expected [6], got [7]',
        '"more": expected no such tensor, got [1]',
        'the tensors are not those of the description: use a file that `halforder pretrain` wrote'
      ].join('\n')
    )
  })
})
