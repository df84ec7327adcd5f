import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, test } from 'vitest'
import { showError } from '../../src/document/Document.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { trainedShapes } from '../../src/estimator/program/Programs.js'
import type { MlpDescription } from '../../src/network/Description.js'
import { encodeModel, loadModel, type Model, showError as showModelError } from '../../src/network/Model.js'
import * as Network from '../../src/network/Network.js'
import { initial } from '../../src/lens/Initial.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import { shelf } from '../../src/reward/Shelf.js'
import { denoising } from '../../src/task/Denoising.js'
import * as Task from '../../src/task/Task.js'
import { oneOf, silent } from '../../src/training/Conditions.js'
import * as Config from '../../src/training/Config.js'
import * as Setup from '../../src/training/Setup.js'
import * as T from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

// -------------------------------------------------------------------------------------
// a small task
// -------------------------------------------------------------------------------------

const description: MlpDescription = {
  kind: 'mlp',
  features: 2,
  labels: 3,
  hidden: 4,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}

const parameters = initial(Network.parameters(description), Key.make(1))
const file = get(encodeModel(description, parameters, { name: 'ring' }))

const training = denoising({
  about: 'a ring',
  description,
  data: (_, n) => ({ x0: T.fill([n, 2], 0), labels: T.fill([n, 3], 0) })
})

const options: Task.TaskOptions = {
  name: 'rings',
  about: 'rings of the plane',
  defaults: { model: 'ring', reward: 'bright', estimator: { radius: 0.02 }, trained: ['**.bias'] },
  models: {
    ring: Task.stored('one ring', async () => file),
    rings: Task.stored('some', async () => Uint8Array.of(1, 2)),
    gone: Task.stored('none', () => Promise.reject(new Error('no such file')))
  },
  rewards: shelf({ bright: brightness<number>(2) }),
  show: { _tag: 'Points', reach: 2 }
}

const rings = Task.task(options)
const trainable = Task.task({ ...options, trainings: { ring: training, knot: training } })

const ring = async (of = rings): Promise<Model> => get(await Task.model(of)('ring')())

const message = (found: E.Either<Parameters<typeof showError>[0], unknown>): string =>
  E.isLeft(found) ? showError(found.left) : 'accepted'

const known = Object.keys(Config.defaults).join(', ')

// -------------------------------------------------------------------------------------
// tests
// -------------------------------------------------------------------------------------

describe('a task', () => {
  test('has what was said of it, and defaults for the rest', async () => {
    expect([rings.name, rings.about]).toEqual(['rings', 'rings of the plane'])
    expect([rings.trainings.size, rings.toys.size, rings.examples, rings.fetch]).toEqual([0, 0, undefined, undefined])
    expect([...rings.models.keys()]).toEqual(['ring', 'rings', 'gone'])
    const model = await ring()
    expect(rings.show(model)).toEqual({ _tag: 'Points', reach: 2 })
    const language = rings.language(model)
    expect(language.labels).toBe(3)
    expect(language.parse('left')).toEqual(silent(3).parse('left'))
    expect(get(await rings.rewards(model)()).named.size).toBe(1)
  })

  test('may say things of each model', async () => {
    const of = Task.task({
      ...options,
      language: (model) => oneOf([`${model.denoiser.features} numbers`]),
      rewards: (model) => TE.right(shelf({ [model.metadata['name'] ?? '']: brightness<number>(2) })),
      show: ({ denoiser }) => ({ _tag: 'Stills', side: denoiser.features })
    })
    const model = await ring(of)
    expect(E.isRight(of.language(model).parse('2 numbers'))).toBe(true)
    expect([...get(await of.rewards(model)()).named.keys()]).toEqual(['ring'])
    expect(of.show(model)).toEqual({ _tag: 'Stills', side: 2 })
  })

  test('may have one language for all models, and toys', async () => {
    const of = Task.task({ ...options, language: oneOf(['left', 'right']), toys: { line: { kind: 'tanh' } } })
    expect(of.language(await ring(of)).labels).toBe(2)
    expect([...of.toys]).toEqual([['line', { kind: 'tanh' }]])
  })

  test('that says no more than a model and a reward is trained whole, by a direction for the batch', async () => {
    const least = Task.task({ ...options, defaults: { model: 'ring', reward: 'bright' } })
    const posed = async (given: unknown) => {
      const config = get(Task.configuration(least)(given))
      const { problem } = get(Setup.setup(config, get(await Task.materials(least)(await ring())())))
      expect(E.isRight(Gradient.check(problem))).toBe(true)
      return trainedShapes(problem.chain.parameters, problem.trained)
    }
    const whole = await posed({})
    expect(whole.map(([path]) => path)).toEqual(Object.keys(parameters))
    expect(whole.every(([, shape]) => shape[0] !== 'batch')).toBe(true)
    // where only vectors are trained, each row has a copy
    const vectors = await posed({ trained: ['**.bias'] })
    expect(vectors.length).toBeGreaterThan(1)
    expect(vectors.every(([, shape]) => shape[0] === 'batch')).toBe(true)
  })
})

describe('the configuration of a task', () => {
  test("has the task's defaults over the library's, and the document over both, group by group", () => {
    const { estimator } = Config.defaults
    const base = { ...Config.defaults, model: 'ring', reward: 'bright', trained: ['**.bias'] }
    const defaults = { ...base, estimator: { ...estimator, radius: 0.02 } }
    expect(Task.defaults(rings)()).toEqual(E.right(defaults))
    expect(Task.configuration(rings)({})).toEqual(E.right(defaults))
    expect(Task.configuration(rings)({ estimator: { h: 4 }, steps: 3, trained: [] })).toEqual(
      E.right({ ...defaults, steps: 3, trained: [], estimator: { ...estimator, radius: 0.02, h: 4 } })
    )
    expect(Task.configuration(rings)({ estimator: { radius: 0.5 } })).toEqual(
      E.right({ ...base, estimator: { ...estimator, radius: 0.5 } })
    )
  })

  test('may depend on the document', () => {
    const of = Task.task({
      ...options,
      defaults: (given) => ({ model: JSON.stringify(given), reward: 'bright' })
    })
    expect(get(Task.configuration(of)({ steps: 2 })).model).toBe('{"steps":2}')
    expect(get(Task.defaults(of)()).model).toBe('{}')
  })

  test('names the field of the document that is wrong', () => {
    const decode = Task.configuration(rings)
    expect(message(decode({ batch: 0 }))).toBe(message(Config.decode()({ batch: 0 })))
    expect(message(decode({ batch: 0 }))).toMatch(/^batch: expected a whole number .*, got 0; correct it$/)
    expect(message(decode({ modell: 'ring' }))).toBe(
      `modell: expected one of the fields ${known}, got "modell"; correct or remove it`
    )
    expect(message(decode('fast'))).toBe('config: expected a group of fields, got "fast"; write it as key: value pairs')
  })

  test("names the task where the task's defaults are wrong", () => {
    const of = (defaults: Record<string, unknown>): Task.Task => Task.task({ ...options, defaults })
    const many = message(Config.decode()({ batch: 'many' }))
    expect(message(Task.configuration(of({ batch: 'many' }))({}))).toBe(`${many}, in the defaults of the task 'rings'`)
    expect(message(Task.defaults(of({ bacth: 3 }))())).toBe(
      `bacth: expected one of the fields ${known}, got "bacth"; correct or remove it, in the defaults of the task 'rings'`
    )
  })
})

describe('the model of a name', () => {
  test('is read from its file, and can be written again', async () => {
    const model = await ring()
    expect([model.denoiser.features, model.denoiser.labels, O.isNone(model.decoder)]).toEqual([2, 3, true])
    expect(model.metadata['name']).toBe('ring')
    expect(get(model.encode(model.parameters, { name: 'ring' }, 'F16'))).toEqual(file)
  })

  test('may be read as the task says', async () => {
    const model = await ring()
    const of = Task.task({ ...options, read: (bytes) => (bytes.length > 2 ? E.right(model) : E.left('too short')) })
    expect(await Task.model(of)('ring')()).toEqual(E.right(model))
    expect(await Task.model(of)('rings')()).toEqual(E.left('rings: too short'))
  })

  const broken = loadModel(Uint8Array.of(1, 2))
  const unreadable = E.isLeft(broken) ? showModelError(broken.left) : 'a model'
  const names = 'ring, rings, gone, a file *.safetensors, or the folder of a run'
  test.each([
    ['rnig', `expected one of ${names}, got "rnig"; near it is ring`],
    ['square', `expected one of ${names}, got "square"`],
    ['', `expected one of ${names}, got ""`],
    ['constructor', `expected one of ${names}, got "constructor"`],
    ['gone', 'gone: no such file'],
    ['rings', `rings: ${unreadable}`]
  ])('%j is none', async (name, said) => {
    expect(await Task.model(rings)(name)()).toEqual(E.left(said))
  })

  test('that is not read for a reason of any kind says which', async () => {
    const odd = Task.stored('odd', () => Promise.reject('no reason'))
    expect([odd.about, await odd.bytes()]).toEqual(['odd', E.left('no reason')])
  })
})

describe('the materials of a model', () => {
  test('are the model, its language and its rewards', async () => {
    const model = await ring()
    const found = get(await Task.materials(rings)(model)())
    expect(found.model).toBe(model)
    expect(found.language.labels).toBe(3)
    expect([...found.rewards.named.keys()]).toEqual(['bright'])
  })

  test('lack where the rewards could not be read', async () => {
    const of = Task.task({ ...options, rewards: () => TE.left('the judge is out') })
    expect(await Task.materials(of)(await ring())()).toEqual(E.left('the judge is out'))
  })
})

describe('a training', () => {
  test('is found by its name', () => {
    expect(Task.training(trainable)('ring')).toEqual(E.right(training))
  })

  test.each([
    ['rink', 'name: expected one of ring, knot, got "rink"; choose one of them'],
    ['', 'name: expected one of ring, knot, got ""; choose one of them'],
    ['toString', 'name: expected one of ring, knot, got "toString"; choose one of them']
  ])('%j is none', (name, said) => {
    expect(message(Task.training(trainable)(name))).toBe(said)
  })

  test('of a task without one is told so', () => {
    expect(message(Task.training(rings)('ring'))).toBe(
      'name: expected something that the task \'rings\' trains: it has nothing, got "ring"; choose another --task'
    )
  })
})

describe('what a module exports', () => {
  test('is a task if `task` made it', () => {
    expect(Task.fromModule(rings)).toEqual(E.right(rings))
  })

  test.each<readonly [unknown, string]>([
    [undefined, 'none'],
    [null, 'another object'],
    [options, 'another object'],
    [{ _tag: 'Task' }, 'another object'],
    [[rings], 'another object'],
    [() => rings, 'a function'],
    ['rings', 'a string']
  ])('%o is none', (exported, got) => {
    expect(Task.fromModule(exported)).toEqual(
      E.left(`expected a default export made by \`task\` of 'halforder/task', got ${got}`)
    )
  })
})

describe('spans', () => {
  test('lie one after another', () => {
    expect(Task.spans([2, 1, 3])).toEqual([
      { offset: 0, width: 2 },
      { offset: 2, width: 1 },
      { offset: 3, width: 3 }
    ])
    expect(Task.spans([])).toEqual([])
  })
})
