import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { classifier } from '../../src/network/Classifier.js'
import type { ClassifierDescription, MlpDescription } from '../../src/network/Description.js'
import { fromHalf, toHalf } from '../../src/format/Half.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp } from '../../src/network/Mlp.js'
import { denoiser } from '../../src/network/Network.js'
import { encodeModel, loadClassifier, loadModel, ownModel, showError } from '../../src/network/Model.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Key from '../../src/random/Key.js'
import { seconds } from '../cost.js'
import * as Tensors from '../../src/tensor/Tensor.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
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
    expect(text(header({ description: '{' }))).toMatch(/^description: expected JSON, got .*; use a file that/)
    expect(text(header({ description: '{"kind":"mlp","kind":"unet"}' }))).toBe(
      'description: expected each field once, got "kind" twice; use a file that `halforder pretrain` wrote'
    )
    expect(text(header({ description: JSON.stringify({ ...tiny, hidden: 0 }) }))).toBe(
      'description.hidden: expected an integer of at least 1, got 0; use a file that `halforder pretrain` wrote'
    )
    expect(text(get(encodeModel(small, {}, {})))).toMatch(
      'description.kind: expected one of mlp, unet, latent, tokens, got "classifier"'
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
        'the tensors are not those of the description, which has 435 numbers in 26 tensors, and the file 430 numbers in 26 tensors: use a file that `halforder pretrain` wrote'
      ].join('\n')
    )
  })
})

describe('a description that asks for another network', () => {
  const image = {
    kind: 'unet',
    size: [8, 8, 3],
    labels: 5,
    patch: 2,
    channels: [4, 8],
    groups: 2,
    embedding: 4,
    share: 'cosine'
  }
  /** What a file with these tensors and this description says, within a second. */
  const told = (description: unknown): string => {
    const file = get(
      Safetensors.encode('F16')({ tensors: parameters, metadata: { description: JSON.stringify(description) } })
    )
    let message = ''
    expect(seconds(() => (message = text(file)))).toBeLessThan(1)
    return message
  }
  const remedy = 'use a file that `halforder pretrain` wrote'
  const has = '435 numbers in 26 tensors'

  test.each([
    ['a hundred thousand blocks', { ...tiny, blocks: 100_000 }, `${435 + 140 * 99_998} numbers in 800010 tensors`],
    ['2^53 - 1 blocks', { ...tiny, blocks: 2 ** 53 - 1 }, '1261007895663738600 numbers in 72057594037927940 tensors'],
    ['an embedding of 2^31', { ...tiny, embedding: 2 ** 31 }, '4611686093589316000 numbers in 26 tensors'],
    ['an embedding of 1e10', { ...tiny, embedding: 1e10 }, '100000000350000000000 numbers in 26 tensors'],
    ['a width of 2^31', { ...tiny, hidden: 2 ** 31 }, '9223372124901605000 numbers in 26 tensors'],
    ['2^40 labels', { ...tiny, labels: 2 ** 40 }, '4398046511519 numbers in 26 tensors'],
    ['2^40 features', { ...tiny, features: 2 ** 40 }, '16492674416985 numbers in 26 tensors'],
    ['a U-Net of 2^30 channels', { ...image, channels: [2 ** 30] }, '41505174452535560000 numbers in 35 tensors']
  ])('%s is refused with both sizes', (_, description, asked) => {
    expect(told(description)).toBe(`description: expected no more than the file has, ${has}, got ${asked}; ${remedy}`)
  })

  test('a network of a few more tensors is compared with those of the file', () => {
    const lines = told({ ...tiny, blocks: 900 }).split('\n')
    expect(lines).toHaveLength(102)
    expect(lines[0]).toBe('"blocks.2.norm.gain": expected [7], got nothing')
    expect(lines[100]).toBe('... (7184 in all)')
    expect(lines[101]).toBe(
      `the tensors are not those of the description, which has ${435 + 140 * 898} numbers in 7210 tensors, and the file ${has}: ${remedy}`
    )
  })

  test.each([
    [{ ...tiny, embedding: 3 }, 'description.embedding: expected an even number of at least 2, got 3'],
    [
      { ...tiny, heads: 2 },
      'description.heads: expected one of the fields kind, features, labels, hidden, blocks, embedding, share, got "heads"'
    ],
    [{ ...tiny, share: 'constructor' }, 'description.share: expected one of cosine, linear, flow, got "constructor"'],
    [{ kind: 'toString' }, 'description.kind: expected one of mlp, unet, latent, tokens, got "toString"'],
    [{ ...image, groups: 3 }, 'description.groups: expected a divisor of all channels, 4, 8, got 3'],
    [
      { ...image, size: [6, 8, 3] },
      'description.size: expected sides that are multiples of 4: of the patch, and of 2 for each level but one, got [6,8,3]'
    ],
    [{ ...image, size: [3] }, 'description.size: expected two to four sizes, the last of the channels, got [3]'],
    [
      { ...image, size: [4, 4, 4, 4, 3] },
      'description.size: expected two to four sizes, the last of the channels, got [4,4,4,4,3]'
    ],
    [{ ...image, channels: [] }, 'description.channels: expected one to 32 widths, got []'],
    [
      { ...image, channels: new Array(33).fill(4) },
      'description.channels: expected one to 32 widths, got [4,4,4,4,4,4,4,4,... 33 in all]'
    ]
  ])('%j is refused', (description, message) => {
    expect(told(description)).toBe(`${message}; ${remedy}`)
  })
})

describe('weights that are no numbers', () => {
  const spoilt = (value: number): Readonly<Record<string, Tensor>> => ({
    ...parameters,
    'out.bias': { shape: [6], data: Float64Array.of(0, 0, 0, 0, value, 0) }
  })
  const file = (value: number): Uint8Array => get(encodeModel(tiny, spoilt(value), {}, 'own'))

  test.each([
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    [-Infinity, '-Infinity'],
    // finite, and infinite in f32
    [1e39, 'Infinity']
  ])('%d is refused by the name of its tensor', (value, drawn) => {
    const message = `expected finite numbers in f32, got some where out.bias[4] is ${drawn}; the model is spoilt, use another or train it again`
    expect(text(file(value))).toBe(message)
    const own = ownModel(denoiser(tiny), 'cosine')(file(value))
    expect(E.isLeft(own) ? showError(own.left) : 'a model').toBe(message)
    const other: ClassifierDescription = { kind: 'classifier', features: 6, labels: 6, hidden: 5, blocks: 1 }
    const bad = loadClassifier(
      get(
        encodeModel(
          other,
          {
            ...initial(classifier(other).parameters, Key.make(1)),
            'out.bias': spoilt(value)['out.bias'] ?? Tensors.scalar(0)
          },
          {},
          'own'
        )
      )
    )
    expect(E.isLeft(bad) ? showError(bad.left) : 'a classifier').toBe(message)
  })

  test('the largest of f32 is a number', () => {
    expect(text(file(-3.4028234663852886e38))).toBe('a model')
  })

  test('a checkpoint that is no model may hold them', () => {
    expect(E.isRight(Safetensors.decode(file(Number.NaN)))).toBe(true)
  })
})
