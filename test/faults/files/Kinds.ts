/**
 * The kinds of files that are read, good ones of each, and what is done to them.
 */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { flow, pipe } from 'fp-ts/lib/function.js'
import { json, yaml } from '../../../cli/edge/Documents.js'
import * as Toy from '../../../laws/toy/Description.js'
import * as EstimatorFile from '../../../laws/verify/EstimatorFile.js'
import { showError as showDocument } from '../../../src/document/Document.js'
import { showError as showBuild } from '../../../src/estimator/catalogue/Row.js'
import * as Npy from '../../../src/format/Npy.js'
import * as Npz from '../../../src/format/Npz.js'
import * as Safetensors from '../../../src/format/Safetensors.js'
import { initial } from '../../../src/lens/Initial.js'
import { classifier } from '../../../src/network/Classifier.js'
import type { Description } from '../../../src/network/Description.js'
import * as Model from '../../../src/network/Model.js'
import * as Network from '../../../src/network/Network.js'
import * as Key from '../../../src/random/Key.js'
import * as Checkpoint from '../../../src/training/Checkpoint.js'
import * as Config from '../../../src/training/Config.js'
import { npy, type Member, zip } from '../../format/writers.js'
import type { Chance } from './Chance.js'
import { mutateBytes, mutateDocument, mutateText } from './Mutate.js'

type Bytes = Uint8Array

/** Files of a kind from chance, and their reader: what it says of one that it refuses, nothing of one that it takes. */
export interface Kind {
  readonly name: string
  readonly make: (chance: Chance) => Bytes
  readonly read: (bytes: Bytes) => string | undefined
}

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const refusal: <A>(result: E.Either<string, A>) => string | undefined = E.match(
  (message) => message,
  () => undefined
)

const encode = (text: string): Bytes => new TextEncoder().encode(text)
const decode = (bytes: Bytes): string => new TextDecoder().decode(bytes)

// -------------------------------------------------------------------------------------
// documents
// -------------------------------------------------------------------------------------

const documents =
  (texts: readonly [string, ...ReadonlyArray<string>]): Kind['make'] =>
  (chance) => {
    const text = mutateDocument(chance, chance.of(texts))
    return chance.below(4) === 0 ? mutateBytes(chance, encode(text)) : encode(text)
  }

const configuration: Kind = {
  name: 'configurations',
  make: documents([
    JSON.stringify(Config.defaults),
    JSON.stringify(Config.defaults, null, 2),
    'estimator:\n  name: rlr\n  h: 3\n  start: [2, 17]\nchain: {kind: ddpm, T: 50}\nprompt: a happy face\ntrained: [out, "blocks.*.film"]\n',
    '# all that is usual\nsteps: 60\nbatch: &n 32\nevaluationSamples: *n\nadapter:\n  rank: 4\n  on:\n    - out\n    - "**.weight"\nstages:\n  coarse: >\n    a face\n    with hair\n',
    'estimator: {cells: [{kind: firstOrder, to: 1}, {kind: halfOrder, from: 2, to: 3}]}\noptimizer: {name: sgd, learningRate: 1e-3}\n'
  ]),
  read: flow(decode, yaml, E.flatMap(Config.decode()), E.mapLeft(showDocument), refusal)
}

const estimator: Kind = {
  name: 'estimators',
  make: documents([
    '{"name":"rlr","h":2,"start":[2,4],"form":"central","perturbation":"shared","radius":0.05,"baseline":-4}',
    '{"cells":[{"kind":"firstOrder","to":1},{"kind":"halfOrder","from":2,"to":3,"shares":[1,1]},{"kind":"zerothOrder","steps":[4,5,6],"form":"onePoint","radius":0.05}],"baseline":1}',
    '{"name":"truncatedBackprop","k":2}',
    '{"name":"geometricHalfOrder","lambda":0.5,"pathwise":0.2}',
    '{"name":"segmented","h":2,"baseline":0}'
  ]),
  read: (bytes) =>
    pipe(
      json(decode(bytes)),
      E.flatMap(EstimatorFile.decode),
      E.mapLeft(showDocument),
      E.flatMap(({ at }) =>
        pipe(at({ T: 6, noisyFirst: true, clean: true, differentiable: true }), E.mapLeft(showBuild))
      ),
      refusal
    )
}

const toy: Kind = {
  name: 'toy models',
  make: documents([
    '{"kind":"linearGaussian","T":3,"A":[[0.9,0.1],[0,0.8]],"B":[[1,0],[0,1]],"c":[0,0.5],"sigma":[0.5,0.4,0.3],"prior":{"mean":[0,0],"cov":[[1,0.2],[0.2,1]]},"theta":[0.1,-0.2],"reward":{"Q":[[1,0],[0,2]],"m":[1,1],"q":[0,0]}}',
    '{"kind":"linearGaussian","T":3,"A":[[0.9]],"B":[[1]],"c":[0],"sigma":0.5,"prior":{"mean":[0],"cov":[[1]]},"theta":[0.1],"reward":{"Q":[[1]],"m":[1],"q":[0]}}',
    '{"kind":"tanh","T":4,"alpha":0.9,"theta":[0.5,0.1],"sigma":0.3,"reward":{"kind":"quadratic","m":1}}'
  ]),
  read: (bytes) => pipe(json(decode(bytes)), E.flatMap(Toy.decode), E.mapLeft(showDocument), refusal)
}

// -------------------------------------------------------------------------------------
// arrays
// -------------------------------------------------------------------------------------

const arrays: readonly [Bytes, ...ReadonlyArray<Bytes>] = [
  npy({ kind: 'f4', little: true, fortran: false, version: 1, shape: [2, 3], values: [1, 2, 3, 4, 5, 6] }),
  npy({ kind: 'i8', little: false, fortran: true, version: 2, shape: [3, 2], values: [1, 2, 3, 4, 5, 6] }),
  npy({ kind: 'u1', little: true, fortran: false, version: 3, shape: [], values: [7] }),
  npy({ kind: 'f8', little: true, fortran: false, version: 1, shape: [0, 3], values: [] })
]

/** With a header of other words, whose length is right again. */
const otherHeader = (chance: Chance, bytes: Bytes): Bytes => {
  const version = bytes[6] ?? 1
  const start = version === 1 ? 10 : 12
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const text = encode(mutateText(chance, decode(bytes.subarray(start, start + length))))
  const changed = new Uint8Array(start + text.length + bytes.length - start - length)
  changed.set(bytes.subarray(0, start))
  changed.set(text, start)
  changed.set(bytes.subarray(start + length), start + text.length)
  const to = new DataView(changed.buffer)
  if (version === 1) to.setUint16(8, text.length & 0xffff, true)
  else to.setUint32(8, text.length, true)
  return changed
}

const array = (chance: Chance): Bytes => {
  const bytes = chance.of(arrays)
  return chance.below(2) === 0 ? otherHeader(chance, bytes) : mutateBytes(chance, bytes)
}

const npyKind: Kind = {
  name: 'npy',
  make: array,
  read: flow(Npy.decode, E.mapLeft(Npy.showError), refusal)
}

const fields = ['flags', 'method', 'crc', 'compressed', 'size', 'at'] as const
const sizes = [0, 1, 8, 9, 78, 2 ** 16, 2 ** 24, 2 ** 31, 2 ** 32 - 1] as const
const names = ['a.npy', 'b.npy', '__proto__.npy', '.npy', 'a.txt', 'é.npy', '../a.npy', 'a'.repeat(300)] as const

const member = (chance: Chance): Member => {
  const said = chance.below(3) === 0 ? { [chance.of(fields)]: chance.of(sizes) } : {}
  const headerSays =
    chance.below(4) > 0
      ? {}
      : chance.below(2) === 0
        ? { name: chance.of(names) }
        : { [chance.of(fields)]: chance.of(sizes) }
  const kept = { name: chance.of(names), extra: chance.of([0, 0, 20]), said, headerSays }
  // what deflates to a thousandth
  if (chance.below(20) === 0) return { ...kept, content: new Uint8Array(2 ** (10 + chance.below(16))), deflate: true }
  return { ...kept, content: chance.below(2) === 0 ? array(chance) : chance.of(arrays), deflate: chance.below(2) === 0 }
}

const npzKind: Kind = {
  name: 'npz',
  make: (chance) => {
    const members = Array.from({ length: 1 + chance.below(4) }, () => member(chance))
    const bytes = zip(members, {
      comment: chance.of(['', '', 'a comment']),
      long: chance.of([false, false, true, 'both']),
      overlap: chance.below(8) === 0
    })
    return chance.below(2) === 0 ? bytes : mutateBytes(chance, bytes)
  },
  read: flow(Npz.decode, E.mapLeft(Npz.showError), refusal)
}

// -------------------------------------------------------------------------------------
// tensors with a header
// -------------------------------------------------------------------------------------

/** With a header of other words, whose length is right again. */
const otherWords = (chance: Chance, bytes: Bytes): Bytes => {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  const text = encode(mutateDocument(chance, decode(bytes.subarray(8, 8 + length))))
  const changed = new Uint8Array(8 + text.length + bytes.length - 8 - length)
  new DataView(changed.buffer).setUint32(0, text.length, true)
  changed.set(text, 8)
  changed.set(bytes.subarray(8 + length), 8 + text.length)
  return changed
}

const either =
  (files: readonly [Bytes, ...ReadonlyArray<Bytes>]): Kind['make'] =>
  (chance) => {
    const bytes = chance.of(files)
    return chance.below(2) === 0 ? otherWords(chance, bytes) : mutateBytes(chance, bytes)
  }

const tensors = {
  a: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  'b.c': { shape: [], data: Float64Array.of(1) },
  ['__proto__']: { shape: [0, 4], data: new Float32Array(0) }
}

const safetensors: Kind = {
  name: 'safetensors',
  make: either([
    right(Safetensors.encode('own')({ tensors, metadata: { step: '3', text: '{"a":1}' } })),
    right(Safetensors.encode('F16')({ tensors, metadata: {} }))
  ]),
  read: flow(Safetensors.decode, E.mapLeft(Safetensors.showError), refusal)
}

const sha256: Checkpoint.Digest = (bytes) => createHash('sha256').update(bytes).digest('hex')

const written = right(
  Checkpoint.encode(sha256)(
    { kind: 'finetune', config: '{"seed":1}' },
    { step: 7, numbers: { advantage: 0.5 }, tensors: { 'params.a': tensors.a, 'optimizer.mean.a': tensors.a } }
  )
)

/** With another text, and a digest to match. */
const forged = (chance: Chance): Bytes => {
  const { tensors: own, metadata } = right(Safetensors.decode(written))
  const name = chance.of(['step', 'numbers', 'identity', 'digests', 'format'])
  const text: Record<string, string> = { ...metadata, [name]: mutateDocument(chance, metadata[name] ?? '') }
  const signed = ['format', 'step', 'numbers', 'identity', 'digests'].map((field) => text[field])
  const digest = sha256(encode(JSON.stringify(signed)))
  return right(Safetensors.encode('own')({ tensors: own, metadata: { ...text, digest } }))
}

const checkpoint: Kind = {
  name: 'checkpoints',
  make: (chance) => (chance.below(3) === 0 ? forged(chance) : either([written])(chance)),
  read: flow(Checkpoint.decode(sha256), E.mapLeft(Checkpoint.showError), refusal)
}

const described: readonly [Description, ...ReadonlyArray<Description>] = [
  { kind: 'mlp', features: 6, labels: 5, hidden: 7, blocks: 2, embedding: 4, share: 'cosine' },
  { kind: 'unet', size: [4, 4, 3], labels: 5, patch: 1, channels: [2, 4], groups: 2, embedding: 4, share: 'flow' },
  {
    kind: 'latent',
    size: [4, 4, 3],
    patch: 1,
    channels: [2, 4],
    groups: 2,
    latent: 1,
    labels: 5,
    hidden: 5,
    blocks: 1,
    embedding: 4,
    share: 'linear'
  },
  { kind: 'classifier', features: 6, labels: 5, hidden: 7, blocks: 2 }
]

const fileOf = (description: Description): { readonly description: string; readonly bytes: Bytes } => {
  const parameters =
    description.kind === 'classifier' ? classifier(description).parameters : Network.parameters(description)
  const values = initial(parameters, Key.make(1))
  return { description: JSON.stringify(description), bytes: right(Model.encodeModel(description, values, {})) }
}

const [firstModel, ...otherModels] = [fileOf(described[0]), ...described.slice(1).map(fileOf)] as const

/** With another description, or other words of the header, or other bytes. */
const model: Kind = {
  name: 'models',
  make: (chance) => {
    const { description, bytes } = chance.of([firstModel, ...otherModels])
    if (chance.below(2) === 0) return chance.below(2) === 0 ? otherWords(chance, bytes) : mutateBytes(chance, bytes)
    const { tensors: own } = right(Safetensors.decode(bytes))
    return right(
      Safetensors.encode('F16')({ tensors: own, metadata: { description: mutateDocument(chance, description) } })
    )
  },
  read: (bytes) => {
    const loaded = Model.loadModel(bytes)
    const judged = Model.loadClassifier(bytes)
    if (E.isRight(loaded) || E.isRight(judged)) return undefined
    return `${Model.showError(loaded.left)}\n${Model.showError(judged.left)}`
  }
}

/** All kinds. */
export const kinds: ReadonlyArray<Kind> = [
  configuration,
  safetensors,
  checkpoint,
  npzKind,
  npyKind,
  model,
  estimator,
  toy
]
